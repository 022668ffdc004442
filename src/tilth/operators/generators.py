"""`tilth.generator`: a plain function makes new rows of a row.

    @tilth.generator(columns=["text"], most_calls=200)
    def paraphrase(row):
        return my_endpoint(row.text)

The function returns a new row (a mapping from column to cell; the bare cell where it has one column), several in a list, or None. The
label and the cells that it does not return are those of the row that it was given. It is off unless `generators:` in tilth.yaml names it,
is asked of no more than `most_calls` rows, and what it answered is kept: it is not asked twice of one row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, overload

import pyarrow as pa

from tilth.core.errors import ContractError, UsageError
from tilth.operators.row_function import Function, RowFunction, decorator

__all__ = ["FunctionGenerator", "generator"]

MOST_CALLS = 200


class FunctionGenerator(RowFunction):
    """A function that makes rows of a row; `tilth.generator` makes it.

    Parameters
    ----------
    function : of a row
    name : the generator's name
    columns : what it reads and may make; () for all features
    is_batch : always False: it is called once per row
    most_calls : rows that it is asked of at most
    """

    kind: ClassVar[str] = "generator"

    def __init__(
        self,
        function: Function,
        *,
        name: str,
        columns: tuple[str, ...] = (),
        is_batch: bool = False,
        most_calls: int = MOST_CALLS,
    ) -> None:
        super().__init__(function, name=name, columns=columns, is_batch=is_batch)
        self.most_calls = most_calls

    def made(self, row: Any, kinds: Mapping[str, pa.DataType]) -> list[dict[str, Any]]:
        """Return the rows that it makes of a row, each a mapping of plain values that columns of these types can hold.

        Raises
        ------
        ContractError
            It gave a column that it does not have, a cell of another type, or one that cannot be written down.
        """
        answer = self.function(row)
        found = answer if isinstance(answer, list | tuple) else [] if answer is None else [answer]
        return [self._checked(one, kinds) for one in found if one is not None]

    def _checked(self, one: Any, kinds: Mapping[str, pa.DataType]) -> dict[str, Any]:
        if not isinstance(one, Mapping) and len(kinds) == 1:
            one = {next(iter(kinds)): one}
        if not isinstance(one, Mapping):
            raise ContractError(f"the generator {self.name!r} gave a {type(one).__name__}, which is no row")
        other = [str(name) for name in one if name not in kinds]
        if other or not one:
            raise ContractError(
                f"the generator {self.name!r} gave {other[0] if other else 'no column'!r}, not one of its columns"
            )
        for name, cell in one.items():
            try:
                pa.array([cell], kinds[name])
                json.dumps(cell, allow_nan=False)
            except (pa.ArrowException, TypeError, ValueError):
                raise ContractError(
                    f"the generator {self.name!r} gave a {type(cell).__name__} for column {name!r}, which holds {kinds[name]}"
                ) from None
        return dict(one)


@overload
def generator(function: Function, /) -> FunctionGenerator: ...


@overload
def generator(
    *, name: str | None = None, columns: Sequence[str] = (), most_calls: int = MOST_CALLS
) -> Callable[[Function], FunctionGenerator]: ...


def generator(
    function: Function | None = None,
    /,
    *,
    name: str | None = None,
    columns: Sequence[str] = (),
    most_calls: int = MOST_CALLS,
) -> FunctionGenerator | Callable[[Function], FunctionGenerator]:
    """Make a generator of a function that returns new rows made of a row, or None.

    Parameters
    ----------
    name : the generator's name; the function's where none is given
    columns : the columns that it reads and may make; without them, all features
    most_calls : rows that it is asked of at most: what it costs

    Raises
    ------
    UsageError
        What is decorated is no function, or has no name; `most_calls` is no whole number from 1.

    Examples
    --------
    >>> import tilth
    >>> @tilth.generator(columns=["text"], most_calls=10)
    ... def politely(row):
    ...     return "please " + row.text
    >>> politely({"text": "subscribe"})
    'please subscribe'
    """
    if not isinstance(most_calls, int) or isinstance(most_calls, bool) or most_calls < 1:
        raise UsageError(f"most_calls cannot be {most_calls!r}", next_step="write a whole number from 1")
    return decorator(FunctionGenerator, function, name, columns, batch=False, most_calls=most_calls)
