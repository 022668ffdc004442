"""Judges of edits on noisy dev labels: bias, coverage, ranking, false keeps and power against the truth that none of them sees.

A panel of edits with known true effect is tried with one linear learner: pruning, hard and soft relabelling by counted noise, by
confirmed noise and by neighbours, by the model alone, random flips and drops. Dev labels are as noisy as train labels. The truth is
measured on clean labels of the dev rows themselves (bias, coverage) and of dev and 30 % fresh rows together (what is null).

    python -m benchmarks judge [cifar10 | adult | banking77 …] [--seeds N]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from benchmarks.quality import _data as data
from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.spec import Spec
from tilth.core.target import Target
from tilth.learning._crossfit import fold_numbers, out_of_sample
from tilth.learning.linear import Linear
from tilth.numerics.assisted_answers import assisted_gain
from tilth.numerics.denoising import denoise
from tilth.numerics.neighbours import k_nearest
from tilth.numerics.noise import (
    backward_accuracy,
    confident_joint,
    noise_transition,
    posterior,
    truth_posterior,
)

PENALTY = {"cifar10": 1.0, "banking77": 0.1, "adult": 1.0}
NULL, USEFUL = 0.0005, 0.004
"""A true gain up to the first counts as none; from the second on it should be found."""
KEEP = 2.8
"""Standard errors above zero at which a finalist of six would be kept in a first run."""
ANSWERS = 60


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One edit: its true gain on the dev rows and over all clean rows, and each judge's gain with its standard error."""

    case: str
    edit: str
    on_dev: float
    on_all: float
    judged: dict[str, tuple[float, float]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """Some rows with the linear learner on them."""

    rows: data.Rows
    at: IntVector
    given: IntVector
    learner: Linear
    seed: int

    @property
    def truth(self) -> IntVector:
        return self.rows.truth[self.at]

    @property
    def features(self) -> Matrix:
        return self.rows.features[self.at]

    def view(self, at: IntVector | None = None):
        whole = self.rows.view(Spec(room="learning", name="linear"), frozenset({"embeddings"}), self.seed)
        chosen = self.at if at is None else at
        return type(whole)(
            ids=whole.take_ids(chosen),
            schema=self.rows.schema,
            evidence={"embeddings": self.rows.features[chosen]},
            needs=frozenset({"embeddings"}),
            spec=whole.spec,
            seed=self.seed,
        )

    def target(self, wanted: Matrix | None = None, weights: Vector | None = None) -> Target:
        if wanted is None:
            wanted = np.eye(self.rows.n_classes)[self.given]
        weights = np.ones(len(wanted)) if weights is None else weights
        return Target.soft(wanted, np.ones(len(wanted), dtype=bool), weights)

    def folds(self) -> IntVector:
        return fold_numbers(self.view().ids, self.target(), seed=self.seed)

    def pred_probs(self) -> Matrix:
        return out_of_sample(self.learner, self.view(), self.target(), self.folds())

    def denoised(self) -> Matrix:
        return denoise(self.features, self.given, self.folds(), self.rows.n_classes, self.learner.penalty).truth

    def votes(self) -> Matrix:
        near = k_nearest(self.features, 30, metric="euclidean", exclude_self=True).positions
        return np.asarray(np.eye(self.rows.n_classes)[self.given][np.asarray(near)].mean(axis=1))


def main(arguments: list[str]) -> int:
    """Judge the panel on the named sets, or on all, and print a table per set."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks judge")
    parser.add_argument("sets", nargs="*", default=[])
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args(arguments)
    for name in options.sets or list(PENALTY):
        try:
            cases = list(_cases(name, options.seeds))
        except data.AbsentError as absent:
            print(absent)
            continue
        started, scored = time.process_time(), []
        for case, rows, given, seed in cases:
            scored += _panel(case, rows, given, PENALTY[name], seed)
        _print(name, scored, options.seeds, time.process_time() - started)
    return 0


def _cases(name: str, seeds: int) -> Iterator[tuple[str, data.Rows, IntVector, int]]:
    if name == "cifar10":
        rows, people = data.cifar10()
        for labels, given in {"clean": rows.truth, **people}.items():
            yield from ((labels, rows, given, seed) for seed in range(seeds))
        return
    rows = (
        data.banking77() if name == "banking77" else data.table(name, f"{name}/{name}.parquet", "income", rows=24_000)
    )
    yield from (("as published", rows, rows.truth, seed) for seed in range(seeds))
    for kind in data.NOISE:
        yield from ((f"{kind} 20 %", rows, data.planted(rows, kind, 0.2, seed), seed) for seed in range(seeds))


def _panel(case: str, rows: data.Rows, given: IntVector, penalty: float, seed: int) -> list[Scored]:
    order = np.random.default_rng([seed, 7]).permutation(len(rows))
    half, most = len(rows) // 2, int(0.7 * len(rows))
    learner = Linear(penalty=penalty)
    train, dev, fresh = (
        Part(rows=rows, at=at, given=given[at], learner=learner, seed=seed)
        for at in (order[:half], order[half:most], order[most:])
    )
    base = learner.fit(train.view(), train.target())
    before = [learner.predict_proba(part.view(), base).argmax(axis=1) for part in (dev, fresh)]
    judges, scored = _Judges(dev, seed), []
    for edit, target in _edits(train, np.random.default_rng([seed, 8])):
        model = learner.fit(train.view(), target)
        after = [learner.predict_proba(part.view(), model).argmax(axis=1) for part in (dev, fresh)]
        gains = [
            (a == part.truth).astype(float) - (b == part.truth)
            for a, b, part in zip(after, before, (dev, fresh), strict=True)
        ]
        judged = judges.judge(before[0], after[0])
        everywhere = float(np.concatenate(gains).mean())
        scored.append(Scored(case=case, edit=edit, on_dev=float(gains[0].mean()), on_all=everywhere, judged=judged))
    return scored


def _edits(train: Part, rng: np.random.Generator) -> Iterator[tuple[str, Target]]:
    k, n = train.rows.n_classes, len(train.given)
    own, probs, votes = np.arange(n), train.pred_probs(), train.votes()
    for name, truth in (("counted", truth_posterior(train.given, probs)), ("confirmed", train.denoised())):
        kept = np.where(truth[own, train.given] > 0.5, 1.0, 0.0)
        yield f"prune, {name}", train.target(weights=kept)
        yield f"hard, {name}", train.target(np.eye(k)[truth.argmax(axis=1)])
        yield f"soft, {name}", train.target(truth)
    yield "hard, neighbours", train.target(np.eye(k)[votes.argmax(axis=1)])
    yield "soft, neighbours", train.target((votes + np.eye(k)[train.given]) / 2)
    yield "hard, model", train.target(np.eye(k)[probs.argmax(axis=1)])
    flipped = np.where(rng.random(n) < 0.2, rng.integers(k, size=n), train.given)
    yield "random flips 20 %", train.target(np.eye(k)[flipped])
    for share in (0.1, 0.3):
        yield f"random drops {share:.0%}", train.target(weights=(rng.random(n) >= share).astype(float))


class _Judges:
    """What the dev rows' features and given labels say, and what answers would."""

    def __init__(self, dev: Part, seed: int) -> None:
        self._dev, self._rng = dev, np.random.default_rng([seed, 9])
        probs, votes = dev.pred_probs(), dev.votes()
        self._transition = noise_transition(confident_joint(dev.given, probs))
        by_votes = posterior(votes, dev.given, noise_transition(confident_joint(dev.given, votes)))
        self._views = {
            "neighbour votes": by_votes,
            "counted noise": truth_posterior(dev.given, probs),
            "confirmed noise": dev.denoised(),
        }

    def judge(self, before: IntVector, after: IntVector) -> dict[str, tuple[float, float]]:
        """Return each judge's gain and standard error."""
        dev, rows = self._dev, np.arange(len(before))
        found = {"given labels": _mean((after == dev.given).astype(float) - (before == dev.given))}
        if np.linalg.cond(self._transition) < 50:
            differences = [backward_accuracy(p, dev.given, self._transition) for p in (after, before)]
            found["backward"] = _mean(differences[0] - differences[1])
        for name, truth in self._views.items():
            found[name] = _mean(truth[rows, after] - truth[rows, before])
        return found | self._by_answers(before, after)

    def _by_answers(self, before: IntVector, after: IntVector) -> dict[str, tuple[float, float]]:
        """One draw of answers; with predictions: the given labels, and what the counted noise says of the truth."""
        dev, rows = self._dev, np.arange(len(before))
        true = (after == dev.truth).astype(float) - (before == dev.truth)
        view = self._views["counted noise"]
        given = (after == dev.given).astype(float) - (before == dev.given)
        foretold = np.column_stack([given, view[rows, after] - view[rows, before]])
        differing = np.flatnonzero(after != before)
        anywhere = self._rng.choice(len(rows), min(ANSWERS, len(rows)), replace=False)
        found = {f"{ANSWERS} answers, any rows": _mean(true[anywhere])}
        if len(differing) > ANSWERS:
            drawn = self._rng.choice(differing, ANSWERS, replace=False)
            share = len(differing) / len(rows)
            mean, error = _mean(true[drawn])
            found[f"{ANSWERS} answers, where they differ"] = (share * mean, share * error)
            helped = assisted_gain(true[differing], np.isin(differing, drawn), foretold[differing], len(rows))
            found["the same with predictions"] = (helped.gain, helped.standard_error)
        return found


def _mean(values: Vector) -> tuple[float, float]:
    return float(values.mean()), float(values.std() / np.sqrt(max(len(values), 1)))


def _print(name: str, scored: list[Scored], seeds: int, seconds: float) -> None:
    edits = len(scored)
    print(f"\n### {name}: {edits} edits, seeds 0-{seeds - 1}, {seconds:.0f} CPU s\n")
    print("| labels | judge | bias | mean s.e. | holds the truth | rank | false keeps | found |")
    print("|---|---|---|---|---|---|---|---|")
    for case in dict.fromkeys(one.case for one in scored):
        mine = [one for one in scored if one.case == case]
        for judge in dict.fromkeys(j for one in mine for j in one.judged):
            print(f"| {case} | {judge} | {_row([one for one in mine if judge in one.judged], judge)} |")


def _row(mine: list[Scored], judge: str) -> str:
    gains, errors = (np.array([one.judged[judge][i] for one in mine]) for i in (0, 1))
    on_dev, on_all = np.array([one.on_dev for one in mine]), np.array([one.on_all for one in mine])
    holds = np.mean(np.abs(gains - on_dev) <= 1.96 * errors + 1e-12)
    kept = gains > KEEP * np.maximum(errors, 1e-12)
    null, useful = on_all <= NULL, on_all >= USEFUL
    rank = spearmanr(on_dev, gains).statistic if len(set(gains)) > 1 and len(set(on_dev)) > 1 else float("nan")
    figures = f"{(gains - on_dev).mean():+.4f} | {errors.mean():.4f} | {holds:.0%} | {rank:.2f}"
    return f"{figures} | {(kept & null).sum()}/{null.sum()} | {(kept & useful).sum()}/{useful.sum()}"
