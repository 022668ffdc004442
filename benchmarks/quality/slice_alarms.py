"""False alarms of slicers on embeddings: how often they name a slice where none is, beside what their q-values promise.

1,500 rows of real embeddings (cifar10, banking77) with a label of two, three or five groups of classes. Errors are drawn without
regard to embeddings, labels or confidence, at a rate of 0.15, so that every slice that is named is a false one. `level` is 0.05: where
nothing is to be found the promise is that at most one run in twenty names anything.

alone      each row errs by itself
told       rows come in 50 groups of neighbours in the embeddings, each with an error rate of its own (Beta, mean 0.15, sum 5);
           slicers know the groups
not told   the same, and slicers do not know: what groups cost where nobody says that there are some

Wilson's intervals (95 %) over runs; run r of a set has the seed [set, r].

    python -m benchmarks slice_alarms [--runs N] [--way alone]
"""

from __future__ import annotations

import argparse
import platform
import sys
import time

import numpy as np
import scipy

from benchmarks.quality._slice_plants import SETS, AbsentError, Source, source_of
from tilth.numerics.intervals import wilson
from tilth.operators.protocols import Slicer
from tilth.slicing.auditor import Auditor
from tilth.slicing.error_clusters import ErrorClusters
from tilth.slicing.error_mixture import ErrorMixture
from tilth.testing.views import view_of

ROWS, GROUPS, RATE, SUM = 1_500, 50, 0.15, 5.0
SLICERS: dict[str, Slicer] = {
    "error_mixture": ErrorMixture(),
    "error_clusters": ErrorClusters(),
    "auditor": Auditor(),
}
WAYS = ("alone", "told", "not told")


def main(arguments: list[str]) -> int:
    """Run all slicers on worlds without a slice and print the share of runs in which each names one."""
    parser = argparse.ArgumentParser(prog="slice_alarms", description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="runs of each set; a quarter of them for 'not told'")
    parser.add_argument("--way", choices=WAYS, action="append", help="only this one")
    options = parser.parse_args(arguments)
    versions = f"NumPy {np.__version__}, SciPy {scipy.__version__}, Python {platform.python_version()}"
    print(
        f"{options.runs} runs of each set, {options.runs // 4} for 'not told'; {ROWS:,} rows; level 0.05; {versions}.\n"
    )
    print("| errors | set | " + " | ".join(f"{name}, runs with an alarm" for name in SLICERS) + " | CPU s |")
    print("|---|---|" + "---|" * (len(SLICERS) + 1))
    lines = 0
    for way in options.way or WAYS:
        for number, name in enumerate(SETS):
            try:
                rows = source_of(name)
            except AbsentError as absent:
                print(absent, file=sys.stderr)
                continue
            started, alarms = time.process_time(), dict[str, list[bool]]()
            for run in range(options.runs if way != "not told" else options.runs // 4):
                _tried(rows, way, np.random.default_rng([number, run]), alarms)
            cells = [_share(alarms[slicer]) for slicer in SLICERS]
            print(f"| {way} | {name} | {' | '.join(cells)} | {time.process_time() - started:,.0f} |", flush=True)
            lines += 1
    return 0 if lines else 1


def _tried(rows: Source, way: str, rng: np.random.Generator, alarms: dict[str, list[bool]]) -> None:
    evidence, groups = _world(rows, rng, grouped=way != "alone")
    more = {"groups": groups} if way == "told" else {}
    for name, slicer in SLICERS.items():
        view = view_of(
            slicer, classes=[f"class{c}" for c in range(evidence["pred_probs"].shape[1])], **evidence, **more
        )
        alarms.setdefault(name, []).append(bool(slicer.discover(view)))


def _world(rows: Source, rng: np.random.Generator, *, grouped: bool) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return rows whose errors hang on nothing, or on their group alone."""
    at = rng.permutation(len(rows.fine))[:ROWS]
    features, k = rows.features[at], int(rng.choice([2, 3, 5]))
    labels = rng.permutation(np.arange(int(rows.fine.max()) + 1) % k)[rows.fine[at]]
    groups = np.empty(ROWS, dtype=np.intp)
    groups[np.argsort(features @ rng.standard_normal(features.shape[1]))] = np.arange(ROWS) * GROUPS // ROWS
    rates = rng.beta(SUM * RATE, SUM * (1 - RATE), size=GROUPS)[groups] if grouped else np.full(ROWS, RATE)
    other = (labels + rng.integers(1, k, size=ROWS)) % k
    said = np.where(rng.random(ROWS) < rates, other, labels)
    sure = rng.uniform(0.5, 0.95, size=ROWS)
    probs = np.repeat(((1 - sure) / (k - 1))[:, None], k, axis=1)
    probs[np.arange(ROWS), said] = sure
    evidence = {"labels": labels, "pred_probs": probs, "embeddings": features}
    return evidence | {"scores": (said == labels).astype(np.float64)}, groups


def _share(alarms: list[bool]) -> str:
    found = wilson(float(sum(alarms)), len(alarms))
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"
