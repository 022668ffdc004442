"""Images as a few hundred numbers without a pretrained network: edges, colours, and patches learnt from the column itself.

    z = (edges at two scales, colour layout, pooled patch responses), each block at unit variance;   x = (z - mean) V S^-1/2

V and S are the principal directions and standard deviations of a sample of train images. Where most images of the column stand on a
margin of one colour (drawings, scans, products), the margin is cut off first.

Source: Dalal, Triggs (2005), CVPR (edges); Coates, Ng, Lee (2011), AISTATS (patches).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tilth.core.arrays import FloatMatrix32, IntVector
from tilth.core.rng import generator
from tilth.core.schema import ColumnType
from tilth.encoding import _sample
from tilth.encoding._cells import cells_of, missing_of
from tilth.encoding._gradients import colour_layout, gradient_histograms
from tilth.encoding._patches import Filters, learn_filters, pooled_responses
from tilth.encoding._pixels import SIDE, open_image, thumbnails
from tilth.encoding._sample import Sample
from tilth.encoding._svd import truncated_svd
from tilth.operators.batch import Batch
from tilth.operators.protocols import State

__all__ = ["ImageDescriptor"]

_AT_ONCE = 64
"""Images described at once; bounds memory and changes no result."""
_NOTHING, _WHOLE, _MARGIN = 0, 1, 2


@dataclass(frozen=True, kw_only=True)
class ImageDescriptor:
    """Edges at two scales, colour layout and learnt patches of an encoded image (any format that Pillow reads).

    All that is learnt comes from a bottom-k sample of train images. Missing and broken images are the zero vector with
    indicator 1; transparency becomes white, orientation tags are obeyed. Cost: 1 to 2 CPU ms per small image.

    Parameters
    ----------
    dimension : numbers per image, at least 1; fewer where the sample spans fewer
    filters : patch filters; each gives one number per quadrant before the projection
    sample : train images from which filters and projection are learnt

    Randomness: draws keyed by row id and a fixed stream for filters and projection; the run's seed plays no part.

    Source: Dalal, Triggs (2005), CVPR; Coates, Ng, Lee (2011), AISTATS.
    """

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.IMAGE})
    revision: ClassVar[int] = 1

    dimension: int = 512
    filters: int = 256
    sample: int = 4_000

    def start(self) -> Sample:
        """Return an empty sample of thumbnails: whole image and content alone, and what kind of image it is."""
        return _sample.empty(np.zeros((0, 2 * SIDE * SIDE * 3 + 1), dtype=np.uint8))

    def fold(self, state: Sample, batch: Batch) -> Sample:
        """Return the sample with the block's images taken in; only images that get in are decoded."""
        cells = cells_of(batch)
        rows = np.flatnonzero(~missing_of(cells))
        return _sample.take_in(
            state, batch.digests, rows, lambda kept: _decoded(cells, kept), self.sample, "image_descriptor"
        )

    def merge(self, left: Sample, right: Sample) -> Sample:
        """Return the sample of both."""
        return _sample.merge(left, right, self.sample)

    def finish(self, state: Sample) -> State:
        """Return the patch filters, the scale of each block of features, and the projection."""
        flat: NDArray[np.uint8] = state.values
        kinds = flat[:, -1]
        flat = flat[kinds != _NOTHING]
        if not len(flat):
            return {"projection": np.zeros((0, 0), dtype=np.float32)}
        trim = int((kinds == _MARGIN).sum() * 2 > len(flat))
        images = _thumbnails(flat, trim)
        rng = generator(0, "encoding", "image_descriptor")
        filters = learn_filters(images, self.filters, rng)
        described = _described(images, filters)
        mean = described.mean(axis=0, dtype=np.float64).astype(np.float32)
        centred = described - mean
        scales = _block_scales(centred, filters)
        values, vectors = truncated_svd(centred * scales, self.dimension, rng, power=2)
        spread = np.sqrt(values.max(initial=1.0) / values).astype(np.float32)
        return {
            "trim": np.array(trim),
            "weights": filters.weights,
            "offsets": filters.offsets,
            "mean": mean,
            "projection": scales[:, None] * vectors * spread,
        }

    def encode(self, batch: Batch, state: State) -> FloatMatrix32:
        """Return (n, dimension + 1) features: the projected descriptor, missing or broken."""
        cells, projection = cells_of(batch), state["projection"]
        features = np.zeros((len(cells), projection.shape[1] + 1), dtype=np.float32)
        for first in range(0, len(cells), _AT_ONCE):
            rows = np.arange(first, min(first + _AT_ONCE, len(cells)))
            flat = _decoded(cells, rows)
            there = flat[:, -1] != _NOTHING
            features[rows, -1] = ~there
            if there.any() and len(projection):
                features[rows, :-1] = _projected(flat, state) * there[:, None]
        return features


def _decoded(cells: pa.Array, rows: IntVector) -> NDArray[np.uint8]:
    """Return (m, …) flat thumbnails and the kind of each image; zeros for missing and broken ones."""
    flat = np.zeros((len(rows), 2 * SIDE * SIDE * 3 + 1), dtype=np.uint8)
    for place, cell in enumerate(cells.take(pa.array(rows)).to_pylist()):
        image = open_image(cell, 2 * SIDE)
        if image is not None:
            pair, has_margin = thumbnails(image)
            flat[place, :-1] = pair.ravel()
            flat[place, -1] = _MARGIN if has_margin else _WHOLE
    return flat


def _thumbnails(flat: NDArray[np.uint8], trim: int) -> NDArray[np.uint8]:
    """Return the (m, side, side, 3) thumbnails of the whole images, or of their content."""
    return flat[:, :-1].reshape(-1, 2, SIDE, SIDE, 3)[:, trim]


def _projected(flat: NDArray[np.uint8], state: State) -> FloatMatrix32:
    """Return the (m, dimension) features of at most `_AT_ONCE` images."""
    images = _thumbnails(flat, int(state["trim"]))
    described = _parts(images, Filters(state["weights"], state["offsets"]))
    centred = np.hstack(described) - state["mean"]
    # One product per image: its bits then do not depend on which images stand beside it.
    return np.asarray(np.matmul(centred[:, None], state["projection"])[:, 0], dtype=np.float32)


def _described(images: NDArray[np.uint8], filters: Filters) -> FloatMatrix32:
    """Return the (n, features) descriptors of many images before the projection."""
    starts = range(0, len(images), _AT_ONCE)
    return np.concatenate([np.hstack(_parts(images[first : first + _AT_ONCE], filters)) for first in starts])


def _parts(images: NDArray[np.uint8], filters: Filters) -> tuple[FloatMatrix32, ...]:
    return (
        gradient_histograms(images, SIDE // 8, 9, signed=False),
        gradient_histograms(images, SIDE // 4, 16, signed=True),
        colour_layout(images),
        pooled_responses(images, filters),
    )


def _block_scales(centred: FloatMatrix32, filters: Filters) -> FloatMatrix32:
    """Return one number per feature: 1 / the root of its block's total variance."""
    blank = np.zeros((1, SIDE, SIDE, 3), dtype=np.uint8)
    ends = np.cumsum([part.shape[1] for part in _parts(blank, filters)])
    scales = np.ones(centred.shape[1], dtype=np.float32)
    for start, stop in zip([0, *ends], ends, strict=False):
        variance = float(np.square(centred[:, start:stop], dtype=np.float64).sum(axis=1).mean())
        scales[start:stop] = 1 / np.sqrt(variance) if variance > 0 else 1.0
    return scales
