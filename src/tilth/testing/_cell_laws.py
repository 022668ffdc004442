"""Laws of the verbs that read no view: sources, encoders, metrics."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from tilth.core.errors import TilthError
from tilth.core.partitions import BLOCK_ROWS
from tilth.core.rng import generator
from tilth.core.schema import ColumnType, TaskType
from tilth.engine.local import fold_blocks
from tilth.operators.batch import Batch
from tilth.testing._behaviour import global_state, same_state
from tilth.testing._subject import Check, Subject, is_refusal
from tilth.testing.views import batch_of

__all__ = ["ENCODING", "EVALUATION", "SOURCES", "example_cells"]

SMALL_BLOCK = 7
ROUNDING = 2e-6
"""Features are float32; products over blocks of another shape may round otherwise."""
WORDS = ("soil", "seed", "rain", "field", "plough", "harvest", "a", "the", "of", "dry", "good", "poor")


@lru_cache(maxsize=16)
def example_cells(kind: ColumnType, rows: int = 200, seed: int = 0) -> pa.Array:
    """Return cells of a column type, every ninth of them missing."""
    rng = generator(seed, "cells", str(kind))
    missing = np.arange(rows) % 9 == 4
    makers = {
        ColumnType.NUMBER: lambda: pa.array(np.round(rng.standard_normal(rows), 2), mask=missing),
        ColumnType.CATEGORY: lambda: pa.array(rng.choice(WORDS[:5], size=rows).astype(object), pa.string()),
        ColumnType.TEXT: lambda: pa.array([" ".join(rng.choice(WORDS, size=rng.integers(1, 9))) for _ in range(rows)]),
        ColumnType.DATE: lambda: pa.array(rng.integers(0, 2**50, size=rows), pa.timestamp("us")),
        ColumnType.IMAGE: lambda: pa.array([_png(rng) for _ in range(rows)], pa.binary()),
        ColumnType.EMBEDDING: lambda: pa.FixedSizeListArray.from_arrays(rng.standard_normal(rows * 6), 6),
    }
    cells = makers[kind]()
    return pa.array([None if gone else cell.as_py() for cell, gone in zip(cells, missing, strict=True)], cells.type)


def _png(rng: np.random.Generator) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, size=(12, 12, 3), dtype=np.uint8)).save(file, format="PNG")
    return file.getvalue()


# -- sources -------------------------------------------------------------------------------------------------------------


def reads_or_refuses(subject: Subject) -> None:
    """`read` gives rows under names that differ, or refuses; its example may name a file that is not there."""
    before = global_state()
    try:
        table = subject.make().read()
    except TilthError as error:
        if not is_refusal(error) or not error.next_step:
            raise subject.breach(f"it refuses without saying what to do: {error.message}", "give next_step") from error
        return
    if not isinstance(table, pa.Table) or len(set(table.column_names)) < table.num_columns:
        raise subject.breach("read gives no table, or repeated column names")
    if not table.equals(subject.make().read()) or not same_state(before, global_state()):
        raise subject.breach("read twice, it gives different rows, or it draws from a global generator")


# -- encoders ------------------------------------------------------------------------------------------------------------


def states_are_plain(subject: Subject) -> None:
    """`finish` gives named arrays without objects."""
    for encoder, cells in _columns(subject):
        state = _fitted(encoder, _blocks(cells, BLOCK_ROWS))
        for name, value in (state or {}).items():
            if not isinstance(value, np.ndarray) or value.dtype.hasobject:
                raise subject.breach(
                    f"its state {name!r} is no array of plain values", "keep numbers or fixed-width text"
                )


def folds_do_not_depend_on_blocks(subject: Subject) -> None:
    """Blocks of 7 rows and of 65,536, in any order, leave the same state to the last bit."""
    for encoder, cells in _columns(subject):
        whole = _fitted(encoder, _blocks(cells, BLOCK_ROWS))
        small = _blocks(cells, SMALL_BLOCK)
        order = generator(1, "blocks").permutation(len(cells))
        ways = {
            "in blocks of 7": small,
            "in blocks of 7, last first": small[::-1],
            "row by row": _blocks(cells, 1),
            "with rows in another order": _blocks(cells, BLOCK_ROWS, order),
            "in another order, in blocks of 7": _blocks(cells, SMALL_BLOCK, order),
        }
        for way, blocks in ways.items():
            if not _same_state_arrays(whole, _fitted(encoder, blocks)):
                raise subject.breach(f"folded {way}, its state differs", "fold counts, or a sample keyed by row id")


def encodes_rows_alone(subject: Subject) -> None:
    """A row's features depend on its cells and the state: not on its block, nor on whether it was trained on."""
    for encoder, cells in _columns(subject):
        state = _fitted(encoder, _blocks(cells.slice(0, len(cells) // 2), BLOCK_ROWS))
        if state is None:
            continue
        whole = encoder.encode(batch_of(cells), state)
        if whole.dtype != np.float32 or whole.ndim != 2 or len(whole) != len(cells) or not np.isfinite(whole).all():
            raise subject.breach(f"it encodes to {whole.dtype} {whole.shape}, not to finite float32 (n, d)")
        parts = np.concatenate([encoder.encode(block, state) for block in _blocks(cells, SMALL_BLOCK)])
        if parts.shape != whole.shape or not np.allclose(parts, whole, rtol=ROUNDING, atol=ROUNDING):
            raise subject.breach("a row is encoded otherwise in a small block", "encode each row by itself")
        again = encoder.encode(batch_of(cells, ids=[f"new{i}" for i in range(len(cells))]), state)
        if not np.array_equal(again, whole):
            raise subject.breach("new rows with the same cells are encoded otherwise", "do not read row ids in encode")
        if not np.array_equal(encoder.encode(batch_of(cells), state), whole):
            raise subject.breach("asked twice, it encodes otherwise")


def bears_odd_cells(subject: Subject) -> None:
    """No row, one row, nothing but missing cells, one value over and over: fitted and encoded, or refused."""
    before = global_state()
    for encoder, cells in _columns(subject):
        none = cells.slice(0, 0)
        empty = pa.nulls(5, cells.type)
        alike = cells.take(pa.array([0] * 40))
        for train in (none, cells.slice(0, 1), empty, alike):
            state = _fitted(encoder, _blocks(train, BLOCK_ROWS))
            if state is None:
                continue
            shapes = {_width(subject, encoder, rows, state) for rows in (none, empty, alike, cells)} - {None}
            if len(shapes) > 1:
                raise subject.breach(f"one state gives features of widths {sorted(map(str, shapes))}")
    if not same_state(before, global_state()):
        raise subject.breach("it drew from a global random generator", "draw with core.rng.row_uniforms")


def accepts_a_type(subject: Subject) -> None:
    """It says which column types it reads."""
    accepts = getattr(subject.kind, "accepts", None)
    if not isinstance(accepts, frozenset) or not accepts or not all(isinstance(one, ColumnType) for one in accepts):
        raise subject.breach("it accepts no column type", "declare accepts: ClassVar[frozenset[ColumnType]]")


def _columns(subject: Subject) -> Iterator[tuple[Any, pa.Array]]:
    for kind in sorted(subject.kind.accepts):
        yield subject.make(), example_cells(kind)


def _blocks(cells: pa.Array, rows: int, order: np.ndarray | None = None) -> list[Batch]:
    ids = np.array([f"r{i}" for i in range(len(cells))], dtype=object)
    if order is not None:
        cells, ids = cells.take(pa.array(order)), ids[order]
    starts = range(0, max(len(cells), 1), rows)
    return [batch_of(cells.slice(start, rows), ids=ids[start : start + rows].tolist()) for start in starts]


def _fitted(encoder: Any, blocks: Sequence[Batch]) -> Mapping[str, np.ndarray] | None:
    """The state after a fold, or None if the encoder refuses."""
    try:
        state: Mapping[str, np.ndarray] = encoder.finish(fold_blocks(encoder, blocks))
    except TilthError as error:
        if not is_refusal(error):
            raise
        return None
    return state


def _width(subject: Subject, encoder: Any, cells: pa.Array, state: Mapping[str, np.ndarray]) -> int | None:
    try:
        features = encoder.encode(batch_of(cells), state)
    except TilthError as error:
        if not is_refusal(error):
            raise
        return None
    if features.dtype != np.float32 or features.ndim != 2 or len(features) != len(cells):
        raise subject.breach(f"it encodes {len(cells)} rows to {features.dtype} {features.shape}")
    if not np.isfinite(features).all():
        raise subject.breach("its features are not finite")
    return int(features.shape[1])


def _same_state_arrays(left: Mapping[str, np.ndarray] | None, right: Mapping[str, np.ndarray] | None) -> bool:
    if left is None or right is None:
        return left is right
    return left.keys() == right.keys() and all(_bits(left[name]) == _bits(right[name]) for name in left)


def _bits(array: np.ndarray) -> tuple[str, tuple[int, ...], bytes]:
    return str(array.dtype), array.shape, np.ascontiguousarray(array).tobytes()


# -- metrics -------------------------------------------------------------------------------------------------------------


def scores_rows_by_themselves(subject: Subject) -> None:
    """One finite score per row; permuted rows get permuted scores; no row and one row will do."""
    for metric, target, predicted in _judged(subject):
        kept = (target.copy(), predicted.copy())
        scores = np.asarray(metric.measure(target, predicted))
        if scores.shape != (len(target),) or not np.isfinite(scores).all():
            raise subject.breach(f"it gives scores of shape {scores.shape} for {len(target)} rows, or not finite ones")
        order = generator(4, "order").permutation(len(target))
        if not np.array_equal(metric.measure(target[order], predicted[order]), scores[order]):
            raise subject.breach("permuted rows do not get permuted scores")
        for part in (slice(0, 0), slice(0, 1)):
            if not np.array_equal(metric.measure(target[part], predicted[part]), scores[part]):
                raise subject.breach("the score of a row depends on the other rows")
        if not (np.array_equal(kept[0], target) and np.array_equal(kept[1], predicted)):
            raise subject.breach("it changed what it was handed")


def higher_is_better(subject: Subject) -> None:
    """The truth scores at least as high as anything, and higher than its opposite, row by row."""
    for metric, target, predicted in _judged(subject):
        right, wrong = _extremes(metric, target)
        best, worst = metric.measure(target, right), metric.measure(target, wrong)
        if (best < metric.measure(target, predicted)).any() or not (best > worst).all():
            raise subject.breach("the truth does not score highest", "turn the sign, so that higher is better")


def declares_its_task(subject: Subject) -> None:
    """It names its tasks, and whether classes count alike."""
    tasks, stratified = getattr(subject.kind, "tasks", None), getattr(subject.kind, "stratified", None)
    if not isinstance(tasks, frozenset) or not tasks or not isinstance(stratified, bool):
        raise subject.breach("it declares no tasks, or not whether it is stratified")


def _judged(subject: Subject) -> Iterator[tuple[Any, np.ndarray, np.ndarray]]:
    rng = generator(0, "judged")
    metric = subject.make()
    if TaskType.REGRESSION in metric.tasks:
        yield metric, rng.standard_normal(60), rng.standard_normal((60, 1))
    if metric.tasks - {TaskType.REGRESSION}:
        yield metric, rng.integers(0, 3, size=60), rng.dirichlet(np.ones(3), size=60)


def _extremes(metric: Any, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Predictions that are all right, and all wrong."""
    if TaskType.REGRESSION in metric.tasks and target.dtype.kind == "f":
        return target[:, None], target[:, None] + 10.0
    certain = np.eye(3)
    return certain[target], certain[(target + 1) % 3]


SOURCES: tuple[Check, ...] = (reads_or_refuses,)
ENCODING: tuple[Check, ...] = (
    accepts_a_type,
    states_are_plain,
    folds_do_not_depend_on_blocks,
    encodes_rows_alone,
    bears_odd_cells,
)
EVALUATION: tuple[Check, ...] = (declares_its_task, scores_rows_by_themselves, higher_is_better)
