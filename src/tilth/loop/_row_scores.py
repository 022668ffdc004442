"""Row scores: how good each row's prediction is, from columns of labels and predictions as people write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import Vector
from tilth.core.errors import InputError, LabelError, first_three
from tilth.core.schema import Task, TaskType
from tilth.sources._cells import as_category, as_number
from tilth.sources._labels import infer_task, natural_order

__all__ = ["RowScores", "given_scores", "scores_of"]

_HALF = 0.5


class RowScores(NamedTuple):
    """Scores of rows.

    Parameters
    ----------
    scores : (n,) higher is better; not a number where label or prediction is missing
    task : what is predicted; its metric is what the scores are of
    label, prediction : how they were understood
    classes : label and predicted class of each row as text, by what to call them; empty where there are none
    """

    scores: Vector
    task: Task
    label: str
    prediction: str
    classes: dict[str, pa.ChunkedArray] = {}  # noqa: RUF012 - of a tuple, and never written


def scores_of(table: pa.Table, label: str, predictions: Sequence[str]) -> RowScores:
    """Return 1 where the predicted class is the label, else 0; for numbers minus the absolute error.

    A prediction is a column of classes, one of probabilities of the second of two classes, one of probabilities per class,
    or for a numeric label a number.

    Raises
    ------
    LabelError
        No row has a label; labels and predictions have no class in common; probabilities do not fit the classes.
    """
    cells = table.column(label)
    if as_category(cells).null_count == len(cells):
        raise LabelError("no row has a label", where=f"column {label!r}", next_step="name the column of true classes")
    if len(predictions) == 1:
        numbers = _numbers_of(table.column(predictions[0]))
        if (
            _is_regression(label, cells)
            and numbers is not None
            and not _are_classes(cells, table.column(predictions[0]))
        ):
            return _errors(label, cells, predictions[0], numbers)
    classes = natural_order(as_category(cells).drop_null().unique().to_pylist())
    given = as_category(cells)
    if len(predictions) > 1:
        said, words = _most_probable(table, predictions, classes)
    else:
        said, words = _said(table.column(predictions[0]), predictions[0], classes, given)
    right = pc.equal(given, said)
    scores = np.asarray(pc.if_else(pc.is_null(right), float("nan"), right.cast(pa.float64())), dtype=np.float64)
    kind = TaskType.BINARY if len(classes) == 2 else TaskType.MULTICLASS
    task = Task(type=kind, label=label, classes=classes, metric="accuracy")
    return RowScores(scores, task, f"{label}, {len(classes):,} classes", words, {"label": given, "prediction": said})


def given_scores(table: pa.Table, score: str, label: str) -> RowScores:
    """Return the scores of a column, higher is better; raises InputError where none is a number."""
    numbers = _numbers_of(table.column(score))
    if numbers is None or not np.isfinite(numbers).any():
        raise InputError(
            f"no score of column {score!r} is a number" if numbers is None else f"column {score!r} holds no score",
            next_step="name a column of one number per row, higher is better",
        )
    task = Task(type=TaskType.REGRESSION, label=label, metric=score)
    return RowScores(numbers, task, label, f"scores of column {score}, higher is better")


def _numbers_of(cells: pa.ChunkedArray) -> Vector | None:
    """Return numbers, not a number for missing cells; None where some cell is another thing."""
    if pa.types.is_boolean(cells.type):
        return None
    read = as_number(cells)
    infinite = pa.types.is_floating(cells.type)
    if not infinite and read.junk.any():
        return None
    return np.asarray(pc.fill_null(read.column, float("nan")), dtype=np.float64)


def _is_regression(label: str, cells: pa.ChunkedArray) -> bool:
    if _numbers_of(cells) is None:
        return False
    try:
        return infer_task(label, cells).task.is_regression
    except LabelError:  # a single class, or a counter: classes or numbers, as the predictions are
        return len(as_category(cells).unique()) > 20


def _are_classes(labels: pa.ChunkedArray, predicted: pa.ChunkedArray) -> bool:
    """Whether numbers that are labels and numbers that are predictions are nearly always some of few values."""
    known = as_category(labels).unique()
    return len(known) <= 20 and bool(pc.all(pc.is_in(as_category(predicted).drop_null(), value_set=known)).as_py())


def _errors(label: str, cells: pa.ChunkedArray, prediction: str, predicted: Vector) -> RowScores:
    true = _numbers_of(cells)
    assert true is not None, "a regression has numbers for labels"
    task = Task(type=TaskType.REGRESSION, label=label, metric="mae")
    return RowScores(-np.abs(true - predicted), task, f"{label}, a number", f"{prediction}, a number")


def _said(
    cells: pa.ChunkedArray, name: str, classes: Sequence[str], given: pa.ChunkedArray
) -> tuple[pa.ChunkedArray, str]:
    """Return the predicted class of each row, from classes or from probabilities of the second class."""
    said = as_category(cells)
    if said.null_count == len(said):
        raise LabelError(
            "no row has a prediction", where=f"column {name!r}", next_step="name the column of predictions"
        )
    others = said.drop_null().unique()
    if bool(pc.any(pc.is_in(others, value_set=given.unique().drop_null())).as_py()) and not _is_share(cells, others):
        return said, f"{name}, a class"
    numbers = _numbers_of(cells)
    if numbers is not None and np.nanmin(numbers) >= 0 and np.nanmax(numbers) <= 1:
        if len(classes) != 2:
            raise LabelError(
                f"one column of probabilities does not say which of {len(classes):,} classes is meant",
                where=f"column {name!r}; classes {first_three(classes)}",
                next_step="name one column per class: --prediction p_a,p_b,p_c",
            )
        picked = pa.array(np.where(numbers >= _HALF, classes[1], classes[0]), mask=np.isnan(numbers))
        return pa.chunked_array([picked.cast(pa.string())]), f"{name}, the probability of {classes[1]!r} (from 0.5 on)"
    raise LabelError(
        "label and prediction have no class in common",
        where=f"labels {first_three(map(repr, classes))}; predictions {first_three(map(repr, others.to_pylist()))}",
        next_step="write the classes of both columns alike, or name a column of probabilities",
    )


def _is_share(cells: pa.ChunkedArray, words: pa.ChunkedArray) -> bool:
    """Whether numbers are probabilities rather than the classes 0 and 1: some lie between."""
    numbers = _numbers_of(cells)
    if numbers is None or len(words) <= 2:
        return False
    known = numbers[np.isfinite(numbers)]
    return bool(len(known)) and bool(((known >= 0) & (known <= 1)).all()) and bool(((known > 0) & (known < 1)).any())


def _most_probable(table: pa.Table, names: Sequence[str], classes: Sequence[str]) -> tuple[pa.ChunkedArray, str]:
    """Return the most probable class of each row, from one column per class: by their names, or in the order of the classes."""
    if len(names) != len(classes):
        raise LabelError(
            f"{len(names)} columns of probabilities for {len(classes):,} classes",
            where=f"classes {first_three(map(repr, classes))}",
            next_step="name one column per class",
        )
    columns = [_numbers_of(table.column(name)) for name in names]
    bad = [name for name, column in zip(names, columns, strict=True) if column is None]
    if bad:
        raise LabelError("probabilities are numbers", where=f"column {bad[0]!r}", next_step="name one column per class")
    order = _by_name(names, classes)
    ordered = list(classes) if order is None else [classes[c] for c in order]
    probs = np.column_stack([column for column in columns if column is not None])
    missing = ~np.isfinite(probs).all(axis=1)
    best = np.where(missing, 0, np.where(np.isfinite(probs), probs, 0.0).argmax(axis=1))
    said = pa.array(ordered, pa.string()).take(pa.array(best, pa.int64(), mask=missing))
    pairs = ", ".join(f"{name} of {word!r}" for name, word in list(zip(names, ordered, strict=True))[:4])
    return pa.chunked_array([said]), f"the most probable class: {pairs}{' …' if len(names) > 4 else ''}"


def _by_name(names: Sequence[str], classes: Sequence[str]) -> list[int] | None:
    """Return the class whose name each column's name ends with; None unless every column has one of its own."""
    found = []
    for name in names:
        ends = [c for c, word in enumerate(classes) if name.lower().endswith(word.lower())]
        found.append(max(ends, key=lambda c: len(classes[c])) if ends else -1)
    return found if sorted(found) == list(range(len(classes))) else None
