"""The project's Python file: loaded by its path, fresh each time, for the functions that people wrote in it."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from tilth.core.errors import ConfigError
from tilth.operators.functions_made import MadeFunction, functions_made
from tilth.operators.labelers import FunctionLabeler
from tilth.operators.transforms import FunctionTransform

__all__ = ["USUAL", "load_functions", "load_labelers", "load_transforms"]

USUAL = "labelers.py"
"""The name that such a file usually has."""
_MODULE = "_tilth_project"


def load_labelers(path: Path) -> tuple[FunctionLabeler, ...]:
    """Run a Python file and return its labelers in their order; raises as `load_functions` does."""
    return tuple(one for one in load_functions(path) if isinstance(one, FunctionLabeler))


def load_transforms(path: Path) -> tuple[FunctionTransform, ...]:
    """Run a Python file and return its transforms in their order; raises as `load_functions` does."""
    return tuple(one for one in load_functions(path) if isinstance(one, FunctionTransform))


def load_functions(path: Path) -> tuple[MadeFunction, ...]:
    """Run a Python file and return what decorators made in it, in its order; modules of its folder that it imports are run anew too.

    Raises
    ------
    ConfigError
        There is no such file, it raises (with the line), or two functions of one kind have one name.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the project's Python file cannot be read: {getattr(error, 'strerror', None) or error}",
            where=str(path),
            next_step="write it beside tilth.yaml, or name another under python:",
        ) from None
    home = path.resolve()
    module = ModuleType(_MODULE)
    module.__file__ = str(home)
    sys.modules[_MODULE] = module
    made: list[MadeFunction]
    with _importing_from(home.parent), functions_made() as made:
        try:
            exec(compile(text, str(home), "exec"), module.__dict__)  # noqa: S102 - the project's own code
        except (Exception, SystemExit) as error:
            raise _not_loaded(path, error) from error
    _refuse_twice(made, path)
    found = {id(one): one for one in _made_in(vars(module).values())}
    _refuse_twice([*found.values()], path)
    return tuple(found.values())


def _refuse_twice(functions: Sequence[MadeFunction], path: Path) -> None:
    first: dict[tuple[str, str], MadeFunction] = {}
    for one in functions:
        other = first.setdefault((one.word, one.name), one)
        if other is not one:
            raise ConfigError(
                f"two {one.word}s are called {one.name!r}",
                where=f"{path}, lines {other.line} and {one.line}",
                next_step=f'give one another name: @tilth.{one.word}(name="…")',
            )


def _made_in(values: Iterable[Any]) -> Iterator[MadeFunction]:
    for value in list(values):
        if _is_made(value):
            yield value
        elif isinstance(value, list | tuple | dict):
            inner = value.values() if isinstance(value, dict) else value
            yield from (one for one in inner if _is_made(one))


def _is_made(value: Any) -> bool:
    """Whether a decorator made it; classes and modules that happen to have such attributes are none."""
    return not isinstance(value, type | ModuleType) and isinstance(value, MadeFunction)


@contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    """Let modules of a folder be imported, and forget those that were: the next run reads them again."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            path = getattr(sys.modules[name], "__file__", None)
            if path is not None and Path(path).resolve().parent == folder:
                del sys.modules[name]


def _not_loaded(path: Path, error: BaseException) -> ConfigError:
    home, line, file = path.resolve(), 0, path.name
    if isinstance(error, SyntaxError) and error.lineno:
        line, file = error.lineno, Path(error.filename or home).name
    else:
        inside = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).parent == home.parent]
        line, file = (inside[-1].lineno or 0, Path(inside[-1].filename).name) if inside else (0, path.name)
    missing = isinstance(error, ModuleNotFoundError)
    reason = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
    return ConfigError(
        f"the project's Python file cannot be loaded: {reason}",
        where=f"{path.parent / file}, line {line}" if line else str(path),
        next_step=f"pip install {error.name}, or leave the import out" if missing else "mend this line",  # type: ignore[attr-defined]
    )
