"""PolicyCard: what a policy that was not kept does to rows, so that a person sees why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tilth.core.estimate import Estimate
from tilth.core.transform_card import TransformCard

__all__ = ["PolicyCard"]

_FIGURES = ("applies", "realism", "drift", "diversity", "unchanged")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCard:
    """The figures of a transform's report card, of a whole policy: one draw for each of some train rows.

    Parameters
    ----------
    edit : id of the edit that gives rows the policy
    rows : train rows that were tried
    applies : share of rows that it changes; the other figures are of these
    realism : AUROC of a classifier that tells changed rows from real ones that it did not see
    drift : points of agreement with the label that are lost, in [-1, 1], by models that did not see the rows
    diversity : mean distance of two draws of a row; 1 = of a row to its nearest
    unchanged : share of rows of which the current model predicts the same
    note : why figures are missing, and what they leave out; "" where nothing is
    """

    edit: str
    rows: int
    applies: Estimate | None = None
    realism: Estimate | None = None
    drift: Estimate | None = None
    diversity: Estimate | None = None
    unchanged: Estimate | None = None
    note: str = ""

    @classmethod
    def of(cls, edit: str, card: TransformCard) -> PolicyCard:
        """Return what the report card of a policy says of an edit."""
        figures = {name: getattr(card, name) for name in _FIGURES}
        note = "; ".join(part for part in (card.note, *card.notes) if part)
        return cls(edit=edit, rows=card.tried, note=note, **figures)

    @classmethod
    def from_record(cls, values: Mapping[str, Any]) -> PolicyCard:
        """Build a card from its plain values."""
        figures = {name: None if values[name] is None else Estimate(**values[name]) for name in _FIGURES}
        return cls(**{**values, **figures})

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: each figure with its interval."""
        found = {name: getattr(self, name) for name in _FIGURES}
        figures = {
            name: None if one is None else {"value": one.value, "interval": one.as_list()}
            for name, one in found.items()
        }
        return {"rows": self.rows, **figures, "note": self.note}
