"""The command that measures what transforms do to rows: transforms."""

from __future__ import annotations

from typing import Annotated

import typer

from tilth.cli._options import HERE, Dir, Json
from tilth.cli._output import emit, emit_json, progress_on_stderr

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(transforms)


def transforms(
    names: Annotated[
        list[str] | None, typer.Argument(help="Transforms; without any, all that suit, and those of your Python file.")
    ] = None,
    directory: Dir = HERE,
    severity: Annotated[
        int | None, typer.Option("--severity", min=1, max=5, help="How strongly, 1 to 5; else each one's own.")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option("--column", help="Change this column only; may be given again.")
    ] = None,
    rows: Annotated[int | None, typer.Option("--rows", min=20, help="How many train rows are tried at most.")] = None,
    version: Annotated[str, typer.Option(help="Whose rows and model.")] = "latest",
    as_json: Json = False,
) -> None:
    """Show the report card of transforms: do changed rows pass for real, keep their label, differ; what they cost."""
    from tilth.loop.project import open_project
    from tilth.loop.visibility import may_quote
    from tilth.reporting.transforms import transforms_screen

    project = open_project(directory)
    with progress_on_stderr() as progress:
        report = project.transforms(
            *(names or ()),
            version=version,
            severity=severity,
            columns=column or (),
            rows=rows,
            progress=progress,
        )
    report = report if may_quote(project.file.schema) else report.without_messages()
    if as_json:
        emit_json(report.to_dict())
    else:
        emit(transforms_screen(report))
