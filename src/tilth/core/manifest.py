"""Manifest: what was read of a file of answers, what was taken, and what was dropped, with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Dropped", "Manifest"]

MOST_FIRST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """Answers that were not taken, for one reason: how many, and the first ids."""

    why: str
    count: int
    first: tuple[str, ...] = ()

    @classmethod
    def of(cls, why: str, ids: Sequence[object]) -> Dropped:
        """Return what was dropped for a reason, with the first of the ids."""
        first = tuple(dict.fromkeys(str(one) for one in ids))[:MOST_FIRST]
        return cls(why=why, count=len(ids), first=first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What became of a file.

    Parameters
    ----------
    file, format, digest : its name, how it was read, BLAKE2b of its bytes
    unit : what is counted: "lines", "annotations", "rows"
    read, taken : how many there are, and how many were taken
    dropped : the others, by reason; read = taken + all that was dropped
    notes : what else was understood
    """

    file: str
    format: str
    digest: str
    unit: str
    read: int
    taken: int
    dropped: tuple[Dropped, ...] = field(default_factory=tuple)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        dropped = [{"why": one.why, "count": one.count, "first": list(one.first)} for one in self.dropped]
        return {
            "file": self.file,
            "format": self.format,
            "digest": self.digest,
            "unit": self.unit,
            "read": self.read,
            "taken": self.taken,
            "dropped": dropped,
            "notes": list(self.notes),
        }

    def without(self, more: Iterable[Dropped]) -> Manifest:
        """Return the manifest with more of what was taken dropped."""
        new = tuple(one for one in more if one.count)
        return Manifest(
            file=self.file,
            format=self.format,
            digest=self.digest,
            unit=self.unit,
            read=self.read,
            taken=self.taken - sum(one.count for one in new),
            dropped=(*self.dropped, *new),
            notes=self.notes,
        )

    def say(self) -> list[str]:
        """Return the lines that a person reads; none where everything was taken."""
        if not self.dropped and not self.notes:
            return []
        head = f"read {self.read:,} {self.unit} ({self.format}): {self.taken:,} taken"
        gone = [f"  dropped {one.count:,}: {one.why}{_such(one)}" for one in self.dropped]
        return [head, *gone, *(f"  {note}" for note in self.notes)]


def _such(one: Dropped) -> str:
    if not one.first:
        return ""
    return f" ({', '.join(one.first[:3])}{' …' if one.count > 3 else ''})"
