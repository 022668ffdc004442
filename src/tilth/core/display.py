"""Display: how values show themselves in notebooks.

Values know nothing of rendering; the conductor registers one renderer per type, and a value without one shows its repr.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Displayed", "register"]

_RENDERERS: dict[type, Callable[[Any], str]] = {}


def register(kind: type, renderer: Callable[[Any], str]) -> None:
    """Let values of a type be shown as HTML (without scripts) by a function."""
    _RENDERERS[kind] = renderer


class Displayed:
    """Mixin of values that notebooks show as HTML."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        renderer = _RENDERERS.get(type(self))
        return None if renderer is None else renderer(self)
