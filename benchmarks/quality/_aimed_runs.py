"""Whole runs of cures: edits that aim at a slice, kept by its dev rows, and checked on its fresh rows.

Cures are proposed for each of two slices by itself: those that a run would try for the slice worst off alone are tried for both.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.quality._worlds import LAWS, Law, Noise, World, in_slice, share_text, world_of
from tilth.core.arrays import Mask
from tilth.core.trial import Trial, Verdict
from tilth.loop.candidates import Candidate, proposals, screen
from tilth.loop.quarantine import Quarantine
from tilth.loop.trying import Tried, try_all

__all__ = ["aimed_runs"]

FRESH = 200_000
TRUE, RANDOM = "last feature above 1", "rows at random"
EACH = 3
"""Cures that are tried for each of the two slices."""
WORLDS: dict[str, tuple[Law, Noise]] = {
    "as elsewhere": (replace(LAWS["linear"], name="as elsewhere"), "uniform"),
    "noisier": (replace(LAWS["linear"], name="noisier"), "region"),
    "by other features": (replace(LAWS["linear"], name="by other features", apart=True), "uniform"),
    "by other features, noisier": (replace(LAWS["linear"], name="by other features, noisier", apart=True), "region"),
}
"""What is the matter with the slice: the law, and where labels are wrong."""
RATES = (0.0, 0.1, 0.3)


@dataclass(frozen=True, slots=True, kw_only=True)
class AimedKeep:
    """A kept cure with what it brings the fresh rows of its slice, and all fresh rows, on top of what was kept before it."""

    law: Law
    seed: int
    trial: Trial
    at_random: bool
    gain: float
    error: float
    of_all: float


def aimed_runs(per_cell: int, seed: int) -> None:
    """Print how many runs kept a cure that does not help its slice on fresh rows, and list these cures."""
    print(f"\n## Runs of cures (seeds from {10_000 * seed:,}, {per_cell} per cell)\n")
    print(f"Two slices: {TRUE} (a sixth of the rows), and as many {RANDOM}; {EACH} cures of each are tried.\n")
    print(
        "| the slice is | label noise | runs | cures tried | kept: slice, random rows | runs with a false keep, 95 % interval |"
    )
    print("|---|---|---|---|---|---|")
    done: list[tuple[int, list[AimedKeep]]] = []
    for place, (name, (law, noise)) in enumerate(WORLDS.items()):
        for rate in RATES if noise == "uniform" else RATES[1:]:
            cell = replace(law, noise=noise, rate=rate)
            first = 10_000 * seed + 1_000 * place + round(1_000 * rate)
            here = [_run_once(cell, first + i) for i in range(per_cell)]
            print(_line(name, f"{noise} {rate:.0%}", here), flush=True)
            done += here
    print(_line("**all**", "", done))
    _list([keep for _, keeps in done for keep in keeps])


def _run_once(law: Law, seed: int) -> tuple[int, list[AimedKeep]]:
    """Run on one world; return how many cures were tried, and those that were kept."""
    n_train, n_dev, clean = (1000, 3000)[seed % 2], (500, 2000)[seed // 2 % 2], bool(seed // 4 % 2)
    world = world_of(law, n_train=n_train, n_dev=n_dev, seed=seed, clean_dev=clean)
    world = replace(world, slices={TRUE: in_slice(world.features), RANDOM: _at_random(len(world.features), seed)})
    quarantine = Quarantine()
    candidates: list[Candidate] = []
    for aim in world.slices:
        found = proposals(world.evidence(), quarantine, verbs=None, known=frozenset(), aims=(aim,))
        cures = [one for one in found if one.edit.goal]
        candidates += _best(screen(world.bench, cures, quarantine, lambda *_: None, world.slices))
    tried = try_all(world.arena(), candidates, lambda *_: None, quarantine)
    assert not quarantine.failures, quarantine.failures
    return len(tried), _kept(world, tried)


def _at_random(n: int, seed: int) -> Mask:
    return np.random.default_rng([61, seed, n]).random(n) < 1 / 6


def _best(screened: list[Candidate]) -> list[Candidate]:
    """Return the most promising cures, one of each operator."""
    firsts: dict[str, Candidate] = {}
    for one in screened:
        firsts.setdefault(one.edit.operator.name, one)
    return list(firsts.values())[:EACH]


def _kept(world: World, tried: list[Tried]) -> list[AimedKeep]:
    kept = [one for one in tried if one.trial.verdict is Verdict.KEPT]
    if not kept:
        return []
    rng = np.random.default_rng([59, world.seed])
    x, truth = world.law.rows(FRESH, rng)
    slices = {TRUE: in_slice(x), RANDOM: _at_random(FRESH, world.seed)}
    found = []
    for one, (below, after) in zip(kept, world.stacked([other.edit for other in kept], x), strict=True):
        change = (after == truth).astype(float) - (below == truth)
        inside = change[slices[one.edit.goal]]
        found.append(
            AimedKeep(
                law=world.law,
                seed=world.seed,
                trial=one.trial,
                at_random=one.edit.goal == RANDOM,
                gain=float(inside.mean()),
                error=float(inside.std() / np.sqrt(len(inside))),
                of_all=float(change.mean()),
            )
        )
    return found


def _line(law: str, noise: str, done: list[tuple[int, list[AimedKeep]]]) -> str:
    aimed = Counter(keep.at_random for _, keeps in done for keep in keeps)
    false = sum(any(keep.gain <= 0 for keep in keeps) for _, keeps in done)
    tried = sum(n for n, _ in done)
    share = share_text(false, len(done))
    return f"| {law} | {noise} | {len(done)} | {tried} | {aimed[False]}, {aimed[True]} | {share} |"


def _list(keeps: list[AimedKeep]) -> None:
    false = [keep for keep in keeps if keep.gain <= 0]
    costly = sum(keep.of_all < -0.01 for keep in keeps)
    print(f"\n{len(keeps)} kept; {len(false)} of them bring fresh rows of their slice nothing, ", end="")
    print(f"{costly} cost all fresh rows more than the point that the guard allows.\n")
    if keeps:
        print(f"Mean gain of the slice {np.mean([k.gain for k in keeps]):+.3f}, promised by dev ", end="")
        print(
            f"{np.mean([k.trial.gain.value for k in keeps]):+.3f}; of all rows {np.mean([k.of_all for k in keeps]):+.4f}.\n"
        )
    if not false:
        return
    print(
        "| false keep | slice, noise | seed | dev gain, interval | true gain ± s.e. | of all rows |\n|---|---|---|---|---|---|"
    )
    for keep in false:
        trial, law = keep.trial, keep.law
        dirt = f"{law.noise} {law.rate:.0%}{', dev clean' if keep.seed // 4 % 2 else ''}"
        dev = f"{trial.gain.value:+.4f} [{trial.gain.low:+.4f}, {trial.gain.high:+.4f}]"
        where = f"{RANDOM if keep.at_random else law.name}, {dirt}"
        print(
            f"| {trial.operator} | {where} | {keep.seed} | {dev} | {keep.gain:+.4f} ± {keep.error:.4f} | {keep.of_all:+.4f} |"
        )
