"""Scores estimated without labels on shifted rows, and foreign rows told apart: error and coverage of each estimator.

acs_income and adult between groups (sex × race × age; a random half of the groups is learnt from), elec2 over time (the first 30 %
is learnt from, then blocks of 30 days), cifar10 with images blurred, noised, brightened and compressed at three severities before
`image_descriptor` encodes them. Truth is the share of right rows among at most 1,000 rows of each shift. Nothing in the estimators
was set on these sets; the form of the interval was settled on bank_marketing, credit_default, sea_stream, roman_numerals, banking77.

    python -m benchmarks unlabelled_scores [SET …] [--seeds N] [--foreign-only]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from benchmarks.quality import _data as data
from benchmarks.quality import _shifted as shifts
from tilth.core.arrays import Mask, Vector
from tilth.core.errors import NotApplicable
from tilth.core.estimate import Estimate
from tilth.core.spec import Spec
from tilth.monitoring._ensemble import Ensembled, ensemble, record_of
from tilth.operators.needs import NEEDS
from tilth.operators.protocols import ScoreEstimator
from tilth.operators.registry import make, names, spec_of

NOTHING, TOGETHER, BY_ENTROPY = "the old score", "ensemble", "atc by entropy (not in the ensemble)"
DRAWS = 2_000


@dataclass(frozen=True, kw_only=True)
class Told:
    """One shift: its truth, the score of the reference, and what each estimator said."""

    family: str
    seed: int
    name: str
    truth: float
    old: float
    said: Mapping[str, Estimate]
    alone: Mapping[str, Estimate]
    is_beyond: bool

    def error(self, name: str) -> float:
        value = self.old if name == NOTHING else self.said[name].value
        return abs(value - self.truth)


def main(arguments: list[str]) -> int:
    """Print the tables of estimated scores and of foreign rows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks unlabelled_scores")
    parser.add_argument("sets", nargs="*", default=[])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--foreign-only", action="store_true")
    options = parser.parse_args(arguments)
    started, told = time.process_time(), []
    for family in [] if options.foreign_only else options.sets or list(shifts.FAMILIES):
        try:
            for case in shifts.cases(family, options.seeds):
                told += _told(case)
        except data.AbsentError as absent:
            print(absent)
    if told:
        _print_scores(told, options.seeds)
    if not options.sets:
        _print_foreign(options.seeds)
    print(f"\nSeeds 0 to {options.seeds - 1}; numpy {np.__version__}, scikit-learn {version('scikit-learn')}; no peer.")
    print(f"{time.process_time() - started:.0f} CPU s.")
    return 0


# -- scores --------------------------------------------------------------------------------------------------------------


def _parts() -> dict[str, ScoreEstimator]:
    return {name: make("monitoring", name) for name in names("monitoring", "estimate")}


def _told(case: shifts.Shifted) -> list[Told]:
    parts = _parts()
    spec = Spec(room="monitoring", name="benchmark")
    everything = frozenset(NEEDS)
    reference = case.view(case.reference, everything, spec, labelled=True)
    record = record_of(parts, reference)
    told = []
    for sample in case.currents:
        current = case.view(sample, everything, spec, labelled=False)
        found = ensemble(parts, reference, current, record=record)
        told.append(_line_of(case, sample, found, _by_entropy(case, sample)))
    return told


def _by_entropy(case: shifts.Shifted, sample: shifts.Sample) -> Estimate:
    part = make("monitoring", "atc", by="entropy")
    known = case.view(case.reference, part.needs, spec_of(part), labelled=True)
    found: Estimate = part.estimate(known, case.view(sample, part.needs, spec_of(part), labelled=False))
    return found


def _line_of(case: shifts.Shifted, sample: shifts.Sample, found: Ensembled, entropy: Estimate) -> Told:
    return Told(
        family=case.family,
        seed=case.seed,
        name=sample.name,
        truth=float(sample.scores.mean()),
        old=float(case.reference.scores.mean()),
        said=dict(found.parts) | {TOGETHER: found.estimate, BY_ENTROPY: entropy},
        alone=dict(found.sampling),
        is_beyond=found.is_beyond,
    )


