"""Labels from votes beside labels by hand: a commodity model's score on test, and how many hand labels the votes are worth.

    python -m benchmarks labels_or_hands [--draws N]

WRENCH's youtube and sms: rules vote on train rows, gold labels of train rows stand for hands, test is WRENCH's. Texts are encoded by
tilth's own text encoder, fitted on the train texts without labels. One linear learner in all arms; its penalty is chosen in each arm by
five-fold cross-validation on that arm's own targets (log loss), so that no arm sees a label that it has not got. Hand labels are drawn at
random (--draws times, at least two of each class). `with votes nearby` hands the label models the embeddings; rows that only votes nearby
reach are trained on too. F1 is that of spam.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import scipy

from benchmarks.quality._data import DATA
from tilth.core.labelling import Known
from tilth.core.votes import Votes
from tilth.encoding.text_ngrams import TextNgrams
from tilth.loop.label_votes import AUTO, by_rows_nearby, fitted_model
from tilth.numerics import softmax_regression
from tilth.operators.batch import Batch
from tilth.operators.registry import make

HANDS = (50, 100, 150, 250, 400, 700, 1000)
PENALTIES = (0.01, 0.1, 1.0, 10.0)
FOLDS = 5
ENOUGH = 2


@dataclass(frozen=True, eq=False)
class Set:
    """One set: encoded texts, gold labels, and votes on train rows."""

    name: str
    train: np.ndarray
    gold: np.ndarray
    votes: Votes
    test: np.ndarray
    truth: np.ndarray


def read(name: str) -> Set:
    """Return a WRENCH set with its texts encoded."""
    folder = DATA / "weak" / "wrench" / name
    train, test = (list(json.loads((folder / f"{part}.json").read_text()).values()) for part in ("train", "test"))
    texts = [[row["data"]["text"] for row in rows] for rows in (train, test)]
    encoder = TextNgrams()
    batches = [
        Batch(ids=pa.array([str(i) for i in range(len(part))]), columns={"text": pa.array(part, pa.string())})
        for part in texts
    ]
    fitted = encoder.finish(encoder.fold(encoder.start(), batches[0]))
    features = [encoder.encode(batch, fitted) for batch in batches]
    return Set(
        name=name,
        train=features[0],
        gold=np.array([row["label"] for row in train]),
        votes=Votes.of_matrix(np.array([row["weak_labels"] for row in train]), classes=("ham", "spam")),
        test=features[1],
        truth=np.array([row["label"] for row in test]),
    )


def learnt(data: Set, rows: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """Return accuracy and F1 on test of the learner trained on targets (m, 2) of some train rows (m,)."""
    features = data.train[rows]
    folds = np.random.default_rng(0).permutation(len(rows)) % FOLDS
    best = min(PENALTIES, key=lambda penalty: _held_out(features, targets, folds, penalty))
    probs = _fit_predict(features, targets, data.test, best)
    said = probs.argmax(axis=1)
    hits = int(((said == 1) & (data.truth == 1)).sum())
    return float((said == data.truth).mean()), 2 * hits / max(int((said == 1).sum() + (data.truth == 1).sum()), 1)


def _held_out(features: np.ndarray, targets: np.ndarray, folds: np.ndarray, penalty: float) -> float:
    losses = []
    for fold in range(FOLDS):
        inside, outside = folds != fold, folds == fold
        probs = _fit_predict(features[inside], targets[inside], features[outside], penalty)
        losses.append(-(targets[outside] * np.log(np.maximum(probs, 1e-12))).sum(axis=1))
    return float(np.concatenate(losses).mean())


def _fit_predict(features: np.ndarray, targets: np.ndarray, asked: np.ndarray, penalty: float) -> np.ndarray:
    design = softmax_regression.prepare(features, penalty / len(features))
    fitted = softmax_regression.fit(design.project(features), targets, np.ones(len(features)), design, tolerance=1e-6)
    return np.asarray(softmax_regression.predict_proba(design.project(asked), fitted))


def by_votes(data: Set, *, nearby: bool) -> tuple[np.ndarray, np.ndarray, str]:
    """Return the rows that the votes label, their targets, and the label model's name."""
    known = Known(embeddings=data.train if nearby else None)
    choice = fitted_model(AUTO, data.votes, known)
    probs = choice.model.predict(data.votes, choice.labelling, known)
    reached = by_rows_nearby(data.votes, probs, choice.labelling.prior)
    rows = np.flatnonzero(data.votes.covered | reached)
    return rows, probs[rows], choice.labelling.model


