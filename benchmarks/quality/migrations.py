"""A label set that changes: labels kept, questions, and test score, beside relabelling everything and asking at random.

    python -m benchmarks migrations [--seeds N]

banking77, 77 intents, MiniLM embeddings of the texts, one linear learner (penalty 0.1) in every arm, test labels as published.

Merged and split again: the intents are merged into 20 groups (centroids, Ward) and the groups split into the intents again, without rules:
every label is a set. Arms by number of answers: the answers alone; even shares over sets beside them; what `label_within_sets` makes of
the sets; rows asked at random, or as `open_labels` chooses them in rounds of a doubling number of answers.

A guideline that changes: rows of three intents that say a certain word belong to another intent from now on. `redefine` with that word as
its rule opens the labels that it puts in doubt; the others stay. Asked are rows among these, or rows of the whole set at random.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy
import sklearn
from sklearn.cluster import AgglomerativeClustering

from tilth.core.migration import Change, Migration
from tilth.core.moving_labels import move_labels
from tilth.core.taxonomy import Taxonomy
from tilth.numerics import softmax_regression
from tilth.numerics.partial_labels import entropy_within, within_sets
from tilth.selection.open_labels import middles

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
GROUPS = 20
PENALTY = 0.1
SIZES = (100, 200, 400, 800, 1600)
GUIDELINES = (
    ("card_arrival", "card_delivery_estimate", "track"),
    ("pending_transfer", "transfer_timing", "still"),
    ("declined_card_payment", "card_not_working", "card"),
)
"""Intent, the intent that takes its rows from now on, the word that says which."""


@dataclass(frozen=True, eq=False)
class Task:
    """Texts with intents: train and test."""

    features: np.ndarray
    labels: np.ndarray
    texts: list[str]
    test: np.ndarray
    test_labels: np.ndarray
    test_texts: list[str]
    names: tuple[str, ...]


def read() -> Task:
    """Return banking77 with the embeddings that lie beside it."""
    folder, vectors = DATA / "banking77", DATA / "embeddings"
    tables = [pq.read_table(folder / f"{part}.parquet") for part in ("train", "test")]
    label = next(name for name in tables[0].column_names if name != "text")
    names = tuple(sorted({str(value) for value in tables[0].column(label).to_pylist()}))
    codes = [np.array([names.index(str(value)) for value in table.column(label).to_pylist()]) for table in tables]
    embedded = [np.load(vectors / f"banking77_{part}_minilm384.npy").astype(np.float32) for part in ("train", "test")]
    texts = [[str(text).lower() for text in table.column("text").to_pylist()] for table in tables]
    return Task(embedded[0], codes[0], texts[0], embedded[1], codes[1], texts[1], names)


class Fits:
    """Fits of one linear learner to targets and weights, scored on test."""

    def __init__(self, task: Task, test_labels: np.ndarray) -> None:
        self._design = softmax_regression.prepare(task.features, PENALTY / len(task.features))
        self._train, self._test = (self._design.project(part) for part in (task.features, task.test))
        self._truth = test_labels

    def accuracy(self, targets: np.ndarray, weights: np.ndarray | None = None) -> float:
        """Return test accuracy after training on soft targets (n, k) with weights (n,)."""
        weights = np.ones(len(targets)) if weights is None else weights
        fitted = softmax_regression.fit(self._train, targets, weights, self._design, tolerance=1e-5)
        return float((softmax_regression.predict_proba(self._test, fitted).argmax(axis=1) == self._truth).mean())


def in_rounds(
    task: Task, truth: np.ndarray, open_rows: np.ndarray, sets: np.ndarray, known: np.ndarray, seed: int
) -> Iterator[np.ndarray]:
    """Yield the answered rows after each size, each round chosen by what is known then."""
    answered = np.zeros(len(truth), dtype=bool)
    for size in SIZES:
        left = open_rows[~answered[open_rows]]
        need = size - int(answered.sum())
        if len(left) <= need:
            return
        sure = known | answered
        doubt = np.ones(len(left))
        if sure.any():
            used = np.concatenate([np.flatnonzero(sure), left])
            is_known = np.arange(len(used)) < sure.sum()
            doubt = entropy_within(
                within_sets(task.features[used], truth[used], is_known, sets[left], PENALTY), sets[left]
            )
        answered[left[middles(task.features[left], doubt, need, seed)]] = True
        yield np.flatnonzero(answered)


def at_random(open_rows: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield the answered rows after each size, drawn at random."""
    order = rng.permutation(open_rows)
    for size in SIZES:
        if size >= len(open_rows):
            return
        yield order[:size]


def within(task: Task, truth: np.ndarray, sure: np.ndarray, sets: np.ndarray) -> np.ndarray:
    """Return targets: the label where it is sure, else what a model of the sure rows says within the set."""
    targets = np.eye(len(task.names))[truth]
    targets[~sure] = within_sets(task.features, truth, sure, sets[~sure], PENALTY)
    return targets


