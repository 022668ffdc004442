"""`tilth label VOTES`: a file of votes, without a project."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from tilth.cli._label_writing import say_more, write_labels
from tilth.cli._output import emit, emit_json, progress_on_stderr

if TYPE_CHECKING:
    from tilth.cli._label_options import LabelOptions
    from tilth.core.people_report import PeopleReport
    from tilth.core.progress import Progress
    from tilth.loop.label_votes import Labelled
    from tilth.sources._votes import ReadVotes

__all__ = ["label_file", "people_of_file", "show_people"]


def label_file(options: LabelOptions) -> None:
    """Label the rows of a votes file, and write what the votes come to."""
    from tilth.cli._imports import manifest_path, write_manifest
    from tilth.loop.vote_manifest import vote_manifest
    from tilth.reporting.labels import labels_screen

    votes = str(options.votes)
    record = None if options.manifest is None else manifest_path(options.manifest, votes)
    with progress_on_stderr() as progress:
        labelled, read = _labelled(options, votes, progress)
    explanation = None if options.explain is None else labelled.explain(options.explain)
    if options.output is not None:
        write_labels(labelled.summary.to_table(), options.output)
    if record is not None:
        write_manifest(vote_manifest(read, votes), record)
    if options.as_json:
        told = {} if explanation is None else {"explanation": asdict(explanation)}
        emit_json(labelled.summary.to_dict() | told)
        return
    emit(labels_screen(labelled.summary, is_written=options.output is not None))
    say_more(explanation, options.output, len(labelled.summary))
    if options.keep is not None or options.update is not None:
        emit(f"kept what was learnt in {options.keep or options.update}: --update takes the next batch in")


def _labelled(options: LabelOptions, votes: str, progress: Progress) -> tuple[Labelled, ReadVotes]:
    """Read and label: a file for itself, or as one of several batches."""
    if options.keep is not None or options.update is not None:
        from tilth.loop.label_batches import Batches, label_batch

        return label_batch(
            votes,
            Batches(update=options.update, keep=options.keep),
            truth=options.truth,
            trusted=options.trusted,
            model=options.model,
            reading=options.reading,
            progress=progress,
        )
    from tilth.loop.label_votes import label_read
    from tilth.sources._votes import read_votes

    progress("reading votes")
    read = read_votes(votes, truth=options.truth, trusted=options.trusted, reading=options.reading)
    return label_read(read, options.model, progress), read


def people_of_file(options: LabelOptions) -> None:
    """Write the report card of the people who answered in a file."""
    from tilth.loop.people_cards import card_of_file
    from tilth.sources._votes import read_votes

    read = read_votes(str(options.votes), truth=options.truth, trusted=options.trusted, reading=options.reading)
    show_people(card_of_file(read), as_json=options.as_json)


def show_people(report: PeopleReport, *, as_json: bool) -> None:
    """Write a report card on the screen, or as one JSON object."""
    from tilth.reporting.people import people_screen

    if as_json:
        emit_json(report.to_dict())
    else:
        emit(people_screen(report))
