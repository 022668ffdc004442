"""Fit and apply a model of labelers' errors: the way that Dawid–Skene and its one-accuracy variant share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np

from tilth.core.arrays import Matrix, Vector
from tilth.core.labelling import Known, Labelling
from tilth.core.votes import Votes
from tilth.labeling._shared.ballots import Ballots, ballots_of, refuse_no_votes
from tilth.labeling._shared.belief import Belief
from tilth.labeling._shared.checks import is_handed_out, misfit, overlap_of
from tilth.labeling._shared.copies import Dependence, dependence_of
from tilth.labeling._shared.em import Parameters, Statistics, Told, gathered, iterate
from tilth.labeling._shared.report import labelling_of, settled

__all__ = [
    "accuracies",
    "confusions_of",
    "fit_by_em",
    "fit_in_one_step",
    "heard",
    "parameters_of",
    "predict_by_scores",
    "read",
    "with_or_without_silence",
]

ROWS = 20_000
"""Rows on which parameters converge first; all rows then take the last steps."""
OVERLAP_ROWS = 3_000
"""Rows from which the overlap of evidence is told."""
CLOSE, ROUNDS, LAST_ROUNDS = 1e-5, 300, 30
_READ: WeakKeyDictionary[Votes, tuple[Ballots, Dependence]] = WeakKeyDictionary()
MISFIT = 0.05
"""Share of the common votes of two labelers that the model may miss, for silence to count."""


def fit_by_em(name: str, votes: Votes, known: Known, belief: Belief, *, passes: int | None = None) -> Labelling:
    """Return what expectation maximisation learns of the labelers, started from the majority's shares.

    With `passes` = 1 it stops at what the majority says of the labelers; None goes on until nothing moves.
    """
    refuse_no_votes(votes)
    everything, dependence = read(votes)
    weighed = everything.weighted(dependence.worth)
    told = heard(weighed, known)
    belief = replace(belief, prior=known.prior, saying=confusions_of(votes, known))
    belief = replace(belief, by_design=is_handed_out(told.ballots))
    if passes == 1:
        sums = gathered(told, _majority(told))
    else:
        all_rows = Told(ballots=weighed, truth=known.truth, trusted=known.trusted)
        told, belief, believed = with_or_without_silence(all_rows, told, belief)
        sums = gathered(told, believed)
        if len(told) > ROWS:
            sums = iterate(told, sums, belief.update, tolerance=CLOSE, rounds=LAST_ROUNDS)
    few, believed = told.thinned(ROWS), belief.update(sums)
    believed = replace(believed, overlap=overlap_of(few.thinned(OVERLAP_ROWS).ballots, believed))
    return _labelling(name, votes, few, everything, believed, sums, belief, dependence)


def fit_in_one_step(
    name: str, votes: Votes, known: Known, belief: Belief, estimate: Callable[[Ballots, Vector | None], Parameters]
) -> Labelling:
    """Return what a closed form says of the labelers: `estimate` gets the ballots with a vote, and the known prior."""
    refuse_no_votes(votes)
    everything, dependence = read(votes)
    told = heard(everything.weighted(dependence.worth), known)
    few = told.thinned(ROWS)
    believed = estimate(told.ballots, known.prior)
    believed = replace(believed, overlap=overlap_of(few.thinned(OVERLAP_ROWS).ballots, believed))
    return _labelling(name, votes, few, everything, believed, gathered(few, believed), belief, dependence)


def read(votes: Votes) -> tuple[Ballots, Dependence]:
    """Votes as ballots and who repeats whom: kept as long as the votes are, for the next model asks again."""
    if votes not in _READ:
        ballots = ballots_of(votes)
        _READ[votes] = ballots, dependence_of(ballots)
    return _READ[votes]


def predict_by_scores(votes: Votes, labelling: Labelling, known: Known) -> Matrix:
    """Return p(truth | votes), (n, k), from a labelling that `fit_by_em` made."""
    ballots = ballots_of(votes).weighted(labelling.parameters["worth"])
    believed = parameters_of(labelling)
    answer = np.empty((len(ballots), ballots.n_classes))
    for rows in ballots.blocks():
        answer[rows], _ = believed.posterior(ballots.block(rows), ballots.n_votes[rows])
    return settled(answer, ballots.covered, labelling.prior, known)


def with_or_without_silence(everything: Told, heard: Told, belief: Belief) -> tuple[Told, Belief, Parameters]:
    """Fit with silence that counts, on all rows, where the model then tells who votes together; else on rows with a vote."""
    if not belief.by_design:
        few, tried = everything.thinned(ROWS), replace(belief, silence=True)
        believed = _converged(few, tried)
        if misfit(few.ballots, believed) <= MISFIT:
            return everything, tried, believed
    return heard, belief, _converged(heard.thinned(ROWS), belief)


def _majority(told: Told) -> Matrix:
    """Share of the votes of each class, one vote spread evenly added; (n, k)."""
    shares = told.ballots.shares + 1.0 / told.ballots.n_classes
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _converged(told: Told, belief: Belief) -> Parameters:
    first = gathered(told, _majority(told))
    return belief.update(iterate(told, first, belief.update, tolerance=CLOSE, rounds=ROUNDS))


def heard(ballots: Ballots, known: Known) -> Told:
    """Rows that have a vote, with the truth of the trusted ones."""
    told = Told(ballots=ballots, truth=known.truth, trusted=known.trusted)
    if ballots.covered.all():
        return told
    rows = ballots.covered
    return Told(
        ballots=ballots.take(rows),
        truth=None if known.truth is None else known.truth[rows],
        trusted=None if known.trusted is None else known.trusted[rows],
    )


def confusions_of(votes: Votes, known: Known) -> dict[int, Matrix]:
    """Return the known confusions by the labeler's number."""
    numbers = {name: number for number, name in enumerate(votes.labelers)}
    return {numbers[name]: np.asarray(matrix) for name, matrix in known.confusions.items() if name in numbers}


