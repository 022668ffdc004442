"""open_source: every form of a source, several files, splits, images in tables, refusals."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tilth.core.errors import SourceError
from tilth.core.names import SPLIT
from tilth.sources import open_source

CSV = "text,label\n{0} one,a\n{0} two,b\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        Path(f"{name}.csv").write_text(CSV.format(name), encoding="utf-8")
    return tmp_path


def png(value=0):
    sink = io.BytesIO()
    Image.fromarray(np.full((4, 4), value, dtype=np.uint8)).save(sink, format="PNG")
    return sink.getvalue()


def texts(raw):
    return raw.table.column("text").to_pylist()


def test_one_file_with_its_facts(folder):
    raw = open_source("one.csv", project=folder)
    assert texts(raw) == ["one one", "one two"]
    (file,) = raw.facts["files"]
    assert (file["path"], file["split"], file["rows"], file["size"]) == ("one.csv", None, 2, 31)
    assert raw.facts["rows"] == 2
    assert raw.location == "one.csv"
    assert json.loads(json.dumps(raw.facts))["warnings"] == []


def test_the_digest_changes_with_the_content_only(folder):
    first = open_source("one.csv").facts["files"][0]["digest"]
    Path("moved.csv").write_bytes(Path("one.csv").read_bytes())
    assert open_source("moved.csv").facts["files"][0]["digest"] == first
    Path("moved.csv").write_text(CSV.format("new"), encoding="utf-8")
    assert open_source("moved.csv").facts["files"][0]["digest"] != first


def test_several_files_are_one_source_in_the_order_given(folder):
    raw = open_source(["two.csv", "one.csv"], project=folder)
    assert texts(raw) == ["two one", "two two", "one one", "one two"]
    assert SPLIT not in raw.table.column_names
    assert raw.location == ["two.csv", "one.csv"]
    assert [file["rows"] for file in raw.facts["files"]] == [2, 2]


@pytest.mark.parametrize(
    "source",
    [
        ["train=one.csv", "test=two.csv"],
        {"train": "one.csv", "test": Path("two.csv")},
        {"train": ["one.csv"], "test": ["two.csv"]},
    ],
)
def test_files_per_split(folder, source):
    raw = open_source(source, project=folder)
    assert raw.table.column(SPLIT).to_pylist() == ["train", "train", "test", "test"]
    assert raw.location == {"train": "one.csv", "test": "two.csv"}
    again = open_source(raw.location, relative_to=folder, project=folder)
    assert again.table.equals(raw.table)
    assert again.facts == raw.facts


def test_two_files_of_one_split(folder):
    raw = open_source(["train=one.csv", "train=two.csv"], project=folder)
    assert raw.location == {"train": ["one.csv", "two.csv"]}
    assert raw.table.column(SPLIT).to_pylist() == ["train"] * 4


def test_named_and_unnamed_do_not_mix(folder):
    with pytest.raises(SourceError, match=r"some sources are named by split and some are not: two.csv"):
        open_source(["train=one.csv", "two.csv"])


def test_a_file_whose_name_has_an_equals_sign(folder):
    Path("a=b.csv").write_text(CSV.format("odd"), encoding="utf-8")
    assert texts(open_source("a=b.csv"))[0] == "odd one"
    assert open_source("train=a=b.csv").table.column(SPLIT)[0].as_py() == "train"


def test_a_folder_of_files_named_by_split(folder):
    for name in ("test", "train-00000-of-00001", "val_paired"):
        Path("data").mkdir(exist_ok=True)
        Path(f"data/{name}.csv").write_text(CSV.format(name), encoding="utf-8")
    raw = open_source("data", project=folder)
    assert list(raw.location) == ["train", "test", "val"]
    assert "names are read as splits: train=train-00000-of-00001.csv" in raw.facts["warnings"][0]
    Path("data/other.csv").write_text(CSV.format("other"), encoding="utf-8")
    assert SPLIT not in open_source("data").table.column_names


def test_columns_may_stand_in_any_order_but_must_be_the_same(folder):
    Path("two.csv").write_text("label,text\na,x\n", encoding="utf-8")
    assert texts(open_source(["one.csv", "two.csv"]))[-1] == "x"
    Path("two.csv").write_text("label,texts\na,x\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"two.csv lacks 'text' Did you mean 'texts'|one.csv lacks 'texts'"):
        open_source(["one.csv", "two.csv"])


def test_a_file_without_labels_joins_when_told(folder):
    Path("two.csv").write_text("text\nx\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"two.csv lacks 'label'"):
        open_source(["one.csv", "two.csv"])
    raw = open_source(["one.csv", "two.csv"], may_lack=["label"])
    assert raw.table.column("label").to_pylist() == ["a", "b", None]


def test_types_that_differ_between_files(folder):
    pq.write_table(pa.table({"n": [1], "m": [1]}), "a.parquet")
    pq.write_table(pa.table({"n": [1.5], "m": ["x"]}), "b.parquet")
    raw = open_source(["a.parquet", "b.parquet"])
    assert raw.table.column("n").to_pylist() == [1.0, 1.5]
    assert raw.table.column("m").to_pylist() == ["1", "x"]
    assert "column 'm' has different types" in raw.facts["warnings"][0]


@pytest.mark.parametrize("make", [pa.table, pd.DataFrame, pl.DataFrame])
def test_dataframes_alone_and_per_split(make):
    frame = make({"text": ["x"], "label": ["a"]})
    raw = open_source(frame)
    assert raw.location is None
    assert raw.facts["files"][0]["digest"] == open_source(frame).facts["files"][0]["digest"]
    raw = open_source({"train": frame, "dev": frame})
    assert raw.table.column(SPLIT).to_pylist() == ["train", "dev"]


def test_what_was_opened_can_be_written_and_opened_again(folder):
    raw = open_source({"train": pa.table({"t": ["x"]}), "dev": pa.table({"t": ["y"]})})
    pq.write_table(raw.table, "source.parquet")
    assert open_source("source.parquet").table.column(SPLIT).to_pylist() == ["train", "dev"]


def test_locations_are_relative_below_the_project_only(folder, tmp_path_factory):
    project = folder / "project"
    project.mkdir()
    (project / "in.csv").write_text(CSV.format("in"), encoding="utf-8")
    assert open_source("project/in.csv", project=project).location == "in.csv"
    assert open_source("one.csv", project=project).location == (folder / "one.csv").resolve().as_posix()
    assert texts(open_source("in.csv", relative_to=project))[0] == "in one"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("on.csv", "Did you mean 'one.csv'"),
        ("one.xlsx", "the format .xlsx is not known.*csv.*parquet"),
        ("README", r"the format \(no suffix\) is not known"),
        ([], "no source is named"),
        ({}, "no source is named"),
        (7, "a int is no dataframe"),
        ("https://example.org/a.csv", "this kind of URL cannot be read"),
        ("s3://key:secret@bucket/a.csv", "carries credentials"),
        ("empty", "no images in the folder"),
    ],
)
def test_refused_with_a_remedy(folder, source, said):
    Path("empty").mkdir()
    with pytest.raises(SourceError, match=said) as caught:
        open_source(source)
    assert "secret" not in caught.value.message
    assert caught.value.next_step


def test_a_file_url(folder):
    assert texts(open_source((folder / "one.csv").as_uri()))[0] == "one one"


def test_paths_of_images_are_loaded_and_broken_ones_named(folder):
    Path("pics").mkdir()
    Path("pics/0.png").write_bytes(png())
    Path("pics/1.png").write_bytes(b"no image")
    Path("t.csv").write_text("image,label\n0.png,a\n1.png,b\n2.png,a\n,b\n", encoding="utf-8")
    Path("t.csv").rename("pics/t.csv")
    raw = open_source("pics/t.csv", project=folder)
    assert raw.table.column("image").to_pylist() == [png(), None, None, None]
    assert raw.facts["broken_images"] == [
        (1, "1.png", "not an image in a known format"),
        (2, "2.png", "no such file"),
    ]
    assert "column 'image': 2 images cannot be read" in raw.facts["warnings"][0]
    assert raw.facts["files"][1]["path"] == "images of column 'image' of pics/t.csv"
    before = raw.facts["files"][1]["digest"]
    Path("pics/0.png").write_bytes(png(9))
    assert open_source("pics/t.csv").facts["files"][1]["digest"] != before


def test_paths_that_lead_nowhere_stay_text_with_a_warning(folder):
    Path("t.csv").write_text("image,label\na.png,a\nb.png,b\n", encoding="utf-8")
    raw = open_source("t.csv")
    assert raw.table.column("image").to_pylist() == ["a.png", "b.png"]
    assert "none can be read" in raw.facts["warnings"][0]
    assert raw.facts["broken_images"] == []


def test_image_bytes_and_rows_are_counted_over_all_files(folder):
    pq.write_table(pa.table({"png": [png(), png()]}), "a.parquet")
    pq.write_table(pa.table({"png": [png(), png()[:40]]}), "b.parquet")
    raw = open_source(["a.parquet", "b.parquet"])
    assert [image.row for image in raw.facts["broken_images"]] == [3]
    assert raw.table.column("png").null_count == 1


def test_structs_of_bytes_and_path(folder):
    table = pa.table({"image": [{"bytes": png(), "path": "x.png"}, {"bytes": b"bad", "path": "y.png"}, None]})
    raw = open_source(table)
    assert raw.table.column("image").to_pylist() == [png(), None, None]
    assert [image[:2] for image in raw.facts["broken_images"]] == [(1, "y.png")]


def test_bytes_that_are_no_images_are_left_alone():
    assert open_source(pa.table({"blob": [b"abc", b"def"]})).table.column("blob").to_pylist() == [
        b"abc",
        b"def",
    ]
