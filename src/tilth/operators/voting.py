"""What labelers share: votes of a mask, answers as class names, failures as abstentions, a block in parts."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.arrays import Mask
from tilth.core.errors import ContractError, TilthError, UndeclaredNeedError, first_three
from tilth.core.said import Failure, Said
from tilth.operators.batch import Batch

__all__ = ["Failures", "class_names", "in_parts", "part_of", "said_where"]

MOST_CALLS = 400
"""Calls that the search for failing rows of one block may cost; what still fails then abstains as a whole."""
FRAMES = 3
LONGEST = 60


def said_where(hits: Mask, says: str) -> Said:
    """Return one class where a mask is true, and abstentions elsewhere; (n,).

    Examples
    --------
    >>> said_where(np.array([True, False]), "spam").names.to_pylist()
    ['spam', None]
    """
    zeros = pa.array(np.zeros(len(hits), dtype=np.int64), mask=~np.asarray(hits, dtype=bool))
    return Said(names=pa.array([says], pa.string()).take(zeros))


def part_of(batch: Batch, start: int, rows: int) -> Batch:
    """Return some consecutive rows of a batch."""
    columns = {name: cells.slice(start, rows) for name, cells in batch.columns.items()}
    return Batch(ids=batch.ids.slice(start, rows), columns=columns)


class Failures:
    """Collects the rows on which a labeler fails; each place in its code gets one traceback."""

    def __init__(self) -> None:
        self.found: list[Failure] = []
        self._told: dict[tuple[type[BaseException], int], str] = {}

    def add(self, row_id: str, error: BaseException) -> None:
        """Take in one failing row."""
        trace = error.__traceback__
        place = (type(error), _last_line(trace))
        if place not in self._told:
            self._told[place] = _short(error)
        first = (str(error).strip().splitlines() or [""])[0]
        text = f"{type(error).__name__}: {first}" if first else type(error).__name__
        self.found.append(Failure(row_id=row_id, error=text, traceback=self._told[place]))


def in_parts(vote: Callable[[Batch], pa.Array], batch: Batch) -> Said:
    """Return what a vectorised labeler says; where it raises, halves are tried, down to the rows that make it fail.

    A refusal of tilth (a wrong answer, a wrong predicate) is no failure of a row: it is passed on. Where very many rows
    fail, the search ends after some hundred calls, and the parts that still fail abstain as a whole.
    """
    failures = Failures()
    left = MOST_CALLS

    def said(part: Batch) -> pa.Array:
        nonlocal left
        left -= 1
        try:
            return vote(part)
        except Exception as error:
            if isinstance(error, TilthError) and not isinstance(error, UndeclaredNeedError):
                raise
            half = len(part) // 2
            if half and left > 0:
                return pa.concat_arrays([said(part_of(part, 0, half)), said(part_of(part, half, len(part) - half))])
            for row_id in part.ids.to_pylist():
                failures.add(str(row_id), error)
            return pa.nulls(len(part), pa.string())

    names = said(batch) if len(batch) else pa.nulls(0, pa.string())
    return Said(names=names, failures=tuple(failures.found))


def class_names(answers: Any, batch: Batch, labeler: str) -> pa.Array:
    """Return a labeler's answers for a batch as text, null where it abstains.

    Parameters
    ----------
    answers : (n,) list, NumPy, Arrow or pandas: class names, whole numbers that are names, or None
    batch : the n rows
    labeler : its name, for messages

    Raises
    ------
    ContractError
        Another length, or what is no class name (NaN, True, 0.5, an object): with the first such rows.
    """
    array = _plain_array(answers)
    if len(array) != len(batch):
        rows = first_three(batch.ids.slice(0, 3).to_pylist())
        raise ContractError(
            f"labeler {labeler!r} answered {len(array):,} times for {len(batch):,} rows",
            where=f"a block that begins with rows {rows}",
            next_step="return one class name or None per row, in the order of the rows",
        )
    if isinstance(array, pa.Array):
        return array
    names = [_name(answer) for answer in array]
    wrong = [place for place, name in enumerate(names) if name is False]
    if wrong:
        rows = first_three(batch.ids[place].as_py() for place in wrong)
        raise ContractError(
            f"labeler {labeler!r} answered {repr(array[wrong[0]])[:LONGEST]}, which is no class name",
            where=f"rows {rows}",
            next_step="return the name of a class, or None to abstain",
        )
    return pa.array(names, pa.string())


def _plain_array(answers: Any) -> pa.Array | Sequence[Any]:
    """Return answers as an Arrow array of text where they are that already, else as a list."""
    if answers is None or isinstance(answers, str | bytes | dict):
        return [answers]
    if isinstance(answers, pa.ChunkedArray):
        answers = answers.combine_chunks()
    try:
        if isinstance(answers, pa.Array) and pa.types.is_dictionary(answers.type):
            answers = answers.cast(answers.type.value_type)
        array = pa.array(answers, from_pandas=False)
        if pa.types.is_null(array.type) or pa.types.is_large_string(array.type) or _is_view(array.type):
            array = array.cast(pa.string())
        if pa.types.is_string(array.type):
            return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError):
        pass
    return answers.to_pylist() if isinstance(answers, pa.Array) else list(answers)


def _is_view(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string_view(kind))


def _name(answer: Any) -> str | bool | None:
    """Return the class name, None for an abstention, False for what is neither."""
    if answer is None or isinstance(answer, str):
        return None if answer is None else str(answer)
    is_whole = isinstance(answer, int | np.integer) and not isinstance(answer, bool)
    return str(int(answer)) if is_whole else False


def _last_line(trace: TracebackType | None) -> int:
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return 0 if trace is None else trace.tb_lineno


def _short(error: BaseException) -> str:
    """Return the last frames of a traceback, without the frame that called the labeler."""
    trace = error.__traceback__
    frames = traceback.extract_tb(None if trace is None else trace.tb_next)[-FRAMES:]
    lines = traceback.format_list(frames) + traceback.format_exception_only(type(error), error)
    return "".join(lines).rstrip()
