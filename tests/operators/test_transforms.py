"""A function becomes a transform: by row and by block, with random numbers of the row; what it raises and may not return."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import tilth
from tilth.core.errors import ContractError, UsageError
from tilth.operators.batch import Batch
from tilth.operators.protocols import Transform
from tilth.operators.transforming import draw_of
from tilth.operators.transforms import FunctionTransform
from tilth.operators.voting import part_of


def block(**columns) -> Batch:
    made = {name: cells if isinstance(cells, pa.Array) else pa.array(cells) for name, cells in columns.items()}
    made = made or {"text": pa.array(["free", None, "x", "long text", "", "y"])}
    rows = len(next(iter(made.values())))
    return Batch(ids=pa.array([f"r{i}" for i in range(rows)], pa.string()), columns=made)


def applied(transform, batch):
    return transform.apply(batch, draw_of(transform, 0))


@tilth.transform(columns=["text"])
def shout(row):
    """Say it loudly."""
    return None if row.text == "x" else row.text.upper()


def test_by_row():
    assert isinstance(shout, Transform)
    assert (shout.name, shout.columns, shout.label, shout.__doc__) == ("shout", ("text",), "keep", "Say it loudly.")
    after = applied(shout, block())
    assert after.columns["text"].to_pylist() == ["FREE", None, "x", "LONG TEXT", "", "Y"]
    assert after.applied.tolist() == [True, False, False, True, False, True]
    (failure,) = after.failures
    assert failure.row_id == "r1"
    assert failure.error.startswith("AttributeError")
    assert "row.text.upper()" in failure.traceback


def test_it_stays_callable():
    assert shout({"text": "free"}) == "FREE"

    @tilth.transform(batch=True)
    def blocks(columns):
        return pc.utf8_upper(columns.text)

    assert blocks({"text": ["a", "b"]}).to_pylist() == ["A", "B"]
    assert adds({"text": "a"}, np.random.default_rng(0)).startswith("a")


@tilth.transform(columns=["text"])
def adds(row, random):
    return f"{row.text}{random.integers(0, 10**9)}"


def test_random_numbers_follow_the_row():
    batch = block(text=[f"t{i}" for i in range(20)])
    whole = applied(adds, batch).columns["text"].to_pylist()
    assert whole == applied(adds, batch).columns["text"].to_pylist()
    parts = [applied(adds, part_of(batch, start, 3)).columns["text"].to_pylist() for start in range(0, 20, 3)]
    assert [cell for part in parts for cell in part] == whole
    assert whole != adds.apply(batch, draw_of(adds, 1)).columns["text"].to_pylist()


def test_by_block_with_failures_and_random_numbers():
    @tilth.transform(batch=True)
    def lengthens(columns, draws):
        if "x" in columns.text.to_pylist():
            raise ValueError("no x")
        return {"n": pc.add(columns.n, pa.array(draws.uniforms()))}

    batch = block(text=["a", "b", "x", "c"] * 5, n=[1.0, 2.0, 3.0, None] * 5)
    after = applied(lengthens, batch)
    assert [failure.row_id for failure in after.failures] == [f"r{i}" for i in range(2, 20, 4)]
    assert after.failures[0].error == "ValueError: no x"
    assert after.applied.tolist() == [True, True, False, False] * 5
    assert after.columns["text"].equals(batch.column("text"))
    assert after.columns["n"].null_count == 5
    assert len(applied(lengthens, part_of(batch, 0, 0))) == 0


def test_several_columns_and_types():
    @tilth.transform
    def changes(row):
        return {"n": row.n + 1, "v": [0.0, 1.0], "c": "new"}

    vectors = pa.array([[1.0, 2.0], None], pa.list_(pa.float32(), 2))
    batch = block(n=[1.0, 2.0], v=vectors, c=pa.array(["a", "b"]).dictionary_encode())
    after = applied(changes, batch)
    assert after.columns["n"].to_pylist() == [2.0, 3.0]
    assert after.columns["v"].to_pylist() == [[0.0, 1.0], [0.0, 1.0]]
    assert after.columns["c"].type == batch.column("c").type
    assert all(after.columns[name].type == cells.type for name, cells in batch.columns.items())


@pytest.mark.parametrize(
    ("answer", "column", "says"),
    [
        (3, ["a"], "gave 3 for a cell of column 'x', which holds text"),
        ("b", [1.0], "gave 'b' for a cell of column 'x', which holds numbers"),
        (True, [1.0], "gave True"),
        (float("nan"), [1.0], "gave nan"),
        ({"x": None}, ["a"], "gave None"),
        ({"z": "b"}, ["a"], "changed column 'z', which it does not have"),
        (["a"], ["a"], r"gave \['a'\]"),
        ("text", [b"a"], "which holds bytes"),
        (1.5, pa.array([1]), "gave 1.5"),
        ([1.0], pa.array([[1.0, 2.0]], pa.list_(pa.float32(), 2)), "vectors of 2 numbers"),
    ],
)
def test_what_it_may_not_return(answer, column, says):
    made = tilth.transform(name="wrong")(lambda row: answer)
    with pytest.raises(ContractError, match=says) as caught:
        applied(made, block(x=column))
    assert "'wrong'" in caught.value.message


def test_what_a_block_may_not_return():
    short = tilth.transform(name="short", batch=True)(lambda columns: ["a"])
    with pytest.raises(ContractError, match="gave 1 cells of column 'text' for 6 rows"):
        applied(short, block())
    unclear = tilth.transform(name="unclear")(lambda row: "a")
    with pytest.raises(ContractError, match="did not say which one"):
        applied(unclear, block(a=["x"], b=["y"]))


def test_none_everywhere_changes_nothing():
    nothing = tilth.transform(name="nothing")(lambda row: None)
    after = applied(nothing, block())
    assert not after.applied.any()
    assert not after.failures


def test_what_is_no_transform():
    with pytest.raises(UsageError, match="no name"):
        tilth.transform(lambda row: None)
    with pytest.raises(UsageError, match="is no function"):
        tilth.transform(shout)
    with pytest.raises(UsageError, match="label cannot be 'flip'"):
        tilth.transform(label="flip")


def test_other_columns():
    other = shout.on(["title"])
    assert isinstance(other, FunctionTransform)
    assert (other.columns, other.name, repr(other)) == (("title",), "shout", "transform('shout')")
