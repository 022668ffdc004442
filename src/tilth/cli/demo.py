"""`tilth demo`: the main job on real data with planted faults, and what came of it against the truth."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tilth.cli._demo_data import PLANTED, SIZES, WRONG, World, plant
from tilth.cli._demo_truth import detected, gain_between, mended, right_by_hand, right_on_test, share
from tilth.cli._output import emit, progress_on_stderr, write_table
from tilth.core.errors import UsageError
from tilth.core.names import Split

if TYPE_CHECKING:
    from tilth.core.finding import Finding
    from tilth.core.progress import Progress
    from tilth.core.summary import RunSummary
    from tilth.loop.project import Project

__all__ = ["SEED", "run_demo"]

SEED = 0
"""Decides what is planted where."""
QUESTIONS = 30
MOST_ROUNDS = 3
MARK = "DEMO.txt"
"""The file by which a folder is known to be a demo, which may be made anew."""
NOTE = """\
Made by `tilth demo`, which replaces this folder when it is run again.

digits.parquet       the data that the project reads: handwritten digits with planted faults
tilth.yaml, .tilth   the project
questions.csv        what tilth asked, filled in from the truth
clean.parquet        the data after the kept edits; clean.changes.csv says what changed and why
new.parquet          digits that the project has not seen; predictions.csv is what the model says of them
tilth-report.html    the report
truth.csv            what was planted: written last, and never read by the project
"""


def run_demo(directory: Path | None = None) -> None:
    """Make a demo project in a folder (default ./tilth-demo), run the whole loop on it, and compare with the truth."""
    home = Path("tilth-demo") if directory is None else directory
    _clear(home)
    world = plant(SEED)
    _write_data(home, world)
    _say_data(world)
    project = _init(home)
    with progress_on_stderr() as progress:
        _say("2. What tilth finds, and what it makes of it", "tilth run")
        found = project.find(progress=progress).findings
        first = project.run(progress=progress)
        _show(first)
        last = [first, *_people(project, world, progress)][-1]
        changes = _take_away(project, world, home, progress)
    _write_truth(home, world)
    _say("5. Against the truth, which the project has not read")
    _show_found(found, world)
    _show_changes(changes, world)
    _show_gains(project, world, first, last)
    _say_next(home, first)


# -- the folder --------------------------------------------------------------------------------------------------------


def _clear(home: Path) -> None:
    """Make room for a demo; raises UsageError where the folder holds something else."""
    if home.exists() and not home.is_dir():
        raise UsageError(f"{home} is a file", next_step="name a folder: tilth demo --dir FOLDER")
    if home.exists() and any(home.iterdir()):
        if not (home / MARK).is_file():
            raise UsageError(
                "the folder is not empty, and what is in it is not a demo",
                where=str(home),
                next_step="name another folder: tilth demo --dir FOLDER",
            )
        shutil.rmtree(home)
    home.mkdir(parents=True, exist_ok=True)
    (home / MARK).write_text(NOTE, encoding="utf-8")


def _write_data(home: Path, world: World) -> None:
    write_table(world.table, home / "digits.parquet")
    write_table(world.new, home / "new.parquet")


def _write_truth(home: Path, world: World) -> None:
    rows = list(world.truth)
    planted = [world.kinds.get(row, "") or _wrong(world, row) for row in rows]
    write_table(
        pa.table({"row_id": rows, "truth": [world.truth[r] for r in rows], "planted": planted}), home / "truth.csv"
    )


def _wrong(world: World, row: str) -> str:
    return "wrong label" if any(row in wrong for wrong in world.wrong.values()) else ""


# -- the steps ---------------------------------------------------------------------------------------------------------


def _init(home: Path) -> Project:
    """Start the project; ten digits are about equally frequent, so plain accuracy judges them."""
    from tilth.loop.project import FILE, init_project, open_project

    init_project(str(home / "digits.parquet"), folder=home, label="digit", id="row_id", split="split")
    path = home / FILE
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("metric: balanced_accuracy", "metric: accuracy         "), encoding="utf-8")
    return open_project(home)


def _people(project: Project, world: World, progress: Progress) -> list[RunSummary]:
    """Ask, answer from the truth and run again, as long as there are questions; returns what the runs said.

    Questions that decide an open edit come alone, so that the first round may be short; the next asks for labels in doubt.
    """
    _say(f"3. People: up to {QUESTIONS} questions, answered from the truth")
    runs: list[RunSummary] = []
    left = QUESTIONS
    while left > 0 and len(runs) < MOST_ROUNDS:
        _say(None, f"tilth ask --top {left} -o questions.csv")
        table = project.ask(top=left, progress=progress)
        if not table.num_rows:
            emit("nothing is worth asking")
            break
        left -= table.num_rows
        _answer(project, world, table)
        _say(None, "tilth run")
        runs.append(project.run(progress=progress))
        _show_in_short(runs[-1])
    return runs


def _answer(project: Project, world: World, table: pa.Table) -> None:
    """Fill in the answers and take them in; junk has no true digit, so questions about it stay empty."""
    answers = pa.array([world.truth[row] for row in table["row_id"].to_pylist()])
    filled = table.set_column(table.column_names.index("answer"), "answer", answers)
    write_table(filled, project.folder / "questions.csv")
    _say(None, "tilth answer questions.csv")
    taken = project.answer(project.folder / "questions.csv", annotator="demo")
    where = ", ".join(f"{n} {name}" for name, n in taken.by_split.items())
    empty = table.num_rows - taken.answers
    emit(
        f"{taken.answers} answers ({where}): {taken.confirmed} confirm the label, {taken.changed} change it"
        f"{f'; {empty} left empty, as they show no digit' if empty else ''}"
    )


def _take_away(project: Project, world: World, home: Path, progress: Progress) -> pa.Table:
    """Export, predict and report; returns the exported list of changes."""
    import pyarrow.csv as pacsv

    from tilth.loop.reports import html_report

    _say("4. What you take away", "tilth export latest clean.parquet")
    exported = project.export("latest", home / "clean.parquet")
    emit(f"{exported.data.name}: {exported.rows:,} rows; {exported.changes.name}: {exported.n_changes:,} changes")
    _say(None, "tilth predict new.parquet -o predictions.csv")
    predicted = project.predict(str(home / "new.parquet"), progress=progress).table
    write_table(predicted, home / "predictions.csv")
    right = sum(a == b for a, b in zip(predicted["prediction"].to_pylist(), world.new_truth, strict=True))
    emit(f"predictions.csv: {right} of {predicted.num_rows} new digits right {_interval(right, predicted.num_rows)}")
    _say(None, "tilth report")
    page = html_report(project, progress)
    (home / "tilth-report.html").write_text(page, encoding="utf-8")
    emit(f"tilth-report.html: {len(page) / 1e6:.2f} MB, opens in any browser")
    types = pacsv.ConvertOptions(
        column_types=dict.fromkeys(("row_id", "column", "old", "new", "edit", "why"), pa.string())
    )
    return pacsv.read_csv(exported.changes, convert_options=types)


# -- what is said ------------------------------------------------------------------------------------------------------


def _say(title: str | None, command: str | None = None) -> None:
    """Write a heading, and the command that does the same by hand."""
    from rich.text import Text

    if title is not None:
        emit(Text(f"\n{title}", style="bold"))
    if command is not None:
        emit(f"$ {command}")


def _show(summary: RunSummary) -> None:
    from tilth.reporting.screen import run_screen

    emit(run_screen(summary))


def _show_in_short(summary: RunSummary) -> None:
    from tilth.reporting.wording import outcome, tally

    emit(f"{tally(summary.trials)}. {outcome(summary)}")
    if summary.test is not None:
        emit(f"gain on test since the source: {_reported(summary)}; error budget left {summary.alpha_left:.2g}")


def _columns(*rows: tuple[str, ...]) -> None:
    from tilth.cli._output import plain_columns

    emit("\n".join(f"  {line}" for line in plain_columns(rows).splitlines()))


def _say_data(world: World) -> None:
    _say("1. Real data, spoilt on purpose")
    sizes = ", ".join(f"{split} {n}" for split, n in SIZES.items())
    emit(f"scikit-learn's handwritten digits as images: {sizes}, and {world.new.num_rows} kept for predict.")
    emit(f"They are clean, so the demo plants faults (seed {SEED}) and keeps the truth to itself:")
    _columns(
        *(
            (f"{n}", f"wrong labels in {split} ({_percent(n / SIZES[split])}): a digit that looks alike")
            for split, n in WRONG.items()
        ),
        (f"{PLANTED['exact copy']}", "exact copies of train rows, in train"),
        (f"{PLANTED['near copy']}", "near copies of train rows (one grey level of grain), in train"),
        (f"{PLANTED['leak']}", "copies of dev and test rows, in train (leaks)"),
        (f"{PLANTED['junk']}", "images of noise with any label, in train"),
    )
    emit("$ tilth init digits.parquet --label digit --split split --id row_id")
    emit("and in tilth.yaml, metric: accuracy, as ten digits are about equally frequent")


def _show_found(findings: tuple[Finding, ...], world: World) -> None:
    emit("Found in train (95 % intervals):")
    rows = [("planted", "rows", "finding", "flagged", "of these planted", "found of planted")]
    for one in detected(findings, world):
        counts = (f"{one.n_planted}", one.finding, f"{one.n_flagged}")
        rows.append((one.planted, *counts, _score(one.precision), _score(one.recall)))
    _columns(*rows)
    emit("A flagged row that was not planted may still be a fault: real digits hold near copies and odd ones too.")


def _show_changes(changes: pa.Table, world: World) -> None:
    done = mended(changes, world)
    emit("\nChanged in train, by clean.changes.csv:")
    lines: list[tuple[str, ...]] = []
    if done.dropped:
        others = done.dropped - done.dropped_wrong - done.dropped_planted
        what = f"rows dropped: {done.dropped_wrong} with a wrong label, {done.dropped_planted} planted otherwise"
        lines.append((f"{done.dropped}", f"{what}, {others} that were right"))
    if done.relabelled:
        what = f"labels changed: {done.set_right} wrong ones set right, {done.set_wrong} right ones set wrong"
        lines.append((f"{done.relabelled}", what))
    lines.append((f"{done.answered}", "labels of any split confirmed or changed by answers"))
    _columns(*lines)


def _show_gains(project: Project, world: World, first: RunSummary, last: RunSummary) -> None:
    """Show what tilth reported on test beside what is true of it; the same test rows, two sets of labels."""
    steps = {
        "as it came": right_on_test(project, world, first.version_before),
        "after the first run": right_on_test(project, world, first.version_after),
        "after answers": right_on_test(project, world, last.version_after),
        "mended by hand, all of it": right_by_hand(project, world, first.version_before),
    }
    start = steps["as it came"]
    rows = [("train data", "accuracy, true labels", "true gain", "gain as tilth reported it")]
    reported = {"after the first run": first, "after answers": last}
    for name, right in steps.items():
        gain = "" if right is start else _gain(gain_between(start, right))
        told = _reported(reported[name]) if name in reported else ""
        rows.append((name, _score(share(int(right.sum()), len(right))), gain, told))
    emit(f"\nGained on the {SIZES[Split.TEST]} test digits, in points (95 % intervals):")
    _columns(*rows)
    wrong = WRONG[Split.TEST] / SIZES[Split.TEST]
    emit(
        f"tilth sees test labels of which {_percent(wrong)} are wrong; true labels are what nobody has outside a demo."
    )


def _reported(summary: RunSummary) -> str:
    if summary.test is None:
        return ""
    corrected = summary.test.corrected_gain
    more = "" if corrected is None else f", corrected {_gain(corrected)}"
    return f"{_gain(summary.test.gain)}{more}"


def _score(estimate: Any) -> str:
    from tilth.reporting.figures import Scale

    return Scale("accuracy").score(estimate)


def _gain(estimate: Any) -> str:
    from tilth.reporting.figures import Scale

    return Scale("accuracy").gain(estimate)


def _percent(part: float) -> str:
    return f"{100 * part:.0f} %"


def _interval(part: int, whole: int) -> str:
    return "(" + _score(share(part, whole)) + ")"


def _say_next(home: Path, first: RunSummary) -> None:
    _say("Next")
    lines = [
        (f"cd {home}", "the project; DEMO.txt says what is what"),
        ("open tilth-report.html", "findings as pictures, trials, history"),
        ("tilth log", "every version, and what made it"),
        ("tilth diff " + f"{first.version_before} latest", "what changed between two versions"),
    ]
    leak = next((t.edit for t in first.trials if t.operator.parameters.get("kind") == "leakage"), None)
    if leak is not None:
        lines.append((f"tilth adopt {leak}", "drop the leaks on your word: no gain can speak for it (see docs)"))
    lines.append(("tilth init yours.csv --label COLUMN --dir mine", "your own data"))
    _columns(*lines)
