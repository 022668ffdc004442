"""`tilth taxonomy`: show the label set, change it, take a change back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tilth.cli._options import HERE, Dir, Json
from tilth.cli._output import emit, emit_json, progress_on_stderr
from tilth.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from tilth.core.migration_plan import MigrationPlan

__all__ = ["register"]

group = typer.Typer(no_args_is_help=False, invoke_without_command=True)
Dry = Annotated[bool, typer.Option("--dry-run", help="Say what it would do; change nothing.")]
Class = Annotated[str, typer.Argument(help="A class of today.")]
Into = Annotated[list[str], typer.Option("--into", help="The new class; again, or with commas, for several.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.add_typer(group, name="taxonomy", help="Show the label set, or change it without losing labels.")


@group.callback()
def taxonomy(context: typer.Context, directory: Dir = HERE, as_json: Json = False) -> None:
    """Show the classes, how they changed, what waits for an answer, how good the rules are."""
    if context.invoked_subcommand is not None:
        return
    from tilth.loop.project import open_project
    from tilth.reporting.taxonomy import state_screen

    state = open_project(directory).taxonomy()
    if as_json:
        emit_json(state.to_dict())
    else:
        emit(state_screen(state))


@group.command()
def rename(
    old: Class,
    new: Annotated[str, typer.Argument(help="What it is called from now on.")],
    directory: Dir = HERE,
    dry_run: Dry = False,
    as_json: Json = False,
) -> None:
    """Give a class another name; every label goes along."""
    _make("rename", (old,), (new,), directory, dry_run=dry_run, as_json=as_json)


@group.command()
def merge(
    classes: Annotated[list[str], typer.Argument(help="The classes that become one.")],
    into: Annotated[str, typer.Option("--into", help="What they are called together.")],
    directory: Dir = HERE,
    dry_run: Dry = False,
    as_json: Json = False,
) -> None:
    """Make several classes one; every label goes along."""
    _make("merge", classes, (into,), directory, dry_run=dry_run, as_json=as_json)


@group.command()
def split(
    name: Class,
    into: Into,
    rule: Annotated[
        list[str] | None,
        typer.Option("--rule", help="CLASS=SQL of the rows that are of it, or CLASS=otherwise; may be given again."),
    ] = None,
    directory: Dir = HERE,
    dry_run: Dry = False,
    as_json: Json = False,
) -> None:
    """Make several classes of one; rules settle what they can, people are asked for the rest."""
    rules = dict(_rule(one) for one in rule or ())
    _make("split", (name,), _listed(into), directory, dry_run=dry_run, as_json=as_json, rules=rules)


@group.command()
def add(
    name: Annotated[str, typer.Argument(help="The new class.")],
    among: Annotated[
        list[str] | None, typer.Option("--among", help="A class whose rows may belong to it; again for several.")
    ] = None,
    directory: Dir = HERE,
    dry_run: Dry = False,
    as_json: Json = False,
) -> None:
    """Add a class; say in which classes its rows have hidden until now."""
    _make("add", _listed(among or ()), (name,), directory, dry_run=dry_run, as_json=as_json)


@group.command()
def retire(
    name: Class,
    to: Annotated[list[str] | None, typer.Option("--to", help="Where its rows go; again if it may be several.")] = None,
    directory: Dir = HERE,
    dry_run: Dry = False,
    as_json: Json = False,
) -> None:
    """Take a class out; its rows go to others, or lose their label."""
    _make("retire", (name,), _listed(to or ()), directory, dry_run=dry_run, as_json=as_json)


@group.command()
def redefine(
    name: Class,
    guideline: Annotated[str, typer.Option("--guideline", help="The new version of the guideline.")],
    affects: Annotated[
        list[str] | None, typer.Option("--affects", help="A class that gains or loses rows by it; again for several.")
    ] = None,
    where: Annotated[str, typer.Option("--where", help="SQL of the rows whose labels it puts in doubt.")] = "",
    directory: Dir = HERE,
    dry_run: Dry = False,
    as_json: Json = False,
) -> None:
    """Change what a class means: the labels that the new guideline puts in doubt are asked again."""
    classes = (name, *_listed(affects or ()))
    _make("redefine", classes, (), directory, dry_run=dry_run, as_json=as_json, guideline=guideline, where=where)


@group.command()
def undo(directory: Dir = HERE, as_json: Json = False) -> None:
    """Take the last change of the label set back."""
    from tilth.loop.project import open_project

    with progress_on_stderr() as progress:
        plan = open_project(directory).take_back_migration(progress=progress)
    _show(plan, is_undo=True, as_json=as_json)


def _make(
    change: str,
    classes: Sequence[str],
    into: Sequence[str],
    directory: Path,
    *,
    dry_run: bool,
    as_json: bool,
    rules: dict[str, str] | None = None,
    where: str = "",
    guideline: str = "",
) -> None:
    from tilth.core.migration import Change, Migration
    from tilth.loop.project import open_project

    migration = Migration(
        change=Change(change),
        classes=tuple(classes),
        into=tuple(into),
        rules=rules or {},
        where=where,
        guideline=guideline,
    )
    with progress_on_stderr() as progress:
        plan = open_project(directory).migrate(migration, dry_run=dry_run, progress=progress)
    _show(plan, dry_run=dry_run, as_json=as_json)


def _show(plan: MigrationPlan, *, as_json: bool, dry_run: bool = False, is_undo: bool = False) -> None:
    from tilth.reporting.taxonomy import plan_screen

    if as_json:
        emit_json(plan.to_dict())
    else:
        emit(plan_screen(plan, dry_run=dry_run, is_undo=is_undo))


def _listed(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(part.strip() for name in names for part in name.split(",") if part.strip())


def _rule(text: str) -> tuple[str, str]:
    name, sign, predicate = text.partition("=")
    if not sign or not name.strip() or not predicate.strip():
        raise UsageError(
            f"the rule {text!r} is not understood", next_step="write --rule 'CLASS=SQL', such as 'van=doors > 4'"
        )
    return name.strip(), predicate.strip()
