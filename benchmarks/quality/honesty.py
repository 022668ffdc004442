"""How often tilth keeps an edit that does not help: simulated ledgers, and whole runs whose kept edits are checked on fresh rows.

    python -m benchmarks honesty [--quick] [--only ledgers|runs|cures] [--seed N]

Ledgers: 50 rounds of 6 finalists on one dev split, through Ledger, judge and decide, without guards (which only forbid). Scores of
dev rows come from models whose accuracy is the same as before by symmetry, or lower, so that every keep is false. Rounds in
which McNemar's test alone lets nothing through are not judged: p is the larger of two, so that nothing could be kept there.

Runs: 1,000 or 2,000 train rows, 500 or 2,000 dev rows, whose labels are as dirty as those of train, or clean. Editors of the
package, three that change rows and two that make rows, beside edits of as many random rows and beside the same editors on predictions
permuted within class, through proposals, screen and try_all; each kept edit is tried again on 200,000 fresh rows of the same law.

Cures: 1,000 or 3,000 train rows; edits that aim at a slice and are kept by its dev rows, checked on its fresh rows, for a slice about
which there is something the matter and for one of random rows.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import scipy

from benchmarks.quality._aimed_runs import aimed_runs
from benchmarks.quality._lives import ALPHA, FINALISTS, PROPOSERS, ROUNDS, Life
from benchmarks.quality._worlds import (
    LAWS,
    Law,
    Noise,
    RandomEdit,
    World,
    clopper_pearson,
    share_text,
    world_of,
)
from tilth.core.names import Split
from tilth.core.trial import Trial, Verdict
from tilth.loop.candidates import Candidate, finalists, proposals, screen
from tilth.loop.quarantine import Quarantine
from tilth.loop.trying import Tried, try_all

FRESH = 200_000

# -- ledgers -----------------------------------------------------------------------------------------------------------


def ledgers(per_cell: int, seed: int) -> None:
    """Print how many ledgers kept anything."""
    print(
        f"\n## False keeps per ledger ({ROUNDS} rounds of {FINALISTS} finalists, alpha {ALPHA:g}, seeds from {100_000 * seed:,})\n"
    )
    print("| proposer | dev rows | ledgers with a false keep, 95 % interval | lower bound ≤ 5 % | its round, median |")
    print("|---|---|---|---|---|")
    for proposer, words in PROPOSERS.items():
        all_sizes: list[int | None] = []
        for n_dev in (400, 2000, 8000):
            bench = world_of(LAWS["linear"], n_train=10, n_dev=n_dev, seed=seed).bench
            judged = bench.judged(Split.DEV)
            n_lives = max(5, per_cell // (5 if proposer.startswith("mixed") else 1))
            lives = (Life(bench, judged, proposer, 100_000 * seed + i) for i in range(n_lives))
            firsts = [life.first_false_keep() for life in lives]
            print(_ledger_line(words, f"{n_dev:,}", firsts), flush=True)
            all_sizes += firsts
        print(_ledger_line(f"**{words}**", "all", all_sizes), flush=True)


def _ledger_line(words: str, rows: str, firsts: list[int | None]) -> str:
    kept = [first for first in firsts if first is not None]
    low = clopper_pearson(len(kept), len(firsts))[0]
    median = f"{np.median(kept):.0f}" if kept else "–"
    return f"| {words} | {rows} | {share_text(len(kept), len(firsts))} | {'yes' if low <= 0.05 else 'NO'} | {median} |"


# -- whole runs --------------------------------------------------------------------------------------------------------

NOISES: tuple[tuple[Noise, float], ...] = (
    ("uniform", 0.0),
    *((noise, rate) for noise in ("uniform", "class", "region") for rate in (0.1, 0.3)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """A kept edit with its gain on fresh rows: on top of the edits kept before it, alone, and by given labels."""

    law: Law
    seed: int
    maker: str
    trial: Trial
    gain: float
    error: float
    alone: float
    on_labels: float


def run_once(law: Law, seed: int) -> tuple[int, list[Keep]]:
    """Run on one world; return how many edits were tried, and those that were kept."""
    n_train, n_dev, clean = (1000, 2000)[seed % 2], (500, 2000)[seed // 2 % 2], bool(seed // 4 % 2)
    world = world_of(law, n_train=n_train, n_dev=n_dev, seed=seed, clean_dev=clean)
    quarantine = Quarantine()
    found = proposals(world.evidence(), quarantine, verbs=None, known=frozenset())
    screened = screen(world.bench, found, quarantine, lambda *_: None)
    own = finalists([one for one in screened if one.edit.add is None], FINALISTS)[:3]
    made = finalists([one for one in screened if one.edit.add is not None], FINALISTS)[:2]
    makers = {one.edit.edit_id: "editor" for one in own} | {one.edit.edit_id: "made rows" for one in made}
    own += made
    for maker, one in _nulls(world, own, quarantine, seed):
        if makers.setdefault(one.edit.edit_id, maker) == maker:
            own.append(one)
    tried = try_all(world.arena(), own, lambda *_: None, quarantine)
    assert not quarantine.failures, quarantine.failures
    return len(tried), list(_keeps(world, makers, tried))


def _nulls(world: World, own: list[Candidate], quarantine: Quarantine, seed: int) -> Iterator[tuple[str, Candidate]]:
    """Yield random drops and flips of as many rows as the first two editors touch, and an editor on predictions permuted in class."""
    n_rows = [one.edit.n_rows for one in own] or [len(world.train) // 20]
    for drops, n in ((True, n_rows[0]), (False, n_rows[-1])):
        editor = RandomEdit(drops=drops, rows=min(n, len(world.train) // 3), seed=seed)
        view = world.evidence().view(editor)
        yield "random", Candidate(edit=editor.propose(view), editor=editor, view=view)
    rng = np.random.default_rng([53, seed])
    labels, rows = world.bench.labels(world.bench.train)[0], np.arange(len(world.train))
    for c in range(world.law.k):
        rows[labels == c] = rng.permutation(rows[labels == c])
    permuted = world.evidence(world.pred_probs[rows])
    found = proposals(permuted, quarantine, verbs=None, known=frozenset())
    for one in finalists(screen(world.bench, found, quarantine, lambda *_: None), FINALISTS)[:1]:
        yield "permuted", one


def _keeps(world: World, makers: dict[str, str], tried: list[Tried]) -> Iterator[Keep]:
    kept = [one for one in tried if one.trial.verdict is Verdict.KEPT]
    if not kept:
        return
    rng = np.random.default_rng([59, world.seed])
    x, truth = world.law.rows(FRESH, rng)
    given = world.law.given(x, truth, rng)
    before = world.decisions(world.bench.baseline, x)
    for one, (below, after) in zip(kept, world.stacked([other.edit for other in kept], x), strict=True):
        alone = world.decisions(world.bench.fit_edited(one.edit), x)
        change = (after == truth).astype(float) - (below == truth)
        yield Keep(
            law=world.law,
            seed=world.seed,
            maker=makers[one.edit.edit_id],
            trial=one.trial,
            gain=float(change.mean()),
            error=float(change.std() / np.sqrt(FRESH)),
            alone=float((alone == truth).mean() - (before == truth).mean()),
            on_labels=float((after == given).mean() - (below == given).mean()),
        )


def runs(per_cell: int, seed: int) -> None:
    """Print how many runs kept an edit that does not help on fresh rows, and list these edits."""
    print(
        f"\n## Whole runs (linear learner, first run of a dev split, seeds from {10_000 * seed:,}, {per_cell} per cell)\n"
    )
    print(
        "| law | label noise | runs | edits tried | kept: by editors, made rows, random, permuted | runs with a false keep, 95 % interval |"
    )
    print("|---|---|---|---|---|---|")
    done: list[tuple[Law, int, list[Keep]]] = []
    for law in LAWS.values():
        for noise in NOISES:
            cell = replace(law, noise=noise[0], rate=noise[1])
            first = 10_000 * seed + 1_000 * list(LAWS).index(law.name) + 100 * NOISES.index(noise)
            here = [(cell, *run_once(cell, first + i)) for i in range(per_cell)]
            print(_runs_line(law.name, f"{noise[0]} {noise[1]:.0%}", here), flush=True)
            done += here
    print(_runs_line("**all**", "", done))
    for rate in sorted({law.rate for law, *_ in done}):
        print(_runs_line("all", f"{rate:.0%}", [one for one in done if one[0].rate == rate]))
    _list([keep for *_, keeps in done for keep in keeps])


def _runs_line(law: str, noise: str, done: list[tuple[Law, int, list[Keep]]]) -> str:
    makers = Counter(keep.maker for *_, keeps in done for keep in keeps)
    false = sum(any(keep.gain <= 0 for keep in keeps) for *_, keeps in done)
    kept = ", ".join(str(makers[name]) for name in ("editor", "made rows", "random", "permuted"))
    tried = sum(n for _, n, _ in done)
    return f"| {law} | {noise} | {len(done)} | {tried} | {kept} | {share_text(false, len(done))} |"


def _list(keeps: list[Keep]) -> None:
    false = [keep for keep in keeps if keep.gain <= 0]
    print(f"\n{len(keeps)} kept; {len(false)} of them false on the truth of {FRESH:,} fresh rows, ", end="")
    print(
        f"{sum(keep.on_labels <= 0 for keep in keeps)} on their given labels, {sum(keep.alone <= 0 for keep in keeps)} alone.\n"
    )
    print("| false keep | law, noise | seed | dev gain, interval | p | true gain ± s.e. | alone | on given labels |")
    print("|---|---|---|---|---|---|---|---|")
    for keep in false:
        trial, law = keep.trial, keep.law
        dirt = f"{law.noise} {law.rate:.0%}{', dev clean' if keep.seed // 4 % 2 else ''}"
        place = f"{law.name}, {dirt} | {keep.seed}"
        dev = f"{trial.gain.value:+.4f} [{trial.gain.low:+.4f}, {trial.gain.high:+.4f}] | {trial.p_value:.2g}"
        true = f"{keep.gain:+.4f} ± {keep.error:.4f} | {keep.alone:+.4f} | {keep.on_labels:+.4f}"
        print(f"| {keep.maker}: {trial.operator} | {place} | {dev} | {true} |")


def main(arguments: list[str]) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks honesty", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the ledgers and runs")
    parser.add_argument("--only", choices=("ledgers", "runs", "cures"))
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    started = time.process_time()
    print(f"Versions: numpy {np.__version__}, scipy {scipy.__version__}")
    if chosen.only in (None, "ledgers"):
        ledgers(15 if chosen.quick else 170, chosen.seed)
        print(f"\nCPU seconds: {time.process_time() - started:.0f}", flush=True)
    if chosen.only in (None, "runs"):
        runs(1 if chosen.quick else 16, chosen.seed)
        print(f"\nCPU seconds: {time.process_time() - started:.0f}", flush=True)
    if chosen.only in (None, "cures"):
        aimed_runs(1 if chosen.quick else 20, chosen.seed)
        print(f"\nCPU seconds: {time.process_time() - started:.0f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