def _print_scores(told: Sequence[Told], seeds: int) -> None:
    who = [NOTHING, *names("monitoring", "estimate"), BY_ENTROPY, TOGETHER]
    print("### Estimated score\n")
    print(
        "Mean absolute error of accuracy in points; in brackets how many shifts it answered, where not all. The last column"
    )
    print(
        "compares on the shifts that both answered (95 % bootstrap interval over seeds within sets; negative = ensemble nearer).\n"
    )
    families = list(dict.fromkeys(one.family for one in told))
    print("| | " + " | ".join([*families, "all sets alike", "ensemble minus this one"]) + " |")
    print("|---" * (len(families) + 3) + "|")
    best = _best_single(told, families)
    for name in who:
        cells = [_error_cell(name, [one for one in told if one.family == family]) for family in families]
        pooled = _pooled(told, families, name)
        cells += [f"{100 * pooled:.2f}", "" if name == TOGETHER else _gap(told, families, name)]
        print(f"| {name} | " + " | ".join(cells) + " |")
    print(
        f"\nBest single one over all sets that answered every shift: {best}. Shifts: {_counts(told, families, seeds)}.\n"
    )
    _print_coverage(told, families)


def _answered(name: str, told: Sequence[Told]) -> list[Told]:
    return [one for one in told if name == NOTHING or name in one.said]


def _error_cell(name: str, told: Sequence[Told]) -> str:
    mine = _answered(name, told)
    if not mine:
        return "refused"
    errors = np.array([one.error(name) for one in mine])
    part = "" if len(mine) == len(told) else f" ({len(mine)} of {len(told)})"
    return f"{100 * errors.mean():.2f}{part}"


def _pooled(told: Sequence[Told], families: Sequence[str], name: str) -> float:
    """Mean over sets of the mean error over the shifts that were answered."""
    means = [_answered(name, [one for one in told if one.family == family]) for family in families]
    return float(np.mean([np.mean([one.error(name) for one in mine]) for mine in means if mine]))


def _best_single(told: Sequence[Told], families: Sequence[str]) -> str:
    whole = [name for name in names("monitoring", "estimate") if len(_answered(name, told)) == len(told)]
    return min(whole, key=lambda name: _pooled(told, families, name))


def _gap(told: Sequence[Told], families: Sequence[str], name: str) -> str:
    """Return the ensemble's error minus another one's on the shifts that this answered; bootstrap over seeds within sets."""
    rng = np.random.default_rng(0)
    answered = _answered(name, told)
    gaps = []
    for family in families:
        mine = [one for one in answered if one.family == family]
        by_seed = [[one for one in mine if one.seed == seed] for seed in sorted({one.seed for one in mine})]
        gaps.append([np.array([one.error(TOGETHER) - one.error(name) for one in part]) for part in by_seed])
    gaps = [parts for parts in gaps if parts]
    drawn = [np.mean([np.concatenate(_redrawn(parts, rng)).mean() for parts in gaps]) for _ in range(DRAWS)]
    low, high = np.quantile(drawn, (0.025, 0.975))
    value = np.mean([np.concatenate(parts).mean() for parts in gaps])
    return f"{100 * value:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]"


def _redrawn(parts: Sequence[Vector], rng: np.random.Generator) -> list[Vector]:
    return [parts[at] for at in rng.integers(len(parts), size=len(parts))]


def _counts(told: Sequence[Told], families: Sequence[str], seeds: int) -> str:
    parts = []
    for family in families:
        mine = [one for one in told if one.family == family]
        moved = np.mean([abs(one.truth - one.old) for one in mine])
        parts.append(f"{family} {len(mine)} over {seeds} seeds, score moved by {100 * moved:.1f} points on average")
    return "; ".join(parts)


