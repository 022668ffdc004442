"""How well a label model foretells what it did not see: a vote from the other votes of its row, or a trusted label from votes.

    score of a vote = log sum over c of  p(c | the row's other votes) · P(this vote | c, one more vote is cast)

The second factor is counted under the model's own p on all other votes, the same way for every model. A model
whose classes are not what labelers speak about, or that is too sure, foretells badly. What labelers share beside the
truth (all err on the same rows) it cannot see.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Mask, Matrix, Vector
from tilth.core.labelling import Known, Labelling
from tilth.core.votes import Votes
from tilth.labeling._shared.ballots import Ballots, ballots_of
from tilth.labeling._shared.copies import worth_of
from tilth.labeling._shared.em import discount, normalised
from tilth.labeling._shared.expert import parameters_of
from tilth.operators.protocols import LabelModel

__all__ = ["against_all", "foretold_trusted", "foretold_votes", "in_company", "subset"]

GROUPS = 30
"""Groups of labelers that are left out in turn, for models that only predict: beyond 30 labelers, several at a time."""
ALIKE = 10.0
"""Votes of a labeler for a class that what all labelers' votes for it go with is worth."""
TINY = 1e-12


def foretold_votes(model: LabelModel, votes: Votes, known: Known, *, folds: int) -> tuple[Vector, float]:
    """Return how well a model foretells votes of rows that it was not fitted to, and how often it overrules all of a row.

    Parameters
    ----------
    votes, known : n rows
    folds : parts of the rows, each foretold by a fit to all others

    Returns
    -------
    scores : mean log score of the votes of each row that has two or more, by row; (r,)
    overruled : share of rows with a vote whose best class none of their votes names
    """
    found, against = [], 0
    for fold in range(folds):
        asked = np.arange(len(votes)) % folds == fold
        labelling = model.fit(*subset(votes, known, np.flatnonzero(~asked)))
        rows = np.flatnonzero(asked)
        part, _ = subset(votes, known, rows)
        ballots = ballots_of(part)
        against += int(against_all(ballots, model.predict(part, labelling)).sum())
        places, columns = _votes_in_company(ballots)
        if "saying" in labelling.parameters:
            probs = _without_by_sums(ballots, labelling, places, columns)
        else:
            probs = _without_by_predicting(model, part, labelling, ballots, places, columns)
        found.append((rows[places], columns, probs))
    rows, columns, probs = (np.concatenate(parts) for parts in zip(*found, strict=True))
    scores = _scores(columns, probs, len(votes.labelers) * votes.n_classes)
    _, place = np.unique(rows, return_inverse=True)
    return np.asarray(np.bincount(place, scores) / np.bincount(place)), against / max(int(votes.covered.sum()), 1)


def foretold_trusted(model: LabelModel, votes: Votes, known: Known) -> Vector:
    """Return the log probability of each trusted row's truth, fitted without the half of them that it is in; (t,)."""
    assert known.truth is not None
    assert known.trusted is not None
    rows = np.flatnonzero(known.trusted & votes.covered)
    scores = np.zeros(len(rows))
    for half in (0, 1):
        asked = np.arange(len(rows)) % 2 == half
        hidden = np.array(known.trusted)
        hidden[rows[asked]] = False
        told = replace(known, trusted=hidden)
        probs = model.predict(votes, model.fit(votes, told), told)[rows[asked]]
        scores[asked] = (known.truth[rows[asked]] * np.log(np.maximum(probs, TINY))).sum(axis=1)
    return scores


def against_all(ballots: Ballots, answer: Matrix) -> Mask:
    """Return which rows with a vote have a best class that none of their votes names; (n, k) -> (n,)."""
    backed = np.where(ballots.shares > 0, answer, 0.0).max(axis=1)
    return np.asarray(ballots.covered & (backed < answer.max(axis=1) - 1e-9))


def in_company(votes: Votes) -> int:
    """Return how many rows have the votes of two labelers."""
    return int((ballots_of(votes).n_votes > 1.5).sum())


