"""measuring: any metric by name, with its interval; errors as people know them; one model against another."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from tilth.core.errors import NotApplicable, UnknownOperatorError
from tilth.core.schema import TaskType
from tilth.loop.measuring import gain, linearised, measure
from tilth.numerics.intervals import wilson
from tilth.operators.registry import make, names


def rows(k=2, n=120, seed=0):
    rng = np.random.default_rng([k, seed])
    labels = rng.integers(0, k, n)
    scores = 1.5 * np.eye(k)[labels] + rng.standard_normal((n, k))
    return labels, np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("name", names("evaluation"))
def test_every_metric_has_a_score_with_an_interval(name):
    if TaskType.REGRESSION in make("evaluation", name).tasks:
        truth = np.arange(30.0)
        found = measure(name, truth, truth[:, None] + np.sin(truth)[:, None])
    else:
        found = measure(name, *rows(3))
    assert found.low < found.value < found.high
    assert found.is_known


def test_errors_are_written_without_a_sign():
    labels, probs = rows()
    assert measure("log_loss", labels, probs).value == pytest.approx(log_loss(labels, probs))
    assert measure("mae", np.array([0.0, 0.0]), np.array([[1.0], [3.0]])).value == 2
    assert measure("auroc", labels, probs).value == pytest.approx(roc_auc_score(labels, probs[:, 1]))


def test_accuracy_is_what_a_run_shows():
    labels, probs = rows()
    assert measure("accuracy", labels, probs) == wilson(float((probs.argmax(axis=1) == labels).sum()), len(labels))


def test_a_gain_is_better_whatever_the_sign_of_the_metric():
    labels, probs = rows()
    worse = 0.5 * probs + 0.25
    for name in ("log_loss", "brier"):
        assert gain(name, labels, worse, probs).value > 0
    assert gain("auroc", labels, probs, probs).value == 0


def test_a_metric_of_one_class_takes_its_parameter():
    labels, probs = rows(3)
    first, second = (measure("recall", labels, probs, of=c).value for c in (0, 1))
    assert first == pytest.approx((probs.argmax(axis=1) == 0)[labels == 0].mean())
    assert first != second


def test_no_row_is_refused_with_the_reason():
    for name in ("accuracy", "auroc", "f1_macro"):
        with pytest.raises(NotApplicable, match="there is no row"):
            linearised(make("evaluation", name), np.zeros(0, dtype=int), np.zeros((0, 2)))


def test_an_unknown_metric_is_refused():
    with pytest.raises(UnknownOperatorError, match="Did you mean 'auroc'"):
        measure("auroq", *rows())
