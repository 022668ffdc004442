"""A pretrained image encoder in ONNX format, from a local folder.

    x = f((resize(image) - mean) / spread), f = the graph's first output

Source: none; the model's own recipe.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from tilth.core.arrays import FloatMatrix32
from tilth.core.schema import ColumnType
from tilth.encoding._cells import cells_of
from tilth.encoding._onnx import OnnxFold, check_same, find_file, session
from tilth.encoding._pixels import open_image
from tilth.operators.batch import Batch
from tilth.operators.protocols import State

__all__ = ["OnnxImage", "model_input"]


@dataclass(frozen=True, kw_only=True)
class OnnxImage(OnnxFold):
    """The output of a pretrained image network; the model comes from a local folder.

    The folder holds `model.onnx`: one input (batch, 3, size, size), first output (batch, width) or (batch, width, h, w),
    which is averaged over h and w. The image's shorter side is resized to size / crop (bilinear), the middle is cut out, channels are
    brought to (value - mean) / spread with values in 0 to 255. A missing or broken image is the zero vector with indicator 1.

    Parameters
    ----------
    folder : where the model lies
    size : side of the network's input in pixels
    crop : share of the resized side that is cut out, in (0, 1]
    mean : subtracted from the three channels
    spread : divides the three channels
    rows : images in one pass; bounds memory

    Raises
    ------
    MissingExtraError : onnxruntime is not installed; pip install 'tilth[onnx]'
    ConfigError : the folder lacks the model
    SchemaChangedError : the file changed since the train rows were encoded

    Randomness: none; images in other company may differ in the last bits (1e-6).

    Source: none.
    """

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.IMAGE})
    revision: ClassVar[int] = 1

    folder: str = ""
    size: int = 224
    crop: float = 1.0
    mean: tuple[float, float, float] = (127.0, 127.0, 127.0)
    spread: tuple[float, float, float] = (128.0, 128.0, 128.0)
    rows: int = 16

    def files(self) -> tuple[Path, ...]:
        """Return the model."""
        return (find_file(self.folder, ("model.onnx",)),)

    def encode(self, batch: Batch, state: State) -> FloatMatrix32:
        """Return (n, width + 1) features: the image's vector, missing or broken."""
        (model,) = self.files()
        check_same(state, (model,))
        run = session(model)
        cells = cells_of(batch).to_pylist()
        parts = [self._pass(run, cells[first : first + self.rows]) for first in range(0, len(cells), self.rows)]
        width = int(run.get_outputs()[0].shape[1])
        return np.concatenate([np.zeros((0, width + 1), dtype=np.float32), *parts])

    def _pass(self, model: Any, cells: Sequence[bytes | None]) -> FloatMatrix32:
        images = [open_image(cell, round(self.size / self.crop)) for cell in cells]
        there = [row for row, image in enumerate(images) if image is not None]
        features = np.zeros((len(cells), int(model.get_outputs()[0].shape[1]) + 1), dtype=np.float32)
        features[:, -1] = 1.0
        if there:
            shown = np.stack([self._input(image) for image in images if image is not None])
            found = model.run(None, {model.get_inputs()[0].name: shown})[0]
            features[there, :-1] = found.reshape(*found.shape[:2], -1).mean(axis=2)
            features[there, -1] = 0.0
        return features

    def _input(self, image: Image.Image) -> FloatMatrix32:
        return model_input(image, self.size, self.crop, self.mean, self.spread)


def model_input(
    image: Image.Image, size: int, crop: float, mean: Sequence[float], spread: Sequence[float]
) -> FloatMatrix32:
    """Return the (3, size, size) float32 input of a network for one RGB image."""
    scale = size / crop / min(image.size)
    wide, high = (max(size, round(side * scale)) for side in image.size)
    resized = image.resize((wide, high), Image.Resampling.BILINEAR)
    left, top = (wide - size) // 2, (high - size) // 2
    pixels = np.asarray(resized.crop((left, top, left + size, top + size)), dtype=np.float32)
    scaled = (pixels - np.asarray(mean, dtype=np.float32)) / np.asarray(spread, dtype=np.float32)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))
