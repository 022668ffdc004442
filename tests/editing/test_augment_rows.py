"""Varied rows in the store: made by the policy with their parents, only where somebody asked."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.names import PARENTS
from tilth.core.policy import Change, Policy, Repertoire, Sequence, Step, Variation
from tilth.core.schema import Column, ColumnType, Role, Schema, Task, TaskType
from tilth.editing.augment_rows import AugmentRows
from tilth.operators.view import View
from tilth.testing.views import view_of

N = 80
Y = np.arange(N) % 2
X = np.random.default_rng(0).standard_normal(N) + 4 * Y
TABLE = pa.table({"x": X})
COLUMNS = (
    Column(name="x", type=ColumnType.NUMBER),
    Column(name="label", type=ColumnType.CATEGORY, role=Role.LABEL),
)
SCHEMA = Schema(columns=COLUMNS, tasks=(Task(type=TaskType.BINARY, label="label", classes=("no", "yes")),))
OWN = {"nudge": Variation(kinds=frozenset({"number"}), is_own=True)}


def encode(table: pa.Table) -> np.ndarray:
    return np.asarray(table.column("x"), dtype=np.float32)[:, None]


def vary(text: str, ids: pa.Array, columns: dict[str, pa.Array], number: int) -> dict[str, pa.Array]:
    """Move each cell a little, by its row's number and the draw."""
    moved = [
        x + 0.05 * (1 + int(name[1:]) % 7) * (-1) ** number
        for name, x in zip(ids.to_pylist(), columns["x"].to_pylist(), strict=True)
    ]
    return {"x": pa.array(moved)}


def view(editor: AugmentRows, known: Repertoire) -> View:
    probs = np.column_stack([1 - Y, Y]) * 0.98 + 0.01
    facts = {"labels": Y, "table": TABLE, "embeddings": encode(TABLE), "made": np.zeros(N, bool), "pred_probs": probs}
    return view_of(editor, schema=SCHEMA, encode=lambda: encode, transforms=known, **facts)


def test_made_rows_have_their_parents_label_and_its_varied_cells() -> None:
    editor = AugmentRows()
    made = editor.propose(view(editor, Repertoire(changes=OWN, stored=2, vary=vary))).add.to_pylist()
    assert len(made) > N
    for row in made:
        (parent,) = row[PARENTS]
        at = int(parent[1:])
        assert row["label"] == ("no", "yes")[Y[at]]
        assert 0.04 < abs(row["x"] - X[at]) < 0.4


def test_the_same_proposal_makes_the_same_rows() -> None:
    editor, known = AugmentRows(), Repertoire(changes=OWN, stored=1, vary=vary)
    assert editor.propose(view(editor, known)).edit_id == editor.propose(view(editor, known)).edit_id


def test_a_written_policy_is_used() -> None:
    seen: list[str] = []

    def noting(text: str, *rest: object) -> dict[str, pa.Array]:
        seen.append(text)
        return vary(text, *rest)

    mine = Policy(sequences=(Sequence((Step((Change("nudge"),)),)),), salt=5)
    editor = AugmentRows(number=1)
    editor.propose(view(editor, Repertoire(changes=OWN, policies={"p.yaml": mine}, stored=1, vary=noting)))
    assert set(seen) == {mine.to_text()}


@pytest.mark.parametrize("known", [Repertoire(changes=OWN, vary=vary), Repertoire(changes=OWN, stored=1)])
def test_nobody_asked(known: Repertoire) -> None:
    editor = AugmentRows()
    with pytest.raises(NotApplicable, match="nobody asked"):
        editor.propose(view(editor, known))
