"""The command that says what more labelled rows would bring: curve."""

from __future__ import annotations

from typing import Annotated

import typer

from tilth.cli._options import HERE, Dir, Json
from tilth.cli._output import emit, emit_json, progress_on_stderr

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(curve)


def curve(
    directory: Dir = HERE,
    version: Annotated[str, typer.Option(help="Which version's model.")] = "latest",
    as_json: Json = False,
) -> None:
    """Say what more labelled rows would bring, and the best score in reach."""
    from tilth.loop.project import open_project
    from tilth.reporting.curve import curve_screen

    with progress_on_stderr() as progress:
        found = open_project(directory).learning_curve(version=version, progress=progress)
    if as_json:
        emit_json(found.to_dict())
    else:
        emit(curve_screen(found))
