"""Finding planted slices on real embeddings: precision@10 and share found, beside Domino's mixture, k-means and chance.

Plants are described in _slice_plants.py: rare, correlated and noisy slices on the embeddings of cifar10 and banking77, each with a
logistic regression that fails on it. A slicer sees 3,000 rows with labels and predictions and names up to five slices; of each, the
ten judged rows that belong most are looked at. Precision@10 is that of the best of the five; a planted slice is found where it is at
least 0.8. Two ways to belong: by the embedding alone (rows without a label), and with label and prediction (a person looking through
errors: tilth's membership times how much worse than its prediction says a row fares; Domino's own posterior; for clusters and
chance, errors first).

Even-numbered plants chose the settings of tilth's slicers; odd-numbered ones are reported. Their embeddings are the same, their
slices, labels, models and rows are not. Domino is written anew from its paper, see _slice_rivals.py. Intervals: 95 %, bootstrap over
plants, which does not span other embeddings. Nothing is drawn but by the plant's number.

    python -m benchmarks planted_slices [--quick] [--development] [--plants N]
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import scipy
import sklearn

from benchmarks.quality import _slice_rivals as rivals
from benchmarks.quality._slice_plants import KINDS, SETS, AbsentError, Part, Plant, plants
from benchmarks.quality._slice_rivals import Ranked
from tilth.numerics.region_membership import region_membership
from tilth.operators.protocols import Slicer
from tilth.slicing.auditor import Auditor
from tilth.slicing.error_clusters import ErrorClusters
from tilth.slicing.error_mixture import ErrorMixture
from tilth.testing.views import view_of

MOST, LOOKED_AT, FOUND = 5, 10, 0.8
DRAWS = 2_000
OURS = "tilth error_mixture"
Method = Callable[[Plant, int], list[Ranked]]


@dataclass(frozen=True, kw_only=True)
class Line:
    """How well one planted slice was found by one method: precision@10 by embeddings alone, and with labels."""

    method: str
    source: str
    kind: str
    plant: str
    alone: float
    told: float


def main(arguments: list[str]) -> int:
    """Run all methods on all plants and print three tables."""
    parser = argparse.ArgumentParser(prog="planted_slices", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="four plants of each kind and set")
    parser.add_argument("--development", action="store_true", help="the even-numbered plants, which chose the settings")
    parser.add_argument("--plants", type=int, default=44, help="plants drawn of each kind and set")
    options = parser.parse_args(arguments)
    number = 4 if options.quick else options.plants
    first = 0 if options.development else 1
    lines, seconds = list[Line](), dict.fromkeys(METHODS, 0.0)
    for source in SETS:
        try:
            for kind in KINDS:
                for plant in plants(source, kind, range(first, 2 * number, 2)):
                    lines += _lines(plant, seconds)
        except AbsentError as absent:
            print(absent, file=sys.stderr)
    if not lines:
        return 1
    _print(lines, seconds, "even" if options.development else "odd")
    return 0


# -- methods -----------------------------------------------------------------------------------------------------------


def _tilth(slicer: Slicer, plant: Plant, seed: int) -> list[Ranked]:
    seen = plant.seen
    view = view_of(
        slicer,
        classes=[f"class{c}" for c in range(seen.pred_probs.shape[1])],
        labels=seen.labels,
        pred_probs=seen.pred_probs,
        embeddings=seen.features,
        scores=seen.right,
        seed=seed,
    )
    regions = [one.slice.region for one in slicer.discover(view)]
    belongs = [region_membership(region, plant.judged.features) for region in regions if region is not None]
    return [Ranked(one, one * (_surprise(plant.judged) + 1e-3)) for one in belongs]


def _surprise(judged: Part) -> np.ndarray:
    """How much worse a row fares than its prediction says, 0 where it does not: -log p(label) less the entropy."""
    probs = np.maximum(judged.pred_probs, 1e-3)
    own = probs[np.arange(len(probs)), judged.labels]
    return np.asarray(np.maximum(-np.log(own) + (judged.pred_probs * np.log(probs)).sum(axis=1), 0.0))


def _rival(method: Callable[..., list[Ranked]], plant: Plant, seed: int, **settings: float) -> list[Ranked]:
    return method(plant.seen, plant.judged, most=MOST, seed=seed, **settings)


METHODS: Mapping[str, Method] = {
    OURS: partial(_tilth, ErrorMixture()),
    "tilth error_clusters": partial(_tilth, ErrorClusters()),
    "tilth auditor": partial(_tilth, Auditor()),
    "Domino, γ = 10": partial(_rival, rivals.domino, gamma=10.0),
    "Domino, γ = 1": partial(_rival, rivals.domino, gamma=1.0),
    "k-means, all rows": partial(_rival, rivals.clusters_of_all),
    "k-means, errors": partial(_rival, rivals.clusters_of_errors),
    "random": lambda plant, seed: rivals.chance(plant.judged, most=MOST, seed=seed),
}


def _lines(plant: Plant, seconds: dict[str, float]) -> list[Line]:
    lines = []
    for name, method in METHODS.items():
        started = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = method(plant, int(plant.name.split()[-1]))[:MOST]
        seconds[name] += time.process_time() - started
        for inside in plant.judged.slices:
            alone, told = (max((_precision(one[way], inside) for one in found), default=0.0) for way in (0, 1))
            lines.append(
                Line(method=name, source=plant.source, kind=plant.kind, plant=plant.name, alone=alone, told=told)
            )
    return lines


def _precision(belongs: np.ndarray, inside: np.ndarray) -> float:
    return float(inside[np.argsort(-belongs, kind="stable")[:LOOKED_AT]].mean())


# -- tables ------------------------------------------------------------------------------------------------------------


def _print(lines: Sequence[Line], seconds: Mapping[str, float], which: str) -> None:
    ours = [line for line in lines if line.method == OURS]
    n_plants = len({line.plant for line in ours})
    versions = f"NumPy {np.__version__}, SciPy {scipy.__version__}, scikit-learn {sklearn.__version__}"
    print(
        f"{len(ours)} planted slices in {n_plants} plants with {which} numbers; top {MOST} slices; {versions}, ", end=""
    )
    print(f"Python {platform.python_version()}; Domino 0.1.5 by its paper.\n")
    _print_all(lines, seconds, n_plants)
    for way, title in (("alone", "By embeddings alone"), ("told", "With labels and predictions")):
        _print_kinds(lines, way, title)
    _print_ahead(lines)


def _print_all(lines: Sequence[Line], seconds: Mapping[str, float], n_plants: int) -> None:
    print("| method | precision@10, embeddings alone | found | precision@10, with labels | found | CPU s per plant |")
    print("|---|---|---|---|---|---|")
    for method in METHODS:
        cells = []
        for way in ("alone", "told"):
            cells += [_with_interval(lines, method, way, lambda p: p), _with_interval(lines, method, way, _is_found)]
        print(f"| {method} | {' | '.join(cells)} | {seconds[method] / n_plants:.2f} |")
    print()


def _print_kinds(lines: Sequence[Line], way: str, title: str) -> None:
    print(f"{title}: precision@10 / share found\n")
    kinds = [(source, kind) for source in SETS for kind in KINDS]
    counts = [sum(line.method == OURS and (line.source, line.kind) == one for line in lines) for one in kinds]
    heads = [f"{source} {kind} ({n})" for (source, kind), n in zip(kinds, counts, strict=True)]
    print(f"| method | {' | '.join(heads)} |\n|{'---|' * (len(kinds) + 1)}")
    for method in METHODS:
        cells = []
        for one in kinds:
            some = np.array([getattr(x, way) for x in lines if x.method == method and (x.source, x.kind) == one])
            cells.append(f"{some.mean():.2f} / {_is_found(some).mean():.2f}" if len(some) else "–")
        print(f"| {method} | {' | '.join(cells)} |")
    print()


def _print_ahead(lines: Sequence[Line]) -> None:
    """Say how far the first method is ahead of the best rival, in pairs."""
    for way, title in (("alone", "embeddings alone"), ("told", "with labels")):
        for name, measure in (("precision@10", lambda p: p), ("share found", _is_found)):
            others = [m for m in METHODS if not m.startswith("tilth")]
            best = max(others, key=lambda m: float(measure(_values(lines, m, way)).mean()))
            gains = measure(_values(lines, OURS, way)) - measure(_values(lines, best, way))
            low, high = _interval(gains, _plants_of(lines))
            print(f"{OURS} minus {best}, {name}, {title}: {gains.mean():+.3f} [{low:+.3f}, {high:+.3f}].")
    print()


def _values(lines: Sequence[Line], method: str, way: str) -> np.ndarray:
    return np.array([getattr(line, way) for line in lines if line.method == method])


def _plants_of(lines: Sequence[Line]) -> np.ndarray:
    return np.unique([line.plant for line in lines if line.method == OURS], return_inverse=True)[1]


def _is_found(precision: np.ndarray) -> np.ndarray:
    return (precision >= FOUND).astype(np.float64)


def _with_interval(lines: Sequence[Line], method: str, way: str, measure: Callable[[np.ndarray], np.ndarray]) -> str:
    values = measure(_values(lines, method, way))
    low, high = _interval(values, _plants_of(lines))
    return f"{values.mean():.3f} [{low:.3f}, {high:.3f}]"


def _interval(values: np.ndarray, plant: np.ndarray) -> tuple[float, float]:
    """Interval of a mean over slices, by drawing plants anew."""
    sums, counts = np.bincount(plant, values), np.bincount(plant)
    draws = np.random.default_rng(0).integers(len(sums), size=(DRAWS, len(sums)))
    low, high = np.quantile(sums[draws].sum(axis=1) / counts[draws].sum(axis=1), [0.025, 0.975])
    return float(low), float(high)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