def subset(votes: Votes, known: Known, rows: IntVector) -> tuple[Votes, Known]:
    """Return the votes of some rows, ascending, and what is known of them; (r,)."""
    number = np.full(len(votes), -1, dtype=np.intp)
    number[rows] = np.arange(len(rows))
    kept = number[votes.rows] >= 0
    fewer = replace(
        votes,
        row_ids=votes.row_ids.take(pa.array(rows)),
        rows=number[votes.rows[kept]],
        sources=votes.sources[kept],
        said=votes.said[kept],
    )
    told = replace(
        known,
        truth=None if known.truth is None else known.truth[rows],
        trusted=None if known.trusted is None else known.trusted[rows],
        embeddings=None if known.embeddings is None else known.embeddings[rows],
    )
    return fewer, told


def _votes_in_company(ballots: Ballots) -> tuple[IntVector, IntVector]:
    """Rows and columns of the votes on rows where two labelers vote or more; (v,), (v,)."""
    rows = np.repeat(np.arange(len(ballots)), np.diff(ballots.matrix.indptr))
    company: Mask = ballots.n_votes[rows] > 1.5
    return rows[company], ballots.matrix.indices[company].astype(np.intp)


def _without_by_sums(ballots: Ballots, labelling: Labelling, rows: IntVector, columns: IntVector) -> Matrix:
    """Take the vote's own part out of its row's log score, and those of its labeler's copies with it; -> (v, k)."""
    believed = parameters_of(labelling)
    worth = worth_of(labelling.parameters["copies"])
    weighed = ballots.weighted(worth)
    k, copies = ballots.n_classes, worth[columns // ballots.n_classes]
    scores = np.asarray(weighed.matrix @ believed.weights) + believed.base
    silence = np.log1p(-believed.voting) if believed.silence else np.zeros_like(believed.voting)
    rest = scores[rows] - believed.weights[columns] - silence[columns // k]
    left = weighed.n_votes[rows] - np.where(copies < 1.0, 1.0, copies)
    rest *= discount(left, believed.overlap)[:, None]
    rest += believed.start
    probs, _ = normalised(rest)
    return probs


def _without_by_predicting(
    model: LabelModel, votes: Votes, labelling: Labelling, ballots: Ballots, rows: IntVector, columns: IntVector
) -> Matrix:
    """Predict each row without the votes of a group of labelers; -> (v, k)."""
    probs = np.empty((len(rows), ballots.n_classes))
    group = votes.sources % GROUPS
    own = (columns // ballots.n_classes) % GROUPS
    for left_out in range(min(GROUPS, ballots.n_labelers)):
        kept, asked = group != left_out, own == left_out
        fewer = replace(votes, rows=votes.rows[kept], sources=votes.sources[kept], said=votes.said[kept])
        probs[asked] = model.predict(fewer, labelling)[rows[asked]]
    return probs


def _scores(columns: IntVector, probs: Matrix, n_columns: int) -> Vector:
    """Log chance of each vote, with chances counted on all others; (v,), (v, k) -> (v,).

    P(which labeler says what | class, one more vote is cast) is counted under the posteriors without the vote. What a
    labeler's votes for a class go with is drawn toward what all votes for that class go with: many labelers of few
    votes each could not be judged by their own.
    """
    k = probs.shape[1]
    counts = np.stack([np.bincount(columns, column, n_columns) for column in probs.T], axis=1)
    by_word = counts.reshape(-1, k, k).sum(axis=0) + TINY
    usual = np.tile(ALIKE * by_word / by_word.sum(axis=1, keepdims=True), (n_columns // k, 1))
    cast = counts.sum(axis=1, keepdims=True)
    total = ((counts + usual) / (cast + ALIKE) * (cast + 1.0)).sum(axis=0)
    others, number = counts[columns] - probs, cast[columns] - 1.0
    chances = (others + usual[columns]) / (number + ALIKE) * (number + 1.0) / total
    return np.asarray(np.log(np.maximum(np.einsum("vk,vk->v", probs, chances), TINY)))
