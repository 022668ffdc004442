"""The part of `_near_work` about vectors: tilth and Datalab on a table with an embedding column."""

from __future__ import annotations

import resource
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow.parquet as pq

Figures = dict[str, Any]
CHECKS = ("outlier", "near_duplicate", "leakage", "label_error", "ambiguous")


def make_vectors(path: str, facts: str, rows: str) -> Figures:
    """Write the table as a user holds it, once more with splits, and beside it what is planted."""
    from benchmarks.speed._near_data import planted_vectors, vector_table

    vectors, known = planted_vectors(int(rows))
    rng = np.random.default_rng([1, len(vectors)])
    split = np.array(["train", "dev", "test"])[rng.choice(3, len(vectors), p=[0.7, 0.15, 0.15])]
    table = vector_table(vectors, known["label"], split)
    pq.write_table(table.drop_columns(["split"]), path, use_dictionary=["label"])
    pq.write_table(table, with_splits(path), use_dictionary=["label", "split"])
    np.savez(facts, split=split, **known)
    return {"rows": len(vectors)}


def with_splits(path: str) -> str:
    """Return the name of the file whose table names splits."""
    return path.replace(".parquet", "_splits.parquet")


def read_vectors(path: str) -> Figures:
    """Read the table, and nothing else."""
    pq.ParquetFile(path).read()
    return {}


def find(path: str, facts: str, splits: str) -> Figures:
    """Run `tilth.find` on the file; with `splits` 1 the table names splits, so that leakage is looked for."""
    from benchmarks.speed._cost_work import Clock

    clock = Clock()
    import tilth

    options: dict[str, Any] = {"split": "split"} if splits == "1" else {}
    source = with_splits(path) if options else path
    findings = tilth.find(source, label="label", embedding=["vector"], progress=clock, **options)
    clock.stop()
    known = dict(np.load(facts))
    flagged = {}
    for finding in findings:
        if finding.kind in CHECKS and len(finding.ids):
            flagged[finding.kind] = finding.evidence["position"][finding.flagged].tolist()
    return {"steps": clock.figures(), "checks": scores(flagged, known, splits == "1")}


def datalab(path: str, facts: str, limit: str, which: str) -> Figures:
    """Run Datalab on the vectors, under a limit of CPU seconds; `which` narrows its checks."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(limit), int(limit) + 5))
    from cleanlab import Datalab

    table = pq.ParquetFile(path).read(columns=["vector", "label"])
    column = table.column("vector").combine_chunks()
    vectors = np.asarray(column.flatten()).reshape(len(column), -1)
    lab = Datalab(data={"label": table.column("label").to_pylist()}, label_name="label", verbosity=0)
    narrowed: dict[str, Any] = {"outlier": {}, "near_duplicate": {}, "label": {}}
    lab.find_issues(features=vectors, issue_types=narrowed if which == "three" else None)
    issues = lab.get_issues()
    names = {"outlier": "outlier", "near_duplicate": "near_duplicate", "label_error": "label"}
    flagged = {
        ours: np.flatnonzero(issues[f"is_{theirs}_issue"]).tolist()
        for ours, theirs in names.items()
        if f"is_{theirs}_issue" in issues
    }
    return {"checks": scores(flagged, dict(np.load(facts)), False)}


def scores(flagged: dict[str, list[int]], known: dict[str, np.ndarray], split: bool) -> Figures:
    """Return for each check [flagged, flagged rightly, planted]; with splits, of train rows only.

    Of a near copy and its original either may be flagged, or both: they count once. A leak is a train row whose partner is in
    dev or test. Of ambiguous rows there is no truth.
    """
    train = known["split"] == "train" if split else np.ones(len(known["label"]), dtype=bool)
    copy = np.flatnonzero(known["copy"])
    partner = np.full(len(train), -1)
    partner[copy], partner[known["of"][copy]] = known["of"][copy], copy
    both = (partner >= 0) & train & train[partner]
    truths = {
        "outlier": known["outlier"] & train,
        "near_duplicate": both,
        "leakage": (partner >= 0) & train & ~train[partner],
        "label_error": known["flipped"] & train,
    }
    found: Figures = {}
    for kind, rows in flagged.items():
        truth = truths.get(kind)
        if truth is None:
            found[kind] = [len(rows), None, None]
            continue
        right = np.array([row for row in rows if truth[row]], dtype=np.intp)
        groups = np.minimum(right, partner[right]) if kind == "near_duplicate" else right
        planted = int(truth.sum()) // 2 if kind == "near_duplicate" else int(truth.sum())
        found[kind] = [len(rows), len(np.unique(groups)), planted, len(right)]
    return found


PIECES: dict[str, Callable[..., Figures]] = {
    piece.__name__: piece for piece in (make_vectors, read_vectors, find, datalab)
}
