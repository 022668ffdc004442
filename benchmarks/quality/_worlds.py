"""Worlds for the benchmarks of verdicts: rows of a known law on a bench in memory, editors that know nothing, and one that knows all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from scipy import stats

from tilth.core.arrays import FloatMatrix32, IntVector, Mask, Matrix, Vector
from tilth.core.dataset import Dataset
from tilth.core.draw import Draw
from tilth.core.edit import Edit
from tilth.core.ids import cell_digests, digest_of
from tilth.core.names import SPLIT, Split
from tilth.core.policy import Repertoire, Variation
from tilth.core.recipe import Recipe
from tilth.core.rowset import RowSet
from tilth.core.schema import Column, ColumnType, Role, Schema, Task, TaskType
from tilth.evaluation.accuracy import Accuracy
from tilth.learning._crossfit import fold_numbers, out_of_sample
from tilth.learning.linear import Linear
from tilth.loop.arena import Arena, Settings
from tilth.loop.bench import Bench
from tilth.loop.evidence import EvidenceBase
from tilth.loop.frames import target_of
from tilth.loop.guards import GuardedSlice, guarded_slices
from tilth.loop.halves import half_of
from tilth.loop.ledger import Ledger
from tilth.loop.scoring import confident_dev_joint
from tilth.operators.protocols import Model
from tilth.operators.view import Scope, View
from tilth.testing.worlds import system_columns

Noise = Literal["uniform", "class", "region"]


# -- laws --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """How rows and their given labels come about.

    linear: k normal classes, on which the linear learner is the right one. quadratic: 1[x0 + x1² > 1], on which it is not.
    apart: the classes of the slice, a sixth of the rows, lie along features that say nothing of them elsewhere.
    """

    name: str
    k: int = 2
    d: int = 6
    distance: float = 2.0
    quadratic: bool = False
    apart: bool = False
    noise: Noise = "uniform"
    rate: float = 0.0

    def rows(self, n: int, rng: np.random.Generator) -> tuple[Matrix, IntVector]:
        """Draw features (n, d) and the truth (n,)."""
        if self.quadratic:
            x = rng.standard_normal((n, self.d))
            return x, (x[:, 0] + x[:, 1] ** 2 > 1).astype(np.intp)
        truth = rng.integers(0, self.k, n)
        x = rng.standard_normal((n, self.d))
        first = np.where(in_slice(x) & self.apart, self.k, 0)
        return x + self.distance * np.eye(2 * self.k, self.d)[truth + first], truth

    def given(self, x: Matrix, truth: IntVector, rng: np.random.Generator, rate: float | None = None) -> IntVector:
        """Draw given labels; `rate` of them are wrong: anywhere, in every second class, or where the last feature is positive.

        No more than 45 % of a class or of a region are wrong, so that the truth prevails in it.
        """
        rate = self.rate if rate is None else rate
        here = {"uniform": rate, "class": 2 * rate * (truth % 2 == 0), "region": 2 * rate * (x[:, -1] > 0)}[self.noise]
        wrong = rng.random(len(x)) < np.minimum(here, 0.45)
        step = 1 if self.noise == "class" else rng.integers(1, self.k, len(x))
        return np.where(wrong, (truth + step) % self.k, truth).astype(np.intp)


def in_slice(x: Matrix) -> Mask:
    """Return the rows of the slice of a world: a sixth, by the last feature, which tells nothing of the truth."""
    return np.asarray(x[:, -1] > 1.0)


LAWS = {
    "linear": Law(name="linear", d=20),
    "overlapping": Law(name="overlapping", d=20, distance=0.7),
    "four classes": Law(name="four classes", k=4, d=20),
    "quadratic": Law(name="quadratic", d=10, quadratic=True),
}


# -- worlds on a bench -------------------------------------------------------------------------------------------------


class Log:
    """The records of a repository, kept in memory."""

    def __init__(self) -> None:
        self._kept: dict[str, list[Any]] = {}

    def record(self, kind: str, body: Any) -> None:
        """Keep a fact as it would be written."""
        self._kept.setdefault(kind, []).append(json.loads(json.dumps(body)))

    def records(self, kind: str) -> list[Any]:
        """Return the facts of a kind, oldest first."""
        return list(self._kept.get(kind, []))


@dataclass(frozen=True, kw_only=True)
class World:
    """Rows of a law in train and dev splits, with their truth, on a bench with the linear learner."""

    law: Law
    dataset: Dataset
    features: FloatMatrix32
    truth: IntVector
    bench: Bench
    seed: int
    slices: Mapping[str, Mask] = field(default_factory=dict)
    """Rows (n,) of the slices that cures may aim at."""

    @cached_property
    def pred_probs(self) -> Matrix:
        """Out-of-sample predictions of the train rows."""
        return self._predicted(halved=False)

    def _predicted(self, *, halved: bool) -> Matrix:
        """Return out-of-sample predictions of the train rows by models of all rows, or of half of them."""
        table = self.bench.table.take(pa.array(self.train))
        target = target_of(table, self.bench.schema)
        view = self.bench.view(table, self.features[self.train])
        folds = fold_numbers(view.ids, target, seed=self.seed)
        target = target.only(half_of(table, target, seed=self.seed)) if halved else target
        return np.asarray(out_of_sample(self.bench.learner, view, target, folds))

    @property
    def train(self) -> IntVector:
        """Storage positions of train rows."""
        return np.flatnonzero(self.dataset.mask(Split.TRAIN))

    def evidence(self, pred_probs: Matrix | None = None) -> EvidenceBase:
        """Return the evidence that editors see, with their own or with other out-of-sample predictions."""
        memo: dict[str, Any] = {}

        def remember(name: str, _: tuple[str, ...], compute: Callable[[], Any]) -> Any:
            return memo[name] if name in memo else memo.setdefault(name, compute())

        return EvidenceBase(
            dataset=self.dataset,
            features=self.features,
            out_of_sample=lambda: self.pred_probs if pred_probs is None else pred_probs,
            half_sample=lambda: self._predicted(halved=True),
            encode=self.bench.reencode,
            varied=lambda: Repertoire(changes={"nudge": Variation(kinds=frozenset({"number"}))}, vary=_nudged),
            remember=remember,
            score=_is_right if self.slices else None,
            sliced=(lambda: self._memberships) if self.slices else None,
            seed=self.seed,
        )

    @cached_property
    def _memberships(self) -> dict[str, Vector]:
        return {name: far.astype(float) for name, far in self.slices.items()}

    def arena(self) -> Arena:
        """Return the arena of a first run on this world."""
        judged = self.bench.judged(Split.DEV)
        goals = {name: rows[judged.positions] for name, rows in self.slices.items()}
        watched = [GuardedSlice(name=name, rows=rows) for name, rows in goals.items()]
        memo: dict[str, dict[str, np.ndarray]] = {}
        return Arena(
            bench=self.bench,
            judged=judged,
            slices=(*guarded_slices(self.bench, judged, pa.table({})), *watched),
            goals=goals,
            ledger=Ledger(Log()),  # type: ignore[arg-type]
            settings=Settings(seed=self.seed),
            parent="in memory",
            joint=confident_dev_joint(self.bench, judged),
            remember=lambda key, compute: memo[key] if key in memo else memo.setdefault(key, compute()),
            context=digest_of([self.dataset.content_id, self.seed]),
        )

    def stacked(self, edits: Sequence[Edit], x: Matrix) -> Iterator[tuple[IntVector, IntVector]]:
        """Yield what is decided for rows of features below and with each edit, on top of those before it."""
        below = self.decisions(self.bench.baseline, x)
        for number in range(1, len(edits) + 1):
            stack = Recipe(tuple(edits[:number]))
            after = self.decisions(self.bench.fit_edited(*stack.replay(self.bench.open_to(*stack.edits)).edits), x)
            yield below, after
            below = after

    def decisions(self, model: Model, x: Matrix) -> IntVector:
        """Return the class that a model decides for each row of features."""
        ids = pa.nulls(len(x), pa.string())
        needs = self.bench.learner.needs
        view = View(
            ids=ids,
            schema=self.bench.schema,
            evidence={"embeddings": x.astype(np.float32)},
            needs=needs,
            spec=None,  # type: ignore[arg-type]
        )
        return np.asarray(self.bench.learner.predict_proba(view, model).argmax(axis=1))


def _is_right(labels: np.ndarray, probs: np.ndarray) -> Vector:
    return np.asarray(probs.argmax(axis=1) == labels, dtype=np.float64)


def _nudged(policy: str, ids: pa.Array, columns: Mapping[str, pa.Array], draw: int) -> Mapping[str, pa.Array]:
    """Return rows whose numbers moved by a tenth of what they spread, by row id and draw."""
    moves = Draw(seed=0, step=("nudged", policy, draw)).several(cell_digests(ids), len(columns)) - 0.5
    return {
        name: pa.array(np.asarray(cells) + 0.35 * np.std(np.asarray(cells)) * moves[:, place])
        for place, (name, cells) in enumerate(columns.items())
    }


def world_of(law: Law, *, n_train: int, n_dev: int, seed: int, clean_dev: bool = False) -> World:
    """Draw a world; train and dev labels are equally dirty, unless dev is clean."""
    rng = np.random.default_rng([41, seed, n_train, n_dev])
    x, truth = law.rows(n_train + n_dev, rng)
    given = law.given(x, truth, rng)
    if clean_dev:
        given[n_train:] = truth[n_train:]
    names = np.array([f"class{c}" for c in range(law.k)], dtype=object)
    columns = [Column(name=f"x{j}", type=ColumnType.NUMBER) for j in range(law.d)]
    label = Column(name="label", type=ColumnType.CATEGORY, role=Role.LABEL)
    kind = TaskType.BINARY if law.k == 2 else TaskType.MULTICLASS
    schema = Schema(columns=(*columns, label), tasks=(Task(type=kind, label="label", classes=tuple(names)),))
    cells = {f"x{j}": pa.array(x[:, j]) for j in range(law.d)} | {"label": pa.array(names[given], pa.string())}
    ids, splits = pa.array([f"r{i:06d}" for i in range(len(x))]), pa.array(["train"] * n_train + ["dev"] * n_dev)
    table = pa.table(cells | system_columns(ids, splits, law.k))
    assert table.column(SPLIT).null_count == 0
    features = x.astype(np.float32)

    def reencode(rows: pa.Table) -> FloatMatrix32:
        return np.column_stack([np.asarray(rows.column(c.name)) for c in columns]).astype(np.float32)

    bench = Bench(
        table=table,
        schema=schema,
        features=features,
        learner=Linear(penalty=1.0),
        metric=Accuracy(),
        reencode=reencode,
        seed=seed,
    )
    return World(law=law, dataset=Dataset.of(table, schema), features=features, truth=truth, bench=bench, seed=seed)


# -- editors that know nothing, and one that knows everything ----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomEdit:
    """Drops rows drawn at random, or gives them another class at random."""

    drops: bool = True
    rows: int = 50
    seed: int = 0
    needs: ClassVar[frozenset[str]] = frozenset({"labels"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def strengths(self) -> Sequence[RandomEdit]:
        """One."""
        return (self,)

    def choose(self, view: View) -> RowSet:
        """Random rows."""
        return RowSet(ids=view.ids, reason="at random")

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Draw the rows, unless they are given."""
        rng = np.random.default_rng([43, self.seed])
        rows = rng.choice(len(view), self.rows, replace=False) if rows is None else rows
        if self.drops:
            return Edit.removing(view.take_ids(rows), operator=view.spec, reason="at random")
        return relabelled(view, rows, (view.labels[rows] + rng.integers(1, view.n_classes, len(rows))) % view.n_classes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Oracle:
    """Gives rows their true class: those that are wrong, or any that are named."""

    truth: tuple[int, ...]
    share: float = 1.0
    needs: ClassVar[frozenset[str]] = frozenset({"labels"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def strengths(self) -> Sequence[Oracle]:
        """One."""
        return (self,)

    def choose(self, view: View) -> RowSet:
        """All rows."""
        return RowSet(ids=view.ids, reason="so it is")

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Mend the first `share` of the wrong labels in row order."""
        truth = np.array(self.truth, dtype=np.intp)
        if rows is None:
            wrong = np.flatnonzero(truth != view.labels)
            rows = wrong[: round(self.share * len(wrong))]
        return relabelled(view, rows, truth[rows])


def relabelled(view: View, rows: IntVector, classes: IntVector) -> Edit:
    """Return the edit that gives rows of a view other classes."""
    names = np.asarray(view.classes, dtype=object)
    new, old = (pa.array(names[codes], pa.string()) for codes in (classes, view.labels[rows]))
    task = view.schema.task
    return Edit.relabelling(task.label, view.take_ids(rows), new, old, operator=view.spec, reason="benchmark")


# -- figures -----------------------------------------------------------------------------------------------------------


def clopper_pearson(hits: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a share."""
    tail = (1 - level) / 2
    low = float(stats.beta.ppf(tail, hits, n - hits + 1)) if hits else 0.0
    high = float(stats.beta.isf(tail, hits + 1, n - hits)) if hits < n else 1.0
    return low, high


def share_text(hits: int, n: int) -> str:
    """Return a share with its exact interval as text."""
    if not n:
        return "–"
    low, high = clopper_pearson(hits, n)
    return f"{hits}/{n} = {100 * hits / n:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
