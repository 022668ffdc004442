"""How rows are to be split: what the project file says under `splits`."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from tilth.core.names import Split

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["JUDGED", "ROW_ORDER", "Shares", "SplitPlan"]

ROW_ORDER = "ROW_ORDER"
"""Written where a time column may stand: the order of rows is their time."""
JUDGED = (Split.TRAIN, Split.DEV, Split.TEST)
"""The splits that a measured run needs, oldest first."""
NAMES: Mapping[str, Split] = MappingProxyType(
    dict.fromkeys(("val", "valid", "validation", "eval"), Split.DEV) | {split.value: split for split in Split}
)
"""What the names of splits are read as, in any case; other names become unused."""


class Shares(NamedTuple):
    """The shares of rows that a cut gives to each split; where two are cut, their ratio counts."""

    train: float = 0.6
    dev: float = 0.2
    test: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitPlan:
    """How rows are split.

    Parameters
    ----------
    column : the column that names each row's split, or None
    names : what names of splits mean, where it is not what `split_of` knows by itself
    shares : what a cut gives to train, dev and test
    time : the column by which a cut runs forward, ROW_ORDER, or None
    """

    column: str | None = None
    names: Mapping[str, Split] = field(default_factory=dict)
    shares: Shares = field(default_factory=Shares)
    time: str | None = None

    def split_of(self, name: str) -> Split | None:
        """Return the split that a name means, the plan's own names first; None if it says nothing."""
        word = name.strip().casefold()
        own = {key.strip().casefold(): split for key, split in self.names.items()}
        return self.names.get(name) or own.get(word) or NAMES.get(word)
