"""The task that a label column poses."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import LabelError
from tilth.sources._labels import infer_task, natural_order


def task(values, kind=None, classes=()):
    return infer_task("y", pa.chunked_array([pa.array(values, kind)]), classes).task


def test_binary_and_its_metric():
    found = task(["no"] * 89 + ["yes"] * 11 + [None] * 5)
    assert (found.type, found.classes, found.metric) == ("binary", ("no", "yes"), "accuracy")
    assert task(["no"] * 91 + ["yes"] * 9).metric == "balanced_accuracy"


@pytest.mark.parametrize(
    "values", [[0, 1, 1], [0.0, 1.0, 1.0], ["0", "1", "1"], ["0.0", "1.0", "1.0"], [0.0, 1.0, None]]
)
def test_classes_are_called_alike_whatever_their_type(values):
    assert task(values).classes == ("0", "1")


def test_booleans():
    assert task([True, False, True]).classes == ("false", "true")


def test_natural_order():
    assert natural_order(["10", "9", "-1"]) == ("-1", "9", "10")
    assert natural_order(["class10", "class9", "Class1"]) == ("Class1", "class9", "class10")
    assert natural_order(["x", "b", "2", "10"]) == ("2", "10", "b", "x")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.linspace(0, 1, 100), "regression"),
        (np.arange(200) % 60 * 7, "regression"),
        ([1.5, 2.0, 2.5, 3.0] * 25, "multiclass"),
        ([1, 2, 3, 4, 5] * 20, "multiclass"),
        (np.arange(1000) % 51 + 17, "regression"),
        (np.arange(2000) % 100, "multiclass"),
        ([1, 2, 3], "multiclass"),
    ],
)
def test_numbers_or_classes(values, kind):
    assert task(values).type == kind


def test_dense_numbers_with_smooth_counts_are_a_quantity():
    rng = np.random.default_rng(0)
    ages = np.clip(np.round(rng.normal(30, 12, 20_000)), 1, 60)
    assert task(ages).type == "regression"
    classes = rng.choice(77, 20_000, p=rng.dirichlet(np.ones(77) * 2))
    assert task(classes).type == "multiclass"


def test_regression_in_text_with_a_few_junk_cells():
    values = [str(value) for value in np.linspace(0, 9, 97)] + ["?", "", "many"]
    found = task(values)
    assert (found.type, found.metric, found.classes) == ("regression", "mae", ())


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["a"] * 5, "only one class: all 5 labels are 'a'"),
        ([None, "", "?"], "no row has a label"),
        ([f"some text {k}" for k in range(30)], "30 different labels in 30 rows are too many"),
        ([f"text {k % 20}" for k in range(30)], "20 different labels in 30 rows are too many"),
        (range(1, 40), "only counts the rows"),
    ],
)
def test_refused_with_advice(values, said):
    with pytest.raises(LabelError, match=said) as caught:
        task(list(values), pa.string() if values[0] is None else None)
    assert caught.value.next_step


def test_given_classes_keep_their_order_and_refuse_others():
    assert task(["b", None], classes=("c", "b")).classes == ("c", "b")
    assert task([], pa.string(), classes=("x", "y")).classes == ("x", "y")
    with pytest.raises(LabelError, match=r"not among the classes: 'cta'. Did you mean 'cat'"):
        task(["cta", "dog"], classes=("cat", "dog"))
    with pytest.raises(LabelError, match=r"at least two"):
        task(["a"], classes=("a", "a"))
