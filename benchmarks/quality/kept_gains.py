"""How often the interval of a kept edit's gain holds its true gain: as stated now, and allowing for the fact that it was kept.

    python -m benchmarks kept_gains [--quick] [--seed N]

Only lucky edits of little gain are kept, so their measured gains are too high. Runs of six finalists whose wins and losses on dev are
drawn with known true gains go through `beats_nothing` and Holm; `numerics.kept_gain` is the correction.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import scipy

from benchmarks.quality._worlds import share_text
from tilth.core.arrays import Mask, Vector
from tilth.loop.verdicts import COMPOSITION_SHARE
from tilth.numerics import kept_gain
from tilth.numerics.detectability import least_detectable_gain
from tilth.numerics.error_budget import alpha_of_run
from tilth.numerics.paired_tests import beats_nothing

ALPHA = alpha_of_run(1) * (1 - COMPOSITION_SHARE)
SIZES = (500, 2000, 8000)


def least_kept(gain: Vector, errors: Sequence[Vector], p_values: Sequence[Vector], threshold: Vector) -> Vector:
    """Return the least gain that would have been kept, of each kept one; (n,)."""
    parts = zip(gain, zip(*errors, strict=True), zip(*p_values, strict=True), threshold, strict=True)
    return np.array([kept_gain.least_kept(float(g), e, p, max(float(t), *map(float, p), 0.0)) for g, e, p, t in parts])


def interval_given_kept(gain: Vector, error: Vector, least: Vector) -> tuple[Vector, Vector, Vector]:
    """Return low end, median-unbiased value and high end of gains that were kept because they reached `least`; (n,) each."""
    found = [kept_gain.given_kept(float(g), float(e), float(c)) for g, e, c in zip(gain, error, least, strict=True)]
    low, middle, high = np.array([(one.low, one.value, one.high) for one in found]).reshape(-1, 3).T
    return low, middle, high


GAINS = {
    "most useless: 80 % lose up to a point, 20 % gain 1 point on average": (0.8, 0.01),
    "half useless: half lose up to a point, half gain 1 point on average": (0.5, 0.01),
    "some great: half lose up to a point, half gain 3 points on average": (0.5, 0.03),
}
POWERS = (0.02, 0.05, 0.2, 0.5, 0.8, 0.95)


@lru_cache(maxsize=100_000)
def paired(wins: int, losses: int, n: int) -> tuple[float, float, float, float, float]:
    """Return gain, standard error, both ends and p as `beats_nothing` states them."""
    after = np.repeat([1.0, 0.0, 1.0], [wins, losses, n - wins - losses])
    before = np.repeat([0.0, 1.0], [wins, n - wins])
    found = beats_nothing(after, before, rng=np.random.default_rng(0))
    return found.gain, found.standard_error, found.low, found.high, found.p_value


def interval_tables(n_runs: int, seed: int) -> None:
    """Print how often intervals of kept edits hold the true gain."""
    print(
        f"\n## Intervals of kept gains ({n_runs:,} runs of 6 finalists per row, alpha {ALPHA:.4f}, Holm, no placebo)\n"
    )
    head = (
        "| true gains | dev rows | kept | plain interval holds the true gain | given kept | median length over plain "
    )
    print(head + "| high end < 0 | bias of the gain, of the middle (points) |\n|---|---|---|---|---|---|---|---|")
    for number, (words, (useless, size)) in enumerate(GAINS.items()):
        for n in SIZES:
            rng = np.random.default_rng([71, seed, number, n])
            rates = np.exp(rng.uniform(np.log(0.01), np.log(0.15), (n_runs, 6)))
            lost = rng.random((n_runs, 6)) < useless
            gains = np.where(lost, -0.01 * rng.random((n_runs, 6)), rng.exponential(size, (n_runs, 6)))
            print(_kept_line(words, n, np.clip(gains, -0.95 * rates, 0.95 * rates), rates, rng), flush=True)
    for power in POWERS:
        rng = np.random.default_rng([73, seed, round(100 * power)])
        gain = least_detectable_gain(0.05, 2000, ALPHA / 6, power)
        gains = np.tile([gain, *[-0.005] * 5], (round(n_runs / max(power, 0.05)), 1))
        words = f"one of six gains {100 * gain:.2f} points: kept in {power:.0%} of runs"
        print(_kept_line(words, 2000, gains, np.full(gains.shape, 0.05), rng, only=0), flush=True)


def _kept_line(
    words: str, n: int, gains: np.ndarray, rates: np.ndarray, rng: np.random.Generator, only: int | None = None
) -> str:
    differ = rng.binomial(n, rates)
    wins = rng.binomial(differ, (1 + gains / rates) / 2)
    found = np.array([paired(int(w), int(d - w), n) for w, d in zip(wins.flat, differ.flat, strict=True)])
    gain, error, low, high, p = found.T.reshape(5, *gains.shape)
    order = np.argsort(p, axis=1, kind="stable")
    threshold = np.empty_like(p)
    np.put_along_axis(threshold, order, ALPHA / np.broadcast_to(np.arange(6, 0, -1), p.shape), axis=1)
    passes = np.take_along_axis(p <= threshold, order, axis=1)
    kept: Mask = np.zeros_like(passes)
    np.put_along_axis(kept, order, np.logical_and.accumulate(passes, axis=1), axis=1)
    if only is not None:
        kept &= np.arange(6) == only
    g, e, t = gain[kept], error[kept], gains[kept]
    given = interval_given_kept(g, e, least_kept(g, [e], [p[kept]], threshold[kept]))
    bias = f"{100 * np.mean(g - t):+.2f}, {100 * np.mean(given[1] - t):+.2f}"
    return f"| {words} | {n:,} | {kept.sum()} | {coverage_text(t, (low[kept], high[kept]), given)} | {bias} |"


def coverage_text(true: Vector, plain: tuple[Vector, Vector], given: tuple[Vector, Vector, Vector]) -> str:
    """Return coverage of both intervals, and how long the second is."""
    held = [int(((ends[0] <= true) & (true <= ends[-1])).sum()) for ends in (plain, given)]
    longer = np.median((given[-1] - given[0]) / (plain[1] - plain[0]))
    below = f"{np.mean(given[-1] < 0):.1%}"
    return f"{share_text(held[0], len(true))} | {share_text(held[1], len(true))} | {longer:.2f} | {below}"


def main(arguments: list[str]) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks kept_gains", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the runs")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    started = time.process_time()
    print(f"Versions: numpy {np.__version__}, scipy {scipy.__version__}; seed {chosen.seed}")
    interval_tables(400 if chosen.quick else 4000, chosen.seed)
    print(f"\nCPU seconds: {time.process_time() - started:.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
