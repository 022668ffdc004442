"""What the votes on rows nearby tell of a row, and how right labelers are in its region.

    near(c)  = (sum over the row's near rows j of  w_j · p(c | votes on j)  +  1/2 prior(c)) / (sum of w_j + 1/2)
    w_j      = exp(-2 (distance_j / reach)^2)             reach: the median distance of the farthest near rows
    p(c | row) ∝ prior(c)^(1 - trust) · near(c)^trust · product over its votes of chance_i(v | c, region)

`trust` in [0, 1]: at 1 what lies nearby stands in the place of the prior, and nothing nearby ever counts for more than that. A
row that no labeler votes on is labelled by what lies nearby, where the near rows weigh as much as half a row at no distance;
else it gets the prior.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_array

from tilth.core.arrays import FloatMatrix32, IntVector, Mask, Matrix, Vector
from tilth.core.labelling import Labelling
from tilth.labeling._shared.ballots import Ballots
from tilth.labeling._shared.em import Parameters, Told, discount, normalised
from tilth.labeling._shared.expert import parameters_of
from tilth.labeling._shared.left_out import own_part
from tilth.numerics.neighbours import Neighbours, k_nearest, without_self
from tilth.numerics.regions import Axes, centres_of, region_of

__all__ = ["Nearby", "Place", "Places", "nearby_of"]

NEAR = 20
LEAST_REACH = 1e-9
PULL = 0.5
"""Rows that the prior weighs as much as, beside the near rows; and the weight of near rows from which on a row is reached."""
GROUPS = 30
"""Groups of labelers whose votes are left out nearby, in turn, where a vote is to be foretold without its labeler."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """Where n rows lie.

    Parameters
    ----------
    weights : (n, s) of their near reference rows; 0 for the row itself
    near : (n, s) numbers of the reference rows
    region : (n,)
    """

    weights: Matrix
    near: IntVector
    region: IntVector

    @cached_property
    def total(self) -> Vector:
        """Weight of all near rows; (n,)."""
        return np.asarray(self.weights.sum(axis=1))

    @classmethod
    def nowhere(cls, n: int) -> Place:
        """Return rows that lie near no other."""
        return cls(weights=np.zeros((n, 1)), near=np.zeros((n, 1), dtype=np.intp), region=np.zeros(n, dtype=np.intp))

    @property
    def reached(self) -> Mask:
        """Rows that lie near enough to others; (n,)."""
        return np.asarray(self.total >= PULL)

    def mean(self, beliefs: Matrix, prior: Vector, rows: IntVector | slice = slice(None)) -> Matrix:
        """Return what the near rows of some rows come to, with the prior; (r, k) beliefs of all reference rows."""
        weights, near = self.weights[rows], self.near[rows]
        sums = np.stack([np.einsum("ns,ns->n", weights, column[near]) for column in beliefs.T], axis=1)
        return np.asarray((sums + PULL * prior) / (self.total[rows] + PULL)[:, None])


@dataclass(frozen=True, kw_only=True, eq=False)
class Places:
    """The reference rows and how others are placed among them.

    Parameters
    ----------
    axes : from embeddings to coordinates
    refs : (r, e) coordinates of the reference rows
    ids : (r,) their row ids
    reach : distance at which a near row weighs exp(-2)
    centres : (c, e) of the regions
    """

    axes: Axes
    refs: Matrix
    ids: pa.Array
    reach: float
    centres: Matrix

    @classmethod
    def among(cls, axes: Axes, points: Matrix, ids: pa.Array) -> tuple[Places, Place]:
        """Return the places of reference rows, (r, e), in one region, and where they lie themselves, none near itself."""
        found = k_nearest(points, NEAR, metric="euclidean", exclude_self=True)
        reach = max(float(np.median(found.distances[:, -1])), LEAST_REACH)
        places = cls(axes=axes, refs=points, ids=ids, reach=reach, centres=centres_of(points, 1))
        return places, _placed(found, reach, np.zeros(len(points), dtype=np.intp))

    def cut(self, own: Place, number: int) -> tuple[Places, Place]:
        """Return the places with so many regions, and where the reference rows lie then."""
        finer = replace(self, centres=centres_of(self.refs, number))
        return finer, replace(own, region=region_of(self.refs, finer.centres))

    def kept(self) -> Mapping[str, np.ndarray]:
        """Return the arrays that `nearby_of` reads."""
        return {
            "middle": self.axes.middle,
            "directions": self.axes.directions,
            "refs": self.refs,
            "ref_ids": np.asarray(self.ids.to_pylist()),
            "reach": np.array([self.reach]),
            "centres": self.centres,
        }

    def place(self, embeddings: FloatMatrix32, ids: pa.Array) -> Place:
        """Place rows by their embeddings, none near itself; (n, d), (n,)."""
        points = self.axes.of(embeddings)
        found = k_nearest(self.refs, NEAR + 1, queries=points, metric="euclidean", exclude_self=False)
        own = np.asarray(pc.fill_null(pc.index_in(ids, value_set=self.ids.cast(ids.type)), -1))
        return _placed(without_self(found, own), self.reach, region_of(points, self.centres))


def _placed(found: Neighbours, reach: float, region: IntVector) -> Place:
    return Place(weights=np.exp(-2.0 * np.square(found.distances / reach)), near=found.positions, region=region)


@dataclass(frozen=True, kw_only=True, eq=False)
class Nearby:
    """A label model that heeds where rows lie.

    Parameters
    ----------
    overall : what is believed of the labelers on all rows
    local : the same in each region, one or more
    trust : how much what lies nearby counts, in [0, 1]
    told : votes and trusted truth of the reference rows; copies share a vote
    region : (r,) of the reference rows
    copies : (m,) copy group of each labeler
    """

    overall: Parameters
    local: tuple[Parameters, ...]
    trust: float
    told: Told
    region: IntVector
    copies: IntVector

    @property
    def prior(self) -> Vector:
        """Share of each class; (k,)."""
        return self.overall.prior

    def nowhere(self) -> Nearby:
        """Return what holds for rows of which nobody knows where they lie."""
        return replace(self, local=(self.overall,), trust=0.0, region=np.zeros_like(self.region))

    @cached_property
    def beliefs(self) -> Matrix:
        """What the votes on each reference row come to by themselves; (r, k)."""
        return self._by_votes(np.ones(self.told.ballots.n_labelers, dtype=bool))

    def start(self, near: Matrix) -> Matrix:
        """Return the log score of each class before a row's own votes; (n, k) -> (n, k)."""
        first = self.overall.start
        return np.asarray(first + self.trust * (np.log(np.maximum(near, 1e-9)) - first))

    def posterior(self, ballots: Ballots, place: Place) -> Matrix:
        """Return p(class | votes here and nearby); (n, k)."""
        near = place.mean(self.beliefs, self.prior)
        answer, _ = normalised(self._scores(ballots, place.region) + self.start(near))
        return answer

    def _scores(self, ballots: Ballots, region: IntVector, heard: Mask | None = None) -> Matrix:
        """What the votes on n rows add to the log score of each class, evidence that repeats counted once; (n, k).

        Of labelers that are not heard, neither votes nor silence count; (m,).
        """
        if heard is not None and not heard.all():
            ballots = ballots.weighted(heard.astype(np.float64))
        summed = np.empty((len(ballots), ballots.n_classes))
        for number, believed in enumerate(self.local):
            rows = np.flatnonzero(region == number)
            base = believed.base if heard is None else believed.silence * np.log1p(-believed.voting[heard]).sum(axis=0)
            summed[rows] = np.asarray(ballots.matrix[rows] @ believed.weights) + base
        return np.asarray(summed * discount(ballots.n_votes, self.overall.overlap)[:, None])

    def _by_votes(self, heard: Mask) -> Matrix:
        """What the votes of some labelers on each reference row come to; the truth where it is trusted; (m,) -> (r, k)."""
        ballots = self.told.ballots
        answer, _ = normalised(self._scores(ballots, self.region, heard) + self.overall.start)
        said = np.asarray(ballots.matrix @ np.repeat(heard.astype(np.float64), ballots.n_classes))
        answer[said <= 0] = self.prior
        return self.told.settle(answer, slice(0, len(answer)))

    def without(self, ballots: Ballots, place: Place, rows: IntVector, columns: IntVector, near: Matrix) -> Matrix:
        """Return p(class) of the row of each vote without that vote; `near` says what lies nearby without its labeler; (v, k)."""
        k = ballots.n_classes
        summed, counted = np.empty((len(rows), k)), np.empty(len(rows))
        for number, believed in enumerate(self.local):
            inside = place.region == number
            at = inside[rows]
            all_votes = np.zeros((len(ballots), k))
            all_votes[inside] = np.asarray(ballots.matrix[inside] @ believed.weights) + believed.base
            own, counted[at] = own_part(ballots, believed, self.copies, rows[at], columns[at])
            summed[at] = all_votes[rows[at]] - own
        left = np.maximum(ballots.n_votes[rows] - counted, 0.0)
        answer, _ = normalised(summed * discount(left, self.overall.overlap)[:, None] + self.start(near))
        return answer

    def near_without(self, place: Place, rows: IntVector, sources: IntVector) -> Matrix:
        """Return what lies near the row of each vote, the votes of its labeler left out everywhere; (v,), (v,) -> (v, k)."""
        near = np.empty((len(rows), len(self.prior)))
        group = self.copies % GROUPS
        for number in np.unique(group[sources]):
            at = group[sources] == number
            near[at] = place.mean(self._by_votes(group != number), self.prior, rows[at])
        return near

    def kept(self) -> Mapping[str, np.ndarray]:
        """Return the arrays that `nearby_of` reads, beside those of the overall model."""
        votes, told = self.told.ballots.matrix, self.told
        trusted = np.zeros(len(told), dtype=bool) if told.trusted is None else told.trusted
        return {
            "all_voting": self.overall.voting,
            "all_saying": self.overall.saying,
            "local_voting": np.stack([one.voting for one in self.local]),
            "local_saying": np.stack([one.saying for one in self.local]),
            "trust": np.array([self.trust]),
            "ref_weights": votes.data,
            "ref_columns": votes.indices,
            "ref_starts": votes.indptr,
            "ref_trusted": trusted,
            "ref_truth": np.zeros((0, len(self.prior))) if told.truth is None else told.truth,
        }


