"""Sequences of transforms that keep rows real, keep their label and still change them: learnt without training on what they make.

    reward of a sequence = agreement · mean over rows of (realism · movement) - (1 - agreement)
    agreement = 1 - by how much the share of rows falls whose label is told right, by models that did not see them (label drift)
    realism   = 2 · (1 - D(row after)), at most 1, D the chance that a classifier of other rows calls it made
    movement  = distance that the row has gone, in distances between near rows, at most 1

A row with the wrong label costs as much as one is worth that keeps its label, passes for real and has gone far. Realism alone lets a 6
become a 9, which is a real digit; agreement alone likes nothing better than rows as they are. Labels of train rows only are read.

Source: Ratner, Ehrenberg, Hussain, Dunnmon, Ré (2017), Learning to Compose Domain-Specific Transformations for Data Augmentation, NeurIPS
(sequences learnt against a discriminator; agreement takes the place of its assumption that no transform makes another class).
"""

from __future__ import annotations

from collections.abc import Sequence as Several
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tilth.core.arrays import FloatMatrix32, IntVector, Vector
from tilth.core.draw import Draw
from tilth.core.errors import NotApplicable
from tilth.core.names import ROW_ID
from tilth.core.policy import AS_IT_IS, Change, Policy, Sequence, Step
from tilth.core.policy_report import PolicyReport, SequenceLine
from tilth.core.progress import Progress, silent
from tilth.core.rng import generator
from tilth.loop.transform_stand import TransformStand
from tilth.loop.variations import Variations
from tilth.numerics.sequence_choice import learn_sequences, likeliest
from tilth.numerics.transform_measures import quadratic_scores
from tilth.operators.batch import Batch, batches

__all__ = ["composed_policy"]

LENGTH, ROUNDS, SEQUENCES, ROWS = 2, 16, 16, 20
KEPT = 10
FINAL_ROWS = 100
LEAST_WORTH = 0.5
"""Share of the best sequence's reward below which a sequence is left out at the end."""
_TINY = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Made:
    """Rows after a sequence: which, their features, and the parts of the reward."""

    rows: IntVector
    features: FloatMatrix32
    agreement: float
    movement: Vector


@dataclass(kw_only=True, eq=False)
class _Composer:
    """Rewards of sequences over the changes that there are, against a classifier that learns in every round."""

    stand: TransformStand
    variations: Variations
    changes: Several[Change]
    seed: int
    tell: Progress = silent
    rounds_done: int = 0

    def sequence(self, choices: Several[int]) -> Sequence:
        """Return the sequence of some choices; the row as it is takes no step."""
        picked = [self.changes[choice] for choice in choices]
        return Sequence(tuple(Step((one,)) for one in picked if one.transform != AS_IT_IS))

    def rewards(self, found: np.ndarray) -> Vector:
        """Return the reward of each of some sequences, (m, length) -> (m,), on rows drawn anew."""
        self.tell("compose", "", self.rounds_done, ROUNDS)
        rng = generator(self.seed, "compose", self.rounds_done)
        rows = np.sort(rng.choice(len(self.stand), size=min(ROWS, len(self.stand)), replace=False))
        self.rounds_done += 1
        made = [self.made(self.sequence(one), rows, self.rounds_done) for one in found.tolist()]
        realism = self.realism(made)
        return np.array([_reward(one, real) for one, real in zip(made, realism, strict=True)])

    def made(self, sequence: Sequence, rows: IntVector, number: int) -> _Made:
        """Return rows after a sequence."""
        stand = self.stand
        table = stand.table.take(pa.array(rows))
        if sequence.steps:
            bound = self.variations.bind(Policy(sequences=(sequence,)).to_text())
            names = [name for name in table.column_names if name != ROW_ID]
            (batch,) = batches(table, names, max(len(rows), 1))
            after = bound.apply(
                Batch(ids=batch.ids, columns=batch.columns), Draw(seed=self.seed, step=("compose", number))
            )
            for name in names:
                table = table.set_column(table.column_names.index(name), name, after[name])
        features = stand.encode(table)
        told = stand.predict_unseen(table, features, rows).argmax(axis=1) == stand.labels[rows]
        lost = (stand.unseen[rows].argmax(axis=1) == stand.labels[rows]).astype(np.float64) - told
        gone = np.linalg.norm(features.astype(np.float64) - stand.features[rows], axis=1)
        return _Made(
            rows=rows,
            features=features,
            agreement=float(np.clip(1 - lost.mean(), 0.0, 1.0)),
            movement=np.clip(gone / max(self.stand.unit, _TINY), 0.0, 1.0),
        )

    def realism(self, made: Several[_Made]) -> list[Vector]:
        """Return how far each row passes for real, by a classifier of the other folds' rows, made ones among them."""
        stand = self.stand
        features = np.vstack([stand.features, *(one.features for one in made)])
        is_made = np.repeat([False, True], [len(stand), sum(len(one.rows) for one in made)])
        folds = np.concatenate([stand.folds, *(stand.folds[one.rows] for one in made)])
        odds = quadratic_scores(features, is_made, folds)
        chance = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
        real = np.clip(2 * (1 - chance[len(stand) :]), 0.0, 1.0)
        return np.split(real, np.cumsum([len(one.rows) for one in made])[:-1])


