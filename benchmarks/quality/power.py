"""How often tilth keeps an edit that helps, and whether the stated least detectable gain is right.

    python -m benchmarks power [--quick] [--draws N] [--seed N]

Wrong train labels are mended by an oracle (a part of them, or all), the linear learner is fitted before, after and after the
placebos, and dev splits are drawn again and again from 100,000 fresh rows; each goes through judge and decide as the only finalist of
a first run, and as one of six of which the others do not help.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy
from scipy import stats

from benchmarks.quality._worlds import LAWS, Noise, Oracle, World, share_text, world_of
from benchmarks.quality.kept_gains import coverage_text, interval_given_kept, least_kept
from tilth.core.arrays import IntVector, Mask, Vector
from tilth.core.edit import Edit
from tilth.core.trial import Verdict
from tilth.loop.arena import FEWEST_PLACEBOS
from tilth.loop.bench import Judged
from tilth.loop.judge import Judgement, Outcome, judge
from tilth.loop.placebo import placebo, strata_of
from tilth.loop.sensitivity import least_detectable
from tilth.loop.verdicts import COMPOSITION_SHARE, Reading, decide
from tilth.numerics.detectability import power_of_exact_test
from tilth.numerics.error_budget import alpha_of_run

ALPHA = alpha_of_run(1) * (1 - COMPOSITION_SHARE)
FRESH = 100_000
NOISES: tuple[Noise, ...] = ("class", "region", "uniform")
SIZES, DEV_NOISE, TRIED = (500, 2000, 8000), (0.0, 0.1, 0.3), (1, 6)


# -- models before and after an oracle's edit --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contest:
    """What models before, after and after placebos decide on fresh rows, and the truth."""

    world: World
    truth: IntVector
    before: IntVector
    after: IntVector
    placebos: np.ndarray

    @property
    def change(self) -> Vector:
        """Difference in correctness of each fresh row."""
        return np.asarray((self.after == self.truth).astype(float) - (self.before == self.truth))


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One dev split: its judgement, and the verdicts as one of so many finalists."""

    law: str
    n_dev: int
    noise: float
    gain: float
    error: float
    judgement: Judgement
    least: tuple[float, ...]
    kept: tuple[bool, ...]
    threshold: tuple[float, ...]

    def passed(self, m: int) -> bool:
        """Whether it beat doing nothing, whatever its placebo did."""
        return self.judgement.nothing.p_value <= self.threshold[m]


