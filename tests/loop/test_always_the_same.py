"""A model that is no better than always saying the same is called that, one that learnt something is not."""

from __future__ import annotations

import numpy as np
import pytest
from loop_worlds import arena_of, schema_of, table_of, world_of

from tilth.loop.always_the_same import learns_nothing


def world(metric="accuracy", *, told, k=2, n=400, share=0.8, seed=0):
    """Rows of two classes, four of five of the first; the first column tells the class, or nothing does."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(n) > share).astype(np.intp) if k else rng.standard_normal(n)
    x = rng.standard_normal((n, 3))
    x[:, 0] += told * truth
    schema = schema_of(3, k, metric)
    return world_of(table_of(x, truth, np.repeat(["train", "dev"], n // 2), schema), schema, truth)


@pytest.mark.parametrize(("metric", "k"), [("accuracy", 2), ("balanced_accuracy", 2), ("mae", 0)])
def test_what_learnt_nothing_is_told_from_what_learnt_something(metric, k):
    found = learns_nothing(arena_of(world(metric, told=0.0, k=k)))
    assert len(found) == 1
    assert "always saying" in found[0]
    assert ("the median of train" in found[0]) == (k == 0)
    assert learns_nothing(arena_of(world(metric, told=3.0, k=k))) == []


def test_the_figures_by_hand():
    """A model that says the frequent class of all rows gains nothing over itself."""
    found = learns_nothing(arena_of(world(told=0.0, share=0.95)))[0]
    assert found.startswith("the model does not beat always saying 'no' on dev (+0.0 points [")
    assert "200 dev rows are too few" in found
    assert "'x0', 'x1', 'x2' tell little of 'label'" in found
