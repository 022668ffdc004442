"""MultiVotes: what many labelers said about rows that may have several classes, or none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Mask
from tilth.core.votes import Votes

__all__ = ["MultiVotes"]


@dataclass(frozen=True, kw_only=True, eq=False)
class MultiVotes:
    """Answers of m labelers on n rows, each of which says yes or no of some classes.

    Parameters
    ----------
    row_ids : (n,) ids of the rows, those without an answer included
    labelers : m names, all different
    classes : k class names in their order; one is enough
    rows : (a,) row number of each answer, ascending
    sources : (a,) labeler number of each answer; a labeler answers a row once
    yes : (a, k) classes that the answer names
    spoken : (a, k) classes that it says yes or no of; all that it names, and those that it turns down

    Raises
    ------
    ValueError
        Lengths disagree, a number points outside, rows are not ascending, names repeat, or a yes is not spoken.
    """

    row_ids: pa.Array
    labelers: tuple[str, ...]
    classes: tuple[str, ...]
    rows: IntVector
    sources: IntVector
    yes: Mask
    spoken: Mask

    def __post_init__(self) -> None:
        """Refuse answers that do not fit together."""
        shape = (len(self.rows), len(self.classes))
        if len(self.sources) != len(self.rows) or self.yes.shape != shape or self.spoken.shape != shape:
            raise ValueError("rows, sources, yes and spoken must have one length, and a column per class")
        if len(set(self.labelers)) < len(self.labelers) or len(set(self.classes)) < len(self.classes):
            raise ValueError("labelers and classes must have different names")
        if (np.diff(self.rows) < 0).any():
            raise ValueError("answers must stand in the order of their rows")
        bounds = ((self.rows, len(self.row_ids)), (self.sources, len(self.labelers)))
        if any(len(numbers) and not 0 <= numbers.min() <= numbers.max() < bound for numbers, bound in bounds):
            raise ValueError("an answer points at a row or a labeler that is not there")
        if (self.yes & ~self.spoken).any():
            raise ValueError("a class that is named is spoken of")

    def __len__(self) -> int:
        """Number of rows, with or without an answer."""
        return len(self.row_ids)

    @property
    def covered(self) -> Mask:
        """Rows that have an answer; (n,)."""
        return np.bincount(self.rows, minlength=len(self)) > 0

    def of_class(self, number: int) -> Votes:
        """Return the votes on one class: "not NAME" or NAME, of the labelers that ever speak of it."""
        spoken = np.flatnonzero(self.spoken[:, number])
        names, sources = np.unique(self.sources[spoken], return_inverse=True)
        name = self.classes[number]
        return Votes(
            row_ids=self.row_ids,
            labelers=tuple(self.labelers[source] for source in names),
            classes=(f"not {name}", name),
            rows=self.rows[spoken],
            sources=sources.astype(np.intp),
            said=self.yes[spoken, number].astype(np.intp),
        )
