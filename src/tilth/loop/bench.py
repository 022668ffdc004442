"""The bench: one version's rows, features and held learner, on which edits are tried in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.apply import apply
from tilth.core.arrays import FloatMatrix32, IntVector, Mask, Matrix, Vector
from tilth.core.edit import Edit
from tilth.core.errors import ConfigError, ContractError, NotApplicable, first_three
from tilth.core.ids import content_sums, digest_of
from tilth.core.names import AUGMENT, ROW_ID, SPLIT, SYSTEM_COLUMNS, TARGET, WEIGHT, Split
from tilth.core.partitions import BLOCK_ROWS
from tilth.core.schema import Schema
from tilth.learning._crossfit import roughly
from tilth.loop.augmented import augmentation_of, with_copies
from tilth.loop.frames import class_codes, numeric_labels, target_of, train_part, train_rows, trusted_of
from tilth.operators.augmenting import Augmentation, BoundPolicy
from tilth.operators.protocols import Learner, Metric, Model
from tilth.operators.registry import spec_of
from tilth.operators.view import View

__all__ = ["Bench", "Judged", "refuse_empty"]

Reencode = Callable[[pa.Table], FloatMatrix32]
Bind = Callable[[str], BoundPolicy]
Keep = Callable[[str, Callable[[], Model]], Model]
MOST_LEFT_OUT = 4
"""Train rows per row of a fit up to which it goes by what was prepared of all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The labelled rows of one split that judge: their storage positions, labels, strata and groups."""

    positions: IntVector
    labels: np.ndarray
    trusted: Mask
    groups: IntVector | None

    def __len__(self) -> int:
        """Number of judging rows."""
        return len(self.positions)

    def only(self, rows: Mask) -> Judged:
        """Return some of the judging rows."""
        groups = None if self.groups is None else np.unique(self.groups[rows], return_inverse=True)[1]
        return Judged(
            positions=self.positions[rows], labels=self.labels[rows], trusted=self.trusted[rows], groups=groups
        )


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Fit and score edits of one version; nothing is written.

    Parameters
    ----------
    table : all rows in storage order: tilth's columns and the label and the feature columns
    features : (n, d) encoded features of the same rows
    learner : the held learner
    metric : the metric that decides
    reencode : rows with feature columns -> their features, for edits that change or add cells
    bind : the policy of a cell -> how rows are varied by it; None where no row is
    keep : runs a fit, or returns the model that it left before, by the digest of all that decides it; for learners whose fits take long
    stand_in : a commodity learner on the features, where the held one is too dear for the many fits that find and screen
    """

    table: pa.Table
    schema: Schema
    features: FloatMatrix32
    learner: Learner
    metric: Metric
    reencode: Reencode
    seed: int = 0
    groups: IntVector | None = None
    bind: Bind | None = None
    keep: Keep | None = None
    stand_in: Learner | None = None
    _memo: dict[str, Any] = field(default_factory=dict)

    @property
    def is_dear(self) -> bool:
        """Whether fits of the held learner take so long that another stands in where many are needed."""
        return self.stand_in is not None

    @cached_property
    def cheap(self) -> Bench:
        """The same version with the learner that stands in; itself where none does."""
        if self.stand_in is None:
            return self
        return replace(self, learner=self.stand_in, stand_in=None, keep=None, _memo={})

    # -- rows ----------------------------------------------------------------------------------------------------------

    @cached_property
    def train(self) -> pa.Table:
        """Train rows, with or without a label."""
        return train_part(self.table)

    @cached_property
    def learnable(self) -> pa.Table:
        """Train and pool rows: what an edit that brings rows in from the pool is made on."""
        inside = pc.is_in(self.table.column(SPLIT), value_set=pa.array([str(Split.TRAIN), str(Split.POOL)]))
        return self.table.filter(inside)

    @cached_property
    def pool(self) -> pa.Table:
        """Rows that wait for a label."""
        return self.learnable.filter(pa.array(~train_rows(self.learnable)))

    def open_to(self, *edits: Edit) -> pa.Table:
        """Return the rows that edits are made on: train rows, with the pool where one of them brings rows in from it."""
        return self.learnable if any(edit.brings_rows for edit in edits) else self.train

    @cached_property
    def train_features(self) -> FloatMatrix32:
        """Features of the train rows: one array, so that what was prepared of it is known again."""
        return self.features[self.train_positions]

    @cached_property
    def train_positions(self) -> IntVector:
        """Storage positions of the train rows."""
        return np.flatnonzero(train_rows(self.table))

    @cached_property
    def train_view(self) -> View:
        """The learner's view of all train rows: what was prepared of it is known again."""
        return self.view(self.train, self.train_features if self.reads_features else None)

    @property
    def reads_features(self) -> bool:
        """Whether the learner reads encoded features; where it reads the columns themselves, none are copied or made for it."""
        return "embeddings" in self.learner.needs

    def features_at(self, positions: IntVector) -> FloatMatrix32:
        """Return the features of rows by their storage positions; those of all train rows stand in memory once."""
        return self.train_features if np.array_equal(positions, self.train_positions) else self.features[positions]

    def labels(self, table: pa.Table) -> tuple[np.ndarray, Mask]:
        """Return labels of rows as the metric reads them, and the mask of rows that have one."""
        if self.schema.task.is_regression:
            return numeric_labels(table, self.schema)
        return class_codes(table, self.schema)

    def judged(self, split: Split) -> Judged:
        """Return the labelled rows of a split that judges."""
        labels, labelled = self.labels(self.table)
        inside = np.asarray(pc.equal(self.table.column(SPLIT), str(split))) & labelled
        rows = np.flatnonzero(inside)
        groups = None if self.groups is None else np.unique(self.groups[rows], return_inverse=True)[1]
        return Judged(positions=rows, labels=labels[rows], trusted=trusted_of(self.table)[rows], groups=groups)

    # -- fitting -------------------------------------------------------------------------------------------------------

    def view(self, table: pa.Table, features: FloatMatrix32 | None, augmentation: Augmentation | None = None) -> View:
        """Return the learner's view of rows: their features and their feature columns, where it reads these."""
        evidence: dict[str, Any] = {} if features is None else {"embeddings": features}
        if "table" in self.learner.needs:
            evidence["table"] = table.select([column.name for column in self.schema.features])
        ids = table.column(ROW_ID)
        return self._view(ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids, evidence, augmentation)

    def _view(self, ids: pa.Array, evidence: Mapping[str, Any], augmentation: Augmentation | None) -> View:
        if augmentation is not None:
            evidence = {**evidence, "augment": augmentation}
        return View(
            ids=ids,
            schema=self.schema,
            evidence=evidence,
            needs=self.learner.needs,
            spec=spec_of(self.learner),
            seed=self.seed,
        )

    @cached_property
    def prepared(self) -> Any:
        """What all fits on edits of these train rows share."""
        return self.learner.prepare(self.train_view)

    @cached_property
    def baseline(self) -> Model:
        """The model fitted to the unedited train rows."""
        return self.fit_train(self.train)

    @cached_property
    def rough(self) -> Bench:
        """The same version for fits that are only compared; what was prepared of its train rows, and its baseline, are shared."""
        learner = roughly(self.learner)
        if learner is self.learner:
            return self
        found = replace(self, learner=learner, keep=None, _memo={})
        shared = ("train", "train_features", "train_positions", "train_view", "prepared", "baseline")
        vars(found).update({name: getattr(self, name) for name in shared})
        return found

    def fit_train(self, train: pa.Table, edits: tuple[Edit, ...] = (), start: Model | None = None) -> Model:
        """Return the model fitted to train rows after edits; rows without a target are left out.

        Where the features of its rows are those of the version, and most train rows are among them, they are neither copied nor
        prepared again. Rows that are varied are handed to a learner that varies them in training; to others as made copies.
        """
        if self.keep is not None:
            return self.keep(self._fit_key(train), lambda: self._fit_train(train, edits, start))
        return self._fit_train(train, edits, start)

    def _fit_train(self, train: pa.Table, edits: tuple[Edit, ...], start: Model | None) -> Model:
        augmentation = None if self.bind is None else augmentation_of(train, self.bind, self.seed)
        if augmentation is not None and augmentation.mix != "none" and not getattr(self.learner, "mixes", False):
            raise ConfigError(
                f"a policy of this version mixes rows, and the learner {spec_of(self.learner).name} cannot learn from mixed rows",
                next_step="take the edit back with tilth revert, or write learner: convnet",
            )
        if augmentation is not None and "augment" not in self.learner.needs:
            return self._fit_copies(train, self.features_of(train, edits), augmentation, start)
        places = None if self._encodes(edits) else self._places(train)
        if places is None:
            return self.fit(train, self.features_of(train, edits), start=start, augmentation=augmentation)
        target = target_of(train, self.schema).among(self.train.num_rows, places)
        view = self.train_view if augmentation is None else self._varied_train(augmentation, places)
        return self.learner.fit(view, target, prepared=self.prepared, start=start)

    def _varied_train(self, augmentation: Augmentation, places: IntVector) -> View:
        """Return the view of all train rows, some of which are varied."""
        plain = self.train_view
        evidence = {"embeddings": self.train_features} if self.reads_features else {}
        evidence |= {"table": plain.table} if "table" in self.learner.needs else {}
        return self._view(plain.ids, evidence, augmentation.among(plain.ids, places))

    def _fit_copies(
        self, train: pa.Table, features: FloatMatrix32 | None, augmentation: Augmentation, start: Model | None
    ) -> Model:
        """Return the model of rows and their made copies, which together count as much as the rows did."""
        rows = with_copies(train, features, augmentation, self.schema, self.reencode)
        return self.fit(rows.table, rows.features, start=start)

    def _fit_key(self, train: pa.Table) -> str:
        """Return the digest of all that decides a fit: the learner, the seed, and the rows with how they are varied."""
        columns = [TARGET, WEIGHT, AUGMENT, self.schema.task.label, *(c.name for c in self.schema.features)]
        there = [name for name in columns if name in train.column_names]
        sums = content_sums(train.select([ROW_ID, *there]), ROW_ID)
        varied = pc.unique(train.column(AUGMENT)).drop_null().to_pylist() if self.bind is not None else []
        policies = sorted(self.bind(text).key for text in varied) if self.bind is not None else []
        learner = spec_of(self.learner).to_dict()
        return digest_of(["model", learner, list(self.schema.task.classes), self.seed, sums, policies])

    def _places(self, train: pa.Table) -> IntVector | None:
        """Return where rows stand among the train rows; None where some do not, in another order, or they are few of these."""
        if MOST_LEFT_OUT * train.num_rows < self.train.num_rows:
            return None
        at = pc.index_in(train.column(ROW_ID), value_set=self.train.column(ROW_ID).combine_chunks())
        places = np.asarray(pc.fill_null(at, -1), dtype=np.intp)
        rises = not len(places) or (places[0] >= 0 and (np.diff(places) > 0).all())
        return places if rises else None

    def _encodes(self, edits: tuple[Edit, ...]) -> bool:
        """Whether edits change or add cells that features are made of."""
        return any(edit.add is not None or any(map(self._is_encoded, edit.set)) for edit in edits)

    def fit(
        self,
        train: pa.Table,
        features: FloatMatrix32 | None,
        start: Model | None = None,
        augmentation: Augmentation | None = None,
    ) -> Model:
        """Return the model fitted to train rows; rows without a target are left out."""
        target = target_of(train, self.schema)
        rows = np.flatnonzero(target.mask)
        if len(rows) < train.num_rows:
            train, features = train.take(pa.array(rows)), None if features is None else features[rows]
            augmentation = None if augmentation is None else augmentation.take(rows)
        view = self.view(train, features, augmentation)
        return self.learner.fit(view, target.take(rows), prepared=self.prepared, start=start)

    def fit_edited(self, *edits: Edit) -> Model:
        """Return the model fitted after edits, started from the baseline."""
        rows = self.open_to(*edits)
        for edit in edits:
            rows = apply(rows, edit)
        train = train_part(rows)
        refuse_empty(self, train)
        return self.fit_train(train, edits, start=self.baseline)

    def features_of(self, train: pa.Table, edits: tuple[Edit, ...]) -> FloatMatrix32 | None:
        """Return the features of edited train rows; rows whose cells an edit changed, or that it added, are encoded anew.

        None where the learner reads none.
        """
        if not self.reads_features:
            return None
        at = pc.index_in(train.column(ROW_ID), value_set=self.table.column(ROW_ID).combine_chunks())
        places, is_new = np.asarray(pc.fill_null(at, -1), dtype=np.intp), self._changed(train, edits)
        if (places[~is_new] < 0).any():
            unknown = train.column(ROW_ID).filter(pa.array((places < 0) & ~is_new)).to_pylist()
            raise ContractError("rows that no edit made are not in this version", where=f"rows {first_three(unknown)}")
        if not is_new.any():
            return self.features[places]
        if is_new.all():
            return self.reencode(train)
        features = np.empty((train.num_rows, self.features.shape[1]), dtype=np.float32)
        known = np.flatnonzero(~is_new)
        for some in (known[first : first + BLOCK_ROWS] for first in range(0, len(known), BLOCK_ROWS)):
            features[some] = self.features[places[some]]
        features[is_new] = self.reencode(train.filter(pa.array(is_new)))
        return features

    def _changed(self, train: pa.Table, edits: tuple[Edit, ...]) -> Mask:
        """Return which train rows have cells that an edit changed, or were added by it, (m,)."""
        rows = [cells.column(ROW_ID) for edit in edits for name, cells in edit.set.items() if self._is_encoded(name)]
        rows += [edit.add.column(ROW_ID) for edit in edits if edit.add is not None]
        if not rows:
            return np.zeros(train.num_rows, dtype=bool)
        names = pa.chunked_array([chunk for ids in rows for chunk in ids.chunks], pa.string()).combine_chunks()
        return np.asarray(pc.is_in(train.column(ROW_ID), value_set=names), dtype=bool)

    def _is_encoded(self, column: str) -> bool:
        return column not in (*SYSTEM_COLUMNS, self.schema.task.label)

    # -- scoring -------------------------------------------------------------------------------------------------------

    def predict(self, model: Model, rows: IntVector) -> Matrix:
        """Return predictions for storage positions: (m, k) probabilities or (m, 1) numbers; a block of rows at a time."""
        if len(rows) > BLOCK_ROWS:
            blocks = [rows[first : first + BLOCK_ROWS] for first in range(0, len(rows), BLOCK_ROWS)]
            return np.concatenate([self.predict(model, block) for block in blocks])
        names = [column.name for column in self.schema.features] if "table" in self.learner.needs else []
        table = self.table.select([ROW_ID, *names]).take(pa.array(rows))
        return self.learner.predict_proba(self.view(table, self.features[rows] if self.reads_features else None), model)

    def scores(self, predicted: Matrix, judged: Judged) -> Vector:
        """Return the metric's score of each judging row."""
        return self.metric.measure(judged.labels, predicted)

    def strata(self, judged: Judged) -> IntVector | None:
        """Return the classes within which row scores are averaged, where the metric asks for it."""
        return judged.labels.astype(np.intp) if self.metric.stratified else None

    def decisions(self, predicted: Matrix) -> np.ndarray:
        """Return what is decided for each row: the class, or the number."""
        return predicted[:, 0] if self.schema.task.is_regression else predicted.argmax(axis=1)


def refuse_empty(bench: Bench, train: pa.Table) -> None:
    """Raise NotApplicable where edits have left no row with a target and a weight: there is nothing to fit."""
    target = target_of(train, bench.schema)
    if not (target.mask & (target.weights > 0)).any():
        raise NotApplicable("it would leave no row to learn from")
