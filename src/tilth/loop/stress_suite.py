"""Which stress tests a project has: those of tilth.yaml with the transforms of its Python file, or the usual ones for its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tilth.core.errors import ConfigError, UnknownOperatorError, did_you_mean
from tilth.core.schema import ColumnType, Schema
from tilth.loop._project import ProjectFile
from tilth.loop._stress_lines import SEVERITIES, PairsChoice, StressChoice, known_transforms
from tilth.loop.python_file import load_functions
from tilth.operators.registry import make
from tilth.operators.transforms import FunctionTransform

__all__ = ["StressTest", "choices_for", "pairs_of", "stress_tests", "usual_choices"]

USUAL: Mapping[ColumnType, tuple[str, ...]] = {
    ColumnType.TEXT: ("typo", "case_change", "word_dropout", "synonym", "entity_swap", "number_jitter"),
    ColumnType.IMAGE: ("blur", "gaussian_noise", "brightness", "contrast", "jpeg_quality", "rotate", "crop"),
    ColumnType.NUMBER: ("jitter", "missingness"),
    ColumnType.CATEGORY: ("category_swap", "missingness"),
}
"""What rows of each type usually have to bear without another prediction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StressTest:
    """A test that is ready to be run: one transform at one severity.

    Parameters
    ----------
    name : of the test; several severities share it
    transform : what changes rows
    severity : how strongly; None where it has no severities
    expect, tolerance, at_most : as it was declared
    where : where it is written
    is_usual : whether nobody asked for it
    """

    name: str
    transform: Any
    severity: int | None
    expect: str = "same"
    tolerance: float | None = None
    at_most: float | None = None
    where: str = ""
    is_usual: bool = False

    @property
    def title(self) -> str:
        """The transform's name."""
        return transform_name(self.transform)


def transform_name(transform: Any) -> str:
    """Return what a transform is called: a function by its own name, an operator by its file's."""
    return str(getattr(transform, "name", None) or type(transform).__module__.rpartition(".")[2])


def usual_choices(schema: Schema) -> tuple[StressChoice, ...]:
    """Return the tests for a project that declares none: every transform that suits its features; images at all severities."""
    kinds = {column.type for column in schema.features}
    names = dict.fromkeys(name for kind, usual in USUAL.items() if kind in kinds for name in usual)
    on_images = set(USUAL[ColumnType.IMAGE])
    return tuple(
        StressChoice(transform=name, severities=SEVERITIES if name in on_images else (), is_usual=True)
        for name in names
    )


def choices_for(
    file: ProjectFile, schema: Schema, transforms: Sequence[Any], severity: int | None, expect: str
) -> tuple[Any, ...]:
    """Return what is to be tried: the transforms that are named, else the block `stress:`, else the usual tests.

    Parameters
    ----------
    file : what tilth.yaml says
    schema : of the version
    transforms : names, or transforms themselves
    severity, expect : of the transforms that are named
    """
    if transforms:
        severities = () if severity is None else (severity,)
        return tuple(
            StressChoice(transform=one, severities=severities, expect=expect)
            if isinstance(one, str)
            else StressTest(name=transform_name(one), transform=one, severity=_own(one), expect=expect or _usual(one))
            for one in transforms
        )
    return file.stress or usual_choices(schema)


def pairs_of(choices: Sequence[Any]) -> tuple[PairsChoice, ...]:
    """Return the tests on pairs."""
    return tuple(one for one in choices if isinstance(one, PairsChoice))


def stress_tests(choices: Sequence[Any], file: ProjectFile, folder: Path) -> tuple[StressTest, ...]:
    """Return tests that are ready, one per severity.

    Raises
    ------
    UnknownOperatorError
        No transform has that name.
    ConfigError
        The Python file cannot be loaded, parameters that a transform refuses, or nothing said of what to expect of a transform that
        may make the label another one.
    """
    named = [one for one in choices if isinstance(one, StressChoice)]
    own = _own_transforms(named, file, folder)
    found: list[StressTest] = []
    for one in choices:
        if isinstance(one, StressTest):
            found.append(one)
        elif isinstance(one, StressChoice):
            found += _ready(one, own)
    return tuple(found)


def _own_transforms(choices: Sequence[StressChoice], file: ProjectFile, folder: Path) -> dict[str, FunctionTransform]:
    """Return the transforms of the Python file, which runs only where one of them may be meant."""
    known = known_transforms()
    if file.python is None or (not file.stress and all(choice.transform in known for choice in choices)):
        return {}
    made = load_functions(folder / file.python)
    own = {one.name: one for one in made if isinstance(one, FunctionTransform)}
    for name, one in own.items():
        if name in known:
            raise ConfigError(
                f"transform {name!r} has the name of one of tilth's",
                where=f"{folder / file.python}, line {one.line}",
                next_step='give it another: @tilth.transform(name="…")',
            )
    return own


def _ready(choice: StressChoice, own: Mapping[str, FunctionTransform]) -> list[StressTest]:
    made = [(severity, _made(choice, severity, own)) for severity in choice.severities or (None,)]
    name = choice.name or choice.transform
    return [
        StressTest(
            name=name,
            transform=transform,
            severity=severity or _own(transform),
            expect=choice.expect or _usual(transform, choice.where),
            tolerance=choice.tolerance,
            at_most=choice.at_most,
            where=choice.where,
            is_usual=choice.is_usual,
        )
        for severity, transform in made
    ]


def _made(choice: StressChoice, severity: int | None, own: Mapping[str, FunctionTransform]) -> Any:
    name = choice.transform
    if name in own:
        if severity is not None or choice.params:
            raise ConfigError(
                f"transform {name!r} is a function: it has no severities and no parameters",
                where=choice.where,
                next_step="leave severity and params out",
            )
        return own[name] if not choice.columns else own[name].on(choice.columns)
    known = known_transforms()
    if name not in known:
        raise UnknownOperatorError(
            f"no transform is called {name!r}.{did_you_mean(name, [*known, *own])}",
            where=choice.where,
            next_step=f"write one of {', '.join([*known, *own])}",
        )
    if severity is not None and "severity" not in known[name]:
        raise ConfigError(f"transform {name!r} has no severities", where=choice.where, next_step="leave severity out")
    given = dict(choice.params) | ({} if severity is None else {"severity": severity})
    given |= {"columns": list(choice.columns)} if choice.columns else {}
    try:
        return make("editing", name, **given)
    except (ConfigError, TypeError, ValueError) as error:
        what = error.what if isinstance(error, ConfigError) else str(error)
        raise ConfigError(f"transform {name!r}: {what}", where=choice.where) from None


def _own(transform: Any) -> int | None:
    """Return the severity that a transform has."""
    severity = getattr(transform, "severity", None)
    return None if severity is None else int(severity)


def _usual(transform: Any, where: str = "") -> str:
    """Return what is expected where nothing is said: the same prediction, of what keeps the label."""
    if transform.label == "keep":
        return "same"
    raise ConfigError(
        f"transform {transform_name(transform)!r} may make the label another one: what should the prediction do?",
        where=where,
        next_step="write expect: flips, up CLASS, down CLASS or same",
    )
