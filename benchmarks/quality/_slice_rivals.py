"""What slicers are compared with: Domino's mixture, clusters of all rows, clusters of the errors, chance.

Each takes the rows that are seen and judged and returns, best first, how far each judged row belongs to each of its slices: by
embeddings alone, as rows without a label are sorted into a slice, and with labels and predictions, as people look through errors
(Domino by its own terms, clusters and chance by errors first).

Domino's package 0.1.5 needs releases of NumPy, scikit-learn and meerkat that no supported Python has, so that its mixture is
written anew here from the paper: Eyuboglu et al. (2022), Domino: discovering systematic errors with cross-modal embeddings,
ICLR, section 5 and appendix, with its defaults: 128 principal components, 25 components, diagonal covariance, start from
cells of the confusion matrix with noise of 0.001, 100 iterations, and slices ranked by how far labels and predictions differ.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from benchmarks.quality._slice_plants import Part

__all__ = ["Ranked", "chance", "clusters_of_all", "clusters_of_errors", "domino", "errors_first"]

COMPONENTS, AXES, ROUNDS, TOLERANCE, FLOOR, NOISE = 25, 128, 100, 1e-3, 1e-6, 1e-3
EPS = np.finfo(np.float64).eps


class Ranked(NamedTuple):
    """How far each judged row belongs to a slice (n,): by its embedding alone, and with its label and prediction."""

    alone: np.ndarray
    told: np.ndarray


def domino(seen: Part, judged: Part, *, gamma: float, most: int, seed: int) -> list[Ranked]:
    """Return the slices of Domino's mixture."""
    axes = PCA(min(AXES, *seen.features.shape), random_state=seed).fit(seen.features)
    rows, hot = axes.transform(seen.features).astype(np.float64), np.eye(seen.pred_probs.shape[1])
    shares = _start(hot[seen.labels], seen.pred_probs, np.random.default_rng(seed))
    before = -np.inf
    for _ in range(ROUNDS):
        parts = _parameters(rows, hot[seen.labels], seen.pred_probs, shares)
        joint = _joint(rows, hot[seen.labels], seen.pred_probs, parts, gamma)
        total = logsumexp(joint, axis=1)
        shares = np.exp(joint - total[:, None])
        if abs(total.mean() - before) < TOLERANCE:
            break
        before = total.mean()
    parts = _parameters(rows, hot[seen.labels], seen.pred_probs, shares)
    best = np.argsort(-np.abs((parts[4] - parts[3]).max(axis=1)), kind="stable")[:most]
    there = axes.transform(judged.features).astype(np.float64)
    alone, told = (
        joint - logsumexp(joint, axis=1, keepdims=True)
        for joint in (_joint(there, hot[judged.labels], judged.pred_probs, parts, g) for g in (0.0, gamma))
    )
    return [Ranked(alone[:, one], told[:, one]) for one in best]


def _start(labels: np.ndarray, probs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shares of components: each begins with one cell of the confusion matrix, in turn."""
    k = labels.shape[1]
    cells = (labels[:, :, None] * probs[:, None, :]).reshape(len(labels), k * k)
    shares = cells[:, np.arange(COMPONENTS) % (k * k)]
    shares = shares + rng.random(shares.shape) * NOISE
    return shares / shares.sum(axis=1, keepdims=True)


def _parameters(rows: np.ndarray, labels: np.ndarray, probs: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, ...]:
    sizes = shares.sum(axis=0) + 10 * EPS
    means = shares.T @ rows / sizes[:, None]
    variances = shares.T @ rows**2 / sizes[:, None] - means**2 + FLOOR
    return (
        sizes / len(rows),
        means,
        np.maximum(variances, FLOOR),
        shares.T @ labels / sizes[:, None],
        shares.T @ probs / sizes[:, None],
    )


def _joint(
    rows: np.ndarray, labels: np.ndarray, probs: np.ndarray, parts: tuple[np.ndarray, ...], gamma: float
) -> np.ndarray:
    weights, means, variances, of_labels, of_probs = parts
    squares = (rows**2) @ (1 / variances).T - 2 * rows @ (means / variances).T + (means**2 / variances).sum(axis=1)
    found = np.log(weights) - 0.5 * (squares + np.log(2 * np.pi * variances).sum(axis=1))
    if gamma:
        found = found + gamma * (np.log(labels @ of_labels.T + EPS) + np.log(probs @ of_probs.T + EPS))
    return np.asarray(found)


def clusters_of_all(seen: Part, judged: Part, *, most: int, seed: int) -> list[Ranked]:
    """Return clusters of all seen rows, those with most errors first; judged rows of a cluster by nearness to its centre."""
    found = KMeans(COMPONENTS, n_init=3, random_state=seed).fit(seen.features)
    wrong = np.bincount(found.labels_, 1 - seen.right, COMPONENTS) / np.bincount(found.labels_, minlength=COMPONENTS)
    return _near(judged, found.cluster_centers_, np.argsort(-wrong, kind="stable")[:most])


def clusters_of_errors(seen: Part, judged: Part, *, most: int, seed: int) -> list[Ranked]:
    """Return clusters of the rows that the model gets wrong, largest first; judged rows by nearness to the centre."""
    wrong = seen.features[seen.right == 0]
    number = min(most * 2, len(wrong))
    found = KMeans(number, n_init=3, random_state=seed).fit(wrong)
    sizes = np.bincount(found.labels_, minlength=number)
    return _near(judged, found.cluster_centers_, np.argsort(-sizes, kind="stable")[:most])


def chance(judged: Part, *, most: int, seed: int) -> list[Ranked]:
    """Return random numbers."""
    return [errors_first(judged, one) for one in np.random.default_rng(seed).random((most, len(judged.labels)))]


def errors_first(judged: Part, order: np.ndarray) -> Ranked:
    """Return an order, and the same order with rows that the model gets wrong before all others."""
    places = np.argsort(np.argsort(order, kind="stable"), kind="stable")
    return Ranked(order, places + len(order) * (1 - judged.right))


def _near(judged: Part, centres: np.ndarray, chosen: np.ndarray) -> list[Ranked]:
    return [errors_first(judged, -np.square(judged.features - centres[one]).sum(axis=1)) for one in chosen]
