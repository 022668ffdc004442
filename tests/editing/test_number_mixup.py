"""Number mixup: on the way to a row of the own class, whole numbers whole, atoms and gaps untouched."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from transform_rows import texts

from tilth.core.errors import ConfigError, NotApplicable
from tilth.editing.number_mixup import NumberMixup
from tilth.operators.transforming import draw_of


def mixed(batch, labels=None, **more):
    made = NumberMixup(severity=5, **more).learn(batch, labels)
    after = made.apply(batch, draw_of(made, 0))
    return after, {name: after.columns[name].to_pylist() for name in batch.columns}


def test_all_numbers_of_a_row_move_by_one_share_of_the_way():
    batch = texts(x=[0.0, 1.0, 10.5, 11.0], y=[0.0, 2.5, 30.0, 40.5])
    after, cells = mixed(batch, pa.array(["a", "b", "a", "b"]), neighbours=1)
    assert after.applied.all()
    share = cells["x"][0] / 10.5
    assert 0 < share <= 0.5
    assert cells["y"][0] == pytest.approx(30 * share), "towards row 2, of its class"


def test_rows_stay_among_those_of_their_class():
    rng = np.random.default_rng(0)
    labels = np.array(["a", "b"])[np.arange(300) % 2]
    centre = np.where(labels == "a", 5.0, -5.0)
    batch = texts(x=(centre + rng.normal(size=300)).tolist(), y=(-centre + rng.normal(size=300)).tolist())
    _, cells = mixed(batch, pa.array(labels))
    assert (np.sign(cells["x"]) == np.sign(centre)).all()
    assert np.min(cells["x"]) >= np.min(batch.columns["x"])


def test_whole_numbers_atoms_and_gaps():
    gains = [0.0] * 60 + [float(v) for v in range(1000, 1040)]
    batch = texts(
        age=pa.array([i % 50 for i in range(99)] + [None], pa.int64()), gain=gains, score=[0.5 * i for i in range(100)]
    )
    after, cells = mixed(batch)
    assert after.columns["age"].type == pa.int64()
    assert cells["age"][99] is None
    assert cells["gain"][:60] == [0.0] * 60
    assert all(value >= 1000 for value in cells["gain"][60:]), "no gain is approached by parts"
    assert after.applied.mean() > 0.9


def test_bad_input():
    with pytest.raises(ConfigError, match="neighbours cannot be 0"):
        NumberMixup(neighbours=0)
    with pytest.raises(NotApplicable, match="let it learn them"):
        NumberMixup().apply(texts(x=[1.0]), draw_of(NumberMixup(), 0))
    alone, _ = mixed(texts(x=[1.0, 2.0]), pa.array(["a", "b"]))
    assert not alone.applied.any(), "a class of one row has no neighbour"
