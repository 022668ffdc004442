"""stale: by hand, planted change of the past, null worlds with errors that follow one another, parity with scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tilth.core.errors import NotApplicable
from tilth.detection.stale import Stale, stale_part

MISSING = np.iinfo(np.int64).min


def test_by_hand():
    part = stale_part(np.repeat([1.0, 0.0], [50, 150]))
    assert (part.n_rows, part.old_error, part.new_error) == (50, 1.0, 0.0)
    assert part.p_value == 0.0


def test_the_cut_is_students_test_of_block_means():
    rng = np.random.default_rng(0)
    means = rng.random(20) + np.repeat([0.5, 0.0], [5, 15])
    part = stale_part(np.repeat(means, 10))
    p_values = [
        stats.ttest_ind(means[:c], means[c:], equal_var=True, alternative="greater").pvalue for c in range(2, 11)
    ]
    assert part.p_value == pytest.approx(min(1, 9 * min(p_values)))


def view_with_errors(view_of, errors, times=None, **more):
    labels = np.zeros(len(errors), dtype=np.intp)
    probs = np.where(errors[:, None], [0.1, 0.9], [0.9, 0.1])
    times = np.arange(len(errors), dtype=np.int64) if times is None else times
    return view_of(Stale(), labels=labels, pred_probs=probs, times=times, **more)


def test_planted_change(view_of):
    rng = np.random.default_rng(1)
    n = 2000
    errors = rng.random(n) < np.where(np.arange(n) < 400, 0.5, 0.15)
    order = rng.permutation(n)
    view = view_with_errors(view_of, errors[order], np.arange(n, dtype=np.int64)[order])
    (finding,) = Stale().find(view)
    assert finding.kind == "stale_row"
    old = order < 400
    assert finding.flagged[old].mean() > 0.95
    assert finding.flagged[~old].mean() < 0.05
    assert "oldest" in finding.summary
    assert 0.5 < finding.severity[finding.flagged].mean() < 0.9


def test_numeric_labels(view_of):
    rng = np.random.default_rng(2)
    numbers = rng.normal(size=1000) * np.where(np.arange(1000) < 200, 5, 1)
    view = view_of(
        Stale(), classes=(), numbers=numbers, predictions=np.zeros(1000), times=np.arange(1000, dtype=np.int64)
    )
    assert 150 <= Stale().find(view)[0].n_flagged <= 250


@pytest.mark.parametrize("correlated", [False, True])
def test_null_worlds_are_left_alone(view_of, correlated):
    flagged = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        shock = rng.normal(size=1000)
        if correlated:
            shock = np.convolve(rng.normal(size=1024), np.ones(25) / 5, "valid")
        flagged += bool(Stale().find(view_with_errors(view_of, shock > 0.8)))
    assert flagged <= 1


def test_errors_that_grow_towards_the_present_are_not_stale(view_of):
    rng = np.random.default_rng(3)
    errors = rng.random(1000) < np.where(np.arange(1000) > 800, 0.6, 0.1)
    assert Stale().find(view_with_errors(view_of, errors)) == []


def test_rows_without_a_time_and_trusted_rows_are_left_alone(view_of):
    rng = np.random.default_rng(4)
    errors = rng.random(1000) < np.where(np.arange(1000) < 200, 0.7, 0.1)
    times = np.arange(1000, dtype=np.int64)
    times[:20] = MISSING
    (finding,) = Stale().find(view_with_errors(view_of, errors, times, trusted=np.arange(1000) < 100))
    assert not finding.flagged[:100].any()
    assert finding.flagged[100:180].all()


def test_refusals(view_of):
    with pytest.raises(NotApplicable, match="no time column"):
        Stale().find(view_of(Stale(), labels=np.zeros(500, int), pred_probs=np.ones((500, 2))))
    with pytest.raises(NotApplicable, match="fewer"):
        Stale().find(view_with_errors(view_of, np.zeros(10, bool)))
    with pytest.raises(NotApplicable, match="different times"):
        Stale().find(view_with_errors(view_of, np.zeros(500, bool), np.zeros(500, np.int64)))
