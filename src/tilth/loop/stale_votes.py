"""Labels that votes brought in, from labelers that have changed since: the rows keep what these said then.

When a run tries an edit of labels from votes, it writes down which labelers there were, each by the digest of what it is. An edit that is
kept replays as it was, whatever happens to its labelers; that is said, with the way to have today's votes in its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tilth.core.edit import Edit
from tilth.core.errors import first_three
from tilth.loop.labelers import NamedLabeler
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["remember_labelers", "stale_votes"]

EDITOR = "label_from_votes"
RECORD = "labelers"


def remember_labelers(repository: Repository, edit: Edit, labelers: Sequence[NamedLabeler]) -> None:
    """Write down which labelers an edit of labels from votes came from; other edits leave no trace."""
    if edit.operator.name != EDITOR:
        return
    body = {"edit": edit.edit_id, "labelers": {one.name: one.definition for one in labelers}}
    known = [found for found in repository.records(RECORD) if found["edit"] == edit.edit_id]
    if not known or known[-1] != body:
        repository.record(RECORD, body)


def stale_votes(repository: Repository, version: Version, labelers: Sequence[NamedLabeler]) -> list[str]:
    """Return a warning for each edit of a version whose labels came from labelers that are others now, or gone."""
    then = {body["edit"]: body["labelers"] for body in repository.records(RECORD)}
    if not then:
        return []
    now = {one.name: one.definition for one in labelers}
    came_from = {body["edit"]: body["of"] for kind in ("fitted", "carried") for body in repository.records(kind)}
    found = []
    for edit_id in version.recipe:
        origin = next((name for name in _earlier(edit_id, came_from) if name in then), None)
        changed = [] if origin is None else _changed(then[origin], now)
        if changed:
            found.append(
                f"edit {edit_id} labels rows by the votes of labelers that are not what they were: {first_three(changed)}; its "
                f"labels stay as they are: tilth revert {edit_id} takes them back, and the next run tries today's votes"
            )
    return found


def _changed(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return the labelers that are gone or defined otherwise; of what cannot be compared nothing is said."""
    gone = [f"{name!r} (gone)" for name in then if name not in now]
    return [*(repr(name) for name, one in then.items() if one and now.get(name) and now[name] != one), *gone]


def _earlier(edit_id: str, came_from: Mapping[str, str]) -> list[str]:
    """Return an edit's id and the ids of those that it was fitted or carried from, nearest first."""
    names = [edit_id]
    while (earlier := came_from.get(names[-1])) is not None and earlier not in names:
        names.append(earlier)
    return names
