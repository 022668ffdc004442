"""Label errors in regression: numbers too far from their prediction for the spread around them.

    z_i = (r_i - m_i) / s_i,   r = label - out-of-sample prediction
    m, s = median and scale of the residuals of the nearest rows, shrunk towards those of all rows
    tail: Student's t whose scale and degrees of freedom match the median and the 80 % point of |z|
    flagged where the false-discovery rate of the tail is at most `level`

Matching the tail to the residuals themselves keeps a heavy-tailed world from being called full of errors.

Source: Rousseeuw, Leroy (1987), Robust Regression and Outlier Detection, chapter 5 (robust z); Efron (2004),
Large-scale simultaneous hypothesis testing, JASA 99 (the empirical null).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tilth.core.errors import NotApplicable
from tilth.detection._shared import benjamini_hochberg, doubtable, refuse_few_rows, share_of
from tilth.numerics.distributions import student_point, student_tail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tilth.core.arrays import Mask, Vector
    from tilth.core.finding import Finding
    from tilth.operators.view import Scope, View

__all__ = ["LabelErrorRegression", "local_z", "t_tail"]

PRIOR_ROWS = 5
"""Weight of all rows, in rows, when a neighbourhood's median and scale are shrunk towards theirs."""
NORMAL = 0.6744897501960817
"""Median of the magnitude of a standard normal number."""


def local_z(residuals: Vector, positions: np.ndarray, usable: Mask) -> tuple[Vector, Vector]:
    """Return residuals in units of the spread around them, and that spread.

    Median and scale (1.48 median |r|) come from each row's nearest rows, mixed with those of all rows as if
    they were five more neighbours; a spread that varies over the features is followed, a handful of
    neighbours is not believed alone. O(n k).

    Parameters
    ----------
    residuals : Vector, (n,)
        Label minus out-of-sample prediction; any number where not usable.
    positions : array, (n, k)
        Positions of the nearest other rows; k = 0 uses all rows alone.
    usable : Mask, (n,)
        Rows with a label.

    Returns
    -------
    z : Vector, (n,)
        Signed; 0 where not usable or where the residuals do not vary.
    scale : Vector, (n,)
        Local spread >= 0, in the unit of the label.

    Randomness
    ----------
    None.

    Source
    ------
    Rousseeuw, Leroy (1987), Robust Regression and Outlier Detection, section 5.1.

    Examples
    --------
    >>> alone = np.empty((3, 0), dtype=int)
    >>> local_z(np.array([-1.0, 0.0, 1.0]), alone, np.ones(3, dtype=bool))[1].round(2).tolist()
    [1.48, 1.48, 1.48]
    """
    known = np.where(usable, residuals, np.nan)
    centre = float(np.median(known[usable]))
    spread = float(np.median(np.abs(known[usable] - centre))) / NORMAL
    say = usable[positions].sum(axis=1)
    trust = say / (say + PRIOR_ROWS)
    middle = (1 - trust) * centre + trust * _median_of(known[positions], centre)
    near = np.abs(known[positions] - middle[:, None])
    scale = (1 - trust) * spread + trust * _median_of(near, spread * NORMAL) / NORMAL
    z = np.divide(known - middle, scale, out=np.zeros(len(known)), where=usable & (scale > 0))
    return z, scale


def _median_of(values: np.ndarray, otherwise: float) -> Vector:
    """Median of each row without its gaps; `otherwise` where a row holds none."""
    rows = np.isfinite(values).any(axis=1) if values.shape[1] else np.zeros(len(values), dtype=bool)
    medians = np.full(len(values), otherwise)
    medians[rows] = np.nanmedian(values[rows], axis=1) if rows.any() else 0.0
    return medians


