"""Audio shift: sounds moved in time, with silence where nothing is left.

    x'[i] = x[i − s],  s uniform in [−most, most] · length, at least one sample

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
from tilth.numerics.sound_changes import shifted
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, chosen, refuse_severity
from tilth.operators.vector_cells import change_vectors, refuse_unnamed

__all__ = ["AudioShift"]

SHARES = (0.01, 0.05, 0.1, 0.2, 0.3)
"""Of the length at most, by severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioShift:
    """Move sounds in time.

    Columns have to be named: that vectors are samples of sound cannot be seen.

    Parameters
    ----------
    severity : 1 to 5: by up to 1, 5, 10, 20 or 30 % of their length, at least one sample
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
    def example(cls) -> AudioShift:
        """Return one for a column of samples."""
        return cls(columns=("a_embedding",))

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows moved in time; raises NotApplicable where no column is named."""
        refuse_unnamed(self.columns)
        share = at_severity(SHARES, self.severity)

        def change(name: str, sounds: Matrix, digests: Digests) -> Matrix:
            where = 2 * draw.child(name).uniforms(digests) - 1
            far = np.maximum(1, np.rint(np.abs(where) * share * sounds.shape[1]))
            return shifted(sounds, (np.where(where < 0, -far, far)).astype(np.intp))

        return change_vectors(batch, chosen(batch, self.columns, self.accepts), change)
