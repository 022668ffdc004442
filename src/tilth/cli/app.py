"""Commands as typer reads them; each calls one method of the project and renders what it returns. Others have files by theme."""

from __future__ import annotations

import sys
import tempfile
import traceback
from pathlib import Path
from typing import Annotated

import typer

from tilth import __version__
from tilth.cli import augment, curve, history, label, people, results, slices, stress, taxonomy, test, transforms
from tilth.cli._options import HERE, Dir, Json
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

Label = Annotated[str | None, typer.Option("--label", help="The column to learn.")]
Embedding = Annotated[list[str] | None, typer.Option("--embedding", help="A column of vectors, used as it is.")]
PredProbs = Annotated[
    list[str] | None, typer.Option("--pred-probs", help="A column of your own out-of-sample probabilities.")
]
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


people.register(app)  # commands stand in the help in the order in which they are registered


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


label.register(app)
slices.register(app)
taxonomy.register(app)
curve.register(app)
test.register(app)
augment.register(app)
stress.register(app)
transforms.register(app)
results.register(app)


@app.command()
def demo(
    directory: Annotated[Path | None, typer.Option("--dir", help="Where to make the demo project.")] = None,
) -> None:
    """Run the whole loop on real data with planted faults, and compare with the truth."""
    from tilth.cli.demo import run_demo

    run_demo(directory)


history.register(app)