def by_majority(data: Set) -> tuple[np.ndarray, np.ndarray, str]:
    """Return the rows that have a vote, and the shares of their votes."""
    model = make("labeling", "majority")
    probs = model.predict(data.votes, model.fit(data.votes))
    rows = np.flatnonzero(data.votes.covered)
    return rows, probs[rows], "majority"


def by_hand(data: Set, n: int, draws: int) -> list[tuple[float, float]]:
    """Return accuracy and F1 of models of n hand labels, one per draw."""
    found = []
    for draw in range(draws):
        rng = np.random.default_rng([7, draw])
        rows = rng.permutation(len(data.gold))
        first = np.concatenate([rows[data.gold[rows] == c][:ENOUGH] for c in range(2)])
        rows = np.concatenate([first, rows[~np.isin(rows, first)]])[:n]
        found.append(learnt(data, rows, np.eye(2)[data.gold[rows]]))
    return found


def worth(score: float, curve: Sequence[tuple[int, float]]) -> str:
    """Return at how many hand labels the mean curve first reaches a score, between sizes by straight lines in log n."""
    if score <= curve[0][1]:
        return f"fewer than {curve[0][0]}"
    for (n0, s0), (n1, s1) in pairwise(curve):
        if s0 < score <= s1:
            share = (score - s0) / (s1 - s0)
            return f"about {round(float(np.exp(np.log(n0) + share * (np.log(n1) - np.log(n0)))), -1):.0f}"
    return f"more than {curve[-1][0]:,}"


def show(data: Set, draws: int) -> None:
    """Print one set's table."""
    print(
        f"\n### {data.name}: {len(data.gold):,} train rows, {data.votes.covered.mean():.0%} with a vote; {len(data.truth):,} test rows\n"
    )
    print("| labels | rows | right | test accuracy | test F1 | as good as so many by hand, by accuracy · by F1 |")
    print("|---|---|---|---|---|---|")
    scores = {n: by_hand(data, n, draws) for n in HANDS if n <= len(data.gold)}
    curves = [[(n, float(np.mean([one[at] for one in found]))) for n, found in scores.items()] for at in (0, 1)]
    ways = {
        "majority": by_majority(data),
        "votes": by_votes(data, nearby=False),
        "votes nearby too": by_votes(data, nearby=True),
    }
    for name, (rows, targets, model) in ways.items():
        accuracy, f1 = learnt(data, rows, targets)
        right = (targets.argmax(axis=1) == data.gold[rows]).mean()
        hands = " · ".join(worth(score, curve) for score, curve in zip((accuracy, f1), curves, strict=True))
        shown = name if name == model else f"{name}, by {model}"
        print(f"| {shown} | {len(rows):,} | {right:.3f} | {accuracy:.4f} | {f1:.4f} | {hands} |")
    for n, found in scores.items():
        spread = [f"{np.mean(s):.4f} [{min(s):.4f}, {max(s):.4f}]" for s in zip(*found, strict=True)]
        print(f"| by hand | {n:,} | 1.000 | {spread[0]} | {spread[1]} | |")
    all_rows = np.arange(len(data.gold))
    accuracy, f1 = learnt(data, all_rows, np.eye(2)[data.gold])
    print(f"| by hand, all | {len(all_rows):,} | 1.000 | {accuracy:.4f} | {f1:.4f} | |")


def main(arguments: list[str]) -> int:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks labels_or_hands", description=__doc__)
    parser.add_argument("--draws", type=int, default=10)
    chosen = parser.parse_args(arguments)
    start = time.process_time()
    print(f"Versions: numpy {np.__version__}, scipy {scipy.__version__}")
    for name in ("youtube", "sms"):
        if not (DATA / "weak" / "wrench" / name).exists():
            print(f"skipped: shared/data/weak/wrench/{name} is not there")
            continue
        show(read(name), chosen.draws)
    print(f"\nCPU seconds: {time.process_time() - start:.0f}")
    return 0
