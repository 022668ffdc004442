"""A model that is no better than always saying the same is called that, one that learnt something is not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from loop_worlds import arena_of, schema_of, table_of, world_of

from tilth.core.names import WEIGHT
from tilth.loop.always_the_same import no_better_than_always_the_same


def world(metric="accuracy", *, told, k=2, n=400, share=0.8, seed=0, n_dev=None, weights=None):
    """Rows of two classes, four of five of the first; the first column tells the class, or nothing does."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(n) > share).astype(np.intp) if k else rng.standard_normal(n)
    x = rng.standard_normal((n, 3))
    x[:, 0] += told * truth
    schema, n_dev = schema_of(3, k, metric), n // 2 if n_dev is None else n_dev
    table = table_of(x, truth, np.repeat(["train", "dev"], [n - n_dev, n_dev]), schema)
    if weights is not None:
        table = table.set_column(table.column_names.index(WEIGHT), WEIGHT, pa.array(weights(truth), pa.float64()))
    return world_of(table, schema, truth)


@pytest.mark.parametrize(("metric", "k"), [("accuracy", 2), ("balanced_accuracy", 2), ("mae", 0)])
def test_what_learnt_nothing_is_told_from_what_learnt_something(metric, k):
    found = no_better_than_always_the_same(arena_of(world(metric, told=0.0, k=k)))
    assert "always saying" in found
    assert "tell little of 'label'" in found
    assert ("the median of train" in found) == (k == 0)
    assert no_better_than_always_the_same(arena_of(world(metric, told=3.0, k=k))) == ""


def test_the_figures_by_hand():
    """A model that says the frequent class of all rows gains nothing over itself."""
    found = no_better_than_always_the_same(arena_of(world(told=0.0, share=0.95)))
    assert found.startswith("the model does not beat always saying 'no' on dev (+0.0 points [−")
    assert "200 dev rows are too few" in found
    assert "'x0', 'x1', 'x2' tell little of 'label'" in found


def test_where_nearly_all_rows_are_of_one_class_the_metric_is_to_blame():
    """Its probabilities tell the classes apart, and no decision leaves the frequent one."""
    found = no_better_than_always_the_same(arena_of(world(told=1.3, share=0.95, n=4_000)))
    assert found.startswith("by accuracy the model does not beat always saying 'no'")
    assert found.endswith("judge by metric: balanced_accuracy")
    assert no_better_than_always_the_same(arena_of(world("balanced_accuracy", told=3.0, share=0.8, n=4_000))) == ""


def test_what_is_always_said_goes_by_weights():
    heavy = arena_of(world(told=0.0, weights=lambda truth: np.where(truth == 1, 50.0, 1.0)))
    assert "always saying 'yes'" in no_better_than_always_the_same(heavy)
    numbers = world("mae", told=0.0, k=0, weights=lambda truth: np.where(truth > 1, 1e6, 1.0))
    said = no_better_than_always_the_same(arena_of(numbers))
    assert float(said.split("always saying ")[1].split(",")[0]) > 1


def test_one_dev_row_says_nothing():
    said = no_better_than_always_the_same(arena_of(world("mae", told=0.0, k=0, n=100, n_dev=1)))
    assert "[−∞, +∞]" in said
