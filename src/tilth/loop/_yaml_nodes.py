"""YAML as nodes that know their line, and text as YAML writes it.

Words are read as they stand: `no`, `2020` and `y` are text where text is wanted, a number where a number is.
Anchors, aliases and tags are refused: a project file needs none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import yaml

from tilth.core.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Node", "flow", "number_text", "pair", "quoted", "read"]

PLAIN = re.compile(r"[^\W\d_][\w./-]*(?: [\w./-]+)*")
WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf"))
"""Words that one YAML reader or another takes for something else than text."""
INTEGER = re.compile(r"[-+]?[0-9]{1,1000}")
NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
LONGEST_KEY = 1000
"""YAML readers want a longer key to be announced by a question mark."""


class _Loader(yaml.SafeLoader):
    """Composes a tree: anchors, aliases and tags are refused."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose one node as PyYAML does, after a look at its event; raises MarkedYAMLError for what is refused."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "anchor", None) or getattr(event, "tag", None):
            problem = "anchors (&), aliases (*) and tags (!) are not read here"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
        return super().compose_node(parent, index)


@dataclass(frozen=True, slots=True)
class Node:
    """One value of the file: its YAML node, the file's name, and the keys that lead to it."""

    raw: yaml.Node
    file: str
    path: tuple[str, ...] = ()

    def fail(self, what: str, next_step: str = "") -> ConfigError:
        """Return the error that names this value's file, line and key."""
        line = f"{self.file}, line {self.raw.start_mark.line + 1}"
        where = f"{line}, {'.'.join(self.path)}" if self.path else line
        return ConfigError(what, where=where, next_step=next_step)

    def expected(self, what: str) -> ConfigError:
        """Return the error that says what should stand here, and what does."""
        return self.fail(f"{self.name} cannot be {self._shown}", f"write {what}")

    @property
    def name(self) -> str:
        """The last key of the path."""
        return self.path[-1] if self.path else "the file"

    @property
    def _shown(self) -> str:
        if self.is_list or self.is_mapping:
            return "a list" if self.is_list else "a mapping"
        return "empty" if self.is_null else repr(self.raw.value[:60])

    @property
    def _unquoted(self) -> str | None:
        """The text of a scalar that stands without quotes; quotes make a text of anything."""
        plain = isinstance(self.raw, yaml.ScalarNode) and self.raw.style is None
        return str(self.raw.value) if plain else None

    @property
    def is_null(self) -> bool:
        """Whether nothing is said: empty, `null` or `~`."""
        return self._unquoted in ("", "~", "null", "Null", "NULL")

    @property
    def is_list(self) -> bool:
        """Whether a list stands here."""
        return isinstance(self.raw, yaml.SequenceNode)

    @property
    def is_mapping(self) -> bool:
        """Whether a mapping stands here."""
        return isinstance(self.raw, yaml.MappingNode)

    def text(self, what: str = "a text") -> str:
        """Return the text as typed, whatever YAML would make of it; nothing is refused."""
        if not isinstance(self.raw, yaml.ScalarNode) or self.is_null:
            raise self.expected(what)
        return str(self.raw.value)

    def word(self, allowed: Iterable[str]) -> str:
        """Return one of the allowed words."""
        words = [str(word) for word in allowed]
        text = self.text(f"one of {', '.join(words)}")
        if text not in words:
            raise self.fail(f"{self.name} cannot be {text!r}.{did_you_mean(text, words)}", _one_of(words))
        return text

    def number(self, what: str, least: float = -math.inf, most: float = math.inf) -> float:
        """Return a finite number within bounds; `what` says them in words."""
        text = self._unquoted or ""
        value = float(text) if NUMBER.fullmatch(text) else math.nan
        if not (math.isfinite(value) and least <= value <= most):
            raise self.expected(what)
        return value

    def integer(self, what: str, least: int) -> int:
        """Return a whole number of at least `least`."""
        text = self._unquoted or ""
        if not INTEGER.fullmatch(text) or int(text) < least:
            raise self.expected(what)
        return int(text)

    def boolean(self) -> bool:
        """Return true or false."""
        word = (self._unquoted or "").lower()
        if word not in ("true", "false"):
            raise self.expected("true or false")
        return word == "true"

    def items(self, what: str = "a list") -> list[Node]:
        """Return the items of a list."""
        if not isinstance(self.raw, yaml.SequenceNode):
            raise self.expected(what)
        return [replace(self, raw=item) for item in self.raw.value]

    def mapping(self, what: str = "a mapping of keys to values") -> dict[str, Node]:
        """Return the values of a mapping by key; a key said twice is refused."""
        if not isinstance(self.raw, yaml.MappingNode):
            raise self.expected(what)
        found: dict[str, Node] = {}
        for key, value in self.raw.value:
            at = replace(self, raw=key)
            if not isinstance(key, yaml.ScalarNode):
                raise at.fail("a key must be a text, not a list or a mapping", "write a text here")
            if key.value in found:
                first = found[key.value].raw.start_mark.line + 1
                raise at.fail(f"{key.value!r} is said twice, first in line {first}", "remove one of the two")
            found[key.value] = Node(value, self.file, (*self.path, key.value))
        return found

    def fields(self, allowed: Iterable[str], required: Iterable[str] = ()) -> dict[str, Node]:
        """Return the values of a mapping of fixed keys; an unknown key and a missing one are refused."""
        keys = list(allowed)
        found = self.mapping(f"a mapping with the keys {', '.join(keys)}")
        for (key, _), name in zip(self.raw.value, found, strict=True):
            if name not in keys:
                where = Node(key, self.file, found[name].path)
                raise where.fail(f"unknown key {name!r}.{did_you_mean(name, keys)}", _one_of(keys))
        for name in required:
            if name not in found:
                raise self.fail(f"the key {name!r} is missing", f"add a line {name}: …")
        return found

    def plain(self) -> Any:
        """Return the value as JSON has it: text, number, true, false, null, list or mapping."""
        if self.is_list:
            return [item.plain() for item in self.items()]
        if self.is_mapping:
            return {key: value.plain() for key, value in self.mapping().items()}
        if self.is_null:
            return None
        text = self._unquoted or ""
        if text.lower() in ("true", "false"):
            return self.boolean()
        if INTEGER.fullmatch(text):
            return int(text)
        return self.number("a finite number") if NUMBER.fullmatch(text) else self.raw.value


