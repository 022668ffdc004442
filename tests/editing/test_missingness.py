"""Missingness: each cell by itself, with the probability that it promises."""

from __future__ import annotations

from transform_rows import texts

from tilth.editing.missingness import Missingness
from tilth.operators.transforming import draw_of


def test_its_share_column_by_column():
    batch = texts(x=[1.0] * 2000, y=["a"] * 2000)
    after = Missingness(severity=3).apply(batch, draw_of(Missingness(), 0))
    x, y = (after.columns[name].is_null().to_numpy(False) for name in "xy")
    assert abs(x.mean() - 0.2) < 0.03
    assert abs((x & y).mean() - 0.04) < 0.02
    assert ((x | y) == after.applied).all()


def test_more_severe_takes_more_of_the_same():
    batch = texts(x=[1.0] * 500)
    gone = [Missingness(severity=s).apply(batch, draw_of(Missingness(), 0)).applied for s in (1, 3, 5)]
    assert (gone[0] <= gone[1]).all()
    assert (gone[1] <= gone[2]).all()
