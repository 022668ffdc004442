"""The demo: what it plants, what is found of it, and that its kept edits make the model better by the truth."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from tilth.cli import demo
from tilth.cli._demo_data import LOOKS_LIKE, PLANTED, SIZES, WRONG, plant
from tilth.cli._demo_truth import detected, gained, mended
from tilth.core.errors import UsageError
from tilth.core.names import Split
from tilth.core.trial import Verdict
from tilth.loop.project import open_project
from tilth.store.repository import Repository


@pytest.fixture(scope="module")
def world():
    return plant(demo.SEED)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The folder that the demo left, made once."""
    home = tmp_path_factory.mktemp("demo") / "tilth-demo"
    with pytest.MonkeyPatch.context() as patch:
        said = []
        patch.setattr("tilth.cli._demo_words.emit", said.append)
        demo.run_demo(home)
    return home, [text for text in said if isinstance(text, str)]


def test_planted_counts_add_up(world):
    splits = Counter(world.table["split"].to_pylist())
    assert splits == {**{str(s): n for s, n in SIZES.items()}, "train": SIZES[Split.TRAIN] + sum(PLANTED.values())}
    assert Counter(world.kinds.values()) == dict(PLANTED)
    assert {split: len(rows) for split, rows in world.wrong.items()} == dict(WRONG)
    assert world.table.num_rows - sum(PLANTED.values()) + world.new.num_rows == 1797


def test_wrong_labels_follow_the_rule_and_all_others_are_right(world):
    given = dict(zip(world.table["row_id"].to_pylist(), world.table["digit"].to_pylist(), strict=True))
    wrong = frozenset().union(*world.wrong.values())
    for row, truth in world.truth.items():
        if row in wrong:
            assert given[row] == str(LOOKS_LIKE[int(truth)])
        elif truth:
            assert given[row] == truth
        else:
            assert world.kinds[row] == "junk"


def test_copies_are_copies(world):
    images = dict(zip(world.table["row_id"].to_pylist(), world.table["image"].to_pylist(), strict=True))
    splits = dict(zip(world.table["row_id"].to_pylist(), world.table["split"].to_pylist(), strict=True))
    assert len(world.copied) == sum(PLANTED.values()) - PLANTED["junk"]
    for row, source in world.copied.items():
        assert splits[row] == Split.TRAIN
        assert (images[row] == images[source]) == (world.kinds[row] != "near copy")
        assert (splits[source] == Split.TRAIN) == (world.kinds[row] != "leak")


def test_ids_and_order_tell_nothing(world):
    rows = [i for i, row in enumerate(world.table["row_id"].to_pylist()) if row in world.kinds]
    assert abs(np.mean(rows) / world.table.num_rows - 0.5) < 0.15


def test_same_seed_same_world(world):
    assert plant(demo.SEED).table.equals(world.table)
    assert not plant(demo.SEED + 1).table.equals(world.table)


def test_refuses_a_folder_that_is_no_demo(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="not a demo"):
        demo.run_demo(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "mine"
    with pytest.raises(UsageError, match="is a file"):
        demo.run_demo(tmp_path / "thesis.txt")


def test_planted_faults_are_found(done, world):
    home, _ = done
    found = {one.planted: one for one in _findings_of_the_source(home, world)}
    assert found["wrong label"].recall.low > 0.5
    assert found["wrong label"].precision.low > 0.8
    for kind in ("exact copy", "leak"):
        assert found[kind].n_found == PLANTED[kind]
    for kind in ("near copy", "junk"):
        assert found[kind].n_found >= 0.8 * PLANTED[kind]


def _findings_of_the_source(home, world):
    from tilth.loop.found import find_faults
    from tilth.loop.workshop import Workshop

    project = open_project(home)
    repository = Repository(home / ".tilth")
    workshop = Workshop(project.file, repository, seed=project.file.seed)
    with repository.lease:
        base = repository.version(repository.latest.base)
        return detected(find_faults(workshop, base, ()).findings, world)


def test_kept_edits_help_by_the_truth(done, world):
    home, _ = done
    project = open_project(home)
    runs = [body["summary"] for body in project.repository().records("run")]
    kept = [trial for trial in runs[0]["trials"] if trial["verdict"] == Verdict.KEPT]
    assert kept
    steps = [("before", None, runs[0]["version_before"]), ("kept", None, runs[0]["version_after"])]
    _, after, by_hand = gained(project, world, [*steps])
    assert after.gain.low > 0
    assert runs[0]["ceiling"]["value"] >= runs[0]["baseline"]["value"] + kept[0]["gain"]["value"] - 1e-9
    assert after.gain.value <= by_hand.gain.value + 0.01


def test_changes_are_mostly_right(done, world):
    home, _ = done
    changes = pacsv.read_csv(home / "clean.changes.csv")
    did = mended(changes.cast(_texts(changes)), world)
    assert did.dropped + did.relabelled + did.turned_right > 100
    assert did.right_of_changed > 0.85
    assert 0 < did.answered <= demo.QUESTIONS


def _texts(table):
    import pyarrow as pa

    return pa.schema([(name, pa.string()) for name in table.column_names])


def test_leaves_what_it_says(done, world):
    home, said = done
    for name in (line.split()[0].rstrip(",") for line in demo.NOTE.splitlines()[2:]):
        assert (home / name).exists(), name
    assert pacsv.read_csv(home / "predictions.csv").num_rows == world.new.num_rows
    source = pq.read_table(home / "digits.parquet")
    assert pc.all(pc.equal(source["digit"], world.table["digit"])).as_py()
    assert any("mended by hand" in text for text in said)
    assert (home / "tilth-report.html").stat().st_size < 2e6


def test_a_demo_may_be_made_anew(tmp_path, monkeypatch):
    (tmp_path / demo.MARK).write_text("an earlier demo")
    (tmp_path / "tilth-report.html").write_text("old")

    class StopHereError(Exception):
        pass

    def stop(*_):
        raise StopHereError

    monkeypatch.setattr(demo, "_init", stop)
    monkeypatch.setattr("tilth.cli._demo_words.emit", lambda _: None)
    with pytest.raises(StopHereError):
        demo.run_demo(tmp_path)
    assert not (tmp_path / "tilth-report.html").exists()
    assert (tmp_path / "digits.parquet").is_file()
