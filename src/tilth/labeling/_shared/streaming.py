"""New votes taken into what was learnt of earlier ones: together with them while these are few, then by sums alone.

    early   up to 100,000 rows are kept; with a new batch they are one fit to all rows, to the last digit
    later   sums = those that the labelling keeps  +  those of the new rows, which are iterated to where they no longer move

The sums of earlier rows stay as they were split over the classes when these rows were new: a fit to all rows at once would split
them again. After 100,000 rows, what is found differs little from that fit. Which labelers repeat one another, how far votes
of a row repeat, and whether silence counts are then taken over from the last fit.

Source: Neal, Hinton (1998), A view of the EM algorithm that justifies incremental, sparse, and other variants, in Learning in
Graphical Models, section 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from tilth.core.arrays import Vector
from tilth.core.errors import NotApplicable, first_three
from tilth.core.labelling import Known, Labelling
from tilth.core.votes import Votes
from tilth.labeling._shared.ballots import ballots_of
from tilth.labeling._shared.belief import Belief
from tilth.labeling._shared.checks import is_handed_out, overlap_of
from tilth.labeling._shared.early import early, joined_known
from tilth.labeling._shared.em import Parameters, Statistics, Told, gathered, iterate, merge
from tilth.labeling._shared.expert import (
    OVERLAP_ROWS,
    ROWS,
    accuracies,
    confusions_of,
    heard,
    parameters_of,
    with_or_without_silence,
)
from tilth.labeling._shared.report import score_interval

__all__ = ["update", "update_by_sums"]

CLOSE, ROUNDS = 1e-5, 100
FEWEST = 200
"""New rows with a vote from which on they may settle something otherwise."""


Fit = Callable[[Votes, Known], Labelling]
"""A fit to votes, which keeps them while they are few."""


def update(labelling: Labelling, votes: Votes, known: Known, belief: Belief, fit: Fit) -> Labelling:
    """Return what is known of the labelers with the votes on new rows taken in; labelers may be new.

    Parameters
    ----------
    labelling : that `fit` or this made
    votes : on rows that the labelling has not seen, for the same classes
    known : of these rows
    belief : that of the model
    fit : the model's own, for as long as earlier votes are kept

    Raises
    ------
    NotApplicable
        The classes are others, or the labelling keeps no sums.
    """
    _refuse_other(labelling, votes)
    kept = early(labelling)
    if kept is None:
        return update_by_sums(labelling, votes, known, belief)
    before, told = kept
    return fit(before.followed_by(votes), joined_known((len(before), told), (len(votes), known), votes.n_classes))


def update_by_sums(labelling: Labelling, votes: Votes, known: Known, belief: Belief) -> Labelling:
    """Return what is known of the labelers with the votes on new rows taken in, earlier rows by their sums.

    Parameters
    ----------
    labelling : that `fit_by_em` or this made
    votes : on rows that the labelling has not seen, for the same classes
    known : of these rows
    belief : that of the model

    Raises
    ------
    NotApplicable
        The classes are others, or the labelling keeps no sums.
    """
    _refuse_other(labelling, votes)
    wider = _with_labelers(labelling, votes.labelers)
    kept, before = wider.parameters, parameters_of(wider)
    held = replace(
        belief,
        prior=known.prior,
        silence=before.silence,
        by_design=bool(kept["by_design"][0]),
    )
    joined = votes.among(wider.labelers)
    held = replace(held, saying=confusions_of(joined, known))
    ballots = ballots_of(joined)
    weighed = ballots.weighted(kept["worth"])
    told = Told(ballots=weighed, truth=known.truth, trusted=known.trusted) if before.silence else heard(weighed, known)
    earlier = Statistics(counts=kept["counts"], totals=kept["totals"])

    def maximise(sums: Statistics) -> Parameters:
        return held.update(merge(earlier, sums))

    first = gathered(told, held.update(earlier))
    new = iterate(told, first, maximise, tolerance=CLOSE, rounds=ROUNDS) if len(told) else first
    sums, believed = merge(earlier, new), replace(maximise(new), overlap=before.overlap)
    if len(told):
        own, share = (
            overlap_of(told.thinned(OVERLAP_ROWS).ballots, believed),
            len(votes) / (kept["rows"][0] + len(votes)),
        )
        believed = replace(believed, overlap=float((1.0 - share) * before.overlap + share * own))
    few = told.thinned(ROWS)
    accuracy, _ = accuracies(few, believed, sums, held)
    _, more = accuracies(few, believed, new, held)
    found = _report(wider, believed, sums, accuracy, kept["information"] + more, ballots.said.sum(axis=1), len(votes))
    everything = Told(ballots=weighed, truth=known.truth, trusted=known.trusted)
    return replace(found, warnings=tuple(_otherwise(everything, heard(weighed, known), held)))


def _refuse_other(labelling: Labelling, votes: Votes) -> None:
    if votes.classes != labelling.classes:
        raise NotApplicable(
            f"the new votes are for {first_three(votes.classes)}, what was learnt for {first_three(labelling.classes)}",
            next_step="give the votes the same class names in the same order, or fit anew",
        )
    if "counts" not in labelling.parameters:
        raise NotApplicable(f"{labelling.model} keeps no sums to which votes could be added", next_step="fit anew")


def _otherwise(everything: Told, spoken: Told, held: Belief) -> Iterator[str]:
    """Say what new rows alone would settle otherwise."""
    if len(spoken) < FEWEST:
        return
    alone = replace(held, by_design=is_handed_out(spoken.ballots))
    _, settled_now, _ = with_or_without_silence(everything, spoken, replace(alone, silence=False))
    if settled_now.silence != held.silence or alone.by_design != held.by_design:
        yield (
            "the first rows settled whether it tells something that a labeler is silent, and the new rows would settle it "
            "otherwise: fit anew on all rows"
        )


def _report(
    wider: Labelling,
    believed: Parameters,
    sums: Statistics,
    accuracy: Vector,
    information: Vector,
    cast: Vector,
    rows: int,
) -> Labelling:
    """Put what is known after new rows into the labelling."""
    before = float(wider.parameters["rows"][0])
    votes = wider.coverage * before + cast
    interval = np.where((votes <= 0)[:, None], np.nan, score_interval(accuracy, information))
    return replace(
        wider,
        prior=believed.prior,
        coverage=votes / max(before + rows, 1.0),
        accuracy=np.where(votes <= 0, np.nan, accuracy),
        interval=interval,
        parameters={
            **wider.parameters,
            "voting": believed.voting,
            "saying": believed.saying,
            "inverts": np.array([believed.inverts]),
            "overlap": np.array([believed.overlap]),
            "counts": sums.counts,
            "totals": sums.totals,
            "information": information,
            "rows": np.array([before + rows]),
        },
    )


def _with_labelers(labelling: Labelling, names: tuple[str, ...]) -> Labelling:
    """Return the labelling with labelers that it does not know, of whom nothing is known."""
    new = tuple(name for name in names if name not in set(labelling.labelers))
    if not new:
        return labelling
    kept, k, more = labelling.parameters, len(labelling.classes), len(new)
    groups = kept["copies"]
    return replace(
        labelling,
        labelers=(*labelling.labelers, *new),
        coverage=np.concatenate([labelling.coverage, np.zeros(more)]),
        accuracy=np.concatenate([labelling.accuracy, np.full(more, np.nan)]),
        interval=np.concatenate([labelling.interval, np.full((more, 2), np.nan)]),
        parameters={
            **kept,
            "voting": np.concatenate([kept["voting"], np.full((more, k), 0.5)]),
            "saying": np.concatenate([kept["saying"], np.full((more, k, k), 1.0 / k)]),
            "counts": np.concatenate([kept["counts"], np.zeros((more * k, k))]),
            "copies": np.concatenate([groups, groups.max() + 1 + np.arange(more)]),
            "worth": np.concatenate([kept["worth"], np.ones(more)]),
            "information": np.concatenate([kept["information"], np.zeros(more)]),
        },
    )
