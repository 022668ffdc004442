"""Auditor: by hand, parity with ridge regression, planted half-spaces and predicates, predicates find the rows, visibility."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import RidgeCV

from tilth.core.errors import NotApplicable
from tilth.core.schema import Column, ColumnType, Schema, Task, TaskType, Visibility
from tilth.engine.predicate import Predicate
from tilth.operators.batch import Batch
from tilth.slicing._shared.describe import in_words
from tilth.slicing.auditor import PENALTIES, Auditor, foretelling
from tilth.testing.views import view_of


def test_equals_ridge_regression_of_another_library():
    rng = np.random.default_rng(0)
    points = rng.standard_normal((80, 5))
    residuals = points @ rng.standard_normal((5, 2)) + 2 * rng.standard_normal((80, 2))
    centred = points - points.mean(axis=0)
    level = float(np.linalg.eigvalsh(centred.T @ centred).mean())
    model = RidgeCV(alphas=[share * level for share in PENALTIES]).fit(points, residuals)
    assert foretelling(points, residuals) == pytest.approx(model.coef_.T, abs=1e-8)


def test_finds_rows_whose_residual_can_be_foretold(planted):
    evidence, inside = planted()
    found = Auditor().discover(view_of(Auditor(), **evidence))
    assert inside[np.argsort(-found[0].membership)[:20]].mean() >= 0.85
    assert found[0].q_value < 1e-6


def with_table(visibility: Visibility):
    """Errors hang on columns that embeddings do not hold."""
    rng = np.random.default_rng(5)
    n = 1_500
    age, shop = rng.integers(18, 80, size=n).astype(float), rng.choice(["Ulm", "O'Hara", "Kyiv"], size=n)
    bad = (age < 30) & (shop == "O'Hara")
    right = rng.random(n) > np.where(bad, 0.7, 0.08)
    labels = rng.integers(2, size=n)
    said = np.where(right, labels, 1 - labels)
    table = pa.table(
        {'the "age"': pa.array(age, mask=rng.random(n) < 0.05), "shop": pa.array(shop, mask=rng.random(n) < 0.05)}
    )
    columns = (
        Column(name='the "age"', type=ColumnType.NUMBER, visibility=visibility),
        Column(name="shop", type=ColumnType.CATEGORY, visibility=visibility),
    )
    schema = Schema(columns=columns, tasks=(Task(type=TaskType.BINARY, label="y", classes=("a", "b")),))
    return view_of(
        Auditor(),
        schema=schema,
        table=table,
        labels=labels,
        pred_probs=np.where(np.eye(2)[said] > 0, 0.9, 0.1),
        embeddings=rng.standard_normal((n, 4)).astype(np.float32),
        scores=right.astype(float),
    ), bad


def test_says_it_as_a_predicate_that_finds_the_rows_again():
    view, bad = with_table(Visibility.SHOWN)
    found = Auditor().discover(view)
    assert found[0].slice.where
    assert "O''Hara" in found[0].slice.where
    assert bad[found[0].membership > 0.5].mean() > 0.9
    batch = Batch(ids=view.ids, columns={n: view.table.column(n).combine_chunks() for n in view.table.column_names})
    for one in found:
        if one.slice.where:
            assert np.array_equal(Predicate(one.slice.where).holds(batch), one.membership > 0.5)


def test_predicates_name_no_column_that_is_not_shown():
    view, _ = with_table(Visibility.AGGREGATE)
    assert not any(one.slice.where for one in Auditor().discover(view))


def test_silent_where_errors_fall_by_chance(planted):
    spoken = 0
    for seed in range(30):
        evidence, _ = planted(400, seed, inside_share=0.0)
        spoken += bool(Auditor().discover(view_of(Auditor(), **evidence)))
    assert spoken <= 5


def test_refuses_few_rows(planted):
    evidence, _ = planted(50)
    with pytest.raises(NotApplicable, match="fewer than"):
        Auditor().discover(view_of(Auditor(), **evidence))


def test_a_predicate_is_named_in_words():
    assert in_words('"the age" <= 30.5 AND "shop" = \'north\'') == "the age at most 30.5 and shop is north"
