"""The laws of monitoring catch operators that break them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from tilth.core.errors import ContractError, NotApplicable
from tilth.core.estimate import Estimate
from tilth.operators.view import View
from tilth.testing.contracts import contracts_for


@dataclass(frozen=True, kw_only=True)
class OldScore:
    """The score of the reference, with an interval that says nothing: it holds the laws."""

    needs: ClassVar[frozenset[str]] = frozenset({"scores"})
    revision: ClassVar[int] = 1

    def width(self, reference: View, current: View) -> float:
        return 3 / np.sqrt(min(len(reference), len(current)))

    def middle(self, reference: View) -> float:
        return float(np.mean(reference.scores))

    def estimate(self, reference: View, current: View) -> Estimate:
        if not len(reference) or not len(current):
            raise NotApplicable("there are no rows")
        value, half = self.middle(reference), self.width(reference, current)
        return Estimate(value=value, low=value - half, high=value + half, standard_error=half / 2)


@dataclass(frozen=True, kw_only=True)
class TooSure(OldScore):
    def width(self, reference: View, current: View) -> float:
        return 0.001


@dataclass(frozen=True, kw_only=True)
class Gambles(OldScore):
    def middle(self, reference: View) -> float:
        return super().middle(reference) + np.random.rand() / 100  # noqa: NPY002 - the fault


@dataclass(frozen=True, kw_only=True)
class ByPosition(OldScore):
    def middle(self, reference: View) -> float:
        return float(np.mean(reference.scores[: len(reference) // 2 + 1]))


@dataclass(frozen=True, kw_only=True)
class NeedsMore(OldScore):
    needs: ClassVar[frozenset[str]] = frozenset({"scores", "horoscope"})


@dataclass(frozen=True, kw_only=True)
class FarFromNothing:
    """Rows of which the last feature is small: foreign ones are planted there."""

    needs: ClassVar[frozenset[str]] = frozenset({"embeddings"})
    revision: ClassVar[int] = 1
    sign: ClassVar[float] = -1.0

    def outlying(self, reference: View, current: View) -> np.ndarray:
        return self.sign * current.embeddings[:, 3].astype(np.float64)


@dataclass(frozen=True, kw_only=True)
class Turned(FarFromNothing):
    sign: ClassVar[float] = 1.0


def breaches(kind: type) -> set[str]:
    """Names of the laws of behaviour that a class breaks; those of form are for files."""
    broken = set()
    for contract in contracts_for(kind):
        if contract.check.__module__.endswith("_monitor_laws"):
            try:
                contract()
            except ContractError:
                broken.add(contract.check.__name__)
    return broken


@pytest.mark.parametrize("kind", [OldScore, FarFromNothing])
def test_sound_ones_hold_the_laws(kind):
    assert breaches(kind) == set()


@pytest.mark.parametrize(
    ("kind", "law"),
    [
        (TooSure, {"holds_the_truth", "doubts_few_rows"}),
        (Gambles, {"keeps_to_itself", "follows_row_ids"}),
        (ByPosition, {"follows_row_ids"}),
        (NeedsMore, {"needs_are_known"}),
        (Turned, {"foreign_rows_stand_out"}),
    ],
)
def test_each_fault_is_caught(kind, law):
    assert breaches(kind) == law
