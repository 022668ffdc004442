"""Nearly equal rows: pairs found by what the rows hold, each of them verified.

    images    perceptual signature, then pixels
    texts     MinHash, then the exact Jaccard similarity of character shingles
    else      u = (d / d_k)^m, m the intrinsic dimension; p = 1 - (1 - u)^(k - 1); then the cells

Among rows scattered evenly around a point, the distance to the nearest over that to the k-th, to the power
of the dimension, is the least of k - 1 uniform numbers: what is closer than that allows is no neighbour by
chance. The dimension is that of the data: ln 2 over the median of ln(d_2 / d_1).

Source: Facco, d'Errico, Rodriguez, Laio (2017), Estimating the intrinsic dimension of datasets by a minimal
neighborhood information, Scientific Reports 7; Broder (1997) for texts; Zauner (2010) for images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.errors import NotApplicable
from tilth.core.partitions import BLOCK_ROWS
from tilth.core.schema import Column, ColumnType
from tilth.detection._shared.cells import agreeing_cells, chance_share
from tilth.detection._shared.images import holds_images, thumbnails
from tilth.detection._shared.words import benjamini_hochberg, feature_columns, searched
from tilth.numerics.image_pairs import near_duplicate_images
from tilth.numerics.minhash import near_duplicate_texts

if TYPE_CHECKING:
    from tilth.core.arrays import Vector
    from tilth.operators.view import View

__all__ = ["NearPairs", "near_pairs", "vector_pairs"]

SPEAKS = 25
"""Characters from which on a text stands for its whole row; of shorter ones the other cells must agree as
well.
"""
SHORT_CELLS = 0.8
"""Least share of the other cells that must agree where a text is short."""
CELLS = 0.9
"""Least share of the cells that must agree in a table without texts and images."""
MOST_CHANCE = 0.5
"""No pairs are reported where chance explains more than this share of nearly equal rows of a table."""
MOST_RATIO = 0.25
"""A near-duplicate is never farther than a quarter of the way to the k-th neighbour, whatever the
dimension.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NearPairs:
    """Verified pairs (m, 2) with i < j, their similarity in [0, 1], and the rule in words."""

    pairs: np.ndarray
    similarity: Vector
    how: str


def near_pairs(view: View, similarity: float, level: float) -> NearPairs:
    """Find pairs of nearly equal rows by images, else by text, else by embedding.

    `similarity` is the least Jaccard similarity of texts, `level` the accepted share of false alarms among
    close vectors.
    """
    for column in feature_columns(view, ColumnType.IMAGE):
        if holds_images(view.table.column(column.name)):
            return _image_pairs(view.table.column(column.name))
    texts = feature_columns(view, ColumnType.TEXT)
    if texts:
        return _text_pairs(view, texts, similarity)
    return _embedding_pairs(view, level)


def _image_pairs(column: pa.ChunkedArray) -> NearPairs:
    positions, small = thumbnails(column)
    pairs, distance = near_duplicate_images(small)
    return NearPairs(
        pairs=positions[pairs],
        similarity=1 - distance,
        how="their pixels, at 32 x 32, differ by at most 6 % of the range (root mean square)",
    )


def _text_pairs(view: View, columns: tuple[Column, ...], threshold: float) -> NearPairs:
    cells = [pc.fill_null(view.table.column(c.name).cast(pa.large_string()), "") for c in columns]
    joined = cells[0] if len(cells) == 1 else pc.binary_join_element_wise(*cells, pa.scalar("\n", pa.large_string()))
    pairs, alike = near_duplicate_texts(joined, threshold, seed=view.seed)
    lengths = np.asarray(pc.utf8_length(joined), dtype=np.int64)
    speaks = (lengths[pairs] >= SPEAKS).all(axis=1)
    kept = speaks | (agreeing_cells(view, pairs) >= SHORT_CELLS)
    how = f"their texts share at least {100 * threshold:g} % of their five-character shingles"
    return NearPairs(pairs=pairs[kept], similarity=alike[kept], how=how)


def _embedding_pairs(view: View, level: float) -> NearPairs:
    near = view.neighbours
    if near.positions.shape[1] < 3:
        raise NotApplicable("fewer than three neighbours do not show what close means")
    pairs, alike = vector_pairs(near.positions, near.distances, level)
    kept = agreeing_cells(view, pairs) >= CELLS
    kept &= chance_share(view) <= MOST_CHANCE
    how = (
        f"they are closer than chance lets rows be around there (at most {100 * level:g} % false alarms), at "
        f"least {100 * CELLS:g} % of their cells agree, and chance explains at most half of such pairs"
        f"{searched(near)}"
    )
    return NearPairs(pairs=pairs[kept], similarity=alike[kept], how=how)


def vector_pairs(positions: np.ndarray, distances: np.ndarray, level: float) -> tuple[np.ndarray, Vector]:
    """Return pairs that are closer than the rows around them let expect, and 1 - d / d_k.

    From the (n, k) nearest rows, k >= 3. A pair must be too close as seen from both its rows; rows at
    distance 0 always are. O(n k).
    """
    farthest = distances[:, -1]
    reach = farthest * _closest_ratio(distances, level)
    found = [np.empty((0, 2), dtype=np.intp)]
    for start in range(
        0, len(positions), BLOCK_ROWS
    ):  # a block at a time: all pairs take several times the lists' place
        some = slice(start, start + BLOCK_ROWS)
        close = distances[some] <= np.minimum(reach[some, None], reach[positions[some]])
        found.append(np.argwhere(close) + np.array([start, 0]))
    row, place = np.concatenate(found).T
    other = positions[row, place]
    low, high = np.minimum(row, other), np.maximum(row, other)
    keys, first = np.unique(low * len(positions) + high, return_index=True)
    around = np.minimum(farthest[row], farthest[other])[first]
    apart = distances[row, place][first]
    ratio = np.divide(apart, around, out=np.zeros(len(apart)), where=around > 0)
    return np.stack(np.divmod(keys, len(positions)), axis=1), np.clip(1 - ratio, 0.0, 1.0)


def _closest_ratio(distances: np.ndarray, level: float) -> float:
    """Largest d / d_k that is too small for chance; 0 when none is."""
    k = distances.shape[1]
    apart = distances[:, 0] > 0
    if not apart.any():
        return 0.0
    growth = float(np.median(np.log(distances[apart, 1] / distances[apart, 0])))
    dimension = np.log(2) / max(growth, 0.01)
    ratio = distances[apart, 0] / distances[apart, -1]
    chance = -np.expm1((k - 1) * np.log1p(-np.minimum(ratio**dimension, 1 - 1e-16)))
    sure = benjamini_hochberg(chance) <= level
    return min(float(ratio[sure].max()), MOST_RATIO) if sure.any() else 0.0
