"""Progress: the one callback through which long work speaks; doors render it, libraries never print.

What is handed down by arguments is handed down by arguments. A learner's fit has no such argument, and may take a minute: it tells whoever
listens (`heard_by`), and nobody where nobody does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

__all__ = ["Progress", "heard_by", "silent", "tell"]


class Progress(Protocol):
    """Called with the stage, what is being done, and how far: `done` of `total` (0 = unknown)."""

    def __call__(self, stage: str, detail: str = "", done: int = 0, total: int = 0) -> None:
        """Take note of progress."""
        ...


def silent(stage: str, detail: str = "", done: int = 0, total: int = 0) -> None:
    """Say nothing."""
    del stage, detail, done, total


_LISTENER: ContextVar[Progress] = ContextVar("listener", default=silent)


@contextmanager
def heard_by(progress: Progress) -> Iterator[None]:
    """Let a callback hear what is told inside.

    Examples
    --------
    >>> with heard_by(lambda stage, detail="", done=0, total=0: print(stage, detail, done, total)):
    ...     tell("fit", "pass over the rows", 1, 20)
    fit pass over the rows 1 20
    """
    token = _LISTENER.set(progress)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def tell(stage: str, detail: str = "", done: int = 0, total: int = 0) -> None:
    """Tell whoever listens how far some work is."""
    _LISTENER.get()(stage, detail, done, total)
