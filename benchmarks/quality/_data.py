"""Shared sets as arrays: rows with features and their truth, planted label noise, out-of-sample predictions.

Every set takes the way that a run takes: types by the sources, features by the encoders, a learner chosen once by
cross-validation on the given labels, five folds of out-of-sample `pred_probs`, twenty exact neighbours by features.
The data lies beside the repository, in ../shared/data; a set that is not there raises `AbsentError`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tilth.core.arrays import FloatMatrix32, IntVector, Mask, Matrix
from tilth.core.names import ROW_ID
from tilth.core.schema import Schema
from tilth.core.spec import Spec
from tilth.core.target import Target
from tilth.encoding._blocks import default_encoder, encode_table
from tilth.learning._choose import choose, default_learners
from tilth.learning._crossfit import fold_numbers, out_of_sample
from tilth.loop.frames import class_codes
from tilth.numerics.neighbours import Neighbours, k_nearest
from tilth.operators.batch import Batch
from tilth.operators.protocols import Learner
from tilth.operators.registry import spec_of
from tilth.operators.view import View
from tilth.sources import infer_schema, normalise, open_source

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
N_NEIGHBOURS = 20
PEOPLE = ("aggre_label", "random_label1", "random_label2", "random_label3", "worse_label")
NOISE = ("uniform", "class", "feature")


class AbsentError(LookupError):
    """The shared data lacks a set."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """The rows of one set: typed feature columns, their encoding, and the true class of each row."""

    name: str
    table: pa.Table
    schema: Schema
    features: FloatMatrix32
    truth: IntVector

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def n_classes(self) -> int:
        return self.schema.task.n_classes

    def view(self, spec: Spec, needs: frozenset[str], seed: int, **evidence: object) -> View:
        """Return a view with the features and the table, and with whatever else is given."""
        held = {"embeddings": self.features, "table": self.table.drop_columns([ROW_ID])}
        ids = self.table.column(ROW_ID).combine_chunks()
        return View(ids=ids, schema=self.schema, evidence=held | evidence, needs=needs, spec=spec, seed=seed)


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """What a run would know of rows with given labels: out-of-sample predictions and neighbours."""

    pred_probs: Matrix
    neighbours: Neighbours
    learner: Spec


@dataclass(frozen=True, kw_only=True, eq=False)
class Reviewed:
    """Predictions, given labels, and which of the rows that people reviewed they found wrong (three of five votes)."""

    name: str
    pred_probs: Matrix
    labels: IntVector
    rows: IntVector
    wrong: Mask
    neighbours: Neighbours | None


def cifar10() -> tuple[Rows, dict[str, IntVector]]:
    """Return 20,000 train images by their fixed embeddings, and the five sets of labels that people gave."""
    table = pq.read_table(at("cifar10/train_20k.parquet"), columns=["label", *PEOPLE])
    vectors = np.load(at("embeddings/cifar10_train_20k_efficientnet_lite0_pca256.npy"))
    given = {name: np.asarray(table.column(name)).astype(np.intp) for name in PEOPLE}
    return embedded("cifar10", vectors, np.asarray(table.column("label"))), given


def banking77() -> Rows:
    """Return the 10,003 train rows by their fixed embeddings; their labels, taken for true here, hold some errors."""
    labels = pq.read_table(at("banking77/train.parquet"), columns=["category"]).column("category")
    codes = labels.combine_chunks().dictionary_encode()
    order = np.argsort(np.argsort(codes.dictionary.to_pylist()))
    return embedded("banking77", np.load(at("embeddings/banking77_train_minilm384.npy")), order[codes.indices])


def embedded(name: str, vectors: np.ndarray, truth: np.ndarray) -> Rows:
    """Return rows whose only feature column is an embedding."""
    flat = pa.array(vectors.astype(np.float32).ravel())
    cells = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    names = [f"class{c:03d}" for c in range(int(truth.max()) + 1)]
    labels = pa.array(np.asarray(names, dtype=object)[truth], pa.string())
    return encoded(name, pa.table({"vector": cells, "label": labels}), "label", embedding=("vector",))


def table(name: str, path: str, label: str, *, rows: int | None = None, leave: Sequence[str] = ()) -> Rows:
    """Return a table by the repository's own encoders; `rows` draws so many of them by a fixed seed."""
    found = open_source(at(path)).table.drop_columns(list(leave))
    if rows is not None and rows < found.num_rows:
        drawn = np.random.default_rng(0).choice(found.num_rows, rows, replace=False)
        found = found.take(pa.array(np.sort(drawn)))
    return encoded(name, found, label)


