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
    people: Annotated[
        str | None,
        typer.Option("--people", help="Who may be asked, comma-separated; the sheet says who is asked what."),
    ] = None,
    each: Annotated[int | None, typer.Option("--each", min=1, help="With --people: most rows for one person.")] = None,
    gold: Annotated[
        int, typer.Option("--gold", min=0, help="Mix in rows whose label is known, to see how good answers are.")
    ] = 0,
    form: Annotated[
        str, typer.Option("--format", help="csv, or label-studio: tasks with -o tasks.json, the interface beside it.")
    ] = "csv",
    output: Output = None,
) -> None:
    """Write the rows whose answers are worth most, as CSV with an empty column `answer`.

    With -o, images are written into a folder beside the file, and the file names them.
    """
    from tilth.cli._imports import listed
    from tilth.cli._output import write_csv
    from tilth.loop.locations import writing
    from tilth.loop.more_rows import worth_of_pool
    from tilth.loop.project import open_project
    from tilth.loop.question_images import with_image_files

    project = open_project(directory)
    path = None if output is None else project.writable(output)
    interface = None if form == "csv" else project.writable(_interface(form, path))
    notes: list[str] = []
    with progress_on_stderr() as progress:
        table = project.ask(
            top=top, split=split, people=listed(people), each=each, gold=gold, notes=notes, progress=progress
        )
    if path is not None:
        with writing(path):
            table = with_image_files(table, project.dataset(), path)
    if path is not None and interface is not None:
        from tilth.loop.studio_tasks import write_studio

        write_studio(table, project.file.schema, path, interface)
        emit(f"wrote {path}: {table.num_rows:,} tasks for Label Studio, and {interface}: their labelling interface")
        then = "export the annotations as JSON there, then: tilth answer EXPORT.json"
    else:
        write_csv(table, path)
        then = f"fill in the column `answer`, then: tilth answer {path}"
        if path is not None:
            emit(f"wrote {path}: {table.num_rows:,} rows")
    if path is not None and table.num_rows:
        emit(then)
    if not table.num_rows:
        console_error("there is nothing to ask about")
    for note in notes:
        console_error(note)
    worth = worth_of_pool(project) if split in (None, "pool") else None
    if worth is not None:
        console_error(worth)


def _interface(form: str, path: Path | None) -> Path:
    """Return where the labelling interface goes: beside the tasks."""
    from tilth.core.errors import UsageError, did_you_mean

    if form != "label-studio":
        raise UsageError(
            f"{form!r} is not a format of questions.{did_you_mean(form, ('csv', 'label-studio'))}",
            next_step="--format csv or --format label-studio",
        )
    if path is None or path.suffix != ".json":
        raise UsageError("tasks for Label Studio are a .json file", next_step="-o tasks.json")
    return path.with_suffix(".xml")


def answer(
    file: Annotated[
        Path, typer.Argument(help="Row_id, answer, perhaps annotator: CSV, JSON, Parquet, Label Studio, saved dataset.")
    ],
    directory: Dir = HERE,
    annotator: Annotated[
        str | None, typer.Option("--annotator", help="Who answered, where the file does not say.")
    ] = None,
    adjudicate: Annotated[
        bool, typer.Option("--adjudicate", help="These answers are final, whatever others say.")
    ] = False,
    columns: Annotated[
        str | None, typer.Option("--columns", help="Row and answer, or row, annotator and answer, comma-separated.")
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option("--manifest", help="Write what was read and dropped as JSON.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Take answers in: a file with row_id and answer, of one person or of several."""
    from tilth.cli._imports import listed, manifest_path, write_manifest
    from tilth.loop.project import open_project
    from tilth.reporting.answered import answered_text

    project = open_project(directory)
    path = None if manifest is None else manifest_path(project.writable(manifest), file)
    taken = project.answer(file, annotator=annotator, adjudicate=adjudicate, columns=listed(columns))
    if taken.manifest is not None and path is not None:
        write_manifest(taken.manifest, path)
    if as_json:
        emit_json(taken.to_dict())
        return
    emit(answered_text(taken, str(file)))


def adopt(edit: EditId, directory: Dir = HERE) -> None:
    """Keep an edit on your word, whatever its verdict."""
    from tilth.loop.project import open_project

    emit(f"adopted {edit}; now {open_project(directory).adopt(edit).version}; next: tilth run measures it")


def veto(edit: EditId, directory: Dir = HERE) -> None:
    """Refuse an edit on your word: taken back if it was kept, never proposed again."""
    from tilth.loop.project import open_project

    emit(f"vetoed {edit}; now {open_project(directory).veto(edit).version}; it is not proposed again")
