"""How many labels by hand would be as good as labels from votes: their gain on dev, read off the learning curve of the labels of now.

    n: the curve's gain from n more labels = the gain of the edit

The curve's law is uncertain, and so is the gain: the interval goes from the fewest labels that the curve's upper bound allows for the
lower bound of the gain to the most that its lower bound allows for the upper one; it has no end where that is never reached.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tilth.core.by_hand import ByHand
from tilth.core.errors import LabelError, NotApplicable, UsageError
from tilth.core.estimate import Estimate
from tilth.core.trial import Trial
from tilth.loop.more_rows import fitted_curve_of
from tilth.loop.workshop import Workshop
from tilth.store.version import Version

__all__ = ["by_hand", "labels_for"]

EDITOR = "label_from_votes"
MOST_ROWS = 5_000
"""Labelled train rows up to which the curve is measured within a run: about a minute."""
FARTHEST, STEPS = 64.0, 121
"""How many times the labels of now are looked at, and in how many steps."""


def by_hand(workshop: Workshop, version: Version, trials: Sequence[Trial]) -> tuple[ByHand, ...]:
    """Return for each trial of labels from votes that gained how many labels by hand would have gained as much.

    Raises NotApplicable where there are too few labels, or too many, to say within a run what more of them would bring.
    """
    gained = [one for one in trials if one.operator.name == EDITOR and one.gain.value > 0]
    if not gained:
        return ()
    try:
        curve, labelled = fitted_curve_of(workshop, version, most=MOST_ROWS)
    except (LabelError, UsageError) as error:
        raise NotApplicable(f"what more labels by hand would bring cannot be told: {error.what}") from error
    return tuple(
        ByHand(edit=one.edit, **labels_for(one.gain, lambda n: curve.gain(n, since=labelled), labelled))
        for one in gained
    )


def labels_for(gain: Estimate, gain_at: Callable[[int], Estimate], labelled: int) -> dict[str, int | None]:
    """Return how many more labels bring a gain, with the ends of the interval; None where none of those looked at do.

    Parameters
    ----------
    gain : of the edit
    gain_at : number of labels -> by how much they are better than those of now
    labelled : labels of now
    """
    sizes = np.unique(np.ceil(labelled * np.geomspace(1.0, FARTHEST, STEPS)[1:]).astype(int))
    at = [gain_at(int(n)) for n in sizes]

    def first(reached: Sequence[float], wanted: float) -> int | None:
        return next((int(n) - labelled for n, value in zip(sizes, reached, strict=True) if value >= wanted), None)

    return {
        "rows": first([one.value for one in at], gain.value),
        "low": first([one.high for one in at], max(gain.low, 0.0)),
        "high": first([one.low for one in at], gain.high),
    }
