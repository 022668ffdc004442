"""What a search for near rows by cells misses, beside the exact one: neighbours, nearest rows, outliers that change; CPU seconds.

    python -m benchmarks cells [SET ...]

Runs search by cells beyond 65,536 rows only; here they do it on whole sets of any size, by their default encoders. Recall: of the 20
nearest rows. Nearest: rows whose nearest row is at the same distance. A label's share of the neighbours is what `ambiguous` and
`label_error` read. One BLAS thread; seed 0 made the vectors of 384 numbers.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from time import process_time

import numpy as np

from benchmarks.quality import _data as data
from benchmarks.speed._near_data import planted_vectors
from tilth.detection.outlier import Outlier
from tilth.loop.evidence import N_NEIGHBOURS
from tilth.numerics.near_cells import k_near
from tilth.numerics.neighbours import Neighbours, k_nearest, neighbour_votes
from tilth.operators.registry import spec_of


def _made() -> data.Rows:
    vectors, known = planted_vectors(50_000)
    return data.embedded("made vectors", vectors, known["label"])


SETS: dict[str, Callable[[], data.Rows]] = {
    "adult": lambda: data.table("adult", "adult/adult.parquet", "income"),
    "acs_income": lambda: data.table("acs_income", "acs_income/acs_income_sample.parquet", "PINCP", rows=60_000),
    "elec2": lambda: data.table("elec2", "elec2/elec2.parquet", "class"),
    "banking77": data.banking77,
    "cifar10": lambda: data.cifar10()[0],
    "made vectors": _made,
}


def main(arguments: list[str]) -> int:
    """Print one line per set."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks cells")
    parser.add_argument("sets", nargs="*", metavar="SET", help=", ".join(SETS))
    chosen = parser.parse_args(arguments).sets or list(SETS)
    if unknown := set(chosen) - SETS.keys():
        parser.error(f"no such set: {', '.join(sorted(unknown))}; there are {', '.join(SETS)}")
    print(
        "| set | rows × features | exact, CPU s | cells, CPU s | recall | nearest | label shares, mean difference "
        "| outliers: exact, cells, both |\n|---|---|---|---|---|---|---|---|"
    )
    for name in chosen:
        try:
            print(_line(SETS[name]()), flush=True)
        except data.AbsentError as absent:
            print(absent)
    return 0


def _line(rows: data.Rows) -> str:
    exact, whole = _timed(lambda: k_nearest(rows.features, N_NEIGHBOURS, metric="euclidean", exclude_self=True))
    found, part = _timed(lambda: k_near(rows.features, N_NEIGHBOURS, metric="euclidean", most_exact=0))
    # By distance: of rows at one distance any is as near.
    recall = (found.distances <= exact.distances[:, -1:]).mean()
    nearest = (found.distances[:, 0] <= exact.distances[:, 0]).mean()
    shares = [neighbour_votes(near, rows.truth, rows.n_classes) for near in (exact, found)]
    apart = np.abs(shares[0] - shares[1]).sum(axis=1).mean() / 2
    flagged = [_outliers(rows, near) for near in (exact, found)]
    counts = f"{len(flagged[0])}, {len(flagged[1])}, {len(flagged[0] & flagged[1])}"
    n, width = rows.features.shape
    return f"| {rows.name} | {n:,} × {width} | {whole:.1f} | {part:.1f} | {recall:.4f} | {nearest:.4f} | {apart:.4f} | {counts} |"


def _timed(search: Callable[[], Neighbours]) -> tuple[Neighbours, float]:
    began = process_time()
    found = search()
    return found, process_time() - began


def _outliers(rows: data.Rows, near: Neighbours) -> set[int]:
    detector = Outlier()
    findings = detector.find(rows.view(spec_of(detector), detector.needs, 0, neighbours=near))
    return {row for finding in findings for row in np.flatnonzero(finding.flagged).tolist()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
