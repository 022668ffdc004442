"""Does a model lean on an attribute that it could do without: errors with and without the attribute's trace in the features.

    even error = mean over classes of  (err where the attribute speaks for the label + err where it speaks against it) / 2
    w = (S + ridge)^-1 v,   v = pooled within-class difference of means,   x' = x - v (w·x) / (w·v)

The even error is that of a world in which the attribute tells nothing. Given the label, x' tells nothing linear of the attribute.
If the even error falls much with the trace, the rest of the features could have told the label, and the model went by the attribute
instead. If it hardly falls, the model loses as much where the attribute is right as it gains where it is wrong: the attribute carries
what nothing else does, and whether it ought to is for a person to say.

Source: Geirhos et al. (2020), Shortcut Learning in Deep Neural Networks, Nature Machine Intelligence 2 (what a shortcut is); Ravfogel,
Elazar, Gonen, Twiton, Goldberg (2020), Null It Out, ACL (taking an attribute's linear trace away); Mantel, Haenszel (1959), Statistical
Aspects of the Analysis of Data from Retrospective Studies, JNCI 22 (the test within classes).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tilth.core.arrays import FloatMatrix32, IntVector, Mask, Matrix, Vector
from tilth.numerics import softmax_regression
from tilth.numerics.distributions import normal_tail

__all__ = ["Lean", "Within", "held_out_errors", "lean_p_value", "speaks_for", "within_slice", "without_trace"]

_PENALTIES = (1e-2, 1e-3, 1e-4)
_CLOSE = 1e-3
"""Of the Newton decrement: decisions are compared, not probabilities."""
_RIDGE = 0.01
"""Share of the mean variance that is added to every direction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lean:
    """Held-out errors where the attribute speaks for the label, and where against it, with its trace and without.

    Every figure is the mean over the classes that have rows of both kinds. `p_value` is that of no fall of the even error.
    """

    before_for: float
    before_against: float
    after_for: float
    after_against: float
    p_value: float

    @property
    def before(self) -> float:
        """The even error with the trace."""
        return (self.before_for + self.before_against) / 2

    @property
    def after(self) -> float:
        """The even error without the trace."""
        return (self.after_for + self.after_against) / 2

    @classmethod
    def of(cls, before: Vector, after: Vector, labels: IntVector, agrees: Mask) -> Lean:
        """Return the mean errors over classes; (n,), (n,), (n,), (n,)."""
        shares_for, shares_against = _shares(labels, agrees), _shares(labels, ~agrees)
        fall = (shares_for + shares_against) * (before - after) / 2
        return cls(
            before_for=float(shares_for @ before),
            before_against=float(shares_against @ before),
            after_for=float(shares_for @ after),
            after_against=float(shares_against @ after),
            p_value=_p_value(fall, labels * 2 + agrees),
        )


def _shares(labels: IntVector, side: Mask) -> Vector:
    """Return what each row counts in a mean over classes of one side's rows; (n,), (n,) -> (n,)."""
    cells = np.bincount(labels * 2 + side)
    counts = np.pad(cells, (0, len(cells) % 2)).reshape(-1, 2)
    has_both = counts.min(axis=1) > 0
    shares = np.where(side & has_both[labels], 1 / np.maximum(counts[labels, 1], 1), 0.0)
    return np.asarray(shares / max(int(has_both.sum()), 1))


def _p_value(parts: Vector, strata: IntVector) -> float:
    """Return the one-sided p-value of a sum that is 0 on average, its variance taken within strata."""
    sizes = np.maximum(np.bincount(strata), 1)
    means = np.bincount(strata, parts) / sizes
    variance = float(np.square(parts - means[strata]).sum())
    return float(normal_tail(parts.sum() / np.sqrt(variance))) if variance > 0 else 1.0


def speaks_for(attribute: Mask, labels: IntVector, n_classes: int) -> Mask:
    """Return the rows whose attribute speaks for their label: it is commoner in their class than in all, or absent and rarer.

    (n,), (n,) -> (n,).
    """
    counts = np.bincount(labels, minlength=n_classes)
    rate = np.bincount(labels, attribute, minlength=n_classes) / np.maximum(counts, 1)
    is_common = rate > rate[counts > 0].mean()
    return np.asarray(is_common[labels] == attribute)


def lean_p_value(wrong: Mask, labels: IntVector, agrees: Mask) -> float:
    """Return the p-value of no more errors, within classes, where the attribute speaks against the label; (n,), (n,), (n,)."""
    excess = variance = 0.0
    for c in np.unique(labels):
        inside = labels == c
        n, against, errors = int(inside.sum()), int((~agrees[inside]).sum()), int(wrong[inside].sum())
        if n < 2:
            continue
        excess += int((wrong & ~agrees & inside).sum()) - against * errors / n
        variance += against * (n - against) * errors * (n - errors) / (n**2 * (n - 1))
    return float(normal_tail((excess - 0.5) / np.sqrt(variance))) if variance > 0 else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """How an attribute tells a class within a slice and elsewhere: log odds ratios, and the shares that they come from.

    `inside` and `outside` are the shares of the class among rows with the attribute, and among those without. `p_value` is that of
    the slice keeping at least some share of the log odds elsewhere.
    """

    inside: tuple[float, float]
    outside: tuple[float, float]
    p_value: float


