"""synthesize_steepest: the group with the steepest curve, rows made of it alone, texts and images, refusals."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.names import PARENTS
from tilth.core.policy import Repertoire, Variation
from tilth.editing.synthesize_steepest import SynthesizeSteepest
from tilth.testing.views import view_of

N = 240
CLASSES = ("low", "mid", "high")
RNG = np.random.default_rng(0)
Y = np.arange(N) % 3
TABLE = pa.table({"a": RNG.normal(size=N) + 3 * Y, "b": RNG.normal(size=N)})


def encode(table):
    return np.column_stack([table.column(name).to_numpy() for name in ("a", "b")]).astype(np.float32)


def probs_with(rise):
    """Probabilities by all and by half of the rows: the label's rises by `rise` (n,) from 0.4."""
    half = np.full((N, 3), 0.3)
    half[np.arange(N), Y] = 0.4
    full = half.copy()
    full[np.arange(N), Y] += rise
    return full / full.sum(axis=1, keepdims=True), half


def view(editor, rise, **more):
    noise = RNG.normal(scale=0.01, size=N)
    full, half = probs_with(np.asarray(rise, dtype=float) + noise)
    facts = {
        "labels": Y,
        "table": TABLE,
        "embeddings": encode(TABLE),
        "made": np.zeros(N, bool),
        "pred_probs": full,
        "half_probs": half,
        "slices": {},
        "encode": lambda: encode,
    }
    return view_of(editor, classes=CLASSES, **(facts | more))


def parents(edit):
    return {int(parent[1:]) for row in edit.add.to_pylist() for parent in row[PARENTS]}


def test_rows_are_made_of_the_class_that_gained_most():
    editor = SynthesizeSteepest()
    edit = editor.propose(view(editor, np.where(Y == 2, 0.2, 0.05)))
    assert {Y[row] for row in parents(edit)} == {2}
    assert edit.n_rows > 20
    assert edit.goal == ""
    assert "made of class 'high'" in edit.reason
    assert "last doubling" in edit.reason


def test_a_slice_is_chosen_where_its_curve_is_steeper():
    editor = SynthesizeSteepest()
    inside = np.arange(N) < 60
    edit = editor.propose(view(editor, np.where(inside, 0.25, 0.01), slices={"early": inside.astype(float)}))
    assert parents(edit) <= set(range(60))
    assert "slice 'early'" in edit.reason


def test_a_flat_curve_is_refused():
    editor = SynthesizeSteepest()
    with pytest.raises(NotApplicable, match="surely gained"):
        editor.propose(view(editor, np.full(N, -0.02)))


def test_without_predictions_of_half_it_is_refused():
    editor = SynthesizeSteepest()
    facts = view(editor, np.full(N, 0.1))
    bare = view_of(
        editor,
        **{need: getattr(facts, need) for need in ("labels", "table", "embeddings", "made", "pred_probs", "slices")},
        encode=lambda: encode,
        classes=CLASSES,
    )
    with pytest.raises(NotApplicable, match="half of the rows"):
        editor.propose(bare)


def test_a_small_group_is_not_aimed_at():
    editor = SynthesizeSteepest()
    few = (np.arange(N) < 9).astype(float)
    edit = editor.propose(view(editor, np.where(few > 0, 0.5, 0.05), slices={"few": few}))
    assert "slice" not in edit.reason


def test_images_are_varied():
    editor = SynthesizeSteepest()
    light = RNG.integers(0, 100, N)
    table = pa.table({"picture": pa.array([bytes([row, light[row]]) for row in range(N)], pa.binary())})

    def features(rows):
        return np.array([[3.0 * Y[row], light] for row, light in rows["picture"].to_pylist()], np.float32)

    def vary(text, ids, columns, draw):
        del text, ids, draw
        turned = [bytes([row, (light + 37) % 100]) for row, light in columns["picture"].to_pylist()]
        return {"picture": pa.array(turned, pa.binary())}

    known = Repertoire(changes={"shift": Variation(kinds=frozenset({"image"}))}, vary=vary)
    seen = view(
        editor,
        np.where(Y == 1, 0.2, 0.0),
        table=table,
        embeddings=features(table),
        encode=lambda: features,
        transforms=known,
    )
    edit = editor.propose(seen)
    assert {Y[row] for row in parents(edit)} == {1}
    assert all(row["picture"][1] == (light[row["picture"][0]] + 37) % 100 for row in edit.add.to_pylist())
