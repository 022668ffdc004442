"""What each row is worth: CPU seconds of exact kNN-Shapley beside plain NumPy, and how well each valuer finds wrong labels.

    python -m benchmarks values [--quick] [--only speed|finding|operators]

Speed: 10,000 train rows, 2,000 references, 384 features, K = 10, ten classes, one BLAS thread. Plain NumPy is the recursion of
Jia et al. (2019) in blocks of 256 references: a float32 product, argsort, cumulative sum, bincount. It comes with a stable
argsort, which keeps ties in row order as tilth does, and with NumPy's quicker one, which does not. All run in one process in
turns; CPU seconds of all threads. Memory is the peak of what NumPy allocates beyond its inputs.

Finding: 500 rows, one in ten labels turned to another class at random (or the labels that people gave, where the set says so), ten
seeds that draw the rows and the labels. AUC = chance that a wrong row is valued below a right one, ties counted half; 95 % t
intervals over the seeds, cut at 0 and 1. All valuers see the same rows; none sees a right label. Features have mean squared
length 1, penalties are the defaults. The learner of data_oob and the default loss of influence were chosen on sklearn's digits,
ten classes of banking77 and the planted worlds of the tests, which are therefore not shown. The blobs 4 sd out follow nearly the
law of those worlds; nothing was chosen on the other three sets.

Operators: CPU seconds of one call on 10,000 rows, 384 features, ten classes.

The data lies beside the repository, in ../shared/data; a set that is not there is left out.
"""

from __future__ import annotations

import argparse
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import sklearn
from scipy.stats import rankdata
from scipy.stats import t as student
from threadpoolctl import threadpool_limits

