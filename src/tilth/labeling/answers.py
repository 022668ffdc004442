"""Answers: a column in which a person or a model has answered.

    vote = the cell, or the class that `classes` gives for it; a missing cell abstains

Source: Dawid, Skene (1979), Maximum likelihood estimation of observer error-rates using the EM algorithm, Applied Statistics
28: the answers of one observer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.said import Said
from tilth.operators.batch import Batch
from tilth.operators.text_cells import cell_words

__all__ = ["Answers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Vote as a column says that holds a person's or a model's answers.

    Parameters
    ----------
    column : the column
    classes : what its cells mean: {positive: pos}; cells that are not listed abstain. {} takes each cell for a class
    abstain : cells that are no vote, such as unsure
    """

    column: str
    classes: Mapping[str, str] = field(default_factory=dict)
    abstain: tuple[str, ...] = ()

    revision: ClassVar[int] = 1

    @classmethod
    def example(cls) -> Answers:
        """Return the answers of a column."""
        return cls(column="worker", abstain=("unsure",))

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    def vote(self, batch: Batch) -> Said:
        """Return the class that each cell names, null where it names none."""
        words = cell_words(batch.column(self.column))
        silent = pc.is_in(words, value_set=pa.array(["", *self.abstain], pa.string()))
        words = pc.if_else(silent, pa.scalar(None, pa.string()), words)
        if self.classes:
            places = pc.index_in(words, value_set=pa.array(list(self.classes), pa.string()))
            words = pa.array(list(self.classes.values()), pa.string()).take(places)
        return Said(names=words)