def within_slice(attribute: Mask, is_class: Mask, inside: Mask, kept: float = 0.5) -> Within:
    """Return how an attribute tells a class within a slice and elsewhere; (n,), (n,), (n,). O(n).

    z = (kept L_out - L_in) / sqrt(kept² v_out + v_in),   L, v: log odds ratio and its variance, half a row added to each cell

    Odds ratios do not move where a slice only has more rows of a class, or of the attribute, than there are elsewhere. The sign is
    that of the odds elsewhere. `p_value` is 1 where either side lacks rows with the attribute, without it, of the class or of others.

    Source
    ------
    Woolf (1955), On estimating the relation between blood group and disease, Annals of Human Genetics 19; Haldane (1956), the same 20.

    Examples
    --------
    >>> attribute, is_class = np.array([True, True, False, False] * 20), np.array([True, True, False, False] * 20)
    >>> is_class[:40] = np.tile([True, False], 20)
    >>> bool(within_slice(attribute, is_class, np.arange(80) < 40).p_value < 0.01)
    True
    """
    here, there = (_cells(attribute[rows], is_class[rows]) for rows in (inside, ~inside))
    shares = [(cells[1] / np.maximum(cells.sum(axis=0), 1)).tolist() for cells in (here, there)]
    lacking = any((cells.sum(axis=axis) == 0).any() for cells in (here, there) for axis in (0, 1))
    p_value = 1.0
    if not lacking:
        (log_in, var_in), (log_out, var_out) = _log_odds(here), _log_odds(there)
        turn = 1.0 if log_out >= 0 else -1.0
        p_value = float(normal_tail(turn * (kept * log_out - log_in) / np.sqrt(kept**2 * var_out + var_in)))
    return Within(inside=(shares[0][1], shares[0][0]), outside=(shares[1][1], shares[1][0]), p_value=p_value)


def _cells(attribute: Mask, is_class: Mask) -> Matrix:
    """Return counts by class (rows: other, class) and attribute (columns: without, with); (n,), (n,) -> (2, 2)."""
    counts = np.bincount(is_class.astype(np.intp) * 2 + attribute, minlength=4)
    return counts.reshape(2, 2).astype(np.float64)


def _log_odds(cells: Matrix) -> tuple[float, float]:
    more = cells + 0.5
    value = np.log(more[1, 1] * more[0, 0] / (more[1, 0] * more[0, 1]))
    return float(value), float((1 / more).sum())


def without_trace(features: FloatMatrix32, attribute: Mask, labels: IntVector) -> FloatMatrix32:
    """Return features whose best linear guess of the attribute, given the label, is gone; (n, d), (n,), (n,) -> (n, d). O(n d² + d³)."""
    given = attribute.astype(np.float64)
    centred = np.array(features, dtype=np.float64)
    for c in np.unique(labels):
        rows = labels == c
        centred[rows] -= centred[rows].mean(axis=0)
        given[rows] -= given[rows].mean()
    if not given.any():
        return features
    toward = centred.T @ given / (given @ given)
    centred -= given[:, None] * toward
    spread = centred.T @ centred / len(centred)
    spread[np.diag_indices_from(spread)] += _RIDGE * np.trace(spread) / len(spread) + 1e-12
    across = np.linalg.solve(spread, toward)
    length = float(across @ toward)
    if not length > 0:
        return features
    return np.asarray(features - np.outer(features @ across, toward) / length, dtype=np.float32)


def held_out_errors(features: FloatMatrix32, labels: IntVector, folds: IntVector) -> Vector:
    """Return 1 for rows that a linear fit without their fold gets wrong; (n, d), (n,), (n,) -> (n,). The penalty is chosen by log loss."""
    targets = np.eye(int(labels.max()) + 1)[labels]
    design = softmax_regression.prepare(features, min(_PENALTIES))
    projected = design.project(features)
    best, least = np.zeros(len(labels)), np.inf
    models: dict[int, softmax_regression.SoftmaxFit] = {}
    for l2 in _PENALTIES:
        probs = _held_out(projected, targets, folds, replace(design, l2=l2), models)
        loss = -float(np.log(np.maximum(probs[np.arange(len(labels)), labels], 1e-12)).sum())
        if loss >= least:
            break
        least, best = loss, np.asarray(probs.argmax(axis=1) != labels, dtype=np.float64)
    return best


def _held_out(
    projected: Matrix,
    targets: Matrix,
    folds: IntVector,
    design: softmax_regression.Design,
    models: dict[int, softmax_regression.SoftmaxFit],
) -> Matrix:
    """Return probabilities of held-out rows; `models` are those of a stronger penalty, from which these start, and which they replace."""
    probs, last = np.zeros_like(targets), None
    for fold in np.unique(folds).tolist():
        held = folds == fold
        start, weights = models.get(fold, last), np.ones(int((~held).sum()))
        last = softmax_regression.fit(projected[~held], targets[~held], weights, design, start, tolerance=_CLOSE)
        probs[held] = softmax_regression.predict_proba(projected[held], last)
        models[fold] = last
    return probs
