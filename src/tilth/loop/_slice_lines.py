"""Slices as tilth.yaml declares them: `- {name: young, where: "age < 25"}`.

where        an SQL predicate over columns and what is known of rows
each         one slice per value of a column, or per combination of values of several
all, any     slices above that all hold, or one of which holds
not          a slice above that does not hold
region       a file beside tilth.yaml that holds a region of embeddings, as tilth slices --declare writes it
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tilth.core.errors import ConfigError, did_you_mean, first_three
from tilth.loop._project import SliceChoice
from tilth.loop._yaml_nodes import flow, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tilth.loop._yaml_nodes import Node

__all__ = ["KNOWN_OF_ROWS", "slice_choices", "slice_lines", "with_slice"]

WHAT = '{name: young, where: "age < 25"} or {name: by_sex, each: sex}'
KINDS = ("where", "each", "all", "any", "not", "region")
KEY = "slices"
KNOWN_OF_ROWS = ("tilth_predicted", "tilth_confidence", "tilth_correct", "tilth_votes", "tilth_split")
"""What predicates may name beside columns: the class that the model says, how sure it is, whether that is the label, how
many labelers vote on the row, and its split."""


def slice_choices(node: Node, columns: Sequence[str]) -> tuple[SliceChoice, ...]:
    """Return the slices that are listed; raises ConfigError with the line, the key and the closest known word."""
    found: dict[str, SliceChoice] = {}
    for item in node.items(f"a list of slices: {WHAT}"):
        choice = _choice(item, columns, found)
        if choice.name in found:
            raise item.fail(
                f"two slices are called {choice.name!r}, the first in {found[choice.name].where_written}",
                "give this one another name",
            )
        found[choice.name] = choice
    return tuple(found.values())


def _choice(item: Node, columns: Sequence[str], above: Mapping[str, SliceChoice]) -> SliceChoice:
    fields = item.fields(("name", *KINDS), required=("name",))
    kinds = [key for key in fields if key != "name"]
    if len(kinds) != 1:
        raise item.fail(f"a slice has one rule; {len(kinds)} are named here", f"write {WHAT}")
    kind, rule = kinds[0], fields[kinds[0]]
    where_written = f"{item.file}, line {item.raw.start_mark.line + 1}"
    name = fields["name"].text("the slice's name")
    if kind == "where":
        return SliceChoice(name=name, where=_predicate(rule, columns), where_written=where_written)
    if kind == "each":
        named = rule.items() if rule.is_list else [rule]
        return SliceChoice(name=name, each=_columns(named, columns), where_written=where_written)
    if kind == "region":
        return SliceChoice(
            name=name, region=rule.text("a file, such as slices/doubtful.json"), where_written=where_written
        )
    parts = tuple(_predicate_of(one, above) for one in (rule.items() if kind != "not" else [rule]))
    if not parts:
        raise rule.fail(f"{kind} names no slice", "name slices that stand above")
    joined = f"NOT ({parts[0]})" if kind == "not" else f" {_JOINS[kind]} ".join(f"({part})" for part in parts)
    return SliceChoice(name=name, where=joined, where_written=where_written)


_JOINS = {"all": "AND", "any": "OR"}


def _predicate_of(node: Node, above: Mapping[str, SliceChoice]) -> str:
    name = node.text("the name of a slice")
    if name not in above or not above[name].where:
        usable = [one.name for one in above.values() if one.where]
        raise node.fail(
            f"no slice with a predicate is called {name!r} above.{did_you_mean(name, usable)}",
            f"name one of {first_three(usable)}" if usable else "write a slice with where: above this one",
        )
    return above[name].where


def _predicate(node: Node, columns: Sequence[str]) -> str:
    from tilth.engine.predicate import Predicate

    text = node.text("a predicate, such as: age < 25")
    try:
        predicate = Predicate(text)
    except ConfigError as error:
        raise node.fail(f"{error.what}{f' ({error.where})' if error.where else ''}", error.next_step) from None
    known = [*columns, *KNOWN_OF_ROWS]
    for name in predicate.columns:
        if name not in known:
            hint = " (text stands in single quotes)" if f'"{name}"' in text else ""
            raise node.fail(
                f"no column {name!r} under columns.{did_you_mean(name, known)}{hint}",
                f"name one of {first_three(known)}",
            )
    return text


def _columns(nodes: Sequence[Node], columns: Sequence[str]) -> tuple[str, ...]:
    names = []
    for node in nodes:
        name = node.text("the name of a column")
        if name not in columns:
            raise node.fail(
                f"no column {name!r} under columns.{did_you_mean(name, columns)}", f"name one of {first_three(columns)}"
            )
        names.append(name)
    return tuple(names)


def slice_lines(choices: Sequence[SliceChoice]) -> Iterator[str]:
    """Yield the lines that say these slices."""
    yield from (f"  {_line(choice)}" for choice in choices)


def _line(choice: SliceChoice) -> str:
    rule: dict[str, Any] = {"region": choice.region} if choice.region else {"each": choice.each}
    return f"- {flow({'name': choice.name} | ({'where': choice.where} if choice.where else rule))}"


def with_slice(text: str, choice: SliceChoice) -> str:
    """Return the text of a project file with one more slice; everything else stays as it is, comments too."""
    lines, node = text.splitlines(), read(text, "tilth.yaml").mapping().get(KEY)
    if node is None:
        gap = [""] if lines and lines[-1].strip() else []
        return _joined([*lines, *gap, f"{KEY}:", f"  {_line(choice)}"])
    if node.is_null or (node.is_list and not node.items()):
        at = _line_of_key(text)
        if not node.is_null:
            lines = _without(lines, node.raw.start_mark, node.raw.end_mark)
        return _joined([*lines[: at + 1], f"  {_line(choice)}", *lines[at + 1 :]])
    if getattr(node.raw, "flow_style", False):
        raise node.fail("the block slices stands on one line", "write one line each, beginning with a dash")
    last = node.items()[-1].raw.end_mark
    end = int(last.line + (last.column > 0))
    while not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#"):  # they belong to what comes next
        end -= 1
    return _joined([*lines[:end], " " * node.raw.start_mark.column + _line(choice), *lines[end:]])


def _line_of_key(text: str) -> int:
    root = read(text, "tilth.yaml").raw
    return next(int(key.start_mark.line) for key, _ in root.value if key.value == KEY)


def _without(lines: Sequence[str], start: Any, end: Any) -> list[str]:
    """Return lines without what stands between two marks; a comment behind it keeps its place."""
    gone = " " * (end.column - start.column) if start.line == end.line else " "
    kept = (lines[start.line][: start.column] + gone + lines[end.line][end.column :]).rstrip()
    return [*lines[: start.line], kept, *lines[end.line + 1 :]]


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"
