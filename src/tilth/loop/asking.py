"""Questions that need no model: rows on which people disagree, with what each of them says."""

from __future__ import annotations

import pyarrow as pa

from tilth.loop.annotation_log import annotation_log
from tilth.loop.consensus import what_they_say
from tilth.loop.moving import taxonomy_of
from tilth.loop.question import Question
from tilth.loop.taking import disputed_rows
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["disputed_questions"]


def disputed_questions(repository: Repository, version: Version, top: int) -> list[Question]:
    """Return questions on rows on which people disagree, the least sure first, with what each of them says.

    The suggestion is the consensus, however unsure. Where the label may not be shown, the reason does not tell it either.
    """
    torn = disputed_rows(repository, version)
    if not torn:
        return []
    rows = list(torn)[:top]
    log, dataset = (
        annotation_log(repository, version.schema.task.label, taxonomy_of(version)),
        repository.dataset(version),
    )
    at = dataset.positions(pa.array(rows, pa.string()))
    label = version.schema.task.label
    given = dataset.read(label).column(0).take(pa.array(at)).to_pylist()
    is_shown = version.schema.may_show(label)
    return [
        Question(
            row_id=row,
            split=str(dataset.splits[place]),
            given=None if value is None else str(value),
            suggestion=torn[row][0] if is_shown else None,
            reason=f"disputed: {what_they_say(log, row)}" if is_shown else "disputed: people say different things",
        )
        for row, place, value in zip(rows, at, given, strict=True)
    ]
