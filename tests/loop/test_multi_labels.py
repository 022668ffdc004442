"""Labels with several classes: by hand, on planted worlds with classes that go together and rules that only say yes, and fallbacks."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import LabelError, UnknownRowError
from tilth.loop.multi_labels import label_multi_votes
from tilth.sources._votes import VoteReading

READING = VoteReading(separator="|")
NAMES = np.array(["joy", "love", "fear"])


def world(n=800, seed=0, accuracies=(0.95, 0.85, 0.8, 0.75), coverage=0.6):
    """Joy and love go together; people who tick each class with their own luck."""
    rng = np.random.default_rng(seed)
    mood = rng.random(n) < 0.4
    truth = np.stack(
        [
            rng.random(n) < np.where(mood, 0.8, 0.05),
            rng.random(n) < np.where(mood, 0.7, 0.05),
            rng.random(n) < 0.15,
        ],
        axis=1,
    )
    columns = {}
    for j, accuracy in enumerate(accuracies):
        said = truth ^ (rng.random(truth.shape) < 1 - accuracy)
        columns[f"ann{j}"] = [
            ("|".join(NAMES[row]) or "|") if speaks else None
            for row, speaks in zip(said, rng.random(n) < coverage, strict=True)
        ]
    return pa.table({"row_id": [f"r{i}" for i in range(n)], **columns}), truth


def as_truth(truth):
    return {f"r{i}": NAMES[row].tolist() for i, row in enumerate(truth)}


@pytest.fixture(scope="module")
def labelled():
    votes, truth = world()
    reading = VoteReading(separator="|", classes=tuple(NAMES))
    return label_multi_votes(votes, truth=as_truth(truth), reading=reading), truth


def test_by_hand():
    votes = pa.table({"row_id": ["x", "y", "z"], "a": ["p|q", "q", None], "b": ["p", "|", None]})
    summary = label_multi_votes(votes, model="majority", reading=READING).summary
    share = (2.5 + 0.5) / 2 / 3  # p has two votes for it on x, two against it on y
    np.testing.assert_allclose(summary.probs[:2], [[2.5 / 3, 0.5], [0.5 / 3, 0.5]])
    assert summary.probs[2] == pytest.approx([share, 0.5])
    assert summary.to_table()["label"].to_pylist() == ["p|q", "q", None]
    assert summary.covered.tolist() == [True, True, False]
    assert [one.says_no for one in summary.by_class] == [True, True]


def test_classes_that_go_together(labelled):
    summary, truth = labelled[0].summary, labelled[1]
    judged = summary.covered
    assert summary.metrics.rows == judged.sum()
    assert summary.metrics.accuracy.value == pytest.approx((summary.named == truth)[judged].mean())
    assert summary.metrics.subset_accuracy.value == pytest.approx((summary.named == truth)[judged].all(axis=1).mean())
    assert summary.metrics.accuracy.value > summary.majority.accuracy.value
    assert summary.metrics.macro_f1.value > 0.8
    assert summary.metrics.nll.value < 0.75 * summary.majority.nll.value
    assert summary.probs.sum(axis=1).max() > 1.5
    np.testing.assert_allclose(summary.prior, truth.mean(axis=0), atol=0.05)
    together = (summary.named[:, 0] & summary.named[:, 1])[judged].mean()
    by_chance = summary.named[judged].mean(axis=0)[:2].prod()
    assert by_chance * 1.3 < together < (truth[:, 0] & truth[:, 1])[judged].mean()  # a class tells nothing of another


def test_labelers_are_known_over_all_classes(labelled):
    summary = labelled[0].summary
    for line, accuracy in zip(summary.labelers, (0.95, 0.85, 0.8, 0.75), strict=True):
        assert line.accuracy.value == pytest.approx(accuracy, abs=0.05)
        assert line.measured.value == pytest.approx(accuracy, abs=0.03)
        assert set(line.names) == set(line.denies) == set(NAMES)


def test_a_row_is_explained_class_by_class(labelled):
    found = labelled[0].explain("r1")
    assert 1 <= len(found) <= 3
    assert {one.label.removeprefix("not ") for one in found} <= set(NAMES)
    with pytest.raises(UnknownRowError):
        labelled[0].explain("nobody")


def test_the_truth_chooses_and_teaches_nothing():
    votes, truth = world(n=120)
    reading = VoteReading(separator="|", classes=tuple(NAMES))
    blind = label_multi_votes(votes, reading=reading).summary
    lied = label_multi_votes(votes, truth=as_truth(~truth), reading=reading).summary
    assert lied.probs.tolist() == blind.probs.tolist()
    assert lied.warnings == blind.warnings
    assert blind.metrics is None


def test_trusted_rows_keep_their_classes_and_are_not_scored():
    votes, truth = world(n=200)
    reading = VoteReading(separator="|", classes=tuple(NAMES))
    trusted = dict(list(as_truth(truth).items())[:100])
    summary = label_multi_votes(votes, truth=as_truth(truth), trusted=trusted, reading=reading).summary
    assert (summary.named[:100] == truth[:100]).all()
    assert summary.labelled[:100].all()
    assert summary.metrics.rows == summary.covered[100:].sum()


def test_rules_that_only_say_yes():
    """Two rules per class that fire on rows of it: rows where none fires get no class."""
    rng = np.random.default_rng(3)
    truth = rng.random((600, 3)) < (0.3, 0.2, 0.1)
    columns = {
        f"{name}{j}": [name if fires else None for fires in rng.random(600) < np.where(truth[:, c], 0.6, 0.02)]
        for c, name in enumerate(NAMES)
        for j in range(2)
    }
    votes = pa.table({"row_id": [f"r{i}" for i in range(600)], **columns})
    summary = label_multi_votes(votes, truth=as_truth(truth), reading=READING).summary
    assert [line.denies for line in summary.labelers] == [()] * 6
    assert not any(one.says_no for one in summary.by_class)
    assert any("never says no" in said or "ever says no" in said for said in summary.warnings)
    fired = np.array(
        [[votes[f"{name}{j}"][i].is_valid for name in summary.classes] for j in range(2) for i in range(600)]
    )
    silent = ~(fired[:600] | fired[600:])
    assert not summary.named[silent].any()
    order = [NAMES.tolist().index(name) for name in summary.classes]
    assert (summary.named == truth[:, order])[summary.covered].mean() > 0.85


def test_a_class_that_nobody_names():
    votes, _ = world(n=100)
    reading = VoteReading(separator="|", classes=(*NAMES, "grief"))
    summary = label_multi_votes(votes, reading=reading).summary
    assert not summary.named[:, 3].any()
    assert summary.probs[:, 3].max() < 0.05
    assert summary.by_class[3].summary is None
    assert summary.to_dict()["per_class"][3]["model"] is None
    assert any("ever names 'grief'" in said for said in summary.warnings)


def test_one_class_with_a_no():
    votes = pa.table({"row_id": ["a", "b", "c"], "x": ["spam", "|", "spam"], "y": ["spam", "|", None]})
    summary = label_multi_votes(votes, reading=READING).summary
    assert summary.to_table()["label"].to_pylist() == ["spam", "", "spam"]


def test_one_class_without_a_no_is_refused():
    with pytest.raises(LabelError, match="one class"):
        label_multi_votes(pa.table({"row_id": ["a", "b"], "x": ["spam", None]}), reading=READING)


def test_one_row():
    summary = label_multi_votes(pa.table({"row_id": ["a"], "x": ["p|q"], "y": ["p"]}), reading=READING).summary
    assert summary.to_table()["label"].to_pylist()[0].startswith("p")
    assert any("one row" in said for said in summary.warnings)


def test_a_question_of_yes_and_no_is_what_one_class_alone_is():
    """A block of one class gives the probabilities of the binary model."""
    from tilth.loop.label_votes import label_votes

    rng = np.random.default_rng(5)
    truth = rng.random(400) < 0.4
    said = np.where(rng.random((400, 5)) < 0.8, truth[:, None], ~truth[:, None]).astype(int)
    said[rng.random((400, 5)) < 0.4] = -1
    several = label_multi_votes(said[:, :, None], reading=VoteReading(separator="|", classes=("spam",))).summary
    alone = label_votes(said, reading=VoteReading(classes=("not spam", "spam"))).summary
    assert several.by_class[0].summary.model == alone.model
    np.testing.assert_allclose(several.probs[:, 0], alone.pred_probs[:, 1])
