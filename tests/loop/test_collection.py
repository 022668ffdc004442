"""The collection brief: rises where a slice's rule is yet to be learnt, flat where its labels are noise; honest about both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from loop_worlds import schema_of, table_of, world_of

from tilth.core.errors import NotApplicable
from tilth.loop.collection import collection_brief, slice_curve
from tilth.loop.folds import folds_of

OWN = 30
"""Features that tell the label inside the slice only."""


def planted(*, n_slice=240, n_other=600, seed=0, noise=False, classes=2):
    """A slice with a rule of its own over 30 weak features, and other rows that are easy; splits are all train but 40 dev rows."""
    rng = np.random.default_rng(seed)
    n = n_slice + n_other + 40
    inside = np.arange(n) < n_slice
    label = rng.integers(2, size=n)
    sign = 2.0 * label - 1
    x = np.zeros((n, 2 + OWN))
    x[:, 0] = inside
    x[:, 1] = np.where(inside, rng.standard_normal(n), 2 * sign + rng.standard_normal(n))
    x[:, 2:] = inside[:, None] * (0.35 * sign[:, None] + rng.standard_normal((n, OWN)))
    if noise:
        label[inside] = rng.integers(2, size=n_slice)
    schema = schema_of(2 + OWN, classes)
    splits = ["train"] * (n_slice + n_other) + ["dev"] * 40
    labels = label if classes else x[:, 1] + sign
    return world_of(table_of(x, labels, splits, schema), schema, label), inside[: n_slice + n_other]


def test_a_slice_with_a_rule_to_learn_gets_a_number_of_rows():
    world, inside = planted()
    brief = collection_brief(world.bench, "own", "where x0 > 0", inside)
    assert brief.labelled == 240
    assert not brief.is_flat
    assert [point.rows for point in brief.points] == sorted(point.rows for point in brief.points)
    assert brief.points[-1].score.value > brief.points[0].score.value + 0.05
    gains = [one.gain.value for one in brief.forecasts]
    assert gains == sorted(gains)
    assert gains[-1] > 0.02
    assert brief.rows is not None
    assert 0 < brief.rows < 16 * 240
    said = " ".join(brief.sentences)
    assert "Gather rows where x0 > 0" in said
    assert f"about {brief.rows:,} more rows" in said
    assert "rows as they come" in said
    assert sum(brief.class_mix.values()) == pytest.approx(1)
    assert brief.to_dict()["slice"] == "own"


def test_what_double_the_rows_bring_lies_in_the_interval():
    inside_interval = 0
    for seed in range(3):
        world, inside = planted(n_slice=160, n_other=240, seed=seed)
        twice, twice_inside = planted(n_slice=320, n_other=240, seed=seed + 100)
        double = collection_brief(world.bench, "own", "where x0 > 0", inside).forecast("2×")
        assert double is not None
        score = slice_curve(twice.bench, twice_inside).measured.scores[-1]
        inside_interval += double.score.low - 0.03 <= score <= double.score.high + 0.03
    assert inside_interval >= 2


def test_noise_is_flat_and_says_so():
    world, inside = planted(noise=True)
    brief = collection_brief(world.bench, "noise", "where x0 > 0", inside, wanted=0.05)
    four = brief.forecast("4×")
    assert four is not None
    assert four.gain.low <= 0.01
    assert brief.is_flat
    assert "relabel its suspects, or add a feature" in " ".join(brief.sentences)


def test_the_curve_counts_rows_of_the_slice_only():
    world, inside = planted()
    found = slice_curve(world.bench, inside)
    assert found.measured.sizes[0] >= 10
    folds = folds_of(world.bench, np.arange(len(inside)))
    assert found.measured.sizes[-1] == 240 - np.bincount(folds[inside]).max()
    assert len(found.labels) == 240


def test_the_order_of_rows_and_dev_labels_change_nothing():
    world, inside = planted(n_slice=100, n_other=150)
    table = world.bench.table
    order = np.random.default_rng(0).permutation(250)
    order = np.concatenate([order, np.arange(250, table.num_rows)])
    turned = replace(world.bench, table=table.take(pa.array(order)), features=world.bench.features[order], _memo={})
    one = slice_curve(world.bench, inside).measured
    two = slice_curve(turned, inside[order[:250]]).measured
    assert one.scores == pytest.approx(two.scores, abs=1e-9)
    labels = table.column("label").to_pylist()
    labels[250:] = ["no"] * 40
    other = replace(
        world.bench, table=table.set_column(table.column_names.index("label"), "label", pa.array(labels)), _memo={}
    )
    assert np.array_equal(one.scores, slice_curve(other, inside).measured.scores)


def test_numbers_have_briefs_too():
    world, inside = planted(n_slice=100, n_other=150, classes=0)
    brief = collection_brief(world.bench, "own", "where x0 > 0", inside)
    assert brief.metric == "mae"
    assert brief.now.value < 0
    assert not brief.class_mix


def test_a_small_slice_is_refused():
    world, inside = planted(n_slice=40)
    with pytest.raises(NotApplicable, match="40 labelled train rows; its learning curve needs 60"):
        collection_brief(world.bench, "own", "where x0 > 0", inside)
