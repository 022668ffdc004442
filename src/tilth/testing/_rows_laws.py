"""Laws of the verbs that read a view: what detectors, editors, selectors and learners must hold, each in its own way."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.apply import apply, inverse
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.finding import Finding
from tilth.core.ids import content_sums
from tilth.core.names import ROW_ID, TARGET, TRUSTED, Split
from tilth.core.rng import generator
from tilth.core.target import Target, TargetKind
from tilth.operators.registry import spec_of
from tilth.operators.view import View
from tilth.testing._answers import edit_answer, suits
from tilth.testing._behaviour import OPTIMUM, busy_worlds
from tilth.testing._subject import Check, Subject
from tilth.testing.plants import clean_worlds, planted_worlds
from tilth.testing.views import rows_of, target_of, world_view
from tilth.testing.worlds import World

__all__ = ["DETECTION", "EDITING", "LEARNING", "SELECTION", "speaks_in"]

QUIET = 0.05
"""Most rows of a world without faults that may be flagged, unless with low severity."""
LOW = 0.25
"""Mean severity of flagged rows that counts as low."""
RECALL, LIFT = 0.3, 3.0
"""Least share of the planted rows to be flagged, and how much likelier a flagged row is to be planted than any row."""
BUDGETS = (0, 1, 7, 10**6)


# -- detectors -----------------------------------------------------------------------------------------------------------


def findings_are_whole(subject: Subject) -> None:
    """Kinds are nouns in snake_case, the operator is named, rows and columns are the view's, flags are of train or pool rows."""
    for name, world in {**busy_worlds(subject.room), **planted_worlds()}.items():
        operator = subject.make()
        view = world_view(operator, world)
        for finding in _found(operator, view):
            if fault := _fault_of(finding, view, operator, world):
                raise subject.breach(f"its finding {finding.kind!r} on {name} {fault}")


def is_quiet_where_nothing_is_wrong(subject: Subject) -> None:
    """On worlds without faults at most 5 % of the rows are flagged, or all with low severity."""
    for seed in (0, 1):
        for name, world in clean_worlds(seed).items():
            operator = subject.make()
            view = world_view(operator, world)
            for finding in _found(operator, view):
                if finding.n_flagged > QUIET * len(view) and finding.overall > LOW:
                    raise subject.breach(
                        f"it flags {finding.n_flagged:,} of {len(view):,} rows of a world without faults ({name})",
                        "let its threshold follow from a rate of false alarms",
                    )


def speaks_where_something_is_wrong(subject: Subject) -> None:
    """What it calls by a planted kind is what was planted; an operator named like a planted kind finds it."""
    kinds = {kind for world in planted_worlds().values() for kind in (*world.faults, *world.columns)}
    spoken = speaks_in(subject)
    if subject.name in kinds and not spoken:
        raise subject.breach(f"it says nothing of a planted {subject.name}", "see testing.plants for what was planted")


def speaks_in(subject: Subject) -> tuple[str, ...]:
    """Return the planted worlds of whose fault a detector speaks; raises ContractError where it points at the wrong rows."""
    spoken = []
    for name, world in planted_worlds().items():
        operator = subject.make()
        view = world_view(operator, world)
        for finding in _found(operator, view):
            if finding.kind in world.columns:
                if missed := sorted(set(world.columns[finding.kind]) - set(finding.columns)):
                    raise subject.breach(f"{finding.kind} was planted in {missed}, which it does not name ({name})")
                spoken.append(name)
            elif finding.kind in world.faults and finding.n_flagged:
                _compare(subject, finding, world, name)
                spoken.append(name)
    return tuple(spoken)


def _compare(subject: Subject, finding: Finding, world: World, name: str) -> None:
    planted = world.ids.filter(pa.array(world.faults[finding.kind] & world.mask(Split.TRAIN)))
    hits = int(pc.sum(pc.is_in(finding.flagged_ids, value_set=planted)).as_py() or 0)
    recall, precision = hits / len(planted), hits / finding.n_flagged
    chance = len(planted) / len(finding.ids)
    if recall < RECALL or precision < min(LIFT * chance, 0.5 + chance / 2):
        raise subject.breach(
            f"of {len(planted):,} planted rows ({name}) it flags {hits:,}, among {finding.n_flagged:,} flagged in all"
        )


def _found(operator: Any, view: View) -> Sequence[Finding]:
    try:
        return list(operator.find(view))
    except NotApplicable:
        return []


