"""generated_rows: rows of a person's generator, judged as others; a generator that copies is refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.generated import Generated
from tilth.core.names import PARENTS, ROW_ID
from tilth.editing.generated_rows import GeneratedRows
from tilth.testing.views import view_of

N = 120
RNG = np.random.default_rng(0)
Y = np.arange(N) % 2
TABLE = pa.table({"a": RNG.normal(size=N) + 3 * Y, "b": RNG.normal(size=N)})


def encode(table):
    return np.column_stack([table.column(name).to_numpy() for name in ("a", "b")]).astype(np.float32)


def view(editor, **made):
    facts = {"labels": Y, "table": TABLE, "embeddings": encode(TABLE), "made": np.zeros(N, bool)}
    return view_of(editor, **facts, encode=lambda: encode, generated=made)


def moved(parents, by, failed=0):
    values = TABLE.column("a").to_numpy()[parents] + by
    ids = pa.array([f"r{i}" for i in parents])
    return Generated(cells=pa.table({"a": values}), parents=ids, calls=len(parents), failed=failed)


def test_rows_of_a_generator_keep_the_label_and_other_cells_of_their_parent():
    parents = np.repeat(np.arange(40), 2)
    shift = RNG.choice([-0.5, 0.5], size=80) + RNG.normal(size=80) * 0.1
    editor = GeneratedRows()
    edit = editor.propose(view(editor, mine=moved(parents, shift, failed=3)))
    assert edit.n_rows > 30
    assert "3 rows on which it failed" in edit.reason
    assert len(set(edit.add.column(ROW_ID).to_pylist())) == edit.n_rows
    for row in edit.add.to_pylist():
        (parent,) = row[PARENTS]
        at = int(parent[1:])
        assert row["label"] == ("no", "yes")[Y[at]]
        assert row["b"] == TABLE.column("b")[at].as_py()


def test_a_generator_that_only_copies_is_refused():
    editor = GeneratedRows()
    with pytest.raises(NotApplicable, match="it only copies: 40 of 40"):
        editor.propose(view(editor, mine=moved(np.arange(40), 0.0)))


def test_rows_whose_parent_is_not_in_view_are_left_out():
    editor = GeneratedRows()
    gone = Generated(cells=pa.table({"a": [1.0]}), parents=pa.array(["gone"]), calls=1)
    with pytest.raises(NotApplicable, match="made no row"):
        editor.propose(view(editor, mine=gone))


def test_refusals():
    editor = GeneratedRows()
    with pytest.raises(NotApplicable, match="no generator is declared"):
        editor.propose(view(editor))
    other = GeneratedRows(generator="x")
    with pytest.raises(NotApplicable, match="no generator is called 'x'"):
        other.propose(view(other, mine=moved(np.arange(3), 1.0)))
