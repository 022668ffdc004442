"""Which transforms get a report card: those that are named, else all of tilth's that suit the features and the project's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tilth.core.errors import ConfigError, NotApplicable, UnknownOperatorError, did_you_mean
from tilth.core.schema import Schema
from tilth.loop._project import ProjectFile
from tilth.loop._stress_lines import known_transforms
from tilth.loop.python_file import load_functions
from tilth.loop.stress_suite import transform_name
from tilth.loop.varying import changed_columns
from tilth.operators.registry import make
from tilth.operators.transforming import refuse_severity
from tilth.operators.transforms import FunctionTransform

__all__ = ["ChosenTransform", "chosen_transforms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenTransform:
    """A transform that is to be measured, at one severity; None where it has none."""

    name: str
    transform: Any
    severity: int | None

    @classmethod
    def of(cls, transform: Any) -> ChosenTransform:
        """Return a transform as it is."""
        severity = getattr(transform, "severity", None)
        return cls(
            name=transform_name(transform), transform=transform, severity=None if severity is None else int(severity)
        )


def chosen_transforms(
    wanted: Sequence[Any],
    file: ProjectFile,
    folder: Path,
    schema: Schema,
    *,
    severity: int | None = None,
    columns: Sequence[str] = (),
) -> tuple[ChosenTransform, ...]:
    """Return the transforms that are measured.

    Parameters
    ----------
    wanted : names, or transforms themselves; () for all that suit
    file, folder : tilth.yaml, and where it lies
    schema : of the version
    severity : 1 to 5; None for each one's own
    columns : what they change; () for all that each accepts

    Raises
    ------
    UnknownOperatorError, ConfigError
        No transform has that name, or it has no severities; the Python file cannot be loaded.
    NotApplicable
        Nothing was named, and nothing suits.
    """
    if severity is not None:
        refuse_severity(severity)
    if not wanted:
        return _all_that_suit(file, folder, schema, severity, tuple(columns))
    known = known_transforms()
    own = _own(file, folder) if any(isinstance(one, str) and one not in known for one in wanted) else {}
    return tuple(
        _named(one, severity, tuple(columns), own) if isinstance(one, str) else ChosenTransform.of(one)
        for one in wanted
    )


def _own(file: ProjectFile, folder: Path) -> dict[str, FunctionTransform]:
    """Return the transforms of the project's Python file by their names."""
    if file.python is None:
        return {}
    own = {one.name: one for one in load_functions(folder / file.python) if isinstance(one, FunctionTransform)}
    for name, one in own.items():
        if name in known_transforms():
            raise ConfigError(
                f"transform {name!r} has the name of one of tilth's",
                where=f"{folder / file.python}, line {one.line}",
                next_step='give it another: @tilth.transform(name="…")',
            )
    return own


def _all_that_suit(
    file: ProjectFile, folder: Path, schema: Schema, severity: int | None, columns: tuple[str, ...]
) -> tuple[ChosenTransform, ...]:
    made = [_made(name, severity if "severity" in has else None, columns) for name, has in known_transforms().items()]
    suiting = [one for one in made if _suits(one, schema)]
    found = [ChosenTransform.of(one) for one in (*suiting, *_own(file, folder).values())]
    if not found:
        kinds = ", ".join(sorted({str(column.type) for column in schema.features}))
        raise NotApplicable(
            f"no transform suits the features, which are of type {kinds}",
            next_step="write one with @tilth.transform into the Python file that python: in tilth.yaml names",
        )
    return tuple(found)


def _suits(transform: Any, schema: Schema) -> bool:
    """Whether it changes some feature; what must be told its columns, as samples of sound, does not by itself."""
    if getattr(transform, "must_name_columns", False) and not transform.columns:
        return False
    try:
        return bool(changed_columns(transform, schema))
    except (NotApplicable, ConfigError):
        return False


def _named(
    name: str, severity: int | None, columns: tuple[str, ...], own: Mapping[str, FunctionTransform]
) -> ChosenTransform:
    known = known_transforms()
    if name not in known and name not in own:
        raise UnknownOperatorError(
            f"no transform is called {name!r}.{did_you_mean(name, [*known, *own])}",
            next_step=f"write one of {', '.join([*known, *own])}",
        )
    if severity is not None and (name in own or "severity" not in known[name]):
        raise ConfigError(f"transform {name!r} has no severities", next_step="leave severity out")
    if name in own:
        return ChosenTransform.of(own[name].on(columns) if columns else own[name])
    return ChosenTransform.of(_made(name, severity, columns))


def _made(name: str, severity: int | None, columns: tuple[str, ...]) -> Any:
    given = {} if severity is None else {"severity": severity}
    return make("editing", name, **given, **({"columns": list(columns)} if columns else {}))