from tilth.core.target import Target
from tilth.learning._crossfit import fold_numbers, out_of_sample
from tilth.learning.linear import Linear
from tilth.operators.registry import spec_of
from tilth.testing.views import view_of
from tilth.valuation.data_oob import DataOob
from tilth.valuation.influence import Influence
from tilth.valuation.knn_shapley import KnnShapley, knn_shapley
from tilth.valuation.self_confidence import SelfConfidence

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SHAPE = (10_000, 2_000, 384, 10)
N_CLASSES, N_ROWS, SHARE = 10, 500, 0.1
REPEATS, SEEDS = 3, 10
Problem = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def main(arguments: list[str]) -> int:
    """Print the tables that are asked for, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks values")
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows, two seeds: to see that it runs")
    parser.add_argument("--only", choices=("speed", "finding", "operators"))
    options = parser.parse_args(arguments)
    parts = {"speed": speed, "finding": finding, "operators": operators}
    print(f"numpy {np.__version__}, scikit-learn {sklearn.__version__}, Python {sys.version.split()[0]}", flush=True)
    with threadpool_limits(1):
        for name, part in parts.items():
            if options.only in (None, name):
                print(f"\n## {name}\n")
                part(quick=options.quick)
    return 0


# -- speed -------------------------------------------------------------------------------------------------------------


def plain(kind: str) -> Callable[[Problem, int], np.ndarray]:
    """Return the plain blocked recursion with a kind of argsort."""

    def shapley(problem: Problem, k: int) -> np.ndarray:
        features, labels, references, wanted = problem
        n, total = len(features), np.zeros(len(features))
        rank = np.arange(1, n)
        squares = np.square(features).sum(axis=1)
        for first in range(0, len(references), 256):
            part = slice(first, first + 256)
            order = np.argsort(squares - 2 * references[part] @ features.T, axis=1, kind=kind)
            right = (labels[order] == wanted[part, None]).astype(np.float64)
            steps = np.empty_like(right)
            steps[:, -1] = right[:, -1] * min(k, n) / (k * n)
            steps[:, :-1] = (right[:, :-1] - right[:, 1:]) * (np.minimum(k, rank) / (k * rank))
            shares = steps[:, ::-1].cumsum(axis=1)[:, ::-1]
            total += np.bincount(order.ravel(), weights=shares.ravel(), minlength=n)
        return total / len(references)

    return shapley


def speed(*, quick: bool) -> None:
    """Time exact kNN-Shapley and the plain recursions in turns."""
    n, m, width, k = SHAPE if not quick else (1_000, 200, 384, 10)
    methods: dict[str, Callable[[Problem, int], np.ndarray]] = {
        "tilth knn_shapley": lambda problem, k: knn_shapley(*problem, k=k)[0],
        "plain NumPy, stable argsort": plain("stable"),
        "plain NumPy, quick argsort": plain("quicksort"),
    }
    print(
        "| problem | method | CPU s, each repeat | median | times tilth's | peak MB | largest difference to the exact order |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, problem in _problems(n, m, width):
        exact = _exact(problem, k, 20)
        seconds: dict[str, list[float]] = {method: [] for method in methods}
        for _ in range(REPEATS):
            for method, run in methods.items():
                seconds[method].append(_timed(partial(run, problem, k)))
        ours = np.median(seconds["tilth knn_shapley"])
        for method, run in methods.items():
            some = (*problem[:2], problem[2][:20], problem[3][:20])
            gap, middle = np.abs(run(some, k) - exact).max(), np.median(seconds[method])
            each = ", ".join(f"{one:.2f}" for one in seconds[method])
            memory = _peak(partial(run, problem, k))
            print(f"| {name} | {method} | {each} | {middle:.2f} | {middle / ours:.2f} | {memory:.0f} | {gap:.1e} |")


def _problems(n: int, m: int, width: int) -> Iterator[tuple[str, Problem]]:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((n + m, width)).astype(np.float32)
    labels = rng.integers(N_CLASSES, size=n + m)
    yield f"Gaussian rows (seed 0), {n:,} × {m:,} × {width}", (rows[:n], labels[:n], rows[n:], labels[n:])
    folder = DATA / "embeddings"
    if (folder / "banking77_train_minilm384.npy").exists():
        sides = []
        for split, most in (("train", n), ("test", m)):
            rows = np.load(folder / f"banking77_{split}_minilm384.npy")[:most].astype(np.float32)
            names = pq.read_table(DATA / "banking77" / f"{split}.parquet", columns=["category"]).column(0)[:most]
            sides += [rows, np.asarray(names.combine_chunks().dictionary_encode().indices).astype(np.intp)]
        yield f"banking77, {len(sides[0]):,} × {len(sides[2]):,} × {width}", tuple(sides)


def _exact(problem: Problem, k: int, references: int) -> np.ndarray:
    """The recursion in float64 by differences, ties in row order, for the first references."""
    features, labels, there, wanted = problem
    rows = features.astype(np.float64)
    total = np.zeros(len(rows))
    for reference, label in zip(there[:references].astype(np.float64), wanted, strict=False):
        order = np.argsort(np.square(rows - reference).sum(axis=1), kind="stable")
        right = (labels[order] == label).astype(np.float64)
        rank = np.arange(1, len(rows))
        steps = np.append((right[:-1] - right[1:]) * np.minimum(k, rank) / (k * rank), right[-1] / len(rows))
        total[order] += steps[::-1].cumsum()[::-1]
    return total / references


def _timed(run: Callable[[], Any]) -> float:
    start = process_time()
    run()
    return process_time() - start


def _peak(run: Callable[[], Any]) -> float:
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


# -- finding -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """Rows with given labels, and which of these are wrong."""

    features: np.ndarray
    given: np.ndarray
    wrong: np.ndarray
    n_classes: int

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return tuple(f"c{c}" for c in range(self.n_classes))


def blobs(seed: int, apart: float) -> Sample:
    """Three classes around centres so many standard deviations from the origin, in eight features."""
    rng = np.random.default_rng([seed, int(10 * apart)])
    truth = rng.integers(3, size=N_ROWS)
    return _flipped(rng.standard_normal((N_ROWS, 8)) + apart * np.eye(3, 8)[truth], truth, 3, rng)


def cifar10(seed: int, people: str = "") -> Sample:
    """Rows of cifar10 as EfficientNet-lite0 sees them; labels turned at random, or as people gave them."""
    rng = np.random.default_rng([seed, 3])
    columns = ["label", people] if people else ["label"]
    table = pq.read_table(DATA / "cifar10" / "train_20k.parquet", columns=columns)
    rows = np.sort(rng.choice(table.num_rows, N_ROWS, replace=False))
    truth = np.asarray(table.column("label"))[rows]
    features = np.load(DATA / "embeddings" / "cifar10_train_20k_efficientnet_lite0_pca256.npy", mmap_mode="r")[rows]
    if not people:
        return _flipped(features, truth, 10, rng)
    given = np.asarray(table.column(people))[rows]
    return Sample(features=_scaled(features), given=given, wrong=given != truth, n_classes=10)


SETS: dict[str, Callable[[int], Sample]] = {
    "three blobs, 4 sd out": partial(blobs, apart=4.0),
    "three blobs, 2 sd out": partial(blobs, apart=2.0),
    "cifar10": cifar10,
    "cifar10, people's labels (aggregated)": partial(cifar10, people="aggre_label"),
}


def _flipped(features: np.ndarray, truth: np.ndarray, n_classes: int, rng: np.random.Generator) -> Sample:
    wrong = rng.permutation(len(truth)) < SHARE * len(truth)
    moved = (truth + rng.integers(1, n_classes, size=len(truth))) % n_classes
    given = np.where(wrong, moved, truth).astype(np.intp)
    return Sample(features=_scaled(features), given=given, wrong=wrong, n_classes=n_classes)


def _scaled(features: np.ndarray) -> np.ndarray:
    rows = np.asarray(features, dtype=np.float64)
    return (rows / np.sqrt(np.square(rows).sum(axis=1).mean())).astype(np.float32)


def predicted(sample: Sample, seed: int) -> np.ndarray:
    """Calibrated five-fold predictions of the linear learner, as a run makes them."""
    learner = Linear()
    view = view_of(learner, classes=sample.classes, embeddings=sample.features, seed=seed)
    target = Target.classes(sample.given, np.ones(len(sample.given), dtype=bool), sample.n_classes)
    return out_of_sample(learner, view, target, fold_numbers(view.ids, target, seed=seed))


def valuers() -> dict[str, Any]:
    """The valuers of the room; None draws at random."""
    return {
        "self_confidence (with its five fits)": SelfConfidence(),
        "random": None,
        "knn_shapley": KnnShapley(),
        "data_oob": DataOob(),
        "influence": Influence(),
        "influence(loss=training)": Influence(loss="training"),
    }


def values_by(valuer: Any, sample: Sample, seed: int) -> np.ndarray:
    """Values of all rows in their order."""
    if valuer is None:
        return np.random.default_rng([seed, 4]).random(len(sample.given))
    evidence: dict[str, Any] = {"embeddings": sample.features}
    if "pred_probs" in valuer.needs:
        evidence["pred_probs"] = predicted(sample, seed)
    found = valuer.value(view_of(valuer, classes=sample.classes, labels=sample.given, seed=seed, **evidence))
    assert len(found) == len(sample.given)
    return np.asarray(found.values)


def finding(*, quick: bool) -> None:
    """Print the AUC of every valuer on every set, with intervals over seeds."""
    seeds = 2 if quick else SEEDS
    print(f"Seeds 0 to {seeds - 1}; {N_ROWS} rows.\n")
    print("| set | wrong | valuer | AUC, 95 % interval | over self_confidence, 95 % interval | CPU s |")
    print("|---|---|---|---|---|---|")
    for name, draw in SETS.items():
        if "cifar10" in name and not (DATA / "cifar10").exists():
            continue
        samples = [draw(seed) for seed in range(seeds)]
        wrong = np.mean([sample.wrong.mean() for sample in samples])
        base = np.zeros(seeds)
        for label, valuer in valuers().items():
            start = process_time()
            found = [values_by(valuer, sample, seed) for seed, sample in enumerate(samples)]
            seconds = (process_time() - start) / seeds
            score = np.array([auc(v, sample.wrong) for v, sample in zip(found, samples, strict=True)])
            base = score if isinstance(valuer, SelfConfidence) else base
            print(f"| {name} | {wrong:.3f} | {label} | {_mean(score)} | {_mean(score - base, '+')} | {seconds:.3f} |")


def auc(values: np.ndarray, wrong: np.ndarray) -> float:
    """Chance that a wrong row is valued below a right one."""
    ranks = rankdata(-values)
    n_wrong = int(wrong.sum())
    return float((ranks[wrong].sum() - n_wrong * (n_wrong + 1) / 2) / (n_wrong * (len(wrong) - n_wrong)))


def _mean(scores: np.ndarray, sign: str = "") -> str:
    middle = scores.mean()
    half = student.ppf(0.975, len(scores) - 1) * scores.std(ddof=1) / np.sqrt(len(scores))
    low, high = np.clip([middle - half, middle + half], -1.0 if sign else 0.0, 1.0)
    return f"{middle:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"


# -- operators ---------------------------------------------------------------------------------------------------------


def operators(*, quick: bool) -> None:
    """Print CPU seconds and peak memory of one call of each valuer on many rows."""
    n, width = (1_000, 64) if quick else (10_000, 384)
    rng = np.random.default_rng(0)
    truth = rng.integers(N_CLASSES, size=n)
    rows = rng.standard_normal((n, width)) + 5.0 * np.eye(N_CLASSES, width)[truth]
    sample = _flipped(rows, truth, N_CLASSES, rng)
    print(f"{n:,} rows, {width} features, {N_CLASSES} classes, seed 0, one call.\n")
    print("| valuer | CPU s | AUC of one in ten flips |")
    print("|---|---|---|")
    for valuer in (KnnShapley(), KnnShapley(references=1_000), Influence(), DataOob()):
        start = process_time()
        values = values_by(valuer, sample, 0)
        print(f"| {spec_of(valuer)} | {process_time() - start:.1f} | {auc(values, sample.wrong):.3f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
