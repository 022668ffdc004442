"""A policy searched for by short trainings: sequences compete by what a learner gains that is taught with each, the worse half leaves.

    round r: every sequence that is left is trained with for a share of a whole training, and scored on held-out train rows;
    the better half goes on with twice the share. The sequences of the last round are the policy.

Where the learner is fitted in one pass, what grows is the number of made copies. Rows as they are compete too: their score is shown.

Source: Jamieson, Talwalkar (2016), Non-stochastic Best Arm Identification and Hyperparameter Optimization, AISTATS (successive halving);
Cubuk et al. (2019), AutoAugment, CVPR (sub-policies, scored by a learner on held-out rows).
"""

from __future__ import annotations

from collections.abc import Sequence as Several
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.apply import apply
from tilth.core.arrays import IntVector
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.names import ROW_ID
from tilth.core.policy import AS_IT_IS, Change, Policy, Sequence, Step
from tilth.core.policy_report import PolicyReport, SequenceLine
from tilth.core.progress import Progress, silent
from tilth.core.rng import generator
from tilth.core.spec import Spec
from tilth.loop.bench import Bench
from tilth.loop.folds import folds_of
from tilth.loop.frames import class_codes
from tilth.loop.variations import Variations

__all__ = ["ARMS", "searched_policy"]

ARMS, ROUNDS = 12, 3
FIRST_SHARE = 0.25
MOST_COPIES = 4
_TINY = 1e-9
_BY = Spec(room="editing", name="augment")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Contest:
    """Train rows in two parts: those that teach, and those that score."""

    bench: Bench
    inside: pa.Table
    positions: IntVector
    labels: IntVector

    def score(self, sequence: Sequence, share: float) -> float:
        """Return minus the mean log loss on held-out rows after a training of some length with a sequence."""
        bench = self.bench
        policy = Policy(sequences=(sequence,), copies=max(1, round(share * MOST_COPIES)))
        if bench.is_dear:
            learner: Any = bench.learner
            bench = replace(bench, learner=learner.proxy(share), _memo={})
        ids = self.inside.column(ROW_ID).combine_chunks()
        edit = Edit.augmenting(ids, policy.to_text(), operator=_BY, reason="searched")
        train = apply(self.inside, edit)
        predicted = bench.predict(bench.fit_train(train, (edit,)), self.positions)
        own = predicted[np.arange(len(self.labels)), self.labels]
        return float(np.log(np.maximum(own, _TINY)).mean())


def searched_policy(
    bench: Bench,
    variations: Variations,
    *,
    seed: int,
    arms: int = ARMS,
    progress: Progress = silent,
) -> PolicyReport:
    """Return a policy of the sequences that short trainings like best.

    Parameters
    ----------
    bench : a version's
    variations : what may vary
    seed : of all draws
    arms : sequences that compete at first; at least 2
    progress : told before each training

    Raises
    ------
    NotApplicable
        Nothing may vary, the label is a number, or too few train rows are labelled.
    """
    if bench.schema.task.is_regression:
        raise NotApplicable("the label is a number, and transforms keep classes")
    known = [Change(name, one.severities) for name, one in sorted(variations.facts.items())]
    if not known:
        raise NotApplicable("no transform that keeps the label suits the features")
    contest = _contest(bench)
    left: list[Sequence] = _arms(known, arms, generator(seed, "searching"))
    stays, scores = dict.fromkeys(left, 0), dict.fromkeys(left, 0.0)
    share, done, fits = FIRST_SHARE, 0, 0.0
    total = sum(max(1, -(-len(left) // 2**number)) for number in range(ROUNDS))
    for number in range(ROUNDS):
        for one in left:
            progress("search", " then ".join(_words(one)), done, total + 1)
            scores[one], stays[one] = contest.score(one, share), number + 1
            done, fits = done + 1, fits + share
        left = sorted(left, key=lambda one: (-scores[one], _words(one)))
        if number < ROUNDS - 1:
            left, share = left[: max(1, -(-len(left) // 2))], 2 * share
    progress("search", "rows as they are", done, total + 1)
    baseline = contest.score(Sequence(()), share)
    policy = Policy(sequences=tuple(left))
    ordered = sorted(stays, key=lambda one: (-stays[one], -scores[one], _words(one)))
    lines = tuple(
        SequenceLine(
            steps=_words(one),
            score=round(scores[one], 4),
            share=round(1 / len(left), 4) if one in left else 0.0,
            rounds=stays[one],
        )
        for one in ordered
    )
    return PolicyReport(
        how="search",
        policy=policy,
        measure="minus the log loss on held-out train rows",
        baseline=round(baseline, 4),
        lines=lines,
        rows=contest.inside.num_rows,
        fits=fits + share,
        seed=seed,
    )


def _contest(bench: Bench) -> _Contest:
    """Return one fold of the labelled train rows against the others."""
    labels, labelled = class_codes(bench.train, bench.schema)
    rows = np.flatnonzero(labelled)
    folds = folds_of(bench, rows)
    if len(np.unique(folds)) < 2:
        raise NotApplicable(f"{len(rows)} labelled train rows are too few to hold some out")
    held = folds == 0
    return _Contest(
        bench=bench,
        inside=bench.train.take(pa.array(rows[~held])),
        positions=bench.train_positions[rows[held]],
        labels=labels[rows[held]].astype(np.intp),
    )


def _arms(known: Several[Change], arms: int, rng: np.random.Generator) -> list[Sequence]:
    """Return the sequences that compete: each change by itself as far as they are few, then random pairs; each half of the time."""
    singles = [Sequence((Step((Change(AS_IT_IS), change)),)) for change in known]
    found = dict.fromkeys(singles[i] for i in rng.permutation(len(singles))[: max(1, arms // 2)])
    for _ in range(50 * arms):
        if len(found) >= max(arms, 2) or len(known) < 2:
            break
        first, second = (known[i] for i in rng.choice(len(known), size=2, replace=False))
        found[Sequence((Step((Change(AS_IT_IS), first)), Step((Change(AS_IT_IS), second))))] = None
    return list(found)


def _words(sequence: Sequence) -> tuple[str, ...]:
    return tuple(str(change) for step in sequence.steps for change in step.changes if change.transform != AS_IT_IS)
