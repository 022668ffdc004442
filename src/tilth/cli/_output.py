"""Where the command line writes: results on stdout, progress and warnings on stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
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


def emit(thing: Any) -> None:
    """Write a result on stdout: text as it is, renderables through rich."""
    if isinstance(thing, str):
        sys.stdout.write(thing + "\n")
        return
    from rich.console import Console

    width = None if sys.stdout.isatty() else 110
    Console(file=sys.stdout, width=width, highlight=False).print(thing)


def emit_json(value: Any) -> None:
    """Write one JSON value on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


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
    import pyarrow.csv as pacsv

    if path is not None:
        pacsv.write_csv(table, path)
        emit(f"wrote {path}: {table.num_rows:,} rows")
        return
    sys.stdout.flush()
    pacsv.write_csv(table, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table as .csv or .parquet, by its suffix."""
    from tilth.core.errors import UsageError

    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        pq.write_table(table, path)
    elif path.suffix == ".csv":
        import pyarrow.csv as pacsv

        pacsv.write_csv(table, path)
    else:
        raise UsageError(f"{path.suffix!r} is not a format of predictions", next_step="name a .csv or a .parquet file")
