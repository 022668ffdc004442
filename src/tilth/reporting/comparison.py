"""Comparison: two models on the same rows as a table, what became worse first."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tilth.core.comparison import Change, Comparison
from tilth.reporting.clean import brief
from tilth.reporting.figures import Scale
from tilth.reporting.text import table_of

__all__ = ["HEADS", "change_rows", "comparison_rows", "comparison_screen", "left_out_lines", "said_of_regressions"]

HEADS = ("", "rows", "before", "after", "gain", "")
MOST = 20
_CONTROLS = {"holm": "the chance of any false word is 5 %", "bh": "5 % of them are expected to be false"}


def comparison_screen(comparison: Comparison) -> Group:
    """Return all rows, classes and slices, and which groups became worse."""
    scale = Scale(comparison.metric)
    title = Text(f"{scale.name}, {scale.score_note}; gain {scale.gain_note}", style="bold")
    parts: list[RenderableType] = [title, _table(change_rows([comparison.overall, *comparison.slices], scale))]
    if comparison.classes:
        by_class = Scale(comparison.class_metric)
        parts += [Text(f"{by_class.name} of classes"), _table(change_rows(comparison.classes, by_class))]
    parts.append(Text(said_of_regressions(comparison)))
    return Group(*parts, *(Text(line) for line in left_out_lines(comparison)))


def comparison_rows(comparison: Comparison) -> list[tuple[str, str, str, str, str, str]]:
    """Return all rows, slices and classes as rows of text."""
    rows = change_rows([comparison.overall, *comparison.slices], Scale(comparison.metric))
    if not comparison.classes:
        return rows
    scale = Scale(comparison.class_metric)
    return rows + [(f"{scale.name} of {one[0]}", *one[1:]) for one in change_rows(comparison.classes, scale)]


def change_rows(changes: Sequence[Change], scale: Scale) -> list[tuple[str, str, str, str, str, str]]:
    """Return one row of text per change, at most 20: name, rows, before, after, gain, and whether it is more than chance."""
    rows = [
        (
            brief(one.name, 60),
            f"{one.rows:,}",
            scale.score(one.before),
            scale.score(one.after),
            scale.gain(one.gain),
            "worse" if one.is_worse else "better" if one.is_better else "",
        )
        for one in changes[:MOST]
    ]
    if len(changes) > MOST:
        rows.append((f"… and {len(changes) - MOST:,} more: --json lists all", "", "", "", "", ""))
    return rows


def said_of_regressions(comparison: Comparison) -> str:
    """Say which groups became worse beyond chance, and what that word is worth."""
    found = comparison.regressions
    if not found:
        return "Nothing became worse beyond chance."
    named = ", ".join(brief(one.name, 60) for one in found[:3])
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return f"Became worse: {named}{more} (of classes, and of slices, {_CONTROLS[comparison.control]})."


def left_out_lines(comparison: Comparison) -> list[str]:
    """Return one line for each group that could not be measured."""
    return [f"left out: {brief(name, 60)}: {brief(why)}" for name, why in comparison.left_out.items()]


def _table(rows: Sequence[Sequence[str]]) -> Padding:
    table: Table = table_of(HEADS, rows, right=("rows",))
    return Padding(table, (1, 0))
