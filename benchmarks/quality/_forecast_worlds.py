"""Worlds for the benchmark of forecasts: 3,000 train rows of a shared set with planted or people's wrong labels, on a bench in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.quality import _data as data
from benchmarks.quality._worlds import Log
from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.dataset import Dataset
from tilth.core.edit import Edit
from tilth.core.ids import digest_of, row_digests
from tilth.core.names import ROW_ID, Split
from tilth.core.progress import silent
from tilth.core.spec import Spec
from tilth.core.target import Target
from tilth.learning._choose import choose, default_learners
from tilth.learning._crossfit import fold_numbers, out_of_sample
from tilth.loop.arena import Arena, Settings
from tilth.loop.bench import Bench
from tilth.loop.candidates import Candidate, proposals
from tilth.loop.detect import detect
from tilth.loop.evidence import EvidenceBase
from tilth.loop.ledger import Ledger
from tilth.loop.quarantine import Quarantine
from tilth.operators.registry import make
from tilth.testing.worlds import system_columns

N_TRAIN, N_DEV, N_TEST = 3_000, 600, 7_000
TABLES: Mapping[str, tuple[str, str, list[str]]] = {
    "adult": ("adult/adult.parquet", "income", ["split"]),
    "sms_spam": ("sms_spam/sms_spam.parquet", "label", []),
    "bank_marketing": ("bank_marketing/bank_marketing.parquet", "y", []),
    "ag_news": ("ag_news_test/test.parquet", "class", []),
}
NOISE = (("none", 0.0), *((kind, rate) for kind in data.NOISE for rate in (0.1, 0.3)))
PEOPLE = ("aggre_label", "random_label1", "worse_label")


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """A bench with dirty train and dev rows, what editors see of it, and clean rows that are in neither."""

    name: str
    noise: str
    seed: int
    rows: data.Rows
    bench: Bench
    evidence: EvidenceBase
    clean: IntVector

    @cached_property
    def candidates(self) -> list[Candidate]:
        """What the editors propose, after all detectors ran."""
        quarantine = Quarantine()
        detect(self.evidence, quarantine, silent)
        return proposals(self.evidence, quarantine, verbs=None, known=frozenset())

    @cached_property
    def _before(self) -> Vector:
        return self._scores()

    def true_gains(self, edit: Edit) -> Vector:
        """Return the row scores of the model after an edit minus those before, on the clean rows."""
        return self._scores(edit) - self._before

    def mean(self, gains: Vector, part: slice = slice(None)) -> float:
        """Return the mean of row gains, or of the classes' means, as the metric has it."""
        truth, gains = self.rows.truth[self.clean][part], gains[part]
        if not self.bench.metric.stratified:
            return float(gains.mean())
        return float(np.mean([gains[truth == c].mean() for c in np.unique(truth)]))

    def _scores(self, *edits: Edit) -> Vector:
        model = self.bench.fit_edited(*edits) if edits else self.bench.baseline
        view = self.bench.view(self.rows.table.take(pa.array(self.clean)), self.rows.features[self.clean])
        return self.bench.metric.measure(self.rows.truth[self.clean], self.bench.learner.predict_proba(view, model))

    def arena(self) -> Arena:
        """Return where a trial takes place."""
        return Arena(
            bench=self.bench,
            judged=self.bench.judged(Split.DEV),
            slices=(),
            ledger=Ledger(Log()),  # type: ignore[arg-type]
            settings=Settings(seed=self.seed),
            parent="in memory",
            joint=None,
            remember=lambda _, compute: compute(),
            context=digest_of([self.name, self.noise, self.seed]),
        )


def worlds(name: str, seed: int, wanted: str = "") -> Iterator[World]:
    """Build the worlds of a set with one seed: each kind and rate of planted noise, for cifar10 people's labels too."""
    rows, given = _loaded(name)
    labels: dict[str, Callable[[], IntVector]] = {
        f"{kind} {rate:.0%}" if rate else kind: partial(data.planted, rows, kind, rate, seed)
        if rate
        else lambda: rows.truth
        for kind, rate in NOISE
    }
    labels |= {f"people, {who}": partial(given.__getitem__, who) for who in PEOPLE if who in given}
    for noise, draw in labels.items():
        if wanted in noise:
            yield _world(rows, noise, draw(), seed)


