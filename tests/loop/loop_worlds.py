"""Small worlds with a known truth, on a bench in memory: gaussian classes, noise of a chosen kind, every split."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from tilth.core.dataset import Dataset
from tilth.core.edit import Edit
from tilth.core.ids import digest_of
from tilth.core.names import AUGMENT, PARENTS, ROW_ID, SPLIT, TARGET, TRUSTED, WEIGHT, Split
from tilth.core.rowset import RowSet
from tilth.core.schema import Column, ColumnType, Role, Schema, Task, TaskType
from tilth.core.spec import Spec
from tilth.core.trial import Trial, Verdict
from tilth.learning._crossfit import fold_numbers, out_of_sample
from tilth.learning.linear import Linear
from tilth.learning.ridge import Ridge
from tilth.loop.bench import Bench
from tilth.loop.candidates import Candidate, finalists, proposals, screen
from tilth.loop.evidence import EvidenceBase
from tilth.loop.frames import target_of
from tilth.loop.guards import guarded_slices
from tilth.loop.halves import half_of
from tilth.loop.ledger import Ledger
from tilth.loop.quarantine import Quarantine
from tilth.loop.scoring import confident_dev_joint
from tilth.loop.trying import Arena, Settings, Tried, try_all
from tilth.operators.registry import make, spec_of
from tilth.operators.view import Scope, View

CLASSES = ("no", "yes", "maybe", "never")


@dataclass(frozen=True, kw_only=True)
class World:
    """A dataset with the truth of every row, and the bench, evidence and arena on it."""

    dataset: Dataset
    truth: np.ndarray
    bench: Bench
    evidence: EvidenceBase

    @property
    def ids(self) -> np.ndarray:
        """Row ids."""
        return np.asarray(self.dataset.row_ids.to_pylist(), dtype=object)

    def rows(self, split: Split) -> np.ndarray:
        """Storage positions of a split's rows."""
        return np.flatnonzero(self.dataset.mask(split))

    def true_gain(self, *edits: Edit, split: Split = Split.DEV) -> float:
        """Accuracy on the truth of a split's rows after edits, minus before."""
        rows = self.rows(split)
        models = [self.bench.baseline, self.bench.fit_edited(*edits)]
        before, after = [(self.bench.predict(m, rows).argmax(axis=1) == self.truth[rows]).mean() for m in models]
        return float(after - before)


def schema_of(d: int, k: int, metric: str = "accuracy") -> Schema:
    """Number columns x0 … and a label of k classes (0: a number)."""
    columns = [Column(name=f"x{j}", type=ColumnType.NUMBER) for j in range(d)]
    columns.append(Column(name="label", type=ColumnType.CATEGORY if k else ColumnType.NUMBER, role=Role.LABEL))
    kind = TaskType.REGRESSION if not k else TaskType.BINARY if k == 2 else TaskType.MULTICLASS
    task = Task(type=kind, label="label", classes=CLASSES[:k], metric=metric if k else "mae")
    return Schema(columns=tuple(columns), tasks=(task,))


def table_of(x: np.ndarray, labels: Any, splits: Sequence[str], schema: Schema, trusted: Any = None) -> pa.Table:
    """A table in storage order with tilth's own columns; labels are class numbers, None for none, or numbers."""
    n, k = len(x), max(schema.task.n_classes, 1)
    names = schema.task.classes
    given = [None if v is None else float(v) if not names else names[int(v)] for v in labels]
    columns: dict[str, Any] = {f"x{j}": x[:, j] for j in range(x.shape[1])}
    columns["label"] = pa.array(given, pa.string() if names else pa.float64())
    columns[ROW_ID] = pa.array([f"r{i:05d}" for i in range(n)], pa.string())
    columns[SPLIT] = pa.array(list(splits), pa.string())
    columns[TARGET] = pa.nulls(n, pa.list_(pa.float32(), k))
    columns[WEIGHT] = pa.nulls(n, pa.float64())
    columns[TRUSTED] = pa.array(np.zeros(n, dtype=bool) if trusted is None else trusted)
    columns[PARENTS] = pa.nulls(n, pa.list_(pa.string()))
    columns[AUGMENT] = pa.nulls(n, pa.string())
    return pa.table(columns)


