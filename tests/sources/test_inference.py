"""Inferred schemas: types and roles by the values, what the user named, what is refused."""

from __future__ import annotations

import uuid

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import ConfigError, LabelError, SourceError, UnknownColumnError
from tilth.core.names import SPLIT
from tilth.core.schema import Role
from tilth.sources import infer_schema

N = 200
RNG = np.random.default_rng(0)
LABEL = ["no", "yes"] * (N // 2)
WORDS = ["soil", "crop", "seed", "field", "rain", "harvest", "plough", "barley", "wheat", "rye", "oats", "hay"]
PROSE = [" ".join(RNG.choice(WORDS, 8)) + f" {k}" for k in range(N)]
NUMBERS = RNG.normal(size=N).round(4)
COLOURS = RNG.choice(["red", "green", "blue"], N)


def infer(label="y", y=LABEL, **columns):
    named = {name: columns.pop(name) for name in list(columns) if name.startswith("_")}
    table = pa.table({"x": NUMBERS, **columns, **({} if y is None else {"y": y})})
    return infer_schema(table, label=label, **{name.strip("_"): value for name, value in named.items()})


def of(values, name="c"):
    """Return type and role of one column beside a plain feature and a label."""
    found = infer(**{name: values}).schema.column(name)
    return str(found.type), str(found.role)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (NUMBERS, "number"),
        ([str(value) for value in NUMBERS], "number"),
        ([f"{value:,}" for value in RNG.integers(1_000, 9_999_999, N)], "number"),
        (RNG.integers(0, 90, N), "number"),
        (RNG.integers(1, 6, N), "category"),
        (RNG.integers(1, 6, N).astype(float), "category"),
        (RNG.choice([0.5, 1.0, 1.5], N), "number"),
        (COLOURS, "category"),
        (RNG.choice([True, False], N), "category"),
        ([f"{value:05d}" for value in RNG.integers(100, 150, N)], "category"),
        (PROSE, "text"),
        ([f"{WORDS[k % 12]} {WORDS[k % 11]} {k}" for k in range(N)], "text"),
        (["a very long sentence that comes back", "and another one of the same kind"] * (N // 2), "category"),
        ([f"2020-01-{k % 28 + 1:02d}" for k in range(N)], "date"),
        ([f"{k % 28 + 1}/{k % 12 + 1}/2020" for k in range(N)], "date"),
        ([20200100 + k % 28 + 1 for k in range(N)], "date"),
        ([[1.0, 2.0, 3.0]] * N, "embedding"),
        ([f"[{k}, 0.5, 1]" for k in range(N)], "embedding"),
        ([["soil", "crop"]] * N, "text"),
    ],
)
def test_types(values, kind):
    assert of(values) == (kind, "feature")


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("c", range(N), "counts the rows"),
        ("row_id", RNG.permutation(N) * 3, "called an identifier"),
        ("CustomerId", np.arange(N) // 4 * 10, "--group"),
        ("c", [str(uuid.UUID(int=k)) for k in range(N)], "looks like an identifier"),
        ("path", [f"a b/{k}.png" for k in range(N)], "file names"),
        ("c", [None] * N, "empty"),
        ("c", ["?", ""] * (N // 2), "empty"),
        ("c", [7] * N, "constant: always 7"),
        ("c", ["same"] * N, "constant: always 'same'"),
        ("c", [b"\x00\x01"] * N, "no images"),
        ("c", [[1.0] * (k % 3 + 1) for k in range(N)], "different length"),
        ("old_label", LABEL, "another version of the label"),
        ("votes", [[3, 0]] * N, "may give the label away"),
    ],
)
def test_ignored_with_a_reason(name, values, why):
    values = values if isinstance(values, list) else list(values)
    found = infer(**{name: values})
    assert found.schema.column(name).role == "ignore"
    assert why in found.notes[name]


def test_names_speak_where_values_do_not():
    few = RNG.integers(1, 6, N)
    assert of(few, "num_rooms") == ("number", "feature")
    assert of(few, "rooms") == ("category", "feature")
    assert of(RNG.integers(1, 20, N), "zip_code") == ("category", "feature")


def test_single_words_without_digits_are_no_identifiers():
    words = ["".join(chr(97 + int(d)) for d in f"{k:04d}") for k in range(N)]
    assert of(words) == ("text", "feature")


def test_junk_among_numbers_is_named():
    values = [str(value) for value in NUMBERS]
    values[3] = values[5] = "broken"
    found = infer(c=values)
    assert found.schema.column("c").type == "number"
    assert "1.0% of the cells are something else and become missing: 'broken'" in found.notes["c"]
    assert of(["junk", "1.5"] * (N // 2))[0] == "category"


def test_day_first_is_said():
    found = infer(c=[f"{k % 28 + 1}/{k % 12 + 1}/2020" for k in range(N)])
    assert found.day_first == ("c",)


@pytest.mark.parametrize("values", [["train", "test"], ["train", "val", "label_book"], ["Training", "dev", "test"]])
def test_split_by_name_and_values(values):
    cells = [values[k % len(values)] for k in range(N)]
    assert of(cells, "split")[1] == "split"
    assert of(cells, "word")[1] == "feature"
    assert of([f"s{k % 3}" for k in range(N)], "split")[1] == "feature"


def test_only_one_column_says_the_split():
    cells = ["train", "test"] * (N // 2)
    found = infer(split=cells, subset=cells, other=cells, _split_="other")
    roles = {column.name: str(column.role) for column in found.schema.columns}
    assert (roles["other"], roles["split"], roles["subset"]) == ("split", "ignore", "ignore")
    table = pa.table({"x": NUMBERS, "split": cells, "y": LABEL, SPLIT: cells})
    found = infer_schema(table, label="y")
    assert found.schema.names == ("x", "split", "y")
    assert found.schema.column("split").role == "ignore"


def test_named_roles():
    found = infer(
        k=[f"k{k}" for k in range(N)],
        g=COLOURS,
        t=RNG.integers(0, 9, N),
        note=COLOURS,
        e=[[1.0, 2.0]] * N,
        _id="k",
        _group="g",
        _time="t",
        _text=["note"],
        _embedding=["e"],
    )
    seen = {column.name: (str(column.type), str(column.role), column.at_serving) for column in found.schema.columns}
    assert seen == {
        "x": ("number", "feature", True),
        "k": ("category", "id", False),
        "g": ("category", "group", True),
        "t": ("number", "time", True),
        "note": ("text", "feature", True),
        "e": ("embedding", "feature", True),
        "y": ("category", "label", False),
    }
    assert infer(_time="ROW_ORDER").schema.first(Role.TIME) is None


def test_time_is_only_what_the_user_names():
    dates = [f"2020-01-{k % 28 + 1:02d}" for k in range(N)]
    assert infer(d=dates).schema.first(Role.TIME) is None
    assert infer(d=dates, _time="d").schema.column("d").type == "date"
    with pytest.raises(SourceError, match=r"neither dates nor numbers"):
        infer(c=COLOURS, _time="c")


def test_pred_probs_by_name():
    found = infer(pred_probs_no=[0.5] * N, pred_probs_yes=[0.5] * N)
    assert [column.name for column in found.schema.with_role(Role.PRED_PROBS)] == ["pred_probs_no", "pred_probs_yes"]
    found = infer(pred_probs=[[0.25, 0.75]] * N)
    assert found.schema.column("pred_probs").type == "embedding"
    with pytest.raises(LabelError, match=r"1 columns of pred_probs for 2 classes|lists of 2 numbers"):
        infer(pred_probs_no=[0.5] * N)
    with pytest.raises(LabelError, match=r"lists of 2 numbers"):
        infer(pred_probs=[[0.2, 0.3, 0.5]] * N)
    with pytest.raises(LabelError, match=r"2 columns of pred_probs for 2 classes"):
        infer(pred_probs_no=[0.5] * N, pred_probs_maybe=[0.5] * N)


def test_refusals():
    with pytest.raises(UnknownColumnError, match=r"no column 'lable'. Did you mean 'label'"):
        infer_schema(pa.table({"x": [1.0], "label": ["a"]}), label="lable")
    with pytest.raises(UnknownColumnError, match=r"no column 'z'"):
        infer(_text=["z"])
    with pytest.raises(ConfigError, match=r"named for two things"):
        infer(_id="y")
    with pytest.raises(ConfigError, match=r"'x' is named for two things"):
        infer(_split="x", _text=["x"])
    with pytest.raises(SourceError, match=r"not a list of equally many numbers"):
        infer(e=[[1.0], [1.0, 2.0]] * (N // 2), _embedding=["e"])
    with pytest.raises(SourceError, match=r"no column is left to learn from"):
        infer_schema(pa.table({"k": range(N), "y": LABEL}), label="y")
    with pytest.raises(LabelError, match=r"no label column is named"):
        infer_schema(pa.table({"x": [1.0]}), label=None)


def test_id_and_group_may_be_one_column():
    assert infer(k=[f"k{k}" for k in range(N)], _id="k", _group="k").schema.column("k").role == "id"


def test_identifiers_are_read_when_nothing_else_is_there():
    table = pa.table({"smiles": [f"C{k}H{k + 1}" for k in range(N)], "y": LABEL})
    found = infer_schema(table, label="y")
    assert (found.schema.column("smiles").type, found.schema.column("smiles").role) == ("text", "feature")


def test_rows_that_nobody_labelled_yet():
    found = infer_schema(pa.table({"t": PROSE}), label=None, classes=("a", "b"))
    assert found.schema.names == ("t", "label")
    assert found.schema.task.classes == ("a", "b")
    with pytest.raises(LabelError, match=r"a column 'label' already"):
        infer_schema(pa.table({"t": PROSE, "label": LABEL}), label=None, classes=("a", "b"))


def test_regression_and_every_column_has_a_note():
    found = infer(y=RNG.normal(size=N), c=COLOURS)
    assert found.schema.task.is_regression
    assert found.schema.column("y").type == "number"
    assert set(found.notes) == set(found.schema.names)


def test_the_order_of_columns_and_the_table_stay():
    table = pa.table({"b": COLOURS, "y": LABEL, "a": NUMBERS})
    assert infer_schema(table, label="y").schema.names == ("b", "y", "a")
