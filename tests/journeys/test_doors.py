"""The same journey through the command line and through Python gives the same ledger."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from journey_worlds import (
    answered,
    done,
    made,
    make_quick,
    people,
    prices,
    reviews,
    rows_of,
    sentiment,
    tilth,
    write_csv,
    write_images,
    write_parquet,
)

import tilth as python


def ledger(folder: Path) -> list[tuple[str, Any]]:
    """Return the records of the log without what tells the hour, the writer or the seconds spent."""
    records = [json.loads(path.read_text()) for path in sorted((folder / ".tilth" / "log").glob("*.json"))]
    return [(record["kind"], _timeless(record["body"])) for record in records]


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(one) for name, one in value.items() if name not in {"seconds", "answered", "name"}}
    return [_timeless(one) for one in value] if isinstance(value, list) else value


def by_command_line(folder: Path, source: Path) -> Path:
    made(folder, source, "--label", "sentiment")
    trials = done("run", "--dir", folder, "--json").json["trials"]
    questions = folder / "questions.csv"
    done("ask", "--top", 8, "-o", questions, "--dir", folder)
    done("answer", answered(questions, truth), "--dir", folder)
    done("run", "--dir", folder)
    done("tag", "reviewed", "--dir", folder)
    done("adopt", trials[0]["edit"], "--dir", folder)
    done("revert", trials[0]["edit"], "--dir", folder)
    done("veto", trials[1]["edit"], "--dir", folder)
    done("export", "reviewed", folder / "clean.parquet", "--dir", folder)
    done("predict", source, "-o", folder / "predicted.csv", "--dir", folder)
    return folder


def by_python(folder: Path, source: Path) -> Path:
    python.init(str(source), label="sentiment", folder=folder)
    make_quick(folder)
    project = python.open(folder)
    trials = project.run().trials
    questions = folder / "questions.csv"
    with questions.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, project.ask(top=8).column_names)
        writer.writeheader()
        writer.writerows(project.ask(top=8).to_pylist())
    project.answer(answered(questions, truth))
    project.run()
    project.tag("reviewed")
    project.adopt(trials[0].edit)
    project.revert(trials[0].edit)
    project.veto(trials[1].edit)
    project.export("reviewed", folder / "clean.parquet")
    predicted = project.predict(str(source))
    assert predicted.table.num_rows == 160
    return folder


def truth(row: dict[str, str]) -> str:
    return sentiment(row["review"])


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    home = tmp_path_factory.mktemp("doors")
    source = write_csv(home / "reviews.csv", reviews())
    return by_command_line(home / "cli", source), by_python(home / "python", source)


def test_the_doors_write_the_same_ledger(both: tuple[Path, Path]) -> None:
    assert ledger(both[0]) == ledger(both[1])


def test_the_doors_export_the_same_data(both: tuple[Path, Path]) -> None:
    one, two = (pq.read_table(folder / "clean.parquet") for folder in both)
    assert one.equals(two)
    assert (both[0] / "clean.changes.csv").read_bytes() == (both[1] / "clean.changes.csv").read_bytes()


def test_the_whole_journey_reads_back(both: tuple[Path, Path]) -> None:
    folder = both[0]
    lines = done("log", "--dir", folder, "--json").json["versions"]
    assert [line["origin"] for line in lines][-2:] == ["edit", "source"]
    assert {"reviewed"} == {tag for line in lines for tag in line["tags"]}
    source = lines[-1]["version"]
    found = done("diff", source, "reviewed", "--dir", folder, "--json").json
    assert found["rows_added"] == found["rows_dropped"] == []
    assert sum(pair["rows"] for pair in found["labels_changed"]) == found["cells_changed"]["sentiment"]
    row = rows_of(folder / "answers.csv")[0]["row_id"]
    blame = done("blame", row, "--dir", folder, "--json").json
    assert blame["edits"][0]["author"] == "person"
    assert done("show", "reviewed", "--dir", folder, "--json").json["recipe"] == [blame["edits"][0]["edit"]]
    for command in (["log"], ["show"], ["diff", source, "latest"], ["blame", row]):
        assert done(*command, "--dir", folder).out.strip()
    assert done("report", "--dir", folder).out.startswith("wrote")
    assert "<script" not in (folder / "tilth-report.html").read_text(encoding="utf-8")
    done("gc", "--dir", folder)
    assert all(check["ok"] for check in done("doctor", "--dir", folder, "--json").json["checks"])


def test_an_adopted_edit_that_was_taken_back_leaves_what_was(both: tuple[Path, Path]) -> None:
    project = python.open(both[1])
    assert project.diff("reviewed", "latest", with_metric=False).cells == {}
    assert project.dataset("reviewed").content_id == project.dataset().content_id


# -- every kind of source ----------------------------------------------------------------------------------------------


def table_project(home: Path) -> Path:
    source = write_parquet(home / "people.parquet", people())
    return made(home / "p", source, "--label", "outcome", "--id", "pid", "--group", "house", "--split", "part")


def image_project(home: Path) -> Path:
    folder = write_images(home / "pictures")
    (folder / "red" / "torn.png").write_bytes(b"no image")
    return made(home / "p", folder, "--label", "label")


def regression_project(home: Path) -> Path:
    return made(home / "p", write_csv(home / "prices.csv", prices()), "--label", "price")


def two_files_project(home: Path) -> Path:
    whole = reviews()
    train = write_csv(home / "a.csv", {name: column[:120] for name, column in whole.items()})
    test = write_csv(home / "b.csv", {name: column[120:] for name, column in whole.items()})
    return made(home / "p", [f"train={train}", f"test={test}"], "--label", "sentiment")


def pool_project(home: Path) -> Path:
    table = reviews()
    labels = [None if row % 4 == 0 else label for row, label in enumerate(table["sentiment"])]
    return made(home / "p", write_csv(home / "pool.csv", {**table, "sentiment": labels}), "--label", "sentiment")


KINDS = [table_project, image_project, regression_project, two_files_project, pool_project]


@pytest.mark.parametrize("make", KINDS)
def test_every_kind_of_source_goes_the_whole_way(make: Any, tmp_path: Path) -> None:
    folder = make(tmp_path)
    summary = done("run", "--dir", folder, "--json").json
    assert sum(summary["dataset"]["splits"].values()) == summary["dataset"]["rows"]
    assert summary["test"]["looks"] == 1
    assert summary["failures"] == []
    done("ask", "--top", 4, "-o", folder / "questions.csv", "--dir", folder)
    exported = folder / "clean.parquet"
    done("export", "latest", exported, "--dir", folder)
    data = pq.read_table(exported)
    assert data.num_rows == summary["dataset"]["rows"]
    done("predict", exported, "-o", folder / "predicted.parquet", "--dir", folder)
    assert pq.read_table(folder / "predicted.parquet").num_rows == data.num_rows
    assert done("report", "--dir", folder).code == 0
    again = done("run", "--dir", folder, "--json").json
    assert again == summary


def test_splits_of_the_source_are_kept(tmp_path: Path) -> None:
    folder = table_project(tmp_path)
    splits = done("run", "--dir", folder, "--json", "--dry-run").json["dataset"]["splits"]
    assert splits == {"train": 80, "dev": 40, "test": 40, "unused": 0, "pool": 0}
    dataset = python.open(folder).dataset()
    assert dataset.row_ids.to_pylist() == people()["pid"]


def test_a_broken_image_of_a_folder_has_no_row_and_is_named_in_a_warning(tmp_path: Path) -> None:
    folder = image_project(tmp_path)
    summary = done("run", "--dir", folder, "--dry-run", "--json").json
    assert any("torn.png" in warning for warning in summary["warnings"])
    assert "broken_file" not in {finding["kind"] for finding in summary["findings"]}
    refused = tilth("export", "latest", folder / "x.csv", "--dir", folder)
    assert refused.code == 2
    assert "'image'" in refused.err
    assert ".parquet" in refused.err
    assert not (folder / "x.csv").exists()


def test_rows_whose_image_is_broken_are_a_finding_that_counts_them(tmp_path: Path) -> None:
    pictures = write_images(tmp_path / "pictures")
    images = [path.relative_to(tmp_path).as_posix() for path in sorted(pictures.rglob("*.png"))]
    for torn in (images[3], images[-3]):
        (tmp_path / torn).write_bytes(b"no image")
    (tmp_path / images[7]).unlink()
    table = {"key": [f"k{row}" for row in range(len(images))], "image": images}
    table |= {"label": [Path(image).parent.name for image in images], "part": ["train"] * len(images)}
    for row in range(0, len(images), 3):
        table["part"][row] = "test"
    source = write_csv(tmp_path / "pictures.csv", table)
    folder = made(tmp_path / "p", source, "--label", "label", "--id", "key", "--split", "part")
    summary = done("run", "--dir", folder, "--dry-run", "--json").json
    splits = dict(zip(table["key"], python.open(folder).dataset().splits.tolist(), strict=True))
    broken = {f"k{row}" for row in (3, 7, len(images) - 3) if splits[f"k{row}"] == "train"}
    (said,) = [finding for finding in summary["findings"] if finding["kind"] == "broken_file"]
    assert (said["rows"], said["severity"]) == (len(broken), 1.0)
    (found,) = [one for one in done("find", "--dir", folder, "--json").json["findings"] if one["kind"] == "broken_file"]
    assert {row["row_id"] for row in found["flagged"]} == broken


def test_questions_about_images_name_files_to_look_at(tmp_path: Path) -> None:
    folder = image_project(tmp_path)
    done("ask", "--split", "train", "--top", 5, "-o", folder / "q.csv", "--dir", folder)
    rows = rows_of(folder / "q.csv")
    assert len({row["image"] for row in rows}) == 5
    for row in rows:
        assert (folder / row["image"]).read_bytes() == (tmp_path / "pictures" / row["path"]).read_bytes()
    done("answer", answered(folder / "q.csv", lambda row: row["given"]), "--dir", folder)


def test_pool_rows_are_asked_about_and_their_answers_train(tmp_path: Path) -> None:
    folder = pool_project(tmp_path)
    before = done("run", "--dir", folder, "--dry-run", "--json").json["dataset"]["splits"]
    assert before["pool"] == 40
    done("ask", "--split", "pool", "--top", 12, "-o", folder / "q.csv", "--dir", folder)
    taken = done("answer", answered(folder / "q.csv", truth), "--dir", folder, "--json").json
    assert taken["by_split"] == {"pool": 12}
    after = done("show", "--dir", folder, "--json").json["splits"]
    assert after == before | {"pool": 28, "train": before["train"] + 12}


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow"])
def test_dataframes_give_one_content(kind: str, tmp_path: Path) -> None:
    table = pa.table(people(60))
    frame: Any = table
    if kind == "pandas":
        frame = table.to_pandas()
    elif kind == "polars":
        frame = pytest.importorskip("polars").from_arrow(table)
    folder = tmp_path / "p"
    project = python.init(frame, label="outcome", id="pid", group="house", split="part", folder=folder)
    make_quick(folder)
    assert python.open(folder).run(dry_run=True).rows == 60
    file = write_parquet(tmp_path / "people.parquet", people(60))
    other = python.init(str(file), label="outcome", id="pid", group="house", split="part", folder=tmp_path / "q")
    make_quick(tmp_path / "q")
    other.run(dry_run=True)
    assert project.dataset().content_id == other.dataset().content_id
    assert (folder / "source.parquet").is_file()


def test_a_dataframe_never_overwrites_a_file(tmp_path: Path) -> None:
    (tmp_path / "source.parquet").write_bytes(b"mine")
    with pytest.raises(python.TilthError, match=r"source\.parquet"):
        python.init(pa.table(people(40)), label="outcome", folder=tmp_path)
    assert (tmp_path / "source.parquet").read_bytes() == b"mine"


# -- from no label at all ----------------------------------------------------------------------------------------------


def test_a_source_without_labels_asks_for_the_first_ones(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "reviews.csv", {"review": reviews()["review"]})
    folder = made(tmp_path / "p", source, "--classes", "neg,pos")
    refused = tilth("run", "--dir", folder)
    assert refused.code == 2
    assert "all 160 rows are the pool" in refused.err
    assert "tilth ask --top 100 -o questions.csv" in refused.err
    questions = folder / "q.csv"
    done("ask", "--top", 50, "-o", questions, "--dir", folder)
    asked = rows_of(questions)
    assert {row["split"] for row in asked} == {"pool"}
    assert {row["given"] for row in asked} == {""}
    few = done("answer", answered(questions, truth, n=4), "--dir", folder)
    assert "4 are first labels" in few.out
    assert "only 4 rows have a label" in tilth("run", "--dir", folder).err
    done("answer", answered(questions, truth), "--dir", folder)
    summary = done("run", "--dir", folder, "--json").json
    splits = summary["dataset"]["splits"]
    assert splits["pool"] == 110
    assert splits["train"] + splits["dev"] + splits["test"] == 50
    assert splits["dev"] >= 8
    assert summary["test"]["looks"] == 1
    done("predict", source, "-o", folder / "predicted.csv", "--dir", folder)
    done("report", "--dir", folder)
