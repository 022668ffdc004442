"""Commands that look back and keep house: log, diff, show, blame, revert, tag, gc, doctor, operators."""

from __future__ import annotations

from typing import Annotated

import typer

from tilth.cli._options import HERE, Dir, Json
from tilth.cli._output import emit, emit_json

__all__ = ["register"]

VersionName = Annotated[str, typer.Argument(help="A version, its beginning, a tag, or latest.")]
EditId = Annotated[str, typer.Argument(help="An edit's id, or its beginning; tilth log shows them.")]
RowId = Annotated[str, typer.Argument(help="A row's id; tilth ask and tilth export show them.")]
TagName = Annotated[str, typer.Argument(help="The name that the version gets.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for command in (log, diff, show, blame, revert, tag, gc, doctor, operators):
        app.command()(command)


def log(directory: Dir = HERE, as_json: Json = False) -> None:
    """List versions, newest first: what made each, why, and its verdict."""
    from tilth.loop.project import open_project
    from tilth.loop.reports import log_lines
    from tilth.reporting.text import log_table

    lines = log_lines(open_project(directory))
    if as_json:
        emit_json({"versions": lines})
    else:
        emit(log_table(lines))


def diff(before: VersionName, after: VersionName, directory: Dir = HERE, as_json: Json = False) -> None:
    """Show what changed from one version to another."""
    from tilth.loop.project import open_project
    from tilth.reporting.text import diff_text

    found = open_project(directory).diff(before, after).to_dict()
    if as_json:
        emit_json(found)
    else:
        emit(diff_text(found))


def show(version: VersionName = "latest", directory: Dir = HERE, as_json: Json = False) -> None:
    """Show one version: rows, splits, recipe, trials."""
    from tilth.loop.project import open_project
    from tilth.loop.reports import version_facts
    from tilth.reporting.text import show_text

    facts = version_facts(open_project(directory), version)
    if as_json:
        emit_json(facts)
    else:
        emit(show_text(facts))


def blame(row_id: RowId, directory: Dir = HERE, as_json: Json = False) -> None:
    """Show every edit that touched a row, with its reason and trial."""
    from tilth.loop.project import open_project
    from tilth.reporting.text import blame_text

    found = open_project(directory).blame(row_id).to_dict()
    if as_json:
        emit_json(found)
    else:
        emit(blame_text(found))


def revert(edit: EditId, directory: Dir = HERE) -> None:
    """Make a version that is the current one without an edit."""
    from tilth.loop.project import open_project

    emit(f"took {edit} back; now {open_project(directory).revert(edit).version}")


def tag(name: TagName, version: VersionName = "latest", directory: Dir = HERE) -> None:
    """Give a version a name."""
    from tilth.loop.project import open_project

    emit(f"{name} is {open_project(directory).tag(name, version).version}")


def gc(directory: Dir = HERE, as_json: Json = False) -> None:
    """Remove what no tag and no current lineage reaches, and what killed writes left."""
    from dataclasses import asdict

    from tilth.loop.project import open_project
    from tilth.loop.reading import refuse_unfinished
    from tilth.store.maintenance import collect_garbage

    repository = open_project(directory).repository()
    refuse_unfinished(repository)
    done = asdict(collect_garbage(repository))
    if as_json:
        emit_json(done)
    else:
        emit(
            f"removed {done['versions']} versions and {done['evidence']} pieces of evidence; freed {done['bytes'] / 1e6:.1f} MB"
        )


def doctor(directory: Dir = HERE, as_json: Json = False) -> None:
    """Check that the store holds together; exit 1 if it does not."""
    from dataclasses import asdict

    from tilth.loop.project import open_project
    from tilth.store.maintenance import examine

    checks = examine(open_project(directory).repository())
    if as_json:
        emit_json({"checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            emit(f"{'ok  ' if check.ok else 'BAD '} {check.name}: {check.detail}")
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


def operators(room: Annotated[str | None, typer.Argument(help="One room only.")] = None, as_json: Json = False) -> None:
    """List what there is, made from the operators themselves."""
    from tilth.core.errors import UnknownOperatorError, did_you_mean
    from tilth.operators.registry import listings, rooms
    from tilth.reporting.text import operators_table

    if room is not None and room not in rooms():
        raise UnknownOperatorError(
            f"no room {room!r}.{did_you_mean(room, rooms())}", next_step=f"rooms: {', '.join(rooms())}"
        )
    found = [listing.to_dict() for listing in listings(room)]
    if as_json:
        emit_json(found)
    else:
        emit(operators_table(found))
