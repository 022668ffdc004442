"""What foretells the answers on dev rows: their labels as they came, and what the model makes of these.

An answer replaces the label of a dev row, so the labels in a version foretell answered rows perfectly and others not at all
as well. Hence everything here comes from the source, where answered rows look like all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector, Mask, Matrix
from tilth.core.names import ROW_ID
from tilth.loop.frames import class_codes
from tilth.numerics.assisted_answers import foretold_share
from tilth.numerics.noise import truth_posterior

if TYPE_CHECKING:
    from tilth.core.dataset import Dataset
    from tilth.loop.bench import Bench, Judged
    from tilth.loop.judge import Outcome

__all__ = ["Foretold", "foretell"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Foretold:
    """What is known of judging rows without answers.

    `came`: (n,) class numbers of the labels as they came, -1 where there was none; `truth`: (n, k) p(truth | features, that label).
    """

    came: IntVector
    truth: Matrix

    def only(self, rows: Mask) -> Foretold:
        """Return what is known of some of the rows."""
        return Foretold(came=self.came[rows], truth=self.truth[rows])

    def predictors(self, outcome: Outcome) -> Matrix:
        """Return (n, 2) how much more right the model after is than the one before: by the label, and to be expected."""
        before, after, rows = outcome.decided_before, outcome.decided_after, np.arange(len(self.came))
        by_label = (after == self.came).astype(np.float64) - (before == self.came)
        return np.column_stack([by_label, self.truth[rows, after] - self.truth[rows, before]])

    def decisive(self, outcome: Outcome) -> float:
        """Return the share of disagreeing rows on which one of the two models is to be expected right; 1 without such rows."""
        rows = np.flatnonzero(outcome.changed)
        if not len(rows):
            return 1.0
        right = self.truth[rows, outcome.decided_before[rows]] + self.truth[rows, outcome.decided_after[rows]]
        return float(right.mean())

    def share(self, outcome: Outcome) -> float:
        """Return which share of the variance of answers on disagreeing rows is to be expected foretold."""
        return foretold_share(self.predictors(outcome)[outcome.changed, 1], self.decisive(outcome))


def foretell(bench: Bench, judged: Judged, source: Dataset) -> Foretold | None:
    """Return what foretells answers on judging rows, by a source's labels and the bench's model; None for regression."""
    if bench.schema.task.is_regression:
        return None
    table = source.read(ROW_ID, bench.schema.task.label)
    codes, labelled = class_codes(table, bench.schema)
    ids = bench.table.column(ROW_ID).take(pa.array(judged.positions))
    at = pc.index_in(ids, value_set=table.column(ROW_ID).combine_chunks())
    rows = np.asarray(pc.fill_null(at, -1), dtype=np.intp)
    came = np.where((rows >= 0) & labelled[rows], codes[rows], -1).astype(np.intp)
    truth = np.array(bench.predict(bench.baseline, judged.positions), dtype=np.float64)
    known = came >= 0
    if known.any():
        truth[known] = truth_posterior(came[known], truth[known])
    return Foretold(came=came, truth=truth)
