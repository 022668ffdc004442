"""Worst slices by exact search: CPU seconds and memory beside SliceLine, the same top slices, false discoveries, planted slices found.

    python -m benchmarks lattice [cost] [parity] [nothing] [planted] [--runs N] [--repeats N]

cost     made data: features of ten values each, wrong predictions in 10 % of the rows, and two planted slices. Every arm runs in a
         fresh process: CPU seconds of the search, from codes and errors to its slices, and by how much it lifts the peak of
         resident memory. The peer, `pip install --target DIR sliceline` with DIR in PYTHONPATH, may use 12 GB.
parity   our search with SliceLine's score in place of ours (alpha 0.999, for ten slices to be above 0): the ten best slices and
         their scores, beside the peer's.
nothing  tables of numbers, categories, flags and gaps whose columns say nothing of the scores: the share of runs in which any slice
         is reported at the default level of 0.05. Wrong or right, and real scores with a long tail.
planted  one slice of 1, 2 or 3 conditions (one of them a range of a number) in 4,000 rows, 45 % right where it is 90 % elsewhere:
         how often a reported slice is it (Jaccard index of the rows at least 0.8), and which share of the reported slices is in
         truth no worse than the rest. Beside the worst of the same conditions by plain mean, of 30 rows or more.

Seeds count from 0; intervals are 95 %, Wilson's.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import resource
import sys
from itertools import combinations
from statistics import median
from time import process_time
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks._process import resident_peak, spent

MOST_MEMORY = 12 * 2**30
VALUES = 10
SIZES = ((30_000, 12, 2), (30_000, 12, 3), (1_000_000, 20, 2))
ALPHA, BEST = 0.999, 10


def main(arguments: list[str]) -> int:
    """Print the tables that are asked for, or all of them."""
    if arguments[:1] == ["--piece"]:
        print(json.dumps(PIECES[arguments[1]](*map(int, arguments[2:]))))
        return 0
    parts = {"cost": cost, "parity": parity, "nothing": nothing, "planted": planted}
    parser = argparse.ArgumentParser(prog="python -m benchmarks lattice")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(parts))
    parser.add_argument("--runs", type=int, default=1000, help="runs without a bad slice, for each kind of score")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(arguments)
    if unknown := set(options.parts) - parts.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(parts)}")
    told = ", ".join(f"{name} {_version(name)}" for name in ("numpy", "sliceline"))
    print(f"Python {sys.version.split()[0]}, {told}; one thread", flush=True)
    for name in options.parts or parts:
        print(f"\n## {name}\n", flush=True)
        parts[name](options)
    return 0


def _version(name: str) -> str:
    if importlib.util.find_spec(name) is None:
        return "not here"
    return importlib.metadata.version(name)


# -- cost and parity ---------------------------------------------------------------------------------------------------


def _codes(rows: int, features: int, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """Return codes and errors, with a slice of two conditions and one of three planted."""
    rng = np.random.default_rng(seed)
    codes = [rng.integers(0, VALUES, rows).astype(np.uint16) for _ in range(features)]
    chance = np.full(rows, 0.1)
    chance[(codes[1] == 2) & (codes[2] == 4)] = 0.3
    chance[(codes[0] == 3) & (codes[4] == 0) & (codes[5] == 2)] = 0.7
    return codes, (rng.random(rows) < chance).astype(np.float64)


def _ours(rows: int, features: int, depth: int, real: int = 0) -> dict[str, Any]:
    from tilth.numerics.joint_counts import JointCounts
    from tilth.numerics.worst_slices import worst_slices

    codes, errors = _codes(rows, features)
    if real:
        errors = errors + np.random.default_rng(1).gamma(0.5, size=rows)
    worst_slices(JointCounts([code[:2000] for code in codes], [VALUES] * features, errors[:2000]), [0] * features)
    began, before = process_time(), resident_peak()
    found = worst_slices(
        JointCounts(codes, [VALUES] * features, errors), [0] * features, depth=depth, least_rows=_support(rows)
    )
    took = process_time() - began
    return {"cpu": took, "memory": resident_peak() - before, "found": [list(map(list, one.limits)) for one in found]}


def _edited(rows: int, features: int, depth: int) -> dict[str, Any]:
    """Search, change 1 % of the rows, and search again through the carried counts, and from nothing."""
    from tilth.numerics.joint_counts import JointCounts
    from tilth.numerics.worst_slices import worst_slices

    codes, errors = _codes(rows, features)
    sizes, ordered = [VALUES] * features, [0] * features
    counts = JointCounts(codes, sizes, errors)
    worst_slices(counts, ordered, depth=depth, least_rows=_support(rows))
    some = np.random.default_rng(2).choice(rows, rows // 100, replace=False)
    before = resident_peak()
    began = process_time()
    after = counts.edited(some, [code[some[::-1]] for code in codes], errors[some])
    found = worst_slices(after, ordered, depth=depth, least_rows=_support(rows))
    took, memory = process_time() - began, resident_peak() - before
    fresh = worst_slices(JointCounts(after.codes, sizes, after.losses), ordered, depth=depth, least_rows=_support(rows))
    same = [one.limits for one in found] == [one.limits for one in fresh]
    assert same, "the carried counts find other slices"
    return {"cpu": took, "memory": memory, "found": [list(map(list, one.limits)) for one in found]}


def _table(rows: int, features: int, depth: int) -> dict[str, Any]:
    """Find slices from a table, half of it numbers: reading, cutting into ranges, searching the ranges."""
    from tilth.slicing.lattice import Lattice
    from tilth.testing.views import view_of

    table, scores = _mixed(rows, features, np.random.default_rng(0))
    slicer = Lattice(depth=depth)
    slicer.discover(view_of(slicer, table=table.slice(0, 2000), scores=scores[:2000]))
    began, before = process_time(), resident_peak()
    found = slicer.discover(view_of(slicer, table=table, scores=scores))
    return {
        "cpu": process_time() - began,
        "memory": resident_peak() - before,
        "found": [one.slice.where for one in found],
    }


def _sliceline(rows: int, features: int, depth: int) -> dict[str, Any]:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    from sliceline.slicefinder import Slicefinder

    codes, errors = _codes(rows, features)
    table = np.column_stack(codes)
    began, before = process_time(), resident_peak()
    finder = Slicefinder(alpha=ALPHA, k=BEST, max_l=depth, min_sup=_support(rows), verbose=False)
    finder.fit(table, errors)
    took = process_time() - began
    found = [[[f, int(v)] for f, v in enumerate(one) if v is not None] for one in finder.top_slices_]
    scores = [float(one["slice_score"]) for one in finder.top_slices_statistics_]
    return {"cpu": took, "memory": resident_peak() - before, "found": found, "scores": scores}


def _by_its_score(rows: int, features: int, depth: int) -> dict[str, Any]:
    from tilth.numerics.joint_counts import JointCounts
    from tilth.numerics.lattice import search

    codes, errors = _codes(rows, features)
    counts = JointCounts(codes, [VALUES] * features, errors)
    began, before = process_time(), resident_peak()
    searched = search(
        counts,
        lambda _: SlicelineScore(errors, _support(rows)),
        depth=depth,
        least_rows=_support(rows),
        most=BEST,
        refine=None,
    )
    took = process_time() - began
    found = [[list(pair) for pair in zip(one.features, one.values, strict=True)] for one in searched.found]
    scores = [one.worth for one in searched.found]
    return {"cpu": took, "memory": resident_peak() - before, "found": found, "scores": scores}


class SlicelineScore:
    """SliceLine's score: a (mean error in the slice / mean error - 1) - (1 - a) (rows / rows of the slice - 1)."""

    def __init__(self, errors: np.ndarray, least_rows: int) -> None:
        self.n, self.mean, self.top, self.least_rows = len(errors), errors.mean(), errors.max(), least_rows

    def worth(self, rows: np.ndarray, losses: np.ndarray, depth: int) -> np.ndarray:
        """Return the scores; (c,), (c,) -> (c,)."""
        del depth
        size = np.maximum(rows, 1)
        return np.asarray(ALPHA * (losses / size / self.mean - 1) - (1 - ALPHA) * (self.n / size - 1))

    def bound(self, losses: float, depth: int) -> float:
        """Return the score of the fewest rows that may hold the losses: the score rises as rows get fewer, where it is positive."""
        rows = np.array([max(self.least_rows, losses / self.top)])
        return float(self.worth(rows, np.array([losses]), depth)[0])


