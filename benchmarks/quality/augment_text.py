"""Texts with 10 and 50 rows per class: varied texts and made rows, for a frozen linear model and a network from scratch.

Train rows are drawn anew for each seed, as many per class; dev has as many, test has the others, at most 2,000. The policy draws one of the
usual changes of text for each row: in every pass of the network, as two made copies for the linear model. "recombined" adds texts that
`recombine_text` makes within a class, "duplicates" as many of the same parents again, "steepest" texts of the class whose learning curve is
steepest, "adversarial" the hardest variations of texts near the boundary. Scores are accuracy on test; differences are paired,
intervals are 95 % t intervals over seeds. The data lies beside the repository, in ../shared/data.

    python -m benchmarks augment_text [--seeds N] [SET ...]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.quality._policies import Stand, gain_text, stand_of
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.names import Split
from tilth.engine.threads import one_thread
from tilth.loop.bench import Bench
from tilth.loop.placebo import placebo, strata_of
from tilth.operators.policies import usual_policy
from tilth.operators.registry import make

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SETS: Mapping[str, tuple[str, str, str]] = {
    "youtube_spam": ("youtube_spam/youtube_spam.parquet", "CONTENT", "CLASS"),
    "sms_spam": ("sms_spam/sms_spam.parquet", "text", "label"),
    "banking77": ("banking77/train.parquet", "text", "category"),
}
SEEDS, MOST_TEST = 5, 2_000
PER_CLASS = (10, 50)
LEARNERS = {"frozen": "linear", "from scratch": "text_net"}
MAKERS = {"recombined": "recombine_text", "steepest": "synthesize_steepest", "adversarial": "adversarial_rows"}
ARMS = ("varied", "recombined", "duplicates", "steepest", "adversarial")


def main(arguments: list[str]) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="augment_text")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("sets", nargs="*")
    options = parser.parse_args(arguments)
    print(f"| set | rows per class | learner | nothing, % | {' | '.join(ARMS)} |")
    print("|---" * (4 + len(ARMS)) + "|")
    for name in options.sets or SETS:
        path, text, label = SETS[name]
        if not (DATA / path).is_file():
            print(f"| {name} is not there {'|  ' * (3 + len(ARMS))}|")
            continue
        rows = pq.read_table(DATA / path, columns=[text, label]).rename_columns(["text", "label"])
        for per_class in PER_CLASS:
            for said, learner in LEARNERS.items():
                found = [_of_seed(rows, per_class, learner, seed) for seed in range(options.seeds)]
                _print(f"| {name} | {per_class} | {said}", found)
    print(f"\n{options.seeds} seeds.")
    return 0


def _of_seed(rows: pa.Table, per_class: int, learner: str, seed: int) -> dict[str, float]:
    labels = np.array([str(value) for value in rows["label"].to_pylist()])
    rng = np.random.default_rng(seed)
    splits = np.full(len(labels), "", dtype=object)
    for one in np.unique(labels):
        mine = rng.permutation(np.flatnonzero(labels == one))
        splits[mine[:per_class]] = "train"
        splits[mine[per_class : 2 * per_class]] = "dev"
    rest = rng.permutation(np.flatnonzero(splits == ""))
    splits[rest[:MOST_TEST]] = "test"
    keep = np.flatnonzero(splits != "")
    table = pa.table(
        {
            "row": [f"t{i}" for i in keep],
            "text": rows["text"].take(pa.array(keep)).combine_chunks().cast(pa.string()),
            "split": splits[keep].astype(str),
            "label": pa.array([f"c{value}" for value in labels[keep]]),
        }
    )
    with tempfile.TemporaryDirectory() as name, one_thread():
        stand = stand_of(Path(name), table, "label", learner, seed, "\naugment: {transforms: []}\n")
        policy = usual_policy(stand.workshop.variations(stand.version).facts, "trivial")
        return {"nothing": stand.score(), "varied": stand.score(policy), **_made(stand)}


def _made(stand: Stand) -> dict[str, float]:
    """Return the scores with rows that editors make, and with duplicates of what was recombined; without those that refuse."""
    found: dict[str, float] = {}
    labels, _ = stand.bench.labels(stand.bench.train)
    strata = strata_of(labels, is_regression=False)
    for said, name in MAKERS.items():
        editor = make("editing", name)
        view = stand.workshop.evidence(stand.version).view(editor)
        try:
            edit = editor.propose(view)
        except NotApplicable:
            continue
        found[said] = _score(stand.bench, edit)
        if said == "recombined":
            draw = np.random.default_rng(0)
            twins = placebo(edit, editor, view, strata[: len(view)], draw, train=stand.bench.train)
            found["duplicates"] = _score(stand.bench, twins)
    return found


def _score(bench: Bench, edit: Edit) -> float:
    judged = bench.judged(Split.TEST)
    return float(bench.scores(bench.predict(bench.fit_edited(edit), judged.positions), judged).mean())


def _print(head: str, found: list[dict[str, float]]) -> None:
    nothing = np.array([line["nothing"] for line in found])
    cells = [f"{100 * nothing.mean():.1f}"]
    for said in ARMS:
        there = [(line[said], line["nothing"]) for line in found if said in line]
        gain = gain_text(np.array([a - b for a, b in there])) if there else ""
        refused = len(found) - len(there)
        cells.append(f"{gain}{f' (refused {refused}×)' if refused and there else 'refused' if refused else ''}")
    print(f"{head} | {' | '.join(cells)} |")
