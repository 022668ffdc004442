"""Said: what one labeler said of a block of rows, and the rows on which it failed."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

__all__ = ["Failure", "Said"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One row on which a labeler failed: it abstains there, and the report says why.

    Parameters
    ----------
    row_id : the row
    error : kind and first line of the exception
    traceback : where in the labeler it came from, a few lines
    """

    row_id: str
    error: str
    traceback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Said:
    """What one labeler said of n rows.

    Parameters
    ----------
    names : (n,) text: the class that it votes for, null where it abstains
    failures : rows on which it failed, where `names` is null; in the order of the rows

    Raises
    ------
    ValueError
        The names are not text.
    """

    names: pa.Array
    failures: tuple[Failure, ...] = ()

    def __post_init__(self) -> None:
        """Refuse names that are no text."""
        if not pa.types.is_string(self.names.type):
            raise ValueError(f"names must be text, not {self.names.type}")

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.names)
