"""What `tilth label` writes besides its screen: the labels, and what the votes on one row did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tilth.cli._output import emit

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from tilth.core.label_summary import Explanation

__all__ = ["say_more", "write_labels"]


def say_more(explanation: Explanation | None, output: Path | None, rows: int) -> None:
    """Write what follows the screen: what the votes on a row did, and what was written."""
    from tilth.reporting.labels import explanation_screen

    if explanation is not None:
        emit(explanation_screen(explanation))
    if output is not None:
        emit(f"wrote {output}: {rows:,} rows with label and one probability per class")


def write_labels(table: pa.Table, path: Path) -> None:
    """Write labels as .csv, .parquet, .json or .jsonl, by the suffix."""
    import json

    from tilth.cli._output import write_table
    from tilth.loop.locations import writing

    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix not in (".json", ".jsonl"):
        write_table(table, path)
        return
    lines = [json.dumps(row, ensure_ascii=False) for row in table.to_pylist()]
    text = "\n".join(lines) if path.suffix == ".jsonl" else "[\n" + ",\n".join(lines) + "\n]"
    with writing(path):
        path.write_text(text + "\n", encoding="utf-8")
