"""Votes that come in batches: what is learnt of them one after the other is near what a fit to all of them learns."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core.errors import NotApplicable
from tilth.core.labelling import Known
from tilth.core.votes import Votes
from tilth.labeling._shared import subset
from tilth.labeling.dawid_skene import DawidSkene
from tilth.labeling.majority import Majority
from tilth.labeling.one_coin import OneCoin

NEAR_ACCURACY, NEAR_PROBABILITY = 0.05, 0.04
"""Largest gap of an accuracy and mean gap of a probability, over batches of 300 rows and more."""


def drawn(n, seed, classes=2, labelers=9, coverage=0.5):
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=n)
    accuracies = rng.uniform(0.6, 0.92, labelers)
    wrong = (truth[:, None] + rng.integers(1, classes, size=(n, labelers))) % classes
    matrix = np.where(rng.random((n, labelers)) < accuracies, truth[:, None], wrong)
    matrix[rng.random(matrix.shape) > coverage] = -1
    return Votes.of_matrix(matrix, classes=tuple(f"c{c}" for c in range(classes))), truth


def part(votes, start, stop):
    return subset(votes, Known(), np.arange(start, stop))[0]


def early_until(rows):
    """Votes of so many rows are kept, 0 for none: earlier rows then count by their sums at once."""
    return mock.patch("tilth.labeling._shared.early.EARLY", rows)


@pytest.fixture(params=["early", "late"])
def mode(request):
    with early_until(100_000 if request.param == "early" else 0):
        yield request.param


def in_batches(model, votes, cuts):
    ends = [*cuts, len(votes)]
    labelling = model.fit(part(votes, 0, ends[0]))
    for start, stop in pairwise(ends):
        labelling = model.update(labelling, part(votes, start, stop))
    return labelling


@pytest.mark.parametrize("model", [OneCoin(), DawidSkene()])
@pytest.mark.parametrize("classes", [2, 4])
def test_small_batches_are_one_fit_while_votes_are_kept(model, classes):
    votes, _ = drawn(400, 11, classes, labelers=6)
    whole, streamed = model.fit(votes), in_batches(model, votes, [15, 40, 100, 250])
    assert streamed.labelers == whole.labelers
    for name in ("accuracy", "interval", "coverage", "prior"):
        assert getattr(streamed, name) == pytest.approx(getattr(whole, name), nan_ok=True)
    assert model.predict(votes, streamed) == pytest.approx(model.predict(votes, whole))


def test_trusted_rows_of_early_batches_are_kept_too():
    votes, truth = drawn(300, 12, labelers=4)
    known = Known(truth=np.eye(2)[truth], trusted=np.arange(300) % 3 == 0)
    parts = [subset(votes, known, np.arange(*ends)) for ends in ((0, 60), (60, 200), (200, 300))]
    streamed = OneCoin().fit(*parts[0])
    for batch in parts[1:]:
        streamed = OneCoin().update(streamed, *batch)
    assert streamed.accuracy == pytest.approx(OneCoin().fit(votes, known).accuracy)


@pytest.mark.parametrize("model", [OneCoin(), DawidSkene()])
@pytest.mark.parametrize("seed", range(3))
def test_a_small_first_batch_does_no_harm_when_votes_are_kept_no_more(model, seed):
    """Twenty rows first; votes are kept up to 1,000 rows, the other 3,000 come in by sums."""
    votes, truth = drawn(4_000, seed, labelers=8)
    cuts = [20, 200, 900, *range(1_500, 4_000, 500)]
    with early_until(1_000):
        streamed = in_batches(model, votes, cuts)
    whole = model.fit(votes)
    assert "early" not in streamed.parameters
    assert streamed.accuracy == pytest.approx(whole.accuracy, abs=NEAR_ACCURACY)
    right = [(model.predict(votes, one).argmax(axis=1) == truth).mean() for one in (streamed, whole)]
    assert right[0] > right[1] - 0.01


@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 1_000),
    classes=st.sampled_from([2, 3]),
    steps=st.lists(st.integers(300, 700), min_size=1, max_size=3),
    model=st.sampled_from([OneCoin(), DawidSkene()]),
)
def test_batches_come_near_the_fit_to_all(seed, classes, steps, model):
    cuts = np.cumsum([600, *steps]).tolist()
    votes, _ = drawn(cuts[-1], seed, classes)
    whole, streamed = model.fit(votes), in_batches(model, votes, cuts[:-1])
    assert streamed.accuracy == pytest.approx(whole.accuracy, abs=NEAR_ACCURACY)
    assert streamed.coverage == pytest.approx(whole.coverage)
    assert streamed.prior == pytest.approx(whole.prior, abs=0.03)
    gaps = np.abs(model.predict(votes, streamed) - model.predict(votes, whole)).max(axis=1)
    assert gaps.mean() < NEAR_PROBABILITY
    assert (streamed.interval[:, 0] <= streamed.accuracy).all()
    assert (streamed.accuracy <= streamed.interval[:, 1]).all()


def test_intervals_narrow_as_votes_come_in(mode):
    votes, _ = drawn(3_000, 1)
    first = OneCoin().fit(part(votes, 0, 500))
    later = in_batches(OneCoin(), votes, [500, 1_500])
    assert (np.diff(later.interval) < np.diff(first.interval)).all()
    whole = OneCoin().fit(votes)
    assert np.diff(later.interval) == pytest.approx(np.diff(whole.interval), rel=0.15)


def test_nothing_new_changes_nothing(mode):
    votes, _ = drawn(800, 2)
    labelling = DawidSkene().fit(votes)
    empty = replace(
        votes, row_ids=votes.row_ids.slice(0, 0), rows=votes.rows[:0], sources=votes.rows[:0], said=votes.rows[:0]
    )
    again = DawidSkene().update(labelling, empty)
    assert again.accuracy == pytest.approx(labelling.accuracy)
    assert again.parameters["saying"] == pytest.approx(labelling.parameters["saying"])
    assert DawidSkene().predict(votes, again) == pytest.approx(DawidSkene().predict(votes, labelling))


def test_labelers_may_be_new_and_others_silent(mode):
    votes, _ = drawn(2_000, 3, labelers=8)
    kept = votes.sources < 6
    fewer = replace(
        votes, labelers=votes.labelers[:6], rows=votes.rows[kept], sources=votes.sources[kept], said=votes.said[kept]
    )
    labelling = OneCoin().fit(part(fewer, 0, 1_000))
    later = part(votes, 1_000, 2_000)
    heard = later.sources > 0  # the first labeler has left
    order = [5, 6, 7, 1, 2, 3, 4]  # and the others come in another order
    numbers = np.array([order.index(i) if i in order else -1 for i in range(8)])
    rows, sources, said = later.rows[heard], numbers[later.sources[heard]], later.said[heard]
    sort = np.lexsort((sources, rows))
    batch = replace(
        later, labelers=tuple(votes.labelers[i] for i in order), rows=rows[sort], sources=sources[sort], said=said[sort]
    )
    found = OneCoin().update(labelling, batch)
    assert found.labelers == votes.labelers
    whole = OneCoin().fit(votes)
    assert found.accuracy[1:] == pytest.approx(whole.accuracy[1:], abs=0.06)
    assert found.coverage[0] == pytest.approx(labelling.coverage[0] / 2)
    assert found.coverage[6] == pytest.approx((votes.sources[votes.rows >= 1_000] == 6).sum() / 2_000)


def test_trusted_rows_of_a_batch_teach(mode):
    votes, truth = drawn(1_200, 4, labelers=3)
    first, batch = OneCoin().fit(part(votes, 0, 400)), part(votes, 400, 1_200)
    known = Known(truth=np.eye(2)[1 - truth[400:]], trusted=np.ones(800, dtype=bool))
    assert (OneCoin().update(first, batch, known).accuracy < OneCoin().update(first, batch).accuracy - 0.1).all()


def test_other_classes_and_labellings_without_sums_are_refused(mode):
    votes, _ = drawn(300, 5)
    other, _ = drawn(300, 5, classes=3)
    with pytest.raises(NotApplicable, match="what was learnt for"):
        OneCoin().update(OneCoin().fit(votes), other)
    with pytest.raises(NotApplicable, match="keeps no sums"):
        OneCoin().update(Majority().fit(votes), votes)


def test_new_rows_that_would_settle_silence_otherwise_are_told_of():
    rng = np.random.default_rng(0)
    handed, _ = drawn(600, 6, labelers=6, coverage=1.0)
    truth = rng.integers(2, size=3_000)
    speaks = rng.random((3_000, 6)) < np.where(truth[:, None] == np.arange(6) // 3, 0.6, 0.1)
    matrix = np.where(speaks, np.arange(6) // 3, -1)
    later = Votes.of_matrix(matrix, classes=handed.classes)
    with early_until(0):
        found = OneCoin().update(OneCoin().fit(handed), later)
    assert any("fit anew on all rows" in said for said in found.warnings)
