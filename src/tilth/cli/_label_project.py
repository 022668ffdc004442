"""`tilth label` in a project: its own labelers, on the newest version."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tilth.cli._output import emit, emit_json, progress_on_stderr
from tilth.core.errors import ProjectNotFoundError

if TYPE_CHECKING:
    from tilth.core.people_report import PeopleReport
    from tilth.loop.project import Project
    from tilth.sources._votes import VoteReading

__all__ = ["label_here", "people_here", "people_of_file"]


def label_here(
    directory: Path,
    *,
    model: str,
    explain: str | None,
    wrong: str | None,
    look_next: bool,
    output: Path | None,
    as_json: bool,
) -> None:
    """Run a project's labelers, and write what they come to."""
    from tilth.cli.label import say_more, write_labels
    from tilth.reporting.project_labels import places_screen, project_labels_screen, wrong_screen

    project = _opened(directory)
    path = None if output is None else project.writable(output)
    with progress_on_stderr() as progress:
        found = project.label(model=model, progress=progress)
    explanation = None if explain is None else found.explain(explain)
    rows = None if wrong is None else found.wrong(wrong)
    places = found.next_places() if look_next else None
    if path is not None:
        write_labels(found.labelled.summary.to_table(), path)
    if as_json:
        more: dict[str, Any] = {} if explanation is None else {"explanation": asdict(explanation)}
        more |= {} if rows is None else {"wrong": {"labeler": wrong, "rows": [asdict(one) for one in rows]}}
        more |= {} if places is None else {"next": [place.to_dict() for place in places]}
        emit_json(found.summary.to_dict() | more)
        return
    emit(project_labels_screen(found.summary, is_written=path is not None))
    if rows is not None:
        emit(wrong_screen(str(wrong), rows))
    if places is not None:
        emit(places_screen(places))
    say_more(explanation, path, len(found.labelled.summary))


def people_here(directory: Path, *, as_json: bool) -> None:
    """Write the report card of the people who answered rows of a project."""
    _show(_opened(directory).people(), as_json=as_json)


def people_of_file(votes: str, *, truth: str | None, trusted: str | None, reading: VoteReading, as_json: bool) -> None:
    """Write the report card of the people who answered in a file."""
    from tilth.loop.people_cards import card_of_file
    from tilth.sources._votes import read_votes

    _show(card_of_file(read_votes(votes, truth=truth, trusted=trusted, reading=reading)), as_json=as_json)


def _show(report: PeopleReport, *, as_json: bool) -> None:
    from tilth.reporting.people import people_screen

    if as_json:
        emit_json(report.to_dict())
    else:
        emit(people_screen(report))


def _opened(directory: Path) -> Project:
    from tilth.loop.project import open_project

    try:
        return open_project(directory)
    except ProjectNotFoundError as error:
        raise ProjectNotFoundError(
            error.what,
            where=error.where,
            next_step="tilth label VOTES labels a file without a project; --dir names the folder of one",
        ) from None
