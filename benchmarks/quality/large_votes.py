"""Label models on many votes: peak memory and CPU of fit and predict, each in a process of its own, beside crowd-kit.

Two sizes that peers are reported to fail on: 1,200 labelers x 56 classes (snorkel#1656: 8 GB are not enough) and two million answers
of ten thousand workers (Fast-Dawid-Skene#3: 4.5 hours and 35 GB for 1.8 million). Votes are planted: labelers are independent, right
with probability .55 to .95, wrong evenly. MB is the peak resident size over that of the same process holding the votes. CPU is user and
system, one thread. `auto` chooses among all models. A peer that takes longer than ten minutes, or fails, is a row that says so.

    python -m benchmarks large_votes [--small]
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from time import process_time

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Matrix
from tilth.core.labelling import Known
from tilth.core.votes import Votes
from tilth.operators.registry import make

OURS = ("majority", "weighted_majority", "triplets", "one_coin", "dawid_skene", "auto")
PEERS = ("crowd-kit Dawid–Skene", "Snorkel, default")
LIMIT = 600
WORLDS = {
    "1,200 labelers × 56 classes, 50,000 rows of 10 votes": (50_000, 1_200, 56, 10),
    "10,000 workers × 4 classes, 500,000 rows of 4 votes": (500_000, 10_000, 4, 4),
}
SMALL = {"120 labelers × 56 classes, 5,000 rows of 10 votes": (5_000, 120, 56, 10)}


def main(arguments: list[str]) -> int:
    """Print one line per world and model."""
    if arguments[:1] == ["--one"]:
        return _one(*arguments[1:])
    worlds = SMALL if "--small" in arguments else WORLDS
    print(f"numpy {np.__version__}, seed 0\n")
    print("| votes | model | accuracy | NLL | CPU s | MB | |\n|---|---|---|---|---|---|---|")
    for world, sizes in worlds.items():
        for model in (*OURS, *PEERS):
            print(f"| {world} | {model} | {_measured(sizes, model)} |", flush=True)
    return 0


def _measured(sizes: tuple[int, ...], model: str) -> str:
    command = [sys.executable, "-m", "benchmarks.quality.large_votes", "--one", json.dumps(sizes), model]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return f"| | | | not done in {LIMIT} s"
    if done.returncode:
        return f"| | | | fails: {(done.stderr.strip().splitlines() or ['killed'])[-1][:80]}"
    return done.stdout.strip()


def _one(sizes: str, model: str) -> int:
    votes, truth = planted(*json.loads(sizes))
    run = _methods()[model]
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = process_time()
    probs, remark = run(votes)
    seconds = process_time() - began
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held) / 1024
    heard = votes.covered
    costs = -np.log(np.maximum(probs[heard, truth[heard]], 1e-6))
    right = (probs[heard].argmax(axis=1) == truth[heard]).mean()
    print(f"{right:.4f} | {costs.mean():.4f} | {seconds:.1f} | {peak:,.0f} | {remark}")
    return 0


def planted(n: int, m: int, k: int, per_row: int, seed: int = 0) -> tuple[Votes, IntVector]:
    """Return votes of m labelers of whom `per_row` speak on each row, about, and the truth; (n,)."""
    rng = np.random.default_rng([seed, n, m, k])
    truth = rng.integers(k, size=n)
    pairs = np.unique(np.repeat(np.arange(n), per_row) * m + rng.integers(m, size=n * per_row))
    rows, sources = pairs // m, pairs % m
    right = rng.random(len(pairs)) < rng.uniform(0.55, 0.95, m)[sources]
    said = np.where(right, truth[rows], (truth[rows] + rng.integers(1, k, size=len(pairs))) % k)
    votes = Votes(
        row_ids=pa.array(np.arange(n)).cast(pa.string()),
        labelers=tuple(f"w{i}" for i in range(m)),
        classes=tuple(f"c{c}" for c in range(k)),
        rows=rows,
        sources=sources,
        said=said,
    )
    return votes, truth


def _methods() -> dict[str, Callable[[Votes], tuple[Matrix, str]]]:
    """Return how each model labels votes: probabilities and a remark."""
    ours = {name: _ours(name) for name in OURS}
    return {**ours, "auto": _auto, PEERS[0]: _crowdkit, PEERS[1]: _snorkel}


def _ours(name: str) -> Callable[[Votes], tuple[Matrix, str]]:
    def run(votes: Votes) -> tuple[Matrix, str]:
        model = make("labeling", name)
        return model.predict(votes, model.fit(votes, Known())), ""

    return run


def _auto(votes: Votes) -> tuple[Matrix, str]:
    from tilth.labeling._choose import choose_label_model

    choice = choose_label_model([make("labeling", name) for name in OURS if name != "auto"], votes, Known())
    return choice.model.predict(votes, choice.labelling), choice.labelling.model


def _crowdkit(votes: Votes) -> tuple[Matrix, str]:
    import pandas as pd
    from crowdkit.aggregation import DawidSkene

    table = pd.DataFrame({"task": votes.rows, "worker": votes.sources, "label": votes.said})
    fitted = DawidSkene(n_iter=100).fit(table)
    probs = np.full((len(votes), votes.n_classes), 1.0 / votes.n_classes)
    found = fitted.probas_.reindex(columns=range(votes.n_classes), fill_value=0.0)
    probs[found.index.to_numpy()] = found.to_numpy()
    return probs, "100 rounds at most"


def _snorkel(votes: Votes) -> tuple[Matrix, str]:
    from snorkel.labeling.model import LabelModel

    matrix, abstained = votes.dense()
    model = LabelModel(cardinality=votes.n_classes, verbose=False)
    model.fit(np.where(abstained, -1, matrix), seed=0, progress_bar=False)
    return model.predict_proba(np.where(abstained, -1, matrix)), ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
