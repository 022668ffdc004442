"""The command that says where predictions are worse: slices, of a project, or one-off on a table of labels and predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tilth.cli._options import HERE, Dir, Json
from tilth.cli._output import emit, emit_json, progress_on_stderr
from tilth.core.errors import UsageError

if TYPE_CHECKING:
    from tilth.loop.project import Project

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(slices)


def slices(
    table: Annotated[
        str | None,
        typer.Argument(
            help="A file with one row per prediction: label, prediction, what describes it; without it, the project's slices."
        ),
    ] = None,
    label: Annotated[str | None, typer.Option("--label", help="The column of true classes, or numbers.")] = None,
    prediction: Annotated[
        str | None,
        typer.Option(
            "--prediction",
            help="A column of classes, of numbers, of probabilities of the second of two classes; or one column of"
            " probabilities per class, comma-separated.",
        ),
    ] = None,
    score: Annotated[
        str | None,
        typer.Option("--score", help="A column of one score per row, higher is better, in place of right or wrong."),
    ] = None,
    declare: Annotated[
        str | None,
        typer.Option("--declare", help="Write this slice, which the last run discovered, into tilth.yaml."),
    ] = None,
    as_: Annotated[str | None, typer.Option("--as", help="With --declare: the name that it gets there.")] = None,
    brief: Annotated[
        str | None,
        typer.Option(
            "--brief", help="Say what to gather for this slice, and what so many more rows are likely to bring."
        ),
    ] = None,
    gain: Annotated[
        float | None,
        typer.Option(
            "--gain", help="With --brief: the gain for which a number of rows is sought; 0.02 where nothing is said."
        ),
    ] = None,
    directory: Dir = HERE,
    as_json: Json = False,
) -> None:
    """Find the rows on which predictions are worse than elsewhere: in a table, or of a project; make a found slice your own."""
    if table is not None:
        if declare is not None or brief is not None:
            raise UsageError("--declare and --brief are about the slices of a project", next_step="leave the file out")
        _once(table, label, prediction, score, as_json=as_json)
        return
    if label or prediction or score:
        raise UsageError(
            "--label, --prediction and --score describe a file", next_step="tilth slices FILE --label COL …"
        )
    if as_ is not None and declare is None:
        raise UsageError("--as names a slice that is declared", next_step="tilth slices --declare NAME --as NEWNAME")
    if gain is not None and (brief is None or gain <= 0):
        raise UsageError(
            "--gain is the gain above 0 that a brief is about", next_step="tilth slices --brief NAME --gain 0.02"
        )
    if declare is not None and brief is not None:
        raise UsageError("--declare and --brief are two things", next_step="give one of them")
    from tilth.loop.project import open_project

    project = open_project(directory)
    if declare is not None:
        _declare(project, declare, as_, as_json=as_json)
    elif brief is not None:
        _briefed(project, brief, gain or 0.02, as_json=as_json)
    else:
        _listed(project, as_json=as_json)


def _once(table: str, label: str | None, prediction: str | None, score: str | None, *, as_json: bool) -> None:
    from tilth._api import slices as find_slices
    from tilth.reporting.slices import slices_screen

    if label is None:
        raise UsageError("which column of the file is the true label?", next_step="--label COLUMN")
    with progress_on_stderr() as progress:
        found = find_slices(table, label=label, prediction=prediction or (), score=score, progress=progress)
    emit_json(found.to_dict()) if as_json else emit(slices_screen(found))


def _listed(project: Project, *, as_json: bool) -> None:
    from tilth.reporting.slices import project_slices_screen

    found = project.slices()
    if as_json:
        emit_json({"slices": [one.to_dict() for one in found]})
    else:
        emit(project_slices_screen(found, project.file.schema.task.metric))


def _briefed(project: Project, name: str, gain: float, *, as_json: bool) -> None:
    from tilth.reporting.slices import brief_screen

    with progress_on_stderr() as progress:
        found = project.brief(name, gain=gain, progress=progress)
    emit_json(found.to_dict()) if as_json else emit(brief_screen(found))


def _declare(project: Project, name: str, as_: str | None, *, as_json: bool) -> None:
    with progress_on_stderr() as progress:
        told = project.declare_slice(name, as_=as_, progress=progress)
    if as_json:
        emit_json(told.to_dict())
        return
    emit(f"declared {told.name!r} in {told.written}: {told.rule}")
    emit("The next tilth run guards it, and aims at it where it is worse; without its line it is declared no more.")
