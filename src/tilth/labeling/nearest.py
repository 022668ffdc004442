"""Nearest: rows that lie near exemplars whose class is given, by the embeddings of one column.

    p(class c | row) ∝ sum over the k nearest exemplars of class c of  1 - distance / reach        (those within reach)
    vote = argmax c  where its share is at least `least`; else it abstains, as it does where no exemplar is within reach

Distances are cosines. The reach is set from the data, not by hand: the distance below which only a share of all pairs of rows lie, 1 in
20 unless said otherwise. What is nearer to an exemplar than that is alike by this data's own measure.

The project fits it: it hands in the column's encoder, the exemplars' embeddings and the reach. Without a project only cells that equal an
example get its class.

Source: Cover, Hart (1967), Nearest neighbor pattern classification, IEEE Trans. Information Theory 13; abstention of far rows: Dubuisson,
Masson (1993), A statistical decision rule with incomplete knowledge about classes, Pattern Recognition 26 (distance rejection).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import FloatMatrix32, IntVector, Mask, Matrix
from tilth.core.errors import ConfigError
from tilth.core.said import Said
from tilth.numerics.neighbours import k_nearest
from tilth.operators.batch import Batch
from tilth.operators.text_cells import cell_words

__all__ = ["FittedNearest", "Nearest", "near_classes"]

TINY = 1e-9


class Embed(Protocol):
    """Turns the rows of a batch into embeddings, row by row."""

    def __call__(self, batch: Batch) -> FloatMatrix32:
        """Return (n, d)."""
        ...


def near_classes(
    distances: Matrix, said: IntVector, reach: float, *, least: float, n_classes: int
) -> tuple[IntVector, Mask]:
    """Return the class that the exemplars near each row speak for, and the rows where one is clear.

    Parameters
    ----------
    distances : Matrix, (n, k)
        Distances to the nearest exemplars of each row, >= 0.
    said : IntVector, (n, k)
        Classes of these exemplars.
    reach : float
        Distance from which on an exemplar says nothing, >= 0; at 0 only what is equal speaks.
    least : float
        Share of the weight that a class needs, in (0, 1].
    n_classes : int
        Number of classes.

    Returns
    -------
    (n,) class numbers, and (n,) whether the class is clear: never where two are level or nothing is within reach.

    Randomness
    ----------
    None.

    Source
    ------
    Cover, Hart (1967), IEEE Trans. Information Theory 13.

    Examples
    --------
    >>> distances, said = np.array([[0.1, 0.3], [0.3, 0.3], [0.6, 0.9]]), np.array([[0, 1], [0, 1], [0, 1]])
    >>> found, is_clear = near_classes(distances, said, 0.5, least=0.6, n_classes=2)
    >>> found.tolist(), is_clear.tolist()
    ([0, 0, 0], [True, False, False])
    """
    weights = np.where(distances <= reach, np.maximum(1.0 - distances / max(reach, TINY), TINY), 0.0)
    votes = np.zeros((len(distances), n_classes))
    np.add.at(votes, (np.arange(len(distances))[:, None], said), weights)
    best, total = votes.argmax(axis=1), votes.sum(axis=1)
    top = votes[np.arange(len(votes)), best]
    level = (votes >= top[:, None] - 1e-12).sum(axis=1) > 1
    return best, (total > 0) & ~level & (top >= least * total)


@dataclass(frozen=True, kw_only=True)
class Nearest:
    """Vote for the class of the exemplars that lie nearest, and abstain far from all of them.

    Parameters
    ----------
    column : the column whose embeddings say what is near
    rows : row id -> class: rows of train or the pool that are exemplars
    examples : text -> class: exemplars that need not be rows; for columns of text
    k : exemplars that speak, at most
    least : share of their weight that a class needs, in (0, 1]
    share : share of all pairs of rows that are as near as an exemplar's reach, in (0, 1)
    """

    column: str
    rows: Mapping[str, str] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)
    k: int = 5
    least: float = 0.6
    share: float = 0.05

    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse no exemplar, and numbers out of bounds."""
        if not self.rows and not self.examples:
            raise ConfigError(
                "a nearest labeler needs exemplars", next_step="write rows: {ROW_ID: CLASS}, or examples: {TEXT: CLASS}"
            )
        if self.k < 1:
            raise ConfigError(f"k cannot be {self.k}", next_step="write k: 1 or more")
        for name, value, fits in (("least", self.least, self.least <= 1), ("share", self.share, self.share < 1)):
            if not (value > 0 and fits):
                raise ConfigError(f"{name} cannot be {value:g}", next_step=f"write {name}: a share between 0 and 1")

    @classmethod
    def example(cls) -> Nearest:
        """Return a labeler that knows two texts."""
        return cls(column="text", examples={"what a song": "ham", "please subscribe": "spam"})

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    def vote(self, batch: Batch) -> Said:
        """Return the class of the example that a cell equals, null elsewhere: what can be told without embeddings."""
        words = cell_words(batch.column(self.column))
        names = pa.array(list(self.examples.values()), pa.string())
        return Said(names=names.take(pc.index_in(words, value_set=pa.array(list(self.examples), pa.string()))))

    def fitted(self, embed: Embed, exemplars: FloatMatrix32, names: tuple[str, ...], reach: float) -> FittedNearest:
        """Return what votes by embeddings: of the exemplars (e, d), their classes by name, and how far they speak."""
        return FittedNearest(operator=self, embed=embed, exemplars=exemplars, names=names, reach=reach)


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedNearest:
    """A nearest labeler with what its project knows of the column.

    Parameters
    ----------
    operator : as it was declared
    embed : the column's embeddings of a batch
    exemplars : (e, d)
    names : their classes
    reach : how far they speak
    """

    operator: Nearest
    embed: Embed
    exemplars: FloatMatrix32
    names: tuple[str, ...]
    reach: float

    revision: ClassVar[int] = Nearest.revision

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return self.operator.columns

    def vote(self, batch: Batch) -> Said:
        """Return the class that the exemplars near each row speak for, null where none is near or none is clear."""
        if not len(batch):
            return Said(names=pa.nulls(0, pa.string()))
        embedded = self.embed(batch)
        there = np.flatnonzero(np.abs(embedded).max(axis=1, initial=0.0) > 0)
        classes = list(dict.fromkeys(self.names))
        said = np.array([classes.index(name) for name in self.names], dtype=np.intp)
        found = np.full(len(batch), -1, dtype=np.intp)
        if len(there):
            near = k_nearest(self.exemplars, self.operator.k, queries=embedded[there], exclude_self=False)
            best, is_clear = near_classes(
                near.distances, said[near.positions], self.reach, least=self.operator.least, n_classes=len(classes)
            )
            found[there] = np.where(is_clear, best, -1)
        return Said(names=pa.array(classes, pa.string()).take(pa.array(np.maximum(found, 0), mask=found < 0)))
