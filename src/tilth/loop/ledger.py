"""The ledger: error budget, looks at the test split, and draws of questions, as the log tells them.

The budget belongs to a dev split, named by the digest of its row ids: fresh dev rows bring a fresh budget. A split that
shares rows with one that has judged before is not fresh: its runs are numbered on from there. A run is known by what it
tries; the same run again has the same number and spends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from tilth.core.estimate import Estimate
from tilth.core.ids import cell_digests, digest_of, hex_ids
from tilth.core.trial import Trial, Verdict
from tilth.numerics.error_budget import alpha_left, alpha_of_run
from tilth.store.repository import Repository

__all__ = ["Draw", "Ledger", "dev_key", "dev_sketch", "estimates"]

SKETCH = 256
"""Digests by which a dev split is recognised when some of its rows have changed."""


def dev_key(ids: pa.Array) -> str:
    """Return the name of a dev split: the digest of its row ids, whatever their order."""
    lanes = cell_digests(ids).sum(axis=0, dtype="uint64") if len(ids) else (0, 0)
    return digest_of([len(ids), int(lanes[0]), int(lanes[1])], size=8)


def dev_sketch(ids: pa.Array) -> tuple[str, ...]:
    """Return the least digests of a dev split's row ids: two splits that share 2 % of their rows share some of these.

    Source: Broder (1997), On the resemblance and containment of documents, SEQUENCES (bottom-k sketch).
    """
    return tuple(sorted(name[:12] for name in hex_ids(cell_digests(ids)))[:SKETCH])


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Rows drawn at random to be asked: for one edit among the rows where it changes decisions, or over a whole split.

    `ids` are in the order of the draw: any beginning of it is a random sample too.
    """

    purpose: str
    edit: str | None
    parent: str
    split: str
    ids: tuple[str, ...]
    n_disagreeing: int
    n_rows: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for the log."""
        return {
            "purpose": self.purpose,
            "edit": self.edit,
            "parent": self.parent,
            "split": self.split,
            "ids": list(self.ids),
            "n_disagreeing": self.n_disagreeing,
            "n_rows": self.n_rows,
        }


@dataclass(frozen=True, slots=True)
class Ledger:
    """Reads and extends the ledger of one project."""

    repository: Repository

    # -- error budget --------------------------------------------------------------------------------------------------

    def run_number(self, dev: str, key: str, sketch: Sequence[str] = ()) -> int:
        """Return the number of a run on a dev split, recording it when it is new; the same run keeps its number.

        `sketch` is the split's `dev_sketch`: runs on a split that shares rows with this one count as runs on this one.
        """
        known = [body for body in self.repository.records("budget") if self._same_life(body, dev, sketch)]
        for body in known:
            if body["key"] == key and body["dev"] == dev:
                return int(body["run"])
        number = 1 + max((int(body["run"]) for body in known), default=0)
        self.repository.record("budget", {"dev": dev, "key": key, "run": number, "sketch": list(sketch)})
        return number

    @staticmethod
    def _same_life(body: Mapping[str, Any], dev: str, sketch: Sequence[str]) -> bool:
        return body["dev"] == dev or not set(sketch).isdisjoint(body.get("sketch", ()))

    def runs_spent(self, dev: str) -> int:
        """Return how many runs have spent error on this dev split, and on those before it that share its rows."""
        numbers = (int(body["run"]) for body in self.repository.records("budget") if body["dev"] == dev)
        return max(numbers, default=0)

    def alpha_of(self, number: int, alpha: float) -> float:
        """Return what run `number` may spend."""
        return float(alpha_of_run(number, alpha))

    def alpha_left(self, dev: str, alpha: float) -> float:
        """Return what all later runs on this dev split may spend together."""
        return float(alpha_left(self.runs_spent(dev), alpha))

    # -- trials --------------------------------------------------------------------------------------------------------

    def trial(self, key: str) -> Trial | None:
        """Return a recorded trial by its key: what it was tried on, and everything that decides its figures."""
        for body in self.repository.records("trial"):
            if body["key"] == key:
                return Trial.from_dict(dict(body["trial"]))
        return None

    def record_trial(self, key: str, trial: Trial) -> None:
        """Keep a trial."""
        self.repository.record("trial", {"key": key, "trial": trial.to_dict()})

    def trials_of(self, edit_id: str) -> list[Trial]:
        """Return every recorded trial of an edit, oldest first."""
        bodies = self.repository.records("trial")
        return [Trial.from_dict(dict(b["trial"])) for b in bodies if b["trial"]["edit"] == edit_id]

    # -- a person's word over a verdict --------------------------------------------------------------------------------

    def overruled(self) -> dict[str, Verdict]:
        """Return edit id -> adopted or vetoed, the last word on each."""
        return {body["edit"]: Verdict(body["verdict"]) for body in self.repository.records("overrule")}

    def overrule(self, edit_id: str, verdict: Verdict) -> None:
        """Record a person's word."""
        self.repository.record("overrule", {"edit": edit_id, "verdict": str(verdict)})

    # -- looks at test -------------------------------------------------------------------------------------------------

    def look(self, key: str) -> dict[str, Any] | None:
        """Return the recorded look of a pair of versions, if it was spent."""
        for body in self.repository.records("look"):
            if body["key"] == key:
                return body
        return None

    def record_look(self, key: str, test: str, figures: dict[str, Estimate | None]) -> dict[str, Any]:
        """Spend a look: keep its figures and its number on this test split."""
        number = 1 + sum(body["test"] == test for body in self.repository.records("look"))
        plain = {name: None if e is None else _plain(e) for name, e in figures.items()}
        body = {"key": key, "test": test, "looks": number, "figures": plain}
        self.repository.record("look", body)
        return body

    # -- questions -----------------------------------------------------------------------------------------------------

    def draws(self) -> list[Draw]:
        """Return all draws of questions, oldest first."""
        return [Draw(**(dict(body) | {"ids": tuple(body["ids"])})) for body in self.repository.records("draw")]

    def record_draw(self, draw: Draw) -> None:
        """Keep a draw, unless it is there already."""
        if draw not in self.draws():
            self.repository.record("draw", draw.to_dict())


def _plain(estimate: Estimate) -> dict[str, float]:
    return {
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "standard_error": estimate.standard_error,
    }


def estimates(figures: dict[str, Any], names: Sequence[str]) -> list[Estimate | None]:
    """Return recorded figures as estimates."""
    return [None if figures[name] is None else Estimate(**figures[name]) for name in names]