def world_of(table: pa.Table, schema: Schema, truth: np.ndarray, *, seed: int = 0, learner: Any = None) -> World:
    """Put a bench and evidence on a table."""
    dataset = Dataset.of(table, schema)
    names = [c.name for c in schema.features]

    def encode(rows: pa.Table) -> np.ndarray:
        return np.column_stack([np.asarray(rows.column(name)) for name in names]).astype(np.float32)

    features = encode(table)
    learner = learner or (Ridge() if schema.task.is_regression else Linear(penalty=1.0))
    metric = make("evaluation", schema.task.metric)
    bench = Bench(
        table=table,
        schema=schema,
        features=features,
        learner=learner,
        metric=metric,
        reencode=encode,
        seed=seed,
    )

    def cross_fitted(*, halved: bool = False) -> np.ndarray:
        rows = np.flatnonzero(dataset.mask(Split.TRAIN) & bench.labels(table)[1])
        mine = target_of(table, schema).take(rows)
        view = bench.view(table.take(pa.array(rows)), features[rows])
        folds = fold_numbers(view.ids, mine, seed=seed)
        mine = mine.only(half_of(table.take(pa.array(rows)), mine, seed=seed)) if halved else mine
        return np.asarray(out_of_sample(learner, view, mine, folds))

    memo: dict[str, Any] = {}

    def remember(name: str, columns: tuple[str, ...], compute: Callable[[], Any]) -> Any:
        if name not in memo:
            memo[name] = compute()
        return memo[name]

    evidence = EvidenceBase(
        dataset=dataset,
        features=features,
        out_of_sample=cross_fitted,
        half_sample=partial(cross_fitted, halved=True),
        remember=remember,
        seed=seed,
        encode=encode,
    )
    return World(dataset=dataset, truth=truth, bench=bench, evidence=evidence)


def gaussian_world(
    *,
    n_train: int = 200,
    n_dev: int = 300,
    n_test: int = 60,
    d: int = 5,
    k: int = 2,
    shift: float = 1.0,
    noise: float = 0.0,
    dev_noise: float = 0.0,
    region_noise: float = 0.0,
    independent: bool = False,
    metric: str = "accuracy",
    learner: Any = None,
    seed: int = 0,
) -> World:
    """Classes at `shift` from the origin along their own axis; labels flipped uniformly, or where x1 > 0.5 only."""
    rng = np.random.default_rng([77, seed])
    n = n_train + n_dev + n_test
    truth = rng.integers(0, k, n)
    centres = np.zeros((k, d))
    centres[:, : min(k, d)] = 2 * shift * np.eye(k, d)[:, : min(k, d)]
    x = rng.normal(size=(n, d)) + (0 if independent else centres[truth])
    splits = np.repeat(["train", "dev", "test"], [n_train, n_dev, n_test])
    rate = np.where(splits == "train", noise, dev_noise) + region_noise * (x[:, -1] > 0.5)
    other = (truth + rng.integers(1, max(k, 2), n)) % k
    labels = np.where(rng.random(n) < rate, other, truth)
    schema = schema_of(d, k, metric)
    return world_of(table_of(x, labels, splits, schema), schema, truth, seed=seed, learner=learner)


class Log:
    """The records of a repository, kept in memory."""

    def __init__(self) -> None:
        self._kept: dict[str, list[Any]] = {}

    def record(self, kind: str, body: Any) -> None:
        """Keep a fact, as it would be written."""
        self._kept.setdefault(kind, []).append(json.loads(json.dumps(body, allow_nan=False)))

    def records(self, kind: str) -> list[Any]:
        """The facts of a kind, oldest first."""
        return list(self._kept.get(kind, []))


