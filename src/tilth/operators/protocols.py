"""Verbs: one protocol per kind of operator.

An operator is a frozen, keyword-only dataclass whose fields are its parameters. Its class attributes say what it reads
(`needs`), of which rows (`scope`), and the `revision` of its numbers. Every verb returns values; only the loop writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa

from tilth.core.arrays import FloatMatrix32, IntVector, Matrix, Vector
from tilth.core.draw import Draw
from tilth.core.edit import Edit
from tilth.core.estimate import Estimate
from tilth.core.finding import Finding
from tilth.core.found_slice import FoundSlice
from tilth.core.labelling import Known, Labelling
from tilth.core.rowset import RowSet
from tilth.core.said import Said
from tilth.core.schema import ColumnType, TaskType
from tilth.core.target import Target, TargetKind
from tilth.core.transformed import LabelEffect, Transformed
from tilth.core.values import Values
from tilth.core.votes import Votes
from tilth.numerics.linearised import Linearised
from tilth.operators.batch import Batch
from tilth.operators.view import Scope, View

__all__ = [
    "DataTransform",
    "Detector",
    "Editor",
    "Encoder",
    "Fold",
    "LabelModel",
    "Labeler",
    "Learner",
    "Metric",
    "Model",
    "Operator",
    "Outlyingness",
    "ScoreEstimator",
    "Selector",
    "Slicer",
    "Source",
    "SplitMetric",
    "State",
    "Transform",
    "Valuer",
]

State = Mapping[str, np.ndarray]
"""What a fold leaves behind: named arrays without objects, so that it can be kept and compared."""

Model = Any
"""What a learner's fit returns: opaque to all but that learner; it must pickle."""


class Operator(Protocol):
    """What all operators have."""

    revision: ClassVar[int]


class Source(Protocol):
    """Brings rows in from outside."""

    def read(self) -> pa.Table:
        """Return the rows as Arrow."""
        ...


class Fold(Protocol):
    """Sums up rows block by block; any grouping and order of merges gives the same result."""

    def start(self) -> Any:
        """Return the empty state."""
        ...

    def fold(self, state: Any, batch: Batch) -> Any:
        """Return the state with one block taken in."""
        ...

    def merge(self, left: Any, right: Any) -> Any:
        """Return the state of both."""
        ...

    def finish(self, state: Any) -> State:
        """Return what the map needs."""
        ...


@runtime_checkable
class Encoder(Fold, Protocol):
    """Turns the cells of one column into numbers: a fold over train rows, then a map over all rows."""

    accepts: ClassVar[frozenset[ColumnType]]
    revision: ClassVar[int]

    def encode(self, batch: Batch, state: State) -> FloatMatrix32:
        """Return (n, d) float32 for the batch's rows; d depends on the state only."""
        ...


@runtime_checkable
class Learner(Protocol):
    """A commodity model: settings are chosen once and held; it may read features or raw columns, as `needs` says.

    It may have besides:

    roughly() -> Learner : the same for fits that are only compared, quicker and about as right
    work(n_rows) -> float : floating-point operations of a fit; another learner then stands in where many fits are needed
    proxy(share) -> Learner : the same trained for a share of the time, which screens how rows are varied; where there is `work`
    mixes : bool, whether it can learn from rows that a policy mixes
    """

    needs: ClassVar[frozenset[str]]
    tasks: ClassVar[frozenset[TaskType]]
    accepts: ClassVar[frozenset[TargetKind]]
    revision: ClassVar[int]

    def grid(self) -> Sequence[Learner]:
        """Return the settings among which cross-validation chooses, simplest first."""
        ...

    def prepare(self, view: View) -> Any:
        """Return work that all fits on (edits of) these rows share, or None."""
        ...

    def fit(self, view: View, target: Target, *, prepared: Any = None, start: Model | None = None) -> Model:
        """Return the model fitted to the rows that have a target; `start` speeds up, and changes nothing else."""
        ...

    def predict_proba(self, view: View, model: Model) -> Matrix:
        """Return (n, k) class probabilities, or (n, 1) numbers for regression."""
        ...


