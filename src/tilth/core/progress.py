"""Progress: the one callback through which long work speaks; doors render it, libraries never print."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "silent"]


class Progress(Protocol):
    """Called with the stage, what is being done, and how far: `done` of `total` (0 = unknown)."""

    def __call__(self, stage: str, detail: str = "", done: int = 0, total: int = 0) -> None:
        """Take note of progress."""
        ...


def silent(stage: str, detail: str = "", done: int = 0, total: int = 0) -> None:
    """Say nothing."""
    del stage, detail, done, total
