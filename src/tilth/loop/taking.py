"""Taking answers in: what people said becomes edits of trusted labels, each annotation on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from tilth.core.edit import Edit
from tilth.core.names import ROW_ID, TRUSTED, Split
from tilth.loop.answering import Answered, answers_as_edits
from tilth.loop.frames import trusted_of
from tilth.loop.project_file import ProjectFile
from tilth.loop.unlabelled import first_splits
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["take_answers"]


def take_answers(
    repository: Repository, version: Version, answers: Sequence[tuple[str, str]], file: ProjectFile, annotator: str
) -> Answered:
    """Commit answers as edits of trusted labels; those that stand already are not taken twice."""
    answers_as_edits(repository, version, answers)  # refuses the whole file where one answer cannot be meant
    fresh = _not_standing(repository, version, answers)
    edits, annotations = answers_as_edits(repository, version, fresh)
    edits = [first_splits(repository, version, edit, file.splits, file.seed) for edit in edits]
    if annotations:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        body = [a.to_dict() | {"annotator": annotator, "answered": now} for a in annotations]
        repository.record("annotations", {"answers": body, "version": version.version})
    before = repository.dataset(version)
    changed, by_split = 0, dict.fromkeys((str(s) for s in Split), 0)
    for edit in edits:
        changed += _n_changed(edit, version.schema.task.label)
        for name in before.splits[before.positions(edit.touched)]:
            by_split[str(name)] += 1
        version = repository.commit_edit(version, _said_again(version, edit))
    return Answered(
        answers=len(annotations),
        confirmed=len(annotations) - changed,
        changed=changed,
        skipped=len(dict(answers)) - len(annotations),
        by_split={name: n for name, n in by_split.items() if n},
        version=version.version,
    )


def _not_standing(
    repository: Repository, version: Version, answers: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Return the answers that say something new: not those whose row is trusted already with this very label."""
    label = version.schema.task.label
    dataset = repository.dataset(version)
    table = dataset.read(ROW_ID, TRUSTED, label)
    trusted = table.filter(pa.array(trusted_of(table)))
    stands = dict(zip(trusted.column(ROW_ID).to_pylist(), trusted.column(label).to_pylist(), strict=True))
    return [(row, said) for row, said in answers if row not in stands or not _is_same(stands[row], said)]


def _said_again(version: Version, edit: Edit) -> Edit:
    """Return an edit of answers under an id of its own, where the very same was said before and another thing since."""
    times = version.recipe.count(edit.edit_id)
    if not times:
        return edit
    again = replace(edit.operator, parameters={**edit.operator.parameters, "again": len(version.recipe)})
    return replace(edit, operator=again)


def _is_same(label: Any, said: str) -> bool:
    return float(said) == label if isinstance(label, float) else str(label) == said


def _n_changed(edit: Edit, label: str) -> int:
    old = edit.expects[label].column("value").to_pylist()
    new = edit.set[label].column("value").to_pylist()
    return sum(a != b for a, b in zip(old, new, strict=True))
