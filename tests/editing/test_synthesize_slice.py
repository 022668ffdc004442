"""synthesize_slice: parents stand in the slice and in one class, the slice aimed at, refusals."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.names import PARENTS
from tilth.editing.synthesize_slice import SynthesizeSlice
from tilth.testing.views import view_of

N = 200
RNG = np.random.default_rng(0)
Y = np.arange(N) % 2
TABLE = pa.table({"a": RNG.normal(size=N) + 2 * Y, "b": RNG.normal(size=N)})
SLICES = {"worst": (np.arange(N) < 60).astype(float), "other": (np.arange(N) >= 120).astype(float)}


def encode(table):
    return np.column_stack([table.column(name).to_numpy() for name in ("a", "b")]).astype(np.float32)


def view(editor, **more):
    facts = {"labels": Y, "table": TABLE, "embeddings": encode(TABLE), "made": np.zeros(N, bool), "slices": SLICES}
    return view_of(editor, **(facts | {"encode": lambda: encode} | more))


@pytest.mark.parametrize(("name", "inside"), [("", range(60)), ("other", range(120, 200))])
def test_parents_stand_in_the_slice_and_in_one_class(name, inside):
    editor = SynthesizeSlice(slice=name, times=1.0)
    edit = editor.propose(view(editor))
    assert edit.goal == name
    assert edit.n_rows > 20
    for row in edit.add.to_pylist():
        at = [int(parent[1:]) for parent in row[PARENTS]]
        assert set(at) <= set(inside)
        assert len({Y[i] for i in at}) == 1


def test_strengths_keep_the_slice():
    assert {one.slice for one in SynthesizeSlice(slice="a").strengths()} == {"a"}


def test_refusals():
    editor = SynthesizeSlice()
    with pytest.raises(NotApplicable, match="no slice is declared"):
        editor.propose(view(editor, slices={}))
    with pytest.raises(NotApplicable, match="fewer than 20"):
        editor.propose(view(editor, slices={"tiny": (np.arange(N) < 5).astype(float)}))