def _one_of(words: Iterable[str]) -> str:
    return f"write one of {', '.join(words)}"


def read(text: str, file: str) -> Node:
    """Return the root of a document; raises ConfigError with the line where the text is no YAML."""
    try:
        raw = _Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        raise _no_yaml(problem, file, mark.line + 1 if mark else None) from None
    except yaml.reader.ReaderError as error:
        raise _no_yaml("a control sign", file, text.count("\n", 0, error.position) + 1) from None
    except RecursionError:
        raise _no_yaml("nested too deeply", file, None) from None
    if raw is None:
        raise ConfigError("the file is empty", where=file, next_step="write it with tilth init")
    return Node(raw, file)


def _no_yaml(problem: str, file: str, line: int | None) -> ConfigError:
    where = file if line is None else f"{file}, line {line}"
    what = f"the file cannot be read as YAML: {problem}"
    return ConfigError(what, where=where, next_step="mend this line; put names with : # { [ or , in double quotes")


# writing


def quoted(text: str) -> str:
    """Return a text as YAML: as it stands where every reader takes it for text, else in double quotes."""
    if PLAIN.fullmatch(text) and text.casefold() not in WORDS:
        return text
    return '"' + "".join(_escaped(sign) for sign in text) + '"'


def _escaped(sign: str) -> str:
    if sign in '"\\':
        return f"\\{sign}"
    if sign.isprintable():
        return sign
    code = ord(sign)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def number_text(value: float) -> str:
    """Return a number as every YAML reader takes it for one: with a point before an exponent."""
    mantissa, e, exponent = repr(value).partition("e")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{exponent}" if e else mantissa


def pair(key: str, value: str, indent: str = "") -> str:
    """Return one key with its value, already text."""
    name = quoted(key)
    return f"{indent}? {name}\n{indent}: {value}" if len(name) > LONGEST_KEY else f"{indent}{name}: {value}"


def flow(value: Any) -> str:
    """Return a JSON value in YAML's short form, on one line unless a key is very long."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(pair(key, flow(item)) for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if isinstance(value, str):
        return quoted(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return number_text(value) if isinstance(value, float) else repr(value)
