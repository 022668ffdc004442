"""SliceSummary: the slices of a table on which predictions are worse, and what a reader must know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from tilth.core.arrays import Mask
from tilth.core.display import Displayed
from tilth.core.estimate import Estimate

__all__ = ["SliceLine", "SliceSummary"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SliceLine:
    """One slice.

    Parameters
    ----------
    name : its rule in words
    rule : the predicate: SQL over the columns
    rows : how many rows it has, of those with a score
    value : mean score of its rows, with an interval that holds after the search
    elsewhere : mean score of the other rows
    loss_share : its part of all errors (of all that rows fall short of the best score), in [0, 1]
    q_value : expected share of false ones among this slice and those that are less doubtful
    alike : predicates that hold for nearly the same rows
    members : (n,) its rows among those of the table
    """

    name: str
    rule: str
    rows: int
    value: Estimate
    elsewhere: float
    loss_share: float
    q_value: float
    alike: tuple[str, ...] = ()
    members: Mask = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "name": self.name,
            "rule": self.rule,
            "rows": self.rows,
            "value": self.value.value,
            "interval": self.value.as_list(),
            "q_value": self.q_value,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SliceSummary(Displayed):
    """What `tilth.slices` returns.

    Parameters
    ----------
    source : what the table was read from
    metric : accuracy, mae (with a minus sign: higher is better), or the name of the column of scores
    label, prediction : how they were understood, in words
    rows, scored : rows of the table, and those that have a score
    overall : mean score
    slices : the one whose score is surely lowest first
    columns : names of the columns that slices were made of
    left_out : column -> why no slice was made of it
    warnings : what a reader must know
    """

    source: str
    metric: str
    label: str
    prediction: str
    rows: int
    scored: int
    overall: Estimate
    slices: tuple[SliceLine, ...]
    columns: tuple[str, ...]
    left_out: dict[str, str]
    warnings: tuple[str, ...]

    def __len__(self) -> int:
        """Number of slices."""
        return len(self.slices)

    def to_table(self) -> pa.Table:
        """Return one row per slice: name, rule, rows, value, low, high, q_value."""
        lines = [one.to_dict() for one in self.slices]
        kinds = {"name": pa.string(), "rule": pa.string(), "rows": pa.int64(), "value": pa.float64()}
        columns = {name: pa.array([one[name] for one in lines], kind) for name, kind in kinds.items()}
        columns["low"] = pa.array([one.value.low for one in self.slices], pa.float64())
        columns["high"] = pa.array([one.value.high for one in self.slices], pa.float64())
        columns["q_value"] = pa.array([one["q_value"] for one in lines], pa.float64())
        return pa.table(columns)

    def to_dict(self) -> dict[str, Any]:
        """Return the object of `tilth slices --json`."""
        return {"slices": [one.to_dict() for one in self.slices], "overall": self.overall.value}
