"""What `tilth label` shows in a project: the labels' screen, failures, what each labeler gets wrong, where to look next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.padding import Padding
from rich.text import Text

from tilth.core.project_labels import LabelerCheck, Place, ProjectLabels, WrongRow
from tilth.reporting.clean import brief, listed
from tilth.reporting.labels import WIDEST_SCREEN, labels_html, labels_screen
from tilth.reporting.notebook import table_html
from tilth.reporting.text import table_of

__all__ = ["places_screen", "project_labels_html", "project_labels_screen", "wrong_screen"]

_MOST_WRONG = 20
_MOST_CHECKED = 15


def project_labels_screen(found: ProjectLabels, *, is_written: bool = False) -> Group:
    """Return what the labelers of a project come to on one screen."""
    worst = max(found.checks, key=_errors, default=None)
    steps = [("--next", "where the next labeler should look")]
    if worst is not None and _errors(worst):
        steps.append((f"--wrong {shlex.quote(worst.run.name)}", "the rows whose label is not what it says"))
    parts: list[RenderableType] = []
    if any(check.of_trusted or check.of_given for check in found.checks):
        heads, rows = _check_table(found.checks)
        parts += [
            Text("Votes against labels of train and pool rows", style="bold"),
            Padding(table_of(heads, rows, right=heads[1:]), (0, 0, 0, 2)),
        ]
        more = len(found.checks) - len(rows)
        parts += [Text(f"  … and {more:,} more: --json lists all")] if more > 0 else []
        parts.append(Text())
    failing = [check for check in found.checks if check.run.failures]
    for check in failing:
        parts.append(Text(_failed(check, found.messages)))
    parts += [Text()] if failing else []
    warnings = [Text(f"warning: {brief(said)}") for said in found.warnings]
    parts += [*warnings, Text()] if warnings else []
    own = [Constrain(part, WIDEST_SCREEN) for part in parts]
    head = Text(f"version {found.version}", style="bold")
    return Group(head, Text(), *own, labels_screen(found.labels, is_written=is_written, steps=steps))


def _errors(check: LabelerCheck) -> int:
    return check.trusted + check.given


def _failed(check: LabelerCheck, messages: bool) -> str:
    """Return on how many rows a labeler failed, the first error and where it came from."""
    run = check.run
    first = run.failures[0]
    said = first.error if messages else first.error.partition(":")[0]
    rows = f"{len(run.failures):,} row{'' if len(run.failures) == 1 else 's'}"
    text = (
        f"labeler {run.name} failed on {rows} and abstains there; first, row {brief(first.row_id, 40)}: {brief(said)}"
    )
    where = [line.strip() for line in first.traceback.splitlines() if line.strip().startswith("File ")]
    return f"{text}\n  {brief(where[-1])}" if where and messages else text


def _check_table(checks: Sequence[LabelerCheck]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    has_trusted = any(check.of_trusted for check in checks)
    heads = ("labeler", *(("wrong by trusted labels",) if has_trusted else ()), "wrong by given labels")
    order = sorted(checks, key=lambda check: -_errors(check))[:_MOST_CHECKED]
    rows = [
        (
            brief(check.run.name, 36),
            *((_of(check.trusted, check.of_trusted),) if has_trusted else ()),
            _of(check.given, check.of_given),
        )
        for check in order
    ]
    return heads, rows


def _of(wrong: int, of: int) -> str:
    return f"{wrong:,} of {of:,}" if of else "–"


def wrong_screen(labeler: str, rows: Sequence[WrongRow]) -> Group:
    """Return the first rows that a labeler gets wrong, with the cells that may be shown."""
    head = Text(f"{len(rows):,} train and pool rows whose label is not what {brief(labeler)} says", style="bold")
    parts: list[RenderableType] = [Text(), head]
    if rows:
        names = list(rows[0].cells)
        table = table_of(
            ("row", "says", "label", *names),
            [
                (
                    brief(one.row_id, 40),
                    one.says,
                    f"{one.label}{' (trusted)' if one.is_trusted else ''}",
                    *(brief(one.cells[name], 120) for name in names),
                )
                for one in rows[:_MOST_WRONG]
            ],
        )
        parts.append(Padding(table, (0, 0, 0, 2)))
    if len(rows) > _MOST_WRONG:
        parts.append(Text(f"  … and {len(rows) - _MOST_WRONG:,} more: --json lists all"))
    return Group(*parts)


def places_screen(places: Sequence[Place]) -> Group:
    """Return where the next labeler should look."""
    parts: list[RenderableType] = [Text(), Text("Where the next labeler should look", style="bold")]
    if not places:
        return Group(*parts, Text("  every row has a vote, and no two labelers contradict one another"))
    for kind, title in (
        ("no vote", "rows without a vote"),
        ("conflict", "rows on which labelers contradict one another"),
    ):
        mine = [place for place in places if place.kind == kind]
        if mine:
            looked = mine[0].looked_at
            title = title if looked is None else f"{title}, counted among {looked:,} evenly spaced rows"
            parts += [Text(f"  {title}"), *(Text(f"    {_place(place)}") for place in mine)]
    return Group(*(Constrain(part, WIDEST_SCREEN) for part in parts))


def _place(place: Place) -> str:
    what = " · ".join(brief(mark, 40) for mark in place.what) if place.what else "the rest, which nothing tells apart"
    text = f"{what}: {place.rows:,} rows ({100 * place.share:.0f} % of these"
    text += f"; {100 * place.elsewhere:.1f} % of the others)" if place.what else ")"
    if place.labels:
        told = ", ".join(f"{count:,} {brief(name, 30)}" for name, count in place.labels.items())
        text += f"; labelled: {told}"
    if place.torn:
        text += f"; {brief(place.torn, 120)}"
    return f"{text}; such as {listed(place.examples, 3)}"


def project_labels_html(found: ProjectLabels) -> str:
    """Return what the labelers of a project come to for a notebook."""
    heads, rows = _check_table(found.checks)
    failing = [(check.run.name, _failed(check, found.messages)) for check in found.checks if check.run.failures]
    parts = [
        labels_html(found.labels),
        table_html(rows, heads, caption="Votes against labels of train and pool rows", right=heads[1:]),
    ]
    if failing:
        parts.append(table_html(failing, ("labeler", "failed"), caption="Failures"))
    return "".join(parts)
