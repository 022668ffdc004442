"""Schema: what it answers, and that it survives being written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core.errors import UnknownColumnError
from tilth.core.schema import Column, ColumnType, Role, Schema, Task, TaskType, Visibility

LAW = settings(max_examples=60, deadline=None)
COLUMNS = st.builds(
    Column,
    name=st.text(max_size=8),
    type=st.sampled_from(ColumnType),
    role=st.sampled_from(Role),
    visibility=st.sampled_from(Visibility),
    at_serving=st.booleans(),
)
TASKS = st.builds(
    Task,
    type=st.sampled_from(TaskType),
    label=st.text(max_size=8),
    classes=st.lists(st.text(max_size=4)).map(tuple),
    metric=st.sampled_from(["accuracy", "mae"]),
)
SCHEMA = Schema(
    columns=(
        Column(name="text", type=ColumnType.TEXT),
        Column(name="secret", type=ColumnType.CATEGORY, visibility=Visibility.HIDDEN),
        Column(name="sum", type=ColumnType.NUMBER, visibility=Visibility.AGGREGATE),
        Column(name="later", type=ColumnType.NUMBER, at_serving=False),
        Column(name="site", type=ColumnType.CATEGORY, role=Role.GROUP),
        Column(name="label", type=ColumnType.CATEGORY, role=Role.LABEL),
    ),
    tasks=(Task(type=TaskType.BINARY, label="label", classes=("no", "yes")),),
)


def test_features_are_what_exists_at_serving_time():
    assert [column.name for column in SCHEMA.features] == ["text", "secret", "sum"]


def test_columns_are_found_by_role_and_by_name():
    assert SCHEMA.first(Role.GROUP) == "site"
    assert SCHEMA.first(Role.TIME) is None
    assert [column.name for column in SCHEMA.with_role(Role.LABEL)] == ["label"]
    assert SCHEMA.column("sum").type is ColumnType.NUMBER
    with pytest.raises(UnknownColumnError, match="Did you mean 'secret'"):
        SCHEMA.column("sekret")


def test_only_shown_columns_may_be_shown():
    assert [SCHEMA.may_show(name) for name in ("text", "secret", "sum")] == [True, False, False]


def test_a_task_can_be_put_in_place_of_another():
    task = Task(type=TaskType.REGRESSION, label="sum", metric="mae")
    assert (SCHEMA.with_task(task).task, SCHEMA.task.n_classes) == (task, 2)
    assert (task.is_regression, task.n_classes) == (True, 0)


@LAW
@given(schema=st.builds(Schema, columns=st.lists(COLUMNS, max_size=4).map(tuple), tasks=st.tuples(TASKS)))
def test_law_a_schema_survives_json(schema):
    assert Schema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema
