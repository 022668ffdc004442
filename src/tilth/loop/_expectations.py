"""What a change of a row should do to the prediction: nothing, turn it, or move the probability of a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tilth.core.arrays import Mask, Matrix, Vector
from tilth.core.errors import ConfigError, did_you_mean, first_three

__all__ = ["Expectation", "expectation_of", "flipped", "movement"]

USUAL_MOVE = 0.1
"""Share of the standard deviation of predicted numbers by which one may move and count as the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What should happen; `code` is the class whose probability moves, None for predicted numbers."""

    word: str
    code: int | None = None
    tolerance: float = 0.0

    def broken(self, before: Matrix, after: Matrix) -> Mask:
        """Return the rows whose prediction did not do so; (n, k), (n, k) -> (n,)."""
        if self.word in ("same", "flips"):
            turned = flipped(before, after, self.tolerance)
            return turned if self.word == "same" else ~turned
        moved = after[:, self.code or 0] - before[:, self.code or 0]
        return np.asarray((moved if self.word == "up" else -moved) <= self.tolerance)


def expectation_of(text: str, classes: Sequence[str], tolerance: float | None, before: Matrix) -> Expectation:
    """Return an expectation as it is written; raises ConfigError for an unknown word or class.

    Without a tolerance a probability must move in its direction at all; a predicted number counts as the same within a tenth of
    the standard deviation of the predictions.
    """
    word, _, name = (text or "same").partition(" ")
    if word not in ("same", "flips", "up", "down"):
        raise ConfigError(f"expect cannot be {text!r}", next_step="write same, flips, up CLASS or down CLASS")
    usual = USUAL_MOVE * float(before[:, 0].std()) if not classes and word in ("same", "flips") and len(before) else 0.0
    amount = usual if tolerance is None else tolerance
    if word in ("same", "flips") or not classes:
        return Expectation(word=word, tolerance=amount)
    if name not in classes:
        raise ConfigError(
            f"{name!r} is no class.{did_you_mean(name, classes)}",
            next_step=f"write {word} and one of {first_three(classes)}",
        )
    return Expectation(word=word, code=list(classes).index(name), tolerance=amount)


def flipped(before: Matrix, after: Matrix, tolerance: float) -> Mask:
    """Return the rows whose class is another, or whose number moved by more than the tolerance; (n, k), (n, k) -> (n,)."""
    if before.shape[1] == 1:
        return np.asarray(np.abs(after[:, 0] - before[:, 0]) > tolerance)
    return np.asarray(before.argmax(axis=1) != after.argmax(axis=1))


def movement(before: Matrix, after: Matrix) -> Vector:
    """Return how far predictions moved: half the sum of absolute differences of probabilities, or of the numbers; (n,)."""
    return np.asarray(np.abs(after - before).sum(axis=1) / 2)
