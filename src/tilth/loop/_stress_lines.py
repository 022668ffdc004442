"""The block `stress:` of tilth.yaml: transforms of rows and what they should do to predictions, one line each, read and written.

    stress:
      - {transform: typo, severity: 2, expect: same, at_most: 0.05}
      - {transform: negation, expect: flips}
      - {pairs: batch_id}

Transforms of tilth are checked by their source text; those of the project's Python file when they are loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tilth.core.errors import did_you_mean, first_three
from tilth.loop._yaml_nodes import flow
from tilth.operators.registry import listings

if TYPE_CHECKING:
    from tilth.loop._yaml_nodes import Node

__all__ = ["SEVERITIES", "PairsChoice", "StressChoice", "known_transforms", "stress_choices", "stress_lines"]

SEVERITIES = (1, 2, 3, 4, 5)
WHAT = "a test, such as {transform: typo, severity: 2, expect: same}"
TRANSFORM_KEYS = ("transform", "name", "severity", "expect", "tolerance", "at_most", "columns", "params")
PAIR_KEYS = ("pairs", "at_most")
EXPECT = "same, flips, up CLASS or down CLASS"


@dataclass(frozen=True, slots=True, kw_only=True)
class StressChoice:
    """A test as it is declared.

    Parameters
    ----------
    transform : its name
    name : of the test; the transform's where none is given
    severities : () for the transform's own
    expect : "same", "flips", "up CLASS", "down CLASS"; "" for same
    tolerance : by how much a probability (or a predicted number) may move; None for the usual
    at_most : bound on the share of rows that fail, or None
    columns : what is changed; () for all that it accepts
    params : further parameters of the transform
    where : where it is written
    is_usual : whether it is one of the usual tests, which nobody asked for
    """

    transform: str
    name: str = ""
    severities: tuple[int, ...] = ()
    expect: str = ""
    tolerance: float | None = None
    at_most: float | None = None
    columns: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    where: str = field(default="", compare=False)
    is_usual: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PairsChoice:
    """A test on pairs as it is declared: the column or file that names partners, and a bound on inconsistent pairs."""

    pairs: str
    at_most: float | None = None
    where: str = field(default="", compare=False)


def known_transforms() -> dict[str, dict[str, str]]:
    """Return the transforms of tilth and of third parties with their parameters, without importing any."""
    return {one.name: one.parameters for one in listings("editing") if one.verb == "apply"}


def stress_choices(
    node: Node, columns: Sequence[str], classes: Sequence[str], *, has_python: bool
) -> tuple[StressChoice | PairsChoice, ...]:
    """Return the tests that are listed; raises ConfigError with the line, the key and the closest known word.

    Parameters
    ----------
    node : the list
    columns : names of the project's columns
    classes : names of the classes; () where a number is learnt
    has_python : whether a Python file may hold further transforms
    """
    if node.is_null:
        return ()
    return tuple(_choice(item, columns, classes, has_python) for item in node.items(f"a list of tests: {WHAT}"))


def _choice(item: Node, columns: Sequence[str], classes: Sequence[str], has_python: bool) -> StressChoice | PairsChoice:
    where = f"{item.file}, line {item.raw.start_mark.line + 1}"
    if not item.is_mapping:
        return StressChoice(transform=_transform(item, has_python), where=where)
    if "pairs" in item.mapping(WHAT):
        fields = item.fields(PAIR_KEYS, ("pairs",))
        return PairsChoice(pairs=fields["pairs"].text("a column or a file"), at_most=_share(fields), where=where)
    fields = item.fields(TRANSFORM_KEYS, ("transform",))
    transform = _transform(fields["transform"], has_python)
    parameters = known_transforms().get(transform)
    if parameters is not None and "severity" in fields and "severity" not in parameters:
        raise fields["severity"].fail(f"transform {transform!r} has no severities", "leave severity out")
    return StressChoice(
        transform=transform,
        name=fields["name"].text("the test's name") if "name" in fields else "",
        severities=_severities(fields["severity"]) if "severity" in fields else (),
        expect=_expect(fields["expect"], classes) if "expect" in fields else "",
        tolerance=fields["tolerance"].number("a number") if "tolerance" in fields else None,
        at_most=_share(fields),
        columns=_columns(fields["columns"], columns) if "columns" in fields else (),
        params=_params(fields["params"], transform, parameters) if "params" in fields else {},
        where=where,
    )


def _transform(node: Node, has_python: bool) -> str:
    name, known = node.text("the name of a transform"), known_transforms()
    if name not in known and not has_python:
        what = f"no transform is called {name!r}.{did_you_mean(name, known)}"
        raise node.fail(what, f"write one of {', '.join(known)}, or name the Python file with yours under python:")
    return name


def _severities(node: Node) -> tuple[int, ...]:
    what = "a whole number from 1 to 5, a list of them, or all"
    if not node.is_list and node.text(what) == "all":
        return SEVERITIES
    found = tuple(one.integer(what, 1) for one in (node.items() if node.is_list else [node]))
    if not found or max(found) > max(SEVERITIES):
        raise node.expected(what)
    return found


def _expect(node: Node, classes: Sequence[str]) -> str:
    text = node.text(EXPECT)
    word, _, name = text.partition(" ")
    if word not in ("same", "flips", "up", "down") or (word in ("same", "flips") and name):
        raise node.fail(f"expect cannot be {text!r}", f"write {EXPECT}")
    if word in ("up", "down") and classes and name not in classes:
        what = f"{name!r} is no class.{did_you_mean(name, classes)}" if name else f"{word} of which class?"
        raise node.fail(what, f"write {word} and one of {first_three(classes)}")
    if word in ("up", "down") and not classes and name:
        raise node.fail("a number is learnt, which has no classes", f"write {word} alone")
    return text


def _share(fields: Mapping[str, Node]) -> float | None:
    if "at_most" not in fields:
        return None
    return fields["at_most"].number("a share between 0 and 1", 0.0, 1.0)


def _columns(node: Node, known: Sequence[str]) -> tuple[str, ...]:
    found = tuple(one.text("the name of a column") for one in (node.items() if node.is_list else [node]))
    for name in found:
        if name not in known:
            raise node.fail(f"no column {name!r}.{did_you_mean(name, known)}", f"name one of {first_three(known)}")
    return found


def _params(node: Node, transform: str, known: Mapping[str, str] | None) -> dict[str, Any]:
    if known is None:
        raise node.fail(f"transform {transform!r} is a function and has no parameters", "leave params out")
    own = [name for name in known if name not in ("severity", "columns")]
    if not own and node.mapping():
        raise node.fail(f"transform {transform!r} has no further parameters", "leave params out")
    return {key: one.plain() for key, one in node.fields(own).items()}


# writing


def stress_lines(choices: Sequence[StressChoice | PairsChoice]) -> Iterator[str]:
    """Return the block as it is written."""
    yield "stress:  # how predictions should bear changes of rows: tilth stress tries it on dev"
    for choice in choices:
        yield f"  - {flow(_said(choice))}"


def _said(choice: StressChoice | PairsChoice) -> dict[str, Any]:
    if isinstance(choice, PairsChoice):
        said: dict[str, Any] = {"pairs": choice.pairs}
        return said if choice.at_most is None else said | {"at_most": choice.at_most}
    severities = list(choice.severities)
    said = {
        "transform": choice.transform,
        "name": choice.name or None,
        "severity": severities[0] if len(severities) == 1 else severities or None,
        "expect": choice.expect or None,
        "tolerance": choice.tolerance,
        "at_most": choice.at_most,
        "columns": list(choice.columns) or None,
        "params": dict(choice.params) or None,
    }
    return {key: value for key, value in said.items() if value is not None}
