"""The command that varies rows and looks what the predictions do: stress."""

from __future__ import annotations

from typing import Annotated

import typer

from tilth.cli._options import HERE, Dir, Json
from tilth.cli._output import emit, emit_json, progress_on_stderr

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(stress)


def stress(
    directory: Dir = HERE,
    transform: Annotated[
        list[str] | None,
        typer.Option("--transform", help="Try this transform, in place of those in tilth.yaml; may be given again."),
    ] = None,
    severity: Annotated[
        int | None, typer.Option("--severity", min=1, max=5, help="With --transform: how strongly, 1 to 5.")
    ] = None,
    expect: Annotated[
        str, typer.Option("--expect", help="With --transform: same, flips, up C or down C, of class C.")
    ] = "",
    pairs: Annotated[
        str | None, typer.Option("--pairs", help="Try counterfactual pairs that this column or file names.")
    ] = None,
    rows: Annotated[int | None, typer.Option("--rows", min=1, help="How many dev rows are tried at most.")] = None,
    version: Annotated[str, typer.Option(help="Which version's model.")] = "latest",
    as_json: Json = False,
) -> None:
    """Vary dev rows (typos, noise, missing cells …) and count the predictions that do not bear it; exit 1 where a test fails."""
    from tilth.loop.project import open_project
    from tilth.loop.visibility import may_quote
    from tilth.reporting.stress import stress_screen

    project = open_project(directory)
    with progress_on_stderr() as progress:
        summary = project.stress(
            version=version,
            transforms=transform or (),
            severity=severity,
            expect=expect,
            pairs=pairs,
            rows=rows,
            progress=progress,
        )
    summary = summary if may_quote(project.file.schema) else summary.without_messages()
    if as_json:
        emit_json(summary.to_dict())
    else:
        emit(stress_screen(summary))
    if not summary.is_passed:
        raise typer.Exit(1)
