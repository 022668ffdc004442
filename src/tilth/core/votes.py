"""Votes: what many labelers said about many rows, kept sparse."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Mask

__all__ = ["Votes"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Votes:
    """Sparse votes of m labelers on n rows, abstentions left out; a labeler is a function, a person or a model.

    Parameters
    ----------
    row_ids : (n,) ids of the rows, those without a vote included
    labelers : m names, all different
    classes : k class names in their order, at least two
    rows : (v,) row number of each vote, ascending
    sources : (v,) labeler number of each vote
    said : (v,) class number of each vote; a labeler that answers a row twice is there twice

    Raises
    ------
    ValueError
        Lengths disagree, a number points outside, rows are not ascending, or names repeat.
    """

    row_ids: pa.Array
    labelers: tuple[str, ...]
    classes: tuple[str, ...]
    rows: IntVector
    sources: IntVector
    said: IntVector

    def __post_init__(self) -> None:
        """Refuse votes that do not fit together."""
        if not len(self.rows) == len(self.sources) == len(self.said):
            raise ValueError("rows, sources and said must have one length")
        if len(set(self.labelers)) < len(self.labelers) or len(set(self.classes)) < len(self.classes):
            raise ValueError("labelers and classes must have different names")
        if (np.diff(self.rows) < 0).any():
            raise ValueError("votes must stand in the order of their rows")
        bounds = ((self.rows, len(self.row_ids)), (self.sources, len(self.labelers)), (self.said, len(self.classes)))
        if any(len(numbers) and not 0 <= numbers.min() <= numbers.max() < bound for numbers, bound in bounds):
            raise ValueError("a vote points at a row, a labeler or a class that is not there")

    def __len__(self) -> int:
        """Number of rows, with or without a vote."""
        return len(self.row_ids)

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.classes)

    @property
    def covered(self) -> Mask:
        """Rows that have a vote; (n,)."""
        return np.bincount(self.rows, minlength=len(self)) > 0

    def dense(self) -> tuple[IntVector, Mask]:
        """Return the (n, m) matrix of class numbers and the (n, m) mask of abstentions (where it holds 0)."""
        shape = (len(self.row_ids), len(self.labelers))
        matrix, abstained = np.zeros(shape, dtype=np.intp), np.ones(shape, dtype=bool)
        matrix[self.rows, self.sources] = self.said
        abstained[self.rows, self.sources] = False
        return matrix, abstained

    def among(self, labelers: tuple[str, ...]) -> Votes:
        """Return the votes with their labelers numbered among others; all of them must be there."""
        number = {name: place for place, name in enumerate(labelers)}
        places = np.array([number[name] for name in self.labelers], dtype=np.intp)
        return replace(self, labelers=labelers, sources=places[self.sources])

    def followed_by(self, later: Votes) -> Votes:
        """Return these rows and, below them, those of votes for the same classes; labelers that are new come last."""
        if later.classes != self.classes:
            raise ValueError("votes for other classes cannot follow")
        known = set(self.labelers)
        labelers = (*self.labelers, *(name for name in later.labelers if name not in known))
        more = later.among(labelers)
        return Votes(
            row_ids=pa.concat_arrays([one.row_ids.cast(pa.string()) for one in (self, later)]),
            labelers=labelers,
            classes=self.classes,
            rows=np.concatenate([self.rows, more.rows + len(self)]),
            sources=np.concatenate([self.sources, more.sources]),
            said=np.concatenate([self.said, more.said]),
        )

    @classmethod
    def of_matrix(
        cls,
        matrix: np.ndarray,
        *,
        classes: tuple[str, ...],
        labelers: tuple[str, ...] | None = None,
        row_ids: pa.Array | None = None,
    ) -> Votes:
        """Make votes of an (n, m) matrix of class numbers, with -1 where a labeler abstains."""
        n, m = matrix.shape
        rows, sources = np.nonzero(matrix >= 0)
        return cls(
            row_ids=pa.array([str(i) for i in range(n)]) if row_ids is None else row_ids,
            labelers=tuple(f"labeler{j}" for j in range(m)) if labelers is None else labelers,
            classes=classes,
            rows=rows,
            sources=sources,
            said=matrix[rows, sources].astype(np.intp),
        )
