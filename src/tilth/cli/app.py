"""Commands as typer reads them; each calls one method of the project and renders what it returns."""

from __future__ import annotations

import sys
import tempfile
import traceback
from pathlib import Path
from typing import Annotated

import typer

from tilth import __version__
from tilth.cli._output import console_error, emit, emit_json, progress_on_stderr
from tilth.core.errors import MachineError, TilthError, UsageError

__all__ = ["app", "run"]

app = typer.Typer(
    name="tilth",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Find what is wrong with the data, try each fix as a measured experiment, keep what helps.",
    epilog="Start with: tilth init reviews.csv --label sentiment && tilth run. Every command explains itself: tilth ask --help",
)

Dir = Annotated[Path, typer.Option("--dir", help="The project's folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Label = Annotated[str | None, typer.Option("--label", help="The column to learn.")]
Embedding = Annotated[list[str] | None, typer.Option("--embedding", help="A column of vectors, used as it is.")]
PredProbs = Annotated[
    list[str] | None, typer.Option("--pred-probs", help="A column of your own out-of-sample probabilities.")
]
EditId = Annotated[str, typer.Argument(help="An edit's id, or its beginning; tilth log and tilth run show them.")]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="Write here instead of stdout.")]
HERE = Path()
STOPPED = 130
"""Exit status after Ctrl-C."""


def run() -> None:
    """Run the command line; refusals end with their message and exit status, never with a traceback."""
    try:
        app(standalone_mode=True)
    except TilthError as error:
        console_error(error.message)
        sys.exit(error.exit_status)
    except SystemExit as end:
        if end.code == STOPPED:
            console_error("stopped; the store is whole, and the next run resumes")
        raise
    except (OSError, MemoryError) as error:
        _say_of_the_machine(error)
        sys.exit(MachineError.exit_status)
    except Exception:  # noqa: BLE001 - the outermost door: a person gets a sentence and a file, not a traceback
        _say_unexpected()
        sys.exit(MachineError.exit_status)


def _say_of_the_machine(error: BaseException) -> None:
    if isinstance(error, MemoryError):
        console_error("TILTH-E005 the memory is too small for this → use fewer rows or columns, or a larger machine")
        return
    from tilth.store.objects import machine_error

    console_error(machine_error(error, str(getattr(error, "filename", None) or "")).message)


def _say_unexpected() -> None:
    """Say that tilth itself failed, and keep what a maintainer needs in a file."""
    with tempfile.NamedTemporaryFile("w", prefix="tilth-", suffix=".txt", delete=False, encoding="utf-8") as file:
        file.write(f"tilth {__version__}, {' '.join(sys.argv[1:])}\n\n{traceback.format_exc()}")
    error = sys.exc_info()[1]
    console_error(
        f"TILTH-E000 tilth itself failed: {type(error).__name__}: {error} [{file.name}]"
        " → the store is whole; report this with that file, which may quote cells of the data"
    )


