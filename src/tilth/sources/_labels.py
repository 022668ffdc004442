"""The task that a label column poses: classes or numbers, and the metric that decides."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.errors import LabelError, did_you_mean, first_three
from tilth.core.schema import Task, TaskType
from tilth.sources._cells import as_category, as_number
from tilth.sources._evidence import MOSTLY, numbers_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tilth.core.arrays import IntVector, Vector

__all__ = ["TaskGuess", "infer_task", "natural_order"]

_MANY_VALUES = 50
_RARE = 0.1


class TaskGuess(NamedTuple):
    """The task and in one line why it was taken for that."""

    task: Task
    note: str


def infer_task(label: str, column: pa.ChunkedArray, classes: Sequence[str] = ()) -> TaskGuess:
    """Return the task of a label column; raises LabelError where nothing can be learnt from it.

    Numbers with many values are a regression; else every different label is a class, in natural order. The
    metric is accuracy, balanced accuracy where the rarest class has under 10 % of the labels, and mean
    absolute error for numbers.
    """
    labels = as_category(column).drop_null()
    if len(labels) == 0 and not classes:
        raise LabelError(
            "no row has a label",
            where=f"column {label!r}",
            next_step="label some rows, or name the classes with --classes a,b,c",
        )
    if classes:
        return _given_classes(label, labels, tuple(classes))
    values = _numbers(column, len(labels))
    if values is not None:
        _refuse_counter(label, values)
        if _is_quantity(values):
            n_distinct = len(np.unique(values))
            note = f"regression: numbers from {values.min():g} to {values.max():g}, {n_distinct:,} different"
            return TaskGuess(Task(type=TaskType.REGRESSION, label=label, metric="mae"), note)
    return _found_classes(label, labels, is_numeric=values is not None)


def natural_order(names: Sequence[str]) -> tuple[str, ...]:
    """Return names by number if all are numbers, else as people sort: class2 before class10."""
    if all(re.fullmatch(r"[+-]?\d+(?:\.\d+)?", name) for name in names):
        return tuple(sorted(names, key=lambda name: (float(name), name)))
    return tuple(sorted(names, key=_natural_key))


def _natural_key(name: str) -> tuple[list[tuple[bool, int, str]], str]:
    parts = [part for part in re.split(r"(\d+)", name.lower()) if part]
    return [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts], name


def _numbers(column: pa.ChunkedArray, n_labels: int) -> Vector | None:
    """Return the labels as numbers if nearly all are."""
    if pa.types.is_boolean(column.type):
        return None
    values = numbers_of(column)
    n_other = int(as_number(column).junk.sum())
    return values if len(values) and len(values) >= MOSTLY * n_labels and n_other <= (1 - MOSTLY) * n_labels else None


def _is_quantity(values: Vector) -> bool:
    distinct, counts = np.unique(values, return_counts=True)
    if (distinct != np.floor(distinct)).any():
        return len(distinct) > min(20, len(values) / 2)
    if len(distinct) <= 10 or len(distinct) <= min(_MANY_VALUES, len(values) / 2):
        return False
    return not _looks_like_class_numbers(distinct, counts)


def _looks_like_class_numbers(distinct: Vector, counts: IntVector) -> bool:
    """Whether whole numbers without gaps from 0 or 1 are names: neighbours are not alike in count."""
    has_no_gaps = distinct[0] in {0.0, 1.0} and distinct[-1] - distinct[0] == len(distinct) - 1
    if not has_no_gaps or counts.mean() < 10:
        return False
    centred = counts - counts.mean()
    spread = float((centred**2).sum())
    return spread == 0 or float((centred[1:] * centred[:-1]).sum()) / spread < 0.5


def _refuse_counter(label: str, values: Vector) -> None:
    if len(values) >= 20 and (np.diff(values) == 1).all():
        raise LabelError(
            "the label only counts the rows",
            where=f"column {label!r}",
            next_step="name the column that says the truth",
        )


def _found_classes(label: str, labels: pa.ChunkedArray, *, is_numeric: bool) -> TaskGuess:
    counts = {item["values"]: item["counts"] for item in pc.value_counts(labels.combine_chunks()).to_pylist()}
    n = len(labels)
    if len(counts) == 1:
        raise LabelError(
            f"only one class: all {n:,} labels are {next(iter(counts))!r}",
            where=f"column {label!r}",
            next_step="name another column, or add rows of another class",
        )
    is_every_one_new = len(counts) == n >= 3 and not is_numeric
    if is_every_one_new or (n >= 20 and len(counts) > n / 2):
        raise LabelError(
            f"{len(counts):,} different labels in {n:,} rows are too many for classes, e.g. {_shown(counts)}",
            where=f"column {label!r}",
            next_step="name the column that holds classes or numbers; is this one the text to learn from?",
        )
    names = natural_order(list(counts))
    rare = min(counts, key=counts.__getitem__)
    task = _classification(label, names, counts[rare] / n)
    note = f"{len(names):,} classes in {n:,} labels; the rarest, {rare!r}, has {counts[rare] / n:.2%}"
    if is_numeric and len(names) > 12:
        note += "; so few whole numbers are taken for classes, write `regression` if they measure something"
    return TaskGuess(task, note)


def _given_classes(label: str, labels: pa.ChunkedArray, classes: tuple[str, ...]) -> TaskGuess:
    if len(set(classes)) < 2:
        raise LabelError("at least two different classes are needed", next_step="--classes a,b,c")
    unknown = [name for name in labels.unique().to_pylist() if name not in classes]
    if unknown:
        raise LabelError(
            f"not among the classes: {first_three(map(repr, unknown))}.{did_you_mean(unknown[0], classes)}",
            where=f"column {label!r}",
            next_step="add them to the classes or mend the labels",
        )
    counts = [int(pc.sum(pc.equal(labels, name)).as_py() or 0) for name in classes]
    rarest = min(counts) / len(labels) if len(labels) else 1.0
    return TaskGuess(_classification(label, classes, rarest), f"{len(classes):,} classes, as named")


def _classification(label: str, classes: tuple[str, ...], rarest: float) -> Task:
    kind = TaskType.BINARY if len(classes) == 2 else TaskType.MULTICLASS
    return Task(type=kind, label=label, classes=classes, metric="balanced_accuracy" if rarest < _RARE else "accuracy")


def _shown(counts: dict[str, int]) -> str:
    return first_three(repr(name[:40]) for name in list(counts)[:3])
