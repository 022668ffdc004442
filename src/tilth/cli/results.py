"""Commands that write what a project has come to: report, predict, export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tilth.cli._options import HERE, Dir
from tilth.cli._output import console_error, emit, progress_on_stderr
from tilth.core.errors import UsageError

if TYPE_CHECKING:
    from tilth.core.expected_score import ExpectedScore
    from tilth.core.progress import Progress
    from tilth.loop.predict import Predicted
    from tilth.loop.project import Project

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for command in (report, predict, export):
        app.command()(command)


def report(
    directory: Dir = HERE,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where to write; default tilth-report.html.")
    ] = None,
) -> None:
    """Write the self-contained HTML report of the last run."""
    from tilth.loop.locations import writing
    from tilth.loop.project import open_project
    from tilth.loop.reports import html_report

    project = open_project(directory)
    path = project.writable(output or directory / "tilth-report.html")
    with progress_on_stderr() as progress:
        page = html_report(project, progress)
    with writing(path):
        path.write_text(page, encoding="utf-8")
    emit(f"wrote {path} ({len(page.encode()) / 1e6:.2f} MB); it opens in a browser, and asks for nothing from outside")


def predict(
    table: Annotated[str, typer.Argument(help="A file of new rows, with the columns that the model reads.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="A .csv or .parquet file.")],
    directory: Dir = HERE,
    version: Annotated[str, typer.Option(help="Which version's model.")] = "latest",
    estimate: Annotated[
        bool,
        typer.Option("--estimate", help="Say what the model is likely to score on these rows, without their labels."),
    ] = False,
) -> None:
    """Predict new rows with the very code that trained."""
    from tilth.cli._output import write_table
    from tilth.loop.project import open_project
    from tilth.reporting.expected_score import expected_paragraph
    from tilth.reporting.slices import new_slices_screen

    if output.suffix not in (".csv", ".parquet"):
        what = f"{output.suffix!r} is not a format of predictions"
        raise UsageError(what, next_step="name a .csv or a .parquet file")
    project = open_project(directory)
    path = project.writable(output)
    with progress_on_stderr() as progress:
        score, predicted = _estimated(project, table, version, progress) if estimate else (None, None)
        if predicted is None:
            predicted = project.predict(table, version=version, progress=progress)
    for warning in predicted.warnings if score is None else score.warnings:
        console_error(f"warning: {warning}")
    write_table(predicted.table, path)
    emit(f"wrote {path}: {predicted.table.num_rows:,} predictions of {predicted.version}")
    if score is not None:
        emit(expected_paragraph(score))
    if predicted.slices:
        metric = project.file.schema.task.metric if score is None else score.metric
        emit(new_slices_screen(predicted.slices, metric))


def _estimated(
    project: Project, table: str, version: str, progress: Progress
) -> tuple[ExpectedScore | None, Predicted | None]:
    """Return the expected score with the predictions; where nothing can be expected, say why, and return nothing."""
    from tilth.core.errors import NotApplicable

    try:
        found = project.estimate(table, version=version, progress=progress)
    except NotApplicable as refusal:
        console_error(f"warning: no expected score: {refusal.what}")
        return None, None
    return found.score, found.predicted


def export(
    version: Annotated[str, typer.Argument(help="A version, its beginning, a tag, or latest.")],
    path: Annotated[Path, typer.Argument(help="A .parquet or .csv file, or a new folder for HF datasets.")],
    directory: Dir = HERE,
) -> None:
    """Write a version's data (.parquet, .csv, or a folder of HF datasets) and the list of what changed and why."""
    from tilth.loop.project import open_project

    done = open_project(directory).export(version, path)
    emit(f"wrote {done.data}: {done.rows:,} rows; {done.changes}: {done.n_changes:,} changes")