def _version(value: bool) -> None:
    if value:
        typer.echo(f"tilth {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _main(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version
    if context.invoked_subcommand is None:
        emit(context.get_help())
        emit(f"\n{_where_we_are()}")


def _where_we_are() -> str:
    """Say what to type next in this folder."""
    if not (HERE / "tilth.yaml").is_file():
        return "No project here. Next: tilth init SOURCE --label COLUMN"
    return "A project is here. Next: tilth run, then tilth log or tilth report"


@app.command()
def init(
    source: Annotated[list[str], typer.Argument(help="Files, folders or URLs; split=FILE names a split.")],
    label: Label = None,
    classes: Annotated[
        str | None, typer.Option("--classes", help="Class names, comma-separated, if no row has a label.")
    ] = None,
    id_column: Annotated[str | None, typer.Option("--id", help="The column that identifies rows.")] = None,
    split: Annotated[str | None, typer.Option("--split", help="The column that names each row's split.")] = None,
    text: Annotated[list[str] | None, typer.Option("--text", help="A column of free text.")] = None,
    group: Annotated[str | None, typer.Option("--group", help="Rows of one group stay in one split.")] = None,
    time: Annotated[str | None, typer.Option("--time", help="Split forward by this column, or ROW_ORDER.")] = None,
    embedding: Embedding = None,
    pred_probs: PredProbs = None,
    store: Annotated[
        str, typer.Option("--store", help="Where versions are kept: a folder, or s3://bucket/prefix.")
    ] = ".tilth",
    directory: Dir = HERE,
) -> None:
    """Write a commented tilth.yaml: inferred types, roles, splits."""
    from tilth.cli._init import said_of
    from tilth.loop.starting import init_project

    project = init_project(
        source[0] if len(source) == 1 and "=" not in source[0] else source,
        folder=directory,
        label=label,
        classes=[c.strip() for c in classes.split(",")] if classes else (),
        id=id_column,
        split=split,
        text=text or (),
        group=group,
        time=time,
        embedding=embedding or (),
        pred_probs=_listed(pred_probs),
        store=store,
    )
    for note in project.notes:
        console_error(f"warning: {note}")
    emit(said_of(project))


@app.command("run")
def run_command(
    directory: Dir = HERE,
    budget: Annotated[str | None, typer.Option(help="Time that trials may cost, such as 10m.")] = None,
    seed: Annotated[int | None, typer.Option(help="Decides everything random.")] = None,
    only: Annotated[str | None, typer.Option(help="Verbs to try: add, synthesize, remove, modify, relabel.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Find and propose; try and change nothing.")] = False,
    refit: Annotated[bool, typer.Option("--refit", help="Choose encoders and learner anew.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Try more on top of a finished run.")] = False,
    as_json: Json = False,
) -> None:
    """Read, fit, find, propose, try, keep, report."""
    from tilth.loop.project import open_project
    from tilth.loop.visibility import may_quote, without_messages

    project = open_project(directory)
    with progress_on_stderr() as progress:
        summary = project.run(
            budget=budget,
            seed=seed,
            only=[verb.strip() for verb in only.split(",")] if only else (),
            dry_run=dry_run,
            refit=refit,
            again=again,
            progress=progress,
        )
    messages = may_quote(project.file.schema)
    if as_json:
        emit_json(summary.to_dict() if messages else without_messages(summary).to_dict())
    else:
        from tilth.reporting.screen import run_screen

        emit(run_screen(summary, messages=messages))


@app.command()
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


@app.command()
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


@app.command()
def adopt(edit: EditId, directory: Dir = HERE) -> None:
    """Keep an edit on your word, whatever its verdict."""
    from tilth.loop.project import open_project

    emit(f"adopted {edit}; now {open_project(directory).adopt(edit).version}; next: tilth run measures it")


@app.command()
def veto(edit: EditId, directory: Dir = HERE) -> None:
    """Refuse an edit on your word: taken back if it was kept, never proposed again."""
    from tilth.loop.project import open_project

    emit(f"vetoed {edit}; now {open_project(directory).veto(edit).version}; it is not proposed again")


@app.command()
def find(
    table: Annotated[str | None, typer.Argument(help="A file to look into without a project.")] = None,
    label: Label = None,
    embedding: Embedding = None,
    pred_probs: PredProbs = None,
    directory: Dir = HERE,
    as_json: Json = False,
) -> None:
    """Find what is wrong: in the project, or one-off in a file."""
    from tilth._api import find_once
    from tilth.cli._findings import finding_facts
    from tilth.loop.project import open_project
    from tilth.reporting.screen import find_screen

    with progress_on_stderr() as progress:
        if table is None:
            found = open_project(directory).find(progress=progress)
            findings = found.findings
        elif label is None:
            raise UsageError("a one-off find needs the label column", next_step="--label COLUMN")
        else:
            options = {"embedding": embedding or (), "pred_probs": _listed(pred_probs)}
            findings, found = find_once(table, label=label, progress=progress, **options)
    for warning in found.warnings:
        console_error(f"warning: {warning}")
    if as_json:
        emit_json({"findings": [finding_facts(finding, found.version.schema) for finding in findings]})
    else:
        emit(find_screen(findings))


def _listed(names: list[str] | None) -> list[str]:
    """Return columns that are named one by one, or with commas between."""
    return [part.strip() for name in names or () for part in name.split(",") if part.strip()]


@app.command()
def report(
    directory: Dir = HERE,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where to write; default tilth-report.html.")
    ] = None,
) -> None:
    """Write the self-contained HTML report of the last run."""
    from tilth.loop.locations import writing
    from tilth.loop.project import open_project
    from tilth.loop.reports import html_report

    project = open_project(directory)
    path = project.writable(output or directory / "tilth-report.html")
    with progress_on_stderr() as progress:
        page = html_report(project, progress)
    with writing(path):
        path.write_text(page, encoding="utf-8")
    emit(f"wrote {path} ({len(page.encode()) / 1e6:.2f} MB); it opens in a browser, and asks for nothing from outside")


@app.command()
def predict(
    table: Annotated[str, typer.Argument(help="A file of new rows, with the columns that the model reads.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="A .csv or .parquet file.")],
    directory: Dir = HERE,
    version: Annotated[str, typer.Option(help="Which version's model.")] = "latest",
) -> None:
    """Predict new rows with the very code that trained."""
    from tilth.cli._output import write_table
    from tilth.loop.project import open_project

    if output.suffix not in (".csv", ".parquet"):
        what = f"{output.suffix!r} is not a format of predictions"
        raise UsageError(what, next_step="name a .csv or a .parquet file")
    project = open_project(directory)
    path = project.writable(output)
    with progress_on_stderr() as progress:
        predicted = project.predict(table, version=version, progress=progress)
    for warning in predicted.warnings:
        console_error(f"warning: {warning}")
    write_table(predicted.table, path)
    emit(f"wrote {path}: {predicted.table.num_rows:,} predictions of {predicted.version}")


@app.command()
def export(
    version: Annotated[str, typer.Argument(help="A version, its beginning, a tag, or latest.")],
    path: Annotated[Path, typer.Argument(help="A .parquet or .csv file, or a new folder for HF datasets.")],
    directory: Dir = HERE,
) -> None:
    """Write a version's data (.parquet, .csv, or a folder of HF datasets) and the list of what changed and why."""
    from tilth.loop.project import open_project

    done = open_project(directory).export(version, path)
    emit(f"wrote {done.data}: {done.rows:,} rows; {done.changes}: {done.n_changes:,} changes")


@app.command()
def demo(
    directory: Annotated[Path | None, typer.Option("--dir", help="Where to make the demo project.")] = None,
) -> None:
    """Run the whole loop on real data with planted faults, and compare with the truth."""
    from tilth.cli.demo import run_demo

    run_demo(directory)


def add_history(application: typer.Typer) -> None:
    """Add the commands that look back; they live in a file of their own."""
    from tilth.cli import history

    history.register(application)


add_history(app)
