"""Learning curves: gains of more labelled rows forecast with rows hidden, beside simple extrapolations; and the neighbours' bound.

Of each set's train rows (at most 12,000) an eighth, a quarter or half is left; the curve is measured inside these by what
`tilth curve` runs, and forecasts the gain of twice, four and eight times the rows as far as the hidden ones go. The measured gain is
that of models of both sizes on up to 12,000 other rows: the level there may differ from the cross-validated one, so gains are compared.
The learner is chosen by cross-validation on the eighth and held. Means are over sets, each a mean over its seeds and pairs of sizes;
their 95 % intervals (Student) are over sets, which are what is drawn here. Labels are taken as they are; test labels too.

credit_default, bank_marketing, youtube_spam and imdb_counterfactual chose the family of laws and its grid; no set below did. One earlier
look at the sets below made curves ask for fewer rows of each class (2 for 5), and changed nothing else.

    python -m benchmarks curve [SET ...] [--seeds N]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import scipy
from scipy.optimize import least_squares
from scipy.stats import t as student

from benchmarks.quality import _data as data
from tilth import __version__
from tilth.core.arrays import IntVector, Vector
from tilth.core.errors import LabelError
from tilth.core.estimate import Estimate
from tilth.core.names import AUGMENT, PARENTS, SPLIT, TARGET, TRUSTED, WEIGHT, Split
from tilth.core.spec import Spec
from tilth.core.target import Target
from tilth.learning._choose import choose, default_learners
from tilth.learning._crossfit import fold_numbers
from tilth.loop.bench import Bench
from tilth.loop.curve import Bound, Measured, bound_of, learning_curve_of
from tilth.operators.protocols import Learner
from tilth.operators.registry import make

MOST_TRAIN, MOST_TEST = 12_000, 12_000
HIDDEN = (8, 4, 2)
SETS: dict[str, Callable[[], data.Rows]] = {
    "adult": lambda: data.table("adult", "adult/adult.parquet", "income", rows=24_000),
    "acs_income": lambda: data.table("acs_income", "acs_income/acs_income_sample.parquet", "PINCP", rows=24_000),
    "elec2": lambda: data.table("elec2", "elec2/elec2.parquet", "class", rows=24_000),
    "banking77": data.banking77,
    "cifar10": lambda: data.cifar10()[0],
    "sms_spam": lambda: data.table("sms_spam", "sms_spam/sms_spam.parquet", "label"),
    "ag_news_test": lambda: data.table("ag_news_test", "ag_news_test/test.parquet", "class"),
}
METHODS = ("tilth", "no gain", "last two", "power law", "power law + floor")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A forecast from n rows to N, and what was measured; in points."""

    name: str
    factor: int
    measured: float
    error: float
    forecasts: dict[str, float]
    inside: dict[float, bool]
    inside_noisy: dict[float, bool]
    half: float


@dataclass(frozen=True, kw_only=True)
class Ceiling:
    """The bound at the full size, and scores to compare it with."""

    name: str
    bound: Bound
    reachable: Estimate
    here: float
    rows: int