def _print_coverage(told: Sequence[Told], families: Sequence[str]) -> None:
    print("Share of 95 % intervals that hold the truth, and their mean half-width in points.\n")
    columns = [*families, "all sets alike"]
    print("| | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name in names("monitoring", "estimate"):
        print(f"| {name}, its own sampling error | " + " | ".join(_coverage(told, families, name, "alone")) + " |")
        print(f"| {name}, with its record | " + " | ".join(_coverage(told, families, name, "said")) + " |")
    print(f"| **{TOGETHER}** | " + " | ".join(_coverage(told, families, TOGETHER, "said")) + " |")
    near = [one for one in told if not one.is_beyond]
    inside = [family for family in families if any(one.family == family for one in near)]
    print(f"\nWithin reach of the record ({len(near)} of {len(told)} shifts), the ensemble: ", end="")
    cells = _coverage(near, inside, TOGETHER, "said")
    print(
        "; ".join(f"{family} {cell}" for family, cell in zip([*inside, "all sets alike"], cells, strict=True)) + ".\n"
    )


def _coverage(told: Sequence[Told], families: Sequence[str], name: str, kind: str) -> list[str]:
    facts = []
    for family in families:
        mine = [
            (getattr(one, kind)[name], one.truth) for one in told if one.family == family and name in getattr(one, kind)
        ]
        if mine:
            held = np.mean([found.low <= truth <= found.high for found, truth in mine])
            facts.append((held, np.mean([(found.high - found.low) / 2 for found, _ in mine])))
        else:
            facts.append((np.nan, np.nan))
    facts.append(tuple(np.nanmean(np.array(facts), axis=0)))
    return [f"{100 * held:.0f} %, ±{100 * half:.1f}" if np.isfinite(held) else "refused" for held, half in facts]


# -- foreign rows --------------------------------------------------------------------------------------------------------


def _print_foreign(seeds: int) -> None:
    print("### Foreign rows told apart\n")
    print(
        "Rows of classes that the model never saw, among as many rows as there are of the others: AUROC (higher is better)"
    )
    print(
        "and the share of familiar rows taken for foreign where 95 % of the foreign ones are found (FPR95, lower is better).\n"
    )
    print("| | cifar10, one class held out | | banking77, ten intents held out | |")
    print("|---|---|---|---|---|")
    print("| | AUROC | FPR95 | AUROC | FPR95 |")
    found: dict[str, list[str]] = {name: [] for name in names("monitoring", "outlying")}
    for family, held in (("cifar10", 1), ("banking77", 10)):
        try:
            rows = data.cifar10()[0] if family == "cifar10" else data.banking77()
        except data.AbsentError as absent:
            print(absent)
            continue
        scored = [_foreign(rows, held, seed) for seed in range(seeds)]
        for name, cells in found.items():
            both = np.array([one[name] for one in scored])
            cells += [
                f"{mean:.3f} ± {spread:.3f}" for mean, spread in zip(both.mean(axis=0), both.std(axis=0), strict=True)
            ]
    for name, cells in found.items():
        print(f"| {name} | " + " | ".join(cells) + " |")
    print("\n± is the standard deviation over seeds, each with other classes held out.")


def _foreign(rows: data.Rows, held: int, seed: int) -> dict[str, tuple[float, float]]:
    """Return AUROC and FPR95 of each score, with a linear model of the classes that are not held out."""
    rng = np.random.default_rng([seed, 17])
    out = rng.choice(rows.n_classes, held, replace=False)
    is_foreign = np.isin(rows.truth, out)
    inside = rng.permutation(np.flatnonzero(~is_foreign))
    train, familiar = inside[: len(inside) // 2], inside[len(inside) // 2 :]
    familiar = familiar[: min(len(familiar), int(is_foreign.sum()))]
    case = shifts.shifted_vectors(rows, train, np.concatenate([familiar, np.flatnonzero(is_foreign)]), seed)
    truth = np.repeat([False, True], [len(familiar), int(is_foreign.sum())])
    (current,) = case.currents
    scores = {}
    for name in names("monitoring", "outlying"):
        operator = make("monitoring", name)
        views = (
            case.view(case.train, operator.needs, spec_of(operator), labelled=True),
            case.view(current, operator.needs, spec_of(operator), labelled=False),
        )
        try:
            scores[name] = told_apart(operator.outlying(*views), truth)
        except NotApplicable:
            scores[name] = (float("nan"), float("nan"))
    return scores


def told_apart(scores: Vector, foreign: Mask) -> tuple[float, float]:
    """Return the AUROC of scores (n,) for foreign rows (n,), and the share of others above the score that 95 % of them reach."""
    strange, usual = np.sort(scores[foreign]), scores[~foreign]
    below = np.searchsorted(strange, usual, side="left") + np.searchsorted(strange, usual, side="right")
    auroc = 1 - below.mean() / (2 * len(strange))
    return float(auroc), float((usual >= np.quantile(strange, 0.05, method="lower")).mean())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
