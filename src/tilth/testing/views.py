"""What one operator would be handed: a View or a Batch made by hand from arrays, or cut from a planted world.

A view that is cut here records what is read from it, and knows whether it was changed.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.draw import Draw
from tilth.core.finding import Finding
from tilth.core.ids import cell_digests
from tilth.core.labelling import VotedRows
from tilth.core.names import PARENTS, TRUSTED, WEIGHT, Split
from tilth.core.policy import Repertoire, Variation
from tilth.core.schema import Column, ColumnType, Role, Schema, Task, TaskType
from tilth.core.spec import Spec
from tilth.core.target import Target
from tilth.numerics.neighbours import Neighbours, k_nearest
from tilth.numerics.noise import truth_posterior
from tilth.operators.batch import Batch
from tilth.operators.registry import spec_of
from tilth.operators.view import Scope, View
from tilth.testing.worlds import NUMBERS, World

__all__ = [
    "Reads",
    "Watched",
    "batch_of",
    "evidence_of",
    "rows_of",
    "schema_of",
    "target_of",
    "view_of",
    "watched_view",
    "world_view",
]

N_NEIGHBOURS = 20
MISSING_TIME = np.iinfo(np.int64).min


def view_of(
    operator: Any,
    *,
    ids: Sequence[str] | None = None,
    schema: Schema | None = None,
    classes: Sequence[str] = ("no", "yes"),
    seed: int = 0,
    **evidence: Any,
) -> View:
    """Return an operator's view of arrays made by hand: everything given is there, the rest is not.

    Parameters
    ----------
    operator : an instance, whose `needs` the view holds it to
    ids : (n,) row ids; r0, r1, … by default
    schema : by default one task with these classes (none makes it regression), and the given table's columns as features
    classes : class names
    seed : the run's seed
    evidence : needs by name, each with n rows; `labelled` is all True and `trusted` all False unless given; a table may be
        a mapping of columns; `truth_probs` follow from labels and `pred_probs` unless given
    """
    if isinstance(evidence.get("table"), Mapping):
        evidence["table"] = pa.table(evidence["table"])
    n = len(ids) if ids is not None else _length(evidence)
    evidence = {"labelled": np.ones(n, dtype=bool), "trusted": np.zeros(n, dtype=bool)} | evidence
    if "pred_probs" in evidence and "labels" in evidence and "truth_probs" not in evidence:
        evidence["truth_probs"] = partial(_truth_probs, dict(evidence))
    return View(
        ids=pa.array(ids if ids is not None else [f"r{i}" for i in range(n)], pa.string()),
        schema=schema or schema_of(evidence.get("table"), classes),
        evidence={need: np.asarray(value) if isinstance(value, list) else value for need, value in evidence.items()},
        needs=operator.needs,
        spec=spec_of(operator),
        seed=seed,
    )


def _truth_probs(evidence: Mapping[str, Any]) -> np.ndarray:
    """Return p(truth | features, given label) of labelled rows by class-dependent noise; the others keep their prediction."""
    given = {need: evidence[need] for need in ("pred_probs", "labelled", "labels")}
    probs, labelled, labels = (np.asarray(value() if callable(value) else value) for value in given.values())
    probs, rows = probs.astype(np.float64), np.flatnonzero(labelled)
    labels = labels.astype(np.intp)[rows]
    if len(rows) and probs.ndim == 2:
        probs[rows] = truth_posterior(labels, probs[rows])
    return probs


def batch_of(cells: Any, *, ids: Sequence[str] | None = None, column: str = "cells") -> Batch:
    """Return a batch of one column, as encoders read it."""
    array = cells if isinstance(cells, pa.Array | pa.ChunkedArray) else pa.array(cells)
    names = ids if ids is not None else [f"r{i}" for i in range(len(array))]
    return Batch(ids=pa.array(names, pa.string()), columns={column: array})


def schema_of(table: pa.Table | None = None, classes: Sequence[str] = ("no", "yes")) -> Schema:
    """Return a schema of one task, with a table's columns as features of the types that they look like."""
    kind = TaskType.REGRESSION if not classes else TaskType.BINARY if len(classes) == 2 else TaskType.MULTICLASS
    fields = [] if table is None else table.schema
    return Schema(
        columns=tuple(Column(name=f.name, type=_column_type(f.type)) for f in fields),
        tasks=(Task(type=kind, label="label", classes=tuple(classes), metric="accuracy" if classes else "mae"),),
    )


