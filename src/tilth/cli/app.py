"""Commands as typer reads them; each calls one method of the project and renders what it returns."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tilth import __version__
from tilth.cli._output import console_error, emit, emit_json, progress_on_stderr
from tilth.core.errors import TilthError, UsageError

__all__ = ["app", "run"]

app = typer.Typer(
    name="tilth",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Find what is wrong with the data, try each fix as a measured experiment, keep what helps.",
)

Dir = Annotated[Path, typer.Option("--dir", help="The project's folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Label = Annotated[str | None, typer.Option("--label", help="The column to learn.")]
Embedding = Annotated[list[str] | None, typer.Option("--embedding", help="A column of vectors, used as it is.")]
HERE = Path()


def run() -> None:
    """Run the command line; refusals end with their message and exit status, Ctrl-C with 130."""
    try:
        app(standalone_mode=True)
    except TilthError as error:
        console_error(error.message)
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        console_error("stopped; the store is whole, and the next run resumes")
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"tilth {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


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
    directory: Dir = HERE,
) -> None:
    """Write a commented tilth.yaml: inferred types, roles, splits."""
    from tilth.loop.project import FILE, init_project

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
    )
    path = project.folder / FILE
    emit(f"wrote {path}: {len(project.file.schema.columns)} columns; look it over, then: tilth run")


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

    with progress_on_stderr() as progress:
        summary = open_project(directory).run(
            budget=budget,
            seed=seed,
            only=[verb.strip() for verb in only.split(",")] if only else (),
            dry_run=dry_run,
            refit=refit,
            again=again,
            progress=progress,
        )
    if as_json:
        emit_json(summary.to_dict())
    else:
        from tilth.reporting.screen import run_screen

        emit(run_screen(summary))


@app.command()
def ask(
    directory: Dir = HERE,
    top: Annotated[int, typer.Option(min=1, help="How many rows to ask about.")] = 30,
    split: Annotated[str | None, typer.Option(help="A random sample of this split: dev or test.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write here instead of stdout.")] = None,
) -> None:
    """Write the rows whose answers are worth most, as CSV with an empty column `answer`."""
    from tilth.cli._output import write_csv
    from tilth.loop.project import open_project

    with progress_on_stderr() as progress:
        table = open_project(directory).ask(top=top, split=split, progress=progress)
    write_csv(table, output)


@app.command()
def answer(file: Path, directory: Dir = HERE, as_json: Json = False) -> None:
    """Take answers in: a CSV with columns row_id and answer."""
    from dataclasses import asdict

    from tilth.loop.project import open_project

    taken = open_project(directory).answer(file)
    if as_json:
        emit_json(asdict(taken))
        return
    where = ", ".join(f"{n:,} {name}" for name, n in taken.by_split.items())
    emit(
        f"{taken.answers:,} answers ({where}): {taken.confirmed:,} confirm the label, {taken.changed:,} change it; now {taken.version}"
    )


@app.command()
def adopt(edit: str, directory: Dir = HERE) -> None:
    """Keep an edit on your word, whatever its verdict."""
    from tilth.loop.project import open_project

    emit(f"adopted {edit}; now {open_project(directory).adopt(edit).version}")


@app.command()
def veto(edit: str, directory: Dir = HERE) -> None:
    """Refuse an edit on your word: taken back if it was kept, never proposed again."""
    from tilth.loop.project import open_project

    emit(f"vetoed {edit}; now {open_project(directory).veto(edit).version}")


@app.command()
def find(
    table: Annotated[str | None, typer.Argument(help="A file to look into without a project.")] = None,
    label: Label = None,
    embedding: Embedding = None,
    pred_probs: Annotated[
        list[str] | None, typer.Option("--pred-probs", help="Columns of your own out-of-sample probabilities.")
    ] = None,
    directory: Dir = HERE,
    as_json: Json = False,
) -> None:
    """Find what is wrong: in the project, or one-off in a file."""
    from tilth._api import find as find_once
    from tilth.cli._findings import finding_facts
    from tilth.loop.project import open_project
    from tilth.reporting.screen import find_screen

    with progress_on_stderr() as progress:
        if table is None:
            findings = open_project(directory).find(progress=progress).findings
        elif label is None:
            raise UsageError("a one-off find needs the label column", next_step="--label COLUMN")
        else:
            findings = find_once(
                table, label=label, embedding=embedding or (), pred_probs=pred_probs or (), progress=progress
            )
    if as_json:
        emit_json({"findings": [finding_facts(finding) for finding in findings]})
    else:
        emit(find_screen(findings))


@app.command()
def report(
    directory: Dir = HERE,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where to write; default tilth-report.html.")
    ] = None,
) -> None:
    """Write the self-contained HTML report of the last run."""
    from tilth.loop.project import open_project
    from tilth.loop.reports import html_report

    with progress_on_stderr() as progress:
        page = html_report(open_project(directory), progress)
    path = output or directory / "tilth-report.html"
    path.write_text(page, encoding="utf-8")
    emit(f"wrote {path} ({len(page) / 1e6:.2f} MB)")


@app.command()
def predict(
    table: str,
    output: Annotated[Path, typer.Option("-o", "--output", help="A .csv or .parquet file.")],
    directory: Dir = HERE,
    version: Annotated[str, typer.Option(help="Which version's model.")] = "latest",
) -> None:
    """Predict new rows with the very code that trained."""
    from tilth.cli._output import write_table
    from tilth.loop.project import open_project

    with progress_on_stderr() as progress:
        predicted = open_project(directory).predict(table, version=version, progress=progress)
    for warning in predicted.warnings:
        console_error(f"warning: {warning}")
    write_table(predicted.table, output)
    emit(f"wrote {output}: {predicted.table.num_rows:,} predictions of {predicted.version}")


@app.command()
def export(version: str, path: Path, directory: Dir = HERE) -> None:
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