def _labelling(
    name: str,
    votes: Votes,
    few: Told,
    everything: Ballots,
    believed: Parameters,
    sums: Statistics,
    belief: Belief,
    dependence: Dependence,
) -> Labelling:
    accuracy, information = accuracies(few, believed, sums, belief)
    return labelling_of(
        name,
        votes,
        everything,
        prior=believed.prior,
        accuracy=accuracy,
        information=information,
        parameters={
            "voting": believed.voting,
            "saying": believed.saying,
            "silence": np.array([believed.silence]),
            "copies": dependence.groups,
            "worth": dependence.worth,
            "overlap": np.array([believed.overlap]),
            "inverts": np.array([believed.inverts]),
            "by_design": np.array([belief.by_design]),
            "counts": sums.counts,
            "totals": sums.totals,
            "information": information,
            "rows": np.array([float(len(votes))]),
        },
    )


def parameters_of(labelling: Labelling) -> Parameters:
    """Return the parameters that a labelling of `fit_by_em` keeps."""
    kept = labelling.parameters
    return Parameters(
        prior=labelling.prior,
        voting=kept["voting"],
        saying=kept["saying"],
        silence=bool(kept["silence"][0]),
        overlap=float(kept["overlap"][0]),
        inverts=bool(kept["inverts"][0]),
    )


def accuracies(few: Told, believed: Parameters, sums: Statistics, belief: Belief) -> tuple[Vector, Vector]:
    """P(right | votes) of each labeler, and how many votes of known rightness would tell as much; (m,), (m,).

    A vote that is right with probability s tells about an accuracy a by its score s / a - (1 - s) / (1 - a): the sum of
    squared scores is the observed information, a (1 - a) times which is the number of votes. It is summed over some of
    the rows, and taken to be as much per vote on all.
    """
    ballots, k = few.ballots, few.ballots.n_classes
    counts = sums.counts.reshape(-1, k, k)
    total = counts.sum(axis=(1, 2))
    right = np.trace(counts, axis1=1, axis2=2)
    accuracy = (right + belief.strength * belief.accuracy) / (total + belief.strength)
    squares, seen = np.zeros(ballots.n_labelers), ballots.said.sum(axis=1)
    for rows in ballots.blocks():
        block = ballots.block(rows)
        posterior, _ = believed.posterior(block, ballots.n_votes[rows])
        few.settle(posterior, rows)
        voter = np.repeat(np.arange(rows.stop - rows.start), np.diff(block.indptr))
        sure = posterior[voter, block.indices % k]
        source = block.indices // k
        squares += np.bincount(source, np.square(sure - accuracy[source]) * block.data, ballots.n_labelers)
    worth = total / np.maximum(seen, 1e-9) / np.maximum(accuracy * (1.0 - accuracy), 1e-9)
    return accuracy, np.where(seen > 0, squares * worth, 0.0)
