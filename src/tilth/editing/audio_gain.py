"""Audio gain: sounds made louder or softer, as another microphone would.

    x' = x · 10^(d / 20),  d uniform in [−most, most] decibels; clipped where samples lie in [−1, 1]

Source: Ko, Peddinti, Povey, Khudanpur (2015), Audio Augmentation for Speech Recognition, Interspeech, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tilth.core.arrays import Matrix
from tilth.core.draw import Draw
from tilth.core.ids import Digests
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.sound_changes import amplified
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, chosen, refuse_severity
from tilth.operators.vector_cells import change_vectors, refuse_unnamed

__all__ = ["AudioGain"]

DECIBELS = (1.0, 3.0, 6.0, 9.0, 12.0)
"""At most, louder or softer, by severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioGain:
    """Make sounds louder or softer.

    Columns have to be named: that vectors are samples of sound cannot be seen.

    Parameters
    ----------
    severity : 1 to 5: by up to 1, 3, 6, 9 or 12 decibels
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
    def example(cls) -> AudioGain:
        """Return one for a column of samples."""
        return cls(columns=("a_embedding",))

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows louder or softer; raises NotApplicable where no column is named."""
        refuse_unnamed(self.columns)
        most = at_severity(DECIBELS, self.severity)

        def change(name: str, sounds: Matrix, digests: Digests) -> Matrix:
            return amplified(sounds, most * (2 * draw.child(name).uniforms(digests) - 1))

        return change_vectors(batch, chosen(batch, self.columns, self.accepts), change)
