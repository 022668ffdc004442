"""Votes with a known truth: nine shared sets of rules and of people, and planted matrices.

The shared sets lie beside the repository, in ../shared/data/weak and ../shared/data/crowd_labels; a set that is not there
raises `AbsentError`. Planted labelers vote independently given the truth unless a world says otherwise.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.quality._data import DATA, AbsentError
from tilth.core.arrays import IntVector, Mask, Matrix, Vector
from tilth.core.votes import Votes


@dataclass(frozen=True, kw_only=True, eq=False)
class Told:
    """Votes and the truth of some rows; `positive` is the class that F1 is of, where one is the point of the set."""

    name: str
    votes: Votes
    truth: IntVector
    judged: Mask
    positive: int | None = None


def real(name: str) -> Told:
    """Return one of the shared sets."""
    return REAL[name](name)


def _wrench(name: str) -> Told:
    """Train and test rows of a WRENCH set, votes -1 = abstain; valid rows may stand in train too, and are left out."""
    parts = [json.loads(_at(f"weak/wrench/{name}/{split}.json").read_text()) for split in ("train", "test")]
    rows = [row for part in parts for row in part.values()]
    return _told(
        name,
        np.array([row["weak_labels"] for row in rows]),
        np.array([row["label"] for row in rows]),
        positive=1,
    )


def _regdp(name: str) -> Told:
    """All three parts; -1 and +1 are votes, 0 abstains."""
    stem = {"tubespam": "TubeSpam"}.get(name, name)
    cells: list[list[int]] = []
    for split in ("train", "val", "test"):
        with _at(f"weak/regdp/{name}/{stem}_lf_matrix_{split}.csv").open(newline="") as file:
            header, *rows = csv.reader(file)
        keep = [i for i, column in enumerate(header) if column != "Snorkel"]
        cells += [[int(float(row[i])) for i in keep] for row in rows]
    signs = np.array(cells)
    return _told(name, _classes_of(signs[:, :-1]), (signs[:, -1] > 0).astype(int), positive=1)


def _tennis(name: str) -> Told:
    """Train rows without gold and dev rows with it."""
    parts = [np.load(_at(f"weak/flyingsquid_tennis/L_{split}_video.npy")) for split in ("train", "dev")]
    gold = np.load(_at("weak/flyingsquid_tennis/Y_dev_video.npy")) > 0
    truth = np.concatenate([np.zeros(len(parts[0]), dtype=int), gold.astype(int)])
    judged = np.arange(len(truth)) >= len(parts[0])
    return replace(_told(name, _classes_of(np.concatenate(parts)), truth), judged=judged)


def _crowd(name: str) -> Told:
    """Answers of people, one row per question."""
    answers = pq.read_table(_at(f"crowd_labels/{name}_answers.parquet")).to_pydict()
    golden = pq.read_table(_at(f"crowd_labels/{name}_truth.parquet")).to_pydict()
    truths = dict(zip(golden["question"], golden["truth"], strict=True))
    questions, rows = np.unique(answers["question"], return_inverse=True)
    workers, sources = np.unique(answers["worker"], return_inverse=True)
    classes = sorted(set(answers["answer"]) | set(truths.values()))
    said = np.array([classes.index(answer) for answer in answers["answer"]])
    order = np.lexsort((sources, rows))
    votes = Votes(
        row_ids=pa.array(questions.tolist()),
        labelers=tuple(workers.tolist()),
        classes=tuple(classes),
        rows=rows[order],
        sources=sources[order],
        said=said[order],
    )
    truth = np.array([classes.index(truths.get(q, classes[0])) for q in questions.tolist()])
    judged = np.array([q in truths for q in questions.tolist()])
    return Told(name=name, votes=votes, truth=truth, judged=judged)


def _classes_of(signs: np.ndarray) -> np.ndarray:
    """Signs with 0 = abstain as class numbers with -1 = abstain."""
    return np.where(signs == 0, -1, (signs > 0).astype(int))


def _at(path: str) -> Path:
    if not (DATA / path).exists():
        raise AbsentError(f"{path} is not among the shared data: left out")
    return DATA / path


def _told(name: str, matrix: np.ndarray, truth: np.ndarray, positive: int | None = None) -> Told:
    k = int(max(matrix.max(), truth.max())) + 1
    votes = Votes.of_matrix(matrix, classes=tuple(str(c) for c in range(k)))
    return Told(
        name=name, votes=votes, truth=truth.astype(np.intp), judged=np.ones(len(truth), bool), positive=positive
    )


REAL: Mapping[str, Callable[[str], Told]] = {
    "youtube": _wrench,
    "sms": _wrench,
    "spouse": _regdp,
    "tubespam": _regdp,
    "rna": _regdp,
    "tennis": _tennis,
    "duck": _crowd,
    "dog4": _crowd,
    "product_em": _crowd,
}
"""Name -> how it is read."""


def planted(
    n: int,
    *,
    k: int = 2,
    m: int = 20,
    seed: int = 0,
    prior: Vector | None = None,
    coverage: float = 0.3,
    copies: int = 0,
    one_sided: bool = False,
) -> tuple[Told, Matrix]:
    """Return planted votes and the posterior under the true parameters.

    Accuracies run from 0.55 to 0.90 (k = 2) or are those above chance alike; errors are spread evenly.
    `copies` further labelers repeat the weakest labeler's votes, which the posterior knows. `one_sided` labelers say one
    class each, in turn, on rows that hold it more often than others by their accuracy's odds.
    """
    rng = np.random.default_rng([seed, n, k, m])
    if prior is None:
        skewed = np.array([0.6, 0.4]) if k == 2 else np.linspace(2.0, 1.0, k)
        prior = skewed / skewed.sum()
    truth = rng.choice(k, size=n, p=prior)
    right = np.linspace(0.55, 0.90, m)
    matrix = np.full((n, m), -1)
    logs = np.tile(np.log(prior), (n, 1))
    for i, a in enumerate(right):
        joint = np.full((k, k), coverage * (1 - a) / (k - 1))
        joint[np.arange(k), np.arange(k)] = coverage * a
        if one_sided:
            joint = np.zeros((k, k))
            joint[:, i % k] = coverage * (1 - a)
            joint[i % k, i % k] = coverage * a
        outcome = np.concatenate([joint, 1 - joint.sum(axis=1, keepdims=True)], axis=1)
        drawn = (rng.random(n)[:, None] > np.cumsum(outcome, axis=1)[truth]).sum(axis=1)
        drawn = np.minimum(drawn, k)
        matrix[:, i] = np.where(drawn == k, -1, drawn)
        logs += np.log(outcome).T[drawn]
    matrix = np.concatenate([matrix, np.repeat(matrix[:, :1], copies, axis=1)], axis=1)
    logs -= logs.max(axis=1, keepdims=True)
    ceiling = np.exp(logs)
    ceiling /= ceiling.sum(axis=1, keepdims=True)
    votes = Votes.of_matrix(matrix, classes=tuple(f"class {c}" for c in range(k)))
    return Told(name="planted", votes=votes, truth=truth, judged=np.ones(n, dtype=bool)), ceiling
