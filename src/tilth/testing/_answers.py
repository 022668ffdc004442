"""What an operator answered, brought to arrays in the order of row ids, so that two answers can be compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.edit import Edit
from tilth.core.errors import TilthError
from tilth.core.ids import cell_digests
from tilth.core.names import ROW_ID
from tilth.core.schema import TaskType
from tilth.core.target import TargetKind
from tilth.operators.view import View
from tilth.testing._subject import is_refusal
from tilth.testing.views import target_of
from tilth.testing.worlds import World

__all__ = ["ANSWERS", "Answer", "answer_or_refusal", "difference", "edit_answer", "suits"]

Answer = Mapping[str, np.ndarray]
"""Named arrays; names that begin with `aside` hold what may change with the order of rows, such as ties."""

BUDGET = 12


def answer_or_refusal(room: str, operator: Any, view: View, world: World) -> Answer:
    """Return what an operator answers, or its refusal; what breaks the rules of views is raised."""
    try:
        return ANSWERS[room](operator, view, world)
    except TilthError as error:
        if not is_refusal(error):
            raise
        return {"refused": np.array([error.code])}


def difference(left: Answer, right: Answer, *, tolerance: float, all_of_it: bool) -> str:
    """Return in what two answers differ, in words; empty where they agree within the tolerance."""
    names = sorted({*left, *right})
    for name in names:
        if name.startswith("aside") and not all_of_it:
            continue
        if name not in left or name not in right:
            return f"{name} is there once only"
        if not _alike(left[name], right[name], tolerance):
            return name
    return ""


def suits(operator: Any, world: World) -> bool:
    """Whether a learner is made for the task and the targets of a world."""
    tasks: frozenset[TaskType] = operator.tasks
    kind = TargetKind.NUMBER if world.schema.task.is_regression else TargetKind.CLASS
    return world.schema.task.type in tasks and kind in operator.accepts


def edit_answer(edit: Edit) -> dict[str, np.ndarray]:
    """Return an edit as arrays: the rows that it drops, sets and adds, by id."""
    answer = {"drop": np.sort(_text(edit.drop))}
    for column, cells in edit.set.items():
        order = np.argsort(_text(cells.column(ROW_ID)), kind="stable")
        answer[f"set {column} in"] = _text(cells.column(ROW_ID))[order]
        answer[f"set {column} to"] = _values(cells.column("value"))[order]
    if edit.add is not None:
        answer["add"] = np.sort(_text(edit.add.column(ROW_ID)))
    return answer


def _found(operator: Any, view: View, world: World) -> Answer:
    del world
    answer: dict[str, np.ndarray] = {}
    for finding in operator.find(view):
        name = f"{finding.kind} {' '.join(sorted(finding.columns))}".strip()
        order = np.argsort(_text(finding.ids), kind="stable")
        answer[f"{name} severity"] = np.asarray(finding.severity)[order]
        answer[f"{name} flagged"] = np.asarray(finding.flagged)[order]
        answer[f"aside {name} level"] = np.array(finding.level)
        for fact, values in finding.evidence.items():
            answer[f"aside {name} {fact}"] = np.asarray(values)[order]
    return answer


def _proposed(operator: Any, view: View, world: World) -> Answer:
    del world
    return edit_answer(operator.propose(view)) | {"chosen": np.sort(_text(operator.choose(view).ids))}


def _selected(operator: Any, view: View, world: World) -> Answer:
    """Rows in order; where scores tie at the end of the budget, any of the tied rows will do."""
    del world
    chosen = operator.select(view, BUDGET)
    ids = _text(chosen.ids)
    if chosen.scores is None or not len(ids):
        return {"ids": ids}
    scores = np.asarray(chosen.scores, dtype=np.float64)
    sure = scores > scores.min() + 1e-9 * max(1.0, abs(float(scores.min())))
    return {"scores": scores, "surely chosen": np.sort(ids[sure]), "aside ids": ids}


def _discovered(operator: Any, view: View, world: World) -> Answer:
    """Slices by name; their order may change where two are equally bad."""
    del world
    answer: dict[str, np.ndarray] = {}
    order = np.argsort(_text(view.ids), kind="stable")
    for one in operator.discover(view):
        name = one.slice.name
        answer[f"{name} membership"] = np.asarray(one.membership)[order]
        answer[f"{name} score"] = np.array([one.score.value, one.score.low, one.score.high, one.overall])
        answer[f"{name} p and q"] = np.array([one.p_value, one.q_value])
    return answer


def _valued(operator: Any, view: View, world: World) -> Answer:
    del world
    values = operator.value(view)
    ids = _text(values.ids)
    order = np.argsort(ids, kind="stable")
    answer = {"ids": ids[order], "values": np.asarray(values.values)[order]}
    if values.standard_errors is not None:
        answer["standard errors"] = np.asarray(values.standard_errors)[order]
    return answer


def _predicted(operator: Any, view: View, world: World) -> Answer:
    if not suits(operator, world):
        return {"refused": np.array(["another task"])}
    model = operator.fit(view, target_of(world), prepared=operator.prepare(view))
    order = np.argsort(_text(view.ids), kind="stable")
    return {"predicted": np.asarray(operator.predict_proba(view, model))[order]}


ANSWERS: Mapping[str, Callable[[Any, View, World], Answer]] = {
    "detection": _found,
    "editing": _proposed,
    "slicing": _discovered,
    "valuation": _valued,
    "selection": _selected,
    "learning": _predicted,
}


def _text(ids: pa.Array | pa.ChunkedArray) -> np.ndarray:
    return np.asarray(ids.to_pylist(), dtype=str)


def _values(cells: pa.ChunkedArray) -> np.ndarray:
    """Numbers and vectors as numbers; anything else as digests."""
    if pa.types.is_fixed_size_list(cells.type):
        return np.asarray(cells.combine_chunks().flatten()).reshape(len(cells), -1)
    if pa.types.is_floating(cells.type):
        return np.asarray(cells)
    return cell_digests(cells)


def _alike(left: np.ndarray, right: np.ndarray, tolerance: float) -> bool:
    if left.shape != right.shape:
        return False
    if left.dtype.kind == "f" and right.dtype.kind == "f":
        return bool(np.allclose(left, right, rtol=tolerance, atol=tolerance, equal_nan=True))
    return bool(np.array_equal(left, right))
