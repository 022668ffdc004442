"""The command that says where predictions are worse: slices, one-off on a table of labels and predictions."""

from __future__ import annotations

from typing import Annotated

import typer

from tilth.cli._options import Json
from tilth.cli._output import emit, emit_json, progress_on_stderr

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(slices)


def slices(
    table: Annotated[
        str, typer.Argument(help="A file with one row per prediction: label, prediction, what describes it.")
    ],
    label: Annotated[str, typer.Option("--label", help="The column of true classes, or numbers.")],
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
    as_json: Json = False,
) -> None:
    """Find the rows on which predictions are worse than elsewhere, described by their columns."""
    from tilth._api import slices as find_slices
    from tilth.reporting.slices import slices_screen

    with progress_on_stderr() as progress:
        found = find_slices(table, label=label, prediction=prediction or (), score=score, progress=progress)
    if as_json:
        emit_json(found.to_dict())
    else:
        emit(slices_screen(found))