class Reads(Mapping[str, Any]):
    """Evidence that notes what is read of it."""

    def __init__(self, evidence: Mapping[str, Any]) -> None:
        self.evidence, self.names = evidence, set[str]()

    def __getitem__(self, need: str) -> Any:
        """Return a piece of evidence."""
        self.names.add(need)
        return self.evidence[need]

    def __contains__(self, need: object) -> bool:
        """Whether there is such evidence; asking is not reading."""
        return need in self.evidence

    def __iter__(self) -> Iterator[str]:
        """Names of what there is."""
        return iter(self.evidence)

    def __len__(self) -> int:
        """Number of pieces."""
        return len(self.evidence)


@dataclass(frozen=True, kw_only=True, eq=False)
class Watched:
    """A view, what was read of it, and what it held at first."""

    view: View
    reads: Reads
    world: World
    before: Mapping[str, Any] = field(repr=False)

    def changed(self) -> list[str]:
        """Return the needs whose values are no longer what they were."""
        return [need for need, value in self.before.items() if not _same(self.reads.evidence[need], value)]


def world_view(operator: Any, world: World, *, scope: Scope | None = None, seed: int = 0) -> View:
    """Return an operator's view of a world: the rows of its scope, with the evidence that a run would supply."""
    return watched_view(operator, world, scope=scope, seed=seed).view


def watched_view(operator: Any, world: World, *, scope: Scope | None = None, seed: int = 0) -> Watched:
    """Return an operator's view of a world, and the means to see what the operator does to it."""
    which: Scope = scope if scope is not None else getattr(operator, "scope", "train")
    part = world.take(rows_of(world, which))
    evidence = evidence_of(part, which)
    reads = Reads(evidence)
    view = View(
        ids=part.ids, schema=part.schema, evidence=reads, needs=operator.needs, spec=spec_of(operator), seed=seed
    )
    return Watched(view=view, reads=reads, world=part, before=copy.deepcopy(evidence))


def rows_of(world: World, scope: Scope) -> np.ndarray:
    """Return the positions of a scope's rows: labelled train rows, or all."""
    if scope == "train":
        return np.flatnonzero(world.mask(Split.TRAIN) & world.labelled)
    return np.arange(len(world))


def evidence_of(world: World, scope: Scope) -> dict[str, Any]:
    """Return what a run would supply of the rows of a world: labels of train and pool rows only."""
    readable = world.labelled & world.mask(Split.TRAIN, Split.POOL)
    label = world.schema.task.label
    names = [name for name in world.schema.names if name != label]
    evidence: dict[str, Any] = {
        "labelled": readable,
        "embeddings": world.embeddings,
        "neighbours": _neighbours(world.embeddings),
        "table": world.table.select(names),
        "splits": world.splits,
        "trusted": np.asarray(pc.fill_null(world.table.column(TRUSTED), False)),
        "weights": np.asarray(pc.fill_null(world.table.column(WEIGHT), 1.0)),
        "findings": _findings(world),
        "source": dict(world.source),
        "made": np.asarray(pc.is_valid(world.table.column(PARENTS))),
        "encode": lambda: lambda table: _encoded(table, world.embeddings.shape[1]),
    }
    is_regression = world.schema.task.is_regression
    if not is_regression:
        evidence["votes"] = _voted(world.predicted)
        evidence["label_sets"] = _open_sets(world)
    evidence["numbers" if is_regression else "labels"] = np.where(readable, given_labels(world), 0)
    if scope == "train":
        evidence["predictions" if is_regression else "pred_probs"] = world.predicted
        if not is_regression:
            evidence["truth_probs"] = world.predicted
            evidence["half_probs"] = (world.predicted + 1 / world.predicted.shape[1]) / 2
        evidence["scores"] = _scores(world)
        evidence["slices"] = _slices(world)
        evidence["transforms"] = _repertoire(world)
    if (time := world.schema.first(Role.TIME)) is not None:
        stamps = world.table.column(time).cast(pa.int64())
        evidence["times"] = np.asarray(pc.fill_null(stamps, int(MISSING_TIME)))
    if (group := world.schema.first(Role.GROUP)) is not None:
        codes = world.table.column(group).combine_chunks().dictionary_encode()
        evidence["groups"] = np.asarray(codes.indices).astype(np.intp)
    return evidence


