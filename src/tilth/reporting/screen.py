"""Screen: a run on one screen, and a list of findings, as rich renderables. Nothing is said by colour alone."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.constrain import Constrain
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tilth.core.finding import Finding
from tilth.core.summary import FindingLine, RunSummary
from tilth.core.trial import Trial, Verdict
from tilth.reporting.clean import brief, listed
from tilth.reporting.figures import Scale, span
from tilth.reporting.wording import (
    CORRECTION,
    as_line,
    budget_left,
    card_words,
    edit_line,
    least_detectable,
    model_line,
    next_steps,
    ordered,
    outcome,
    said_of,
    shown_error,
    splits_line,
    tally,
    task_line,
    worst_slices,
)

__all__ = ["find_screen", "run_screen"]

WIDEST_SCREEN = 100
_MOST_LINES = 45
_MOST_TRIALS = 8
_MOST_FINDINGS = 8
_FEWEST_FINDINGS = 2
_MOST_NOTES = 2
_MOST_WORST = 4
_STYLES = {
    Verdict.KEPT: "bold green",
    Verdict.ADOPTED: "bold green",
    Verdict.UNDECIDED: "bold yellow",
    Verdict.REFUSED: "bold red",
    Verdict.VETOED: "bold red",
}


def run_screen(summary: RunSummary, *, messages: bool = True) -> Group:
    """Return what a run did on one screen of at most 45 lines at 100 columns.

    Parameters
    ----------
    summary : what the run did
    messages : False where a column is hidden: an error's message may quote a cell, and then only its class is shown
    """
    scale = Scale(summary.metric)
    trials = ordered(summary.trials)[:_MOST_TRIALS]
    above = [*_heading(summary), Text(), *_result(summary, scale), Text()]
    above += [*_tried(summary, trials, scale), Text(), *_worst(summary, scale)]
    below = [Text(), *_notes(summary, messages), *_next(summary)]
    room = _MOST_LINES - _height(above) - _height(below) - 2
    found = _found(summary.findings, max(_FEWEST_FINDINGS, min(_MOST_FINDINGS, room)))
    return Group(*(Constrain(part, WIDEST_SCREEN) for part in [*above, *found, *below]))


def _height(parts: Sequence[RenderableType]) -> int:
    console = Console(width=WIDEST_SCREEN, color_system=None, file=StringIO())
    return sum(len(console.render_lines(part)) for part in parts)


def find_screen(findings: Sequence[Finding | FindingLine]) -> Group:
    """Return findings, worst first as they come: kind, rows, severity, what was found, and what to do."""
    if not findings:
        return Group(Text("Nothing was found. Detectors miss faults too: this does not mean that the data is clean."))
    parts: list[RenderableType] = []
    for finding in map(as_line, findings):
        head = Text(brief(finding.kind), style="bold")
        about = f"{finding.rows:,} rows" if finding.rows else listed(finding.columns, 4) or "the whole table"
        head.append(f"  {about} · severity {finding.severity:.2f} of 1", style="not bold")
        parts.append(head)
        parts += [Padding(Text(line), (0, 0, 0, 2)) for line in _lines_about(finding)]
    return Group(*(Constrain(part, WIDEST_SCREEN) for part in parts))


def _lines_about(finding: FindingLine) -> list[str]:
    lines = [finding.summary]
    lines += [f"flagged: {finding.threshold}"] if finding.threshold else []
    lines += [f"to do: {finding.suggestion}"] if finding.suggestion else []
    return [brief(line) for line in lines]


# -- the parts ---------------------------------------------------------------------------------------------------------


def _facts(pairs: Sequence[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="bold", width=9)
    grid.add_column(overflow="fold")
    for name, text in pairs:
        grid.add_row(Text(name), Text(text))
    return grid


def _heading(summary: RunSummary) -> list[RenderableType]:
    same = summary.version_before == summary.version_after
    versions = summary.version_before if same else f"{summary.version_before} → {summary.version_after}"
    rows = f"{brief(summary.source)} · {summary.rows:,} rows: {splits_line(summary)}"
    clock = f"{versions} · seed {summary.seed} · {span(summary.seconds)}"
    return [_facts([("data", rows), ("task", task_line(summary)), ("model", model_line(summary)), ("version", clock)])]


def _result(summary: RunSummary, scale: Scale) -> list[RenderableType]:
    pairs = _test_pairs(summary, scale)
    pairs.append(("dev", f"{scale.score(summary.baseline)} before these edits · {budget_left(summary)}"))
    if summary.ceiling is not None:
        pairs.append(("ceiling", f"{scale.score(summary.ceiling)} ({brief(summary.ceiling_method)})"))
    pairs.append(("detects", least_detectable(summary, scale)))
    return [Text(outcome(summary), style="bold"), _facts(pairs)]


def _test_pairs(summary: RunSummary, scale: Scale) -> list[tuple[str, str]]:
    look = summary.test
    if look is None:
        return []
    if summary.version_before == summary.version_after:
        return [("test", f"{scale.score(look.after)}, unchanged (looks so far: {look.looks})")]
    looks = f"(sealed; looks so far: {look.looks})"
    pairs = [
        ("test", f"{scale.score(look.before)} → {scale.score(look.after)} {looks}"),
        ("gain", f"{scale.gain(look.gain, unit=True)}{' (+ is less error)' if scale.is_error else ''}"),
    ]
    if look.corrected_gain is not None:
        pairs.append(("corrected", f"{scale.gain(look.corrected_gain, unit=True)} {CORRECTION}"))
    return pairs


def _tried(summary: RunSummary, trials: Sequence[Trial], scale: Scale) -> list[RenderableType]:
    if not trials:
        return [Text("Tried: no edit")]
    gains = [scale.gain(trial.gain) for trial in trials]
    others = [scale.gain(trial.over_placebo) for trial in trials]
    heads = ("gain, selected", "over placebo")
    widths = [max(map(cell_len, (head, *texts))) for head, texts in zip(heads, (gains, others), strict=True)]
    note = f"Tried on dev: {tally(summary.trials)} ({scale.gain_note}; 95 % intervals)"
    parts: list[RenderableType] = [Text(note, style="bold"), _trial_row(("", "edit", "rows", *heads), widths, "")]
    for trial, gain, other in zip(trials, gains, others, strict=True):
        cells = (str(trial.verdict), edit_line(trial), f"{trial.rows:,}", gain, other)
        parts.append(_trial_row(cells, widths, _STYLES[trial.verdict]))
        card = card_words(summary, trial)
        said = said_of(summary, trial, scale) + (f"; card of the policy {card}" if card else "")
        parts.append(Padding(Text(said, style="dim"), (0, 0, 0, 11)))
    left_out = len(summary.trials) - len(trials)
    return [*parts, *([Text(f"… and {left_out} more: tilth report")] if left_out else [])]


def _trial_row(cells: Sequence[str], widths: Sequence[int], style: str) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
    grid.add_column(width=9, no_wrap=True)
    grid.add_column(ratio=1, overflow="fold")
    grid.add_column(width=7, no_wrap=True, justify="right")
    for width in widths:
        grid.add_column(width=width, no_wrap=True)
    grid.add_row(Text(cells[0], style=style), *(Text(cell) for cell in cells[1:]))
    return grid


def _worst(summary: RunSummary, scale: Scale) -> list[RenderableType]:
    lines = worst_slices(summary, _MOST_WORST)
    if not lines:
        return []
    table = Table(box=None, padding=(0, 2, 0, 0), expand=True, header_style="", show_edge=False)
    table.add_column(Text("Worst slices", style="bold"), ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("dev rows", no_wrap=True, justify="right")
    table.add_column("score before, 95 %", no_wrap=True)
    table.add_column("", no_wrap=True)
    for line in lines:
        score = "" if line.score is None else scale.score(line.score)
        how = "declared" if line.q_value is None else f"found (q {line.q_value:.2g})"
        cells = (brief(line.name), f"{line.rows:,}", score, how + (", aimed at" if line.aimed else ""))
        table.add_row(*(Text(cell) for cell in cells))
    return [table, Text()]


def _found(findings: Sequence[FindingLine], most: int) -> list[RenderableType]:
    if not findings:
        return [Text("Found: nothing; detectors miss faults too", style="bold")]
    table = Table(box=None, padding=(0, 2, 0, 0), expand=True, header_style="", show_edge=False)
    table.add_column(Text("Found", style="bold"), no_wrap=True, max_width=26, overflow="ellipsis")
    table.add_column("rows", no_wrap=True, justify="right")
    table.add_column("severity", no_wrap=True, justify="right")
    table.add_column("", ratio=1, no_wrap=True, overflow="ellipsis")
    for finding in findings[:most]:
        rows = f"{finding.rows:,}" if finding.rows else "–"
        texts = (brief(finding.kind), rows, f"{finding.severity:.2f}", brief(finding.summary))
        table.add_row(*(Text(text) for text in texts))
    left_out = len(findings) - most
    return [table, *([Text(f"… and {left_out} more findings: tilth report")] if left_out > 0 else [])]


def _notes(summary: RunSummary, messages: bool) -> list[RenderableType]:
    warnings = [f"warning: {brief(text)}" for text in summary.warnings]
    failures = [f"failed, set aside: {f.step}: {shown_error(f.error, messages=messages)}" for f in summary.failures]
    notes = [*_some(failures, "failed steps"), *_some(warnings, "warnings")]
    parts: list[RenderableType] = [Text(brief(note), no_wrap=True, overflow="ellipsis") for note in notes]
    return [*parts, Text()] if parts else []


def _some(notes: Sequence[str], what: str) -> list[str]:
    if len(notes) <= _MOST_NOTES:
        return list(notes)
    return [*notes[: _MOST_NOTES - 1], f"… and {len(notes) - _MOST_NOTES + 1} more {what}: tilth report"]


def _next(summary: RunSummary) -> list[RenderableType]:
    steps = next_steps(summary)
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, min_width=2 + max(len(step.command) for step in steps))
    grid.add_column(no_wrap=True, overflow="ellipsis")
    for step in steps:
        grid.add_row(Text(f"  {step.command}"), Text(step.purpose, style="dim"))
    return [Text("Next", style="bold"), grid]
