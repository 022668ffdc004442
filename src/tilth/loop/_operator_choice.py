"""An operator as tilth.yaml names it, checked against the registry: by source text, so that no operator is imported for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tilth.core.errors import did_you_mean
from tilth.loop._project import OperatorChoice
from tilth.operators.registry import listings

if TYPE_CHECKING:
    from tilth.loop._yaml_nodes import Node

__all__ = ["operator_choice"]

AUTO = "auto"
"""The learner's name where cross-validation chooses it."""


def operator_choice(node: Node, room: str, kind: str) -> OperatorChoice:
    """Return an operator that there is, with parameters that it has; raises ConfigError with the closest known word."""
    what = "the name of an operator, or {name: …, params: {…}}"
    if not node.is_mapping:
        name = node.text(what)
        _parameters(node, name, room, kind)
        return OperatorChoice(name=name)
    fields = node.fields(("name", "params"), required=("name",))
    name = fields["name"].text("the name of an operator")
    known = _parameters(fields["name"], name, room, kind)
    if "params" not in fields:
        return OperatorChoice(name=name)
    params = fields["params"].mapping("a mapping of parameters")
    if params and not known:
        raise next(iter(params.values())).fail(f"{kind} {name!r} has no parameters", "leave params out")
    params = fields["params"].fields(known)
    return OperatorChoice(name=name, params={key: item.plain() for key, item in params.items()})


def _parameters(node: Node, name: str, room: str, kind: str) -> tuple[str, ...]:
    """Return the names of an operator's parameters; refuse the name of none."""
    known = {listing.name: tuple(listing.parameters) for listing in listings(room)}
    if room == "learning":
        known = {AUTO: (), **known}
    if name not in known:
        what = f"no {kind} is called {name!r}.{did_you_mean(name, known)}"
        raise node.fail(what, f"write one of {', '.join(known)}; tilth operators {room} says what they are")
    return known[name]
