from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit, cross_val_predict

from tilth.core.errors import NotApplicable
from tilth.core.target import Target
from tilth.learning._crossfit import calibrated, fold_numbers, out_of_sample, predicted_by_fold
from tilth.learning.linear import Linear
from tilth.learning.ridge import Ridge
from tilth.testing.views import view_of

N, K = 200, 3
RNG = np.random.default_rng(0)
FEATURES = RNG.standard_normal((N, 5)).astype(np.float32)
LABELS = (FEATURES @ RNG.standard_normal((5, K)) + RNG.gumbel(size=(N, K))).argmax(axis=1)
VIEW = view_of(Linear(), classes=("a", "b", "c"), embeddings=FEATURES)
ALL = np.ones(N, dtype=bool)
TARGET = Target.classes(LABELS, ALL, K)


@given(st.permutations(range(40)), st.integers(0, 3))
def test_folds_do_not_depend_on_the_order_of_rows(order: list[int], seed: int) -> None:
    ids = pa.array([f"r{i}" for i in range(40)])
    labels, groups = np.arange(40) % 3, np.arange(40) // 3
    target = Target.classes(labels, np.ones(40, dtype=bool), 3)
    at = np.array(order)
    for codes in (None, groups):
        plain = fold_numbers(ids, target, groups=codes, seed=seed)
        moved = fold_numbers(
            ids.take(pa.array(at)), target.take(at), groups=None if codes is None else codes[at], seed=seed
        )
        np.testing.assert_array_equal(moved, plain[at])


def test_folds_spread_classes_evenly_and_depend_on_the_seed() -> None:
    folds = fold_numbers(VIEW.ids, TARGET)
    for label in range(K):
        counts = np.bincount(folds[label == LABELS], minlength=5)
        assert counts.max() - counts.min() <= 1
    assert np.ptp(np.bincount(folds)) <= 1
    assert (folds != fold_numbers(VIEW.ids, TARGET, seed=1)).any()


def test_groups_stay_whole_and_even() -> None:
    groups = np.concatenate([np.zeros(30, dtype=int), np.arange(1, N - 29)])
    folds = fold_numbers(VIEW.ids, TARGET, groups=groups)
    assert len(np.unique(folds[:30])) == 1
    rows = np.bincount(folds)
    assert np.ptp(np.delete(rows, folds[0])) <= 2, "the other folds share the rest evenly"


def test_numbers_are_spread_and_rows_without_a_target_are_dealt_out() -> None:
    numbers = np.sort(RNG.standard_normal(N))
    folds = fold_numbers(VIEW.ids, Target.values(numbers, np.arange(N) >= 50))
    assert all(len(np.unique(folds[start : start + 50])) == 5 for start in range(0, N, 50))


def test_parity_with_sklearn() -> None:
    folds = fold_numbers(VIEW.ids, TARGET)
    ours = predicted_by_fold(Linear(penalty=0.5), VIEW, TARGET, folds)
    reference = LogisticRegression(C=2.0, tol=1e-10, max_iter=5_000)
    theirs = cross_val_predict(
        reference, FEATURES.astype(float), LABELS, cv=PredefinedSplit(folds), method="predict_proba"
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_calibration_mends_confidence_and_keeps_the_order() -> None:
    folds = fold_numbers(VIEW.ids, TARGET)
    stiff = Linear(penalty=30.0)
    plain, mended = predicted_by_fold(stiff, VIEW, TARGET, folds), out_of_sample(stiff, VIEW, TARGET, folds)
    np.testing.assert_array_equal(plain.argsort(axis=1), mended.argsort(axis=1))
    rows = np.arange(N)
    assert -np.log(mended[rows, LABELS]).mean() < -np.log(plain[rows, LABELS]).mean() - 0.01
    np.testing.assert_allclose(calibrated(mended, TARGET), mended, atol=1e-6)


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Knows by heart what it was fitted on, and nothing else."""

    needs: ClassVar[frozenset[str]] = frozenset({"embeddings"})

    def prepare(self, view: Any) -> None:
        return None

    def fit(self, view: Any, target: Target, *, prepared: Any = None, start: Any = None) -> dict[str, int]:
        rows = np.flatnonzero(target.mask)
        return {view.ids[row].as_py(): int(target.distribution[row].argmax()) for row in rows}

    def predict_proba(self, view: Any, model: dict[str, int]) -> np.ndarray:
        seen = np.array([name in model for name in view.ids.to_pylist()])
        return np.where(seen[:, None], [1.0, 0.0, 0.0], 1 / 3)


def test_no_row_is_predicted_by_a_model_that_saw_it() -> None:
    mask = np.arange(N) % 4 > 0
    target = Target.classes(LABELS, mask, K)
    found = predicted_by_fold(Memory(), VIEW, target, fold_numbers(VIEW.ids, target))
    np.testing.assert_array_equal(found, np.full((N, K), 1 / 3))


def test_a_class_of_one_row_and_rows_without_a_target() -> None:
    labels = np.where(np.arange(N) == 3, 2, LABELS % 2)
    target = Target.classes(labels, np.arange(N) != 5, K)
    found = out_of_sample(Linear(), VIEW, target, fold_numbers(VIEW.ids, target))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


def test_regression_gives_numbers() -> None:
    view = view_of(Ridge(), classes=(), embeddings=FEATURES)
    target = Target.values(FEATURES[:, 0].astype(float), ALL)
    found = out_of_sample(Ridge(penalty=0.01), view, target, fold_numbers(view.ids, target))
    np.testing.assert_allclose(found[:, 0], FEATURES[:, 0], atol=1e-3)


def test_one_fold_with_labels_is_refused() -> None:
    with pytest.raises(NotApplicable, match="two folds"):
        out_of_sample(Linear(), VIEW, TARGET, np.zeros(N, dtype=np.intp))