_LOADED: dict[str, tuple[data.Rows, dict[str, IntVector]]] = {}


def _loaded(name: str) -> tuple[data.Rows, dict[str, IntVector]]:
    if name not in _LOADED:
        _LOADED.clear()
        if name == "cifar10":
            _LOADED[name] = data.cifar10()
        elif name == "banking77":
            _LOADED[name] = data.banking77(), {}
        else:
            path, label, leave = TABLES[name]
            _LOADED[name] = data.table(name, path, label, rows=N_TRAIN + N_DEV + N_TEST, leave=leave), {}
    return _LOADED[name]


def _world(rows: data.Rows, noise: str, given: IntVector, seed: int) -> World:
    """Rows that copy a train row are left out of dev and of the clean rows, as splits keep copies together."""
    names = [column.name for column in rows.schema.features]
    copies = np.unique(row_digests(rows.table, names)[:, 0], return_inverse=True)[1]
    order = np.random.default_rng([seed, 7]).permutation(len(rows))
    train, rest = np.sort(order[:N_TRAIN]), order[N_TRAIN : N_TRAIN + N_DEV + N_TEST]
    rest = rest[~np.isin(copies[rest], copies[train])]
    at = np.concatenate([train, np.sort(rest[:N_DEV])])
    table, features = _table(rows, given, at), rows.features[at]
    predicted: dict[str, Any] = {}
    bench, out_of_fold = _bench(rows, table, features, given[train], copies[train], seed)

    def remember(name: str, _: tuple[str, ...], compute: Callable[[], Any]) -> Any:
        return predicted[name] if name in predicted else predicted.setdefault(name, compute())

    evidence = EvidenceBase(
        dataset=Dataset.of(table, rows.schema),
        features=features,
        out_of_sample=lambda: remember("out of sample", (), out_of_fold),
        remember=remember,
        seed=seed,
    )
    return World(
        name=rows.name, noise=noise, seed=seed, rows=rows, bench=bench, evidence=evidence, clean=np.sort(rest[N_DEV:])
    )


def _table(rows: data.Rows, given: IntVector, at: IntVector) -> pa.Table:
    cells = {c.name: rows.table.column(c.name).take(pa.array(at)).combine_chunks() for c in rows.schema.features}
    cells[rows.schema.task.label] = pa.array(np.asarray(rows.schema.task.classes, dtype=object)[given[at]], pa.string())
    ids = rows.table.column(ROW_ID).take(pa.array(at)).combine_chunks()
    splits = pa.array(["train"] * N_TRAIN + ["dev"] * (len(at) - N_TRAIN))
    return pa.table(cells | system_columns(ids, splits, rows.n_classes))


def _bench(
    rows: data.Rows, table: pa.Table, features: np.ndarray, labels: IntVector, copies: IntVector, seed: int
) -> tuple[Bench, Callable[[], Matrix]]:
    """Return the bench with the learner that cross-validation chooses, and what gives out-of-sample predictions."""
    target = Target.classes(labels, np.ones(len(labels), dtype=bool), rows.n_classes)
    part = data.Rows(
        name=rows.name, table=table.slice(0, N_TRAIN), schema=rows.schema, features=features[:N_TRAIN], truth=labels
    )
    view = part.view(Spec(room="learning", name="choice"), frozenset({"embeddings", "table"}), seed)
    folds = fold_numbers(view.ids, target, groups=copies, seed=seed)
    learner = choose(default_learners(rows.schema), view, target, folds).learner
    bench = Bench(
        table=table,
        schema=rows.schema,
        features=features,
        learner=learner,
        metric=make("evaluation", rows.schema.task.metric),
        reencode=_refuse,
        seed=seed,
    )
    return bench, lambda: np.asarray(out_of_sample(learner, bench.view(bench.train, features[:N_TRAIN]), target, folds))


def _refuse(_: pa.Table) -> Any:
    raise AssertionError("no editor of this benchmark changes features")
