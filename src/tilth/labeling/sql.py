"""SQL: rows for which a predicate holds.

    vote = says   where the predicate is true; where it is false or null, it abstains

The predicate is DataFusion's SQL over the row's own columns. Names of columns are taken as they are written; put those with
spaces in double quotes, and text in single quotes.

Source: ISO/IEC 9075-2, predicates; Ratner, Bach, Ehrenberg, Fries, Wu, Ré (2017), Snorkel, VLDB 11 (labeling functions).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from tilth.core.said import Said
from tilth.engine.predicate import Predicate
from tilth.operators.batch import Batch
from tilth.operators.voting import in_parts, said_where

__all__ = ["Sql"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sql:
    """Vote for a class where an SQL predicate holds.

    Parameters
    ----------
    where : the predicate, such as: likes > 100 AND text NOT LIKE '%song%'
    says : the class
    """

    where: str
    says: str

    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse what is no predicate, or more than one."""
        Predicate(self.where)

    @classmethod
    def example(cls) -> Sql:
        """Return a labeler of short texts."""
        return cls(where="length(text) BETWEEN 1 AND 12", says="spam")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the predicate names."""
        return Predicate(self.where).columns

    def vote(self, batch: Batch) -> Said:
        """Return the class where the predicate is true, null elsewhere; rows on which it cannot be computed fail."""
        return in_parts(self._of, batch)

    def _of(self, batch: Batch) -> pa.Array:
        return said_where(Predicate(self.where).holds(batch), self.says).names
