"""PolicyReport: how a policy was found, what each of its sequences came to, and what was left out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tilth.core.policy import Policy

__all__ = ["PolicyReport", "SequenceLine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceLine:
    """One sequence that was looked at.

    Parameters
    ----------
    steps : its changes, one after the other
    score : what it came to, as `PolicyReport.measure` says; higher is better
    share : how often the policy draws it; 0 for one that was left out
    rounds : rounds that it stayed in
    agreement, realism, movement : parts of the score where sequences were composed, each in [0, 1]
    """

    steps: tuple[str, ...]
    score: float
    share: float
    rounds: int = 1
    agreement: float | None = None
    realism: float | None = None
    movement: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyReport:
    """A policy and how it came to be.

    Parameters
    ----------
    how : "search", "compose", "trivial", "rand" or an edit's id
    policy : what was found
    measure : what the scores are
    baseline : the score of rows as they are, where that is one of the same kind
    lines : sequences, best first
    rows : train rows that it was measured on
    fits : trainings that it took, in full ones
    seed : of all draws
    """

    how: str
    policy: Policy
    measure: str = ""
    baseline: float | None = None
    lines: tuple[SequenceLine, ...] = ()
    rows: int = 0
    fits: float = 0.0
    seed: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        lines = [asdict(one) | {"steps": list(one.steps)} for one in self.lines]
        return {
            "how": self.how,
            "policy": self.policy.to_plain(),
            "measure": self.measure,
            "baseline": self.baseline,
            "sequences": lines,
            "rows": self.rows,
            "fits": round(self.fits, 2),
            "seed": self.seed,
        }