@runtime_checkable
class Labeler(Protocol):
    """Says of each row which class it is, or nothing: a map over the columns that it declares."""

    revision: ClassVar[int]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that it reads; () for all that a labeler may read."""
        ...

    def vote(self, batch: Batch) -> Said:
        """Return one class name or null per row of the batch, and the rows on which it failed."""
        ...


@runtime_checkable
class LabelModel(Protocol):
    """Turns the votes of many labelers into one distribution over classes per row."""

    revision: ClassVar[int]

    def fit(self, votes: Votes, known: Known = ...) -> Labelling:
        """Return what the votes say of the labelers; NotApplicable when these votes are not for it."""
        ...

    def predict(self, votes: Votes, labelling: Labelling, known: Known = ...) -> Matrix:
        """Return p(truth | votes), (n, k) rows that sum to 1; rows without a vote get the prior."""
        ...


@runtime_checkable
class Detector(Protocol):
    """Says what is wrong."""

    needs: ClassVar[frozenset[str]]
    scope: ClassVar[Scope]
    revision: ClassVar[int]

    def find(self, view: View) -> Sequence[Finding]:
        """Return findings; an empty list when there is nothing to say; NotApplicable when the data is not for it."""
        ...


@runtime_checkable
class Slicer(Protocol):
    """Discovers groups of rows on which the model does worse."""

    needs: ClassVar[frozenset[str]]
    scope: ClassVar[Scope]
    revision: ClassVar[int]

    def discover(self, view: View) -> Sequence[FoundSlice]:
        """Return what it found, most surely bad first; an empty list when there is nothing; NotApplicable when the data is not for it."""
        ...


@runtime_checkable
class Valuer(Protocol):
    """Says what each row is worth."""

    needs: ClassVar[frozenset[str]]
    scope: ClassVar[Scope]
    revision: ClassVar[int]

    def value(self, view: View) -> Values:
        """Return the worth of each labelled row, higher helps; NotApplicable when the data is not for it."""
        ...


@runtime_checkable
class Editor(Protocol):
    """Proposes a change of train or pool rows; only the loop applies it."""

    needs: ClassVar[frozenset[str]]
    scope: ClassVar[Scope]
    revision: ClassVar[int]

    def strengths(self) -> Sequence[Editor]:
        """Return the variants that are worth trying, weakest first."""
        ...

    def choose(self, view: View) -> RowSet:
        """Return the rows that it would change, most urgent first, with scores."""
        ...

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return its edit; with `rows`, the same rule on these rows of the view (the placebo)."""
        ...


@runtime_checkable
class Transform(Protocol):
    """Changes rows as data may vary: a map over the columns that it accepts, random per row id.

    Two calls with one draw change a row alike, whatever rows stand beside it. Types, shapes and missing cells stay, unless to take
    cells away is what it is for.
    """

    revision: ClassVar[int]

    @property
    def accepts(self) -> frozenset[ColumnType]:
        """The types of columns that it can change."""
        ...

    @property
    def label(self) -> LabelEffect:
        """What it may do to the label: keep it true, mix labels, or make it another one."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that it changes; () for all that it accepts."""
        ...

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows' columns, which rows are changed, and on which it failed; NotApplicable when no column is for it."""
        ...


@runtime_checkable
class DataTransform(Transform, Protocol):
    """A transform that goes by what is usual in the data: a column's spread, its categories, names that occur."""

    def learn(self, train: Batch) -> DataTransform:
        """Return the transform with what it needs to know of train rows as its parameters; the order of rows does not matter."""
        ...


@runtime_checkable
class Selector(Protocol):
    """Chooses rows within a budget."""

    needs: ClassVar[frozenset[str]]
    scope: ClassVar[Scope]
    revision: ClassVar[int]

    def select(self, view: View, budget: int) -> RowSet:
        """Return at most `budget` different rows, best first."""
        ...


@runtime_checkable
class Metric(Protocol):
    """Scores predictions row by row; the split's score is the mean, or if `stratified` the mean of class means."""

    tasks: ClassVar[frozenset[TaskType]]
    stratified: ClassVar[bool]
    revision: ClassVar[int]

    def measure(self, target: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """Return one score per row, higher is better: (n,) labels and (n, k) or (n,) predictions -> (n,)."""
        ...


@runtime_checkable
class SplitMetric(Protocol):
    """Scores a whole split, where the score is no mean of row scores; it reports, and decides no trial."""

    tasks: ClassVar[frozenset[TaskType]]
    revision: ClassVar[int]

    def linearise(self, target: np.ndarray, predicted: np.ndarray) -> Linearised:
        """Return the score with one number per row whose mean it is, higher is better; NotApplicable where it is not defined."""
        ...


@runtime_checkable
class ScoreEstimator(Protocol):
    """Estimates the score on rows without labels, from rows with labels."""

    needs: ClassVar[frozenset[str]]
    revision: ClassVar[int]

    def estimate(self, reference: View, current: View) -> Estimate:
        """Return the mean score to be expected on `current`, whose labels nobody has; NotApplicable when it cannot say."""
        ...


@runtime_checkable
class Outlyingness(Protocol):
    """Says how foreign rows are to those that a model learnt from."""

    needs: ClassVar[frozenset[str]]
    revision: ClassVar[int]

    def outlying(self, reference: View, current: View) -> Vector:
        """Return (n,) of the current rows, higher = more foreign; only their order means something."""
        ...
