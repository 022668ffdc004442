"""The command that finds how rows may be varied in training: augment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tilth.cli._options import HERE, Dir, Json
from tilth.cli._output import emit, emit_json, progress_on_stderr

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(augment)


def augment(
    how: Annotated[
        str, typer.Argument(help="trivial, rand, search (short trainings), compose (realism), or the id of an edit.")
    ] = "trivial",
    directory: Dir = HERE,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the policy here, as YAML.")] = None,
    arms: Annotated[
        int | None, typer.Option("--arms", min=2, max=200, help="With search: how many sequences compete.")
    ] = None,
    version: Annotated[str, typer.Option(help="Whose rows and model.")] = "latest",
    as_json: Json = False,
) -> None:
    """Find a policy by which train rows are varied; it is a candidate like any other once tilth.yaml names its file."""
    from tilth.loop.finding_policies import policy_text
    from tilth.loop.locations import writing
    from tilth.loop.project import open_project
    from tilth.reporting.policies import policy_screen

    project = open_project(directory)
    target = None if output is None else project.writable(output)
    with progress_on_stderr() as progress:
        report = project.policy(how, version=version, arms=arms, progress=progress)
    if target is not None:
        with writing(target):
            target.write_text(policy_text(report.policy), encoding="utf-8")
    if as_json:
        emit_json(report.to_dict())
        return
    emit(policy_screen(report))
    if output is None:
        emit("\nwrite it to a file: -o policy.yaml")
    else:
        emit(f"\nwritten to {output}; try it: augment: {{policies: [{output.name}]}} in tilth.yaml, then tilth run")
