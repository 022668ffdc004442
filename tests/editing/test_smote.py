"""smote: whole rows between near rows, borders, ids that follow from parents, what the gate leaves out, refusals."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.edit import Edit, Verb
from tilth.core.errors import NotApplicable
from tilth.core.names import PARENTS, ROW_ID, SPLIT, SYSTEM_COLUMNS, TARGET, WEIGHT
from tilth.core.schema import Column, ColumnType, Role, Schema, Task, TaskType
from tilth.editing.smote import Smote
from tilth.testing.views import view_of

N, RARE = 300, 30


def encode(table):
    numbers = [np.asarray(table.column(name).cast(pa.float64()), dtype=np.float32) for name in ("a", "b")]
    return np.column_stack([*numbers, np.asarray(table.column("k").to_pylist()) == "r"]).astype(np.float32)


def rows(seed=0, rare=RARE):
    rng = np.random.default_rng(seed)
    y = (np.arange(N) < rare).astype(int)
    a, b = rng.normal(size=(2, N)) * 4 + 3 * y
    colour = np.where(rng.random(N) < 0.2 + 0.6 * y, "r", "g").tolist()
    return y, pa.table({"a": a, "b": np.rint(10 * b).astype(int), "k": colour})


def view(editor, seed=0, rare=RARE, **more):
    y, table = rows(seed, rare)
    facts = {"labels": y, "table": table, "embeddings": encode(table), "made": np.zeros(N, bool)}
    return view_of(editor, **(facts | {"encode": lambda: encode} | more))


def test_makes_whole_rows_of_the_rare_class_between_its_rows():
    editor = Smote(times=2.0)
    edit = editor.propose(view(editor))
    made, (_, table) = edit.add, rows()
    assert edit.verb is Verb.SYNTHESIZE
    assert edit.n_rows == made.num_rows > 20
    assert set(made.column_names) == {"a", "b", "k", "label", *SYSTEM_COLUMNS}
    assert set(made.column("label").to_pylist()) == {"yes"}
    assert set(made.column(SPLIT).to_pylist()) == {"train"}
    assert made.column(TARGET).null_count == made.column(WEIGHT).null_count == made.num_rows
    assert made.schema.field("b").type == pa.int64()
    for row in made.to_pylist():
        at = [int(name[1:]) for name in row[PARENTS]]
        assert len(at) == 2 and max(at) < RARE
        ends = table.column("a").take(pa.array(at)).to_pylist()
        assert min(ends) <= row["a"] <= max(ends)
    assert "AUROC" in edit.reason


def test_ids_follow_from_operator_parents_and_draw():
    editor = Smote(times=2.0)
    first, again = editor.propose(view(editor)), editor.propose(view(editor))
    assert first.edit_id == again.edit_id
    ids = first.add.column(ROW_ID).to_pylist()
    assert len(set(ids)) == len(ids)
    assert Edit.from_parts(first.describe(), first.to_tables()).edit_id == first.edit_id
    other = Smote(times=10.0)
    assert not set(other.propose(view(other)).add.column(ROW_ID).to_pylist()) & set(ids)


def test_the_order_of_rows_does_not_matter():
    editor = Smote(times=2.0)
    y, table = rows()
    order = np.random.default_rng(1).permutation(N)
    turned = table.take(pa.array(order))
    names = [f"r{i}" for i in order]
    other = view(editor, ids=names, labels=y[order], table=turned, embeddings=encode(turned))
    first, second = editor.propose(view(editor)), editor.propose(other)
    assert first.edit_id == second.edit_id


def test_made_rows_are_no_parents_and_count_as_rows_of_their_class():
    editor = Smote(times=2.0)
    made = np.arange(N) < 10
    families = editor.propose(view(editor, made=made)).add.column(PARENTS).to_pylist()
    assert not {name for family in families for name in family} & {f"r{i}" for i in range(10)}


def test_a_border_is_made_of_rows_in_danger():
    editor = Smote(times=6.0, border=True)
    edit = editor.propose(view(editor))
    assert len(editor.choose(view(editor))) < len(Smote(times=6.0).choose(view(Smote(times=6.0))))
    assert "in danger" in edit.reason


def test_a_group_stays_where_parents_share_it_and_other_roles_are_missing():
    editor = Smote(times=2.0)
    _, table = rows()
    house = ["h1"] * 15 + ["h2"] * 15 + ["h3"] * (N - 30)
    table = table.append_column("house", pa.array(house)).append_column("pid", pa.array([f"p{i}" for i in range(N)]))
    kinds = {"a": ColumnType.NUMBER, "b": ColumnType.NUMBER, "k": ColumnType.CATEGORY}
    columns = [Column(name=name, type=kind) for name, kind in kinds.items()]
    columns += [
        Column(name="house", type=ColumnType.CATEGORY, role=Role.GROUP),
        Column(name="pid", type=ColumnType.CATEGORY, role=Role.ID),
        Column(name="label", type=ColumnType.CATEGORY, role=Role.LABEL),
    ]
    schema = Schema(columns=tuple(columns), tasks=(Task(type=TaskType.BINARY, label="label", classes=("no", "yes")),))
    made = editor.propose(view(editor, table=table, schema=schema)).add
    assert made.column("pid").null_count == made.num_rows
    for row in made.to_pylist():
        houses = {house[int(name[1:])] for name in row[PARENTS]}
        assert row["house"] == (houses.pop() if len(houses) == 1 else None)


def test_refusals():
    editor = Smote()
    with pytest.raises(NotApplicable, match="no class is rare"):
        editor.propose(view(editor, rare=120))
    with pytest.raises(NotApplicable, match="'yes' has one row"):
        editor.propose(view(editor, rare=1))
    with pytest.raises(NotApplicable, match="label is a number"):
        editor.propose(view_of(editor, classes=(), numbers=np.zeros(3), made=np.zeros(3, bool)))
    with pytest.raises(NotApplicable, match="cells of type text"):
        texts = pa.table({"t": pa.array(["x"] * N, pa.large_string())})
        editor.propose(view(editor, table=texts))
    with pytest.raises(NotApplicable, match="only copies"):
        _, table = rows()
        few = np.concatenate([np.zeros(RARE, int), np.arange(RARE, N)])
        same = table.take(pa.array(few))
        editor.propose(view(editor, table=same, embeddings=encode(same)))


def test_nothing_stands_between_a_zero_that_many_have_and_a_number():
    editor = Smote(times=4.0)
    _, table = rows()
    gains = np.where(np.arange(N) % 2 == 0, 0.0, 1000.0 + np.arange(N))
    table = table.set_column(1, "b", pa.array(gains))

    def small(made):
        return encode(made.set_column(1, "b", pa.array(made.column("b").to_numpy() / 100)))

    made = editor.propose(view(editor, table=table, embeddings=small(table), encode=lambda: small)).add
    values = made.column("b").to_numpy()
    assert (values == 0).any()
    assert ((values == 0) | (values >= 1000)).all()