def split_again(task: Task, seed: int) -> list[tuple[str, int, float]]:
    """Return (arm, answers, accuracy) of 20 groups that are split into 77 intents."""
    k, n = len(task.names), len(task.labels)
    centres = np.stack([task.features[task.labels == c].mean(axis=0) for c in range(k)])
    group = AgglomerativeClustering(GROUPS).fit_predict(centres)
    merges = [_merge(task, group, g) for g in range(GROUPS) if (group == g).sum() > 1]
    splits = [Migration(change=Change.SPLIT, classes=one.into, into=one.classes) for one in merges]
    taxonomy = Taxonomy(task.names, (*merges, *splits))
    moved = move_labels(
        pa.array([task.names[c] for c in task.labels]), taxonomy, lambda _: np.zeros(n, dtype=bool), since=1
    )
    order = [taxonomy.names.index(name) for name in task.names]
    sets = np.eye(k, dtype=bool)[task.labels]
    sets[moved.open] = moved.sets[:, order]
    fits, rng = Fits(task, task.test_labels), np.random.default_rng(seed)
    known = ~np.isin(np.arange(n), moved.open)
    hot = np.eye(k)[task.labels]
    found = [("all labels asked again", n, fits.accuracy(hot))]
    ways: dict[str, Callable[[], Iterator[np.ndarray]]] = {
        "at random": lambda: at_random(moved.open, rng),
        "as tilth asks": lambda: in_rounds(task, task.labels, moved.open, sets, known, seed),
    }
    for way, asked in ways.items():
        for answered in asked():
            sure = known.copy()
            sure[answered] = True
            shares = np.where(sure[:, None], hot, sets / sets.sum(axis=1, keepdims=True))
            found.append((f"{way}: answers alone", len(answered), fits.accuracy(hot, sure.astype(float))))
            found.append((f"{way}: even shares over sets", len(answered), fits.accuracy(shares)))
            found.append((f"{way}: within sets", len(answered), fits.accuracy(within(task, task.labels, sure, sets))))
    return found


def _merge(task: Task, group: np.ndarray, number: int) -> Migration:
    names = tuple(task.names[c] for c in np.flatnonzero(group == number))
    return Migration(change=Change.MERGE, classes=names, into=(f"group {number}",))


def new_guideline(task: Task, seed: int) -> tuple[list[tuple[str, int, float]], str]:
    """Return (arm, answers, accuracy) where three guidelines changed, and what they left of the labels."""
    at = {name: c for c, name in enumerate(task.names)}
    truth, test_truth = task.labels.copy(), task.test_labels.copy()
    steps = []
    for number, (name, heir, word) in enumerate(GUIDELINES, 2):
        for labels, texts in ((truth, task.texts), (test_truth, task.test_texts)):
            labels[(labels == at[name]) & np.array([word in text for text in texts])] = at[heir]
        steps.append(Migration(change=Change.REDEFINE, classes=(name, heir), where=word, guideline=str(number)))
    taxonomy = Taxonomy(task.names, tuple(steps))
    says = {word: np.array([word in text for text in task.texts]) for _, _, word in GUIDELINES}
    moved = move_labels(pa.array([task.names[c] for c in task.labels]), taxonomy, says.__getitem__, since=1)
    order = [taxonomy.names.index(name) for name in task.names]
    sets = np.eye(len(task.names), dtype=bool)[task.labels]
    sets[moved.open] = moved.sets[:, order]
    known = ~np.isin(np.arange(len(truth)), moved.open)
    fits, rng = Fits(task, test_truth), np.random.default_rng(seed)
    hot, old = np.eye(len(task.names))[truth], np.eye(len(task.names))[task.labels]
    changed = int((truth != task.labels).sum())
    found = [("all labels asked again", len(truth), fits.accuracy(hot)), ("nothing done", 0, fits.accuracy(old))]
    found.append(("open labels left out", 0, fits.accuracy(old, known.astype(float))))
    for answered in at_random(np.arange(len(truth)), rng):
        mixed = old.copy()
        mixed[answered] = hot[answered]
        found.append(("any rows at random, the other labels as they were", len(answered), fits.accuracy(mixed)))
    for answered in in_rounds(task, truth, moved.open, sets, known, seed):
        sure = known.copy()
        sure[answered] = True
        found.append(("as tilth asks: within sets", len(answered), fits.accuracy(within(task, truth, sure, sets))))
    everything = known | np.isin(np.arange(len(truth)), moved.open)
    found.append(("as tilth asks: all open rows", len(moved.open), fits.accuracy(hot, everything.astype(float))))
    kept = f"{known.mean():.1%} of {len(truth):,} labels stay, {len(moved.open):,} are open; {changed:,} are wrong by the new guideline"
    return found, kept


def table(title: str, runs: list[list[tuple[str, int, float]]]) -> None:
    """Print test accuracy by arm and number of answers: the mean over seeds, and the range."""
    print(f"\n### {title}\n")
    print("| arm | answers | test accuracy, mean [range over seeds] |")
    print("|---|---|---|")
    for arm, answers in dict.fromkeys((arm, answers) for run in runs for arm, answers, _ in run):
        scores = [score for run in runs for one, n, score in run if (one, n) == (arm, answers)]
        print(f"| {arm} | {answers:,} | {np.mean(scores):.4f} [{min(scores):.4f}, {max(scores):.4f}] |")


def main(arguments: list[str]) -> int:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks migrations", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    chosen = parser.parse_args(arguments)
    if not (DATA / "banking77").exists():
        print("skipped: shared/data/banking77 is not there")
        return 0
    start = time.process_time()
    task = read()
    print(f"Versions: numpy {np.__version__}, scipy {scipy.__version__}, scikit-learn {sklearn.__version__}")
    print(
        f"\n77 intents merged into {GROUPS} groups: every label goes along, no question; taken back, every label is what it was."
    )
    table("Split into 77 again, no rules", [split_again(task, seed) for seed in range(chosen.seeds)])
    runs = [new_guideline(task, seed) for seed in range(chosen.seeds)]
    print(f"\n{runs[0][1]}")
    table("Three intents by a new guideline", [run for run, _ in runs])
    print(f"\nCPU seconds: {time.process_time() - start:.0f}")
    return 0
