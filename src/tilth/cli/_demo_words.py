"""What the demo says: headings, the commands that do the same by hand, and its tables."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tilth.cli._demo_data import PLANTED, SIZES, WRONG, World
from tilth.cli._demo_truth import Detected, Gained, Mended, share
from tilth.cli._output import emit, plain_columns
from tilth.core.names import Split

if TYPE_CHECKING:
    from tilth.core.estimate import Estimate
    from tilth.core.summary import RunSummary

__all__ = [
    "command",
    "interval",
    "say",
    "say_data",
    "say_next",
    "show_changes",
    "show_found",
    "show_gains",
    "show_in_short",
    "show_run",
]

WIDTH = 100


def say(title: str, typed: str = "") -> None:
    """Write a heading, and the command that does the same by hand."""
    from rich.text import Text

    emit(Text(f"\n{title}", style="bold"))
    if typed:
        command(typed)


def command(typed: str) -> None:
    """Write the command that does the same by hand."""
    emit(f"$ {typed}")


def interval(part: int, whole: int) -> str:
    """Return a share with its interval in brackets."""
    return f"({_score(share(part, whole))})"


def say_data(world: World, seed: int) -> None:
    """Say what the data is, and what was planted in it."""
    say("1. Real data, spoilt on purpose")
    sizes = ", ".join(f"{split} {n}" for split, n in SIZES.items())
    emit(f"scikit-learn's handwritten digits as images: {sizes}, and {world.new.num_rows} kept for predict.")
    emit(f"They are clean, so the demo plants faults (seed {seed}) and keeps the truth to itself:")
    rule = "each with the digit that it looks like"
    _columns(
        *((f"{n}", f"wrong labels in {split} ({_percent(n / SIZES[split])}), {rule}") for split, n in WRONG.items()),
        (f"{PLANTED['exact copy']}", "exact copies of train rows, in train"),
        (f"{PLANTED['near copy']}", "near copies of train rows (one grey level of grain), in train"),
        (f"{PLANTED['leak']}", "copies of dev and test rows, in train (leaks)"),
        (f"{PLANTED['junk']}", "images of noise with any label, in train"),
    )
    command("tilth init digits.parquet --label digit --split split --id row_id")
    emit("and in tilth.yaml, metric: accuracy, as ten digits are about equally frequent")


def show_run(summary: RunSummary) -> None:
    """Show the screen of a run."""
    from tilth.reporting.screen import run_screen

    emit(run_screen(summary))


def show_in_short(summary: RunSummary) -> None:
    """Say in a few lines what a later run brought."""
    from tilth.reporting.wording import outcome, tally

    emit(textwrap.fill(f"{tally(summary.trials)}. {outcome(summary)}", WIDTH))
    if summary.test is not None:
        told = _reported(summary)
        emit(f"gain on test since the source, in points: {told}; error budget left {summary.alpha_left:.2g}")


def show_found(kinds: Sequence[Detected]) -> None:
    """Show what was found of what was planted."""
    emit("Found in train (95 % intervals):")
    rows = [("planted", "rows", "finding", "flagged", "of these planted", "found of planted")]
    for one in kinds:
        counts = (f"{one.n_planted}", one.finding, f"{one.n_flagged}")
        rows.append((one.planted, *counts, _score(one.precision), _score(one.recall)))
    _columns(*rows)
    emit("A flagged row that was not planted may still be a fault: real digits hold near copies and odd ones too.")


def show_changes(done: Mended) -> None:
    """Show what was changed, and how much of it rightly."""
    emit("\nChanged in train, by clean.changes.csv:")
    lines: list[tuple[str, ...]] = []
    if done.dropped:
        others = done.dropped - done.dropped_wrong - done.dropped_planted
        what = f"rows dropped: {done.dropped_wrong} with a wrong label, {done.dropped_planted} planted otherwise"
        lines.append((f"{done.dropped}", f"{what}, {others} that were right"))
    if done.relabelled:
        what = f"labels changed: {done.set_right} wrong ones set right, {done.set_wrong} right ones set wrong"
        lines.append((f"{done.relabelled}", what))
    if done.softened:
        what = f"labels softened: {done.turned_right} wrong ones now say the right digit most, {done.turned_wrong} right ones a wrong one"
        lines.append((f"{done.softened}", what))
    lines.append((f"{done.answered}", "labels of any split confirmed or changed by answers"))
    _columns(*lines)


def show_gains(steps: Sequence[Gained]) -> None:
    """Show what tilth reported on test beside what is true of it; the same test rows, two sets of labels."""
    rows = [("train data", "accuracy, true labels", "true gain", "gain as tilth reported it")]
    for step in steps:
        gain = "" if step.gain is None else _gain(step.gain)
        told = "" if step.summary is None else _reported(step.summary)
        rows.append((step.name, _score(step.accuracy), gain, told))
    emit(f"\nGained on the {SIZES[Split.TEST]} test digits, in points (95 % intervals):")
    _columns(*rows)
    wrong = _percent(WRONG[Split.TEST] / SIZES[Split.TEST])
    emit(f"tilth sees test labels of which {wrong} are wrong; true labels are what nobody has outside a demo.")


def say_next(home: Path, first: RunSummary) -> None:
    """Say what to try next."""
    say("Next")
    lines = [
        (f"cd {home}", "the project; DEMO.txt says what is what"),
        ("tilth-report.html", "findings as pictures, trials, history: open it in a browser"),
        ("tilth log", "every version, and what made it"),
        (f"tilth diff {first.version_before} latest", "what changed since the source"),
        ("tilth init yours.csv --label COLUMN --dir mine", "your own data"),
    ]
    _columns(*lines)


def _reported(summary: RunSummary) -> str:
    if summary.test is None:
        return ""
    corrected = summary.test.corrected_gain
    more = "" if corrected is None else f", corrected {_gain(corrected)}"
    return f"{_gain(summary.test.gain)}{more}"


def _columns(*rows: tuple[str, ...]) -> None:
    emit(textwrap.indent(plain_columns(rows), "  "))


def _score(estimate: Estimate) -> str:
    from tilth.reporting.figures import Scale

    return Scale("accuracy").score(estimate)


def _gain(estimate: Estimate) -> str:
    from tilth.reporting.figures import Scale

    return Scale("accuracy").gain(estimate)


def _percent(part: float) -> str:
    return f"{100 * part:.0f} %"