def arena_of(world: World, log: Any = None, *, parent: str = "v-memory", **settings: Any) -> Arena:
    """The arena of a run on a world; figures are kept nowhere."""
    judged = world.bench.judged(Split.DEV)
    memo: dict[str, dict[str, np.ndarray]] = {}

    def remember(key: str, compute: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        if key not in memo:
            memo[key] = compute()
        return memo[key]

    chosen = Settings(**{"seed": world.bench.seed, **settings})
    return Arena(
        bench=world.bench,
        judged=judged,
        slices=guarded_slices(world.bench, judged, pa.table({})),
        ledger=Ledger(Log() if log is None else log),
        settings=chosen,
        parent=parent,
        joint=confident_dev_joint(world.bench, judged),
        remember=remember,
        context=digest_of([world.dataset.content_id, chosen.seed]),
    )


def told(*_: object) -> None:
    """Progress that nobody hears."""


def candidates_of(world: World, quarantine: Quarantine | None = None) -> list[Candidate]:
    """What the editors of the package propose here, screened."""
    quarantine = quarantine or Quarantine()
    found = proposals(world.evidence, quarantine, verbs=None, known=frozenset())
    return screen(world.bench, found, quarantine, told)


def tried_on(world: World, arena: Arena, *also: Candidate, most: int = 6) -> list[Tried]:
    """Try the best of what the editors propose, and some candidates more."""
    return try_all(arena, [*finalists(candidates_of(world), most), *also], told)


def kept(tried: Sequence[Tried]) -> list[Trial]:
    """The trials that ended in `kept`."""
    return [one.trial for one in tried if one.trial.verdict is Verdict.KEPT]


@dataclass(frozen=True, kw_only=True)
class Liar:
    """An editor of a test: it proposes what it is told to, whatever the data says."""

    lie: str = "lie"
    seed: int = 0
    slice: str = ""
    needs: ClassVar[frozenset[str]] = frozenset({"labels", "pred_probs", "trusted", "embeddings"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def strengths(self) -> Sequence[Liar]:
        """One."""
        return (self,)

    def choose(self, view: View) -> RowSet:
        """Rows with scores that it invents."""
        return RowSet(ids=view.ids, scores=np.ones(len(view)), reason="trust me")

    def propose(self, view: View, rows: np.ndarray | None = None) -> Edit:
        """What its rule says."""
        return RULES[self.lie](view, rows)


Rule = Callable[[View, Any], Edit]
RULES: dict[str, Rule] = {}


def lying(lie: str, rule: Rule, seed: int = 0, aim: str = "") -> Liar:
    """An editor with a rule, that may aim at a slice."""
    RULES[f"{lie} {seed}"] = rule
    return Liar(lie=f"{lie} {seed}", seed=seed, slice=aim)


def candidate(world: World, editor: Any, forecast: float = 1.0) -> Candidate:
    """An editor's proposal entered as a finalist, with an invented forecast."""
    view = world.evidence.view(editor)
    return Candidate(edit=editor.propose(view), editor=editor, view=view, forecast=forecast)


def relabelling(view: View, rows: np.ndarray, codes: np.ndarray, reason: str = "so it is") -> Edit:
    """The edit that sets labels of rows of a view."""
    names = np.asarray(view.classes, dtype=object)
    return Edit.relabelling(
        view.schema.task.label,
        view.take_ids(rows),
        pa.array(names[codes], pa.string()),
        pa.array(names[view.labels[rows]], pa.string()),
        operator=view.spec,
        reason=reason,
    )


def flipping(share: float, seed: int = 0) -> Liar:
    """Relabels a random share of the rows to another class, with invented scores."""

    def rule(view: View, rows: np.ndarray | None) -> Edit:
        rng = np.random.default_rng([seed, 9])
        rows = rng.choice(len(view), round(share * len(view)), replace=False) if rows is None else rows
        codes = (view.labels[rows] + rng.integers(1, view.n_classes, len(rows))) % view.n_classes
        return relabelling(view, rows, codes)

    return lying(f"flip {share}", rule, seed)


def dropping(share: float, seed: int = 0) -> Liar:
    """Removes a random share of the rows."""

    def rule(view: View, rows: np.ndarray | None) -> Edit:
        rng = np.random.default_rng([seed, 10])
        rows = rng.choice(len(view), round(share * len(view)), replace=False) if rows is None else rows
        return Edit.removing(view.take_ids(rows), operator=view.spec, reason="so it is")

    return lying(f"drop {share}", rule, seed)


def with_trusted(world: World, rows: np.ndarray, labels: np.ndarray | None = None) -> World:
    """The world after a person confirmed the labels of some rows (or gave them these)."""
    table = world.dataset.read()
    trusted = np.asarray(table.column(TRUSTED)).copy()
    trusted[rows] = True
    given = np.asarray(table.column("label").to_pylist(), dtype=object)
    if labels is not None:
        given[rows] = np.asarray(world.dataset.schema.task.classes, dtype=object)[labels]
    for name, values in ((TRUSTED, pa.array(trusted)), ("label", pa.array(given, pa.string()))):
        table = table.set_column(table.column_names.index(name), name, values)
    return world_of(table, world.dataset.schema, world.truth, seed=world.bench.seed)


__all__ = [
    "Liar",
    "Log",
    "Spec",
    "World",
    "arena_of",
    "candidate",
    "candidates_of",
    "dropping",
    "flipping",
    "gaussian_world",
    "kept",
    "lying",
    "relabelling",
    "replace",
    "schema_of",
    "spec_of",
    "table_of",
    "told",
    "tried_on",
    "with_trusted",
    "world_of",
]
