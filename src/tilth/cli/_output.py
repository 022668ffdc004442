"""Where the command line writes: results on stdout, progress and warnings on stderr."""

from __future__ import annotations

import io
import json
import math
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tilth.core.progress import Progress

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "console_error",
    "emit",
    "emit_json",
    "plain_columns",
    "progress_on_stderr",
    "write_csv",
    "write_table",
]

PLAIN_WIDTH = 110
"""Signs per line where stdout is no terminal."""


def emit(thing: Any) -> None:
    """Write a result on stdout: text as it is, renderables through rich, without colours where it is no terminal."""
    if isinstance(thing, str):
        _write(thing + "\n")
        return
    from rich.console import Console

    if sys.stdout.isatty():
        Console(file=sys.stdout, highlight=False).print(thing)
        return
    console = Console(file=io.StringIO(), width=PLAIN_WIDTH, highlight=False, color_system=None)
    with console.capture() as captured:
        console.print(thing)
    _write("\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n")


def emit_json(value: Any) -> None:
    """Write one JSON value on stdout; a figure that is no number becomes null."""
    _write(json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write(text: str) -> None:
    """Write on stdout; where the reader has gone (`tilth log | head`), end without a word."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def console_error(text: str) -> None:
    """Write a line on stderr."""
    sys.stderr.write(text + "\n")


def plain_columns(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as text in columns."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)


@contextmanager
def progress_on_stderr() -> Iterator[Progress]:
    """Yield a progress callback: one living line on a terminal, one line per stage elsewhere."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(file=sys.stderr, highlight=False)
    started = time.perf_counter()
    if not console.is_terminal:
        yield _stage_lines(started)
        return
    with console.status("starting") as status:

        def living(stage: str, detail: str = "", done: int = 0, total: int = 0) -> None:
            status.update(escape(_line(stage, detail, done, total, started)))

        yield living


def _stage_lines(started: float) -> Progress:
    said: set[tuple[str, str]] = set()

    def plain(stage: str, detail: str = "", done: int = 0, total: int = 0) -> None:
        key = (stage, "" if total else detail)
        if key not in said:
            said.add(key)
            console_error(_line(stage, detail, done, total, started))

    return plain


def _line(stage: str, detail: str, done: int, total: int, started: float) -> str:
    count = f" {done + 1}/{total}" if total else ""
    return f"[{time.perf_counter() - started:6.1f} s] {stage}{count} {detail}".rstrip()


def write_csv(table: pa.Table, path: Path | None) -> None:
    """Write a table as CSV to a file or to stdout."""
    import pyarrow as pa
    import pyarrow.csv as pacsv

    from tilth.loop.locations import writing

    if path is not None:
        with writing(path):
            pacsv.write_csv(table, path)
        return
    sink = pa.BufferOutputStream()
    pacsv.write_csv(table, sink)
    _write(sink.getvalue().to_pybytes().decode())


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table as .csv or .parquet, by its suffix."""
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        from tilth.loop.locations import writing

        with writing(path):
            pq.write_table(table, path)
    else:
        write_csv(table, path)
