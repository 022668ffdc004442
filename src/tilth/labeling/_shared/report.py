"""What every label model says of its labelers in the same way, and what trusted rows make of its answer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tilth.core.arrays import Mask, Matrix, Vector
from tilth.core.labelling import Known, Labelling
from tilth.core.votes import Votes
from tilth.labeling._shared.ballots import Ballots
from tilth.numerics.distributions import normal_point

__all__ = ["labelling_of", "settled"]

LEVEL = 0.95


def labelling_of(
    model: str,
    votes: Votes,
    ballots: Ballots,
    *,
    prior: Vector,
    accuracy: Vector,
    information: Vector,
    parameters: Mapping[str, np.ndarray],
    warnings: tuple[str, ...] = (),
) -> Labelling:
    """Return a labelling whose intervals follow from how many votes' worth is known of each accuracy.

    Parameters
    ----------
    prior : (k,)
    accuracy : (m,) in [0, 1]; ignored for labelers that never vote
    information : (m,) votes of known rightness that would tell as much
    """
    counts = ballots.said.sum(axis=1)
    silent = counts <= 0
    return Labelling(
        model=model,
        labelers=votes.labelers,
        classes=votes.classes,
        prior=prior,
        coverage=counts / max(len(votes), 1),
        accuracy=np.where(silent, np.nan, accuracy),
        interval=np.where(silent[:, None], np.nan, score_interval(accuracy, information)),
        parameters=parameters,
        warnings=warnings,
    )


def score_interval(share: Vector, n: Vector) -> Matrix:
    """Return Wilson's score interval of many shares; (m,), (m,) -> (m, 2); n may be fractional, and 0 gives [0, 1]."""
    z = normal_point((1.0 - LEVEL) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    ends = np.stack([middle - half, middle + half], axis=1)
    return np.where((n > 0)[:, None], np.clip(ends, 0.0, 1.0), np.array([0.0, 1.0]))


def settled(posterior: Matrix, covered: Mask, prior: Vector, known: Known) -> Matrix:
    """Return the posterior with the prior on rows without a vote and the truth on trusted rows; (n, k) -> (n, k)."""
    answer = np.where(covered[:, None], posterior, prior)
    if known.truth is not None and known.trusted is not None:
        answer[known.trusted] = known.truth[known.trusted]
    return answer
