"""Conditions on two models: how often pass and fail err, and how many test rows and labels a point takes.

    python -m benchmarks conditions [--runs N] [--seed N]

First the rows for `n - o > 0.02 +/- 0.01 and d < 0.1` by Hoeffding, by Bennett, as ease.ml/ci reckons (Renggli et al. 2019, section
4.1: one point, d <= 0.1, the chance of error split in four) and by the exact law that `tilth test` uses. Then, in simulation, verdicts
where the truth lies exactly on the threshold, so that every pass and every fail is by chance: each may come at most as often as
promised. Then how often a truth that is two tolerances away is decided at the number of rows that was asked for. Last, test rows that
are asked about ten versions, none of which is better: how often any of them passes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import cache

import numpy as np

from tilth.core.arrays import IntVector
from tilth.numerics.class_measures import macro_ratio, share_of_class
from tilth.numerics.exact_sides import difference_above, share_above
from tilth.numerics.linearised import Linearised, difference, no_better
from tilth.numerics.measure_sums import moved
from tilth.numerics.ranking_measures import auroc
from tilth.numerics.sample_sizes import (
    Adaptivity,
    bennett_rows,
    exact_difference_rows,
    exact_share_rows,
    hoeffding_rows,
    share_of_look,
)

CHANGED, POINT, LEAST = 0.1, 0.01, 0.02
LARGE = 2_000_000
LEVELS = (0.05, 0.01, 0.001)
Sides = tuple[tuple[float, ...], tuple[float, ...]]
"""p-values of "no more than the threshold", and of "no less", at each level: the exact law of a difference depends on it."""


def main(arguments: list[str]) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks conditions", description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    sizes()
    errors(options.runs, options.seed)
    power(options.runs, options.seed)
    lives(options.runs // 4, options.seed)
    return 0


# -- sizes -------------------------------------------------------------------------------------------------------------


def sizes() -> None:
    """Print rows and labels for one point."""
    print("\n## Rows and labels for one point: n - o > 0.02 +/- 0.01 and d < 0.1\n")
    print(
        "| reliability | looks | adaptivity | Hoeffding, rows = labels | ease.ml/ci, rows | labels | exact, rows | labels |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for reliability in (0.99, 0.999, 0.9999):
        for looks, adaptivity in ((1, Adaptivity.NONE), (32, Adaptivity.NONE), (32, Adaptivity.FULL)):
            tail = (1 - reliability) * share_of_look(1, looks, adaptivity)
            first = hoeffding_rows(2.0, POINT, tail)
            paper = bennett_rows(CHANGED, POINT, tail / 4)
            exact = exact_difference_rows(CHANGED, POINT, tail / 2, LEAST)
            cells = (first, paper, paper * CHANGED, exact, exact * CHANGED)
            row = " | ".join(f"{cell:,.0f}" for cell in cells)
            print(f"| {reliability} | {looks} | {adaptivity} | {row} |")
    print(
        "\nThe paper's own figures at 0.9999: 29K rows for 32 looks, 67K fully adaptive. Labels are the rows on which the models "
        "differ, at most a tenth. The exact rows spend half of the error on each clause, on one side."
    )


# -- errors ------------------------------------------------------------------------------------------------------------


def errors(runs: int, seed: int) -> None:
    """Print how often chance passes, and fails, a condition whose truth is on the threshold."""
    print("\n## Verdicts by chance: the truth lies on the threshold\n")
    head = " | ".join(f"pass, fail at {1 - level:g}" for level in LEVELS)
    print(f"| condition | test rows | runs | {head} |\n|---|---|---|{'---|' * len(LEVELS)}")
    for name, n, draw in worlds():
        # Measures that take longer get fewer runs.
        count = runs if "exact" in name else runs // 5
        found = np.array([draw(np.random.default_rng([seed, n, number]), n) for number in range(count)])
        wrong = (found <= np.array(LEVELS)).mean(axis=0)
        cells = [f"{wrong[0, i]:.4f}, {wrong[1, i]:.4f}" for i in range(len(LEVELS))]
        print(f"| {name} | {n:,} | {count:,} | {' | '.join(cells)} |", flush=True)
    print("\nPromised: at most 0.05, 0.01 and 0.001 each.")


def worlds() -> list[tuple[str, int, Callable[[np.random.Generator, int], Sides]]]:
    """Return conditions with the test rows, and what draws both p-values at the threshold."""
    found: list[tuple[str, int, Callable[[np.random.Generator, int], Sides]]] = []
    for n in (200, 1000, 5000):
        found.append(("n - o > 0.02 (exact), 5 % of rows differ", n, lambda rng, n: _exact(rng, n, 0.05)))
        found.append(("n - o > 0.02 (exact), 20 % of rows differ", n, lambda rng, n: _exact(rng, n, 0.2)))
        found.append(("n > 0.9 (exact)", n, _share))
    for n in (200, 1000):
        found.append(("n - 1.1 o > c", n, _weighted))
        found.append(("n - o > 0.02 in groups of 1 to 9", n, _grouped))
        names = ("f1", "f1_macro", "auroc")
        found += [(f"{name}(n) - {name}(o) > c, 10 % positive", n, _of_metric(name)) for name in names]
    return found


def _exact(rng: np.random.Generator, n: int, changed: float) -> Sides:
    wins, losses, _ = rng.multinomial(n, [(changed + LEAST) / 2, (changed - LEAST) / 2, 1 - changed])
    return _difference(int(wins), int(losses), n)


@cache
def _difference(wins: int, losses: int, n: int) -> Sides:
    better = tuple(difference_above(wins, losses, n, LEAST, level) for level in LEVELS)
    return better, tuple(difference_above(losses, wins, n, -LEAST, level) for level in LEVELS)


def _share(rng: np.random.Generator, n: int) -> Sides:
    right = int(rng.binomial(n, 0.9))
    return _each(share_above(right, n, 0.9), share_above(n - right, n, 1 - 0.9))


def _sides(gain: Linearised, least: float, groups: IntVector | None = None) -> Sides:
    return _each(no_better(gain, groups, least), no_better(moved(gain, -1.0), groups, -least))


def _each(above: float, below: float) -> Sides:
    return (above,) * len(LEVELS), (below,) * len(LEVELS)


def _weighted(rng: np.random.Generator, n: int) -> Sides:
    kind = rng.choice(4, n, p=[0.06, 0.04, 0.8, 0.1])
    new, old = ((kind == one) | (kind == 2) for one in (0, 1))
    return _sides(Linearised(rows=new - 1.1 * old, bounds=(-1.1, 1.0)), 0.86 - 1.1 * 0.84)


def _grouped(rng: np.random.Generator, n: int) -> Sides:
    sizes = rng.integers(1, 10, n)
    groups = np.repeat(np.arange(n), sizes)[:n]
    kind = rng.choice(3, n, p=[0.06, 0.04, 0.9])[groups]
    own = rng.choice(3, n, p=[0.06, 0.04, 0.9])
    kind = np.where(rng.random(n) < 0.7, kind, own)
    return _sides(Linearised(rows=np.array([1.0, -1.0, 0.0])[kind], bounds=(-1.0, 1.0)), LEAST, groups)


def _two(rng: np.random.Generator, n: int) -> tuple[IntVector, np.ndarray, np.ndarray]:
    y = (rng.random(n) < 0.1).astype(np.intp)
    shared = rng.standard_normal(n)
    ps = [1 / (1 + np.exp(-(s * y - 3.0 + shared + 0.7 * rng.standard_normal(n)))) for s in (3.5, 4.0)]
    return y, *(np.column_stack([1 - p, p]) for p in ps)


def _measured(name: str, y: IntVector, old: np.ndarray, new: np.ndarray) -> Linearised:
    measure = {
        "f1": lambda p: share_of_class(y, p, 1, "f1"),
        "f1_macro": lambda p: macro_ratio(y, p, "f1"),
        "auroc": lambda p: auroc(y == 1, p[:, 1]),
    }[name]
    return difference(measure(new), measure(old))[0]


def _of_metric(name: str) -> Callable[[np.random.Generator, int], Sides]:
    truth = _measured(name, *_two(np.random.default_rng(1), LARGE)).value

    def draw(rng: np.random.Generator, n: int) -> Sides:
        return _sides(_measured(name, *_two(rng, n)), truth)

    return draw


# -- power -------------------------------------------------------------------------------------------------------------


def power(runs: int, seed: int) -> None:
    """Print how often a truth two tolerances beyond the threshold is decided at the rows that were asked for."""
    print("\n## Decided at the rows asked for: the truth lies two tolerances above the threshold\n")
    print("| condition | reliability | test rows | runs | passed | failed |\n|---|---|---|---|---|---|")
    for level in LEVELS:
        n = exact_difference_rows(CHANGED, POINT, level, LEAST)
        rng = np.random.default_rng([seed, 5])
        gain = LEAST + 2 * POINT
        drawn = rng.multinomial(n, [(CHANGED + gain) / 2, (CHANGED - gain) / 2, 1 - CHANGED], size=runs // 20)
        ends = [
            (difference_above(int(w), int(o), n, LEAST, level), difference_above(int(o), int(w), n, -LEAST, level))
            for w, o, _ in drawn
        ]
        _print_power("n - o > 0.02 +/- 0.01, d = 0.1", level, n, np.array(ends))
        n = exact_share_rows(0.8, 0.02, level)
        right = rng.binomial(n, 0.84, size=runs)
        ends = [(share_above(int(k), n, 0.8), share_above(n - int(k), n, 0.2)) for k in right]
        _print_power("n > 0.8 +/- 0.02", level, n, np.array(ends))


def _print_power(name: str, level: float, n: int, ends: np.ndarray) -> None:
    passed, failed = (np.mean(ends[:, i] <= level) for i in range(2))
    print(f"| {name} | {1 - level:g} | {n:,} | {len(ends):,} | {passed:.4f} | {failed:.4f} |")


# -- lives -------------------------------------------------------------------------------------------------------------


def lives(runs: int, seed: int) -> None:
    """Print how often any of ten versions passes by chance on one set of test rows."""
    print("\n## One life of 1,000 test rows: ten versions, each exactly on the threshold of n - o > 0.02\n")
    print("| reliability | promised at most | any passed by chance |\n|---|---|---|")
    n, looks = 1000, 10
    for level in (0.05, 0.01):
        share = level * share_of_look(1, looks)
        rng = np.random.default_rng([seed, 7])
        drawn = rng.multinomial(n, [0.06, 0.04, 0.9], size=(runs, looks))
        wrong = np.array([[_passes(int(w), int(o), n, share) for w, o, _ in life] for life in drawn]).any(axis=1)
        print(f"| {1 - level:g} | {level} | {wrong.mean():.4f} ({runs:,} lives) |")


@cache
def _passes(wins: int, losses: int, n: int, level: float) -> bool:
    return difference_above(wins, losses, n, LEAST, level) <= level
