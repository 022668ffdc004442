"""Audio stretch: sounds played faster or slower at the same pitch, their length kept.

    rate = most^u,  u uniform in [−1, 1]; the end is cut, or filled with silence

Source: Salamon, Bello (2017), Deep Convolutional Neural Networks and Data Augmentation for Environmental Sound Classification, IEEE Signal
Processing Letters 24.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import Matrix
from tilth.core.draw import Draw
from tilth.core.ids import Digests
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.sound_changes import stretched
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, chosen, refuse_severity
from tilth.operators.vector_cells import change_vectors, refuse_unnamed

__all__ = ["AudioStretch"]

RATES = (1.02, 1.05, 1.1, 1.2, 1.4)
"""Faster or slower at most, by severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioStretch:
    """Play sounds faster or slower.

    Columns have to be named: that vectors are samples of sound cannot be seen.

    Parameters
    ----------
    severity : 1 to 5: by up to 2, 5, 10, 20 or 40 %
    columns : the columns of samples; they must be named

    Randomness
    ----------
    seed, operator, column and row id decide everything
    """

    severity: int = 2
    columns: tuple[str, ...] = ()

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.EMBEDDING})
    label: ClassVar[LabelEffect] = "keep"
    must_name_columns: ClassVar[bool] = True
    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse what is no severity."""
        refuse_severity(self.severity)

    @classmethod
    def example(cls) -> AudioStretch:
        """Return one for a column of samples."""
        return cls(columns=("a_embedding",))

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows faster or slower; raises NotApplicable where no column is named."""
        refuse_unnamed(self.columns)
        most = at_severity(RATES, self.severity)

        def change(name: str, sounds: Matrix, digests: Digests) -> Matrix:
            return stretched(sounds, np.power(most, 2 * draw.child(name).uniforms(digests) - 1))

        return change_vectors(batch, chosen(batch, self.columns, self.accepts), change)
