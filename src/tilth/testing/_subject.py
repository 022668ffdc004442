"""What a contract is held against: an operator class, where it lives, and how a breach is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

from tilth.core.errors import ContractError, TilthError, UndeclaredNeedError, UsageError
from tilth.operators.registry import ROOM_VERBS

__all__ = ["Check", "Subject", "is_refusal", "room_of", "snake_case", "strict"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An operator class under test.

    Parameters
    ----------
    kind : the class
    room : the room whose verb it has
    name : the operator's name
    tests : the folder below which a test file of the operator's name must lie, or None
    """

    kind: Any
    room: str
    name: str
    tests: Path | None = None

    @property
    def verb(self) -> str:
        """The verb that the class has, or the first of its room."""
        verbs = ROOM_VERBS[self.room]
        return next((verb for verb in verbs if callable(getattr(self.kind, verb, None))), verbs[0])

    @classmethod
    def of(cls, kind: Any, tests: Path | None = None) -> Subject:
        """Make the subject of an operator class, wherever it lives."""
        name = snake_case(kind.__name__)
        return cls(kind=kind, room=room_of(kind), name=name, tests=tests)

    def make(self) -> Any:
        """Return an operator: with its defaults, or its example."""
        return _made(self.kind)

    def breach(self, what: str, next_step: str = "") -> ContractError:
        """Return the error that names the operator, what it did, and what to change."""
        return ContractError(what, where=f"{self.room}/{self.name}", next_step=next_step)


Check = Callable[[Subject], None]
"""One contract: raises ContractError when the subject breaks it."""


def room_of(kind: Any) -> str:
    """Return the room whose verb a class has; raises UsageError if it has none, or several."""
    found = [room for room, verbs in ROOM_VERBS.items() if any(callable(getattr(kind, verb, None)) for verb in verbs)]
    if "labeling" in found:  # label models fit, as learners do, but only they predict
        found = [room for room in found if room != "learning"]
    if len(found) != 1:
        raise UsageError(
            f"{getattr(kind, '__name__', kind)!r} has the verbs of {len(found)} rooms",
            next_step=f"give it exactly one of {', '.join(verb for verbs in ROOM_VERBS.values() for verb in verbs)}",
        )
    return found[0]


def snake_case(name: str) -> str:
    """Return the operator name of a class name: `LowSelfConfidence` -> `low_self_confidence`."""
    return re.sub(r"(?<=.)(?=[A-Z])", "_", name).lower()


def is_refusal(error: TilthError) -> bool:
    """Whether an operator refused properly, rather than broke the rules of views."""
    return not isinstance(error, ContractError | UndeclaredNeedError)


@contextmanager
def strict() -> Iterator[None]:
    """Turn warnings into errors: an answer that warns is no answer."""
    with catch_warnings():
        simplefilter("error")
        yield


def _made(kind: Any) -> Any:
    example = getattr(kind, "example", None)
    return example() if callable(example) else kind()
