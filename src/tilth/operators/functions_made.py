"""Which of people's functions become values while a file runs: one watcher for all kinds of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

__all__ = ["MadeFunction", "functions_made", "tell"]


@runtime_checkable
class MadeFunction(Protocol):
    """A function that a decorator made a value of: a labeler, a transform …"""

    word: ClassVar[str]
    """What people call its kind."""
    name: str

    @property
    def line(self) -> int:
        """The line in which the function begins, or 0."""
        ...


_watching: list[tuple[type | None, list[Any]]] = []
Made = TypeVar("Made")


def tell(made: MadeFunction) -> None:
    """Tell who watches that a function became a value; decorators call it."""
    for kind, found in _watching:
        if kind is None or isinstance(made, kind):
            found.append(made)


@contextmanager
def functions_made(kind: type[Made] | None = None) -> Iterator[list[Made]]:
    """Yield a list that fills with the values (of a kind, or of all) made meanwhile: a name that is defined twice hides the first."""
    made: list[Made] = []
    watcher = (kind, made)
    _watching.append(watcher)
    try:
        yield made
    finally:
        _watching[:] = [one for one in _watching if one is not watcher]
