"""What may not matter does not: the size of blocks, the labels of test; and what an edit costs is what it changed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tilth.core.edit import Edit, Verb
from tilth.core.names import ROW_ID, Split
from tilth.core.progress import silent
from tilth.core.spec import Spec
from tilth.loop.project import open_project
from tilth.loop.reading import read_source
from tilth.loop.run import RunOptions, run
from tilth.loop.starting import init_project
from tilth.loop.workshop import Workshop

GOOD = ["good", "great", "fine", "lovely"]
BAD = ["bad", "awful", "poor", "grim"]
OTHER = [f"word{i}" for i in range(60)]
N = 500


def source(seed=0):
    """Short texts with a number beside them; a fifth of the train labels is wrong; the splits are given."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, N)
    split = np.repeat(["train", "dev", "test"], [250, 150, 100])
    given = np.where((rng.random(N) < 0.2) & (split == "train"), 1 - truth, truth)
    texts = [
        " ".join([*rng.choice(GOOD if c else BAD, 2), *rng.choice(OTHER, 4), *rng.choice(GOOD + BAD, 1)]) for c in truth
    ]
    return pa.table(
        {
            "id": [f"r{i:03d}" for i in range(N)],
            "text": texts,
            "size": rng.normal(size=N),
            "split": split.tolist(),
            "label": np.array(["neg", "pos"])[given].tolist(),
        }
    )


def made(folder, table):
    folder.mkdir()
    pq.write_table(table, folder / "source.parquet")
    init_project(str(folder / "source.parquet"), folder=folder, label="label", id="id", split="split", text=["text"])
    path = folder / "tilth.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("learner: auto ", "learner: linear "), encoding="utf-8")
    return open_project(folder)


def run_in_blocks(project, **options):
    repository = project.repository(make=True)
    with repository.lease:
        version, warnings = read_source(repository, project.file, project.folder, silent)
        workshop = Workshop(project.file, repository, seed=0, **options)
        chosen = RunOptions(seed=0, budget_seconds=60, finalists=4)
        return run(workshop, version, chosen, warnings, silent), workshop


def figures(trial):
    facts = trial.to_dict()
    return {name: value for name, value in facts.items() if name not in ("seconds", "parent")}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    project = made(tmp_path_factory.mktemp("plain") / "p", source())
    return project, *run_in_blocks(project)


def test_blocks_of_seven_rows_give_the_same_ids_and_figures(plain, tmp_path):
    _, summary, workshop = plain
    assert workshop.rows_encoded == N
    small, fine = run_in_blocks(made(tmp_path / "p", source()), block_rows=7)
    assert fine.rows_encoded == N
    assert small.version_after == summary.version_after
    assert [trial.edit for trial in small.trials] == [trial.edit for trial in summary.trials]
    assert [str(trial.verdict) for trial in small.trials] == [str(trial.verdict) for trial in summary.trials]
    for one, other in zip(small.trials, summary.trials, strict=True):
        assert one.gain.value == pytest.approx(other.gain.value, rel=1e-9, abs=1e-12)
        assert one.p_value == pytest.approx(other.p_value, rel=1e-9)
    assert small.test is not None
    assert small.test.to_dict() == summary.test.to_dict()


def test_labels_of_test_choose_nothing(plain, tmp_path):
    _, summary, _ = plain
    table = source()
    labels = np.array(table.column("label").to_pylist(), dtype=object)
    test = np.flatnonzero(np.array(table.column("split").to_pylist()) == "test")
    labels[test] = np.random.default_rng(1).permutation(labels[test])
    shuffled = table.set_column(table.column_names.index("label"), "label", pa.array(labels, pa.string()))
    other, _ = run_in_blocks(made(tmp_path / "p", shuffled))
    assert [figures(trial) for trial in other.trials] == [figures(trial) for trial in summary.trials]
    assert other.baseline == summary.baseline
    assert other.ceiling == summary.ceiling
    assert other.findings == summary.findings
    assert other.least_detectable_gain == summary.least_detectable_gain
    assert other.alpha_left == summary.alpha_left
    assert other.learner == summary.learner
    assert other.test is not None
    assert other.test.before != summary.test.before


def test_after_one_percent_of_the_source_changed_one_percent_is_encoded_again(tmp_path):
    project = made(tmp_path / "p", source())
    assert project.find().workshop.rows_encoded == N
    assert project.find().workshop.rows_encoded == 0
    table = source()
    texts = table.column("text").to_pylist()
    changed = [3, 77, 180, 300, 450]
    for row in changed:
        texts[row] += " mended"
    pq.write_table(table.set_column(1, "text", pa.array(texts)), tmp_path / "p" / "source.parquet")
    encoded = project.find().workshop.rows_encoded
    assert 0 < encoded <= 1.1 * len(changed)
    labels = table.column("label").to_pylist()
    labels[:50] = ["pos"] * 50
    pq.write_table(table.set_column(4, "label", pa.array(labels)), tmp_path / "p" / "source.parquet")
    assert project.find().workshop.rows_encoded == 0


def test_an_edit_encodes_the_rows_whose_cells_it_changes_and_no_others(tmp_path):
    project = made(tmp_path / "p", source())
    project.find()
    ids = pa.array(["r001", "r002", "r003"])
    old = project.dataset().read("text").column(0).take(pa.array([1, 2, 3])).combine_chunks()
    edit = Edit(
        verb=Verb.MODIFY,
        operator=Spec(room="tests", name="upper"),
        reason="louder",
        author="upper",
        set={"text": pa.table({ROW_ID: ids, "value": pa.array([f"{text} loud" for text in old.to_pylist()])})},
    )
    repository = project.repository()
    with repository.lease:
        version = repository.commit_edit(repository.latest, edit)
        workshop = Workshop(project.file, repository, seed=0)
        features = workshop.features(version)
        before = Workshop(project.file, repository, seed=0).features(repository.version(version.parent))
    assert workshop.rows_encoded == 3
    assert np.flatnonzero((features != before).any(axis=1)).tolist() == [1, 2, 3]
    assert workshop.dataset(version).mask(Split.TRAIN).sum() == 250


def test_what_was_encoded_for_a_candidate_is_there_when_a_version_takes_it_in(tmp_path, monkeypatch):
    """And a few made rows are looked for among the rows of candidates alone: the version's own may be gigabytes."""
    project = made(tmp_path / "p", source())
    workshop = project.find().workshop
    repository = workshop.repository
    version = repository.latest
    rows = project.dataset().read(ROW_ID, "text", "size").slice(10, 4)
    rows = rows.set_column(1, "text", pa.array([f"{text} made" for text in rows.column("text").to_pylist()]))
    looked_at: list[str] = []
    buffer = type(repository.objects).buffer
    monkeypatch.setattr(
        type(repository.objects), "buffer", lambda self, path: (looked_at.append(path), buffer(self, path))[1]
    )
    with repository.lease:
        first = workshop.evidence(version).encode(rows)
        assert not [path for path in looked_at if path.startswith("evidence/rows")]
        again = workshop.evidence(version).encode(rows)
        assert len([path for path in looked_at if path.startswith("evidence/rows")]) == 1
        whole = pa.concat_tables([project.dataset().read(ROW_ID, "text", "size"), rows])
        features = workshop.encode(whole, workshop.columns(version))
        assert workshop.encode(whole, workshop.columns(version)).tobytes() == features.tobytes()
    assert workshop.rows_encoded == N
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(features[-4:], first)
    np.testing.assert_array_equal(features[:-4], workshop.features(version))