def main(arguments: list[str]) -> int:
    """Run the named sets, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks curve")
    parser.add_argument("sets", nargs="*", default=list(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args(arguments)
    pairs: list[Pair] = []
    ceilings: list[Ceiling] = []
    for name in options.sets:
        try:
            rows = SETS[name]()
        except data.AbsentError as absent:
            print(absent)
            continue
        for seed in range(options.seeds):
            started = time.process_time()
            world = _World(rows, seed)
            pairs += world.pairs()
            ceilings += [world.ceiling()] if seed == 0 else []
            print(f"{name} {seed}: {time.process_time() - started:.0f} CPU s, {world.learner}", file=sys.stderr)
    _print(pairs, ceilings, options.seeds)
    return 0


class _World:
    """One set cut into train and test by a seed, and models of nested parts of its train rows."""

    def __init__(self, rows: data.Rows, seed: int) -> None:
        self._rows, self._seed = rows, seed
        order = np.random.default_rng([seed, 5]).permutation(len(rows))
        n_train = min(MOST_TRAIN, int(len(rows) * 0.6)) // 8 * 8
        self._train, self._test = order[:n_train], order[n_train : n_train + MOST_TEST]
        self.learner = self._chosen(self._train[: n_train // 8])
        self._right: dict[int, Vector] = {}

    def pairs(self) -> Iterator[Pair]:
        """Yield every forecast from an eighth, a quarter and half of the rows."""
        full = len(self._train)
        for part in HIDDEN:
            n = full // part
            try:
                found = learning_curve_of(self._bench(n))
            except LabelError as refused:
                print(f"{self._rows.name}, {n} rows: {refused.what}", file=sys.stderr)
                continue
            for factor in (f for f in (2, 4, 8) if n * f <= full):
                gains = 100 * (self._scores(n * factor) - self._scores(n))
                yield _pair(self._rows.name, factor, found, n, gains)

    def ceiling(self) -> Ceiling:
        """Return the bound by all train rows, beside what models of them reach on the test rows."""
        bench, full = self._bench(len(self._train)), len(self._train)
        best = max(float(self._of(learner, full).mean()) for learner in self._rivals())
        measured = learning_curve_of(bench)
        return Ceiling(
            name=self._rows.name,
            bound=bound_of(bench)[0],
            reachable=measured.curve.reachable(),
            here=max(best, float(self._scores(full).mean())),
            rows=full,
        )

    def _rivals(self) -> Sequence[Learner]:
        """Return the commodity learners that serve such rows, with their default settings."""
        return default_learners(self._rows.schema)

    def _scores(self, n: int) -> Vector:
        if n not in self._right:
            self._right[n] = self._of(self.learner, n)
        return self._right[n]

    def _of(self, learner: Learner, n: int) -> Vector:
        bench = self._bench(n, learner)
        judged = bench.judged(Split.TEST)
        return bench.scores(bench.predict(bench.baseline, judged.positions), judged)

    def _bench(self, n: int, learner: Learner | None = None) -> Bench:
        rows, k = self._rows, self._rows.n_classes
        splits = np.full(len(rows), "unused", dtype="<U6")
        splits[self._train[:n]], splits[self._test] = "train", "test"
        names = np.asarray(rows.schema.task.classes, dtype=object)
        own = {
            rows.schema.task.label: pa.array(names[rows.truth], pa.string()),
            SPLIT: pa.array(splits.tolist()),
            TARGET: pa.nulls(len(rows), pa.list_(pa.float32(), k)),
            WEIGHT: pa.nulls(len(rows), pa.float64()),
            TRUSTED: pa.array(np.zeros(len(rows), dtype=bool)),
            PARENTS: pa.nulls(len(rows), pa.list_(pa.string())),
            AUGMENT: pa.nulls(len(rows), pa.string()),
        }
        return Bench(
            table=pa.table({name: rows.table.column(name) for name in rows.table.column_names} | own),
            schema=rows.schema,
            features=rows.features,
            learner=learner or self.learner,
            metric=make("evaluation", "accuracy"),
            reencode=lambda _: rows.features,
            seed=self._seed,
        )

    def _chosen(self, places: IntVector) -> Learner:
        rows = self._rows
        target = Target.classes(rows.truth[places], np.ones(len(places), dtype=bool), rows.n_classes)
        part = data.Rows(
            name=rows.name,
            table=rows.table.take(pa.array(places)),
            schema=rows.schema,
            features=rows.features[places],
            truth=rows.truth[places],
        )
        view = part.view(Spec(room="learning", name="choice"), frozenset({"embeddings", "table"}), self._seed)
        return choose(default_learners(rows.schema), view, target, fold_numbers(view.ids, target)).learner


def _pair(name: str, factor: int, found: Measured, n: int, gains: Vector) -> Pair:
    measured, error = float(gains.mean()), float(gains.std() / np.sqrt(len(gains)))
    said = {level: _points(found.curve.gain(n * factor, since=n, level=level)) for level in (0.9, 0.95)}
    own = {level: error * student.ppf((1 + level) / 2, len(gains)) for level in said}
    return Pair(
        name=name,
        factor=factor,
        measured=measured,
        error=error,
        forecasts={"tilth": said[0.95].value} | _simple(found, n, factor),
        inside={level: one.low <= measured <= one.high for level, one in said.items()},
        inside_noisy={level: _near(one, measured, own[level]) for level, one in said.items()},
        half=(said[0.95].high - said[0.95].low) / 2,
    )


def _points(one: Estimate) -> Estimate:
    return Estimate(
        value=100 * one.value, low=100 * one.low, high=100 * one.high, standard_error=100 * one.standard_error
    )


def _near(one: Estimate, measured: float, own: float) -> bool:
    """Whether the measured gain lies in the interval once its own noise, from the test rows, is added."""
    low, high = (one.value - np.hypot(one.value - one.low, own), one.value + np.hypot(one.high - one.value, own))
    return bool(low <= measured <= high)


def _simple(found: Measured, n: int, factor: int) -> dict[str, float]:
    """Return the gains, in points, that simple extrapolations of the same measured points forecast."""
    sizes, wrong = found.sizes.astype(float), 1 - found.scores
    slope = (wrong[-2] - wrong[-1]) / np.log(sizes[-1] / sizes[-2])
    weights = np.maximum(wrong, 1e-4) / np.sqrt(np.diag(found.covariance))
    exponent, level = np.polyfit(np.log(sizes), np.log(np.maximum(wrong, 1e-4)), 1, w=weights)
    pure = np.exp(level) * (float(n) ** exponent - float(n * factor) ** exponent)
    return {
        "no gain": 0.0,
        "last two": 100 * float(slope * np.log(factor)),
        "power law": 100 * float(pure),
        "power law + floor": 100 * _floored(sizes, wrong, np.sqrt(np.diag(found.covariance)), n, factor),
    }


def _floored(sizes: Vector, wrong: Vector, errors: Vector, n: int, factor: int) -> float:
    """Return the gain by the least-squares fit of floor + b (n / N)^-c, 0 <= floor, 0 <= b, 0 < c <= 1."""

    def law(p: Vector, x: Vector | float) -> Vector:
        return np.asarray(p[0] + p[1] * (np.asarray(x) / sizes[-1]) ** -p[2])

    start = np.array([wrong[-1] / 2, wrong[-1] / 2 + 1e-6, 0.5])
    fit = least_squares(
        lambda p: (law(p, sizes) - wrong) / errors, start, bounds=([0.0, 0.0, 0.01], [1.0, 2.0, 1.0]), method="trf"
    )
    return float(law(fit.x, float(n)) - law(fit.x, float(n * factor)))


# -- tables ------------------------------------------------------------------------------------------------------------


def _print(pairs: Sequence[Pair], ceilings: Sequence[Ceiling], n_seeds: int) -> None:
    versions = f"tilth {__version__}, numpy {np.__version__}, scipy {scipy.__version__}"
    print(f"Seeds 0 to {n_seeds - 1}; {versions}. Gains and errors in points of accuracy.\n")
    _print_errors(pairs)
    _print_coverage(pairs)
    _print_sets(pairs)
    _print_bounds(ceilings)


def _factors(pairs: Sequence[Pair]) -> list[int]:
    return sorted({pair.factor for pair in pairs})


def _print_errors(pairs: Sequence[Pair]) -> None:
    print("### Mean absolute error of the forecast gain\n")
    print("| rows | forecasts | measured gain | " + " | ".join(METHODS) + " |")
    print("|---" * (3 + len(METHODS)) + "|")
    for factor in _factors(pairs):
        some = [pair for pair in pairs if pair.factor == factor]
        cells = [_over_sets(some, lambda p, m=m: abs(p.forecasts[m] - p.measured)) for m in METHODS]
        print(f"| {factor}× | {len(some)} | {_over_sets(some, lambda p: p.measured)} | {' | '.join(cells)} |")
    for rival in METHODS[1:]:
        cells = [_behind([pair for pair in pairs if pair.factor == factor], rival) for factor in _factors(pairs)]
        said = "; ".join(f"{factor}× {cell}" for factor, cell in zip(_factors(pairs), cells, strict=True))
        print(f"\nError of `{rival}` minus that of tilth: {said}.")
    print()


def _behind(pairs: Sequence[Pair], rival: str) -> str:
    return _over_sets(pairs, lambda p: abs(p.forecasts[rival] - p.measured) - abs(p.forecasts["tilth"] - p.measured))


def _print_coverage(pairs: Sequence[Pair]) -> None:
    print("### Share of measured gains inside the stated interval\n")
    print("`+ test noise`: the interval widened by the noise that the measured gain has of its finite test rows.\n")
    print("| rows | half of the 95 % interval | 90 % | 90 %, + test noise | 95 % | 95 %, + test noise |")
    print("|---|---|---|---|---|---|")
    for factor in _factors(pairs):
        some = [pair for pair in pairs if pair.factor == factor]
        cells = []
        for level in (0.9, 0.95):
            cells.append(_over_sets(some, lambda p, v=level: float(p.inside[v])))
            cells.append(_over_sets(some, lambda p, v=level: float(p.inside_noisy[v])))
        print(f"| {factor}× | {_over_sets(some, lambda p: p.half)} | {' | '.join(cells)} |")
    print()


def _print_sets(pairs: Sequence[Pair]) -> None:
    print("### By set: errors of all\n")
    print("| set | rows | measured gain | tilth forecasts | error | " + " | ".join(METHODS[1:]) + " | in 95 % |")
    print("|---" * (6 + len(METHODS) - 1) + "|")
    for name in dict.fromkeys(pair.name for pair in pairs):
        for factor in _factors(pairs):
            some = [pair for pair in pairs if (pair.name, pair.factor) == (name, factor)]
            if not some:
                continue
            gain, said = (np.mean([value(p) for p in some]) for value in (_measured, _forecast))
            errors = [np.mean([abs(p.forecasts[m] - p.measured) for p in some]) for m in METHODS]
            inside = sum(p.inside_noisy[0.95] for p in some)
            cells = " | ".join(f"{e:.2f}" for e in errors)
            print(f"| {name} | {factor}× | {gain:+.2f} | {said:+.2f} | {cells} | {inside} of {len(some)} |")
    print()


def _measured(pair: Pair) -> float:
    return pair.measured


def _forecast(pair: Pair) -> float:
    return pair.forecasts["tilth"]


def _print_bounds(ceilings: Sequence[Ceiling]) -> None:
    print("### The bound beside scores that were reached (seed 0)\n")
    print(
        "The bound is one on these labels and these features. `half the rows`: by half as many neighbours. `reached`: the best of "
        "the commodity learners on the test rows, by the same features.\n"
    )
    print("| set | rows | bound, 95 % | half the rows | laws without end | reached | holds |")
    print("|---|---|---|---|---|---|---|")
    for one in ceilings:
        print(
            f"| {one.name} | {one.rows:,} | {_cell(one.bound.value)} | {100 * one.bound.scores[-2].value:.1f} "
            f"| {_cell(one.reachable)} | {100 * one.here:.1f} | {_holds(one, one.here)} |"
        )


def _holds(one: Ceiling, reached: float) -> str:
    if one.bound.value.value >= reached:
        return "yes"
    return "no" if one.bound.value.high < reached else "within its interval"


def _cell(one: Estimate) -> str:
    return f"{100 * one.value:.1f} [{100 * one.low:.1f}, {100 * one.high:.1f}]"


def _over_sets(pairs: Sequence[Pair], value: Callable[[Pair], float]) -> str:
    """Return the mean over sets with its 95 % interval."""
    names = dict.fromkeys(pair.name for pair in pairs)
    means = np.array([np.mean([value(pair) for pair in pairs if pair.name == name]) for name in names])
    if len(means) < 2:
        return f"{means.mean():.2f}"
    reach = student.ppf(0.975, len(means) - 1) * means.std(ddof=1) / np.sqrt(len(means))
    return f"{means.mean():.2f} ± {reach:.2f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
