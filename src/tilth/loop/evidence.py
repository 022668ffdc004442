"""Evidence of one version: computed when an operator first reads it, once for all of them, and kept by content.

Views are cut from here. Labels of dev and test rows are in none of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import Arrays, FloatMatrix32, IntVector, Mask, Vector, read_only, rows_of
from tilth.core.dataset import Dataset
from tilth.core.errors import NotApplicable, TilthError
from tilth.core.finding import Finding
from tilth.core.generated import Generated
from tilth.core.ids import digest_of
from tilth.core.labelling import VotedRows
from tilth.core.names import PARENTS, ROW_ID, SPLIT, TRUSTED, WEIGHT, Split
from tilth.core.policy import Repertoire
from tilth.core.schema import Role, Schema
from tilth.core.target import Target
from tilth.learning._crossfit import fold_numbers
from tilth.loop._split_plan import ROW_ORDER
from tilth.loop.frames import class_codes, made_rows, numeric_labels, standing_together, trusted_of, weights_of
from tilth.numerics.denoising import denoise
from tilth.numerics.near_cells import MOST_EXACT, k_near
from tilth.numerics.near_lists import FEWEST, SPARE, NearLists, near_lists, origin_of, renewed, vector_digests
from tilth.numerics.neighbours import Neighbours
from tilth.operators.registry import spec_of
from tilth.operators.view import Scope, View

Cells = TypeVar("Cells", pa.Array, pa.Table)

__all__ = ["N_NEIGHBOURS", "EvidenceBase", "group_codes", "row_times"]

N_NEIGHBOURS = 20
MISSING_TIME = np.iinfo(np.int64).min
MOST_DENOISED = 200_000_000
"""Rows times features times classes up to which p(truth) is learnt: about a minute."""
FEWEST_DENOISED = 50
PENALTY = 1.0
"""Of the linear model behind p(truth); features have a mean squared length near 1."""


def _nothing_kept(name: str, compute: Callable[[Arrays | None], Arrays]) -> Arrays:
    del name
    return compute(None)


@dataclass(frozen=True, slots=True)
class _Refused:
    """Stands for evidence that could not be computed."""

    error: TilthError


@dataclass(kw_only=True)
class EvidenceBase:
    """Everything that views of one version can be cut from.

    Parameters
    ----------
    dataset : the version
    features : (n, d) encoded features of all rows
    out_of_sample : gives (n_train, k) out-of-sample predictions for the labelled train rows, computed on first use
    half_sample : gives the same by models that learnt from half of the rows; None where predictions are the user's own
    remember : runs a computation, or returns its kept result: (name of the evidence, columns read, function) -> arrays
    voted : gives what the labelers' votes come to for all rows, computed on first use; None where there are no labelers
    score : scores rows, (n,) labels and (n, k) predictions -> (n,), higher is better; None where no metric is known
    sliced : gives how far all rows belong to each slice, the worst slice first; None where there are none
    varied : gives what rows may be varied by while a learner trains; None where nothing is known of it
    open_sets : gives the rows whose label a migration left open, and their possible classes; None where nothing was migrated
    renew : runs a computation on what it last returned for any version, or None: (name, function) -> arrays; what was there before
        may save work, and must not change the result
    encode : encodes rows that are not there yet, by a table of `_tilth_id` and feature columns
    generated : gives what declared generators made, computed on first use; None where none is declared
    features_at : gives the features of rows by their storage positions; by default those are copied
    """

    dataset: Dataset
    features: FloatMatrix32
    out_of_sample: Callable[[], np.ndarray]
    remember: Callable[[str, tuple[str, ...], Callable[[], Arrays]], Arrays]
    renew: Callable[[str, Callable[[Arrays | None], Arrays]], Arrays] = _nothing_kept
    half_sample: Callable[[], np.ndarray] | None = None
    features_at: Callable[[IntVector], FloatMatrix32] | None = None
    source: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    voted: Callable[[], VotedRows] | None = None
    open_sets: Callable[[], tuple[IntVector, Mask]] | None = None
    score: Callable[[np.ndarray, np.ndarray], Vector] | None = None
    sliced: Callable[[], Mapping[str, Vector]] | None = None
    varied: Callable[[], Repertoire] | None = None
    encode: Callable[[pa.Table], FloatMatrix32] | None = None
    generated: Callable[[], Mapping[str, Generated]] | None = None
    findings: dict[str, Finding] = field(default_factory=dict)
    _cache: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def schema(self) -> Schema:
        """The version's schema."""
        return self.dataset.schema

    def labelled_train(self) -> IntVector:
        """Storage positions of train rows that have a label, in order."""
        _, labelled = self._labels()
        return np.flatnonzero(self.dataset.mask(Split.TRAIN) & labelled)

    def view(self, operator: Any) -> View:
        """Return an operator's view: the rows of its scope, and suppliers of what it needs."""
        scope: Scope = operator.scope
        rows = self.rows_of(scope)
        return View(
            ids=self._once(scope, "ids", lambda: self._some(self.dataset.row_ids, rows)),
            schema=self.schema,
            evidence=self._suppliers(scope, rows),
            needs=operator.needs,
            spec=spec_of(operator),
            seed=self.seed,
            common=self._cache.setdefault((scope, "in common"), {}),
        )

    def forget(self, scope: Scope, *needs: str) -> None:
        """Let go of what was computed of a scope's rows, or of some needs: who asks again gets it from the store, or computed anew."""
        kept = [(where, need) for where, need in self._cache if where != scope or (needs and need not in needs)]
        self._cache = {key: self._cache[key] for key in kept}

    def readable(self, train: IntVector) -> np.ndarray:
        """Return the labels of labelled train rows, as the metric reads them; (r,) storage positions -> (r,)."""
        labels: np.ndarray = self._labels()[0][train]
        return labels

    def rows_of(self, scope: Scope) -> IntVector:
        """Return the storage positions of a scope's rows."""
        if scope == "train":
            return self.labelled_train()
        return np.arange(self.dataset.n_rows)

    def _suppliers(self, scope: Scope, rows: IntVector) -> dict[str, Callable[[], Any]]:
        def once(name: str, compute: Callable[[], Any]) -> Callable[[], Any]:
            return lambda: self._once(scope, name, compute)

        suppliers = {
            "labelled": once("labelled", lambda: self._readable_labels()[rows]),
            "embeddings": once("embeddings", lambda: self._features_of(scope, rows)),
            "neighbours": once("neighbours", lambda: self._neighbours(scope, rows)),
            "table": once("table", lambda: self._table(rows)),
            "splits": once("splits", lambda: self.dataset.splits[rows]),
            "trusted": once("trusted", lambda: trusted_of(self.dataset.read(TRUSTED))[rows]),
            "weights": once("weights", lambda: weights_of(self.dataset.read(WEIGHT))[rows]),
            "made": once("made", lambda: made_rows(self.dataset.read(PARENTS))[rows]),
            "findings": lambda: MappingProxyType(self.findings),
            "source": lambda: self.source,
        }
        if self.encode is not None:
            suppliers["encode"] = lambda: self._encoded
        if self.generated is not None:
            suppliers["generated"] = once("generated", self.generated)
        if self.voted is not None:
            voted = self.voted
            suppliers["votes"] = once("votes", lambda: voted().take(rows))
        if self.sliced is not None:
            suppliers["slices"] = lambda: self._slices(scope, rows)
        if self.varied is not None:
            suppliers["transforms"] = once("transforms", self.varied)
        if self.open_sets is not None:
            suppliers["label_sets"] = once("label_sets", lambda: self._label_sets()[rows])
        if self.schema.task.is_regression:
            suppliers["numbers"] = once(
                "numbers", lambda: np.where(self._readable_labels(), self._labels()[0], 0.0)[rows]
            )
        else:
            suppliers["labels"] = once("labels", lambda: np.where(self._readable_labels(), self._labels()[0], 0)[rows])
        if scope == "train":
            name = "predictions" if self.schema.task.is_regression else "pred_probs"
            suppliers[name] = once(name, self._predictions)
            if self.score is not None:
                suppliers["scores"] = once("scores", self._scores)
            if not self.schema.task.is_regression:
                suppliers["truth_probs"] = once("truth_probs", self._truth_probs)
                if self.half_sample is not None:
                    suppliers["half_probs"] = once("half_probs", self.half_sample)
        times = row_times(self.dataset, by_order=self.source.get("time") == ROW_ORDER)
        if times is not None:
            suppliers["times"] = once("times", lambda: times[rows])
        groups = group_codes(self.dataset)
        if groups is not None:
            suppliers["groups"] = once("groups", lambda: groups[rows])
        return suppliers

    def _slices(self, scope: Scope, rows: IntVector) -> Mapping[str, Vector]:
        """Return how far a scope's rows belong to each slice known by now; views of the same slices share the arrays."""
        assert self.sliced is not None
        known = dict(self.sliced())
        before, found = self._cache.get((scope, "slices"), ({}, None))
        if found is None or list(before) != list(known) or any(before[name] is not known[name] for name in known):
            found = MappingProxyType({name: read_only(rows_of(far, rows)) for name, far in known.items()})
            self._cache[scope, "slices"] = known, found
            self._cache.get((scope, "in common"), {}).clear()
        return cast("Mapping[str, Vector]", found)

    def _once(self, scope: str, name: str, compute: Callable[[], Any]) -> Any:
        """Return a piece of evidence, computed when it is first read; what refused to be computed refuses again."""
        if (scope, name) not in self._cache:
            try:
                self._cache[scope, name] = compute()
            except TilthError as refusal:
                self._cache[scope, name] = _Refused(refusal)
        found = self._cache[scope, name]
        if isinstance(found, _Refused):
            raise found.error
        return found

    def _labels(self) -> tuple[np.ndarray, Mask]:
        table = self.dataset.read(self.schema.task.label)
        read = numeric_labels if self.schema.task.is_regression else class_codes
        return self._once("all", "raw labels", lambda: read(table, self.schema))  # type: ignore[no-any-return]

    def _readable_labels(self) -> Mask:
        """Rows whose label an operator may read: never those of dev and test."""
        return self._labels()[1] & self.dataset.mask(Split.TRAIN, Split.POOL)

    def _encoded(self, table: pa.Table) -> FloatMatrix32:
        assert self.encode is not None
        names = [column.name for column in self.schema.features]
        ids = pa.array([f"new {row}" for row in range(table.num_rows)], pa.string())
        kinds = self.dataset.read(*names).schema
        return self.encode(table.select(names).cast(kinds).add_column(0, ROW_ID, ids))

    def _label_sets(self) -> Mask:
        assert self.open_sets is not None
        rows, sets = self.open_sets()
        found = np.zeros((self.dataset.n_rows, self.schema.task.n_classes), dtype=bool)
        found[rows] = sets
        return found

    def _predictions(self) -> np.ndarray:
        predicted = self.out_of_sample()
        return predicted[:, 0] if self.schema.task.is_regression else predicted

    def _scores(self) -> Vector:
        assert self.score is not None
        return self.score(self.readable(self.labelled_train()), self.out_of_sample())

    def _truth_probs(self) -> np.ndarray:
        rows, k = self.labelled_train(), self.schema.task.n_classes
        if len(rows) * self.features.shape[1] * k > MOST_DENOISED:
            raise NotApplicable(
                f"{len(rows):,} rows of {self.features.shape[1]:,} features in {k} classes: telling noise from overlap takes too long"
            )
        columns = (ROW_ID, SPLIT, self.schema.task.label, *(c.name for c in self.schema.features))
        return self.remember("truth", columns, lambda: {"truth": self._denoised(rows)})["truth"]

    def _denoised(self, rows: IntVector) -> np.ndarray:
        """Return p(truth | features, given label) of train rows; equal rows stand in one fold.

        Rows that were made are copies of sorts of their parents, and would tell the parents' labels: their own label is what they are.
        """
        made = made_rows(self.dataset.read(PARENTS))[rows]
        if made.any():
            truth = np.eye(self.schema.task.n_classes)[self._labels()[0][rows].astype(np.intp)]
            truth[~made] = self._denoised(rows[~made])
            return truth
        labels = self._labels()[0][rows].astype(np.intp)
        if len(rows) < FEWEST_DENOISED or (labels == labels[0]).all():
            raise NotApplicable(f"fewer than {FEWEST_DENOISED} labelled rows, or one class: there is no noise to learn")
        groups = group_codes(self.dataset)
        names = [column.name for column in self.schema.features]
        together = standing_together(
            None if groups is None else groups[rows], lambda: self.dataset.read(*names).take(pa.array(rows))
        )
        target = Target.classes(labels, np.ones(len(rows), dtype=bool), self.schema.task.n_classes)
        folds = fold_numbers(self.dataset.row_ids.take(pa.array(rows)), target, groups=together, seed=self.seed)
        return denoise(self.features[rows], labels, folds, self.schema.task.n_classes, PENALTY).truth

    def _neighbours(self, scope: Scope, rows: IntVector) -> Neighbours:
        columns = (ROW_ID, SPLIT, *(c.name for c in self.schema.features))
        name = f"neighbours:{scope}:{N_NEIGHBOURS}{self._left_out(scope, rows)}"
        arrays = self.remember(name, columns, lambda: self._nearest(scope, rows))
        return Neighbours(arrays["positions"], arrays["distances"], exact=bool(arrays.get("exact", True)))

    def _left_out(self, scope: Scope, rows: IntVector) -> str:
        """Return the digest of a scope's rows where some train rows have no label; "" where the columns say which rows they are."""
        if scope == "all" or len(rows) == int(self.dataset.mask(Split.TRAIN).sum()):
            return ""
        return ":" + digest_of([hashlib.blake2b(np.ascontiguousarray(rows).tobytes(), digest_size=16).hexdigest()])

    def _features_of(self, scope: Scope, rows: IntVector) -> FloatMatrix32:
        if scope == "all":  # all rows stand in their order
            return self.features
        return self.features[rows] if self.features_at is None else self.features_at(rows)

    def _nearest(self, scope: Scope, rows: IntVector) -> Arrays:
        features, k = self._features_of(scope, rows), min(N_NEIGHBOURS, max(len(rows) - 1, 1))
        if FEWEST <= len(rows) <= MOST_EXACT:
            lists = self.renew(f"near lists:{scope}", lambda before: _near_lists(before, features))
            return {name: lists[name][:, :k] for name in ("positions", "distances")}
        found = k_near(features, k, metric="euclidean")
        facts = {"positions": np.asarray(found.positions), "distances": np.asarray(found.distances)}
        return facts if found.exact else facts | {"exact": np.array(False)}

    def _table(self, rows: IntVector) -> pa.Table:
        names = [name for name in self.schema.names if name != self.schema.task.label]
        table = self.dataset.read(*names) if names else pa.table({})
        return self._some(table, rows)

    def _some(self, cells: Cells, rows: IntVector) -> Cells:
        """Return some rows of a table or a column, in storage order; all of them are not copied."""
        return cells if len(rows) == len(cells) == self.dataset.n_rows else cells.take(pa.array(rows))


