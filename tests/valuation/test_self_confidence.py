"""self_confidence: by hand, planted wrong labels, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.names import Split
from tilth.testing.views import view_of, world_view
from tilth.testing.worlds import classification_world
from tilth.valuation.self_confidence import SelfConfidence, self_confidence

PROBS = np.array([[0.9, 0.1], [0.3, 0.7], [0.05, 0.95]])


def test_by_hand():
    assert self_confidence(np.array([0, 0, 1]), PROBS).tolist() == [0.9, 0.3, 0.95]


def test_values_are_the_rows_own():
    valuer = SelfConfidence()
    view = view_of(valuer, ids=["b", "c", "a"], labels=[0, 0, 1], pred_probs=PROBS, labelled=[True, True, True])
    values = valuer.value(view)
    assert values.ids.to_pylist() == ["b", "c", "a"]
    assert values.values.tolist() == [0.9, 0.3, 0.95]
    assert values.standard_errors is None
    assert values.name == "self_confidence"


def test_planted_wrong_labels_are_worth_least():
    world = classification_world(noise="uniform", seed=1)
    valuer = SelfConfidence()
    values = valuer.value(world_view(valuer, world))
    train = world.take(world.mask(Split.TRAIN))
    wrong = train.faults["label_error"]
    lowest = set(values.lowest(int(wrong.sum())).ids.to_pylist())
    assert len(lowest & set(train.ids.filter(wrong).to_pylist())) > 0.9 * wrong.sum()


@pytest.mark.parametrize("labels", [[0, 0, 0], []])
def test_one_class_or_none_is_refused(labels):
    valuer = SelfConfidence()
    with pytest.raises(NotApplicable, match=r"one class|no train row"):
        valuer.value(view_of(valuer, labels=np.array(labels, dtype=np.intp), pred_probs=PROBS[: len(labels)]))


def test_numbers_are_refused():
    valuer = SelfConfidence()
    with pytest.raises(NotApplicable, match="number"):
        valuer.value(view_of(valuer, classes=(), pred_probs=PROBS, labels=[0, 1, 0]))