def given_labels(world: World) -> np.ndarray:
    """Return given class numbers (n,) intp or numbers (n,) float64; 0 for rows without a label."""
    column = world.table.column(world.schema.task.label)
    if world.schema.task.is_regression:
        return np.asarray(pc.fill_null(column, 0.0), dtype=np.float64)
    codes = pc.index_in(column, value_set=pa.array(world.schema.task.classes, pa.string()))
    return np.asarray(pc.fill_null(codes, 0)).astype(np.intp)


def target_of(world: World) -> Target:
    """Return what a learner trains on: the given labels of a world's train rows."""
    mask = world.labelled & world.mask(Split.TRAIN)
    if world.schema.task.is_regression:
        return Target.values(given_labels(world), mask)
    return Target.classes(given_labels(world), mask, world.schema.task.n_classes)


def _neighbours(features: np.ndarray) -> Neighbours:
    if len(features) < 2:
        return Neighbours(np.zeros((len(features), 0), dtype=np.intp), np.zeros((len(features), 0)))
    found = k_nearest(features, min(N_NEIGHBOURS, len(features) - 1), metric="euclidean", exclude_self=True)
    return Neighbours(np.array(found.positions), np.array(found.distances))


def _encoded(table: pa.Table, width: int) -> np.ndarray:
    """Encode rows that are not in a world as its rows are: by their numbers, 0 for what is missing."""
    found = np.zeros((table.num_rows, max(width, len(NUMBERS))), dtype=np.float32)
    for place, name in enumerate(NUMBERS):
        found[:, place] = np.nan_to_num(table.column(name).cast(pa.float64()).to_numpy())
    return found[:, :width]


def _voted(predicted: np.ndarray) -> VotedRows:
    """Return what labelers would say that know what the predictions know, and abstain where these are not sure."""
    hot = np.eye(predicted.shape[1])[predicted.argmax(axis=1)]
    return VotedRows(model="planted", probs=predicted, majority=hot, covered=predicted.max(axis=1) > 0.5)


def _open_sets(world: World) -> np.ndarray:
    """Return sets of two classes for the train rows without a label: as if a migration had left them open."""
    sets = np.zeros(world.predicted.shape, dtype=bool)
    if world.schema.task.n_classes > 2:
        two = np.argsort(-world.predicted, axis=1, kind="stable")[:, :2]
        np.put_along_axis(sets, two, values=True, axis=1)
    sets[~world.mask(Split.TRAIN) | world.labelled] = False
    return sets


def _scores(world: World) -> np.ndarray:
    """Return 1 where the prediction is the given label, or the error's negative for numbers."""
    given = given_labels(world)
    if world.schema.task.is_regression:
        return np.asarray(-np.abs(world.predicted - given), dtype=np.float64)
    return np.asarray(world.predicted.argmax(axis=1) == given, dtype=np.float64)