def encoded(name: str, found: pa.Table, label: str, *, embedding: Sequence[str] = ()) -> Rows:
    """Return a table's rows: types inferred, cells normalised, features encoded, labels numbered."""
    inferred = infer_schema(found, label=label, embedding=list(embedding))
    schema = inferred.schema
    typed = normalise(found.select([c.name for c in schema.columns]), schema, day_first=inferred.day_first)[0]
    truth, labelled = class_codes(typed, schema)
    kept = typed.filter(pa.array(labelled)).combine_chunks()
    names = [column.name for column in schema.features]
    ids = pa.array([f"r{i:06d}" for i in np.flatnonzero(labelled)])
    columns = {n: _flat(kept.column(n)) for n in names}
    batch = Batch(ids=ids, columns=columns)
    features, _ = encode_table([(c, default_encoder(c)) for c in schema.features], [batch], [batch])
    return Rows(
        name=name,
        table=pa.table({ROW_ID: ids} | columns),
        schema=schema,
        features=features,
        truth=truth[labelled],
    )


def evidence(rows: Rows, given: IntVector, *, seed: int = 0, near: Neighbours | None = None) -> Evidence:
    """Return cross-fitted `pred_probs` of a learner chosen on the given labels, and the neighbours of all rows."""
    target = Target.classes(given, np.ones(len(rows), dtype=bool), rows.n_classes)
    view = rows.view(Spec(room="learning", name="choice"), frozenset({"embeddings", "table"}), seed)
    folds = fold_numbers(view.ids, target, seed=seed)
    learner: Learner = choose(default_learners(rows.schema), view, target, folds).learner
    probs = out_of_sample(learner, view, target, folds)
    return Evidence(pred_probs=probs, neighbours=near or neighbours(rows), learner=spec_of(learner))


def neighbours(rows: Rows) -> Neighbours:
    """Return the nearest other rows by encoded features, as a run finds them."""
    return k_nearest(rows.features, N_NEIGHBOURS, metric="euclidean", exclude_self=True)


def reviewed(name: str) -> Reviewed:
    """Return a test set (`cifar10` or `20news`) of which five people judged the rows that one tool suspected."""
    folder = "label_errors"
    facts = json.loads(at(f"{folder}/{name}_mturk.json").read_text())
    return Reviewed(
        name=name,
        pred_probs=np.load(at(f"{folder}/{name}_test_set_pyx.npy")).astype(np.float64),
        labels=np.load(at(f"{folder}/{name}_test_set_original_labels.npy")).astype(np.intp),
        rows=np.array([entry["id"] for entry in facts]),
        wrong=np.array([entry["mturk"]["given"] < 3 for entry in facts]),
        neighbours=_of_test_images() if name == "cifar10" else None,
    )


def planted(rows: Rows, kind: str, rate: float, seed: int) -> IntVector:
    """Return labels of which a share is wrong, as `kind` says.

    uniform: any row, to any other class. class: any row, to the one class that its class is taken for (a random
    ring through the classes). feature: rows toward one random direction of the features more than others (from never
    to twice the rate, by rank), to the other class whose random direction the row leans to most.
    """
    rng = np.random.default_rng([seed, NOISE.index(kind)])
    n, k, truth = len(rows), rows.n_classes, rows.truth
    chance = np.full(n, rate)
    if kind == "uniform":
        other = (truth + rng.integers(1, k, size=n)) % k
    elif kind == "class":
        ring = rng.permutation(k)
        other = np.roll(ring, -1)[np.argsort(ring)][truth]
    else:
        centred = rows.features - rows.features.mean(axis=0)
        leaning = centred @ rng.standard_normal((centred.shape[1], k + 1))
        chance = 2 * rate * np.argsort(np.argsort(leaning[:, k])) / max(n - 1, 1)
        leaning = leaning[:, :k] / leaning[:, :k].std(axis=0)
        leaning[np.arange(n), truth] = -np.inf
        other = leaning.argmax(axis=1)
    return np.where(rng.random(n) < chance, other, truth).astype(np.intp)


def _of_test_images() -> Neighbours:
    """Neighbours among the cifar10 test images, which stand in the order of the reviewed set."""
    places = np.asarray(pq.read_table(at("cifar10/test_10k.parquet"), columns=["idx"]).column("idx"))
    vectors = np.load(at("embeddings/cifar10_test_10k_efficientnet_lite0_pca256.npy"))[np.argsort(places)]
    return k_nearest(vectors.astype(np.float32), N_NEIGHBOURS, metric="euclidean", exclude_self=True)


def at(path: str) -> Path:
    if not (DATA / path).exists():
        raise AbsentError(f"{path} is not among the shared data: left out")
    return DATA / path


def _flat(column: pa.ChunkedArray) -> pa.Array:
    cells = column.combine_chunks()
    return cells if isinstance(cells, pa.Array) else pa.concat_arrays(cells.chunks)
