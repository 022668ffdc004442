"""View: a few arrays of some rows at once, and nothing that was not declared.

A whole operator names in `needs` what it reads; the loop computes each piece of evidence when it is first read, once for all
operators. Reading anything else raises, so that a proposer cannot look at what judges it: labels of dev and test rows
are in no view.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa

from tilth.core.arrays import FloatMatrix32, IntVector, Mask, Matrix, Vector, read_only
from tilth.core.errors import ContractError, UndeclaredNeedError
from tilth.core.finding import Finding
from tilth.core.generated import Generated
from tilth.core.labelling import VotedRows
from tilth.core.rng import generator
from tilth.core.schema import Schema
from tilth.core.spec import Spec
from tilth.numerics.neighbours import Neighbours
from tilth.operators.needs import Need

if TYPE_CHECKING:
    from tilth.core.policy import Repertoire
    from tilth.operators.augmenting import Augmentation

__all__ = ["Scope", "View"]

Scope = Literal["train", "all"]
"""train: labelled train rows. all: rows of every split, with the labels of train rows only."""


class View:
    """Read-only arrays of n rows for one operator.

    Parameters
    ----------
    ids : row ids in storage order, (n,) Arrow strings
    schema : columns and task
    evidence : need -> value, or a function without arguments that computes it when first read
    needs : what the operator declared
    spec : the operator, so that findings and draws carry its name
    seed : the run's seed
    common : what views of the same rows share, by key
    """

    def __init__(
        self,
        *,
        ids: pa.Array,
        schema: Schema,
        evidence: Mapping[str, Any],
        needs: frozenset[str],
        spec: Spec,
        seed: int = 0,
        common: dict[Hashable, np.ndarray] | None = None,
    ) -> None:
        self.ids, self.schema, self.spec, self.seed = ids, schema, spec, seed
        self._evidence, self._needs = evidence, needs
        self._common = {} if common is None else common
        self._read: dict[str, Any] = {}

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.ids)

    def has(self, need: Need) -> bool:
        """Whether a declared need is there for this data (a task without classes has no pred_probs)."""
        return need in self._needs and need in self._evidence

    def _get(self, need: str) -> Any:
        if need not in self._needs and not (need == "labelled" and self._needs & {"labels", "numbers"}):
            raise UndeclaredNeedError(
                f"operator {self.spec.name!r} reads {need!r} without declaring it",
                where=f"needs = {sorted(self._needs)}",
                next_step=f"add {need!r} to its `needs`",
            )
        if need not in self._evidence:
            raise ContractError(f"this data has no {need!r}", next_step=f"ask view.has({need!r}) first")
        if need not in self._read:
            value = self._evidence[need]
            value = value() if callable(value) else value
            self._read[need] = read_only(value) if isinstance(value, np.ndarray) else value
        return self._read[need]

    def once(self, name: str, compute: Callable[[], np.ndarray]) -> np.ndarray:
        """Return what the operator itself computes of this view, computed when it is first asked for."""
        key = f"own {name}"
        if key not in self._read:
            self._read[key] = read_only(compute())
        found: np.ndarray = self._read[key]
        return found

    def in_common(self, key: Hashable, compute: Callable[[], np.ndarray]) -> np.ndarray:
        """Return what several operators, or strengths of one, compute alike of these rows, computed when the first of them asks.

        The key must say all that it depends on besides the evidence and the seed.
        """
        if key not in self._common:
            self._common[key] = read_only(compute())
        return self._common[key]

    @property
    def labels(self) -> IntVector:
        """Class numbers (n,); meaningful where `labelled`."""
        labels: IntVector = self._get("labels")
        return labels

    @property
    def numbers(self) -> Vector:
        """Numeric labels (n,); meaningful where `labelled`."""
        numbers: Vector = self._get("numbers")
        return numbers

    @property
    def labelled(self) -> Mask:
        """Rows that have a label which this operator may read."""
        mask: Mask = self._get("labelled")
        return mask

    @property
    def pred_probs(self) -> Matrix:
        """Out-of-sample class probabilities (n, k)."""
        probs: Matrix = self._get("pred_probs")
        return probs

    @property
    def half_probs(self) -> Matrix:
        """Out-of-sample class probabilities (n, k) of models that learnt from half of the rows."""
        probs: Matrix = self._get("half_probs")
        return probs

    @property
    def truth_probs(self) -> Matrix:
        """Probabilities of the true class (n, k), from features and given labels; near the given label where data is clean."""
        probs: Matrix = self._get("truth_probs")
        return probs

    @property
    def predictions(self) -> Vector:
        """Out-of-sample numeric predictions (n,)."""
        values: Vector = self._get("predictions")
        return values

    @property
    def embeddings(self) -> FloatMatrix32:
        """Encoded features (n, d)."""
        features: FloatMatrix32 = self._get("embeddings")
        return features

    @property
    def neighbours(self) -> Neighbours:
        """Nearest other rows of each row."""
        neighbours: Neighbours = self._get("neighbours")
        return neighbours

    @property
    def table(self) -> pa.Table:
        """The user's columns without the label."""
        return self._get("table")

    @property
    def splits(self) -> np.ndarray:
        """Split of each row as text."""
        splits: np.ndarray = self._get("splits")
        return splits

    @property
    def trusted(self) -> Mask:
        """Rows whose label a person confirmed."""
        mask: Mask = self._get("trusted")
        return mask

    @property
    def weights(self) -> Vector:
        """Training weights (n,)."""
        weights: Vector = self._get("weights")
        return weights

    @property
    def times(self) -> np.ndarray:
        """Time of each row as int64 microseconds."""
        times: np.ndarray = self._get("times")
        return times

    @property
    def groups(self) -> IntVector:
        """Group code of each row."""
        groups: IntVector = self._get("groups")
        return groups

    @property
    def findings(self) -> Mapping[str, Finding]:
        """Findings of this version by kind."""
        findings: Mapping[str, Finding] = self._get("findings")
        return findings

    @property
    def source(self) -> Mapping[str, Any]:
        """Facts about the source as a whole."""
        facts: Mapping[str, Any] = self._get("source")
        return facts

    @property
    def votes(self) -> VotedRows:
        """What votes come to for each row."""
        voted: VotedRows = self._get("votes")
        return voted

    @property
    def label_sets(self) -> Mask:
        """Classes that an open label may be (n, k); all False where the label is known, or nobody gave one."""
        sets: Mask = self._get("label_sets")
        return sets

    @property
    def scores(self) -> Vector:
        """The metric's score of each row's out-of-sample prediction (n,), higher is better."""
        scores: Vector = self._get("scores")
        return scores

    @property
    def slices(self) -> Mapping[str, Vector]:
        """Slice -> membership (n,) in [0, 1]; the slice that is worst off stands first."""
        slices: Mapping[str, Vector] = self._get("slices")
        return slices

    @property
    def transforms(self) -> Repertoire:
        """What there is to vary rows by."""
        repertoire: Repertoire = self._get("transforms")
        return repertoire

    @property
    def augment(self) -> Augmentation:
        """How the rows are varied in training."""
        augmentation: Augmentation = self._get("augment")
        return augmentation

    @property
    def made(self) -> Mask:
        """Rows that an edit made."""
        made: Mask = self._get("made")
        return made

    @property
    def encode(self) -> Callable[[pa.Table], FloatMatrix32]:
        """A function that encodes rows of feature columns as `embeddings` are."""
        encode: Callable[[pa.Table], FloatMatrix32] = self._get("encode")
        return encode

    @property
    def generated(self) -> Mapping[str, Generated]:
        """Generator -> the rows that it made, not yet judged."""
        generated: Mapping[str, Generated] = self._get("generated")
        return generated

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 for regression."""
        return self.schema.task.n_classes

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names; class number = position."""
        return self.schema.task.classes

    @property
    def rng(self) -> np.random.Generator:
        """A fresh generator for this operator: the same draws whenever it is asked for."""
        return generator(self.seed, self.spec.room, self.spec.name)

    def take_ids(self, rows: IntVector | Mask) -> pa.Array:
        """Return the ids of some rows, in the order given; those of all rows in their order are not copied."""
        positions = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        if len(positions) == len(self) and bool((positions == np.arange(len(self))).all()):
            return self.ids
        return self.ids.take(pa.array(positions, pa.int64()))

    def finding(
        self,
        kind: str,
        severity: Vector,
        *,
        flagged: Mask,
        summary: str,
        threshold: str = "",
        suggestion: str = "",
        evidence: Mapping[str, Any] | None = None,
        columns: tuple[str, ...] = (),
    ) -> Finding:
        """Make a finding about this view's rows; severity is clipped to [0, 1]."""
        return Finding(
            kind=kind,
            operator=self.spec,
            ids=self.ids,
            severity=np.clip(np.asarray(severity, dtype=np.float64), 0.0, 1.0),
            flagged=np.asarray(flagged, dtype=bool),
            summary=summary,
            threshold=threshold,
            suggestion=suggestion,
            evidence=dict(evidence or {}),
            columns=columns,
        )

    def column_finding(
        self,
        kind: str,
        columns: tuple[str, ...],
        *,
        level: float,
        summary: str,
        threshold: str = "",
        suggestion: str = "",
    ) -> Finding:
        """Make a finding about columns."""
        return Finding(
            kind=kind,
            operator=self.spec,
            summary=summary,
            threshold=threshold,
            suggestion=suggestion,
            columns=columns,
            level=level,
        )
