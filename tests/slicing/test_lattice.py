"""lattice: planted slices with their rules, predicates that hold for exactly the same rows, silence where nothing is wrong."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tilth.core.errors import NotApplicable
from tilth.core.schema import Column, ColumnType, Role, Schema, Task, TaskType, Visibility
from tilth.engine.predicate import Predicate
from tilth.operators.batch import Batch
from tilth.slicing._shared import features_of
from tilth.slicing._shared.edges import edges_of, roundest
from tilth.slicing.lattice import Lattice
from tilth.testing.views import schema_of, view_of


def batch_of_table(table: pa.Table) -> Batch:
    ids = pa.array([str(i) for i in range(table.num_rows)])
    return Batch(ids=ids, columns={name: table.column(name).combine_chunks() for name in table.column_names})


def planted(n: int = 4000, seed: int = 0) -> tuple[dict[str, pa.Array], np.ndarray]:
    rng = np.random.default_rng(seed)
    sex = rng.choice(["F", "M"], n)
    age = rng.integers(18, 90, n)
    town = rng.choice(["O'Brien's town", 'the "old" one', "x"], n)
    bad = (sex == "F") & (age < 30)
    scores = (rng.random(n) < np.where(bad, 0.5, 0.9)).astype(float)
    columns = {"sex": pa.array(sex), "age in years": pa.array(age), "town": pa.array(town)}
    return columns, scores


def test_a_planted_slice_is_found_with_its_limits_and_words():
    columns, scores = planted()
    (found,) = Lattice().discover(view_of(Lattice(), table=columns, scores=scores))
    assert found.slice.name == "sex is F and age in years is under 30"
    assert found.slice.where == "sex = 'F' AND \"age in years\" < 30"
    assert found.slice.operator is not None
    assert found.slice.operator.name == "lattice"
    assert found.q_value < 1e-6
    assert found.score.low < 0.5 < found.score.high < found.overall
    assert found.slice.summary.startswith("Where sex is F and age in years is under 30: ")
    assert "% right against" in found.slice.summary


def test_a_slice_that_only_repeats_its_parent_is_not_reported():
    rng = np.random.default_rng(1)
    columns = {f"c{j}": pa.array(rng.choice(list("abcd"), 6000)) for j in range(6)}
    bad = np.asarray(columns["c2"].to_pylist()) == "b"
    scores = (rng.random(6000) < np.where(bad, 0.6, 0.9)).astype(float)
    found = Lattice().discover(view_of(Lattice(), table=columns, scores=scores))
    assert [one.slice.where for one in found] == ["c2 = 'b'"]


def test_columns_that_say_the_same_give_one_slice():
    columns, scores = planted()
    columns["gender"] = pa.array(["f" if one == "F" else "m" for one in columns["sex"].to_pylist()])
    (found,) = Lattice().discover(view_of(Lattice(), table=columns, scores=scores))
    assert found.slice.facts["nearly_the_same"] == ["\"age in years\" < 30 AND gender = 'f'"]


def test_real_scores():
    columns, _ = planted()
    rng = np.random.default_rng(2)
    bad = np.asarray(columns["sex"].to_pylist()) == "F"
    scores = -np.abs(rng.normal(0, np.where(bad, 3.0, 1.0)))
    (found,) = Lattice().discover(view_of(Lattice(), table=columns, scores=scores, classes=()))
    assert found.slice.where == "sex = 'F'"
    assert "mean absolute error" in found.slice.summary


def test_rows_without_a_score_are_members_and_count_for_nothing():
    columns, scores = planted()
    scores[::7] = np.nan
    (found,) = Lattice().discover(view_of(Lattice(), table=columns, scores=scores))
    assert found.slice.where == "sex = 'F' AND \"age in years\" < 30"
    assert len(found.membership) == len(scores)
    known = np.isfinite(scores) & (found.membership > 0)
    assert found.score.value == pytest.approx(scores[known].mean())


@pytest.mark.parametrize("constant", [0.0, 1.0, -3.5])
def test_nothing_is_worse_where_all_rows_score_alike(constant):
    columns, scores = planted(400)
    assert Lattice().discover(view_of(Lattice(), table=columns, scores=np.full_like(scores, constant))) == []


def test_too_few_scores_are_refused():
    for n in (0, 1):
        with pytest.raises(NotApplicable, match="have a score"):
            Lattice().discover(view_of(Lattice(), table={"a": pa.array(["x"] * n, pa.string())}, scores=np.ones(n)))


def test_ids_labels_and_columns_that_may_not_be_shown_are_left_out():
    n = 300
    rng = np.random.default_rng(0)
    table = pa.table(
        {
            "row number": pa.array(range(n)),
            "secret": pa.array(rng.choice(["a", "b"], n)),
            "key": pa.array([f"k{i % 3}" for i in range(n)]),
            "seen": pa.array(rng.choice(["a", "b"], n)),
            "one": pa.array(["x"] * n),
        }
    )
    kinds = {"secret": Visibility.AGGREGATE}
    schema = Schema(
        columns=tuple(
            Column(
                name=name,
                type=ColumnType.CATEGORY,
                role=Role.ID if name == "key" else Role.FEATURE,
                visibility=kinds.get(name, Visibility.SHOWN),
            )
            for name in table.column_names
        ),
        tasks=(Task(type=TaskType.BINARY, label="y", classes=("no", "yes")),),
    )
    assert [feature.column for feature in features_of(table, schema)] == ["seen", "one"]


def test_high_cardinality_keeps_the_frequent_values():
    cells = ["often"] * 50 + ["sometimes"] * 35 + [f"once {i}" for i in range(200)]
    table = pa.table({"c": pa.array(cells)})
    (feature,) = features_of(table, schema_of(table), least_rows=30)
    assert [one.where for one in feature.conditions] == ["c = 'often'", "c = 'sometimes'", "c IS NULL"]
    assert int((feature.codes == len(feature.conditions)).sum()) == 200


def test_texts_give_their_length_and_number_of_words():
    table = pa.table({"review": pa.array(["", "a", "a b c", None, "ä b"] * 20, pa.large_string())})
    length, words = features_of(table, schema_of(table))
    assert length.name == "length of review"
    assert words.name == "number of words in review"
    assert "char_length(review) = 5" in [one.where for one in length.conditions]


def test_edges_are_those_that_people_write():
    assert (roundest(17, 23), roundest(-4.2, 7.7), roundest(0.123, 0.1239), roundest(1e6, 1.2e6)) == (
        20,
        0.0,
        0.123,
        1e6,
    )
    incomes = np.random.default_rng(0).lognormal(10, 1, 5000)
    edges = edges_of(incomes, 5)
    assert [edge.value % 1000 for edge in edges] == [0, 0, 0, 0]
    counts = np.bincount(np.searchsorted([edge.value for edge in edges], incomes), minlength=5)
    assert counts.min() >= 0.5 * 1000
    assert counts.max() <= 1.5 * 1000


# -- the predicate of every condition holds for exactly its rows --------------------------------------------------------

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
TEXTS = st.text(st.sampled_from(list("ab '\"%_-;\\/*\n`äß€.")), max_size=6)
FLOATS = st.floats(width=64, allow_nan=True, allow_infinity=True)
START, END = (dt.datetime(year, 1, 1) for year in (1800, 2150))  # noqa: DTZ001 - zones come with the column
KINDS = {
    "text": (pa.string(), TEXTS),
    "document": (pa.large_string(), TEXTS),
    "flag": (pa.bool_(), st.booleans()),
    "int64": (pa.int64(), st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3)),
    "uint8": (pa.uint8(), st.integers(0, 255)),
    "uint64": (pa.uint64(), st.integers(0, 2**64 - 1)),
    "float64": (pa.float64(), FLOATS | st.sampled_from([0.0, -0.0, 0.1, 1e-300])),
    "float32": (pa.float32(), st.floats(width=32) | st.sampled_from([0.5, -0.0])),
    "date": (pa.date32(), st.dates(dt.date(1800, 1, 1), dt.date(2150, 1, 1))),
    "time": (pa.timestamp("us"), st.datetimes(START, END)),
    "zoned": (pa.timestamp("ms", tz="UTC"), st.datetimes(START, END)),
}


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=3))
    names = draw(st.lists(NAMES, min_size=len(kinds), max_size=len(kinds), unique=True))
    rows = draw(st.integers(1, 40))
    columns = {}
    for name, kind in zip(names, kinds, strict=True):
        arrow, cells = KINDS[kind]
        given_cells = draw(st.lists(st.none() | cells, min_size=rows, max_size=rows))
        columns[name] = pa.array(given_cells, arrow)
    return pa.table(columns)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(tables(), st.integers(2, 8))
def test_the_predicate_of_every_condition_holds_for_exactly_its_rows(table: pa.Table, bins: int):
    batch = batch_of_table(table)
    for feature in features_of(table, schema_of(table), bins=bins, least_rows=1):
        ranges = [(v, v) for v in range(len(feature.conditions))]
        ranges += (
            [(0, feature.n_ordered // 2), (feature.n_ordered // 2, feature.n_ordered - 1)]
            if feature.n_ordered > 1
            else []
        )
        for low, high in ranges:
            if (low, high) == (0, feature.n_ordered - 1) and low != high:
                continue
            where = feature.condition(low, high).where
            wanted = (feature.codes >= low) & (feature.codes <= high)
            assert np.array_equal(Predicate(where).holds(batch), wanted), where


def test_a_conjunction_holds_for_exactly_its_members():
    columns, scores = planted()
    ages = columns["age in years"].to_pylist()
    columns["age in years"] = pa.array([None if i % 11 == 0 else age for i, age in enumerate(ages)])
    columns["since.when"] = pa.array(np.datetime64("2020-01-01", "us") + np.arange(4000) * np.timedelta64(3600, "s"))
    scores[np.arange(4000) < 500] = 0.0
    operator = Lattice()
    found = operator.discover(view_of(operator, table=columns, scores=scores))
    assert len(found) >= 2
    for one in found:
        assert np.array_equal(Predicate(one.slice.where).holds(batch_of_table(pa.table(columns))), one.membership > 0.5)
