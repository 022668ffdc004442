"""adversarial_rows: parents near the boundary, the hardest of their variations, refusals."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import ConfigError, NotApplicable
from tilth.core.names import PARENTS
from tilth.core.policy import Repertoire, Variation
from tilth.editing.adversarial_rows import AdversarialRows
from tilth.testing.views import view_of

N = 200
Y = np.arange(N) % 2
X = np.random.default_rng(0).normal(size=N) + 4 * Y - 2
TABLE = pa.table({"x": X})
NUDGE = {"nudge": Variation(kinds=frozenset({"number"}))}
STEPS = (-0.3, -0.2, -0.1, 0.1, 0.2, 0.3)


def encode(table):
    return np.asarray(table.column("x"), dtype=np.float32)[:, None]


def vary(text, ids, columns, draw):
    """Draw number d moves every cell by the d-th step."""
    del text, ids
    return {"x": pa.array([x + STEPS[draw % len(STEPS)] for x in columns["x"].to_pylist()])}


def view(editor, known=None, **more):
    yes = 1 / (1 + np.exp(-2 * X))
    facts = {
        "labels": Y,
        "table": TABLE,
        "embeddings": encode(TABLE),
        "made": np.zeros(N, bool),
        "pred_probs": np.column_stack([1 - yes, yes]),
        "encode": lambda: encode,
        "transforms": Repertoire(changes=NUDGE, vary=vary) if known is None else known,
    }
    return view_of(editor, **(facts | more))


def test_parents_are_the_rows_just_predicted_right():
    editor = AdversarialRows(share=0.2)
    edit = editor.propose(view(editor))
    parents = {int(row[PARENTS][0][1:]) for row in edit.add.to_pylist()}
    margin = np.where(Y == 1, X, -X)
    right = np.flatnonzero(margin > 0)
    nearest = set(right[np.argsort(margin[right])[: N // 5]].tolist())
    assert parents <= nearest
    assert len(parents) > N // 10


def test_the_variation_nearest_to_the_other_class_is_taken():
    editor = AdversarialRows(share=0.5, draws=6)
    for row in editor.propose(view(editor)).add.to_pylist():
        at = int(row[PARENTS][0][1:])
        assert row["x"] - X[at] == pytest.approx(-0.3 if Y[at] else 0.3)
        assert row["label"] == ("no", "yes")[Y[at]]


def test_more_draws_are_no_easier():
    def hardness(draws):
        editor = AdversarialRows(share=0.5, draws=draws)
        made = editor.propose(view(editor)).add.to_pylist()
        return np.mean([row["x"] * (1 if row["label"] == "yes" else -1) for row in made])

    assert hardness(6) <= hardness(3)


def test_rows_that_another_model_takes_for_the_other_class_are_left_out():
    def leap(text, ids, columns, draw):
        del text, ids, draw
        return {"x": pa.array([-x for x in columns["x"].to_pylist()])}

    editor = AdversarialRows(share=0.9)
    with pytest.raises(NotApplicable, match="taken for another class"):
        editor.propose(view(editor, Repertoire(changes=NUDGE, vary=leap)))


def test_refusals():
    editor = AdversarialRows()
    with pytest.raises(NotApplicable, match="no transform"):
        editor.propose(view(editor, Repertoire(changes={}, vary=vary)))
    with pytest.raises(NotApplicable, match="no row is predicted right"):
        editor.propose(view(editor, pred_probs=np.column_stack([Y, 1 - Y]) * 0.8 + 0.1))


@pytest.mark.parametrize("wrong", [{"share": 0.0}, {"share": 1.5}, {"draws": 0}])
def test_what_makes_no_rows_is_refused_at_once(wrong):
    with pytest.raises(ConfigError, match=r"share .* draws"):
        AdversarialRows(**wrong)
