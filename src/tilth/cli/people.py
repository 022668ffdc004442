"""Commands by which people have their say: ask, answer, adopt, veto."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tilth.cli._options import HERE, Dir, Json, Output
from tilth.cli._output import console_error, emit, emit_json, progress_on_stderr

__all__ = ["register"]

EditId = Annotated[str, typer.Argument(help="An edit's id, or its beginning; tilth log and tilth run show them.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for command in (ask, answer, adopt, veto):
        app.command()(command)


def ask(
    directory: Dir = HERE,
    top: Annotated[int, typer.Option(min=1, help="How many rows to ask about.")] = 30,
    split: Annotated[str | None, typer.Option(help="A random sample of this split: dev, test, train or pool.")] = None,
    output: Output = None,
) -> None:
    """Write the rows whose answers are worth most, as CSV with an empty column `answer`.

    With -o, images are written into a folder beside the file, and the file names them.
    """
    from tilth.cli._output import write_csv
    from tilth.loop.locations import writing
    from tilth.loop.more_rows import worth_of_pool
    from tilth.loop.project import open_project
    from tilth.loop.question_images import with_image_files

    project = open_project(directory)
    path = None if output is None else project.writable(output)
    with progress_on_stderr() as progress:
        table = project.ask(top=top, split=split, progress=progress)
    if path is not None:
        with writing(path):
            table = with_image_files(table, project.dataset(), path)
    write_csv(table, path)
    if path is not None:
        emit(f"wrote {path}: {table.num_rows:,} rows; fill in the column `answer`, then: tilth answer {path}")
    elif not table.num_rows:
        console_error("there is nothing to ask about")
    worth = worth_of_pool(project) if split in (None, "pool") else None
    if worth is not None:
        console_error(worth)


def answer(
    file: Annotated[Path, typer.Argument(help="A CSV with columns row_id and answer; empty answers are skipped.")],
    directory: Dir = HERE,
    as_json: Json = False,
) -> None:
    """Take answers in: a CSV with columns row_id and answer."""
    from dataclasses import asdict

    from tilth.loop.project import open_project

    taken = open_project(directory).answer(file)
    if as_json:
        emit_json(asdict(taken))
        return
    if not taken.answers:
        stand = (
            f"{taken.skipped:,} answers stand already" if taken.skipped else f"the column `answer` of {file} is empty"
        )
        emit(f"nothing new: {stand}; still {taken.version}")
        return
    where = ", ".join(f"{n:,} {name}" for name, n in taken.by_split.items())
    first = taken.by_split.get("pool", 0)
    said = [f"{taken.confirmed:,} confirm the label", f"{taken.changed - first:,} change it"]
    said += [f"{first:,} are first labels"] if first else []
    emit(f"{taken.answers:,} answers ({where}): {', '.join(said)}; now {taken.version}; next: tilth run")


def adopt(edit: EditId, directory: Dir = HERE) -> None:
    """Keep an edit on your word, whatever its verdict."""
    from tilth.loop.project import open_project

    emit(f"adopted {edit}; now {open_project(directory).adopt(edit).version}; next: tilth run measures it")


def veto(edit: EditId, directory: Dir = HERE) -> None:
    """Refuse an edit on your word: taken back if it was kept, never proposed again."""
    from tilth.loop.project import open_project

    emit(f"vetoed {edit}; now {open_project(directory).veto(edit).version}; it is not proposed again")