def nearby_of(labelling: Labelling) -> tuple[Nearby, Places]:
    """Return the model and the places that a labelling keeps."""
    kept, m, k = labelling.parameters, len(labelling.labelers), len(labelling.classes)
    cells = (kept["ref_weights"], kept["ref_columns"], kept["ref_starts"])
    matrix = csr_array(cells, shape=(len(kept["ref_starts"]) - 1, m * k))
    truth = kept["ref_truth"]
    told = Told(
        ballots=Ballots(matrix=matrix, n_labelers=m, n_classes=k),
        truth=truth if len(truth) else None,
        trusted=kept["ref_trusted"] if len(truth) else None,
    )
    overall = parameters_of(
        replace(labelling, parameters={**kept, "voting": kept["all_voting"], "saying": kept["all_saying"]})
    )
    local = tuple(
        replace(overall, voting=voting, saying=saying)
        for voting, saying in zip(kept["local_voting"], kept["local_saying"], strict=True)
    )
    places = Places(
        axes=Axes(middle=kept["middle"], directions=kept["directions"]),
        refs=kept["refs"],
        ids=pa.array(kept["ref_ids"].tolist()),
        reach=float(kept["reach"][0]),
        centres=kept["centres"],
    )
    model = Nearby(
        overall=overall,
        local=local,
        trust=float(kept["trust"][0]),
        told=told,
        region=region_of(places.refs, places.centres),
        copies=kept["copies"],
    )
    return model, places
