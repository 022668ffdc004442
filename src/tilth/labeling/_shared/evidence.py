"""How well a label model foretells what it did not see: a vote from the other votes of its row, or a trusted label from votes.

    score of a vote = log sum over c of  p(c | the row's other votes) · P(this vote | c, one more vote is cast)

The second factor is counted under the model's own p on all other votes, the same way for every model. A model
whose classes are not what labelers speak about, or that is too sure, foretells badly. What labelers share beside the
truth (all err on the same rows) it cannot see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from tilth.core.arrays import FloatMatrix32, IntVector, Mask, Matrix, Vector
from tilth.core.labelling import Known, Labelling
from tilth.core.votes import Votes
from tilth.labeling._shared.ballots import Ballots, ballots_of
from tilth.labeling._shared.em import discount, normalised
from tilth.labeling._shared.expert import parameters_of, read
from tilth.labeling._shared.left_out import own_part
from tilth.labeling._shared.nearby import nearby_of
from tilth.operators.protocols import LabelModel

__all__ = [
    "Part",
    "against_all",
    "by_row",
    "foretold_trusted",
    "foretold_votes",
    "in_company",
    "parted",
    "subset",
    "vote_scores",
    "votes_in_company",
]

GROUPS = 30
"""Groups of labelers that are left out in turn, for models that only predict: beyond 30 labelers, several at a time."""
ALIKE = 10.0
"""Votes of a labeler for a class that what all labelers' votes for it go with is worth."""
TINY = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """Rows to be foretold, and what they are foretold from.

    Parameters
    ----------
    rows : (r,) numbers of the rows that are foretold
    asked : their votes
    where : where they lie
    learnt, known : votes on all other rows, and what else is known of these
    """

    rows: IntVector
    asked: Votes
    where: Known
    learnt: Votes
    known: Known


def parted(votes: Votes, known: Known, folds: int) -> tuple[Part, ...]:
    """Return the parts of n rows, each with all others to learn from."""
    parts = []
    for fold in range(folds):
        is_asked = np.arange(len(votes)) % folds == fold
        learnt, told = subset(votes, known, np.flatnonzero(~is_asked))
        asked, placed = subset(votes, known, np.flatnonzero(is_asked))
        where = Known(embeddings=placed.embeddings)
        parts.append(Part(rows=np.flatnonzero(is_asked), asked=asked, where=where, learnt=learnt, known=told))
    return tuple(parts)


def foretold_votes(model: LabelModel, parts: Sequence[Part]) -> tuple[Vector, float]:
    """Return how well a model foretells votes of rows that it was not fitted to, and how often it overrules all of a row.

    Parameters
    ----------
    parts : of the rows, each foretold by a fit to all others

    Returns
    -------
    scores : mean log score of the votes of each row that has two or more, by row; (r,)
    overruled : share of rows with a vote whose best class none of their votes names
    """
    found, against, covered = [], 0, 0
    for part in parts:
        labelling = model.fit(part.learnt, part.known)
        ballots = ballots_of(part.asked)
        covered += int(ballots.covered.sum())
        against += int(against_all(ballots, model.predict(part.asked, labelling, part.where)).sum())
        places, columns = votes_in_company(ballots)
        if "saying" in labelling.parameters:
            probs = _without_by_sums(ballots, labelling, places, columns)
        elif "refs" in labelling.parameters and part.where.embeddings is not None:
            probs = _without_nearby(part.asked, labelling, part.where.embeddings, places, columns)
        else:
            probs = _without_by_predicting(model, part, labelling, places, columns)
        found.append((part.rows[places], columns, probs))
    rows, columns, probs = (np.concatenate(each) for each in zip(*found, strict=True))
    first = parts[0].asked
    scores = vote_scores(columns, probs, len(first.labelers) * first.n_classes)
    return by_row(rows, scores), against / max(covered, 1)


def by_row(rows: IntVector, scores: Vector) -> Vector:
    """Return the mean score of the votes of each row, by row; (v,), (v,) -> (r,)."""
    _, place = np.unique(rows, return_inverse=True)
    return np.asarray(np.bincount(place, scores) / np.bincount(place))


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


def votes_in_company(ballots: Ballots) -> tuple[IntVector, IntVector]:
    """Rows and columns of the votes on rows where two labelers vote or more; (v,), (v,)."""
    rows = np.repeat(np.arange(len(ballots)), np.diff(ballots.matrix.indptr))
    company: Mask = ballots.n_votes[rows] > 1.5
    return rows[company], ballots.matrix.indices[company].astype(np.intp)


def _without_by_sums(ballots: Ballots, labelling: Labelling, rows: IntVector, columns: IntVector) -> Matrix:
    """Take the vote's own part out of its row's log score, and those of labelers that repeat its labeler; -> (v, k)."""
    believed = parameters_of(labelling)
    weighed = ballots.weighted(labelling.parameters["worth"])
    scores = np.asarray(weighed.matrix @ believed.weights) + believed.base
    own, counted = own_part(weighed, believed, labelling.parameters["copies"], rows, columns)
    rest = scores[rows] - own
    rest *= discount(weighed.n_votes[rows] - counted, believed.overlap)[:, None]
    rest += believed.start
    probs, _ = normalised(rest)
    return probs


def _without_nearby(
    votes: Votes, labelling: Labelling, embeddings: FloatMatrix32, rows: IntVector, columns: IntVector
) -> Matrix:
    """Leave the vote's labeler out of its row and of all rows nearby; -> (v, k)."""
    model, places = nearby_of(labelling)
    weighed, place = ballots_of(votes).weighted(labelling.parameters["worth"]), places.place(embeddings, votes.row_ids)
    near = model.near_without(place, rows, columns // votes.n_classes)
    return model.without(weighed, place, rows, columns, near)


def _without_by_predicting(
    model: LabelModel, part: Part, labelling: Labelling, rows: IntVector, columns: IntVector
) -> Matrix:
    """Predict each row without the votes of a group of labelers, those that repeat one another together; -> (v, k)."""
    votes, k = part.asked, part.asked.n_classes
    _, dependence = read(part.learnt)  # a copy that is left would foretell any vote, whatever the class
    group = dependence.groups % GROUPS
    probs = np.empty((len(rows), k))
    of_vote, own = group[votes.sources], group[columns // k]
    for left_out in np.unique(own):
        kept, asked = of_vote != left_out, own == left_out
        fewer = replace(votes, rows=votes.rows[kept], sources=votes.sources[kept], said=votes.said[kept])
        probs[asked] = model.predict(fewer, labelling, part.where)[rows[asked]]
    return probs


def vote_scores(columns: IntVector, probs: Matrix, n_columns: int) -> Vector:
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
