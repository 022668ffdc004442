"""A small convolutional network that learns its own representation of images.

    blocks of [3 x 3 convolution, norm, relu, halving], 16-32-64 channels at 32 pixels; mean over places; linear

It trains from scratch, so that it shows what frozen pretrained features hide: what varying the images does (loop/augmenting).

Source: LeCun, Bottou, Bengio, Haffner (1998), Gradient-Based Learning Applied to Document Recognition; Ioffe, Szegedy (2015), Batch
Normalization, ICML.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from PIL import Image

from tilth.core.arrays import IntVector, Matrix
from tilth.core.errors import ConfigError, NotApplicable
from tilth.core.schema import ColumnType, TaskType
from tilth.core.target import Target, TargetKind
from tilth.learning._nets import Passes, predicted, rows_to_learn, torch_of, trained, training_of
from tilth.operators.image_cells import Pixels, open_image, pixels_in, tensor_cells
from tilth.operators.protocols import State
from tilth.operators.view import View

__all__ = ["Convnet", "ReadImages"]

_GREY = 128


@dataclass(frozen=True, slots=True, eq=False)
class ReadImages:
    """A table and the pixels of its image columns, each (n, side, side, 3) uint8."""

    table: pa.Table
    pixels: dict[str, Pixels]


@dataclass(frozen=True, kw_only=True)
class Convnet:
    """A convolutional network on the image columns as they stand; other columns are not read.

    Probabilities cover all classes of the schema in their order. A missing or broken image is grey. Settings are fixed: they are the
    same for every version, so that a gain is owed to the data. Cost: about passes · n · side² / 1,000 · 17 thousand operations.

    Parameters
    ----------
    side : pixels of a side, to which images are resized; 16 to 256
    channels : of the first block; each later one has twice as many
    blocks : each halves the side; at least 1, and no more than the side can be halved
    epochs : passes over the rows, at least
    steps : of training, at least: few rows pass more often, up to six times as often
    rate : highest rate of learning
    decay : of weights
    rows : in one step
    held_out : share of the train rows that decides which pass is kept
    members : trainings with draws of their own, whose probabilities are averaged: steadier, and as many times as dear

    Raises
    ------
    MissingExtraError : torch is not installed; pip install 'tilth[torch]'
    NotApplicable : the model reads no image column
    LabelError : no row has a target
    ConfigError : a parameter out of range

    Randomness: first weights, order of rows and mixtures; the run's seed decides them.

    Source: LeCun et al. (1998); Ioffe, Szegedy (2015), Batch Normalization, ICML.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"table", "augment"})
    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.BINARY, TaskType.MULTICLASS})
    accepts: ClassVar[frozenset[TargetKind]] = frozenset({TargetKind.CLASS, TargetKind.DISTRIBUTION})
    reads: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.IMAGE})
    """Without a column of these types it refuses."""
    mixes: ClassVar[bool] = True
    """It can learn from mixed rows."""
    revision: ClassVar[int] = 2

    side: int = 32
    channels: int = 16
    blocks: int = 3
    epochs: int = 20
    steps: int = 1_200
    rate: float = 0.03
    decay: float = 0.01
    rows: int = 64
    held_out: float = 0.1
    members: int = 1

    def __post_init__(self) -> None:
        """Refuse sizes that make no network."""
        if not 16 <= self.side <= 256 or not 1 <= self.blocks <= 8 or self.side >> self.blocks < 2:
            raise ConfigError(
                f"side {self.side} with {self.blocks} blocks makes no network",
                next_step="write a side from 16 to 256 that the blocks can halve down to 2",
            )
        if self.channels < 1:
            raise ConfigError("channels are at least 1")
        Passes.of(self)

    @classmethod
    def example(cls) -> Convnet:
        """Return a network that is trained as briefly as makes sense, to look at how it works."""
        return cls(steps=0)

    def grid(self) -> Sequence[Convnet]:
        """Return itself: its settings are fixed."""
        return (self,)

    def proxy(self, share: float) -> Convnet:
        """Return a network that is trained for a share of the time, to screen what may help."""
        return replace(self, **Passes.of(self).part(share))

    def work(self, n_rows: int) -> float:
        """Return how many operations a fit to n rows costs, about."""
        side, inputs, total = self.side, 3, 0.0
        for block in range(self.blocks):
            outputs = self.channels << block
            total += side * side * 9 * inputs * outputs
            side, inputs = side // 2, outputs
        return 6.0 * total * Passes.of(self).over(n_rows) * self.members * n_rows

    def prepare(self, view: View) -> ReadImages:
        """Return the view's images as pixels."""
        names = [column.name for column in view.schema.features if column.type is ColumnType.IMAGE]
        if not names:
            raise NotApplicable("the convolutional network reads images, and there is no such column")
        cells = {name: view.table.column(name).to_pylist() for name in names}
        return ReadImages(view.table, {name: _pixels(some, self.side) for name, some in cells.items()})

    def fit(
        self, view: View, target: Target, *, prepared: ReadImages | None = None, start: State | None = None
    ) -> State:
        """Return the weights that training leaves; a start changes nothing: every training begins at its own draw."""
        del start
        torch_of()
        ready = prepared if prepared is not None and prepared.table is view.table else self.prepare(view)
        rows = rows_to_learn(view, target)
        augmentation = view.augment.take(rows) if view.has("augment") else None
        plain = {name: pixels[rows] for name, pixels in ready.pixels.items()}
        shown: dict[int, np.ndarray] = {}

        def inputs(some: IntVector, epoch: int) -> np.ndarray:
            if augmentation is None or epoch < 0:
                return _network_input([pixels[some] for pixels in plain.values()])
            if epoch not in shown:
                shown.clear()
                cells = {name: tensor_cells(pixels) for name, pixels in plain.items()}
                changed = augmentation.changed(cells, epoch)
                shown[epoch] = _network_input([pixels_in(changed[name]) for name in plain])
            return shown[epoch][some]

        training = training_of(view, target, rows, inputs, augmentation)
        return trained(self._network(len(plain), view.n_classes), training, Passes.of(self))

    def predict_proba(self, view: View, model: State) -> Matrix:
        """Return (n, k) class probabilities."""
        pixels = list(self.prepare(view).pixels.values())
        network = self._network(len(pixels), view.n_classes)
        return predicted(network, model, lambda rows, _: _network_input([one[rows] for one in pixels]), len(view))

    def _network(self, n_images: int, n_classes: int) -> Any:
        return _build(3 * n_images, self.channels, self.blocks, n_classes)


