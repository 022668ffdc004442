"""What is known of rows beside their cells: what the model says of them, how many labelers vote, their split.

Train rows are told what models say that did not see them; all others what the version's model says. So a slice such as
`tilth_confidence < 0.6` means the same in every split.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Matrix
from tilth.core.names import SPLIT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tilth.loop.workshop import Workshop
    from tilth.store.version import Version

__all__ = ["known_of_rows", "predictions"]


def predictions(workshop: Workshop, version: Version) -> Matrix:
    """Return (n, k) class probabilities, or (n, 1) numbers, of all rows in storage order; out-of-sample for train rows."""
    bench, evidence = workshop.bench(version), workshop.evidence(version)
    train = evidence.labelled_train()
    others = np.setdiff1d(np.arange(bench.table.num_rows), train, assume_unique=True)
    seen = evidence.out_of_sample()
    found = np.zeros((bench.table.num_rows, seen.shape[1]))
    found[train] = seen
    if len(others):
        found[others] = bench.predict(bench.baseline, others)
    return found


def known_of_rows(workshop: Workshop, version: Version) -> Mapping[str, pa.Array]:
    """Return what is known of all rows of a version, each (n,) in storage order; null where nobody knows."""
    bench, task = workshop.bench(version), version.schema.task
    predicted = predictions(workshop, version)
    facts: dict[str, pa.Array] = {"tilth_split": bench.table.column(SPLIT).combine_chunks()}
    labels, labelled = bench.labels(bench.table)
    if task.is_regression:
        facts["tilth_predicted"] = pa.array(predicted[:, 0])
        nothing = pa.nulls(len(predicted))
        facts |= {"tilth_confidence": nothing.cast(pa.float64()), "tilth_correct": nothing.cast(pa.bool_())}
    else:
        decided = predicted.argmax(axis=1)
        facts["tilth_predicted"] = pa.array(task.classes, pa.string()).take(pa.array(decided))
        facts["tilth_confidence"] = pa.array(predicted.max(axis=1))
        facts["tilth_correct"] = pa.array(decided == labels, mask=~labelled)
    return facts | {"tilth_votes": _votes(workshop, version, len(predicted))}


def _votes(workshop: Workshop, version: Version, n_rows: int) -> pa.Array:
    """Return how many labelers vote on each row; test rows are not voted on, and without labelers no row is."""
    counts, asked = workshop.votes_per_row(version)
    found, has = np.zeros(n_rows, dtype=np.int64), np.zeros(n_rows, dtype=bool)
    rows: IntVector = asked
    found[rows], has[rows] = counts, True
    return pa.array(found, mask=~has)
