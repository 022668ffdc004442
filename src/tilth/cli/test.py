"""The command that is a gate for CI: test."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tilth.cli._options import HERE, Dir, Json
from tilth.cli._output import emit, emit_json, progress_on_stderr

__all__ = ["register"]

NOT_PASSED = 1


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("test")(gate_command)


def gate_command(
    directory: Dir = HERE,
    against: Annotated[
        str | None, typer.Option(help="The version to compare with; default the one before the newest.")
    ] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write a summary for a pull request here.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Say how many test rows the conditions need; ask none.")] = False,
    as_json: Json = False,
) -> None:
    """Test the newest version by the checks and conditions of tilth.yaml; exit 1 where it does not pass."""
    from tilth.loop.project import open_project
    from tilth.reporting.gate import gate_screen, rows_screen

    project = open_project(directory)
    if plan:
        needed = project.plan_test()
        emit_json(needed.to_dict()) if as_json else emit(rows_screen(needed))
        return
    path = None if markdown is None else project.writable(markdown)
    with progress_on_stderr() as progress:
        gate = project.test(against=against, progress=progress)
    if path is not None:
        from tilth.loop.locations import writing
        from tilth.reporting.gate import gate_markdown

        with writing(path):
            path.write_text(gate_markdown(gate), encoding="utf-8")
    if as_json:
        emit_json(gate.to_dict())
    else:
        emit(gate_screen(gate))
    if not gate.passed:
        raise typer.Exit(NOT_PASSED)
