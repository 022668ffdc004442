"""Out-of-sample predictions of every row: each fold is predicted by a model that did not see it.

Source: Stone (1974), JRSS B 36 (cross-validation); Guo et al. (2017), ICML (temperature).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Mask, Matrix, Vector
from tilth.core.errors import NotApplicable
from tilth.core.ids import Digests, cell_digests
from tilth.core.rng import row_uniforms
from tilth.core.target import Target
from tilth.numerics.calibration import apply_temperature, fit_temperature
from tilth.operators.protocols import Learner, Model
from tilth.operators.view import View

__all__ = ["FOLDS", "calibrated", "fold_numbers", "out_of_sample", "part_of", "predicted_by_fold", "roughly"]

FOLDS = 5
_DECILES = np.linspace(0.1, 0.9, 9)


def fold_numbers(
    ids: pa.Array, target: Target, *, groups: IntVector | None = None, n_folds: int = FOLDS, seed: int = 0
) -> IntVector:
    """Return the fold (n,) in [0, n_folds) of each row; whole groups, classes (deciles of numbers) spread evenly.

    Rows are dealt out in an order that the digests of their ids decide, so that the order of rows does not matter.

    Parameters
    ----------
    ids : (n,) row ids
    target : the rows' targets; rows without one are dealt out too
    groups : (n,) codes of groups (or duplicates) that must stand in one fold; default None = every row alone
    n_folds : at least 2
    seed : the run's seed
    """
    digests = cell_digests(ids)
    codes = np.arange(len(ids)) if groups is None else np.unique(groups, return_inverse=True)[1]
    draws = row_uniforms(digests, seed, "learning", "folds")
    leaders, sizes = _leaders(codes, draws, digests)
    strata = _strata(target)
    order = np.lexsort((digests[leaders, 0], draws[leaders], -sizes, strata[leaders]))
    dealt = np.empty(len(leaders), dtype=np.intp)
    dealt[order] = _deal(sizes[order], strata[leaders][order], n_folds)
    return np.asarray(dealt[codes], dtype=np.intp)


def out_of_sample(
    learner: Learner,
    view: View,
    target: Target,
    folds: IntVector,
    *,
    prepared: Any = None,
    barred: Mask | None = None,
) -> Matrix:
    """Return out-of-sample predictions of every row: (n, k) calibrated probabilities, or (n, 1) numbers.

    One temperature, fitted on the rows that have a target, calibrates all rows; it never changes which class
    comes first. Costs one fit per fold, each started from the one before.

    Parameters
    ----------
    learner : the held learner
    view : n train rows
    target : their targets; rows without one are predicted but not learnt from
    folds : (n,) from `fold_numbers`
    prepared : from `learner.prepare`, if it is there already
    barred : (n, n_folds) rows that are not learnt from where a fold is held out, beside its own: what was made from its rows

    Raises
    ------
    NotApplicable : all rows with a target stand in one fold

    Source: Stone (1974), JRSS B 36; Guo et al. (2017), ICML.
    """
    return calibrated(predicted_by_fold(learner, view, target, folds, prepared=prepared, barred=barred), target)


def predicted_by_fold(
    learner: Learner,
    view: View,
    target: Target,
    folds: IntVector,
    *,
    prepared: Any = None,
    barred: Mask | None = None,
) -> Matrix:
    """Return out-of-sample predictions as the learner gives them; the first fold's model starts the other fits."""
    ready = learner.prepare(view) if prepared is None else prepared
    predicted: Matrix | None = None
    first: Model | None = None
    for fold in np.unique(folds):
        held = folds == fold
        unseen = held if barred is None else held | barred[:, fold]
        if not (target.mask & ~unseen).any():
            raise NotApplicable("out-of-sample predictions need labelled rows in at least two folds")
        model = learner.fit(view, target.only(~unseen), prepared=ready, start=first)
        first = model if first is None else first
        found = learner.predict_proba(part_of(view, learner.needs, np.flatnonzero(held)), model)
        predicted = np.zeros((len(view), found.shape[1])) if predicted is None else predicted
        predicted[held] = found
    if predicted is None:
        raise NotApplicable("there is no row to predict")
    return predicted


def roughly(learner: Learner) -> Learner:
    """Return the learner for fits that are only compared, where it knows a quicker way to about the same; else itself."""
    quicker: Any = getattr(learner, "roughly", None)
    return learner if quicker is None else quicker()


def calibrated(predicted: Matrix, target: Target) -> Matrix:
    """Return probabilities under the temperature that fits the targets best; numbers stay as they are."""
    if target.distribution is None:
        return predicted
    rows = np.flatnonzero(target.mask & (target.weights > 0))
    with np.errstate(divide="ignore"):
        logs = np.log(predicted)
    temperature = fit_temperature(logs[rows], target.distribution[rows], target.weights[rows])
    return apply_temperature(logs, temperature)


def part_of(view: View, needs: frozenset[str], rows: IntVector) -> View:
    """Return the view of some rows, with what the learner reads."""
    evidence = {need: _taken(getattr(view, need), rows) for need in sorted(needs)}
    return View(
        ids=view.take_ids(rows), schema=view.schema, evidence=evidence, needs=needs, spec=view.spec, seed=view.seed
    )


def _taken(values: Any, rows: IntVector) -> Any:
    return values[rows] if isinstance(values, np.ndarray) else values.take(pa.array(rows))


def _strata(target: Target) -> IntVector:
    """Return the class of each row, or the decile of its number; -1 without a target."""
    if target.distribution is not None:
        strata = target.distribution.argmax(axis=1)
    elif target.numbers is not None and target.mask.any():
        strata = np.searchsorted(np.quantile(target.numbers[target.mask], _DECILES), target.numbers)
    else:
        strata = np.zeros(len(target), dtype=np.intp)
    return np.where(target.mask, strata, -1).astype(np.intp)


def _leaders(codes: IntVector, draws: Vector, digests: Digests) -> tuple[IntVector, IntVector]:
    """Return, per group, its row with the smallest draw, and its size."""
    order = np.lexsort((digests[:, 1], digests[:, 0], draws, codes))
    _, first, sizes = np.unique(codes[order], return_index=True, return_counts=True)
    return order[first], sizes


def _deal(sizes: IntVector, strata: IntVector, n_folds: int) -> IntVector:
    """Deal groups, sorted by stratum, to folds: large ones to the emptiest fold of their stratum, single rows in turn."""
    folds = np.arange(len(sizes)) % n_folds
    if sizes.max(initial=1) == 1:
        return folds
    total = np.zeros(n_folds, dtype=np.intp)
    for stratum in np.unique(strata):
        inside = np.flatnonzero(strata == stratum)
        rows = np.zeros(n_folds, dtype=np.intp)
        for group in inside:
            best = int(np.lexsort((total, rows))[0])
            folds[group] = best
            rows[best] += sizes[group]
            total[best] += sizes[group]
    return folds
