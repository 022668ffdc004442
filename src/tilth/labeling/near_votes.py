"""Near votes: what labelers say of rows nearby, and how right they are in a row's region, by embeddings.

    p(class c | row) ∝ prior(c)^(1 - trust) · near(c)^trust · product over its votes of  chance_i(v | c, region)^discount

Votes are extended: what the votes on the twenty nearest rows come to, by kernel weights, stands in the place of the prior, as far
as it helps. Rows without a vote get a label by it where other rows lie near. Accuracies are local: each region has its own, which
100 rows of "as everywhere" hold back.

Nothing is set by hand for a set of data: `trust` and the number of regions (1: as everywhere) are those that best foretell each
vote from the other votes of its row and from rows nearby, the votes of its labeler left out there too, as `auto` judges models.
The fewest regions and the least trust within a standard error of the best are taken, none where nothing is gained. How right labelers
are over all rows is learnt as by `one_coin`.

What it cannot see: votes that are alike on alike rows for another reason than the class. Keyword rules of one author, or rows that
differ in what a text is about (which pair of people, say) and not in the text, look like labels that lie together.

Source: Chen, Fu, Adila, Zhang, Sala, Fatahalian, Ré (2022), Shoring up the foundations: fusing model embeddings and weak
supervision, UAI (vote extension and local accuracies; there per labeler with a radius, here all votes nearby together); Zhu,
Ghahramani, Lafferty (2003), ICML (labels that spread over near rows); Morris (1983), JASA 78 (local figures held back by the whole).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import ClassVar

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.errors import NotApplicable
from tilth.core.labelling import Known, Labelling
from tilth.core.votes import Votes
from tilth.labeling._shared import (
    Ballots,
    Belief,
    Nearby,
    Place,
    Places,
    Statistics,
    Told,
    ballots_of,
    by_row,
    fit_by_em,
    fold,
    is_handed_out,
    merge,
    nearby_of,
    parameters_of,
    settled,
    start,
    vote_scores,
    votes_in_company,
)
from tilth.numerics.regions import principal_axes

__all__ = ["NearVotes"]

NOTHING = Known()
AXES = 32
REFS = 2_000
"""Rows that others are placed among, evenly spaced among those with a vote or a trusted label."""
LEAST_ROWS = 100
LEAST_LABELERS = 5
"""Labelers: with three or four, that they agree nearby may be a habit which they share, and there is none to tell."""
TRUSTS = (0.0, 0.25, 0.5, 0.75, 1.0)
REGIONS = (1, 4, 8)
ROUNDS = 12
"""Rounds in which regions learn from what they make of their rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NearVotes:
    """Heed what labelers say of rows nearby, and how right they are in each region.

    Needs `Known.embeddings`, in `fit` and in `predict`; without them `predict` takes every row to lie nowhere. Cost beside that of
    `one_coin`: a search for the twenty nearest of at most 2,000 rows, O(n · 2,000 · 32) time, and O(2,000 v / n · 30) to choose.

    Parameters
    ----------
    accuracy : float
        Share of right votes that a labeler is believed to have before votes are seen; default 0.8, four in five.
    strength : float
        Votes that this belief weighs as much as, and rows that equal shares of the classes do; default 50.
    local : float
        Rows in each region that "labelers are as everywhere" weighs as much as; default 100.

    Raises
    ------
    NotApplicable
        There are no embeddings, fewer than five labelers vote, or fewer than 100 rows have a vote.

    Randomness
    ----------
    None.

    Source
    ------
    Chen et al. (2022), UAI.
    """

    accuracy: float = 0.8
    strength: float = 50.0
    local: float = 100.0

    revision: ClassVar[int] = 1

    def fit(self, votes: Votes, known: Known = NOTHING) -> Labelling:
        """Return what votes say of the labelers in each region, and how far rows nearby are to be trusted."""
        embeddings = known.embeddings
        if embeddings is None:
            raise NotApplicable("there are no embeddings of the rows", next_step="use a label model that needs none")
        self._refuse_few(votes)
        plain = fit_by_em("near_votes", votes, replace(known, embeddings=None), self._belief)
        overall, copies = parameters_of(plain), plain.parameters["copies"]
        ballots = ballots_of(votes).weighted(plain.parameters["worth"])
        heard = ballots.covered if known.trusted is None else ballots.covered | known.trusted
        refs = _evenly(np.flatnonzero(heard), REFS)
        told = Told(
            ballots=ballots.take(refs),
            truth=None if known.truth is None else known.truth[refs],
            trusted=None if known.trusted is None else known.trusted[refs],
        )
        axes = principal_axes(embeddings[refs], AXES)
        nowhere = np.zeros(len(refs), dtype=np.intp)
        whole = Nearby(overall=overall, local=(overall,), trust=0.0, told=told, region=nowhere, copies=copies)
        model, places = self._chosen(
            whole, *Places.among(axes, axes.of(embeddings[refs]), votes.row_ids.take(pa.array(refs)))
        )
        return replace(plain, parameters={**_renamed(plain.parameters), **model.kept(), **places.kept()})

    def predict(self, votes: Votes, labelling: Labelling, known: Known = NOTHING) -> Matrix:
        """Return p(truth | votes here and nearby), (n, k); the prior where there is none, the truth where it is trusted."""
        model, places = nearby_of(labelling)
        ballots = ballots_of(votes).weighted(labelling.parameters["worth"])
        if known.embeddings is None:
            model, place = model.nowhere(), Place.nowhere(len(votes))
        else:
            place = places.place(known.embeddings, votes.row_ids)
        heard = ballots.covered | (place.reached & (model.trust > 0))
        return settled(model.posterior(ballots, place), heard, labelling.prior, known)

    @property
    def _belief(self) -> Belief:
        return Belief(accuracy=self.accuracy, strength=self.strength, by_class=np.inf)

    def _refuse_few(self, votes: Votes) -> None:
        covered, speaking = int(votes.covered.sum()), len(np.unique(votes.sources))
        if covered < LEAST_ROWS:
            raise NotApplicable(f"{covered} rows have a vote: rows nearby tell nothing below {LEAST_ROWS}")
        if speaking < LEAST_LABELERS:
            raise NotApplicable(
                f"{speaking} labelers vote: that they agree on rows nearby may be a habit which they share",
                next_step=f"use a label model that needs no embeddings, or {LEAST_LABELERS} labelers",
            )

    def _chosen(self, whole: Nearby, places: Places, own: Place) -> tuple[Nearby, Places]:
        """Return the trust, then the regions, that foretell votes best, the least within a standard error."""
        ballots = whole.told.ballots
        rows, columns = votes_in_company(ballots)
        if not len(rows):
            return whole, places

        def judged(model: Nearby, place: Place, near: Matrix) -> Vector:
            probs = model.without(ballots, place, rows, columns, near)
            return by_row(rows, vote_scores(columns, probs, ballots.matrix.shape[1]))

        near = whole.near_without(own, rows, columns // ballots.n_classes)
        trusting = [replace(whole, trust=trust) for trust in TRUSTS]
        scores = [judged(one, own, near) for one in trusting]
        best = _least_of_the_best(scores)
        model = trusting[best]
        cut, scores = [(model, places)], [scores[best]]
        for number in REGIONS[1:]:
            finer, place = places.cut(own, number)
            one = self._with_regions(model, len(finer.centres), place)
            cut.append((one, finer))
            scores.append(judged(one, place, one.near_without(place, rows, columns // ballots.n_classes)))
        return cut[_least_of_the_best(scores)]

    def _with_regions(self, model: Nearby, number: int, place: Place) -> Nearby:
        """Return the model with what labelers do in each region, learnt in a few rounds of expectation maximisation."""
        told, overall = model.told, model.overall
        model = replace(model, local=(overall,) * number, region=place.region)
        belief = replace(
            self._belief, prior=model.prior, silence=overall.silence, by_design=is_handed_out(told.ballots)
        )
        for _ in range(ROUNDS):
            posterior = told.settle(model.posterior(told.ballots, place), slice(0, len(told)))
            sums = _by_region(told.ballots, posterior, place.region, number)
            together = reduce(merge, sums)
            usual = self.local / max(float(together.totals.sum()), 1.0)
            local = (belief.update(merge(one, together.scaled(usual))) for one in sums)
            model = replace(model, local=tuple(replace(one, overlap=overall.overlap) for one in local))
        return model


def _by_region(ballots: Ballots, posterior: Matrix, region: IntVector, number: int) -> list[Statistics]:
    """Sums over the rows of each region; a row that nobody votes on counts where silence does."""
    rows = [np.flatnonzero(region == place) for place in range(number)]
    return [fold(start(ballots), ballots.matrix[part], posterior[part]) for part in rows]


def _least_of_the_best(scores: Sequence[Vector]) -> int:
    """Return the first of the models, simplest first, whose mean is within a standard error of the best one's; (r,) each."""
    best = max(scores, key=lambda values: float(values.mean()))
    for number, values in enumerate(scores):
        behind = best - values
        if behind.mean() <= behind.std() / len(behind) ** 0.5 + 1e-12:
            return number
    raise AssertionError("the best is within a standard error of itself")


def _evenly(rows: IntVector, most: int) -> IntVector:
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(np.intp)]


def _renamed(parameters: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Parameters of `one_coin` under names by which nobody takes them for all that is known."""
    own = {"voting": "all_voting", "saying": "all_saying"}
    return {own.get(name, name): values for name, values in parameters.items()}
