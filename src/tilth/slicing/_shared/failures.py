"""Failures: rows with their scores, in an order of their ids, and which of them fail alike."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tilth.core.errors import NotApplicable
from tilth.core.ids import cell_digests

if TYPE_CHECKING:
    from tilth.core.arrays import FloatMatrix32, IntVector, Mask, Matrix, Vector
    from tilth.operators.view import View

__all__ = ["LEAST_FAILING", "Failures", "failures_of"]

LEAST_FAILING = 8
"""Failing rows below which nothing is searched."""
SUREST = 1e-3
"""A prediction is taken for no surer than this of a class being out of the question."""
WORST, BAD = 0.1, 0.4
"""Shares of the rows by score that count as failing, and as not good, where all that is known of errors is a score."""
MOST_ROWS = 100_000
"""Rows that are searched and tested on: of more those first by the digest of their id, a random part that stays when others come."""
MOST_SURPRISE = 5.0
"""Standard deviations at which the badness of a single score ends."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Failures:
    """Rows of a view that have a score, in an order that hangs on their ids alone.

    Parameters
    ----------
    rows : (n,) positions in the view
    folds : (n,) which part of the rows each belongs to, by its id, or by that of the first row of its group
    features : (n, d)
    scores : (n,) higher is better
    groups : (n,) rows that fail, or do not, alike have one number
    fails : (n,)
    terms : distributions over kinds (n, k) that are known of each row
    surprise : (n,) how much worse a row fares than expected of it; 0 on average where predictions are calibrated
    residuals : (n, q) what predictions lack: label minus probability per class, or mean score minus score
    together : (n,) code of the group of each row, whose rows are not independent; each its own where there are no groups
    has_groups : whether there are
    """

    rows: IntVector
    folds: IntVector
    features: FloatMatrix32
    scores: Vector
    groups: IntVector
    fails: Mask
    terms: tuple[Matrix, ...]
    surprise: Vector
    residuals: Matrix
    together: IntVector
    has_groups: bool

    @property
    def clusters(self) -> IntVector | None:
        """Code of the group of each row, or None where rows are independent."""
        return self.together if self.has_groups else None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.rows)

    def take(self, which: Mask) -> Failures:
        """Return some of the rows."""
        arrays = {f.name: getattr(self, f.name)[which] for f in fields(self) if f.name not in ("terms", "has_groups")}
        return replace(self, **arrays, terms=tuple(term[which] for term in self.terms))

    @property
    def worse(self) -> Vector:
        """How much worse than expected rows fare, 0 where they do not; (n,), never 0 altogether."""
        return np.asarray(np.maximum(self.surprise, 0.0) + 1e-6)


class _Known(NamedTuple):
    """What is known of errors, as in `Failures`."""

    groups: IntVector
    fails: Mask
    terms: tuple[Matrix, ...]
    surprise: Vector
    residuals: Matrix


def failures_of(view: View, *, folds: int, least_rows: int) -> Failures:
    """Return the rows that have a score and features, 100,000 at most; NotApplicable where they are few, or all score alike."""
    if not view.has("scores") or not view.has("embeddings"):
        raise NotApplicable("it reads scores of predictions and embeddings, and this data has not both")
    scores, features = np.asarray(view.scores, dtype=np.float64), view.embeddings
    with np.errstate(invalid="ignore"):  # infinities of both signs in one row
        usable = np.isfinite(scores) & np.isfinite(features.sum(axis=1, dtype=np.float64))
    if view.has("labels") or view.has("numbers"):
        usable &= view.labelled
    digests = cell_digests(view.ids)
    order = np.lexsort((digests[:, 1], digests[:, 0]))
    rows = order[usable[order]][:MOST_ROWS]
    if len(rows) < least_rows:
        raise NotApplicable(f"{len(rows):,} rows with a score are fewer than the {least_rows:,} that it needs")
    scores = scores[rows]
    if np.ptp(scores) <= 1e-12 * max(1.0, float(np.abs(scores).max())):
        raise NotApplicable("all rows score alike, so that none fares worse than others")
    of_classes = view.has("labels") and view.has("pred_probs") and view.n_classes > 1
    known = _of_classes(view, rows) if of_classes else _of_scores(scores)
    has_groups = view.has("groups")
    _, first, together = np.unique(view.groups[rows] if has_groups else rows, return_index=True, return_inverse=True)
    return Failures(
        rows=rows,
        folds=(digests[rows[first[together]], 1] % np.uint64(folds)).astype(np.intp),
        features=features[rows],
        scores=scores,
        groups=known.groups,
        fails=known.fails,
        terms=known.terms,
        surprise=known.surprise,
        residuals=known.residuals,
        together=together.astype(np.intp),
        has_groups=has_groups,
    )


def _of_classes(view: View, rows: IntVector) -> _Known:
    probs, labels = np.asarray(view.pred_probs[rows], dtype=np.float64), view.labels[rows]
    k = probs.shape[1]
    hot, said = np.eye(k)[labels], probs.argmax(axis=1)
    own = np.maximum(probs[np.arange(len(rows)), labels], SUREST)
    expected = -(probs * np.log(np.maximum(probs, SUREST))).sum(axis=1)
    return _Known(labels * k + said, said != labels, (hot, probs), -np.log(own) - expected, hot - probs)


def _of_scores(scores: Vector) -> _Known:
    """Cut rows by their score; the lowest of a score of two values fail."""
    worst, bad = np.quantile(scores, [WORST, BAD])
    worst = min(float(worst), float(scores[scores < scores.max()].max()))
    kinds = np.where(scores <= worst, 0, np.where(scores <= bad, 1, 2)).astype(np.intp)
    lacks = np.clip((scores.mean() - scores) / scores.std(), -MOST_SURPRISE, MOST_SURPRISE)
    return _Known(kinds, kinds == 0, (np.eye(3)[kinds],), lacks, lacks[:, None])
