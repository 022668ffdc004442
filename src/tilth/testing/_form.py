"""Contracts of form: names, parameters, specs, docstrings, tests. They hold for every room."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields, is_dataclass
from typing import Any, get_args

import yaml

from tilth.core.spec import Spec
from tilth.operators.needs import NEEDS
from tilth.operators.registry import ROOM_VERBS, class_name, spec_of
from tilth.operators.view import Scope
from tilth.testing._subject import Check, Subject

__all__ = ["FORM"]

NOT_WRITTEN = frozenset({("sources", "dataframe")})
"""Operators with a parameter that is an object in memory: they have no spec that could be written."""
ARRAYS = re.compile(r"\b(Vector|Matrix|IntVector|Mask|Bits|FloatMatrix32|Digests|ndarray|NDArray|Cells)\b")
SHAPE = re.compile(r"\([a-z](?:, ?(?:[a-z0-9]|\d| [-+*] )*)*\)")
"""A shape in a docstring: (n,), (n, k), (d, 2, n)."""


def names_agree(subject: Subject) -> None:
    """File name = operator name = class name."""
    kind = subject.kind
    if kind.__name__ != class_name(subject.name):
        raise subject.breach(f"the class is {kind.__name__}", f"name it {class_name(subject.name)}")
    if kind.__module__.rpartition(".")[2] != subject.name:
        raise subject.breach(f"it lives in {kind.__module__}", f"name the file {subject.name}.py")


def frozen_keyword_only(subject: Subject) -> None:
    """Parameters are the fields of a frozen dataclass, given by keyword."""
    kind = subject.kind
    if not is_dataclass(kind):
        raise subject.breach("it is no dataclass", "decorate it with @dataclass(frozen=True, slots=True, kw_only=True)")
    if loose := [f.name for f in fields(kind) if f.init and not f.kw_only]:
        raise subject.breach(f"parameters {loose} can be given by position", "add kw_only=True")
    made = subject.make()
    for name in [f.name for f in fields(kind)] or ["anything"]:
        try:
            setattr(made, name, None)
        except (FrozenInstanceError, AttributeError, TypeError):
            continue
        raise subject.breach(f"the parameter {name!r} can be changed", "add frozen=True")


def makes_itself(subject: Subject) -> None:
    """It can be made without arguments, or offers `example()`."""
    try:
        made = subject.make()
    except TypeError as error:
        raise subject.breach(f"it cannot be made without arguments: {error}", "give defaults or example()") from error
    if type(made) is not subject.kind:
        raise subject.breach(f"its example is a {type(made).__name__}")


def declares_itself(subject: Subject) -> None:
    """`revision` counts from 1; `needs` and `scope` are known; its verb is there."""
    kind: Any = subject.kind
    revision = getattr(kind, "revision", None)
    if not isinstance(revision, int) or isinstance(revision, bool) or revision < 1:
        raise subject.breach(f"revision is {revision!r}", "declare revision: ClassVar[int] = 1")
    verbs = [verb for verb in ROOM_VERBS[subject.room] if callable(getattr(kind, verb, None))]
    if len(verbs) != 1:
        raise subject.breach(f"it has {len(verbs)} of the methods {', '.join(ROOM_VERBS[subject.room])}", "give it one")
    rooms = {"detection", "slicing", "valuation", "editing", "selection", "learning"}
    if subject.verb != "apply" and subject.room in rooms:
        if unknown := sorted(set(getattr(kind, "needs", {"needs"})) - set(NEEDS)):
            raise subject.breach(f"needs {unknown} are unknown", f"name some of {', '.join(NEEDS)}")
        if subject.room != "learning" and getattr(kind, "scope", None) not in get_args(Scope):
            raise subject.breach("it declares no scope", "declare scope: ClassVar[Scope] = 'train' or 'all'")


def spec_round_trips(subject: Subject) -> None:
    """Spec -> dictionary -> YAML -> spec -> operator gives the same spec and an equal operator."""
    if (subject.room, subject.name) in NOT_WRITTEN:
        return
    made = subject.make()
    spec = spec_of(made)
    read = Spec.from_dict(yaml.safe_load(yaml.safe_dump(spec.to_dict())))
    if read != spec or read.digest != spec.digest:
        raise subject.breach(f"its spec {spec} comes back from YAML as {read}", "use numbers, text and lists of them")
    again = subject.kind(**_given(subject.kind, read.parameters))
    if again != made or spec_of(again) != spec:
        raise subject.breach(f"made of its own spec, it is {again}", "let equal parameters make equal operators")


def _given(kind: Any, parameters: dict[str, Any]) -> dict[str, Any]:
    from tilth.operators.registry import parameters_of

    return parameters_of(kind, parameters)


def says_what_it_is(subject: Subject) -> None:
    """Module and class have docstrings; the module names its source; array functions state shapes."""
    module = sys.modules[subject.kind.__module__]
    if "Source:" not in (module.__doc__ or ""):
        raise subject.breach("its module names no source", "end the module's docstring with: Source: Author (year), …")
    if not (subject.kind.__doc__ or "").strip() or subject.kind.__doc__.startswith(f"{subject.kind.__name__}("):
        raise subject.breach("its class has no docstring")
    for function in _public_functions(ast.parse(inspect.getsource(module))):
        text = ast.get_docstring(function) or ""
        if not text:
            raise subject.breach(f"{function.name} has no docstring")
        if _takes_arrays(function) and not SHAPE.search(text):
            raise subject.breach(f"the docstring of {function.name} states no shapes", "write them as (n,), (n, k)")


def has_a_test(subject: Subject) -> None:
    """A test file of the operator's name exists."""
    if subject.tests is None:
        return
    ours = subject.kind.__module__.startswith("tilth.")
    folder = subject.tests / subject.room if ours else subject.tests
    if not any(folder.rglob(f"test_{subject.name}.py")):
        raise subject.breach("it has no test", f"write {folder / f'test_{subject.name}.py'}")


def _public_functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node


def _takes_arrays(function: ast.FunctionDef) -> bool:
    arguments = function.args
    given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return any(argument.annotation and ARRAYS.search(ast.unparse(argument.annotation)) for argument in given)


FORM: tuple[Check, ...] = (
    names_agree,
    frozen_keyword_only,
    makes_itself,
    declares_itself,
    spec_round_trips,
    says_what_it_is,
    has_a_test,
)
