"""The block `augment:` of tilth.yaml: how rows may be varied while the model learns, read and written.

    augment:
      transforms: [rotate 1-3, shout]      # what may vary rows; without it, what is usual for the columns
      policies: [policy.yaml]              # policies to be tried beside the usual ones
      stored: 2                            # also try two made rows of each row, kept in the store

Transforms of tilth are checked by their source text; those of the project's Python file when they are loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tilth.core.errors import ConfigError, did_you_mean
from tilth.core.policy import Change
from tilth.loop._stress_lines import known_transforms
from tilth.loop._yaml_nodes import flow

if TYPE_CHECKING:
    from tilth.loop._yaml_nodes import Node

__all__ = ["AugmentChoice", "augment_choice", "augment_lines"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentChoice:
    """How rows may be varied, as it is declared.

    Parameters
    ----------
    changes : transforms, with the severities from which one is drawn; () for the usual ones
    policies : files beside tilth.yaml, each with a policy that is tried
    stored : made rows of each row that are tried as rows of the store; 0 for none
    """

    changes: tuple[Change, ...] = ()
    policies: tuple[str, ...] = ()
    stored: int = 0


def augment_choice(node: Node, *, has_python: bool) -> AugmentChoice | None:
    """Return what is declared, None for nothing; raises ConfigError with the line and the closest known word."""
    if node.is_null:
        return None
    fields = node.fields(("transforms", "policies", "stored"))
    changes = fields["transforms"].items("a list of transforms") if "transforms" in fields else ()
    files = fields["policies"].items("a list of files") if "policies" in fields else ()
    return AugmentChoice(
        changes=tuple(_change(item, has_python) for item in changes),
        policies=tuple(item.text("the name of a file") for item in files),
        stored=fields["stored"].integer("a whole number, 0 or more", 0) if "stored" in fields else 0,
    )


def _change(node: Node, has_python: bool) -> Change:
    text, known = node.text("a transform, such as rotate 1-3"), known_transforms()
    try:
        change = Change.read(text)
    except ConfigError as error:
        raise node.fail(str(error.what), "write a transform such as rotate 1-3") from None
    parameters = known.get(change.transform)
    if parameters is None and not has_python:
        what = f"no transform is called {change.transform!r}.{did_you_mean(change.transform, known)}"
        raise node.fail(what, "tilth operators editing lists them; yours stand in the file under python:")
    if parameters is not None and change.severities is not None and "severity" not in parameters:
        raise node.fail(f"transform {change.transform!r} has no severities", f"write {change.transform}")
    if parameters is not None and change.severities is None and "severity" in parameters:
        change = Change(change.transform, (1, 3))
    return change


def augment_lines(choice: AugmentChoice) -> Iterator[str]:
    """Yield the lines of the block."""
    yield "augment:"
    if choice.changes:
        yield f"  transforms: {flow([str(one) for one in choice.changes])}"
    if choice.policies:
        yield f"  policies: {flow(list(choice.policies))}"
    if choice.stored:
        yield f"  stored: {choice.stored}"
    if choice == AugmentChoice():
        yield "  transforms: []"