def t_tail(z: Vector) -> Vector:
    """Return the probability that a row without error is as far out, by a t law fitted to the bulk.

    Scale and degrees of freedom (1 to infinity) match the median and the 80 % point of |z|, which a fifth
    of errors barely moves. O(n).

    Parameters
    ----------
    z : Vector, (n,)
        Robust z of rows with a label.

    Returns
    -------
    Vector, (n,)
        Two-sided p-values in [0, 1]; all 1 where half of the z are 0, since no bulk shows.

    Randomness
    ----------
    None.

    Source
    ------
    Efron (2004), Large-scale simultaneous hypothesis testing, JASA 99, section 5.

    Examples
    --------
    >>> t_tail(np.array([-2.0, -1.0, 1.0, 2.0])).shape
    (4,)
    """
    size = np.abs(z)
    middle, wide = np.quantile(size, [0.5, 0.8])
    if middle <= 0:
        return np.ones(len(z))
    degrees = 1 / np.linspace(1.0, 1e-3, 400)
    ratios = student_point(0.1, degrees) / student_point(0.25, degrees)
    df = float(np.interp(wide / middle, ratios[::-1], degrees[::-1]))
    return 2 * student_tail(size * (student_point(0.25, df) / middle), df)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelErrorRegression:
    """Flag numeric labels that lie too far from their prediction for the spread around them.

    Severity is 1 minus the share of false alarms among all rows at least as far out; a label that a person
    confirmed is never doubted.

    Parameters
    ----------
    k : int
        Neighbours that tell the local spread; default 20, fewer where the view holds fewer, none where it
        has none.
    level : float
        Accepted share of false alarms among the flagged rows; default 0.1.
    least_rows : int
        Fewer labelled rows do not show a spread; default 50.

    Raises
    ------
    NotApplicable
        The label is a class, there are too few labelled rows, or the residuals do not vary.

    Randomness
    ----------
    None.

    Source
    ------
    Efron (2004), JASA 99; Benjamini, Hochberg (1995), JRSS B 57.
    """

    k: int = 20
    level: float = 0.1
    least_rows: int = 50

    needs: ClassVar[frozenset[str]] = frozenset({"numbers", "predictions", "neighbours", "trusted"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def find(self, view: View) -> Sequence[Finding]:
        """Return one finding about the rows, or none when every label fits."""
        if not view.schema.task.is_regression:
            raise NotApplicable("it reads numeric labels, and the label is a class")
        usable = view.labelled
        refuse_few_rows(int(usable.sum()), self.least_rows)
        near = view.neighbours.positions[:, : self.k] if view.has("neighbours") else np.empty((len(view), 0), np.intp)
        z, scale = local_z(view.numbers - view.predictions, near, usable)
        if not (np.quantile(np.abs(z[usable]), 0.5) > 0):
            raise NotApplicable("most labels equal their prediction, so that no spread can be told")
        severity = np.zeros(len(view))
        severity[usable] = 1 - benjamini_hochberg(t_tail(z[usable]))
        severity = np.where(doubtable(view), severity, 0.0)
        flagged = severity >= 1 - self.level
        return [self._report(view, z, scale, severity, flagged)] if flagged.any() else []

    def _report(self, view: View, z: Vector, scale: Vector, severity: Vector, flagged: Mask) -> Finding:
        worst = int(np.argmax(np.where(flagged, np.abs(z), -1.0)))
        return view.finding(
            "label_error",
            severity,
            flagged=flagged,
            summary=f"{share_of(int(flagged.sum()), int(view.labelled.sum()))} carry a number far from "
            f"its prediction; "
            f"the farthest is {view.numbers[worst]:,.6g} where {view.predictions[worst]:,.6g} was expected, "
            f"{abs(z[worst]):.1f} times the usual spread there.",
            threshold=f"so far out that at most {100 * self.level:g} % of the flagged rows are false "
            f"alarms, by the tail of "
            "all residuals",
            suggestion="have the worst confirmed by a person: a wrong unit, a shifted digit or a swapped row is common",
            evidence={
                "given": view.numbers,
                "suggested": view.predictions,
                "usual_spread": scale,
                "z": z,
            },
        )
