"""A small network that learns its own representation of texts.

    hashed words -> vectors -> [convolution of width 3, relu] -> largest and mean over places -> linear

It trains from scratch, so that it shows what varying texts does to a learner that finds its own features.

Source: Kim (2014), Convolutional Neural Networks for Sentence Classification, EMNLP; Weinberger et al. (2009), Feature Hashing, ICML.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from zlib import crc32

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Matrix
from tilth.core.errors import ConfigError, NotApplicable
from tilth.core.schema import ColumnType, TaskType
from tilth.core.target import Target, TargetKind
from tilth.learning._nets import Passes, predicted, rows_to_learn, torch_of, trained, training_of
from tilth.operators.protocols import State
from tilth.operators.view import View

__all__ = ["TextNet", "word_numbers"]

_WORD = re.compile(r"\w+|[^\w\s]")
_BETWEEN = "\x1f"
"""Stands between the texts of two columns."""


def word_numbers(texts: Sequence[str], buckets: int, most: int) -> np.ndarray:
    """Return the hashed words of texts, the first `most` of each, 0 where there is none; (n,) -> (n, most) int64 in [0, buckets).

    Examples
    --------
    >>> word_numbers(["Good, good"], 1000, 4)[0].tolist() == [*word_numbers(["good , good"], 1000, 4)[0]]
    True
    """
    out = np.zeros((len(texts), most), dtype=np.int64)
    for row, text in enumerate(texts):
        words = _WORD.findall(text.lower())[:most]
        out[row, : len(words)] = [1 + crc32(word.encode()) % (buckets - 1) for word in words]
    return out


@dataclass(frozen=True, kw_only=True)
class TextNet:
    """A network of word vectors and one convolution on the text columns as they stand; other columns are not read.

    Probabilities cover all classes of the schema in their order. Settings are fixed: a gain is owed to the data.

    Parameters
    ----------
    words : most words of a row
    buckets : among which words are hashed; two words may share one
    width : of the word vectors, and channels of the convolution
    epochs, steps, rate, decay, rows, held_out, members : as of `convnet`

    Raises
    ------
    MissingExtraError : torch is not installed; pip install 'tilth[torch]'
    NotApplicable : the model reads no text column
    LabelError : no row has a target
    ConfigError : a parameter out of range

    Randomness: first weights and the order of rows; the run's seed decides them.

    Source: Kim (2014), EMNLP.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"table", "augment"})
    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.BINARY, TaskType.MULTICLASS})
    accepts: ClassVar[frozenset[TargetKind]] = frozenset({TargetKind.CLASS, TargetKind.DISTRIBUTION})
    reads: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.TEXT})
    """Without a column of these types it refuses."""
    revision: ClassVar[int] = 2

    words: int = 64
    buckets: int = 8192
    width: int = 64
    epochs: int = 12
    steps: int = 1_200
    rate: float = 0.01
    decay: float = 0.05
    rows: int = 32
    held_out: float = 0.1
    members: int = 1

    def __post_init__(self) -> None:
        """Refuse sizes that make no network."""
        if min(self.words, self.width) < 1 or self.buckets < 2:
            raise ConfigError("words and width are at least 1, buckets at least 2")
        Passes.of(self)

    @classmethod
    def example(cls) -> TextNet:
        """Return a network that is trained as briefly as makes sense, to look at how it works."""
        return cls(steps=0)

    def grid(self) -> Sequence[TextNet]:
        """Return itself: its settings are fixed."""
        return (self,)

    def proxy(self, share: float) -> TextNet:
        """Return a network that is trained for a share of the time, to screen what may help."""
        return replace(self, **Passes.of(self).part(share))

    def work(self, n_rows: int) -> float:
        """Return how many operations a fit to n rows costs, about; the vectors' updates are most of it."""
        steps = n_rows / self.rows
        return (
            Passes.of(self).over(n_rows)
            * self.members
            * (6.0 * n_rows * self.words * 3 * self.width**2 + 12.0 * steps * self.buckets * self.width)
        )

    def prepare(self, view: View) -> list[str]:
        """Return the names of the text columns."""
        names = [column.name for column in view.schema.features if column.type is ColumnType.TEXT]
        if not names:
            raise NotApplicable("the network of words reads text, and there is no such column")
        return names

    def fit(
        self, view: View, target: Target, *, prepared: list[str] | None = None, start: State | None = None
    ) -> State:
        """Return the weights that training leaves; a start changes nothing: every training begins at its own draw."""
        del start
        torch_of()
        names = prepared or self.prepare(view)
        rows = rows_to_learn(view, target)
        cells = {name: _column(view, name).take(pa.array(rows)) for name in names}
        augmentation = view.augment.take(rows) if view.has("augment") else None
        plain = self._numbers(cells)
        shown: dict[int, np.ndarray] = {}

        def inputs(some: IntVector, epoch: int) -> np.ndarray:
            if augmentation is None or epoch < 0:
                return plain[some]
            if epoch not in shown:
                shown.clear()
                shown[epoch] = self._numbers(augmentation.changed(cells, epoch))
            return shown[epoch][some]

        training = training_of(view, target, rows, inputs, augmentation)
        return trained(_build(self.buckets, self.width, view.n_classes), training, Passes.of(self))

    def predict_proba(self, view: View, model: State) -> Matrix:
        """Return (n, k) class probabilities."""
        numbers = self._numbers({name: _column(view, name) for name in self.prepare(view)})
        network = _build(self.buckets, self.width, view.n_classes)
        return predicted(network, model, lambda rows, _: numbers[rows], len(view))

    def _numbers(self, cells: Any) -> np.ndarray:
        """Return the word numbers of rows: those of their columns, one after the other."""
        columns = [[text or "" for text in column.to_pylist()] for column in cells.values()]
        joined = (
            columns[0] if len(columns) == 1 else [f" {_BETWEEN} ".join(some) for some in zip(*columns, strict=True)]
        )
        return word_numbers(joined, self.buckets, self.words)


def _column(view: View, name: str) -> pa.Array:
    column = view.table.column(name)
    cells = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return cells.cast(pa.string())


def _build(buckets: int, width: int, n_classes: int) -> Any:
    """Return the network as a torch module that knows its number of classes."""
    torch = torch_of()

    class Words(torch.nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.embedding = torch.nn.Embedding(buckets, width)
            self.conv = torch.nn.Conv1d(width, width, 3, padding=1)
            self.head = torch.nn.Linear(2 * width, n_classes)
            self.n_classes = n_classes

        def forward(self, words: Any) -> Any:
            there = (words > 0).unsqueeze(1)
            hidden = torch.relu(self.conv(self.embedding(words).transpose(1, 2) * there))
            hidden = hidden * there
            mean = hidden.sum(dim=2) / there.sum(dim=2).clamp(min=1)
            return self.head(torch.cat([hidden.max(dim=2).values, mean], dim=1))

    return Words()
