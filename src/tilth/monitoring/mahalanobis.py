"""Distance from the nearest class: how far a row lies from every class's centre, in standard deviations of the classes.

    s(x) = min_c (x - m_c)' S^-1 (x - m_c),     S = (1 - a) S_within + a (tr S_within / d) I

The share a is that of Ledoit and Wolf, which shrinks much where rows are few for so many features.

Source: Lee, Lee, Lee, Shin (2018), A simple unified framework for detecting out-of-distribution samples and adversarial
attacks, NeurIPS, section 2.1; Ledoit, Wolf (2004), A well-conditioned estimator for large-dimensional covariance
matrices, Journal of Multivariate Analysis 88.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import FloatMatrix32, IntVector, Matrix, Vector
from tilth.core.errors import NotApplicable
from tilth.operators.view import View

__all__ = ["Mahalanobis", "class_distance", "shrunk_covariance"]

_BLOCK = 8_192


def shrunk_covariance(centred: Matrix) -> Matrix:
    """Return the covariance of centred rows, shrunk to a multiple of the identity; (n, d), n >= 1 -> (d, d).

    O(n d²). It can be inverted unless no row differs from its centre.

    Parameters
    ----------
    centred : (n, d) rows minus the mean of their class

    Returns
    -------
    Matrix
        (d, d), symmetric, eigenvalues >= 0.

    Randomness
    ----------
    None.

    Source
    ------
    Ledoit, Wolf (2004), Journal of Multivariate Analysis 88, section 3.3.

    Examples
    --------
    >>> shrunk_covariance(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])).tolist()
    [[0.5, 0.0], [0.0, 0.5]]
    """
    n, d = centred.shape
    raw = centred.T @ centred / n
    level = float(np.trace(raw)) / d
    far = float(np.square(raw).sum()) - d * level**2
    noise = sum(
        float((np.square(np.square(centred[at : at + _BLOCK]).sum(axis=1))).sum()) for at in range(0, n, _BLOCK)
    )
    noise = noise / n**2 - float(np.square(raw).sum()) / n
    share = 1.0 if far <= 0 else min(1.0, max(0.0, noise / far))
    return np.asarray((1 - share) * raw + share * level * np.eye(d), dtype=np.float64)


def class_distance(reference: FloatMatrix32, labels: IntVector, current: FloatMatrix32) -> Vector:
    """Return the squared Mahalanobis distance of each current row from the nearest class of the reference.

    O(n d² + d³ + m d (d + k)).

    Parameters
    ----------
    reference : (n, d) embeddings of labelled rows
    labels : (n,) class numbers
    current : (m, d) embeddings of new rows

    Returns
    -------
    Vector
        (m,), >= 0.

    Raises
    ------
    NotApplicable
        Reference rows do not differ within their classes.

    Randomness
    ----------
    None.

    Source
    ------
    Lee et al. (2018), NeurIPS, equation 2.

    Examples
    --------
    >>> rows = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], dtype=np.float32)
    >>> class_distance(rows, np.zeros(4, dtype=np.intp), np.array([[2, 0]], dtype=np.float32)).tolist()
    [8.0]
    """
    present, codes = np.unique(labels, return_inverse=True)
    sums = np.zeros((len(present), reference.shape[1]))
    np.add.at(sums, codes, reference.astype(np.float64))
    centres = sums / np.bincount(codes)[:, None]
    values, axes = np.linalg.eigh(shrunk_covariance(reference.astype(np.float64) - centres[codes]))
    if not values.size or values[-1] <= 0:
        raise NotApplicable("labelled rows do not differ within their classes: there is no scale for distances")
    axes = axes / np.sqrt(np.maximum(values, 1e-12 * values[-1]))
    middles = centres @ axes
    found = np.empty(len(current))
    for first in range(0, len(current), _BLOCK):
        rows = slice(first, first + _BLOCK)
        found[rows] = _least_square(current[rows].astype(np.float64) @ axes, middles)
    return found


def _least_square(rows: Matrix, middles: Matrix) -> Vector:
    """Return the squared distance of each row (b, d) from the nearest middle (k, d)."""
    squares = np.square(rows).sum(axis=1)[:, None] - 2 * rows @ middles.T + np.square(middles).sum(axis=1)
    return np.asarray(np.maximum(squares.min(axis=1), 0.0), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mahalanobis:
    """Take rows for foreign that lie far from every class in embedding space; a numeric label counts as one class."""

    needs: ClassVar[frozenset[str]] = frozenset({"embeddings", "labels"})
    revision: ClassVar[int] = 1

    def outlying(self, reference: View, current: View) -> Vector:
        """Return the squared distance of each current row (n,) from the nearest class."""
        has_classes = reference.has("labels")
        known = np.flatnonzero(reference.labelled) if has_classes else np.arange(len(reference))
        if len(known) < 2:
            raise NotApplicable("fewer than two labelled rows: there is no centre to be far from")
        labels = reference.labels[known] if has_classes else np.zeros(len(known), dtype=np.intp)
        return class_distance(reference.embeddings[known], labels, current.embeddings)
