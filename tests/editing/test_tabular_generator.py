"""tabular_generator: margins of the class, missing cells as in the parent, categories of the class, refusals."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from scipy import stats

from tilth.core.errors import NotApplicable
from tilth.core.names import PARENTS
from tilth.editing.tabular_generator import TabularGenerator
from tilth.testing.views import view_of

N, RARE = 400, 60


def encode(table):
    numbers = [np.nan_to_num(table.column(n).cast(pa.float64()).to_numpy()) for n in ("a", "count")]
    return np.column_stack([*numbers, np.asarray(table.column("k").to_pylist()) == "r"]).astype(np.float32)


def rows(rare=RARE):
    rng = np.random.default_rng(0)
    y = (np.arange(N) < rare).astype(int)
    a = rng.normal(size=N) + 3 * y
    count = rng.poisson(1 + y)
    lacks = rng.random(N) < 0.2
    colour = np.where(rng.random(N) < 0.2 + 0.6 * y, "r", "g").tolist()
    table = pa.table({"a": pa.array(a, mask=lacks), "count": count, "k": pa.array(colour)})
    return y, table


def view(editor, rare=RARE, **more):
    y, table = rows(rare)
    facts = {"labels": y, "table": table, "embeddings": encode(table), "made": np.zeros(N, bool)}
    return view_of(editor, **(facts | {"encode": lambda: encode} | more))


@pytest.mark.parametrize("step", [0.6, 1.0])
def test_rows_have_the_margins_of_their_class_and_the_missing_cells_of_their_parent(step):
    editor = TabularGenerator(times=4.0, step=step)
    made, (y, table) = editor.propose(view(editor)).add, rows()
    rare = table.filter(pa.array(y == 1))
    assert made.num_rows > 40
    assert set(made.column("count").to_pylist()) <= set(rare.column("count").to_pylist())
    assert made.schema.field("count").type == pa.int64()
    both = [pc.drop_null(t.column("a")).to_numpy() for t in (made, rare)]
    assert stats.ks_2samp(*both).pvalue > 0.001
    at = [int(parents[0][1:]) for parents in made.column(PARENTS).to_pylist()]
    assert made.column("a").is_null().to_pylist() == table.column("a").take(pa.array(at)).is_null().to_pylist()
    share = np.mean([k == "r" for k in made.column("k").to_pylist()])
    assert abs(share - np.mean([k == "r" for k in rare.column("k").to_pylist()])) < 0.2


def test_the_same_proposal_has_the_same_id():
    editor = TabularGenerator()
    assert editor.propose(view(editor)).edit_id == editor.propose(view(editor)).edit_id


def test_refusals():
    editor = TabularGenerator()
    with pytest.raises(NotApplicable, match="fewer than 10 rows"):
        editor.propose(view(editor, rare=6))
    with pytest.raises(NotApplicable, match="no class is rare"):
        editor.propose(view(editor, rare=200))
