"""Transformed: what one transform made of a block of rows, and the rows on which it failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from tilth.core.arrays import Mask
from tilth.core.said import Failure

__all__ = ["LabelEffect", "Transformed"]

LabelEffect = Literal["keep", "mix", "set"]
"""What a transform may do to the label: it stays as true as it was, becomes a mixture, or may become another one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Transformed:
    """The same n rows after a transform.

    Parameters
    ----------
    columns : the columns that it was handed, each (n,) of the type that it had
    applied : (n,) rows of which some cell is another now; all others are as they were
    failures : rows on which it failed, which are left as they were; in the order of the rows
    labels : (n,) class names where the transform knows the label after it, null elsewhere; None where it says none

    Raises
    ------
    ValueError
        Columns or labels of another length than the mask.
    """

    columns: Mapping[str, pa.Array]
    applied: Mask
    failures: tuple[Failure, ...] = ()
    labels: pa.Array | None = None

    def __post_init__(self) -> None:
        """Refuse lengths that disagree."""
        parts = [*self.columns.values(), *([] if self.labels is None else [self.labels])]
        if any(len(part) != len(self.applied) for part in parts):
            raise ValueError("columns, labels and the mask must have one length")

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.applied)
