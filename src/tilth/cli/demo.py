"""`tilth demo`: the main job on real data with planted faults, and what came of it against the truth."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

from tilth.cli import _demo_words as words
from tilth.cli._demo_data import World, plant
from tilth.cli._demo_truth import Gained, detected, gained, mended
from tilth.cli._output import emit, progress_on_stderr, write_table
from tilth.core.errors import UsageError

if TYPE_CHECKING:
    from tilth.core.progress import Progress
    from tilth.core.summary import RunSummary
    from tilth.loop.project import Project

__all__ = ["SEED", "run_demo"]

T = TypeVar("T")
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
questions.csv        what tilth asked last, filled in from the truth
clean.parquet        the data after the kept edits and answers; clean.changes.csv says what changed and why
new.parquet          digits that the project has not seen; predictions.csv is what the model says of them
tilth-report.html    the report
truth.csv            what was planted: written last, and never read by the project
"""


def run_demo(directory: Path | None = None) -> None:
    """Make a demo project in a folder (default ./tilth-demo), run the whole loop on it, and compare with the truth."""
    home = Path("tilth-demo") if directory is None else directory
    _clear(home)
    world = plant(SEED)
    write_table(world.table, home / "digits.parquet")
    write_table(world.new, home / "new.parquet")
    words.say_data(world, SEED)
    project = _init(home)
    words.say("2. What tilth finds, and what it makes of it", "tilth run")
    found = _working(lambda progress: project.find(progress=progress).findings)
    first = _working(lambda progress: project.run(progress=progress))
    words.show_run(first)
    last = [first, *_people(project, world)][-1]
    changes = _take_away(project, world)
    _write_truth(home, world)
    words.say("5. Against the truth, which the project has not read")
    words.show_found(detected(found, world))
    words.show_changes(mended(changes, world))
    words.show_gains(_working(lambda progress: _gains(project, world, first, last, progress)))
    words.say_next(home, first)


def _working(do: Callable[[Progress], T]) -> T:
    """Do something with progress on stderr; results are written when it is over."""
    with progress_on_stderr() as progress:
        return do(progress)


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


def _write_truth(home: Path, world: World) -> None:
    """Write what was planted, now that nothing reads it any more."""
    wrong = frozenset[str]().union(*world.wrong.values())
    planted = [world.kinds.get(row, "wrong label" if row in wrong else "") for row in world.truth]
    table = pa.table({"row_id": list(world.truth), "truth": list(world.truth.values()), "planted": planted})
    write_table(table, home / "truth.csv")


# -- the steps ---------------------------------------------------------------------------------------------------------


def _init(home: Path) -> Project:
    """Start the project; ten digits are about equally frequent, so plain accuracy judges them."""
    from tilth.loop.project import FILE, open_project
    from tilth.loop.starting import init_project

    init_project(str(home / "digits.parquet"), folder=home, label="digit", id="row_id", split="split")
    path = home / FILE
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("metric: balanced_accuracy", "metric: accuracy         "), encoding="utf-8")
    return open_project(home)


def _people(project: Project, world: World) -> list[RunSummary]:
    """Ask, answer from the truth and run again, as long as there are questions; returns what the runs said.

    Questions that decide an open edit come alone, so that the first round may be short; the next asks for labels in doubt.
    """
    words.say(f"3. People: up to {QUESTIONS} questions, answered from the truth")
    runs: list[RunSummary] = []
    left = QUESTIONS
    while left > 0 and len(runs) < MOST_ROUNDS:
        words.command(f"tilth ask --top {left} -o questions.csv")
        table = _working(partial(_ask, project, left))
        if not table.num_rows:
            emit("nothing is worth asking")
            break
        left -= table.num_rows
        _answer(project, world, table)
        words.command("tilth run")
        runs.append(_working(lambda progress: project.run(progress=progress)))
        words.show_in_short(runs[-1])
    return runs


def _ask(project: Project, top: int, progress: Progress) -> pa.Table:
    return project.ask(top=top, progress=progress)


def _answer(project: Project, world: World, table: pa.Table) -> None:
    """Fill in the answers and take them in; junk has no true digit, so questions about it stay empty."""
    answers = pa.array([world.truth[row] for row in table["row_id"].to_pylist()])
    filled = table.set_column(table.column_names.index("answer"), "answer", answers)
    write_table(filled, project.folder / "questions.csv")
    words.command("tilth answer questions.csv")
    taken = project.answer(project.folder / "questions.csv", annotator="demo")
    where = ", ".join(f"{n} {name}" for name, n in taken.by_split.items())
    empty = table.num_rows - taken.answers
    emit(
        f"{taken.answers} answers ({where}): {taken.confirmed} confirm the label, {taken.changed} change it"
        f"{f'; {empty} left empty, as they show no digit' if empty else ''}"
    )


def _take_away(project: Project, world: World) -> pa.Table:
    """Export, predict and report; returns the exported list of changes."""
    import pyarrow.csv as pacsv

    from tilth.loop.reports import html_report

    home = project.folder
    words.say("4. What you take away", "tilth export latest clean.parquet")
    exported = project.export("latest", home / "clean.parquet")
    emit(f"{exported.data.name}: {exported.rows:,} rows; {exported.changes.name}: {exported.n_changes:,} changes")
    words.command("tilth predict new.parquet -o predictions.csv")
    predicted = _working(lambda progress: project.predict(str(home / "new.parquet"), progress=progress).table)
    write_table(predicted, home / "predictions.csv")
    right = sum(a == b for a, b in zip(predicted["prediction"].to_pylist(), world.new_truth, strict=True))
    emit(
        f"predictions.csv: {right} of {predicted.num_rows} new digits right {words.interval(right, predicted.num_rows)}"
    )
    words.command("tilth report")
    page = _working(lambda progress: html_report(project, progress))
    (home / "tilth-report.html").write_text(page, encoding="utf-8")
    emit(f"tilth-report.html: {len(page) / 1e6:.2f} MB, opens in any browser")
    names = ("row_id", "column", "old", "new", "edit", "why")
    types = pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
    return pacsv.read_csv(exported.changes, convert_options=types)


def _gains(project: Project, world: World, first: RunSummary, last: RunSummary, progress: Progress) -> list[Gained]:
    """Measure the versions on the true labels of test."""
    progress("measure", "versions on true labels")
    steps = [("as it came", None, first.version_before), ("after the first run", first, first.version_after)]
    if last is not first:
        steps.append(("after answers", last, last.version_after))
    return gained(project, world, steps)
