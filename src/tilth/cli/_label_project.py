"""`tilth label` in a project: its own labelers, on the newest version."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tilth.cli._label_file import show_people
from tilth.cli._label_writing import say_more, write_labels
from tilth.cli._output import emit, emit_json, progress_on_stderr
from tilth.core.errors import ProjectNotFoundError

if TYPE_CHECKING:
    from pathlib import Path

    from tilth.cli._label_options import LabelOptions
    from tilth.loop.project import Project

__all__ = ["label_here", "people_here"]


def label_here(options: LabelOptions) -> None:
    """Run a project's labelers, and write what they come to."""
    from tilth.reporting.project_labels import places_screen, project_labels_screen, wrong_screen

    project = _opened(options.directory)
    path = None if options.output is None else project.writable(options.output)
    with progress_on_stderr() as progress:
        found = project.label(model=options.model, progress=progress)
    explanation = None if options.explain is None else found.explain(options.explain)
    rows = None if options.wrong is None else found.wrong(options.wrong)
    places = found.next_places() if options.look_next else None
    if path is not None:
        write_labels(found.labelled.summary.to_table(), path)
    if options.as_json:
        more: dict[str, Any] = {} if explanation is None else {"explanation": asdict(explanation)}
        more |= {} if rows is None else {"wrong": {"labeler": options.wrong, "rows": [asdict(one) for one in rows]}}
        more |= {} if places is None else {"next": [place.to_dict() for place in places]}
        emit_json(found.summary.to_dict() | more)
        return
    emit(project_labels_screen(found.summary, is_written=path is not None))
    if rows is not None:
        emit(wrong_screen(str(options.wrong), rows))
    if places is not None:
        emit(places_screen(places))
    say_more(explanation, path, len(found.labelled.summary))


def people_here(options: LabelOptions) -> None:
    """Write the report card of the people who answered rows of a project."""
    show_people(_opened(options.directory).people(), as_json=options.as_json)


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
