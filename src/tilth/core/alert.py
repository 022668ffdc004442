"""Alert: a fact about new data, with its predicted consequence."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from tilth.core.estimate import Estimate

__all__ = ["Alert"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Alert:
    """What changed in plain words, in which rows, what it will do to the metric, and what to do."""

    what: str
    ids: pa.Array
    effect: Estimate | None
    suggestion: str
