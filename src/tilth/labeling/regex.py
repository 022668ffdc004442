r"""Regex: rows that match a regular expression.

    vote = says   where a cell matches somewhere; else it abstains

Expressions are RE2's, whose time grows with the text and never explodes: no look-around, no back-references; `\b` and `\w` know
ASCII only, `\p{L}` is any letter.

Source: Cox (2010), Regular expression matching in the wild, on RE2; labeling functions: Ratner et al. (2017), VLDB 11.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tilth.core.said import Said
from tilth.operators.batch import Batch
from tilth.operators.text_cells import any_matches, refuse_expression
from tilth.operators.voting import said_where

__all__ = ["Regex"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Regex:
    """Vote for a class where a cell matches a regular expression (RE2) somewhere.

    Parameters
    ----------
    expression : the expression
    says : the class
    columns : where to look; () looks into every text that a labeler may read
    ignore_case : whether a and A are the same
    """

    expression: str
    says: str
    columns: tuple[str, ...] = ()
    ignore_case: bool = False

    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse an expression that RE2 cannot read."""
        refuse_expression(self.expression, "the expression")

    @classmethod
    def example(cls) -> Regex:
        """Return a labeler that finds links."""
        return cls(expression=r"https?://|check\s+out", says="spam", columns=("text",), ignore_case=True)

    def vote(self, batch: Batch) -> Said:
        """Return the class where the expression matches, null elsewhere."""
        return said_where(any_matches(batch, self.expression, ignore_case=self.ignore_case), self.says)