def _slices(world: World) -> dict[str, np.ndarray]:
    """Return two overlapping slices: one side of the first feature, and a soft one along the last."""
    first, last = world.embeddings[:, 0].astype(np.float64), world.embeddings[:, -1].astype(np.float64)
    return {"first side": (first > 0).astype(np.float64), "soft": 1 / (1 + np.exp(np.clip(last, -30, 30)))}


def _repertoire(world: World) -> Repertoire:
    """Return one transform for each type of column, as if a person had listed it."""
    usual = {"text": "typo", "image": "brightness", "number": "jitter", "category": "category_swap"}
    kinds = {str(column.type) for column in world.schema.features}
    found = {name: kind for kind, name in usual.items() if kind in kinds}
    return Repertoire(
        changes={
            name: Variation(kinds=frozenset({kind}), severities=(1, 3), is_own=True) for name, kind in found.items()
        },
        vary=_varied,
    )


def _varied(policy: str, ids: pa.Array, columns: Mapping[str, pa.Array], draw: int) -> dict[str, pa.Array]:
    """Return rows whose numbers moved by a little, by row id and draw, whatever the policy says."""
    moves = Draw(seed=0, step=("varied", policy, draw)).uniforms(cell_digests(ids)) - 0.5
    return {name: _moved(cells, moves) for name, cells in columns.items()}


def _moved(cells: pa.Array, moves: np.ndarray) -> pa.Array:
    if not pa.types.is_floating(cells.type):
        return cells
    values = np.array(cells.to_numpy(zero_copy_only=False), dtype=np.float64)
    spread = float(np.nan_to_num(values).std())
    return pa.array(values + 0.5 * spread * moves, from_pandas=True).cast(cells.type)


def _findings(world: World) -> dict[str, Finding]:
    """What a perfect detector would have found of the planted rows."""
    planted = {kind: mask & world.mask(Split.TRAIN) for kind, mask in world.faults.items()}
    return {
        kind: Finding(
            kind=kind,
            summary=f"{int(mask.sum())} rows were planted",
            operator=Spec(room="testing", name="plants"),
            ids=world.ids,
            severity=mask.astype(np.float64),
            flagged=mask,
        )
        for kind, mask in planted.items()
        if mask.any()
    }


def _length(evidence: Mapping[str, Any]) -> int:
    for value in evidence.values():
        if isinstance(value, np.ndarray | list):
            return len(value)
        if isinstance(value, pa.Table):
            return int(value.num_rows)
    return 0


def _column_type(kind: pa.DataType) -> ColumnType:
    tests = {
        ColumnType.CATEGORY: (pa.types.is_dictionary, pa.types.is_string, pa.types.is_boolean),
        ColumnType.TEXT: (pa.types.is_large_string,),
        ColumnType.DATE: (pa.types.is_temporal,),
        ColumnType.IMAGE: (pa.types.is_binary, pa.types.is_large_binary),
        ColumnType.EMBEDDING: (pa.types.is_fixed_size_list, pa.types.is_list),
    }
    found = (column for column, some in tests.items() if any(test(kind) for test in some))
    return next(found, ColumnType.NUMBER)


def _same(now: Any, before: Any) -> bool:
    if isinstance(now, np.ndarray):
        return now.dtype == before.dtype and np.array_equal(now, before, equal_nan=now.dtype.kind == "f")
    if isinstance(now, Neighbours):
        return _same(now.positions, before.positions) and _same(now.distances, before.distances)
    if isinstance(now, VotedRows):
        return all(_same(getattr(now, name), getattr(before, name)) for name in ("probs", "majority", "covered"))
    if isinstance(now, Finding):
        return _same(now.severity, before.severity) and _same(now.flagged, before.flagged)
    if isinstance(now, dict):
        return now.keys() == before.keys() and all(_same(now[key], before[key]) for key in now)
    return bool(now.equals(before)) if isinstance(now, pa.Table) else bool(now == before)