def _fault_of(finding: Finding, view: View, operator: Any, world: World) -> str:
    """What is wrong with a finding, in words."""
    n = len(finding.ids)
    judged = world.ids.filter(pa.array(world.mask(Split.DEV, Split.TEST)))
    facts = {
        "is not named in snake_case": not re.fullmatch(r"[a-z]+(_[a-z]+)*", finding.kind),
        "does not name its operator": finding.operator != spec_of(operator),
        "has no summary": not finding.summary.strip(),
        "speaks of neither rows nor columns": not n and not finding.columns,
        "is about other rows than the view's": bool(n) and not finding.ids.equals(view.ids),
        "names columns that are not there": not set(finding.columns) <= set(view.schema.names),
        "has a level outside [0, 1]": not 0 <= finding.level <= 1,
        "has evidence of another length": any(len(values) != n for values in finding.evidence.values()),
        "flags dev or test rows": bool(pc.any(pc.is_in(finding.flagged_ids, value_set=judged)).as_py()),
    }
    return next((what for what, wrong in facts.items() if wrong), "")


# -- editors -------------------------------------------------------------------------------------------------------------


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
    """A label that a person confirmed is neither changed nor softened, nor is its row dropped for it."""
    for editor, world in _editors(subject):
        trusted = world.with_cells(TRUSTED, pa.array(np.arange(len(world)) % 4 > 0))
        edit = _proposal(editor, world_view(editor, trusted))
        if edit is None:
            continue
        doubted = [
            edit.drop,
            *(edit.set[c].column(ROW_ID).combine_chunks() for c in ("label", TARGET) if c in edit.set),
        ]
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
        if not difference_free(edit, _proposal(editor, view, rows)):
            raise subject.breach("asked twice for the same rows, it proposes different edits")


def strengths_are_its_own(subject: Subject) -> None:
    """There is at least one variant; all are of the same class, and all differ."""
    variants = subject.make().strengths()
    if not variants or any(type(variant) is not subject.kind for variant in variants):
        raise subject.breach("strengths() gives no variants, or variants of another class")
    if len(set(variants)) < len(variants):
        raise subject.breach("strengths() gives the same variant twice")


def difference_free(edit: Edit, other: Edit | None) -> bool:
    """Whether two edits are the same change."""
    return other is not None and edit.edit_id == other.edit_id and edit_answer(edit).keys() == edit_answer(other).keys()


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


# -- selectors -----------------------------------------------------------------------------------------------------------


def budgets_are_kept(subject: Subject) -> None:
    """At most `budget` rows of the view, none twice, best first; a smaller budget gives the first of a larger one."""
    for world in busy_worlds(subject.room).values():
        operator = subject.make()
        view = world_view(operator, world)
        known = set(view.ids.to_pylist())
        longest: list[str] | None = None
        for budget in reversed(BUDGETS):
            try:
                chosen = operator.select(view, budget)
            except NotApplicable:
                break
            ids = chosen.ids.to_pylist()
            longest = ids if longest is None else longest
            scores = np.zeros(len(ids)) if chosen.scores is None else np.asarray(chosen.scores)
            facts = {
                f"chooses {len(ids):,} rows for a budget of {budget:,}": len(ids) > budget,
                "chooses a row twice": len(set(ids)) < len(ids),
                "chooses rows that the view does not hold": not set(ids) <= known,
                "gives as many scores as rows it does not choose": len(scores) != len(ids),
                "does not put the best first": bool((np.diff(scores) > 0).any()),
                "chooses other rows first when the budget is smaller": ids != longest[: len(ids)],
            }
            if wrong := [what for what, is_so in facts.items() if is_so]:
                raise subject.breach(f"it {wrong[0]}")


# -- learners ------------------------------------------------------------------------------------------------------------


def predictions_are_sound(subject: Subject) -> None:
    """Class probabilities are (n, k), lie in [0, 1] and sum to 1; numbers are (n, 1) and finite; the model pickles."""
    for learner, view, target, _ in _fits(subject):
        model = learner.fit(view, target, prepared=learner.prepare(view))
        predicted = np.asarray(learner.predict_proba(view, pickle.loads(pickle.dumps(model))))  # noqa: S301 - our own bytes
        width = max(view.n_classes, 1)
        if predicted.shape != (len(view), width) or not np.isfinite(predicted).all():
            raise subject.breach(f"it predicts {predicted.shape}, not finite numbers of shape ({len(view)}, {width})")
        if view.n_classes and (predicted.min() < 0 or abs(predicted.sum(axis=1) - 1).max() > 1e-9):
            raise subject.breach("rows of its probabilities do not sum to 1 within 1e-9")
        if not np.array_equal(predicted, learner.predict_proba(view, model)):
            raise subject.breach("its model predicts otherwise after pickling")


