"""Labelers as tilth.yaml declares them: `- {name: begs, keyword: {words: [subscribe], says: spam}}`.

They are checked by the operators' source text, so that none is imported for it; what an operator itself refuses is told later,
with the line that is kept here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tilth.core.errors import did_you_mean, first_three
from tilth.loop._project import LabelerChoice
from tilth.operators.registry import listings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tilth.loop._yaml_nodes import Node

__all__ = ["labeler_choices"]

WHAT = "a labeler, such as {name: begs, keyword: {words: [subscribe], says: spam}}"


def labeler_choices(
    node: Node, columns: Sequence[str], label: str, classes: Sequence[str]
) -> tuple[LabelerChoice, ...]:
    """Return the labelers that are listed; raises ConfigError with the line, the key and the closest known word.

    Parameters
    ----------
    node : the list
    columns : names that labelers may read: all but the label
    label : the label column, which they are to find
    classes : names that they may say
    """
    found: dict[str, LabelerChoice] = {}
    if not classes and node.is_list and node.items():
        raise node.fail("labelers name classes, and this task learns a number", "leave labelers out")
    for item in node.items(f"a list of labelers: {WHAT}"):
        choice = _choice(item, columns, label, classes)
        if choice.name in found:
            what = f"two labelers are called {choice.name!r}, the first in {found[choice.name].where}"
            raise item.fail(what, "give this one another name: {name: …, " + f"{choice.operator}: …" + "}")
        found[choice.name] = choice
    return tuple(found.values())


def _choice(item: Node, columns: Sequence[str], label: str, classes: Sequence[str]) -> LabelerChoice:
    known = {listing.name: listing.parameters for listing in listings("labeling") if listing.verb == "vote"}
    fields = item.mapping(WHAT)
    operators = [key for key in fields if key != "name"]
    if len(operators) != 1:
        raise item.fail(f"a labeler is of one kind; {len(operators)} are named here", f"write {WHAT}")
    operator = operators[0]
    if operator not in known:
        what = f"no labeler is called {operator!r}.{did_you_mean(operator, known)}"
        raise fields[operator].fail(
            what, f"write one of {', '.join(known)}; tilth operators labeling says what they are"
        )
    node = fields[operator]
    given = node.fields(known[operator])
    params = {name: _value(one, known[operator][name]) for name, one in given.items()}
    for name, default in known[operator].items():
        if "=" not in default and name not in params:
            raise node.fail(f"the key {name!r} is missing", f"add {name}: …")
    _refuse_unknown(given, params, columns, label, classes)
    name = fields["name"].text("the labeler's name") if "name" in fields else operator
    return LabelerChoice(
        name=name,
        operator=operator,
        params=params,
        where=f"{item.file}, line {item.raw.start_mark.line + 1}",
    )


def _value(node: Node, annotation: str) -> Any:
    """Return a parameter as its operator declares it; texts are read as they stand."""
    kind = annotation.partition(" = ")[0]
    if kind == "str":
        return node.text()
    if kind == "bool":
        return node.boolean()
    if kind.startswith("float"):
        return None if node.is_null and "None" in kind else node.number("a number")
    if kind == "int":
        return node.integer("a whole number, 1 or more", 1)
    if kind == "tuple[str, ...]":
        return tuple(item.text() for item in node.items())
    if kind == "Mapping[str, str]":
        return {key: value.text("the name of a class") for key, value in node.mapping().items()}
    if kind == "Mapping[str, float]":
        return {key: value.number("a number") for key, value in node.mapping().items()}
    return node.plain()


def _refuse_unknown(
    given: Mapping[str, Node], params: Mapping[str, Any], columns: Sequence[str], label: str, classes: Sequence[str]
) -> None:
    """Refuse columns and classes that there are not."""
    for key in ("column", "columns", "cells", "probabilities"):
        for name in _texts(params.get(key, ())):
            if name == label:
                raise given[key].fail(f"{name!r} is the label, which labelers are to find", "name another column")
            if name not in columns:
                what = f"no column {name!r} under columns.{did_you_mean(name, columns)}"
                raise given[key].fail(what, f"name one of {first_three(columns)}")
    for key in ("says", "entries", "classes", "rows", "examples"):
        for name in _texts(params.get(key, ())):
            if name and name not in classes:
                what = f"{name!r} is no class.{did_you_mean(name, classes)}"
                raise given[key].fail(what, f"name one of {first_three(classes)}")
    for key in ("probabilities", "least_of"):
        for name in params.get(key, ()):
            if name not in classes:
                what = f"{name!r} is no class.{did_you_mean(name, classes)}"
                raise given[key].fail(what, f"name one of {first_three(classes)}")


def _texts(value: Any) -> list[str]:
    """Return what a parameter names: itself, its items, or the values of a mapping."""
    return [value] if isinstance(value, str) else [*value.values()] if hasattr(value, "values") else [*value]
