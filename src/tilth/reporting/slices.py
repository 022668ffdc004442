"""Slices: where predictions are worse, on one screen or in a notebook: what, how bad, how sure, and the rules to go on with."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tilth.core.collection_brief import CollectionBrief
from tilth.core.new_slice import NewSlice
from tilth.core.project_slice import ProjectSlice
from tilth.core.slice_summary import SliceLine, SliceSummary
from tilth.reporting.clean import brief, listed
from tilth.reporting.figures import Scale, p_text, unbroken
from tilth.reporting.notebook import facts_html, table_html
from tilth.reporting.text import table_of

__all__ = ["brief_screen", "new_slices_screen", "project_slices_screen", "slices_html", "slices_screen"]

WIDEST_SCREEN = 100
_RIGHT = ("rows", "of errors", "of loss", "q")
_NOTE = (
    "Intervals (95 %) hold after the search: they allow for all that was looked at. q: the expected share of false ones"
    " among a slice and those that are less doubtful."
)


def slices_screen(summary: SliceSummary) -> Group:
    """Return where predictions are worse, on one screen."""
    parts: list[RenderableType] = [_grid(_facts(summary)), Text()]
    if summary.warnings:
        parts += [*(Text(f"warning: {brief(said)}") for said in summary.warnings), Text()]
    parts.append(Text(_title(summary), style="bold"))
    if summary.slices:
        heads, rows = _table(summary)
        parts += [Padding(table_of(heads, rows, right=_RIGHT), (0, 0, 0, 2)), Text(_NOTE, style="dim"), Text()]
        parts += [Text("Rules, as SQL: for tilth.yaml, or a query", style="bold"), _rules(summary.slices)]
    return Group(*(Constrain(part, WIDEST_SCREEN) for part in parts))


def project_slices_screen(slices: Sequence[ProjectSlice], metric: str) -> Group:
    """Return the slices of a project on one screen: declared ones, then those that the last run discovered."""
    if not slices:
        return Group(Text("No slice is declared, and the last run discovered none."))
    scale = Scale(metric)
    heads = ("slice", "", "dev rows", brief(scale.name, 24), "q", "rule")
    rows = [
        (
            brief(one.name, 60),
            "declared" if one.is_declared else "discovered",
            "" if one.rows is None else f"{one.rows:,}",
            "" if one.score is None else unbroken(scale.score(one.score)),
            "" if one.q_value is None else p_text(one.q_value),
            brief(one.rule, 80) if one.rule else "(not shown)",
        )
        for one in slices
    ]
    parts: list[RenderableType] = [table_of(heads, rows, right=("dev rows", "q")), Text()]
    if any(not one.is_declared for one in slices):
        parts.append(Text("tilth slices --declare NAME writes a discovered slice into tilth.yaml.", style="dim"))
    parts.append(
        Text("tilth slices --brief NAME says what to gather for a slice, and what it would bring.", style="dim")
    )
    return Group(*(Constrain(part, WIDEST_SCREEN) for part in parts))


def brief_screen(found: CollectionBrief) -> Group:
    """Return what to gather for a slice in words, and the curve on which the words rest."""
    scale = Scale(found.metric)
    rows = [("measured", f"{point.rows:,}", scale.score(point.score), "") for point in found.points]
    rows.append(("now", f"{found.labelled:,}", scale.score(found.now), ""))
    rows += [(one.what, f"{one.rows:,}", scale.score(one.score), scale.gain(one.gain)) for one in found.forecasts]
    title = f"{scale.name} in the slice by its labelled train rows, {scale.score_note}; gain {scale.gain_note}"
    table = table_of(("", "rows", "score", "gain"), rows, right=("rows",))
    said = [Text(brief(sentence, 600)) for sentence in found.sentences]
    parts: list[RenderableType] = [*said, Text(), Text(title, style="bold"), Padding(table, (1, 0))]
    return Group(*(Constrain(part, WIDEST_SCREEN) for part in parts))


def new_slices_screen(slices: Sequence[NewSlice], metric: str) -> Group:
    """Return how new rows fall into slices, and what is likely to be scored on each, where that was asked for."""
    scale, asked = Scale(metric), any(one.expected is not None or one.reason for one in slices)
    heads = ("slice", "", "new rows", "share", "of train", *(("expected", "on dev") if asked else ()))
    rows = []
    for one in slices:
        line = (
            brief(one.name, 60),
            "declared" if one.is_declared else "discovered",
            f"{one.rows:,}",
            f"{100 * one.share:.1f} %",
            f"{100 * one.train_share:.1f} %",
        )
        expected = one.reason if one.expected is None else unbroken(scale.score(one.expected))
        known = "" if one.known is None else unbroken(scale.score(one.known))
        rows.append((*line, *((brief(expected, 80), known) if asked else ())))
    return Group(table_of(heads, rows, right=("new rows", "share", "of train")))


def slices_html(summary: SliceSummary) -> str:
    """Return where predictions are worse for a notebook: facts, slices, rules."""
    facts = dict(_facts(summary))
    if summary.warnings:
        facts["warnings"] = " · ".join(brief(said) for said in summary.warnings)
    heads, rows = _table(summary)
    head = facts_html("slices", facts)
    if not rows:
        return head + facts_html(_title(summary), {})
    shown = [(*row, brief(one.rule)) for row, one in zip(rows, summary.slices, strict=True)]
    return head + table_html(shown, (*heads, "rule"), caption=f"{_title(summary)} {_NOTE}", right=_RIGHT)


def _grid(facts: Sequence[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="bold", width=10)
    grid.add_column(overflow="fold")
    for name, text in facts:
        grid.add_row(Text(name), Text(text))
    return grid


def _facts(summary: SliceSummary) -> list[tuple[str, str]]:
    scale = Scale(summary.metric)
    of = "" if summary.scored == summary.rows else f", {summary.scored:,} with a score"
    facts = [
        ("data", f"{brief(summary.source)} · {summary.rows:,} rows{of}"),
        ("label", brief(summary.label)),
        ("prediction", brief(summary.prediction)),
        ("overall", f"{scale.name} {scale.score(summary.overall)}"),
        ("searched", f"{listed(summary.columns, 12)}: values, ranges, and up to three of them together"),
    ]
    if summary.left_out:
        facts.append(("left out", listed((f"{name} ({why})" for name, why in summary.left_out.items()), 4)))
    return facts


def _title(summary: SliceSummary) -> str:
    n = len(summary.slices)
    if not n:
        return "No slice is surely worse than the rest of the rows."
    return f"{n} slice{'s' if n > 1 else ''} on which predictions are worse, the surest and worst first"


def _table(summary: SliceSummary) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    scale = Scale(summary.metric)
    losses = "of errors" if summary.metric == "accuracy" else "of loss"
    heads = ("", brief(scale.name, 24), "rows", losses, "q", "where")
    rows: list[tuple[str, ...]] = [
        (
            str(number),
            unbroken(scale.score(one.value)),
            f"{one.rows:,}",
            f"{100 * one.loss_share:.1f} %",
            p_text(one.q_value),
            brief(one.name, 160),
        )
        for number, one in enumerate(summary.slices, 1)
    ]
    return heads, rows


def _rules(lines: Sequence[SliceLine]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, justify="right")
    grid.add_column(overflow="fold")
    for number, one in enumerate(lines, 1):
        grid.add_row(Text(f"  {number}"), Text(brief(one.rule)))
        for other in one.alike[:1]:
            grid.add_row(Text(""), Text(f"nearly the same rows: {brief(other)}", style="dim"))
    return grid
