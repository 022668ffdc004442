"""Text: log, diff, show, blame and the list of operators as plain tables, from the dicts that `--json` prints.

Texts go in as they are, never as markup, and control signs are written out: no cell can colour or clear a terminal.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from io import StringIO
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tilth.core.estimate import Estimate
from tilth.core.trial import Trial
from tilth.reporting.clean import brief, listed, one_line
from tilth.reporting.figures import Scale

__all__ = [
    "as_text",
    "blame_text",
    "delta_text",
    "diff_text",
    "facts_table",
    "log_table",
    "operators_table",
    "show_text",
    "table_of",
]

LONGEST_CELL = 200
_MOST_PAIRS = 20


def as_text(renderable: RenderableType, width: int = 100) -> str:
    """Return a renderable as plain text without colours, lines ending where their text ends."""
    console = Console(width=width, color_system=None, file=StringIO(), legacy_windows=False)
    with console.capture() as captured:
        console.print(renderable)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def table_of(heads: Sequence[str], rows: Sequence[Sequence[object]], *, right: Collection[str] = ()) -> Table:
    """Return rows of values below heads; columns named in `right` are numbers."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="bold")
    for head in heads:
        is_number = head in right
        table.add_column(
            Text(head), justify="right" if is_number else "left", no_wrap=is_number, overflow="fold", vertical="top"
        )
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    return table


def log_table(lines: Sequence[Mapping[str, Any]]) -> Table:
    """Return the history in its order, one line a version: the dicts of `tilth log --json` or of `HistoryLine`."""
    rows = []
    for line in lines:
        what = " · ".join(str(line[part]) for part in ("verb", "operator") if line[part]) or line["origin"]
        touched = line.get("touched", line["rows"]) if line["edit"] else ""
        rows.append((_names(line), what, touched, line["verdict"] or "", line["reason"] or "", line["edit"] or ""))
    return table_of(("version", "what", "rows", "verdict", "why", "edit"), rows, right=("rows",))


def _names(line: Mapping[str, Any]) -> str:
    names = [*line.get("tags", ()), *(["current"] if line.get("current") else [])]
    version = line["version"] or "no version"
    return f"{version} ({', '.join(names)})" if names else version


def facts_table(facts: Mapping[str, Any]) -> Table:
    """Return names and values below one another."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in facts.items():
        grid.add_row(Text(one_line(name).replace("_", " ")), Text(_cell(value)))
    return grid


def show_text(facts: Mapping[str, Any]) -> Group:
    """Return one version: its facts, its columns, the trials of its recipe; `metric` names the gains' unit."""
    plain = {
        name: value for name, value in facts.items() if name not in {"columns", "trials"} and value not in (None, [])
    }
    parts: list[RenderableType] = [facts_table(plain)]
    columns, trials = facts.get("columns", ()), facts.get("trials", ())
    if columns:
        heads = tuple(columns[0])
        parts += [Text(), table_of(heads, [[column[head] for head in heads] for column in columns])]
    if trials:
        scale = Scale(str(facts.get("metric", "")))
        rows = [_trial_row(Trial.from_dict(dict(trial)), scale) for trial in trials]
        parts += [Text(), table_of(("edit", "what", "rows", "gain, selected", "verdict"), rows, right=("rows",))]
    return Group(*parts)


def _trial_row(trial: Trial, scale: Scale) -> tuple[object, ...]:
    return trial.edit, f"{trial.verb} · {trial.operator}", trial.rows, scale.gain(trial.gain, unit=True), trial.verdict


def diff_text(diff: Mapping[str, Any]) -> Group:
    """Return what takes one version to another, from the dict of a diff."""
    facts = {
        "versions": f"{diff['before']} → {diff['after']}",
        "rows added": _ids(diff["rows_added"]),
        "rows dropped": _ids(diff["rows_dropped"]),
        "cells changed": ", ".join(f"{name} {n:,}" for name, n in diff["cells_changed"].items()) or "none",
        "on dev, selected": _delta(diff),
    }
    parts: list[RenderableType] = [facts_table(facts)]
    pairs = diff["labels_changed"]
    if pairs:
        rows = [(pair["from"], pair["to"], pair["rows"]) for pair in pairs[:_MOST_PAIRS]]
        parts += [Text(), table_of(("label before", "label after", "rows"), rows, right=("rows",))]
    if len(pairs) > _MOST_PAIRS:
        parts.append(Text(f"… and {len(pairs) - _MOST_PAIRS:,} more pairs of classes: --json lists all"))
    return Group(*parts)


def blame_text(blame: Mapping[str, Any], hidden: Collection[str] = ()) -> Group:
    """Return every edit that touched a row, oldest first, from the dict of a blame; hidden columns stay hidden."""
    where = f"in {blame['split']}" if blame["split"] else "dropped"
    parts: list[RenderableType] = [Text(f"row {one_line(blame['row_id'])}, {where}", style="bold")]
    if not blame["edits"]:
        parts.append(Text("no edit touched it: it is as it came from the source"))
    for touch in blame["edits"]:
        head = f"{touch['version']}  {touch['verb']} by {touch['author']}  {touch['verdict']}"
        parts.append(Text(one_line(head)))
        lines = [touch["reason"], *_changes(touch, hidden), f"edit {touch['edit']}"]
        parts += [Padding(Text(one_line(line)), (0, 0, 0, 2)) for line in lines]
    return Group(*parts)


def operators_table(listings: Sequence[Mapping[str, Any]]) -> Table:
    """Return what operators there are, room by room, from the dicts of `tilth operators --json`."""
    rows, room = [], ""
    for one in listings:
        rows.append((one["room"] if one["room"] != room else "", one["name"], one["verb"], one["summary"]))
        room = one["room"]
    return table_of(("room", "operator", "verb", "what it does"), rows)


def delta_text(delta: Mapping[str, Any] | None, metric: str) -> str:
    """Return a change of the dev score with its interval."""
    if delta is None:
        return "not measured"
    low, high = delta["interval"]
    scale = Scale(metric)
    estimate = Estimate(value=delta["value"], low=low, high=high, standard_error=0.0)
    return f"{scale.gain(estimate, unit=True)} of {scale.name} ({scale.gain_note})"


def _delta(diff: Mapping[str, Any]) -> str:
    return delta_text(diff["dev_delta"], diff["metric"])


def _ids(ids: Sequence[str]) -> str:
    return f"{len(ids):,}: {listed(ids, 3)}" if ids else "none"


def _changes(touch: Mapping[str, Any], hidden: Collection[str]) -> list[str]:
    lines = ["the row was dropped"] if touch["dropped"] else []
    lines += ["the row was added"] if touch["added"] else []
    for name, cell in touch["changes"].items():
        shown = "changed (hidden)" if name in hidden else f"{_cell(cell['old'])} → {_cell(cell['new'])}"
        lines.append(f"{name}: {shown}")
    return lines


def _cell(value: object) -> str:
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return listed((f"{name} {_cell(one)}" for name, one in value.items()), 12)
    if isinstance(value, list | tuple):
        return listed((_cell(one) for one in value), 12)
    return brief(f"{value:.6g}" if isinstance(value, float) else str(value), LONGEST_CELL)
