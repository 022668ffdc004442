"""Values: what each row is worth; signed, higher helps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tilth.core.arrays import Vector
from tilth.core.rowset import RowSet
from tilth.core.spec import Spec

__all__ = ["Values"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Values:
    """What one valuer says each row of one version is worth.

    Parameters
    ----------
    operator : the valuer that measured them
    ids : the rows that have a value, in the view's order; rows without a label have none
    values : (len(ids),) finite; of two rows the one with the higher value helps more
    unit : what one unit is, in words, and whether the sign has a meaning: values of two valuers are compared by rank only
    standard_errors : (len(ids),) >= 0, in the unit of the values, or None where the valuer does not know them
    """

    operator: Spec
    ids: pa.Array
    values: Vector
    unit: str
    standard_errors: Vector | None = None

    def __post_init__(self) -> None:
        """Refuse lengths that disagree and numbers that are not finite."""
        errors = np.zeros(len(self.ids)) if self.standard_errors is None else self.standard_errors
        if not len(self.ids) == len(self.values) == len(errors):
            raise ValueError("ids, values and standard errors must have one length")
        if not (np.isfinite(self.values).all() and np.isfinite(errors).all() and (errors >= 0).all()):
            raise ValueError("values must be finite, and standard errors finite and not negative")

    def __len__(self) -> int:
        """Number of rows that have a value."""
        return len(self.ids)

    @property
    def name(self) -> str:
        """Name of the valuer."""
        return self.operator.name

    def lowest(self, n: int) -> RowSet:
        """Return the n rows of least worth, least first, ties in row order; the scores are the values with their sign turned."""
        order = np.argsort(self.values, kind="stable")[: max(n, 0)]
        reason = f"of little worth by {self.name}"
        return RowSet(ids=self.ids.take(pa.array(order, pa.int64())), scores=-self.values[order], reason=reason)
