"""Images of other rows in a slice's style: its light, their label, both parents; refusals."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.names import PARENTS
from tilth.core.schema import Column, ColumnType, Role, Schema, Task, TaskType
from tilth.editing.restyle_slice import RestyleSlice
from tilth.operators.image_cells import encoded, pixels_of
from tilth.operators.view import View
from tilth.testing.views import view_of

N, DARK = 120, 30
Y = np.arange(N) % 2
SCHEMA = Schema(
    columns=(
        Column(name="image", type=ColumnType.IMAGE),
        Column(name="label", type=ColumnType.CATEGORY, role=Role.LABEL),
    ),
    tasks=(Task(type=TaskType.BINARY, label="label", classes=("left", "right")),),
)


def pictures() -> list[bytes]:
    """A bright half on the left or on the right; the first rows were taken in the dark."""
    rng = np.random.default_rng(0)
    cells = []
    for i in range(N):
        pixels = rng.normal(120, 8, (12, 12, 3))
        pixels[:, 6 * Y[i] : 6 * Y[i] + 6] += 60 + rng.normal(0, 6)
        cells.append(encoded(np.clip(pixels * (0.3 if i < DARK else 1.0), 0, 255).astype(np.uint8)))
    return cells


TABLE = pa.table({"image": pa.array(pictures(), pa.binary())})


def encode(table: pa.Table) -> np.ndarray:
    images = [pixels_of(cell) for cell in table.column("image").to_pylist()]
    return np.array([[one[:, :6].mean(), one[:, 6:].mean(), one.std()] for one in images], np.float32) / 60


def view(editor: RestyleSlice, schema: Schema = SCHEMA, inside: int = DARK) -> View:
    probs = np.column_stack([1 - Y, Y]) * 0.98 + 0.01
    return view_of(
        editor,
        schema=schema,
        labels=Y,
        table=TABLE,
        embeddings=encode(TABLE),
        made=np.zeros(N, bool),
        pred_probs=probs,
        encode=lambda: encode,
        slices={"dark": (np.arange(N) < inside).astype(float)},
    )


def test_bright_rows_are_shown_in_the_dark_with_their_own_label() -> None:
    editor = RestyleSlice(slice="dark", times=2.0)
    edit = editor.propose(view(editor))
    assert edit.goal == "dark"
    made = edit.add.to_pylist()
    assert len(made) >= 10
    for row in made:
        styles, shown = sorted(row[PARENTS], key=lambda name: int(name[1:]))
        assert int(styles[1:]) < DARK <= int(shown[1:])
        assert row["label"] == ("left", "right")[Y[int(shown[1:])]]
        dark = pixels_of(TABLE.column("image")[int(styles[1:])].as_py())
        assert pixels_of(row["image"]).mean() == pytest.approx(dark.mean(), abs=3)


def test_other_columns_than_images_are_refused() -> None:
    schema = Schema(columns=(*SCHEMA.columns, Column(name="x", type=ColumnType.NUMBER)), tasks=SCHEMA.tasks)
    editor = RestyleSlice(slice="dark")
    with pytest.raises(NotApplicable, match="number"):
        editor.propose(view(editor, schema))


def test_a_small_slice_is_refused() -> None:
    editor = RestyleSlice(slice="dark")
    with pytest.raises(NotApplicable, match="fewer than 20"):
        editor.propose(view(editor, inside=8))
