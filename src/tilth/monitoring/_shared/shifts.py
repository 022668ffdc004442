"""Pseudo-shifts: labelled rows split in two as if one part were new, so that an estimator's error on it is known.

Slices are left out, and rows are drawn with a tilt: along the main directions of the embeddings, by confidence, by what
confidence does not explain of the score, by class, by declared slice.

Source: Guillory et al. (2021), ICCV, section 4 (errors on shifts that are made foretell errors on others); Stone (1974),
JRSS B 36.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tilth.core.arrays import IntVector, Matrix, Vector

__all__ = ["PseudoShift", "distance_between", "pseudo_shifts"]

_DIRECTIONS, _CLASSES, _SLICES = 6, 6, 10
_TAIL, _TILT = 0.2, 1.0
_FEWEST = 20
_FARTHEST = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class PseudoShift:
    """Which labelled rows stand for the reference, and which for new rows."""

    name: str
    reference: IntVector
    current: IntVector


def pseudo_shifts(
    evidence: Mapping[str, Any], directions: Matrix | None, rng: np.random.Generator
) -> Iterator[PseudoShift]:
    """Yield shifts made of labelled rows (n), those with too few rows left out.

    Parameters
    ----------
    evidence : scores (n,), and what else there is of pred_probs (n, k), labels (n,), slices
    directions : (n, a) main directions of the embeddings, or None
    rng : draws the tilted rows
    """
    n = len(evidence["scores"])
    for name, values in _axes(evidence, directions):
        order = np.argsort(values, kind="stable")
        tail = int(_TAIL * n)
        yield from _left_out(f"low {name}", n, order[:tail])
        yield from _left_out(f"high {name}", n, order[-tail:])
        ranks = np.empty(n)
        ranks[order] = (np.arange(n) + 0.5) / n - 0.5
        for sign in (-1.0, 1.0):
            yield from _drawn(f"tilt {name}", np.exp(4 * sign * _TILT * ranks), rng)
    for name, member in _groups(evidence):
        yield from _left_out(name, n, np.flatnonzero(member))
        yield from _drawn(f"more of {name}", np.where(member, 3.0, 1.0), rng)


def _left_out(name: str, n: int, rows: IntVector) -> Iterator[PseudoShift]:
    rest = np.setdiff1d(np.arange(n), rows)
    if min(len(rows), len(rest)) >= _FEWEST:
        yield PseudoShift(name, rest, np.sort(rows))


def _drawn(name: str, weights: Vector, rng: np.random.Generator) -> Iterator[PseudoShift]:
    """Draw half of one half of the rows by weight; the other half stands for the reference."""
    order = rng.permutation(len(weights))
    rest, half = np.sort(order[: len(order) // 2]), order[len(order) // 2 :]
    keys = np.log(rng.random(len(half))) / weights[half]
    rows = np.sort(half[np.argsort(-keys)[: len(half) // 2]])
    if min(len(rows), len(rest)) >= _FEWEST:
        yield PseudoShift(name, rest, rows)


def _axes(evidence: Mapping[str, Any], directions: Matrix | None) -> Iterator[tuple[str, Vector]]:
    """Numbers along which rows may shift."""
    scores, sure = evidence["scores"], None
    if "pred_probs" in evidence:
        sure = np.asarray(evidence["pred_probs"].max(axis=1))
        yield "confidence", sure
    if directions is not None and directions.shape[1]:
        for j in range(min(_DIRECTIONS, directions.shape[1])):
            yield f"direction {j + 1}", directions[:, j]
        yield "surprise", _expected_surprise(directions, scores - (sure if sure is not None else scores.mean()))


def _expected_surprise(directions: Matrix, surprise: Vector) -> Vector:
    """Return how far the score of each row is expected above its confidence, by ridge regression on the directions."""
    n, a = directions.shape
    slope = np.linalg.solve(
        directions.T @ directions + 0.05 * n * np.eye(a), directions.T @ (surprise - surprise.mean())
    )
    return np.asarray(directions @ slope)


def _groups(evidence: Mapping[str, Any]) -> Iterator[tuple[str, np.ndarray]]:
    """Groups that may become frequent: the most frequent classes, and declared slices."""
    if "labels" in evidence:
        counts = np.bincount(evidence["labels"])
        for label in np.argsort(-counts, kind="stable")[:_CLASSES]:
            yield f"class {label}", evidence["labels"] == label
    for name, member in list(evidence.get("slices", {}).items())[:_SLICES]:
        yield f"slice {name}", member >= 0.5


def distance_between(reference: Matrix, current: Matrix) -> float:
    """Return how far apart the means of two sets are, in standard deviations of the reference, less what chance brings.

        D² = sum_j (mean difference_j)² - var_ref_j / n - var_cur_j / m,   at least 0, and at most 5²

    Five standard deviations are beyond any reference row: what lies there is foreign, however far.

    Parameters
    ----------
    reference, current : (n, a) and (m, a), scaled by the reference
    """
    gap = np.square(reference.mean(axis=0) - current.mean(axis=0))
    chance = reference.var(axis=0) / len(reference) + current.var(axis=0) / len(current)
    return float(np.sqrt(max(np.minimum(gap - chance, _FARTHEST**2).sum(), 0.0)))
