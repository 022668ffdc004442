"""A whole project whose versions are kept on an S3-compatible server."""

from __future__ import annotations

import csv
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tilth
from tilth.core.errors import ConfigError
from tilth.store.maintenance import collect_garbage, examine

if TYPE_CHECKING:
    from collections.abc import Iterator

moto_server = pytest.importorskip("moto.server")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    import boto3

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    client = boto3.client("s3", endpoint_url=address, region_name="us-east-1")
    client.create_bucket(Bucket="farm")
    client.close()
    yield address
    server.stop()


def _table(n: int = 300) -> pa.Table:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(n, 2))
    label = np.where(x[:, 0] + 0.3 * rng.normal(size=n) > 0, "yes", "no")
    return pa.table({"id": [f"r{i}" for i in range(n)], "a": x[:, 0], "b": x[:, 1], "label": label})


def _project(folder: Path, endpoint: str) -> tilth.Project:
    folder.mkdir()
    pq.write_table(_table(), folder / "rows.parquet")
    tilth.init(str(folder / "rows.parquet"), label="label", folder=folder, store="s3://farm/a/project")
    path = folder / "tilth.yaml"
    options = f"{{aws_region: us-east-1, aws_endpoint: '{endpoint}', allow_http: true}}"
    written = re.sub(
        r"^store: .*$", f"store: {{url: s3://farm/a/project, options: {options}}}", path.read_text(), flags=re.MULTILINE
    )
    path.write_text(written)
    return tilth.open(folder)


def test_the_whole_journey(tmp_path: Path, endpoint: str) -> None:
    project = _project(tmp_path / "here", endpoint)
    assert not project.has_run
    first = project.run()
    assert project.has_run
    assert not (tmp_path / "here" / ".tilth").exists()

    questions = project.ask(top=5).to_pylist()
    answers = tmp_path / "answers.csv"
    with answers.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["row_id", "answer"])
        writer.writeheader()
        writer.writerows({"row_id": q["row_id"], "answer": q["suggestion"] or q["given"]} for q in questions)
    assert project.answer(answers).answers == len(questions) == 5
    project.run()

    project.export("latest", tmp_path / "clean.parquet")
    assert pq.read_table(tmp_path / "clean.parquet").num_rows == 300
    assert project.predict(_table(20).drop_columns(["label"])).table.num_rows == 20
    assert project.blame(questions[0]["row_id"]).touches

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    text = (tmp_path / "here" / "tilth.yaml").read_text().replace("rows.parquet", "../here/rows.parquet")
    (elsewhere / "tilth.yaml").write_text(text)
    other = tilth.open(elsewhere)
    assert first.to_dict()["version"]["before"] in {version.version for version in other.repository().versions()}


def test_housekeeping(tmp_path: Path, endpoint: str) -> None:
    project = _project(tmp_path / "here", endpoint)
    project.run()
    repository = project.repository()
    before = repository.dataset(repository.version("latest")).read().num_rows
    collect_garbage(repository)
    assert [check for check in examine(repository) if not check.ok] == []
    assert project.dataset().read().num_rows == before


def test_secrets_are_refused_in_the_file(tmp_path: Path, endpoint: str) -> None:
    project = _project(tmp_path / "here", endpoint)
    path = project.folder / "tilth.yaml"
    path.write_text(path.read_text().replace("aws_region:", "aws_secret_access_key: hush, aws_region:"))
    with pytest.raises(ConfigError, match=r"aws_secret_access_key.*secret"):
        tilth.open(project.folder)