def _reward(made: _Made, realism: Vector) -> float:
    """Return what a sequence is worth: what real rows that have gone far bring, less what wrong labels cost."""
    return float(made.agreement * np.mean(realism * made.movement) - (1 - made.agreement))


def composed_policy(
    stand: TransformStand,
    variations: Variations,
    *,
    seed: int,
    length: int = LENGTH,
    rounds: int = ROUNDS,
    sequences: int = SEQUENCES,
    progress: Progress = silent,
) -> PolicyReport:
    """Return a policy of sequences that keep rows real and their label, and what each came to.

    Parameters
    ----------
    stand : labelled train rows, and models that did not see them
    variations : what may vary
    seed : of all draws
    length : changes one after the other
    rounds, sequences : how many rewards are looked at
    progress : told before each round

    Raises
    ------
    NotApplicable
        Nothing may vary, the label is a number, rows are too few to tell made ones from, or no sequence moves rows and keeps
        their label.
    """
    if stand.bench.schema.task.is_regression:
        raise NotApplicable("the label is a number: whether it still agrees cannot be told")
    known = [Change(name, one.severities) for name, one in sorted(variations.facts.items())]
    changes = (Change(AS_IT_IS), *(one for change in known for one in _levels(change)))
    if len(changes) < 2:
        raise NotApplicable("no transform that keeps the label suits the features")
    composer = _Composer(stand=stand, variations=variations, changes=changes, seed=seed, tell=progress)
    probs = learn_sequences(
        composer.rewards, len(changes), length, rounds=rounds, sequences=sequences, rng=generator(seed, "composing")
    )
    found, _ = likeliest(probs, 3 * KEPT)
    lines = _judged(composer, _distinct(composer, found.tolist()))
    return _report(lines, seed, len(stand))


def _levels(change: Change) -> tuple[Change, ...]:
    """Return a change at its weakest and at its strongest: what a severity harms is told apart."""
    if change.severities is None or change.severities[0] == change.severities[1]:
        return (change,)
    return tuple(Change(change.transform, (level, level)) for level in change.severities)


def _distinct(composer: _Composer, found: Several[Several[int]]) -> list[Sequence]:
    """Return the sequences without repetition; the row as it is beside a change is that change alone."""
    made = dict.fromkeys(composer.sequence(choices) for choices in found)
    return [one for one in made if one.steps]


def _judged(composer: _Composer, sequences: Several[Sequence]) -> list[tuple[Sequence, SequenceLine]]:
    """Return sequences with what they come to on more rows, best first."""
    rng = generator(composer.seed, "composed")
    size = min(FINAL_ROWS, len(composer.stand))
    rows = np.sort(rng.choice(len(composer.stand), size=size, replace=False))
    made = [composer.made(one, rows, -1) for one in sequences]
    lines = []
    for sequence, one in zip(sequences, made, strict=True):
        real = composer.realism([one])[0]  # alone against real rows: what is rare among many would pass
        line = SequenceLine(
            steps=tuple(str(step.changes[0]) for step in sequence.steps),
            score=round(_reward(one, real), 4),
            share=0.0,
            agreement=round(one.agreement, 4),
            realism=round(float(real.mean()), 4),
            movement=round(float(one.movement.mean()), 4),
        )
        lines.append((sequence, line))
    return sorted(lines, key=lambda pair: (-pair[1].score, pair[1].steps))


def _report(lines: Several[tuple[Sequence, SequenceLine]], seed: int, n_rows: int) -> PolicyReport:
    best = max((line.score for _, line in lines), default=0.0)
    chosen = [(s, line) for s, line in lines if line.score > 0 and line.score >= LEAST_WORTH * best][:KEPT]
    if not chosen:
        raise NotApplicable("no sequence of transforms moves rows and keeps their label")
    total = sum(line.score for _, line in chosen)
    policy = Policy(sequences=tuple(Sequence(s.steps, round(line.score / total, 4)) for s, line in chosen))
    shares = {s: round(line.score / total, 4) for s, line in chosen}
    told = tuple(
        SequenceLine(
            steps=line.steps,
            score=line.score,
            share=shares.get(s, 0.0),
            agreement=line.agreement,
            realism=line.realism,
            movement=line.movement,
        )
        for s, line in lines
    )
    measure = "agreement · realism · movement, less the share of labels lost"
    return PolicyReport(how="compose", policy=policy, measure=measure, lines=told, rows=n_rows, seed=seed)
