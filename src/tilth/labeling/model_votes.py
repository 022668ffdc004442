"""Model votes: what a model says where it is sure, from columns of its probabilities or from a file of scores.

    vote = argmax over classes of p(class)   where  p(class) >= least;  else it abstains, as it does where two classes are level

A model that was taught by the label repeats it on the rows that taught it: its probabilities there should be out-of-sample.

Source: Blum, Mitchell (1998), Combining labeled and unlabeled data with co-training, COLT (confident predictions as labels); Lee
(2013), Pseudo-label, ICML workshop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector, Mask, Matrix, Vector
from tilth.core.errors import ConfigError
from tilth.core.said import Said
from tilth.operators.batch import Batch

__all__ = ["ModelVotes", "sure_classes"]


def sure_classes(pred_probs: Matrix, least: Vector) -> tuple[IntVector, Mask]:
    """Return the most probable class of each row, and the rows on which it is probable enough.

    Parameters
    ----------
    pred_probs : Matrix, (n, k)
        p(class); NaN where the model says nothing, rows need not sum to 1.
    least : Vector, (k,)
        Probability from which on each class is said.

    Returns
    -------
    (n,) class numbers, and (n,) whether that class is said: never where two are level at the top.

    Randomness
    ----------
    None.

    Source
    ------
    Lee (2013), Pseudo-label, ICML workshop.

    Examples
    --------
    >>> said, is_sure = sure_classes(np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5]]), np.array([0.8, 0.5]))
    >>> said.tolist(), is_sure.tolist()
    ([0, 1, 0], [True, True, False])
    """
    scores = np.where(np.isnan(pred_probs), -np.inf, pred_probs)
    best = scores.argmax(axis=1) if scores.shape[1] else np.zeros(len(scores), dtype=np.intp)
    top = scores[np.arange(len(scores)), best]
    level = (scores >= top[:, None]).sum(axis=1) > 1
    return best, (top >= least[best]) & ~level


@dataclass(frozen=True, kw_only=True)
class ModelVotes:
    """Vote for the class that a model finds most probable, where that is probable enough.

    Parameters
    ----------
    probabilities : class -> the column of its probability
    file : a table of row ids and one probability per class, in columns called CLASS or p_CLASS, which the project reads into `entries`
    least : probability from which on a class is said, in (0, 1]
    least_of : class -> its own such probability
    entries : row id -> class that the file says surely enough
    """

    probabilities: Mapping[str, str] = field(default_factory=dict)
    file: str = ""
    least: float = 0.8
    least_of: Mapping[str, float] = field(default_factory=dict)
    entries: Mapping[str, str] = field(default_factory=dict)

    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse what names no probabilities, or both kinds, and bounds that are no probabilities."""
        if bool(self.probabilities) == bool(self.file):
            raise ConfigError(
                "a model's votes come from columns or from a file",
                next_step="write probabilities: {CLASS: COLUMN}, or file: FILE",
            )
        odd = [bound for bound in (self.least, *self.least_of.values()) if not 0 < bound <= 1]
        if odd:
            raise ConfigError(f"{odd[0]:g} is no probability to reach", next_step="write least: a number above 0, to 1")

    @classmethod
    def example(cls) -> ModelVotes:
        """Return a model whose probability of spam stands in a column."""
        return cls(probabilities={"spam": "number"}, least=0.9)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of probabilities, or none but the row's id, which every batch has."""
        return tuple(dict.fromkeys(self.probabilities.values())) or ("_tilth_id",)

    def vote(self, batch: Batch) -> Said:
        """Return the class of which the model is sure, null where it is not."""
        if self.file:
            keys, names = self._arrays
            return Said(names=names.take(pc.index_in(batch.ids.cast(pa.string()), value_set=keys)))
        matrix = np.stack([_numbers(batch.column(column), column) for column in self.probabilities.values()], axis=1)
        return Said(names=self.said(matrix, tuple(self.probabilities)))

    def said(self, pred_probs: Matrix, classes: tuple[str, ...]) -> pa.Array:
        """Return the name of each row's class, null where the model is not sure; (n, k) -> (n,)."""
        least = np.array([self.least_of.get(name, self.least) for name in classes])
        best, is_sure = sure_classes(pred_probs, least)
        return pa.array(classes, pa.string()).take(pa.array(best, pa.int64(), mask=~is_sure))

    @cached_property
    def _arrays(self) -> tuple[pa.Array, pa.Array]:
        return pa.array(list(self.entries), pa.string()), pa.array(list(self.entries.values()), pa.string())


def _numbers(cells: pa.Array, column: str) -> Vector:
    if not (pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type) or pa.types.is_null(cells.type)):
        raise ConfigError(
            f"column {column!r} holds {cells.type}, not probabilities", next_step="name a column of type number"
        )
    return np.asarray(cells.cast(pa.float64()).fill_null(np.nan), dtype=np.float64)
