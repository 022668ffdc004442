"""Laws of editors: edits revert, leave dev and test alone, trust people, and keep placebos to their rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.apply import apply, inverse
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.ids import content_sums
from tilth.core.names import ROW_ID, TARGET, TRUSTED, Split
from tilth.core.rng import generator
from tilth.operators.registry import spec_of
from tilth.operators.view import View
from tilth.testing._behaviour import busy_worlds
from tilth.testing._subject import Check, Subject
from tilth.testing.views import world_view
from tilth.testing.worlds import World

__all__ = ["EDITING"]

READS_LABELS = frozenset({"labels", "numbers", "pred_probs", "predictions"})


def edits_revert(subject: Subject) -> None:
    """Apply an edit and its inverse: the content is the original's."""
    for _, world, edit in _edits(subject):
        after = apply(world.table, edit)
        if edit.n_rows and content_sums(after, ROW_ID) == content_sums(world.table, ROW_ID):
            raise subject.breach("its edit names rows and changes nothing", "raise NotApplicable")
        back = apply(after, inverse(world.table, edit))
        if content_sums(back, ROW_ID) != content_sums(world.table, ROW_ID):
            raise subject.breach("its edit cannot be taken back")


def edits_touch_train_and_pool(subject: Subject) -> None:
    """Rows of dev and test stay as they are."""
    for _, world, edit in _edits(subject):
        judged = world.ids.filter(pa.array(~world.mask(Split.TRAIN, Split.POOL)))
        if n := int(pc.sum(pc.is_in(edit.touched, value_set=judged)).as_py() or 0):
            raise subject.breach(f"its edit touches {n:,} rows that are neither train nor pool")


def edits_trust_people(subject: Subject) -> None:
    """A label that a person confirmed is neither changed nor softened, nor does what reads labels drop its row."""
    for editor, world in _editors(subject):
        trusted = world.with_cells(TRUSTED, pa.array(np.arange(len(world)) % 4 > 0))
        edit = _proposal(editor, world_view(editor, trusted))
        if edit is None:
            continue
        doubted = [edit.set[c].column(ROW_ID).combine_chunks() for c in ("label", TARGET) if c in edit.set]
        if editor.needs & READS_LABELS:
            doubted.append(edit.drop)
        known = trusted.ids.filter(trusted.table.column(TRUSTED).combine_chunks())
        for ids in doubted:
            if n := int(pc.sum(pc.is_in(ids, value_set=known)).as_py() or 0):
                raise subject.breach(f"its edit doubts {n:,} labels that a person confirmed", "read view.trusted")


def edits_say_who_and_why(subject: Subject) -> None:
    """An edit carries the operator, its name as author, and a reason; what it touches is what `choose` names."""
    for editor, world, edit in _edits(subject):
        if edit.operator != spec_of(editor) or edit.author != edit.operator.name or not edit.reason or edit.evaluation:
            raise subject.breach("its edit does not say who proposed it and why", "use view.spec and a reason")
        chosen = editor.choose(world_view(editor, world))
        if set(chosen.ids.to_pylist()) != set(edit.touched.to_pylist()) and edit.add is None:
            raise subject.breach("propose touches other rows than choose names")
        if Edit.from_parts(edit.describe(), edit.to_tables()).edit_id != edit.edit_id:
            raise subject.breach("its edit does not survive being written and read")


def placebos_keep_to_their_rows(subject: Subject) -> None:
    """`propose(view, rows)` applies the rule to these rows, and to no others."""
    for editor, world in _editors(subject):
        view = world_view(editor, world)
        open_rows = np.flatnonzero(view.labelled) if {"labels", "numbers"} & editor.needs else np.arange(len(view))
        rows = np.sort(generator(2, "placebo").choice(open_rows, size=min(20, len(open_rows)), replace=False))
        edit = _proposal(editor, view, rows)
        if edit is None or edit.add is not None:
            continue
        drawn = set(view.take_ids(rows).to_pylist())
        if beside := set(edit.touched.to_pylist()) - drawn:
            raise subject.breach(f"asked for {len(rows)} rows, its edit touches {len(beside):,} others")
        again = _proposal(editor, view, rows)
        if again is None or again.edit_id != edit.edit_id:
            raise subject.breach("asked twice for the same rows, it proposes different edits")


def strengths_are_its_own(subject: Subject) -> None:
    """There is at least one variant; all are of the same class, and all differ."""
    variants = subject.make().strengths()
    if not variants or any(type(variant) is not subject.kind for variant in variants):
        raise subject.breach("strengths() gives no variants, or variants of another class")
    if len(set(variants)) < len(variants):
        raise subject.breach("strengths() gives the same variant twice")


def _editors(subject: Subject) -> Iterator[tuple[Any, World]]:
    for world in busy_worlds(subject.room).values():
        for editor in subject.make().strengths():
            yield editor, world


def _edits(subject: Subject) -> Iterator[tuple[Any, World, Edit]]:
    for editor, world in _editors(subject):
        edit = _proposal(editor, world_view(editor, world))
        if edit is not None:
            yield editor, world, edit


def _proposal(editor: Any, view: View, rows: np.ndarray | None = None) -> Edit | None:
    try:
        edit: Edit = editor.propose(view) if rows is None else editor.propose(view, rows)
    except NotApplicable:
        return None
    return edit


EDITING: tuple[Check, ...] = (
    edits_revert,
    edits_touch_train_and_pool,
    edits_trust_people,
    edits_say_who_and_why,
    placebos_keep_to_their_rows,
    strengths_are_its_own,
)
