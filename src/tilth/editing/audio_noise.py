"""Audio noise: white noise added to sounds at a ratio to their own level.

    x' = x + level(x) · 10^(−ratio / 20) · e,  e standard normal, level = root mean square

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
from tilth.numerics.cell_changes import normals
from tilth.numerics.sound_changes import noisy
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, chosen, refuse_severity
from tilth.operators.vector_cells import change_vectors, refuse_unnamed

__all__ = ["AudioNoise"]

RATIOS = (40.0, 30.0, 20.0, 15.0, 10.0)
"""Signal to noise in decibels, by severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioNoise:
    """Add white noise to sounds.

    Columns have to be named: that vectors are samples of sound cannot be seen.

    Parameters
    ----------
    severity : 1 to 5: a signal 40, 30, 20, 15 or 10 decibels above the noise
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
    def example(cls) -> AudioNoise:
        """Return one for a column of samples."""
        return cls(columns=("a_embedding",))

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with noise; raises NotApplicable where no column is named."""
        refuse_unnamed(self.columns)
        ratio = at_severity(RATIOS, self.severity)

        def change(name: str, sounds: Matrix, digests: Digests) -> Matrix:
            noise = normals(draw.child(name).several(digests, sounds.shape[1]))
            return noisy(sounds, noise, np.full(len(sounds), ratio))

        return change_vectors(batch, chosen(batch, self.columns, self.accepts), change)
