"""Who should answer next: error of the consensus against the number of answers, beside people drawn at random.

Planted annotators with known errors: two good ones, two who are good at half of the classes and guess at the others, two middling
ones, a coin and one who says one class only. Each of 300 rows of 4 classes is answered once by somebody drawn at random;
then rounds of 60 answers. The rows of a round are the same rule for all: those whose class is least sure. Only who
answers them differs:

- `random`: somebody drawn at random among those who have not answered the row;
- `information`: whose answer is expected to tell most (`expected_information`), as many as it takes;
- `information, each 15` and `each 8`: the same, at most so many rows of a round for one person (random gives 7.5 on average).

Consensus and errors of people are estimated as `tilth answer` does (`auto`), from the answers alone; the truth is read for
scoring only. Error: share of the 300 rows whose most probable class is wrong. Means over worlds with 95 % intervals (Student);
the differences are paired by world. Nothing was tuned on these worlds.

    python -m benchmarks who_answers [worlds]
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Mask, Matrix
from tilth.core.labelling import Known
from tilth.core.votes import Votes
from tilth.loop.label_votes import AUTO, best_class, fitted_model
from tilth.numerics.annotators import confusions_of
from tilth.numerics.expected_information import assigned, expected_information
from tilth.numerics.intervals import mean_interval

ROWS, CLASSES, ROUND, ROUNDS, WORLDS = 300, 4, 60, 10, 12
CAPS = {"information": None, "information, each 15": 15, "information, each 8": 8}
POLICIES = ("random", *CAPS)
SHOWN = (0, 2, 4, 6, 8, 10)


@dataclass(frozen=True, kw_only=True)
class World:
    """A truth, and what each person would say of each row: the same whenever they are asked."""

    truth: IntVector
    answers: Matrix
    seed: int


@dataclass(kw_only=True)
class Course:
    """Errors after each round."""

    errors: list[float] = field(default_factory=list)


def world_of(seed: int) -> World:
    """Return a planted world."""
    rng = np.random.default_rng([seed, 1])
    k = CLASSES
    good, middling = 0.92, 0.7
    people = [_even(good), _even(good), _half((0, 1)), _half((2, 3)), _even(middling), _even(middling)]
    people += [np.full((k, k), 1 / k), np.tile(np.eye(k)[0] * 0.97 + 0.01 * (1 - np.eye(k)[0]), (k, 1))]
    truth = rng.integers(0, k, ROWS)
    chances = np.stack(people)[:, truth].cumsum(axis=2)
    said = (rng.random((len(people), ROWS, 1)) > chances).sum(axis=2)
    return World(truth=truth, answers=np.minimum(said, k - 1).T, seed=seed)


def _even(right: float) -> Matrix:
    k = CLASSES
    return np.full((k, k), (1 - right) / (k - 1)) + (right - (1 - right) / (k - 1)) * np.eye(k)


def _half(known: tuple[int, int]) -> Matrix:
    """Sure of two classes, and a guess between the other two."""
    k = CLASSES
    rest = [t for t in range(k) if t not in known]
    errors = np.full((k, k), 0.02)
    for t in known:
        errors[t, t] = 0.94
    for t in rest:
        errors[t, rest] = 0.48
    return errors / errors.sum(axis=1, keepdims=True)


def course(world: World, policy: str) -> Course:
    """Return the errors of one policy in one world."""
    m = world.answers.shape[1]
    rng = np.random.default_rng([world.seed, 2])
    asked = np.zeros((ROWS, m), dtype=bool)
    asked[np.arange(ROWS), rng.integers(0, m, ROWS)] = True
    found = Course()
    for step in range(ROUNDS + 1):
        votes = _votes(world, asked)
        choice = fitted_model(AUTO, votes, Known())
        probs = choice.model.predict(votes, choice.labelling)
        found.errors.append(float((best_class(probs, choice.labelling.prior) != world.truth).mean()))
        if step == ROUNDS:
            return found
        rows = _least_sure(probs, asked)
        people = _people(policy, votes, probs, rows, ~asked[rows], np.random.default_rng([world.seed, 3, step]))
        asked[rows, people] = True
    raise AssertionError("unreachable")


def _votes(world: World, asked: Mask) -> Votes:
    rows, sources = np.nonzero(asked)
    return Votes(
        row_ids=pa.array([str(row) for row in range(ROWS)]),
        labelers=tuple(f"person {j}" for j in range(asked.shape[1])),
        classes=tuple("abcd"),
        rows=rows,
        sources=sources,
        said=world.answers[rows, sources],
    )


def _least_sure(probs: Matrix, asked: Mask) -> IntVector:
    order = np.argsort(probs.max(axis=1), kind="stable")
    return order[~asked[order].all(axis=1)][:ROUND]


def _people(
    policy: str, votes: Votes, probs: Matrix, rows: IntVector, may: Mask, rng: np.random.Generator
) -> IntVector:
    if policy == "random":
        return np.where(may, rng.random(may.shape), -1.0).argmax(axis=1)
    confusions = confusions_of(votes.sources, votes.said, probs[votes.rows], may.shape[1])
    gains = expected_information(probs[rows], confusions)
    given = assigned(gains, may, CAPS[policy])
    return np.where(given >= 0, given, np.where(may, gains, -1.0).argmax(axis=1))


def main(arguments: list[str]) -> int:
    """Print error against answers for each policy, and the paired differences to random."""
    worlds = int(arguments[0]) if arguments else WORLDS
    errors = {
        policy: np.array([course(world_of(seed), policy).errors for seed in range(worlds)]) for policy in POLICIES
    }
    print(
        f"{worlds} worlds (seeds 0 to {worlds - 1}), {ROWS} rows, {CLASSES} classes, 8 people. Error of the consensus in %.\n"
    )
    print("| answers | " + " | ".join([*POLICIES, *(f"random − {name}" for name in CAPS)]) + " |")
    print("|---" * (2 * len(POLICIES)) + "|")
    for step in SHOWN:
        cells = [f"{ROWS + step * ROUND:,}", *(_cell(errors[policy][:, step]) for policy in POLICIES)]
        cells += [_cell(errors["random"][:, step] - errors[policy][:, step]) for policy in CAPS]
        print("| " + " | ".join(cells) + " |")
    return 0


def _cell(values: np.ndarray) -> str:
    found = mean_interval(100 * values)
    return f"{found.value:.1f} [{found.low:.1f}, {found.high:.1f}]".replace("-", "−")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
