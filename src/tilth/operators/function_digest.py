"""The digest of a person's function: equal where it would do the same, as far as that can be known without running it.

Seen: its code (not its comments), defaults, what it closes over, and every global that it names: plain values by value, functions
and classes of the project's own files by their code in turn, libraries by name and version. Not seen: files and addresses
that it reads, the clock, the environment, and what libraries do beside their version. A value that is none of these (a fitted
model, an open connection) cannot be compared, and the function is then called anew in every run.
"""

from __future__ import annotations

import enum
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

__all__ = ["Unseen", "function_digest"]

PLAIN = (str, bytes, int, float, complex, bool, type(None), type(Ellipsis))
MOST_ITEMS = 1_000_000


class Unseen(Exception):  # noqa: N818 - an answer, not an error
    """A function holds a value that cannot be compared from run to run; the message names it."""


def function_digest(function: Any, home: Path | None = None) -> str:
    """Return the digest of a function and of all that it names.

    Parameters
    ----------
    function : the function, or an object that is called
    home : the folder of the project's own files, which are followed; code elsewhere counts by its library's version

    Raises
    ------
    Unseen
        It holds a value that cannot be compared.
    """
    digest = blake2b(digest_size=16)
    walk = _Walk(None if home is None else home.resolve())
    for part in walk.value(function, getattr(function, "__name__", "function")):
        digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


class _Walk:
    """One walk through a function and what it names; each object is told once, so that a ring ends."""

    def __init__(self, home: Path | None) -> None:
        self._home, self._seen = home, dict[int, int]()
        self._kept: list[Any] = []  # so that no id is used twice

    def value(self, value: Any, name: str) -> Iterator[str]:
        """Yield what tells a value from others."""
        if isinstance(value, PLAIN) and not isinstance(value, enum.Enum):
            yield f"{type(value).__name__} {value!r}"
        elif id(value) in self._seen:
            yield f"again {self._seen[id(value)]}"
        else:
            self._seen[id(value)] = len(self._seen)
            self._kept.append(value)
            yield from self._object(value, name)

    def _object(self, value: Any, name: str) -> Iterator[str]:
        if isinstance(value, tuple | list | Mapping | set | frozenset):
            yield from self._container(value, name)
        elif isinstance(value, CodeType):
            yield from self._code(value)
        elif isinstance(value, ModuleType):
            yield from self._module(value)
        elif isinstance(value, enum.Enum):
            yield f"{type(value).__qualname__}.{value.name} {value.value!r}"
        elif isinstance(value, re.Pattern):
            yield f"pattern {value.pattern!r} {value.flags}"
        elif isinstance(value, FunctionType | BuiltinFunctionType | type) and not self._is_own(value):
            yield _library(value)
        elif isinstance(value, FunctionType):
            yield from self._function(value)
        elif isinstance(value, type):
            yield from self._class(value)
        elif isinstance(wrapped := getattr(value, "__wrapped__", None), FunctionType):
            yield from self.value(wrapped, name)  # a labeler, a cached function
        elif inspect.ismethod(value):
            yield from self.value(value.__func__, name)
            yield from self.value(value.__self__, name)
        else:
            raise Unseen(f"{name} is a {type(value).__name__}")

    def _container(self, value: Any, name: str) -> Iterator[str]:
        yield f"{type(value).__name__} {len(value)}"
        if len(value) > MOST_ITEMS:
            raise Unseen(f"{name} holds {len(value):,} items")
        if isinstance(value, Mapping):
            for key, one in value.items():
                yield from self.value(key, name)
                yield from self.value(one, name)
        else:
            items = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
            for one in items:
                yield from self.value(one, name)

    def _function(self, function: FunctionType) -> Iterator[str]:
        yield "function"
        yield from self._code(function.__code__)
        yield from self.value(function.__defaults__, "a default")
        yield from self.value(function.__kwdefaults__, "a default")
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            yield name
            yield from self.value(_content(cell), name)
        for name in _global_names(function.__code__):
            if name in function.__globals__:
                yield name
                yield from self.value(function.__globals__[name], name)

    def _code(self, code: CodeType) -> Iterator[str]:
        yield f"code {code.co_code.hex()} {code.co_names} {code.co_varnames} {code.co_freevars} {code.co_flags}"
        for constant in code.co_consts:
            yield from self.value(constant, "a constant")

    def _class(self, kind: type) -> Iterator[str]:
        yield f"class {kind.__qualname__}"
        for base in kind.__bases__:
            yield from self.value(base, base.__name__)
        for name, one in sorted(vars(kind).items()):
            inner = getattr(one, "__func__", getattr(one, "fget", one))
            if isinstance(inner, (FunctionType, *PLAIN, tuple, list, dict, set, frozenset)) and not _is_inner(name):
                yield name
                yield from self.value(inner, name)

    def _module(self, module: ModuleType) -> Iterator[str]:
        path = getattr(module, "__file__", None)
        if path is not None and self._is_here(path):
            yield f"module {module.__name__} {Path(path).read_text(encoding='utf-8')}"
        else:
            yield _library(module)

    def _is_own(self, value: Any) -> bool:
        """Whether a function or a class is the project's own: from its folder, or from no file at all."""
        if isinstance(value, FunctionType):
            path = value.__globals__.get("__file__") or value.__code__.co_filename
            return path.startswith("<") or self._home is None or self._is_here(path)
        path = getattr(sys.modules.get(getattr(value, "__module__", "") or ""), "__file__", None)
        if path is not None:
            return isinstance(value, type) and self._is_here(path)
        return isinstance(value, type) and any(isinstance(one, FunctionType) for one in vars(value).values())

    def _is_here(self, path: str) -> bool:
        return self._home is not None and Path(path).resolve().is_relative_to(self._home)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None  # not filled yet


def _is_inner(name: str) -> bool:
    return name in ("__module__", "__qualname__", "__firstlineno__", "__static_attributes__", "__dict__", "__weakref__")


def _global_names(code: CodeType) -> list[str]:
    """Return the names that code and the functions inside of it look up, attributes among them."""
    names = dict.fromkeys(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= dict.fromkeys(_global_names(constant))
    return sorted(names)


def _library(value: Any) -> str:
    """Return a name in a library, with the library's version where it says one."""
    module = value.__name__ if isinstance(value, ModuleType) else str(getattr(value, "__module__", None) or "builtins")
    top = module.partition(".")[0]
    version = getattr(sys.modules.get(top), "__version__", "")
    named = "" if isinstance(value, ModuleType) else getattr(value, "__qualname__", type(value).__name__)
    return f"library {module} {named} {version}"