def contests(per_law: int, draws: int, seed: int) -> Iterator[Contest]:
    """Yield worlds with an oracle that mends a twentieth, a fifth, or all of the wrong train labels."""
    for law in LAWS.values():
        for number in range(per_law):
            noise = NOISES[number % 3]
            n_train, rate = ((400, 0.3), (1000, 0.15))[number // 3 % 2]
            dirty = replace(law, noise=noise, rate=rate)
            world = world_of(dirty, n_train=n_train, n_dev=1, seed=7_000_000 + 1000 * seed + number)
            rng = np.random.default_rng([61, world.seed, len(law.name)])
            x, truth = law.rows(FRESH, rng)
            before = world.decisions(world.bench.baseline, x)
            for share in (0.05, 0.2, 1.0):
                edit, placebos = _oracle(world, share, draws, rng)
                after, *drawn = (world.decisions(world.bench.fit_edited(one), x) for one in (edit, *placebos))
                yield Contest(world=world, truth=truth, before=before, after=after, placebos=np.stack(drawn))


def _oracle(world: World, share: float, draws: int, rng: np.random.Generator) -> tuple[Edit, list[Edit]]:
    editor = Oracle(truth=tuple(world.truth[world.train].tolist()), share=share)
    view = world.evidence().view(editor)
    edit = editor.propose(view)
    strata = strata_of(world.bench.labels(world.bench.train)[0], is_regression=False)
    return edit, [placebo(edit, editor, view, strata, rng) for _ in range(draws)]


def draw(contest: Contest, n_dev: int, noise: float, seed: int) -> Drawn:
    """Draw a dev split from the fresh rows, make `noise` of its labels wrong anywhere, and judge."""
    bench, k = contest.world.bench, contest.world.law.k
    rng = np.random.default_rng([67, seed])
    rows = rng.choice(FRESH, n_dev, replace=False)
    wrong = rng.random(n_dev) < noise
    labels = np.where(wrong, (contest.truth[rows] + rng.integers(1, k, n_dev)) % k, contest.truth[rows])
    judged = Judged(positions=rows, labels=labels, trusted=np.zeros(n_dev, dtype=bool), groups=None)
    outcome = Outcome(
        before=(contest.before[rows] == labels).astype(float),
        after=(contest.after[rows] == labels).astype(float),
        placebos=(contest.placebos[:, rows] == labels).astype(float),
        decided_before=contest.before[rows],
        decided_after=contest.after[rows],
    )
    judgement = judge(bench, judged, outcome, step=(seed,))
    reading = Reading(judgement=judgement, guards=(), answers_needed=None)
    return Drawn(
        law=contest.world.law.name,
        n_dev=n_dev,
        noise=noise,
        gain=float(contest.change.mean()),
        error=float(contest.change.std() / np.sqrt(n_dev)),
        judgement=judgement,
        least=tuple(least_detectable(bench, judged, judgement, ALPHA / m) for m in TRIED),
        kept=tuple(decide([reading], ALPHA, shares=[1 / m])[0].verdict is Verdict.KEPT for m in TRIED),
        threshold=tuple(ALPHA / m for m in TRIED),
    )


def all_drawn(per_law: int, repeats: int, draws: int, seed: int) -> list[Drawn]:
    """Judge every contest on dev splits of all sizes and noises."""
    drawn = []
    for number, contest in enumerate(contests(per_law, draws, seed)):
        places = [(n, noise, r) for n in SIZES for noise in DEV_NOISE for r in range(repeats)]
        drawn += [draw(contest, n, noise, 10_000 * number + i) for i, (n, noise, _) in enumerate(places)]
    return drawn


# -- tables of power ---------------------------------------------------------------------------------------------------


def power_tables(per_law: int, repeats: int, draws: int, seed: int) -> None:
    """Print the tables of power."""
    drawn = all_drawn(per_law, repeats, draws, seed)
    counts = f"{draws} placebo draws, {len(drawn):,} dev splits, {len(LAWS) * per_law * 3} edits"
    print(f"\n## Keep rate of an oracle's edits (alpha {ALPHA:.4f}; {counts})")
    _by_errors([one for one in drawn if not one.noise])
    _one_point([one for one in drawn if not one.noise and one.n_dev == 2000])
    _curve(drawn)
    _least([one for one in drawn if not one.noise])
    _held(drawn)


HEAD = " | kept alone | kept, one of six | beats nothing, alone | beats nothing, one of six |"


def _rates(some: Sequence[Drawn], others: Sequence[Drawn] | None = None) -> str:
    """Return the four rates of HEAD; `others` are the draws of the columns of six where these are not the same."""
    both = (some, some if others is None else others)
    kept = [share_text(sum(o.kept[m] for o in here), len(here)) for m, here in enumerate(both)]
    passed = [share_text(sum(o.passed(m) for o in here), len(here)) for m, here in enumerate(both)]
    return " | ".join(kept + passed)


def _head(first: str) -> None:
    columns = f"{first}{HEAD}"
    print(f"\n| {columns}\n|{'---|' * columns.count('|')}")


def _by_errors(clean: Sequence[Drawn]) -> None:
    _head("true gain in s.e. of the paired dev difference (clean dev)")
    for low, high in ((0.5, 1), (1, 2), (2, 3), (3, 4), (4, 4.5), (4.5, 5), (5, 6), (6, 99), (4, 99)):
        here = [one for one in clean if low <= one.gain / one.error < high]
        print(f"| {low:g} to {high:g} | {_rates(here)} |")


def _one_point(here: Sequence[Drawn]) -> None:
    _head("+1 point on 2,000 clean dev rows")
    for low, high in ((0, 0.02), (0.02, 0.04), (0.04, 0.08), (0.08, 1)):
        some = [one for one in here if 0.008 <= one.gain <= 0.012 and low <= 2000 * one.error**2 < high]
        print(f"| measured, gain .8 to 1.2, {low:.0%} to {high:.0%} of rows change correctness | {_rates(some)} |")
    for rate in (0.012, 0.016, 0.024, 0.05, 0.1):
        power = " | ".join(f"{power_of_exact_test(2000, rate, 0.01, ALPHA / m):.1%}" for m in TRIED)
        print(f"| exact power of McNemar's test, {rate:.1%} of rows change correctness | – | – | {power} |")


def _curve(drawn: Sequence[Drawn]) -> None:
    _head("true gain | dev rows | dev noise")
    for low, high in ((0.005, 0.015), (0.015, 0.03), (0.03, 0.5)):
        for n in SIZES:
            for noise in DEV_NOISE:
                here = [one for one in drawn if (one.n_dev, one.noise) == (n, noise) and low <= one.gain < high]
                print(f"| {100 * low:g} to {100 * high:g} points | {n:,} | {noise:.0%} | {_rates(here)} |")


def _least(clean: Sequence[Drawn]) -> None:
    """Where a true gain is as large as the stated least detectable gain, four of five should be kept."""
    _head("true gain over stated least detectable gain (clean dev)")
    for low, high in ((0.4, 0.6), (0.6, 0.8), (0.8, 0.9), (0.9, 1.1), (1.1, 1.3), (1.3, 1.6)):
        alone, six = ([o for o in clean if low <= o.gain / o.least[m] < high] for m in range(len(TRIED)))
        print(f"| {low:g} to {high:g} | {_rates(alone, six)} |")
    ratios = [np.array([o.gain / o.least[m] for o in clean]) for m in range(len(TRIED))]
    ends = [_at_four_of_five(ratios[m], np.array([o.kept[m] for o in clean])) for m in range(len(TRIED))]
    ends += [_at_four_of_five(ratios[m], np.array([o.passed(m) for o in clean])) for m in range(len(TRIED))]
    print(f"| reaches 80 % at (probit fit) | {' | '.join(f'{end:.2f}' for end in ends)} |")


def _at_four_of_five(ratio: Vector, kept: Mask) -> float:
    """Return the ratio at which four of five are kept, by a probit fit."""

    def loss(b: Vector) -> float:
        p = np.clip(stats.norm.cdf(b[0] + b[1] * ratio), 1e-12, 1 - 1e-12)
        return float(-np.where(kept, np.log(p), np.log1p(-p)).sum())

    fit = scipy.optimize.minimize(loss, np.array([-2.0, 3.0]), method="Nelder-Mead").x
    return float((stats.norm.ppf(0.8) - fit[0]) / fit[1])


def _held(drawn: Sequence[Drawn]) -> None:
    print(
        "\n| dev noise 0, kept | plain interval holds the true gain | given kept | median length over plain | high end < 0 |"
    )
    print("|---|---|---|---|---|")
    for m, n in enumerate(TRIED):
        for least, high in ((-1.0, 9.0), (-1.0, 3.0), (3.0, 9.0)):
            kept = [o for o in drawn if o.kept[m] and not o.noise and least <= o.gain / o.error < high]
            if kept:
                print(f"| one of {n}, true gain {least:g} to {high:g} s.e. | {_coverage(kept, m)} |")


def _coverage(kept: Sequence[Drawn], m: int) -> str:
    results = [(o.judgement.nothing, o.judgement.placebo) for o in kept]
    gain, error, low, high = (
        np.array([getattr(a, name) for a, _ in results]) for name in ("gain", "standard_error", "low", "high")
    )
    errors = [error, np.array([b.standard_error for _, b in results])]
    p_values = [np.array([a.p_value for a, _ in results]), np.array([b.p_value for _, b in results])]
    least = least_kept(gain, errors, p_values, np.array([o.threshold[m] for o in kept]))
    return coverage_text(np.array([o.gain for o in kept]), (low, high), interval_given_kept(gain, error, least))


def main(arguments: list[str]) -> int:
    """Print all tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks power", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few worlds and runs")
    parser.add_argument("--draws", type=int, default=FEWEST_PLACEBOS, help="placebo draws")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    started = time.process_time()
    print(f"Versions: numpy {np.__version__}, scipy {scipy.__version__}; seed {chosen.seed}")
    power_tables(*((2, 2) if chosen.quick else (6, 10)), chosen.draws, chosen.seed)
    print(f"\nCPU seconds: {time.process_time() - started:.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
