"""Policies on cifar10 with few to many rows: a network from scratch and a linear model on frozen features; do short trainings foretell it.

Train rows are drawn anew for each seed from 20,000 with clean labels, half as many dev rows, 4,000 test rows. "frozen" is the commodity
learner on tilth's default encoder, with two made copies of each row. The default policy draws one of the usual changes and a mirror; the
searched one comes from `tilth augment search` with 8 arms. Scores are accuracy on test, differences are paired, intervals are 95 % t
intervals over seeds. The rank correlation is between the gains of a training of half the length and of a whole one, over policies and
seeds of one size. The data lies beside the repository, in ../shared/data.

    python -m benchmarks augment_cifar [--seeds N] [--sizes 500,2000,10000]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.stats import spearmanr

from benchmarks.quality._policies import Stand, gain_text, stand_of
from tilth.core.policy import Change, Policy
from tilth.engine.threads import one_thread
from tilth.loop.searching_policies import searched_policy
from tilth.operators.policies import usual_policy

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SEEDS, SIZES, TEST, ARMS = 3, "500,2000", 4_000, 8
SHORT = 0.5


def main(arguments: list[str]) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="augment_cifar")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--sizes", default=SIZES)
    options = parser.parse_args(arguments)
    source = DATA / "cifar10" / "train_20k.parquet"
    if not source.is_file():
        print("cifar10 is not there: nothing is measured")
        return 0
    rows = pq.read_table(source, columns=["label", "jpg"])
    for size in (int(text) for text in options.sizes.split(",")):
        print(f"\n**{size:,} train rows**, {options.seeds} seeds\n")
        _print([_of_seed(rows, size, seed) for seed in range(options.seeds)])
    return 0


def _of_seed(rows: pa.Table, size: int, seed: int) -> dict[str, dict[str, float]]:
    """Return by learner and policy the score on test; `short` are trainings of half the length."""
    n_dev = max(200, size // 2)
    order = np.random.default_rng(seed).permutation(rows.num_rows)[: size + n_dev + TEST]
    splits = np.repeat(["train", "dev", "test"], [size, n_dev, TEST])
    picked = rows.take(pa.array(order))
    table = pa.table(
        {
            "row": [f"c{i}" for i in order],
            "image": picked["jpg"].combine_chunks(),
            "split": splits,
            "thing": pa.array([f"c{value}" for value in picked["label"].to_pylist()]),
        }
    )
    with tempfile.TemporaryDirectory() as name, one_thread():
        scratch = stand_of(Path(name), table, "thing", "convnet", seed)
        policies = _policies(scratch, seed)
        short = replace(scratch.bench, learner=scratch.bench.learner.proxy(SHORT), _memo={})  # type: ignore[attr-defined]
        frozen = scratch.bench.cheap
        return {
            "from scratch": {said: scratch.score(policy) for said, policy in policies.items()},
            "short": {said: scratch.score(policy, short) for said, policy in policies.items()},
            "frozen": {
                said: scratch.score(policy, frozen)
                for said, policy in policies.items()
                if said not in ("mixup", "searched")
            },
        }


def _policies(stand: Stand, seed: int) -> Mapping[str, Policy | None]:
    variations = stand.workshop.variations(stand.version)
    facts = dict(variations.facts)
    changes = [Change("flip"), *(Change(name, one.severities) for name, one in sorted(facts.items()))]
    return {
        "nothing": None,
        "default": Policy.trivial(changes),
        "two at a time": Policy.rand(changes, 2, 2),
        "mixup": usual_policy(facts, "trivial", "mixup"),
        "searched": searched_policy(stand.bench, variations, seed=seed, arms=ARMS).policy,
    }


def _print(lines: list[dict[str, dict[str, float]]]) -> None:
    print("| policy | from scratch, % | over nothing [95 %] | frozen, % | over nothing [95 %] |")
    print("|---|---|---|---|---|")
    for said in lines[0]["from scratch"]:
        cells = [said]
        for learner in ("from scratch", "frozen"):
            if said not in lines[0][learner]:
                cells += ["", ""]
                continue
            scores = np.array([line[learner][said] for line in lines])
            nothing = np.array([line[learner]["nothing"] for line in lines])
            cells += [f"{100 * scores.mean():.1f}", "" if said == "nothing" else gain_text(scores - nothing)]
        print(f"| {' | '.join(cells)} |")
    gains = [
        [line[which][said] - line[which]["nothing"] for line in lines for said in line[which] if said != "nothing"]
        for which in ("short", "from scratch")
    ]
    found = spearmanr(*gains)
    print(f"\nrank correlation of short and whole trainings, {len(gains[0])} gains: {found.statistic:.2f}")
