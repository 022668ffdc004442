"""What a reader must know before labels from votes are used, each with its cause."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tilth.core.arrays import Matrix
from tilth.core.errors import first_three
from tilth.core.labelling import Labelling
from tilth.core.votes import Votes
from tilth.labeling._shared.ballots import Ballots, ballots_of
from tilth.labeling._shared.evidence import against_all

__all__ = ["warnings_of"]

FEW = 3
EXACT = 1.1
"""Labelers that labelers that repeat one another may count as together, to be told of as one."""
STRONG = 0.3
"""Overlap of evidence from which on it is worth a word: three votes then count as less than two."""


def warnings_of(votes: Votes, labelling: Labelling, answer: Matrix) -> tuple[str, ...]:
    """Return the warnings on labels (n, k) that a model gave for votes, the gravest first."""
    ballots = ballots_of(votes)
    return (
        *_against_all(votes, labelling, ballots, answer),
        *_collapsed(votes, labelling, ballots, answer),
        *_worse_than_chance(votes, labelling, ballots),
        *_too_little(votes, ballots),
        *_copied(votes, labelling),
        *_repeating(labelling),
    )


def _against_all(votes: Votes, labelling: Labelling, ballots: Ballots, answer: Matrix) -> Iterator[str]:
    """Rows whose label none of their votes names, with the labelers that are overruled most."""
    rows = np.flatnonzero(against_all(ballots, answer))
    if not len(rows):
        return
    cast = ballots.take(rows).matrix.indices
    counts = np.bincount(cast, minlength=ballots.matrix.shape[1])
    worst = int(counts.argmax())
    source, said = worst // ballots.n_classes, worst % ballots.n_classes
    given = int(np.bincount(answer[rows].argmax(axis=1)).argmax())
    yield (
        f"{_rows(len(rows))} labelled against every vote on them, mostly as {votes.classes[given]!r}: "
        f"{counts[worst]:,} of these votes are {votes.labelers[source]!r} saying {votes.classes[said]!r}, whose accuracy is "
        f"estimated as {labelling.accuracy[source]:.0%}, and the share of {votes.classes[given]!r} as "
        f"{labelling.prior[given]:.0%}{_nearby(labelling)}; if the votes are right, give that share or trusted labels, or use "
        "majority"
    )


def _nearby(labelling: Labelling) -> str:
    trust = float(labelling.parameters.get("trust", np.zeros(1))[0])
    return ", and votes on rows nearby speak for it" if trust else ""


def _collapsed(votes: Votes, labelling: Labelling, ballots: Ballots, answer: Matrix) -> Iterator[str]:
    """All rows get one class though votes name several."""
    rows = ballots.covered
    voted = ballots.shares[rows].sum(axis=0) / max(float(ballots.shares.sum()), 1.0)
    labels = np.bincount(answer[rows].argmax(axis=1), minlength=ballots.n_classes)
    named = np.flatnonzero(voted > 0)
    if len(named) > 1 and rows.sum() > 1 and (labels > 0).sum() == 1:
        only = int(labels.argmax())
        rival = int(np.where(np.arange(len(voted)) == only, -1.0, voted).argmax())
        yield (
            f"every row with a vote is labelled {votes.classes[only]!r}, though {voted[rival]:.0%} of the votes say "
            f"{votes.classes[rival]!r}: the share of {votes.classes[only]!r} is estimated as {labelling.prior[only]:.0%} "
            "and no vote outweighs it; give the true shares or trusted labels"
        )


def _worse_than_chance(votes: Votes, labelling: Labelling, ballots: Ballots) -> Iterator[str]:
    """Labelers whose accuracy lies below what their choice of words would give without looking."""
    cast = ballots.said.sum(axis=1)
    chance = (ballots.said @ labelling.prior) / np.maximum(cast, 1.0)
    below = np.flatnonzero((cast > 0) & (labelling.interval[:, 1] < chance))
    if len(below):
        names = [f"{votes.labelers[i]!r} ({labelling.accuracy[i]:.0%}, chance {chance[i]:.0%})" for i in below]
        yield (
            f"estimated worse than chance: {first_three(names)}; their votes count for nothing at best: "
            "mend or drop them, or check with trusted labels"
        )


def _too_little(votes: Votes, ballots: Ballots) -> Iterator[str]:
    """Votes from which accuracies cannot be learnt."""
    speaking = int((ballots.said.sum(axis=1) > 0).sum())
    named = np.flatnonzero(ballots.said.sum(axis=0) > 0)
    if len(votes) == 1:
        yield "there is one row: nothing can be learnt of the labelers from it"
    elif ballots.n_votes.max() < 1.5:
        yield "no row has the votes of two labelers: their accuracies are believed, not learnt"
    if speaking < FEW:
        yield (
            f"{'one labeler votes' if speaking == 1 else f'{speaking} labelers vote'}: which of them is right cannot be "
            "told from votes of fewer than three; add labelers or trusted labels"
        )
    if len(named) == 1:
        yield f"all votes say {votes.classes[named[0]]!r}: no label can tell rows apart; add labelers for other classes"


def _copied(votes: Votes, labelling: Labelling) -> Iterator[str]:
    """Labelers that repeat one another, and what they count together."""
    groups, worth = labelling.parameters.get("copies"), labelling.parameters.get("worth")
    if groups is None or worth is None:
        return
    for group in np.flatnonzero(np.bincount(groups) > 1):
        members = np.flatnonzero(groups == group)
        names, together = first_three([repr(votes.labelers[i]) for i in members]), float(worth[members].sum())
        if together < EXACT:
            yield f"say the same on the same rows, and count as one labeler: {names}"
        else:
            yield (
                f"agree more than labelers that err independently: {names}; the {len(members)} of them count as "
                f"{together:.1f}"
            )


def _repeating(labelling: Labelling) -> Iterator[str]:
    """Votes of a row that are worth much less than their number."""
    overlap = float(labelling.parameters.get("overlap", np.zeros(1))[0])
    if overlap >= STRONG:
        yield (
            f"votes of one row repeat one another: three count as {3 / (1 + 2 * overlap):.1f}; labelers may share a "
            "source, or some rows are hard for all of them"
        )


def _rows(count: int) -> str:
    return "one row is" if count == 1 else f"{count:,} rows are"
