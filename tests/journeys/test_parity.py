"""What must agree: training and predicting, exporting and importing, the recipe and the source that changes under it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from journey_worlds import (
    answered,
    done,
    made,
    people,
    prices,
    reviews,
    rows_of,
    tilth,
    write_csv,
    write_images,
    write_parquet,
)

import tilth as python
from tilth.core.names import Split
from tilth.loop.workshop import Workshop
from tilth.store.repository import Repository

# -- training and predicting ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["text", "table", "regression", "images"])
def test_predictions_of_known_rows_are_those_of_the_bench(kind: str, tmp_path: Path) -> None:
    source, label = {
        "text": lambda: (write_csv(tmp_path / "s.csv", reviews(80)), "sentiment"),
        "table": lambda: (write_parquet(tmp_path / "s.parquet", people(80)), "outcome"),
        "regression": lambda: (write_csv(tmp_path / "s.csv", prices(80)), "price"),
        "images": lambda: (write_images(tmp_path / "s", 20), "label"),
    }[kind]()
    folder = made(tmp_path / "p", source, "--label", label)
    project = python.open(folder)
    project.find()
    repository = project.repository()
    version = repository.version("latest")
    bench = Workshop(project.file, repository, seed=0).bench(version)
    expected = bench.predict(bench.baseline, np.arange(version.rows))
    store = files_of(folder)
    predicted = project.predict(str(source)).table
    assert files_of(folder) == store
    names = ["prediction"] if kind == "regression" else [f"p_{name}" for name in version.schema.task.classes]
    got = np.column_stack([predicted.column(name).to_numpy() for name in names])
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-9)
    if kind != "regression":
        best = np.array(version.schema.task.classes)[expected.argmax(axis=1)]
        assert predicted.column("prediction").to_pylist() == best.tolist()


def files_of(folder: Path) -> set[str]:
    """Return the names of what is kept in a store, leases aside."""
    return {str(path) for path in (folder / ".tilth").rglob("*") if path.is_file() and "lease" not in path.parts}


def test_predictions_carry_the_ids_of_the_new_rows(tmp_path: Path) -> None:
    folder = made(
        tmp_path / "p", write_parquet(tmp_path / "s.parquet", people(80)), "--label", "outcome", "--id", "pid"
    )
    done("find", "--dir", folder)
    new = {name: column[5:8] for name, column in people(80).items() if name != "outcome"}
    done("predict", write_csv(tmp_path / "new.csv", new), "-o", tmp_path / "out.csv", "--dir", folder)
    assert [row["row"] for row in rows_of(tmp_path / "out.csv")] == ["p0005", "p0006", "p0007"]


def test_a_time_column_need_not_be_there_to_predict(tmp_path: Path) -> None:
    table = people(80) | {"day": [f"2024-01-{1 + row // 4:02d}" for row in range(80)]}
    del table["part"]
    folder = made(tmp_path / "p", write_csv(tmp_path / "s.csv", table), "--label", "outcome", "--time", "day")
    done("find", "--dir", folder)
    new = write_csv(tmp_path / "new.csv", {"age": [39.5], "city": ["oslo"], "house": ["h1"]})
    done("predict", new, "-o", tmp_path / "out.csv", "--dir", folder)
    assert len(rows_of(tmp_path / "out.csv")) == 1


# -- exporting and importing ----------------------------------------------------------------------------------------------


def by_id(table: pa.Table) -> list[dict[str, Any]]:
    return sorted(table.to_pylist(), key=lambda row: str(row["row_id"]))


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_what_is_exported_comes_back_with_equal_content(suffix: str, tmp_path: Path) -> None:
    table: dict[str, Any] = people(80) | {"vector": [[row / 7, 0.1, -row / 3] for row in range(80)]}
    table["city"][3] = None
    source = write_parquet(tmp_path / "s.parquet", table)
    options = ["--label", "outcome", "--id", "pid", "--embedding", "vector", "--split", "part", "--group", "house"]
    first = made(tmp_path / "p", source, *options)
    done("find", "--dir", first)
    exported = tmp_path / f"clean.{suffix}"
    done("export", "latest", exported, "--dir", first)
    options[3] = "row_id"
    second = made(tmp_path / "q", exported, *options)
    done("find", "--dir", second)
    one, two = (python.open(folder).dataset() for folder in (first, second))
    shared = [name for name in one.schema.names if name != "pid"]
    assert {name: one.sums[name] for name in shared} == {name: two.sums[name] for name in shared}
    assert one.row_ids.to_pylist() == two.row_ids.to_pylist()
    assert one.splits.tolist() == two.splits.tolist()


def test_no_column_of_the_user_is_lost_in_an_export(tmp_path: Path) -> None:
    table = people(80) | {
        "weight": [60.0 + row / 9 for row in range(80)],
        "row_id": [f"x{row % 9}" for row in range(80)],
    }
    source = write_parquet(tmp_path / "s.parquet", table)
    folder = made(tmp_path / "p", source, "--label", "outcome", "--id", "pid", "--split", "part")
    trials = done("run", "--json", "--dir", folder).json["trials"]
    weighing = [trial["edit"] for trial in trials if trial["verb"] == "modify"]
    if weighing:
        done("adopt", weighing[0], "--dir", folder)
    done("export", "latest", tmp_path / "clean.parquet", "--dir", folder)
    exported = pq.read_table(tmp_path / "clean.parquet")
    for name in ("pid", "house", "part", "age", "city", "outcome", "weight", "row_id"):
        assert exported.column(name).to_pylist() == table[name], name
    assert exported.column("tilth_row_id").to_pylist() == table["pid"]
    assert set(exported.column("split").to_pylist()) == {"train", "dev", "test"}


def test_the_list_of_changes_says_what_and_why(tmp_path: Path) -> None:
    folder = made(
        tmp_path / "p", write_parquet(tmp_path / "s.parquet", people(80)), "--label", "outcome", "--id", "pid"
    )
    done("ask", "--split", "train", "--top", 3, "-o", folder / "q.csv", "--dir", folder)
    done("answer", answered(folder / "q.csv", lambda row: "no" if row["given"] == "yes" else "yes"), "--dir", folder)
    done("export", "latest", tmp_path / "clean.csv", "--dir", folder)
    changes = [line for line in rows_of(tmp_path / "clean.changes.csv") if line["column"] == "outcome"]
    asked = {row["row_id"]: row["given"] for row in rows_of(folder / "q.csv")}
    assert {line["row_id"]: line["old"] for line in changes} == asked
    assert all(line["why"] == "3 labels answered by a person" for line in changes)
    now = {row["row_id"]: row["outcome"] for row in rows_of(tmp_path / "clean.csv")}
    assert all(now[line["row_id"]] == line["new"] != line["old"] for line in changes)


def test_hugging_face_datasets_come_back(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    folder = made(tmp_path / "p", write_images(tmp_path / "s", 12), "--label", "label")
    done("find", "--dir", folder)
    exported = tmp_path / "hf"
    done("export", "latest", exported, "--dir", folder)
    found = datasets.load_from_disk(str(exported))
    assert set(found) == {"train", "dev", "test"}
    assert sum(len(part) for part in found.values()) == 24
    assert found["train"][0]["image"].size == (10, 10)
    refused = tilth("export", "latest", exported, "--dir", folder)
    assert refused.code == 2
    assert "not written over" in refused.err


# -- a source that changes ------------------------------------------------------------------------------------------------


@pytest.fixture
def growing(tmp_path: Path) -> Path:
    """A project with ids on which a person has answered for five train rows, each answer against the label."""
    table = people(80)
    del table["part"]
    folder = made(tmp_path / "p", write_csv(tmp_path / "s.csv", table), "--label", "outcome", "--id", "pid")
    done("ask", "--split", "train", "--top", 5, "-o", folder / "q.csv", "--dir", folder)
    done("answer", answered(folder / "q.csv", other), "--dir", folder)
    return folder


def other(row: dict[str, str]) -> str:
    return "no" if row["given"] == "yes" else "yes"


def rewrite(folder: Path, change: Any) -> None:
    """Change the source of a project by a function of its rows."""
    path = folder.parent / "s.csv"
    rows = change(rows_of(path))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def labels_of(folder: Path) -> dict[str, str]:
    table = python.open(folder).dataset().read("_tilth_id", "outcome")
    return dict(zip(table.column(0).to_pylist(), table.column(1).to_pylist(), strict=True))


def splits_of(folder: Path) -> dict[str, str]:
    dataset = python.open(folder).dataset()
    return dict(zip(dataset.row_ids.to_pylist(), dataset.splits.tolist(), strict=True))


def test_answers_and_splits_survive_rows_that_come_and_go(growing: Path) -> None:
    answers = {row["row_id"]: row["answer"] for row in rows_of(growing / "answers.csv")}
    gone = min(answers)
    before = splits_of(growing)
    new = people(120)
    more = [{name: new[name][row] for name in ("pid", "house", "age", "city", "outcome")} for row in range(80, 120)]
    rewrite(growing, lambda rows: [row for row in rows if row["pid"] != gone] + more)
    found = done("run", "--dry-run", "--json", "--dir", growing).json
    assert any("1 rows are gone, changed since" in warning for warning in found["warnings"])
    now, labels = splits_of(growing), labels_of(growing)
    assert len(now) == 119
    assert {row: now[row] for row in before if row != gone} == {
        row: name for row, name in before.items() if row != gone
    }
    assert {now[row["pid"]] for row in more} == {"train", "dev", "test"}
    assert {row: labels[row] for row in answers if row != gone} == {r: a for r, a in answers.items() if r != gone}
    touched = done("blame", sorted(answers)[1], "--json", "--dir", growing).json["edits"]
    assert [touch["verdict"] for touch in touched] == ["a person's word"]
    assert all(check["ok"] for check in done("doctor", "--json", "--dir", growing).json["checks"])


def test_the_later_word_of_a_person_wins(growing: Path) -> None:
    answers = {row["row_id"]: row["answer"] for row in rows_of(growing / "answers.csv")}
    first, second = sorted(answers)[:2]
    untouched = next(row for row in labels_of(growing) if row not in answers)
    given = labels_of(growing)[untouched]

    def by_hand(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        for row in rows:
            if row["pid"] == first:
                row["outcome"] = answers[first]  # the source comes to say what the answer says
            if row["pid"] == untouched:
                row["outcome"] = "no" if given == "yes" else "yes"
        return rows

    rewrite(growing, by_hand)
    done("find", "--dir", growing)
    labels = labels_of(growing)
    assert labels[first] == answers[first]
    assert labels[second] == answers[second]
    assert labels[untouched] != given


def test_the_same_rows_in_other_bytes_change_nothing(growing: Path) -> None:
    done("find", "--dir", growing)
    before = [line["version"] for line in done("log", "--json", "--dir", growing).json["versions"]]
    path = growing.parent / "s.csv"
    path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n") + b"\n")
    for _ in range(2):
        done("find", "--dir", growing)
    lines = done("log", "--json", "--dir", growing).json["versions"]
    assert [line["version"] for line in lines] == before
    assert lines[0]["current"]
    records = len(list((growing / ".tilth" / "log").iterdir()))
    done("find", "--dir", growing)
    assert len(list((growing / ".tilth" / "log").iterdir())) == records


def test_a_copy_of_a_known_row_joins_it(growing: Path) -> None:
    before = splits_of(growing)
    rewrite(growing, lambda rows: rows + [row | {"pid": f"copy of {row['pid']}"} for row in rows[:30]])
    done("find", "--dir", growing)
    now = splits_of(growing)
    copies = {row: now[row] for row in now if row.startswith("copy of ")}
    assert copies == {row: before[row.removeprefix("copy of ")] for row in copies}
    assert len(copies) == 30


def test_another_plan_cuts_anew(growing: Path) -> None:
    before = splits_of(growing)
    path = growing / "tilth.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("{train: 0.6, dev: 0.2, test: 0.2}", "{train: 0.4, dev: 0.3, test: 0.3}"), encoding="utf-8"
    )
    done("find", "--dir", growing)
    now = splits_of(growing)
    assert now != before
    assert sum(name == str(Split.DEV) for name in now.values()) == 24
    answers = {row["row_id"]: row["answer"] for row in rows_of(growing / "answers.csv")}
    assert {now[row] for row in answers} & {"dev", "test"}, "some answered rows judge now"
    labels = labels_of(growing)
    assert {row: labels[row] for row in answers} == answers
    assert all(check["ok"] for check in done("doctor", "--json", "--dir", growing).json["checks"])


def test_a_replay_that_is_cut_short_is_taken_up(growing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {row["row_id"]: row["answer"] for row in rows_of(growing / "answers.csv")}
    rewrite(growing, lambda rows: rows[:-1])

    def killed(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Repository, "commit_edit", killed)
        assert tilth("find", "--dir", growing).code == 130
    refused = tilth("veto", "e-", "--dir", growing)
    assert refused.code == 2
    assert "cut short" in refused.err
    assert tilth("gc", "--dir", growing).code == 2
    done("find", "--dir", growing)
    labels = labels_of(growing)
    assert {row: labels[row] for row in answers if row in labels} == {r: a for r, a in answers.items() if r in labels}
    assert len(labels) == 79
    done("gc", "--dir", growing)


def test_a_source_that_goes_back_after_a_cut_short_replay(growing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = growing.parent / "s.csv"
    bytes_before = source.read_bytes()
    version = done("log", "--json", "--dir", growing).json["versions"][0]["version"]
    rewrite(growing, lambda rows: rows[:-1])

    def killed(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Repository, "commit_edit", killed)
        assert tilth("find", "--dir", growing).code == 130
    source.write_bytes(bytes_before)
    done("find", "--dir", growing)
    current = [line["version"] for line in done("log", "--json", "--dir", growing).json["versions"] if line["current"]]
    assert current == [version]
    done("gc", "--dir", growing)


def test_one_label_answered_to_and_fro_is_rebuilt_as_it_stands(growing: Path) -> None:
    row = rows_of(growing / "answers.csv")[0]["row_id"]
    for word in ("yes", "no", "yes", "no", "yes"):
        pacsv.write_csv(pa.table({"row_id": [row], "answer": [word]}), growing / "one.csv")
        done("answer", growing / "one.csv", "--dir", growing)
        assert labels_of(growing)[row] == word
        assert all(check["ok"] for check in done("doctor", "--json", "--dir", growing).json["checks"])


def test_row_order_as_time_trains_on_the_oldest_rows(tmp_path: Path) -> None:
    folder = made(tmp_path / "p", write_csv(tmp_path / "s.csv", prices(100)), "--label", "price", "--time", "ROW_ORDER")
    done("find", "--dir", folder)
    splits = python.open(folder).dataset().splits.tolist()
    assert splits == ["train"] * 60 + ["dev"] * 20 + ["test"] * 20


def test_row_order_as_time_lets_old_rows_be_called_stale(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    size = rng.normal(size=1000)
    turned = np.where(np.arange(1000) < 120, -1, 1)
    table = {"size": size.round(4).tolist(), "price": (turned * size + rng.normal(0, 0.1, 1000)).round(3).tolist()}
    first = {name: column[:900] for name, column in table.items()}
    for name, options in (("plain", []), ("ordered", ["--time", "ROW_ORDER"])):
        folder = made(tmp_path / name, write_csv(tmp_path / f"{name}.csv", first), "--label", "price", *options)
        kinds = {one["kind"]: one["rows"] for one in done("find", "--json", "--dir", folder).json["findings"]}
        assert ("stale_row" in kinds) == (name == "ordered")
    order = python.open(folder).dataset().row_ids.to_pylist()
    write_csv(tmp_path / "ordered.csv", table)
    found = done("find", "--json", "--dir", folder).json["findings"]
    (stale,) = [one for one in found if one["kind"] == "stale_row"]
    grown = python.open(folder).dataset().row_ids.to_pylist()
    assert grown[:900] == order
    flagged = {grown.index(row["row_id"]) for row in stale["flagged"]}
    assert np.mean([place < 120 for place in flagged]) > 0.9
    assert len(flagged) >= 0.7 * 120