def _build(inputs: int, channels: int, blocks: int, n_classes: int) -> Any:
    """Return the network as a torch module that knows its number of classes."""
    torch = torch_of()
    parts: dict[str, Any] = {}
    for block in range(blocks):
        outputs = channels << block
        parts[f"conv{block}"] = torch.nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        parts[f"conv{block}_norm"] = torch.nn.BatchNorm2d(outputs)
        parts[f"conv{block}_relu"] = torch.nn.ReLU()
        parts[f"conv{block}_pool"] = torch.nn.MaxPool2d(2)
        inputs = outputs
    parts["mean"] = torch.nn.AdaptiveAvgPool2d(1)
    parts["flat"] = torch.nn.Flatten()
    parts["head"] = torch.nn.Linear(inputs, n_classes)
    network = torch.nn.Sequential()
    for name, part in parts.items():
        network.add_module(name, part)
    network.n_classes = n_classes
    return network


def _pixels(cells: Sequence[bytes | None], side: int) -> Pixels:
    """Return images in one size, (n, side, side, 3); what is no image is grey."""
    out = np.full((len(cells), side, side, 3), _GREY, dtype=np.uint8)
    for place, cell in enumerate(cells):
        image = open_image(cell, side)
        if image is not None:
            out[place] = np.asarray(image.resize((side, side), Image.Resampling.BILINEAR), dtype=np.uint8)
    return out


def _network_input(pixels: Sequence[Pixels]) -> np.ndarray:
    """Return images as the network reads them: channels first, float32 about 0."""
    stacked = np.concatenate(pixels, axis=3) if len(pixels) > 1 else pixels[0]
    return np.ascontiguousarray((stacked.transpose(0, 3, 1, 2).astype(np.float32) - 128.0) / 64.0)
