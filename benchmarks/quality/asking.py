"""Asking: clean accuracy after so many train labels are set right by answers, by the order in which rows are asked about.

Half of each set is train with noisy labels, three tenths are fresh rows with true labels. Answers are true, and take the place of
the given labels; the learner is fitted anew after each batch, the order comes from the labels as they came (one batch). Orders:
at random; `doubted_labels` as `tilth ask` has it; the severity of `label_error`; the margin of another class over the given one;
lowest value first by each operator of the room `valuation`. Gains are paired over the fresh rows; intervals over these rows and
not over seeds. `doubted_labels` was chosen among ten orders on cifar10 aggre_label, random_label1 and worse_label; the other
labels and sets were seen when it was fixed.

    python -m benchmarks asking [SET …] [--seeds N]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from benchmarks.quality import _data as data
from benchmarks.quality.judge import PENALTY, Part
from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.errors import NotApplicable
from tilth.learning.linear import Linear
from tilth.numerics.neighbours import k_nearest
from tilth.numerics.truth_nearby import truth_nearby
from tilth.operators.registry import make
from tilth.selection.doubted_labels import worth_of_answers
from tilth.testing.views import view_of

ANSWERS = (60, 180, 540)
CIFAR10 = data.PEOPLE
PLANTED = ("uniform", "class", "feature")
VALUERS = {"self_confidence": {}, "knn_shapley": {"references": 1000}, "influence": {}}


def main(arguments: list[str]) -> int:
    """Ask on the named sets, or on all, and print what each order gains."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks asking")
    parser.add_argument("sets", nargs="*", default=[])
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args(arguments)
    head = " | ".join(f"{n} answers: gain, 95 %, wrong among them" for n in ANSWERS)
    print(f"| set | labels | order | {head} |\n|---|---|---|{'---|' * len(ANSWERS)}", flush=True)
    for name in options.sets or ("cifar10", "adult", "banking77"):
        try:
            for labels, rows, given in _cases(name):
                _print(name, labels, rows, given, options.seeds)
        except data.AbsentError as absent:
            print(absent)
    return 0


def _cases(name: str) -> Iterator[tuple[str, data.Rows, list[IntVector]]]:
    if name == "cifar10":
        rows, people = data.cifar10()
        yield from ((labels, rows, [people[labels]] * 99) for labels in CIFAR10)
        return
    rows = (
        data.banking77() if name == "banking77" else data.table(name, f"{name}/{name}.parquet", "income", rows=24_000)
    )
    for kind in PLANTED:
        yield f"{kind} 20 %", rows, [data.planted(rows, kind, 0.2, seed) for seed in range(9)]


def _print(name: str, labels: str, rows: data.Rows, given: list[IntVector], seeds: int) -> None:
    gains: dict[str, list[list[Vector]]] = {}
    hits: dict[str, list[list[float]]] = {}
    for seed in range(seeds):
        for order, (gained, wrong) in _asked(rows, given[seed], PENALTY.get(name, 1.0), seed).items():
            gains.setdefault(order, []).append(gained)
            hits.setdefault(order, []).append(wrong)
    for order, by_seed in gains.items():
        cells = []
        for at in range(len(ANSWERS)):
            together = np.concatenate([one[at] for one in by_seed])
            error = 1.96 * together.std() / np.sqrt(len(together))
            share = np.mean([one[at] for one in hits[order]])
            cells.append(f"{together.mean():+.4f} ± {error:.4f}, {share:.0%}")
        print(f"| {name} | {labels} | {order} | {' | '.join(cells)} |", flush=True)


def _asked(rows: data.Rows, given: IntVector, penalty: float, seed: int) -> dict[str, tuple[list[Vector], list[float]]]:
    """Return for each order the paired gains on fresh rows, and the share of asked labels that were wrong, by number of answers."""
    order = np.random.default_rng([seed, 7]).permutation(len(rows))
    half, most = len(rows) // 2, int(0.7 * len(rows))
    learner = Linear(penalty=penalty)
    train, fresh = (
        Part(rows=rows, at=at, given=given[at], learner=learner, seed=seed) for at in (order[:half], order[most:])
    )

    def right(labels: IntVector) -> Vector:
        model = learner.fit(train.view(), train.target(np.eye(rows.n_classes)[labels]))
        found = learner.predict_proba(fresh.view(), model).argmax(axis=1)
        return np.asarray(found == fresh.truth, dtype=np.float64)

    before, found = right(train.given), {}
    for name, doubt in _orders(train, seed):
        ranked = np.argsort(-doubt, kind="stable")
        gained, wrong = [], []
        for n in ANSWERS:
            labels = train.given.copy()
            labels[ranked[:n]] = train.truth[ranked[:n]]
            gained.append(right(labels) - before)
            wrong.append(float((train.given != train.truth)[ranked[:n]].mean()))
        found[name] = (gained, wrong)
    return found


def _orders(train: Part, seed: int) -> Iterator[tuple[str, Vector]]:
    """Yield names and doubts, (n,), asked from the highest down."""
    probs, rows = train.pred_probs(), np.arange(len(train.given))
    yield "random", np.random.default_rng([seed, 5]).random(len(rows))
    truth = truth_nearby(train.given, probs, k_nearest(train.features, 20, metric="euclidean", exclude_self=True))
    yield "doubted_labels", worth_of_answers(train.given, truth, probs)
    yield "label_error", 1 - truth[rows, train.given]
    others = probs.copy()
    others[rows, train.given] = -1
    yield "margin", others.max(axis=1) - probs[rows, train.given]
    for name, parameters in VALUERS.items():
        try:
            yield f"{name}, lowest first", -_values(name, parameters, train, probs, seed)
        except NotApplicable as none:
            print(f"| | | {name}: {none} |")


def _values(name: str, parameters: dict[str, int], train: Part, probs: Matrix, seed: int) -> Vector:
    valuer = make("valuation", name, **parameters)
    classes = [str(c) for c in range(train.rows.n_classes)]
    view = view_of(valuer, classes=classes, seed=seed, embeddings=train.features, labels=train.given, pred_probs=probs)
    return np.asarray(valuer.value(view).values)
