"""deciding: verdicts by hand, error rates of pass and fail, slices, metrics, what cannot be measured."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.condition import parse_condition
from tilth.core.errors import ConfigError
from tilth.core.gate_summary import Passing
from tilth.loop.comparing import TwoModels
from tilth.loop.deciding import Court, decide
from tilth.loop.rows_needed import plan_rows
from tilth.operators.registry import make

CLASSES = ("no", "yes")


def court(before, after, labels=None, *, groups=None, metric="accuracy", slices=None, has_old=True):
    labels = np.zeros(len(before), dtype=int) if labels is None else labels
    old, new = (np.eye(2)[np.where(right, labels, 1 - labels)] * 0.8 + 0.1 for right in (before, after))
    return Court(
        models=TwoModels(labels=labels, old=old, new=new, groups=groups),
        metric=make("evaluation", metric),
        classes=CLASSES,
        rows_of=lambda where: (slices or {})[where],
        has_old=has_old,
    )


def drawn(rng, n, wins, losses, right=0.8):
    """Rows that only the new model gets right, only the old one, both or none."""
    kind = rng.choice(4, n, p=[wins, losses, right, 1 - wins - losses - right])
    return (kind == 1) | (kind == 2), (kind == 0) | (kind == 2)


def verdict(text, found, reliability=0.95):
    return decide(parse_condition(text), found, reliability)


def test_by_hand():
    both = court(np.arange(1000) < 700, np.arange(1000) < 800)
    assert verdict("n - o > 0.05", both).verdict is Passing.PASS
    assert verdict("n - o > 0.15", both).verdict is Passing.FAIL
    assert verdict("n - o > 0.1", both).verdict is Passing.UNDECIDED
    assert verdict("d < 0.2 and n > 0.7", both).verdict is Passing.PASS
    assert verdict("d < 0.2 and n > 0.9", both).verdict is Passing.FAIL
    found = verdict("n - o > 0.1 +/- 0.01", both).clauses[0]
    assert found.value == pytest.approx(0.1)
    assert found.low < 0.1 < found.high
    assert found.method == "exact, of wins and losses"


@pytest.mark.parametrize("above", [True, False])
def test_the_confidence_set_and_the_verdict_agree(above):
    both = court(*drawn(np.random.default_rng(0), 800, 0.06, 0.03))
    found = verdict("n - o > 0", both).clauses[0]
    sign = ">" if above else "<"
    for least in np.linspace(-0.05, 0.1, 31):
        if min(abs(least - found.low), abs(least - found.high)) > 1e-3:
            said = verdict(f"n - o {sign} {least:.4f}", both).verdict
            outside = Passing.PASS if (least < found.low) == above else Passing.FAIL
            assert said is (Passing.UNDECIDED if found.low < least < found.high else outside)


ERRORS = {
    "n - o > 0.02 +/- 0.01": (0.06, 0.04),
    "d < 0.1": (0.06, 0.04),
    "n > 0.86": (0.06, 0.04),
    "n - 1.1 * o > -0.064": (0.06, 0.04),
}


@pytest.mark.parametrize("text", ERRORS)
@pytest.mark.parametrize("n", [300])
def test_neither_pass_nor_fail_errs_more_often_than_promised(text, n):
    """The truth lies exactly on the threshold, where every pass and every fail would be by chance."""
    runs, level, plain = 150, 0.05, text.partition(" +/-")[0]
    ends = []
    for seed in range(runs):
        rng = np.random.default_rng([1, seed])
        ends.append(verdict(plain, court(*drawn(rng, n, *ERRORS[text])), 1 - level).verdict)
    for kind in (Passing.PASS, Passing.FAIL):
        assert ends.count(kind) / runs <= level + 3 * np.sqrt(level / runs)


def test_groups_are_respected():
    rng = np.random.default_rng(2)
    before, after = drawn(rng, 100, 0.15, 0.05, 0.7)
    often = np.repeat(np.arange(100), 10)
    blind = verdict("n - o > 0", court(before[often], after[often])).clauses[0]
    told = verdict("n - o > 0", court(before[often], after[often], groups=often)).clauses[0]
    assert told.high - told.low > 2 * (blind.high - blind.low)
    assert told.method == "guarded t over groups"


def test_slices_alone_and_against_the_whole():
    rng = np.random.default_rng(3)
    inside = np.arange(2000) % 4 == 0
    after = np.where(inside, rng.random(2000) < 0.6, rng.random(2000) < 0.9)
    both = court(after, after, slices={"few": inside, "none": np.zeros(2000, dtype=bool)})
    assert verdict("n[few] < 0.7", both).verdict is Passing.PASS
    assert verdict("n[few] < 0.7", both).clauses[0].rows == 500
    assert verdict("n - n[few] > 0.1", both).verdict is Passing.PASS
    empty = verdict("n[none] > 0.5", both)
    assert (empty.verdict, empty.clauses[0].reason) == (Passing.UNDECIDED, "no test row is in the slice")


def test_metrics_by_name():
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 2, 1000)
    both = court(rng.random(1000) < 0.7, rng.random(1000) < 0.9, labels)
    assert verdict("f1(n) > 0.8 and recall(n, 'no') > 0.8 and auroc(n) > 0.8", both).verdict is Passing.PASS
    assert verdict("f1(n) - f1(o) > 0.1", both).verdict is Passing.PASS
    assert verdict("log_loss(n) - log_loss(o) < 0", both).verdict is Passing.PASS
    assert verdict("brier(n) < 0.3", both).verdict is Passing.PASS


def test_a_metric_that_is_not_defined_is_undecided_with_the_reason():
    both = court(np.ones(5, dtype=bool), np.ones(5, dtype=bool))
    found = verdict("auroc(n) > 0.5", both).clauses[0]
    assert (found.verdict, found.value) == (Passing.UNDECIDED, None)
    assert "no row is of the class" in found.reason


def test_one_row_decides_nothing():
    assert verdict("n > 0.5", court(np.array([True]), np.array([True]))).verdict is Passing.UNDECIDED


def test_without_an_old_version_comparisons_are_open():
    both = court(np.ones(500, dtype=bool), np.ones(500, dtype=bool), has_old=False)
    assert verdict("n - o > 0", both).clauses[0].reason == "there is no version before this one"
    assert verdict("n > 0.9", both).verdict is Passing.PASS


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("f2(n) > 0", "there is no metric 'f2'"),
        ("rmse(n) > 0", "rmse is not for this task"),
        ("recall(n, 'yse') > 0", "Did you mean 'yes'"),
        ("auroc(n, 'yes') > 0", "auroc is not of one class"),
    ],
)
def test_metrics_that_cannot_be_meant(text, what):
    with pytest.raises(ConfigError) as caught:
        verdict(text, court(np.ones(5, dtype=bool), np.ones(5, dtype=bool)))
    assert what in caught.value.what


def test_rows_for_a_tolerance():
    both = court(*drawn(np.random.default_rng(5), 1000, 0.06, 0.04))
    found = verdict("n - o > 0.02 +/- 0.01 at 0.999", both, 0.999).clauses[0]
    assert 8_000 < found.rows_needed < 13_000
    assert found.labels_needed < 0.13 * found.rows_needed
    labels = np.arange(1000) % 2
    of_f1 = verdict("f1(n) > 0.5 +/- 0.005", court(*drawn(np.random.default_rng(5), 1000, 0.06, 0.04), labels))
    assert of_f1.clauses[0].rows_needed > 5_000


def test_rows_before_there_are_any():
    condition = parse_condition("n - o > 0.02 +/- 0.01 and d < 0.1 +/- 0.01")
    found = plan_rows(condition.clauses[0], 0.001, condition.most_changed)
    assert list(found) == ["Hoeffding", "Bennett", "exact"]
    assert found["exact"][0] < found["Bennett"][0] < found["Hoeffding"][0]
    assert found["exact"][1] < 1_000
    assert plan_rows(condition.clauses[1], 0.001, 0.1)["exact"][1] == 0
    assert plan_rows(parse_condition("f1(n) > 0.5 +/- 0.1").clauses[0], 0.001, None) == {}