def _near_lists(before: Arrays | None, features: FloatMatrix32) -> Arrays:
    """Return the lists of nearest rows, mended where there are lists of rows that mostly are the same."""
    digests = vector_digests(features)
    if before is None or before["positions"].shape[1] != N_NEIGHBOURS + SPARE:
        lists = near_lists(features, N_NEIGHBOURS)
    else:
        known = NearLists(before["positions"], before["distances"], before["reach"])
        lists = renewed(known, origin_of(before["digests"], digests), features, N_NEIGHBOURS)
    return {"positions": lists.positions, "distances": lists.distances, "reach": lists.reach, "digests": digests}


def row_times(dataset: Dataset, *, by_order: bool = False) -> np.ndarray | None:
    """Return the time of each row as int64 microseconds (missing = int64 minimum), or None without a time column.

    By order, it is the place in the storage order, which is the order of the source; rows that a changed source has more come
    after those that were there. Rows that an edit made have no place in it.
    """
    if by_order:
        is_made = np.asarray(pc.is_valid(dataset.read(PARENTS).column(0)))
        return np.where(is_made, MISSING_TIME, np.arange(dataset.n_rows))
    name = dataset.schema.first(Role.TIME)
    if name is None:
        return None
    column = dataset.read(name).column(0)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us")).cast(pa.int64())
    elif not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return None
    return np.asarray(pc.fill_null(column.cast(pa.int64(), safe=False), int(MISSING_TIME)))


def group_codes(dataset: Dataset) -> IntVector | None:
    """Return the group code of each row, or None without a group column; rows without a group stand alone."""
    name = dataset.schema.first(Role.GROUP)
    if name is None:
        return None
    codes = dataset.read(name).column(0).combine_chunks().cast(pa.string()).dictionary_encode()
    indices = np.asarray(pc.fill_null(codes.indices, -1)).astype(np.intp)
    alone = indices < 0
    indices[alone] = len(codes.dictionary) + np.arange(alone.sum())
    return indices