def warm_is_cold(subject: Subject) -> None:
    """A start, and shared preparation, speed up and change nothing."""
    for learner, view, target, world in _fits(subject):
        ready = learner.prepare(view)
        cold = learner.predict_proba(view, learner.fit(view, target))
        elsewhere = learner.fit(view, target_of(world.take(np.roll(np.arange(len(world)), 7))), prepared=ready)
        warm = learner.predict_proba(view, learner.fit(view, target, prepared=ready, start=elsewhere))
        if (gap := float(np.abs(cold - warm).max())) > OPTIMUM:
            raise subject.breach(f"started elsewhere, its predictions differ by {gap:.1g}", "fit to one tolerance")


def unlabelled_rows_are_ignored(subject: Subject) -> None:
    """What stands outside the mask, or weighs nothing, is not learnt from."""
    for learner, view, target, _ in _fits(subject):
        inside = np.arange(len(view)) % 4 > 0
        twisted = _twisted(target, ~inside)
        mute = Target(
            kind=twisted.kind,
            mask=target.mask,
            weights=np.where(inside, twisted.weights, 0.0),
            distribution=twisted.distribution,
            numbers=twisted.numbers,
        )
        known = learner.predict_proba(view, learner.fit(view, _masked(target, inside)))
        for other in (_masked(twisted, inside), mute):
            if float(np.abs(known - learner.predict_proba(view, learner.fit(view, other))).max()) > OPTIMUM:
                raise subject.breach("it learns from rows outside the mask or of weight 0", "filter them first")


def its_grid_is_its_own(subject: Subject) -> None:
    """There is at least one setting; all are of the same class, and all differ."""
    grid = subject.make().grid()
    if not grid or any(type(one) is not subject.kind for one in grid) or len(set(grid)) < len(grid):
        raise subject.breach("grid() gives nothing, another class, or a setting twice")


def soft_is_hard_at_the_corners(subject: Subject) -> None:
    """A distribution that is all one class teaches what the class itself teaches."""
    for learner, view, target, _ in _fits(subject):
        if TargetKind.DISTRIBUTION not in learner.accepts or target.distribution is None:
            continue
        soft = Target.soft(target.distribution, target.mask, target.weights)
        known, again = (learner.predict_proba(view, learner.fit(view, one)) for one in (target, soft))
        if float(np.abs(known - again).max()) > OPTIMUM:
            raise subject.breach("it learns otherwise from a soft target that is a class")


def _fits(subject: Subject) -> Iterator[tuple[Any, View, Target, World]]:
    for world in busy_worlds(subject.room).values():
        learner = subject.make()
        part = world.take(rows_of(world, "train"))
        if suits(learner, part):
            yield learner, world_view(learner, part), target_of(part), part


def _masked(target: Target, inside: np.ndarray) -> Target:
    return Target(
        kind=target.kind,
        mask=target.mask & inside,
        weights=target.weights,
        distribution=target.distribution,
        numbers=target.numbers,
    )


def _twisted(target: Target, rows: np.ndarray) -> Target:
    """The target with other values in some rows."""
    distribution, numbers = target.distribution, target.numbers
    if distribution is not None:
        distribution = np.where(rows[:, None], np.roll(distribution, 1, axis=1), distribution)
    if numbers is not None:
        numbers = np.where(rows, numbers + 100.0, numbers)
    return Target(
        kind=target.kind, mask=target.mask, weights=target.weights, distribution=distribution, numbers=numbers
    )


DETECTION: tuple[Check, ...] = (findings_are_whole, is_quiet_where_nothing_is_wrong, speaks_where_something_is_wrong)
EDITING: tuple[Check, ...] = (
    edits_revert,
    edits_touch_train_and_pool,
    edits_trust_people,
    edits_say_who_and_why,
    placebos_keep_to_their_rows,
    strengths_are_its_own,
)
SELECTION: tuple[Check, ...] = (budgets_are_kept,)
LEARNING: tuple[Check, ...] = (
    predictions_are_sound,
    warm_is_cold,
    unlabelled_rows_are_ignored,
    soft_is_hard_at_the_corners,
    its_grid_is_its_own,
)
