"""The gate's part of the ledger: what test rows said of pairs of versions, each once.

Looks belong to test rows: test rows that share rows with earlier ones are not fresh, and earlier looks at those count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tilth.core.comparison import Comparison
from tilth.core.gate_summary import ConditionResult, condition_of
from tilth.store.repository import Repository

__all__ = ["GateLedger", "GateLook"]

KIND = "gate"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLook:
    """What test rows said of a pair of versions; `refused` says why they were not asked."""

    key: str
    test: str
    sketch: tuple[str, ...]
    conditions: tuple[ConditionResult, ...]
    comparison: Comparison | None
    refused: str = ""

    @property
    def counts(self) -> bool:
        """Whether the test rows were asked."""
        return not self.refused

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for the log."""
        return {
            "key": self.key,
            "test": self.test,
            "sketch": list(self.sketch),
            "conditions": [asdict(one) for one in self.conditions],
            "comparison": None if self.comparison is None else self.comparison.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> GateLook:
        """Build a look from what `to_dict` gave."""
        comparison = values["comparison"]
        return cls(
            key=values["key"],
            test=values["test"],
            sketch=tuple(values["sketch"]),
            conditions=tuple(condition_of(one) for one in values["conditions"]),
            comparison=None if comparison is None else Comparison.from_dict(comparison),
        )


@dataclass(frozen=True, slots=True)
class GateLedger:
    """Reads and extends the looks of the gate."""

    repository: Repository

    def look(self, key: str) -> GateLook | None:
        """Return a recorded look."""
        bodies = self.repository.records(KIND)
        return next((GateLook.from_dict(body) for body in bodies if body["key"] == key), None)

    def looks(self, test: str, sketch: Sequence[str]) -> list[GateLook]:
        """Return all looks at these test rows, and at test rows that share some with them, oldest first."""
        some = set(sketch)
        return [
            GateLook.from_dict(body)
            for body in self.repository.records(KIND)
            if body["test"] == test or not some.isdisjoint(body["sketch"])
        ]

    def record(self, look: GateLook) -> GateLook:
        """Keep a look, unless another process has kept it meanwhile; return the one that is kept."""
        known = self.look(look.key)
        if known is None:
            self.repository.record(KIND, look.to_dict())
        return known or look
