"""Dataframes in memory: whatever speaks the Arrow PyCapsule interface, such as pandas, polars and PyArrow.

A named index of a pandas dataframe stays as a column; an unnamed one of integers, a leftover, does not.

Source: Apache Arrow, the Arrow PyCapsule interface, arrow.apache.org.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

from tilth.core.errors import SourceError
from tilth.sources._tables import Rows, columns_table, plain_table

__all__ = ["Dataframe", "is_dataframe", "parse_dataframe"]

NAME = "the dataframe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataframe:
    """Read a dataframe of any library that exports Arrow.

    Parameters
    ----------
    frame : object with `__arrow_c_stream__` or `__arrow_c_array__`
        It is not changed and not kept.

    Raises
    ------
    SourceError
        No dataframe, no rows, empty or repeated column names.
    """

    revision: ClassVar[int] = 1
    frame: Any

    @classmethod
    def example(cls) -> Dataframe:
        """Return an instance with two rows."""
        return cls(frame=pa.table({"text": ["a fine day", "a poor show"], "label": ["good", "bad"]}))

    def read(self) -> pa.Table:
        """Return the rows with the types that the dataframe gives them."""
        return parse_dataframe(self.frame).table


def is_dataframe(thing: object) -> bool:
    """Whether the object can hand out its rows as Arrow."""
    return hasattr(thing, "__arrow_c_stream__") or hasattr(thing, "__arrow_c_array__")


def parse_dataframe(frame: Any) -> Rows:
    """Return the rows of a dataframe; columns of mixed types become text, with a warning."""
    if not is_dataframe(frame):
        hint = "call .collect() first" if hasattr(frame, "collect") else "give a pandas, polars or Arrow table"
        raise SourceError(f"a {type(frame).__name__} is no dataframe", next_step=hint)
    names = [str(name) for name in getattr(frame, "columns", ())] if hasattr(frame, "iloc") else []
    try:
        table = pa.table(frame)
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError) as problem:
        if not names or len(set(names)) < len(names):
            raise SourceError(
                f"cannot be read as a table: {problem}",
                where=NAME,
                next_step="give a table whose columns have names",
            ) from problem
        rows = columns_table({name: frame.iloc[:, position] for position, name in enumerate(names)}, NAME)
    else:
        rows = plain_table(table, NAME)
    if rows.table.num_rows == 0:
        raise SourceError("holds no rows", where=NAME, next_step="give a table with rows")
    return rows
