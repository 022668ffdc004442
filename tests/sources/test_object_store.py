"""Object-store URLs, on an S3-compatible server."""

from __future__ import annotations

import logging

import pytest

from tilth.core.errors import SourceError
from tilth.sources import open_source

moto_server = pytest.importorskip("moto.server")


@pytest.fixture(scope="module")
def bucket():
    import boto3

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # one line per request otherwise
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    access = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", **access)
    client.create_bucket(Bucket="tilth-sources")
    client.put_object(Bucket="tilth-sources", Key="in/reviews.csv", Body=b"text,label\nfine,a\npoor,b\n")
    client.close()
    yield f"endpoint_override={host}%3A{port}&scheme=http&region=us-east-1"
    server.stop()


@pytest.fixture(autouse=True)
def access(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_a_file_in_a_bucket(bucket, tmp_path):
    url = f"s3://tilth-sources/in/reviews.csv?{bucket}"
    raw = open_source(url, project=tmp_path)
    assert raw.table.column("text").to_pylist() == ["fine", "poor"]
    assert raw.location == url
    assert open_source({"train": url}).table.num_rows == 2


def test_a_missing_object_suggests_its_sibling(bucket):
    with pytest.raises(SourceError, match=r"no such file. Did you mean 'reviews.csv'"):
        open_source(f"s3://tilth-sources/in/review.csv?{bucket}")


def test_a_missing_bucket_is_a_source_error(bucket):
    with pytest.raises(SourceError):
        open_source(f"s3://no-such-bucket/review.csv?{bucket}")
