"""recombine_text: new texts of two parents of one class, other cells of the first, refusals."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.names import PARENTS
from tilth.core.schema import Column, ColumnType, Role, Schema, Task, TaskType
from tilth.editing.recombine_text import RecombineText
from tilth.testing.views import view_of

OPENINGS = [[f"Open {c} {i}." for i in range(12)] for c in "ab"]
ENDINGS = [[f"End {c} {i}." for i in range(12)] for c in "ab"]
N = 60
Y = np.arange(N) % 2
TEXTS = [f"{OPENINGS[y][i % 12]} {ENDINGS[y][(5 * i) % 11]}" for i, y in enumerate(Y)]
TABLE = pa.table({"text": TEXTS, "price": np.arange(N) * 1.0})
COLUMNS = (
    Column(name="text", type=ColumnType.TEXT),
    Column(name="price", type=ColumnType.NUMBER),
    Column(name="label", type=ColumnType.CATEGORY, role=Role.LABEL),
)
SCHEMA = Schema(columns=COLUMNS, tasks=(Task(type=TaskType.BINARY, label="label", classes=("no", "yes")),))
WORDS = sorted({word for text in TEXTS for word in text.split()})


def encode(table):
    return np.array([[text.split().count(w) for w in WORDS] for text in table.column("text").to_pylist()], np.float32)


def view(editor, **more):
    facts = {"labels": Y, "table": TABLE, "embeddings": encode(TABLE), "made": np.zeros(N, bool), "schema": SCHEMA}
    return view_of(editor, **(facts | {"encode": lambda: encode} | more))


def test_new_texts_of_parts_of_their_parents():
    editor = RecombineText(times=1.0)
    made = editor.propose(view(editor)).add
    assert made.num_rows >= 15
    for row in made.to_pylist():
        at = [int(name[1:]) for name in row[PARENTS]]
        assert len({Y[i] for i in at}) == 1
        assert row["text"] not in TEXTS
        assert row["text"].split() != []
        assert row["price"] in {float(i) for i in at}
        words = {word for i in at for word in TEXTS[i].split()}
        assert set(row["text"].split()) <= words
        assert row["label"] == ("no", "yes")[Y[at[0]]]
    assert len(set(made.column("text").to_pylist())) == made.num_rows


def test_refusals():
    editor = RecombineText()
    with pytest.raises(NotApplicable, match="no text column"):
        editor.propose(view(editor, schema=None, table=pa.table({"x": np.zeros(N)})))
    alike = TABLE.set_column(0, "text", pa.array(["the same"] * N))
    with pytest.raises(NotApplicable, match="no new text came"):
        editor.propose(view(editor, table=alike, embeddings=encode(alike)))
