"""Stress tests on real data: flips under typos, case and missing words, counterfactual pairs, images by severity, tables with noise.

Each set is read as a project reads it: types by the sources, default encoders, learner chosen by cross-validation on train rows; then
what `tilth stress` does on dev rows, at most 2,000 (500 images). Severities and shares of the transforms were fixed before; one look at
adult made jitter leave a value alone that more than half of a column's cells have. A slice is named where it is surely worse than all
rows, over all slices together. Intervals are 95 %: Wilson for shares, Student for changes of the score. Labels are taken as they are.

banking77 and imdb_counterfactual judge on their official test files, adult on 3,000 rows drawn at random. The two rows of an imdb pair are
called first and second in the order of the file, whose README does not say which of them is the original; the model is once trained
on the first rows alone and once on both. cifar10 has 1,500 train and 500 dev images of 32 pixels, with clean labels.

    python -m benchmarks stress [SET ...] [--seed N]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import tilth
from tilth import __version__
from tilth.core.estimate import Estimate
from tilth.core.progress import silent
from tilth.core.stress_summary import StressSummary
from tilth.engine.threads import one_thread
from tilth.loop._stress_lines import SEVERITIES, PairsChoice, StressChoice
from tilth.loop.project import Project
from tilth.loop.reading import read_source
from tilth.loop.stressing import stress_project
from tilth.loop.workshop import Workshop
from tilth.reporting.figures import Scale

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
PART = "part_of_benchmark"
SHARE = Scale("accuracy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """Rows with their splits, what is learnt, and what is tried."""

    file: str
    read: Callable[[], pa.Table]
    label: str
    tests: tuple[StressChoice | PairsChoice, ...] = ()
    group: str | None = None
    guards: tuple[str, ...] = ()


def _tests(*names: str, severities: tuple[int, ...] = (2,)) -> tuple[StressChoice, ...]:
    return tuple(StressChoice(transform=name, severities=severities) for name in names)


def _with_parts(table: pa.Table, dev: int, seed: int = 0, most: int | None = None) -> pa.Table:
    """Return rows drawn at random, `dev` of them to judge, 50 for the test split, which nothing reads, the others to learn."""
    order = np.random.default_rng(seed).permutation(table.num_rows)[:most]
    parts = np.full(len(order), "train", dtype=object)
    parts[:dev], parts[dev : dev + 50] = "dev", "test"
    return table.take(pa.array(order)).append_column(PART, pa.array(parts.tolist()))


def _files(train: str, dev: str) -> pa.Table:
    """Return rows of official files; the last 50 to judge are the test split, which nothing reads."""
    parts = []
    for name, split in ((train, "train"), (dev, "dev")):
        table = pq.read_table(DATA / name)
        words = [split] * table.num_rows if split == "train" else [split] * (table.num_rows - 50) + ["test"] * 50
        parts.append(table.append_column(PART, pa.array(words)))
    return pa.concat_tables(parts)


def _imdb(*, both: bool) -> pa.Table:
    table = _files("imdb_counterfactual/train_paired.parquet", "imdb_counterfactual/test_paired.parquet")
    seen: set[tuple[str, str]] = set()
    kept = []
    for part, pair in zip(table.column(PART).to_pylist(), map(str, table.column("batch_id").to_pylist()), strict=True):
        kept.append(both or part != "train" or (part, pair) not in seen)
        seen.add((part, pair))
    pairs = pa.array([str(pair) for pair in table.column("batch_id").to_pylist()])
    table = table.set_column(table.column_names.index("batch_id"), "pair", pairs)
    return table.filter(pa.array(kept))


TEXT = ("typo", "case_change", "word_dropout", "word_swap", "synonym", "entity_swap", "number_jitter")
IMAGE = ("blur", "gaussian_noise", "brightness", "contrast", "jpeg_quality", "rotate", "crop", "cutout")
SETS = {
    "sms_spam": Set(
        file="sms_spam/sms_spam.parquet",
        read=lambda: _with_parts(pq.read_table(DATA / "sms_spam/sms_spam.parquet"), 1_500),
        label="label",
        tests=(*_tests(*TEXT[1:]), *_tests("typo", severities=SEVERITIES)),
    ),
    "banking77": Set(
        file="banking77/test.parquet",
        read=lambda: _files("banking77/train.parquet", "banking77/test.parquet"),
        label="category",
        tests=(*_tests("case_change", "word_dropout", "word_swap", "synonym"), *_tests("typo", severities=SEVERITIES)),
    ),
    "imdb, trained on first rows": Set(
        file="imdb_counterfactual/test_paired.parquet",
        read=lambda: _imdb(both=False),
        label="Sentiment",
        tests=(
            *_tests("typo", "word_dropout"),
            StressChoice(transform="negation", expect="flips"),
            PairsChoice(pairs="pair"),
        ),
        group="pair",
    ),
    "imdb, trained on both": Set(
        file="imdb_counterfactual/test_paired.parquet",
        read=lambda: _imdb(both=True),
        label="Sentiment",
        tests=(
            *_tests("typo", "word_dropout"),
            StressChoice(transform="negation", expect="flips"),
            PairsChoice(pairs="pair"),
        ),
        group="pair",
    ),
    "cifar10": Set(
        file="cifar10/train_20k.parquet",
        read=lambda: _with_parts(
            pq.read_table(DATA / "cifar10/train_20k.parquet", columns=["jpg", "label"]), 500, most=2_050
        ),
        label="label",
        tests=_tests(*IMAGE, severities=SEVERITIES),
    ),
    "adult": Set(
        file="adult/adult.parquet",
        read=lambda: _with_parts(pq.read_table(DATA / "adult/adult.parquet").drop(["split"]), 3_000, most=12_000),
        label="income",
        tests=_tests("jitter", "category_swap", "missingness", severities=SEVERITIES),
        guards=("sex", "race"),
    ),
}


def main(arguments: list[str]) -> int:
    """Try the named sets, or all of them."""
    parser = argparse.ArgumentParser(prog="benchmarks stress")
    parser.add_argument("sets", nargs="*", metavar="SET")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    print(f"tilth {__version__}, NumPy {np.__version__}, seed {options.seed}\n")
    found = []
    for name, one in SETS.items():
        if any(word in name for word in options.sets or [""]):
            if not (DATA / one.file).exists():
                print(f"{name} left out: no {one.file} in {DATA}\n")
                continue
            begun = time.process_time()
            found.append((name, _summary(one, options.seed), time.process_time() - begun))
    for lines in (_tests_table(found), _curves_table(found), _pairs_table(found)):
        print("\n".join(lines), end="\n\n")
    return 0


def _summary(one: Set, seed: int) -> StressSummary:
    with tempfile.TemporaryDirectory() as folder:
        tilth.init(one.read(), label=one.label, split=PART, group=one.group, folder=folder)
        project: Project = tilth.open(folder)
        file = replace(project.file, stress=one.tests, guards=one.guards)
        repository = project.repository(make=True)
        with repository.lease, one_thread():
            version, _ = read_source(repository, file, project.folder, silent, cut=True)
            workshop = Workshop(file, repository, seed=seed)
            return stress_project(workshop, version, project.folder, progress=silent)


Found = list[tuple[str, StressSummary, float]]


def _tests_table(found: Found) -> Iterator[str]:
    yield "| set | dev rows, score as they are | test | rows changed | did not do as expected | score | worst slice | CPU s of the set |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, summary, seconds in found:
        scale = Scale(summary.metric)
        curved = {one.name for one in summary.corruptions}
        cost = f"{seconds:.0f}"
        head = f"{name} | {summary.rows:,}, {scale.score(summary.clean)}"
        for line in summary.lines:
            if line.failing is None or (line.name in curved and line.severity != 2):
                continue
            change = "" if line.change is None else scale.gain(line.change)
            title = f"{line.name} {line.severity or ''}".strip() + (
                "" if line.expect == "same" else f", expect {line.expect}"
            )
            worst = line.worst
            is_worse = worst is not None and worst.failing.low > line.failing.value
            slices = f"{worst.name}: {SHARE.score(worst.failing)}" if worst is not None and is_worse else ""
            yield f"| {head} | {title} | {line.rows:,} | {SHARE.score(line.failing)} | {change} | {slices} | {cost} |"
            head, cost = " | ", ""


def _curves_table(found: Found) -> Iterator[str]:
    yield "| set | transform | score at 1 | 2 | 3 | 4 | 5 | mean fall in points |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, summary, _ in found:
        scale = Scale(summary.metric)
        for one in summary.corruptions:
            cells = " | ".join(scale.slice_score(score.value) for score in one.scores)
            yield f"| {name} | {one.name} | {cells} | {_fall(one.drop)} |"
        if summary.mean_drop is not None and len(summary.corruptions) > 1:
            yield f"| {name} | all | | | | | | {_fall(summary.mean_drop)} |"


def _fall(drop: Estimate) -> str:
    return f"{100 * drop.value:.1f} [{100 * drop.low:.1f}, {100 * drop.high:.1f}]"


def _pairs_table(found: Found) -> Iterator[str]:
    yield "| set | pairs | accuracy on first rows | on second rows | both right | predictions differ where labels do |"
    yield "|---|---|---|---|---|---|"
    for name, summary, _ in found:
        for pair in summary.pairs:
            shares = (pair.first, pair.second, pair.both_right, pair.consistent)
            yield (
                f"| {name} | {pair.pairs:,} | "
                + " | ".join("—" if one is None else SHARE.score(one) for one in shares)
                + " |"
            )
