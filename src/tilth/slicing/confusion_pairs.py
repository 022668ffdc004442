"""Confusion pairs: which class is taken for which more often than the margins let expect.

    expected errors(a -> b) = errors among rows of a  x  errors predicted b  /  errors

With the diagonal left out, the table of errors has structural zeros, so the margins are fitted by iterated proportions; a pair
is tested by the likelihood ratio of a model in which it has an expectation of its own.

Source: Bishop, Fienberg, Holland (1975), Discrete Multivariate Analysis, 5.2 (quasi-independence of incomplete tables); Deming,
Stephan (1940), On a least squares adjustment of a sampled frequency table, Annals of Mathematical Statistics 11.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tilth.core.errors import NotApplicable
from tilth.core.found_slice import FoundSlice
from tilth.core.slice import Slice
from tilth.engine.predicate import written_name
from tilth.numerics.distributions import normal_tail, student_tail
from tilth.numerics.selected import harmonic, selected_q
from tilth.slicing._shared import estimate_of, scored_rows, written_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tilth.core.arrays import IntVector, Mask, Matrix
    from tilth.core.estimate import Estimate
    from tilth.operators.view import Scope, View

__all__ = ["PREDICTION", "ConfusionPairs", "expected_errors", "unusual_pairs"]

PREDICTION = "tilth_predicted"
"""The column of predicates that holds the predicted class."""
_ROUNDS = 100
_MOST_TRIED = 60
_TINY = 1e-300


def expected_errors(errors: NDArray[np.int64], unusual: Mask | None = None) -> Matrix:
    """Return how many rows of each given class would be predicted as each other class, if only the margins mattered.

    Factors of rows and columns by iterated proportions over the cells off the diagonal; O(rounds k^2).

    Parameters
    ----------
    errors : (k, k) rows by given class and predicted class; the diagonal is not looked at
    unusual : (k, k) cells from which the margins are not to be learnt; what the others let expect of them is returned

    Returns
    -------
    Matrix, (k, k)
        Same sums of rows and columns as the errors, over the usual cells; 0 on the diagonal.

    Randomness
    ----------
    None.

    Source
    ------
    Bishop, Fienberg, Holland (1975), Discrete Multivariate Analysis, 5.2.

    Examples
    --------
    >>> expected_errors(np.array([[9, 2, 2], [2, 9, 2], [2, 2, 9]])).round(6).tolist()
    [[0.0, 2.0, 2.0], [2.0, 0.0, 2.0], [2.0, 2.0, 0.0]]
    """
    off = ~np.eye(len(errors), dtype=bool)
    used = (off if unusual is None else off & ~unusual).astype(np.float64)
    of_rows, of_columns = (errors * used).sum(axis=1), (errors * used).sum(axis=0)
    rows, columns = np.ones(len(errors)), np.ones(len(errors))
    for _ in range(_ROUNDS):
        rows = of_rows / np.maximum(used @ columns, _TINY)
        columns = of_columns / np.maximum(rows @ used, _TINY)
    return np.asarray(np.outer(rows, columns) * off)


def unusual_pairs(
    errors: NDArray[np.int64], most: int, least_rows: int, tail: float
) -> list[tuple[tuple[int, int], float]]:
    """Return cells that hold more errors than the margins let expect, with their p-values; (k, k).

    One after the other, the most improbable first: what it holds no longer counts in the margins of the others, where it would
    make pairs look frequent that are not. At most `most`, none with a p-value above `tail`.
    """
    unusual = np.zeros(errors.shape, dtype=bool)
    found: list[tuple[tuple[int, int], float]] = []
    while len(found) < most:
        p_values = {cell: _p_value(errors, unusual, cell) for cell in _candidates(errors, unusual, least_rows)}
        best = min(p_values, key=lambda cell: (p_values[cell], cell), default=None)
        if best is None or p_values[best] > tail:
            break
        found.append((best, p_values[best]))
        unusual[best] = True
    return found


def _candidates(errors: NDArray[np.int64], unusual: Mask, least_rows: int) -> list[tuple[int, int]]:
    """Return the cells that hold most errors."""
    open_cells = np.where(unusual | np.eye(len(errors), dtype=bool), 0, errors)
    order = np.argsort(-open_cells, axis=None, kind="stable")[:_MOST_TRIED]
    cells = [divmod(int(place), len(errors)) for place in order]
    return [cell for cell in cells if open_cells[cell] >= least_rows]


def _p_value(errors: NDArray[np.int64], unusual: Mask, cell: tuple[int, int]) -> float:
    """Return the p-value of a cell holding no more than expected: the signed root of the likelihood ratio, if it is open or not."""
    without = unusual.copy()
    without[cell] = True
    with_it, apart = expected_errors(errors, unusual), expected_errors(errors, without)
    if errors[cell] <= apart[cell]:
        return 1.0
    used = ~np.eye(len(errors), dtype=bool) & ~unusual & (errors > 0)
    apart[cell] = errors[cell]
    ratio = 2 * float((errors[used] * np.log(np.maximum(apart[used], _TINY) / np.maximum(with_it[used], _TINY))).sum())
    return float(normal_tail(np.sqrt(max(ratio, 0.0))))


def _together(cases: Mask, share: float, groups: IntVector) -> float:
    """Return the p-value of errors being of a pair no oftener than expected, rows of a group taken together; (m,), (m,)."""
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], cases - share)
    squares = float(np.square(sums).sum())
    df = squares**2 / max(float((sums**4).sum()), _TINY) - 1
    if not (squares > 0 and df > 1e-9):
        return 1.0
    return float(student_tail(sums.sum() / np.sqrt(squares), df))


def _score(view: View, rows: Mask) -> Estimate:
    groups = view.groups[rows] if view.has("groups") else None
    return estimate_of(np.asarray(view.scores)[rows], groups=groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfusionPairs:
    """Find pairs of classes of which one is taken for the other more often than their frequencies let expect.

    Every row of such a slice is wrong; its p-value is of the pair holding no more errors than expected.

    Parameters
    ----------
    least_rows : int
        Errors of a pair at least; default 5.
    most : int
        Pairs at most; default 10.
    level : float
        Greatest q-value; default 0.05.

    Raises
    ------
    NotApplicable
        The label is a number, there are fewer than three classes, or no row has a label and a score.

    Randomness
    ----------
    None.

    Source
    ------
    Bishop, Fienberg, Holland (1975), Discrete Multivariate Analysis, 5.2.
    """

    least_rows: int = 5
    most: int = 10
    level: float = 0.05

    needs: ClassVar[frozenset[str]] = frozenset({"groups", "labels", "pred_probs", "scores"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 2

    def discover(self, view: View) -> Sequence[FoundSlice]:
        """Return the pairs, the one of most rows first; an empty list where errors are as the margins let expect."""
        if view.schema.task.is_regression or view.n_classes < 3:
            raise NotApplicable("confusions need three classes or more: with two, the errors of each are all there are")
        scored, k = scored_rows(view), view.n_classes
        given, said = view.labels, view.pred_probs.argmax(axis=1)
        known = view.labelled & np.isfinite(np.asarray(view.scores))
        errors = np.bincount(given[known] * k + said[known], minlength=k * k).reshape(k, k)
        np.fill_diagonal(errors, 0)
        searched = k * (k - 1)
        pairs = unusual_pairs(
            errors, self.most, self.least_rows, self.level * self.most / harmonic(self.most) / searched
        )
        cells = tuple(np.array([pair for pair, _ in pairs], dtype=np.intp).reshape(-1, 2).T)
        unusual = np.zeros((k, k), dtype=bool)
        unusual[cells] = True
        expected = expected_errors(errors, unusual)
        if view.has("groups"):
            wrong = np.flatnonzero(known & (given != said))
            cases = given[wrong] * k + said[wrong]
            shares = expected / max(int(errors.sum()), 1)
            pairs = [
                (pair, max(p, _together(cases == pair[0] * k + pair[1], float(shares[pair]), view.groups[wrong])))
                for pair, p in pairs
            ]
        p_of = np.array([p_value for _, p_value in pairs])
        q_values = selected_q(p_of, np.full(len(pairs), 1 / searched), self.most)
        slices = [
            FoundSlice(
                slice=self._slice(view, pair, int(errors[pair]), float(expected[pair])),
                membership=(known & (given == pair[0]) & (said == pair[1])).astype(np.float64),
                score=_score(view, known & (given == pair[0]) & (said == pair[1])),
                overall=float(scored.scores.mean()),
                p_value=p_value,
                q_value=float(q),
            )
            for (pair, p_value), q in zip(pairs, q_values, strict=True)
            if q <= self.level
        ]
        return sorted(slices, key=lambda one: (one.score.high, one.q_value, one.slice.name))

    def _slice(self, view: View, pair: tuple[int, int], rows: int, expected: float) -> Slice:
        given, said = (view.classes[c] for c in pair)
        label = written_name(view.schema.task.label)
        return Slice(
            name=f"{given} taken for {said}",
            where=f"{label} = {written_text(given)} AND {PREDICTION} = {written_text(said)}",
            operator=view.spec,
            summary=f"{rows:,} rows of {given} are predicted as {said}, where {expected:.1f} would be expected.",
            facts={"given": given, "predicted": said, "expected_rows": expected},
        )
