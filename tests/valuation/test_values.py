"""Values, the noun: lengths, finite numbers, least first."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.spec import Spec
from tilth.core.values import Values

SPEC = Spec(room="valuation", name="by_hand")


def values_of(values, errors=None) -> Values:
    ids = pa.array([f"r{i}" for i in range(len(values))], pa.string())
    return Values(operator=SPEC, ids=ids, values=np.array(values), unit="worth", standard_errors=errors)


def test_the_least_come_first_and_ties_keep_their_order():
    found = values_of([0.5, -1.0, 0.0, -1.0])
    assert (len(found), found.name) == (4, "by_hand")
    lowest = found.lowest(3)
    assert lowest.ids.to_pylist() == ["r1", "r3", "r2"]
    assert lowest.scores.tolist() == [1.0, 1.0, 0.0]
    assert len(found.lowest(0)) == len(found.lowest(-1)) == 0
    assert len(found.lowest(9)) == 4


def test_no_row_is_no_trouble():
    assert len(values_of(np.zeros(0)).lowest(3)) == 0


@pytest.mark.parametrize(
    ("values", "errors"),
    [([np.nan, 0.0], None), ([0.0, 0.0], np.array([1.0])), ([0.0, 0.0], np.array([0.1, -0.1]))],
)
def test_what_is_no_value_is_refused(values, errors):
    with pytest.raises(ValueError, match=r"length|finite"):
        values_of(values, errors)
