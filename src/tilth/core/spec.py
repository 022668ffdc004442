"""Spec: the name and parameters of an operator, as a value that can be written, compared and hashed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Spec"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What ran: room, operator, parameters (JSON values), and the revision of its numbers."""

    room: str
    name: str
    parameters: dict[str, Any] = field(default_factory=dict)
    revision: int = 1

    def __post_init__(self) -> None:
        """Put parameters in the order of their names: the log does, and what is read back must say the same words."""
        object.__setattr__(self, "parameters", dict(sorted(self.parameters.items())))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"room": self.room, "name": self.name, "parameters": self.parameters, "revision": self.revision}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Spec:
        """Build a spec from what `to_dict` gave."""
        return cls(
            room=values["room"],
            name=values["name"],
            parameters=dict(values["parameters"]),
            revision=values["revision"],
        )

    @property
    def digest(self) -> str:
        """A key for caches: equal specs have equal digests."""
        from tilth.core.ids import digest_of  # brings NumPy, which listing operators does without

        return digest_of(self.to_dict())

    def __str__(self) -> str:
        """`name(parameter=value, …)`, as it is written in tilth.yaml."""
        inside = ", ".join(f"{key}={value}" for key, value in self.parameters.items())
        return f"{self.name}({inside})" if inside else self.name

    def __hash__(self) -> int:
        """Hash by content, since parameters are a dict."""
        return hash(self.digest)
