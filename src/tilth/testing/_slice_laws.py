"""Laws of slicers: what they find is whole, in order, surely worse where they say so, and found again by its rule."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.errors import NotApplicable
from tilth.core.found_slice import FoundSlice
from tilth.engine.predicate import Predicate
from tilth.operators.batch import Batch
from tilth.operators.registry import spec_of
from tilth.operators.view import View
from tilth.testing._behaviour import busy_worlds
from tilth.testing._subject import Check, Subject
from tilth.testing.views import evidence_of, rows_of, world_view
from tilth.testing.worlds import World

__all__ = ["SLICING"]


def slices_are_whole(subject: Subject) -> None:
    """Memberships are in [0, 1], one per row of the view; p- and q-values too; names differ; the operator is named."""
    for name, world in busy_worlds(subject.room).items():
        operator = subject.make()
        view = world_view(operator, world)
        found = _found(operator, view)
        if len({one.slice.name for one in found}) < len(found):
            raise subject.breach(f"on {name}, two of its slices have one name")
        scores = _scores(operator, world)
        for one in found:
            if fault := _fault_of(one, view, operator, scores):
                raise subject.breach(f"on {name}, its slice {one.slice.name!r} {fault}")


def worst_comes_first(subject: Subject) -> None:
    """No slice stands behind one whose score is surely better (by the upper end of its interval) and that is more doubtful."""
    for name, world in busy_worlds(subject.room).items():
        operator = subject.make()
        found = _found(operator, world_view(operator, world))
        for before, after in pairwise(found):
            if after.score.high < before.score.high and after.q_value < before.q_value:
                raise subject.breach(
                    f"on {name}, {after.slice.name!r} stands behind {before.slice.name!r}",
                    "sort by the upper end of the score's interval, or by the q-value",
                )


def rules_find_the_rows_again(subject: Subject) -> None:
    """A predicate holds for exactly the rows that are members; a region has members of all degrees, a predicate 0 or 1."""
    for name, world in busy_worlds(subject.room).items():
        operator = subject.make()
        view = world_view(operator, world)
        for one in _found(operator, view):
            if not one.slice.where:
                continue
            members = np.asarray(one.membership)
            if not np.isin(members, (0.0, 1.0)).all():
                raise subject.breach(
                    f"on {name}, {one.slice.name!r} has a predicate, and rows that belong to it in part"
                )
            holds = Predicate(one.slice.where).holds(_batch(operator, world))
            if not np.array_equal(holds, members > 0.5):
                raise subject.breach(
                    f"on {name}, the predicate {one.slice.where!r} holds for {int(holds.sum()):,} rows, not for the"
                    f" {int(members.sum()):,} that are said to be in"
                )


def constant_scores_say_nothing(subject: Subject) -> None:
    """Where all rows score alike no slice is significantly worse."""
    for name, world in busy_worlds(subject.room).items():
        operator = subject.make()
        watched = world_view(operator, world)
        evidence = dict(evidence_of(world.take(rows_of(world, operator.scope)), operator.scope))
        view = View(
            ids=watched.ids,
            schema=watched.schema,
            evidence=evidence | {"scores": np.ones(len(watched.ids))},
            needs=operator.needs,
            spec=spec_of(operator),
        )
        bad = [one.slice.name for one in _found(operator, view) if one.q_value < 0.05 and one.score.value < one.overall]
        if bad:
            raise subject.breach(f"on {name} with equal scores of all rows, it calls {bad[0]!r} worse than the rest")


def _found(operator: Any, view: View) -> Sequence[FoundSlice]:
    try:
        return list(operator.discover(view))
    except NotApplicable:
        return []


def _scores(operator: Any, world: World) -> np.ndarray:
    part = world.take(rows_of(world, operator.scope))
    return np.asarray(evidence_of(part, operator.scope).get("scores", np.zeros(len(part))))


def _batch(operator: Any, world: World) -> Batch:
    """Return the rows of the view as predicates see them: columns, the label, and the predicted class."""
    part = world.take(rows_of(world, operator.scope))
    columns: dict[str, Any] = {name: part.table.column(name).combine_chunks() for name in part.schema.names}
    task = part.schema.task
    if task.is_regression:
        columns["tilth_predicted"] = pa.array(part.predicted)
    else:
        columns["tilth_predicted"] = pa.array(task.classes, pa.string()).take(pa.array(part.predicted.argmax(axis=1)))
    return Batch(ids=part.ids, columns=columns)


def _fault_of(one: FoundSlice, view: View, operator: Any, scores: np.ndarray) -> str:
    """What is wrong with a slice, in words."""
    members = np.asarray(one.membership)
    if members.shape != (len(view),):
        return f"has {members.shape} memberships for {len(view):,} rows"
    weight = members.sum()
    value = float(members @ scores / weight) if weight > 0 else one.score.value
    facts = {
        "has memberships outside [0, 1]": not ((members >= 0) & (members <= 1)).all(),
        "has no member": weight <= 0,
        "has a p-value outside [0, 1]": not 0 <= one.p_value <= 1,
        "has a q-value outside [0, 1]": not 0 <= one.q_value <= 1,
        "has a q-value below its p-value": one.q_value < one.p_value * (1 - 1e-9),
        "is not named": not one.slice.name.strip(),
        "is not described": not one.slice.summary.strip(),
        "does not name its operator": one.slice.operator != spec_of(operator),
        "has another score than the mean of its rows": not np.isclose(value, one.score.value, rtol=1e-6, atol=1e-9),
        "has another overall score than the mean of all rows": not np.isclose(one.overall, scores.mean(), rtol=1e-6),
    }
    return next((what for what, wrong in facts.items() if wrong), "")


SLICING: tuple[Check, ...] = (
    slices_are_whole,
    worst_comes_first,
    rules_find_the_rows_again,
    constant_scores_say_nothing,
)
