"""Votes in batches by a file of state: as one fit to all, near it once votes are kept no more, and what is refused."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from unittest import mock

import numpy as np
import pyarrow as pa
import pytest

import tilth
from tilth.core.errors import LabelError, NotApplicable, SourceError, UsageError

SMS = Path("/work/shared/data/weak/wrench/sms/train.json")
NEAR_PROBABILITY, NEAR_ACCURACY = 0.04, 0.05
"""Largest mean gap of probabilities and gap of accuracies to one fit, once earlier rows count by their sums."""


def world(n=400, seed=0, accuracies=(0.9, 0.8, 0.75, 0.7, 0.65)):
    rng = np.random.default_rng(seed)
    truth = (rng.random(n) < 0.4).astype(int)
    votes = np.where(rng.random((n, len(accuracies))) < accuracies, truth[:, None], 1 - truth[:, None])
    return np.where(rng.random(votes.shape) < 0.6, votes, -1), truth


def in_batches(matrix, cuts, path, **options):
    """The summary of each batch."""
    parts = np.split(matrix, cuts)
    found = [tilth.label(parts[0], classes=("ham", "spam"), keep=path, **options)]
    return [*found, *(tilth.label(part, update=path, **options) for part in parts[1:])]


def few_kept(rows):
    """Votes are kept up to so many rows."""
    stack = ExitStack()
    for place in ("tilth.labeling._shared.early.EARLY", "tilth.loop.label_batches.EARLY"):
        stack.enter_context(mock.patch(place, rows))
    return stack


@pytest.mark.parametrize("model", ["auto", "majority", "triplets", "dawid_skene"])
def test_small_batches_are_one_fit(tmp_path, model):
    matrix, _ = world()
    whole = tilth.label(matrix, classes=("ham", "spam"), model=model)
    last = in_batches(matrix, [30, 60, 250], tmp_path / "state", model=model)[-1]
    assert last.model == whole.model
    assert last.prior == pytest.approx(whole.prior)
    assert last.pred_probs == pytest.approx(whole.pred_probs[250:])
    for one, other in zip(last.labelers, whole.labelers, strict=True):
        assert one.accuracy.value == pytest.approx(other.accuracy.value)
    assert "batch 4: learnt together with 250 earlier rows" in last.notes


@pytest.mark.parametrize("model", ["one_coin", "dawid_skene"])
@pytest.mark.parametrize("seed", range(2))
def test_later_batches_come_near_one_fit(tmp_path, model, seed):
    """The first batch has thirty rows; votes are kept up to 1,000."""
    matrix, truth = world(4_000, seed)
    whole = tilth.label(matrix, classes=("ham", "spam"), model=model)
    with few_kept(1_000):
        last = in_batches(matrix, [30, 800, 1_500, 2_500, 3_000], tmp_path / "state", model=model)[-1]
    assert np.abs(last.pred_probs - whole.pred_probs[3_000:]).max(axis=1).mean() < NEAR_PROBABILITY
    for one, other in zip(last.labelers, whole.labelers, strict=True):
        assert one.accuracy.value == pytest.approx(other.accuracy.value, abs=NEAR_ACCURACY)
    assert (last.labels == truth[3_000:]).mean() > (whole.labels == truth)[3_000:].mean() - 0.02


def test_real_votes_come_near_one_fit(tmp_path):
    if not SMS.is_file():
        pytest.skip("the votes of wrench/sms are not here")
    rows = list(json.loads(SMS.read_text()).values())
    matrix = np.array([row["weak_labels"] for row in rows])
    truth = np.array([row["label"] for row in rows])
    whole = tilth.label(matrix, classes=("ham", "spam"), model="one_coin")
    cuts = [50, 150, 1_000, len(rows) - 1_000]
    early = in_batches(matrix, cuts, tmp_path / "a", model="one_coin")[-1]
    assert early.pred_probs == pytest.approx(whole.pred_probs[-1_000:])
    with few_kept(3_000):
        late = in_batches(matrix, cuts, tmp_path / "b", model="one_coin")[-1]
    heard = late.covered
    assert np.abs(late.pred_probs - whole.pred_probs[-1_000:]).max(axis=1)[heard].mean() < 0.06
    right = [(one[-1_000:] == truth[-1_000:])[heard].mean() for one in (late.labels, whole.labels)]
    assert right[0] > right[1] - 0.02


def test_people_come_and_go(tmp_path):
    def answers(rows, people, start):
        rng = np.random.default_rng(start)
        return pa.table(
            {
                "row": [f"r{start + i}" for i in range(rows) for _ in people],
                "worker": [one for _ in range(rows) for one in people],
                "answer": [("no", "yes")[int(rng.random() < 0.5)] for _ in range(rows * len(people))],
            }
        )

    path = tmp_path / "state"
    tilth.label(answers(30, ["ann", "bob", "eve"], 0), keep=path)
    found = tilth.label(answers(20, ["bob", "zoe"], 100), update=path)
    assert [line.name for line in found.labelers] == ["ann", "bob", "eve", "zoe"]
    assert [line.votes for line in found.labelers] == [0, 20, 0, 20]


def test_trusted_labels_of_earlier_batches_teach(tmp_path):
    matrix, truth = world(300)
    whole = tilth.label(matrix, classes=("ham", "spam"), model="one_coin", trusted=1 - truth)
    path = tmp_path / "state"
    tilth.label(matrix[:200], classes=("ham", "spam"), model="one_coin", trusted=1 - truth[:200], keep=path)
    last = tilth.label(matrix[200:], update=path, trusted=1 - truth[200:])
    assert last.prior == pytest.approx(whole.prior)
    assert last.labelers[0].accuracy.value == pytest.approx(whole.labelers[0].accuracy.value)


def test_a_model_that_takes_nothing_in_says_so(tmp_path):
    matrix, _ = world(600)
    with few_kept(100):
        first, last = in_batches(matrix, [300], tmp_path / "state", model="majority")
    assert any("stays as the earlier rows taught it" in said for said in last.warnings)
    assert last.prior == first.prior


def test_a_state_goes_elsewhere_where_that_is_wanted(tmp_path):
    matrix, _ = world(200)
    first, second = tmp_path / "a", tmp_path / "b"
    tilth.label(matrix[:100], classes=("ham", "spam"), keep=first)
    before = first.read_bytes()
    tilth.label(matrix[100:], update=first, keep=second)
    assert first.read_bytes() == before
    with pytest.raises(UsageError, match="in the state already"):
        tilth.label(matrix[100:], update=second)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"classes": ("spam", "ham")}, UsageError, "the classes of the state are ham, spam"),
        ({"abstain": "0"}, UsageError, "'-1' abstains in the state, and here '0'"),
        ({"model": "triplets"}, UsageError, "triplets is asked for"),
        ({"model": "nonesuch"}, Exception, "no label model"),
    ],
)
def test_another_reading_is_refused(tmp_path, changes, error, words):
    matrix, _ = world(100)
    path = tmp_path / "state"
    tilth.label(matrix[:50], classes=("ham", "spam"), model="one_coin", keep=path)
    before = path.read_bytes()
    with pytest.raises(error, match=words):
        tilth.label(matrix[50:], update=path, **changes)
    assert path.read_bytes() == before


def test_other_labelers_and_classes_are_refused(tmp_path):
    path = tmp_path / "state"
    tilth.label(pa.table({"a": ["x", "y"], "b": ["x", "x"]}), keep=path)
    with pytest.raises(UsageError, match=r"new: 'c'; missing: 'b'"):
        tilth.label(pa.table({"a": ["x", "y"], "c": ["x", "x"]}), update=path)
    with pytest.raises(LabelError, match="'z'"):
        tilth.label(pa.table({"a": ["x", "z"], "b": ["x", "x"]}), update=path)


def test_what_is_no_state_is_refused(tmp_path):
    matrix, _ = world(50)
    for text in (b"", b"no zip", b"PK\x03\x04 broken"):
        (tmp_path / "state").write_bytes(text)
        with pytest.raises(SourceError, match="no state of a label model"):
            tilth.label(matrix, update=tmp_path / "state")
    np.savez(tmp_path / "other.npz", facts=np.zeros(3))
    with pytest.raises(SourceError, match="no state of a label model"):
        tilth.label(matrix, update=tmp_path / "other.npz")
    with pytest.raises(SourceError, match="no such file"):
        tilth.label(matrix, update=tmp_path / "nowhere")


def test_a_state_of_another_form_is_refused(tmp_path):
    matrix, _ = world(100)
    with mock.patch("tilth.loop.label_state.VERSION", 2):
        tilth.label(matrix[:50], keep=tmp_path / "state")
    with pytest.raises(SourceError, match="a state of form 2, and this release reads form 1"):
        tilth.label(matrix[50:], update=tmp_path / "state")


def test_new_people_and_a_model_that_learns_no_more(tmp_path):
    def answers(people, start):
        rows = [(f"r{start + i}", one, "ab"[i % 2]) for i in range(60) for one in people]
        return pa.table(dict(zip(("row", "worker", "answer"), map(list, zip(*rows, strict=True)), strict=True)))

    with few_kept(10):
        tilth.label(answers(["ann", "bob"], 0), model="majority", keep=tmp_path / "state")
        with pytest.raises(NotApplicable, match="learns nothing of 'zoe'"):
            tilth.label(answers(["bob", "zoe"], 500), update=tmp_path / "state")
