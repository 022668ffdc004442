"""The command that turns votes into labels: label, of a file without a project, or of a project's own labelers."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tilth.cli._options import HERE, Dir, Json
from tilth.cli._output import emit, emit_json, progress_on_stderr
from tilth.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from tilth.core.label_summary import Explanation

__all__ = ["register", "say_more", "write_labels"]

_SUFFIXES = (".csv", ".parquet", ".json", ".jsonl")
Columns = Annotated[
    str | None, typer.Option("--columns", help="Row, labeler and answer of a long table, comma-separated.")
]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(label)


def label(
    votes: Annotated[
        str | None,
        typer.Argument(help="A matrix (.npy, .csv, .parquet), WRENCH JSON, or row, worker, answer; none in a project."),
    ] = None,
    truth: Annotated[
        str | None, typer.Option("--truth", help="A column, FILE or FILE:COLUMN to measure by; no model sees it.")
    ] = None,
    trusted: Annotated[
        str | None, typer.Option("--trusted", help="FILE or FILE:COLUMN of labels that the model may learn from.")
    ] = None,
    model: Annotated[str, typer.Option("--model", help="A label model; auto lets the votes choose.")] = "auto",
    abstain: Annotated[
        str, typer.Option("--abstain", help="The word for no vote, beside empty cells; none if there is none.")
    ] = "-1",
    classes: Annotated[
        str | None, typer.Option("--classes", help="Class names in their order, comma-separated; numbers count from 0.")
    ] = None,
    columns: Columns = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", help="A column that is no labeler; may be given again.")
    ] = None,
    explain: Annotated[str | None, typer.Option("--explain", help="Say what each vote on this row did.")] = None,
    wrong: Annotated[
        str | None, typer.Option("--wrong", help="In a project: the rows whose label is not what this labeler says.")
    ] = None,
    look_next: Annotated[
        bool, typer.Option("--next", help="In a project: where the next labeler should look.")
    ] = False,
    people: Annotated[bool, typer.Option("--people", help="The report card of those who answered.")] = False,
    manifest: Annotated[
        Path | None, typer.Option("--manifest", help="Write what was read and dropped as JSON.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write row, label, probabilities: .csv, .parquet or .json.")
    ] = None,
    directory: Dir = HERE,
    as_json: Json = False,
) -> None:
    """Turn the votes of many labelers into labels with probabilities: a project's own, or with VOTES a file's."""
    if output is not None:
        _refuse_output(output, votes, truth, trusted)
    if votes is None:
        file_only = {"--truth": truth, "--trusted": trusted, "--classes": classes, "--columns": columns}
        file_only |= {"--manifest": None if manifest is None else str(manifest)}
        _refuse_file_options(file_only | {"--ignore": ignore, "--abstain": None if abstain == "-1" else abstain})
        from tilth.cli._label_project import label_here, people_here

        if people:
            _refuse_with_people({"--explain": explain, "--wrong": wrong, "--next": look_next, "-o": output})
            people_here(directory, as_json=as_json)
            return
        label_here(
            directory, model=model, explain=explain, wrong=wrong, look_next=look_next, output=output, as_json=as_json
        )
        return
    if wrong is not None or look_next:
        raise UsageError("--wrong and --next need the rows of a project", next_step="leave VOTES out, or the options")
    from tilth.cli._imports import manifest_path, write_manifest
    from tilth.loop.label_votes import label_read
    from tilth.loop.vote_manifest import vote_manifest
    from tilth.reporting.labels import labels_screen
    from tilth.sources._votes import VoteReading, read_votes

    reading = VoteReading(
        abstain=abstain, classes=_listed(classes), columns=_listed(columns), ignore=tuple(ignore or ())
    )
    if people:
        from tilth.cli._label_project import people_of_file

        refused = {"--explain": explain, "-o": output, "--manifest": manifest}
        _refuse_with_people(refused | {"--model": None if model == "auto" else model})
        people_of_file(votes, truth=truth, trusted=trusted, reading=reading, as_json=as_json)
        return
    record = None if manifest is None else manifest_path(manifest, votes)
    with progress_on_stderr() as progress:
        progress("reading votes")
        read = read_votes(votes, truth=truth, trusted=trusted, reading=reading)
        labelled = label_read(read, model, progress)
    explanation = None if explain is None else labelled.explain(explain)
    if output is not None:
        write_labels(labelled.summary.to_table(), output)
    if record is not None:
        write_manifest(vote_manifest(read, votes), record)
    if as_json:
        told = {} if explanation is None else {"explanation": asdict(explanation)}
        emit_json(labelled.summary.to_dict() | told)
        return
    emit(labels_screen(labelled.summary, is_written=output is not None))
    say_more(explanation, output, len(labelled.summary))


def say_more(explanation: Explanation | None, output: Path | None, rows: int) -> None:
    """Write what follows the screen: what the votes on a row did, and what was written."""
    from tilth.reporting.labels import explanation_screen

    if explanation is not None:
        emit(explanation_screen(explanation))
    if output is not None:
        emit(f"wrote {output}: {rows:,} rows with label and one probability per class")


def _refuse_file_options(given: Mapping[str, object]) -> None:
    """Refuse options that say how a votes file is read where there is none."""
    named = [name for name, value in given.items() if value]
    if named:
        raise UsageError(
            f"{named[0]} is for a votes file, and none is named",
            next_step=f"tilth label VOTES {named[0]} …, or leave it out to run the project's labelers",
        )


def _refuse_with_people(given: Mapping[str, object]) -> None:
    named = [name for name, value in given.items() if value]
    if named:
        raise UsageError(f"--people and {named[0]} do not go together", next_step="leave one of them out")


def _listed(names: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(",")) if names else ()


def _refuse_output(output: Path, *inputs: str | None) -> None:
    """Refuse a format that is not written, and a file that is read."""
    if output.suffix not in _SUFFIXES:
        raise UsageError(
            f"{output.suffix or 'no suffix'!r} is not a format of labels",
            next_step=f"name a {' or '.join(_SUFFIXES)} file",
        )
    read = [Path(one.rpartition(":")[0] if not Path(one).exists() else one) for one in inputs if one]
    if any(one.exists() and output.exists() and one.samefile(output) for one in read):
        raise UsageError(
            f"{str(output)!r} is read, and is never overwritten", next_step="name another file to write to"
        )


def write_labels(table: pa.Table, path: Path) -> None:
    """Write labels as .csv, .parquet, .json or .jsonl, by the suffix."""
    import json

    from tilth.cli._output import write_table
    from tilth.loop.locations import writing

    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix not in (".json", ".jsonl"):
        write_table(table, path)
        return
    lines = [json.dumps(row, ensure_ascii=False) for row in table.to_pylist()]
    text = "\n".join(lines) if path.suffix == ".jsonl" else "[\n" + ",\n".join(lines) + "\n]"
    with writing(path):
        path.write_text(text + "\n", encoding="utf-8")
