"""What a vote adds to its row's log score, with what labelers that repeat its labeler add there."""

from __future__ import annotations

import numpy as np

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.labeling._shared.ballots import Ballots
from tilth.labeling._shared.em import Parameters

__all__ = ["own_part"]


def own_part(
    ballots: Ballots, believed: Parameters, groups: IntVector, rows: IntVector, columns: IntVector
) -> tuple[Matrix, Vector]:
    """Return what to take out of a row's log score to foretell a vote, and how many votes that are.

    Parameters
    ----------
    ballots : n rows, votes weighed by what they are worth
    believed : of the labelers
    groups : (m,) labelers that repeat one another share a number
    rows, columns : (v,) of the votes

    Returns
    -------
    part : log score that the vote, those of its group on its row, and their silence elsewhere add; (v, k)
    counted : weight of these votes; (v,)
    """
    m, k = ballots.n_labelers, ballots.n_classes
    silence = np.log1p(-believed.voting) * believed.silence
    if len(np.unique(groups)) == m:
        return believed.weights[columns] + silence[columns // k], np.ones(len(rows))
    matrix = ballots.matrix
    row = np.repeat(np.arange(len(ballots)), np.diff(matrix.indptr)).astype(np.int64)
    cells, place = np.unique(row * m + groups[matrix.indices // k], return_inverse=True)
    votes = [np.bincount(place, matrix.data * column[matrix.indices]) for column in believed.weights.T]
    asked = np.searchsorted(cells, rows.astype(np.int64) * m + groups[columns // k])
    together = np.stack([np.bincount(groups, column, m) for column in silence.T], axis=1)
    part = np.asarray(np.stack(votes, axis=1)[asked] + together[groups[columns // k]], dtype=np.float64)
    return part, np.asarray(np.bincount(place, matrix.data)[asked], dtype=np.float64)
