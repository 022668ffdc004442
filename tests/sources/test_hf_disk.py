"""Datasets saved on disk, as Hugging Face datasets writes them: names of classes, splits, what is broken."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from tilth.core.errors import SourceError
from tilth.core.names import SPLIT
from tilth.sources import open_source
from tilth.sources._hf_disk import is_saved_dataset, read_saved_dataset

LABEL = {"names": ["neg", "pos"], "_type": "ClassLabel"}


def save(folder, table, features=None, parts=1, **state):
    folder.mkdir(parents=True)
    files = []
    for number in range(parts):
        name = f"data-{number:05d}-of-{parts:05d}.arrow"
        part = table.slice(number * table.num_rows // parts, table.num_rows // parts)
        with pa.OSFile(str(folder / name), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(part)
        files.append({"filename": name})
    (folder / "state.json").write_text(json.dumps({"_data_files": files, "_split": None, **state}))
    (folder / "dataset_info.json").write_text(json.dumps({"features": features or {}}))


def table(*labels):
    return pa.table({"text": [f"t{i}" for i in range(len(labels))], "label": pa.array(labels, pa.int64())})


def test_class_numbers_become_names_over_all_parts(tmp_path):
    save(tmp_path / "d", table(0, 1, -1, None), {"label": LABEL}, parts=2)
    assert is_saved_dataset(tmp_path / "d")
    found = read_saved_dataset(tmp_path / "d", "d")
    assert found.rows.table.to_pydict() == {
        "text": ["t0", "t1", "t2", "t3"],
        "label": ["neg", "pos", None, None],
    }
    assert found.digest == read_saved_dataset(tmp_path / "d", "d").digest


def test_splits_are_read_and_opened_as_a_source(tmp_path):
    for split, labels in (("train", (0, 1)), ("test", (1,))):
        save(tmp_path / "d" / split, table(*labels), {"label": LABEL})
    (tmp_path / "d" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    source = open_source(str(tmp_path / "d"))
    assert source.table.column(SPLIT).to_pylist() == ["train", "train", "test"]
    assert source.table.column("label").to_pylist() == ["neg", "pos", "pos"]
    assert source.facts["rows"] == 3


def test_bytes_of_images_come_alone(tmp_path):
    images = pa.array([{"bytes": b"x", "path": None}], pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    save(tmp_path / "d", pa.table({"image": images}), {"image": {"_type": "Image"}})
    assert read_saved_dataset(tmp_path / "d", "d").rows.table.column("image").to_pylist() == [b"x"]


def test_what_is_broken_is_said(tmp_path):
    save(tmp_path / "a", table(0, 5), {"label": LABEL})
    with pytest.raises(SourceError, match="class number 5, and there are 2 names"):
        read_saved_dataset(tmp_path / "a", "a")
    save(tmp_path / "b", table(0), _indices_data_files=[{"filename": "i.arrow"}])
    with pytest.raises(SourceError, match="selection of its rows"):
        read_saved_dataset(tmp_path / "b", "b")
    save(tmp_path / "c", table(0))
    (tmp_path / "c" / "data-00000-of-00001.arrow").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(SourceError, match=r"is no Arrow stream.*git lfs pull"):
        read_saved_dataset(tmp_path / "c", "c")
    (tmp_path / "c" / "data-00000-of-00001.arrow").unlink()
    with pytest.raises(SourceError, match="cannot be read"):
        read_saved_dataset(tmp_path / "c", "c")
    assert not is_saved_dataset(tmp_path)


def test_the_library_writes_what_is_read(tmp_path):
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])})
    made = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [1, 0]}, features=features)
    datasets.disable_progress_bars()
    datasets.DatasetDict({"train": made}).save_to_disk(str(tmp_path / "d"))
    rows = read_saved_dataset(tmp_path / "d", "d").rows.table
    assert rows.to_pydict() == {"text": ["a", "b"], "label": ["pos", "neg"], SPLIT: ["train", "train"]}
