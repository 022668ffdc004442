"""Votes file: what one labeler of a file of votes said, joined to the rows by their ids.

    vote = entries[row id]

A project reads each labeler of the file into one of these: a matrix of class names, WRENCH JSON, or a long table of row, worker
and answer.

Source: Zhang, Yu, Li, Wang, Yang, Yang, Ratner (2021), WRENCH: a comprehensive benchmark for weak supervision, NeurIPS datasets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.errors import ConfigError
from tilth.core.said import Said
from tilth.operators.batch import Batch

__all__ = ["VotesFile"]


@dataclass(frozen=True, kw_only=True)
class VotesFile:
    """Vote as a file of votes says for the row's id.

    Parameters
    ----------
    file : a matrix of votes (.csv, .parquet), WRENCH JSON, or a long table of row, worker and answer
    labeler : which of its labelers; "" stands for each of them
    entries : row id -> class, which the project reads from the file
    """

    file: str
    labeler: str = ""
    entries: Mapping[str, str] = field(default_factory=dict)

    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse no file."""
        if not self.file:
            raise ConfigError("a votes file needs its name", next_step="write file: FILE")

    @classmethod
    def example(cls) -> VotesFile:
        """Return the votes of one labeler on two rows."""
        return cls(file="votes.csv", labeler="rule", entries={"r1": "spam", "r4": "ham"})

    @property
    def columns(self) -> tuple[str, ...]:
        """None but the row's id, which every batch has."""
        return ("_tilth_id",)

    def vote(self, batch: Batch) -> Said:
        """Return what the file says of each row, null where it says nothing."""
        keys, names = self._arrays
        return Said(names=names.take(pc.index_in(batch.ids.cast(pa.string()), value_set=keys)))

    @cached_property
    def _arrays(self) -> tuple[pa.Array, pa.Array]:
        return pa.array(list(self.entries), pa.string()), pa.array(list(self.entries.values()), pa.string())
