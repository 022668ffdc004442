"""People's functions: what labelers, slices and checks that are written in Python have in common.

A decorated function stays callable, for tests: with a mapping of cells, or with any object that has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import update_wrapper
from typing import Any, ClassVar, TypeVar

import pyarrow as pa

from tilth.core.errors import UsageError
from tilth.operators._label_rows import Columns, row_of

__all__ = ["Function", "RowFunction", "decorator", "functions_made"]

Function = Callable[..., Any]
Made = TypeVar("Made", bound="RowFunction")
_watching: list[list[RowFunction]] = []


class RowFunction:
    """A function of a row, or of the columns of a block; a decorator makes it.

    Parameters
    ----------
    function : of a row, or with `is_batch` of the columns of a block
    name : what it is called
    columns : what it reads; () for all columns that it may read
    is_batch : whether it is called once per block
    """

    kind: ClassVar[str] = "function"
    revision: ClassVar[int] = 1

    def __init__(self, function: Function, *, name: str, columns: tuple[str, ...] = (), is_batch: bool = False) -> None:
        update_wrapper(self, function)
        self.function, self.name, self.columns, self.is_batch = function, name, columns, is_batch

    def __call__(self, row: Any) -> Any:
        """Call the function by hand: with a mapping of cells (or of columns), or with any object that has them."""
        if not isinstance(row, Mapping) or isinstance(row, Columns):
            return self.function(row)
        if not self.is_batch:
            return self.function(row_of(row))
        cells = {name: column if isinstance(column, pa.Array) else pa.array(column) for name, column in row.items()}
        return self.function(Columns(cells, len(next(iter(cells.values()), ()))))

    def __repr__(self) -> str:
        """Show the name."""
        return f"{self.kind}({self.name!r})"

    @property
    def line(self) -> int:
        """The line in which the function begins, or 0."""
        code = getattr(self.function, "__code__", None)
        return int(getattr(code, "co_firstlineno", 0))


def decorator(
    kind: type[Made], function: Function | None, name: str | None, columns: Sequence[str], *, batch: bool, **facts: Any
) -> Made | Callable[[Function], Made]:
    """Return a decorated function, or where there is none yet the decorator; `facts` are what its kind has beside.

    Raises
    ------
    UsageError
        What is decorated is no function, or has no name.
    """
    names = (columns,) if isinstance(columns, str) else tuple(columns)

    def made(decorated: Function) -> Made:
        called = name or getattr(decorated, "__name__", "")
        if not callable(decorated) or isinstance(decorated, RowFunction):
            raise UsageError(f"a {type(decorated).__name__} is no function", next_step="decorate a plain function")
        if not called or called == "<lambda>":
            raise UsageError(
                f"this {kind.kind} has no name", next_step=f'give it one: tilth.{kind.kind}(name="…")(function)'
            )
        one = kind(decorated, name=called, columns=names, is_batch=batch, **facts)
        for watcher in _watching:
            watcher.append(one)
        return one

    return made if function is None else made(function)


@contextmanager
def functions_made() -> Iterator[list[RowFunction]]:
    """Yield a list that fills with the functions decorated meanwhile: a name that is defined twice hides the first."""
    made: list[RowFunction] = []
    _watching.append(made)
    try:
        yield made
    finally:
        _watching.remove(made)