PIECES = {"ours": _ours, "edited": _edited, "table": _table, "sliceline": _sliceline, "by_its_score": _by_its_score}


def _support(rows: int) -> int:
    return max(30, rows // 1000)


def _run(piece: str, *settings: int) -> dict[str, Any] | None:
    """Run a piece in a process of its own; None where it fails."""
    done = spent([sys.executable, "-m", "benchmarks.speed.lattice", "--piece", piece, *map(str, settings)])
    return None if done.status else json.loads(done.printed.splitlines()[-1])


def cost(options: argparse.Namespace) -> None:
    """Print CPU seconds and memory of each arm."""
    print("| rows × features, depth | arm | CPU s | MB above | slices |\n|---|---|---|---|---|")
    arms = [
        ("codes, wrong or right", "ours", ()),
        ("codes, real losses", "ours", (1,)),
        ("after 1 % edited", "edited", ()),
    ]
    arms += [("a table, half numbers", "table", ())]
    if importlib.util.find_spec("sliceline") is not None:
        arms.append(("sliceline", "sliceline", ()))
    for rows, features, depth in SIZES:
        for name, piece, more in arms:
            runs = [_run(piece, rows, features, depth, *more) for _ in range(options.repeats)]
            head = f"| {rows:,} × {features}, {depth} | {name} |"
            done = [one for one in runs if one is not None]
            if not done:
                print(f"{head} does not finish (12 GB) | | |", flush=True)
                continue
            cpu, memory = (median(one[what] for one in done) for what in ("cpu", "memory"))
            print(f"{head} {cpu:.3f} | {memory:.0f} | {len(done[0]['found'])} |", flush=True)


def parity(options: argparse.Namespace) -> None:
    """Print whether the ten best slices by the peer's score are the peer's."""
    del options
    if importlib.util.find_spec("sliceline") is None:
        print("sliceline is not here: pip install --target DIR sliceline, and PYTHONPATH=DIR")
        return
    print(
        "| rows × features, depth | peer CPU s, MB | ours CPU s, MB | slices in common | greatest difference of scores |"
    )
    print("|---|---|---|---|---|")
    for rows, features, depth in ((5_000, 8, 3), *SIZES):
        peer, ours = _run("sliceline", rows, features, depth), _run("by_its_score", rows, features, depth)
        assert ours is not None
        mine = f"{ours['cpu']:.3f}, {ours['memory']:.0f}"
        head = f"| {rows:,} × {features}, {depth} |"
        if peer is None:
            print(f"{head} does not finish (12 GB) | {mine} | | |", flush=True)
            continue
        common = sum(one in ours["found"] for one in peer["found"])
        far = max(abs(a - b) for a, b in zip(peer["scores"], ours["scores"], strict=True))
        print(f"{head} {peer['cpu']:.2f}, {peer['memory']:.0f} | {mine} | {common} of {BEST} | {far:.1e} |", flush=True)


# -- false discoveries and planted slices --------------------------------------------------------------------------------


def _mixed(rows: int, features: int, rng: np.random.Generator) -> tuple[pa.Table, np.ndarray]:
    """Return numbers, categories, flags and gaps that say nothing of the scores, and right or wrong."""
    columns: dict[str, pa.Array] = {}
    for f in range(features):
        kind = f % 4
        if kind in (0, 2):
            cells = rng.lognormal(3, 1, rows) if kind else rng.normal(50, 15, rows).round()
            columns[f"number {f}"] = pa.array(cells, mask=rng.random(rows) < 0.05)
        elif kind == 1:
            columns[f"kind {f}"] = pa.array(
                rng.choice(list("abcdefgh"), rows, p=np.arange(8, 0, -1) / 36).astype(object)
            )
        else:
            columns[f"flag {f}"] = pa.array(rng.random(rows) < 0.3)
    return pa.table(columns), (rng.random(rows) > 0.15).astype(np.float64)


def nothing(options: argparse.Namespace) -> None:
    """Print how often any slice is reported where none is bad."""
    from tilth.numerics.intervals import wilson
    from tilth.slicing.lattice import Lattice
    from tilth.testing.views import view_of

    print("| scores | rows × features | runs | any slice reported | promise |\n|---|---|---|---|---|")
    kinds = ("15 % wrong", "2 % wrong", "45 % wrong", "minus an error with a long tail")
    for number, kind in enumerate(kinds):
        spoken, rows, features = 0, 1500, 6
        for seed in range(options.runs):
            rng = np.random.default_rng([number, seed])
            table, scores = _mixed(rows, features, rng)
            if number:
                wrong = (0, 0.02, 0.45, 0)[number]
                scores = (rng.random(rows) > wrong).astype(float) if wrong else -rng.lognormal(0, 1, rows)
            spoken += bool(Lattice().discover(view_of(Lattice(), table=table, scores=scores)))
        share = wilson(spoken, options.runs)
        told = f"{100 * share.value:.1f} % [{100 * share.low:.1f}, {100 * share.high:.1f}]"
        print(f"| {kind} | {rows:,} × {features} | {options.runs:,} | {told} | ≤ 5 % |", flush=True)


def _planted(seed: int, conditions: int) -> tuple[pa.Table, np.ndarray, np.ndarray, np.ndarray]:
    """Return a table, scores, the rows of the planted slice, and each row's true chance of being right."""
    rng = np.random.default_rng([7, seed])
    rows = 4000
    table, _ = _mixed(rows, 8, rng)
    low = rng.uniform(30, 50)
    number = np.asarray(table["number 0"].to_numpy())
    masks = [
        (number >= low) & (number < low + (12 if conditions == 1 else 25)),
        np.asarray(table["kind 1"].to_numpy()) == rng.choice(list("abc")),
        ~np.asarray(table["flag 3"].to_numpy()),
    ]
    bad = np.all(masks[:conditions], axis=0)
    chance = np.where(bad, 0.45, 0.9)
    return table, (rng.random(rows) < chance).astype(float), bad, chance


def planted(options: argparse.Namespace) -> None:
    """Print how often the planted slice is found."""
    from tilth.numerics.intervals import wilson
    from tilth.slicing._shared import features_of
    from tilth.slicing.lattice import Lattice
    from tilth.testing.views import view_of

    runs = max(20, options.runs // 10)
    print("| conditions | runs | found among the reported | reported | false among them | found by the worst mean |")
    print("|---|---|---|---|---|---|")
    for conditions in (1, 2, 3):
        hits = naive = reported = false = 0
        for seed in range(runs):
            table, scores, bad, chance = _planted(seed, conditions)
            view = view_of(Lattice(), table=table, scores=scores)
            found = [one.membership > 0.5 for one in Lattice().discover(view)]
            hits += any(_jaccard(one, bad) >= 0.8 for one in found)
            reported += len(found)
            false += sum(chance[one].mean() >= chance[~one].mean() - 1e-9 for one in found)
            worst = _worst_by_mean(features_of(table, view.schema), conditions, scores)
            naive += _jaccard(worst, bad) >= 0.8
        shares = [wilson(count, runs) for count in (hits, naive)]
        told = [f"{100 * one.value:.0f} % [{100 * one.low:.0f}, {100 * one.high:.0f}]" for one in shares]
        print(
            f"| {conditions} | {runs} | {told[0]} | {reported / runs:.2f} a run | {false} of {reported} | {told[1]} |",
            flush=True,
        )


def _worst_by_mean(features: list[Any], conditions: int, scores: np.ndarray) -> np.ndarray:
    """Return the rows of the conjunction of single values with the lowest mean score, of those with 30 rows or more."""
    from tilth.numerics.joint_counts import JointCounts

    counts = JointCounts([one.codes for one in features], [len(one.conditions) for one in features], 1 - scores)
    best, at = -1.0, ((0,), (0,))
    for some in combinations(range(len(features)), conditions):
        counted = counts.of(some)
        means = np.where(counted.rows >= 30, counted.losses / np.maximum(counted.rows, 1), -1.0)
        if means.max() > best:
            best, at = float(means.max()), (some, np.unravel_index(int(means.argmax()), means.shape))
    return np.asarray(np.all([features[f].codes == v for f, v in zip(*at, strict=True)], axis=0))


def _jaccard(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
