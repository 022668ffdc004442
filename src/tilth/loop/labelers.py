"""The labelers of a project: those of tilth.yaml and those of its Python file, each with what it reads and its cache key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tilth.core.errors import ConfigError, UnknownColumnError
from tilth.core.ids import digest_of
from tilth.core.names import ROW_ID
from tilth.core.schema import ColumnType, Role, Schema
from tilth.loop._former_names import former_names, told_of_former
from tilth.loop._labeler_files import lookup_entries, score_entries, votes_in
from tilth.loop._project import LabelerChoice, ProjectFile
from tilth.loop.python_file import USUAL, load_functions
from tilth.operators.function_digest import Unseen, function_digest
from tilth.operators.labelers import FunctionLabeler
from tilth.operators.protocols import Labeler
from tilth.operators.registry import make, spec_of

__all__ = ["NamedLabeler", "labelers_if_any", "labelers_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedLabeler:
    """A labeler of a project.

    Parameters
    ----------
    name : its name, which no other has
    labeler : what votes
    columns : what it reads, all there
    key : the digest of what decides its votes besides the row; "" where that is not known: it votes anew each time
    where : the file and the line in which it is written
    unseen : why its key is not known
    definition : the digest of what it is by itself, whatever the classes are called; "" where that is not known
    former : class names of earlier label sets -> what they are called today; None where that may be several classes
    """

    name: str
    labeler: Labeler
    columns: tuple[str, ...]
    key: str
    where: str
    unseen: str = ""
    definition: str = ""
    former: Mapping[str, str | None] = field(default_factory=dict)


def labelers_of(file: ProjectFile, folder: Path) -> tuple[tuple[NamedLabeler, ...], tuple[str, ...]]:
    """Return all labelers of a project, those of tilth.yaml first, and warnings.

    Raises
    ------
    ConfigError
        There is none, two have one name, or one cannot be made.
    UnknownColumnError
        One reads a column that there is not.
    """
    if file.schema.task.is_regression:
        raise _numbers()
    found, warnings = _all_of(file, folder)
    if not found:
        raise _none(file, folder)
    return found, warnings


def labelers_if_any(file: ProjectFile, folder: Path) -> tuple[tuple[NamedLabeler, ...], tuple[str, ...]]:
    """Return the labelers of a project, none where it has none, and warnings. Raises as `labelers_of` does else."""
    found, warnings = _all_of(file, folder)
    if found and file.schema.task.is_regression:
        raise _numbers()
    return found, warnings


def _all_of(file: ProjectFile, folder: Path) -> tuple[tuple[NamedLabeler, ...], tuple[str, ...]]:
    schema, warnings = file.schema, list[str]()
    names = file.taxonomy.every_name if file.migrations else schema.task.classes
    found = [one for choice in file.labelers for one in _declared(choice, schema, names, folder, warnings)]
    if file.python is not None:
        path = folder / file.python
        written = [one for one in load_functions(path) if isinstance(one, FunctionLabeler)]
        found += [_written(one, schema, path) for one in written]
    elif (folder / USUAL).is_file():
        warnings.append(_unread())
    first: dict[str, NamedLabeler] = {}
    for one in found:
        other = first.setdefault(one.name, one)
        if other is not one:
            raise ConfigError(
                f"two labelers are called {one.name!r}",
                where=f"{other.where}; {one.where}",
                next_step="give one of them another name",
            )
    former = former_names(file.taxonomy)
    said = told_of_former(file, former)
    if former:
        found = [replace(one, former=former, key=one.key and digest_of([one.key, former])) for one in found]
    return tuple(found), (*warnings, *said)


def _numbers() -> ConfigError:
    return ConfigError("labelers name classes, and this task learns a number", next_step="choose a task with classes")


def _unread() -> str:
    return f"{USUAL} is not read: tilth.yaml does not name it; add the line python: {USUAL}"


def _none(file: ProjectFile, folder: Path) -> ConfigError:
    if file.python is not None:
        what, then = f"{file.python} holds no labeler, and tilth.yaml none", "decorate a function with @tilth.labeler"
    elif (folder / USUAL).is_file():
        what, then = f"{USUAL} is here, but tilth.yaml does not name it", f"add the line python: {USUAL}"
    else:
        what = "this project has no labelers"
        then = f"write functions with @tilth.labeler into {USUAL} and the line python: {USUAL}, or list labelers: in tilth.yaml"
    return ConfigError(what, where=str(folder), next_step=then)


# -- tilth.yaml --------------------------------------------------------------------------------------------------------


def _declared(
    choice: LabelerChoice, schema: Schema, names: Sequence[str], folder: Path, warnings: list[str]
) -> Iterator[NamedLabeler]:
    try:
        made: Any = make("labeling", choice.operator, **choice.params)
        if choice.operator == "votes_file":
            yield from _of_file(choice, made, schema, names, folder, warnings)
            return
        if choice.operator == "lookup" and made.file:
            made = replace(made, entries=lookup_entries(made, folder, names))
        if choice.operator == "model_votes" and made.file:
            scored = replace(made, entries=score_entries(made, folder, names))
            yield _by_id(choice.name, scored, schema, choice.where)
            return
    except ConfigError as error:
        raise ConfigError(
            f"labeler {choice.name!r}: {error.what}",
            where="; ".join(part for part in (choice.where, error.where) if part),
            next_step=error.next_step,
        ) from None
    texts = (ColumnType.TEXT, ColumnType.CATEGORY)
    usual = [name for name in _usual(schema) if schema.column(name).type in texts]
    yield _named(choice.name, made, schema, usual, choice.where)


def _of_file(
    choice: LabelerChoice, made: Any, schema: Schema, names: Sequence[str], folder: Path, warnings: list[str]
) -> Iterator[NamedLabeler]:
    """Return one labeler for each that a file of votes has, or the one that is named."""
    votes, said = votes_in(made, folder, names)
    warnings += [f"labeler {choice.name!r}: {one}" for one in said]
    for name, entries in votes.items():
        own = choice.name if made.labeler or len(votes) == 1 else f"{choice.name}.{name}"
        labeler = replace(made, labeler=name, entries=entries)
        yield _by_id(own, labeler, schema, choice.where)


def _by_id(name: str, labeler: Any, schema: Schema, where: str) -> NamedLabeler:
    """Return a labeler that reads nothing of a row but its id."""
    return NamedLabeler(
        name=name,
        labeler=labeler,
        columns=(ROW_ID,),
        key=_key(labeler, schema),
        where=where,
        definition=spec_of(labeler).digest,
    )


def _key(labeler: Any, schema: Schema) -> str:
    return digest_of(["votes", spec_of(labeler).to_dict(), list(schema.task.classes)])


def _named(name: str, labeler: Any, schema: Schema, usual: Sequence[str], where: str) -> NamedLabeler:
    columns = _checked(labeler.columns or tuple(usual), schema, name, where)
    return NamedLabeler(
        name=name,
        labeler=labeler,
        columns=columns,
        key=_key(labeler, schema),
        where=where,
        definition=digest_of([spec_of(labeler).to_dict(), list(columns)]),
    )


# -- the Python file ---------------------------------------------------------------------------------------------------


def _written(labeler: FunctionLabeler, schema: Schema, path: Path) -> NamedLabeler:
    where = f"{path}, line {labeler.line}"
    columns = _checked(labeler.columns or tuple(_usual(schema)), schema, labeler.name, where)
    try:
        function = function_digest(labeler.function, path.parent)
    except Unseen as unseen:
        return NamedLabeler(
            name=labeler.name, labeler=labeler, columns=columns, key="", where=where, unseen=str(unseen)
        )
    facts: list[Any] = ["function", function, labeler.is_batch, list(columns)]
    return NamedLabeler(
        name=labeler.name,
        labeler=labeler,
        columns=columns,
        key=digest_of([*facts, list(schema.task.classes)]),
        where=where,
        definition=digest_of(facts),
    )


# -- columns -----------------------------------------------------------------------------------------------------------


def _usual(schema: Schema) -> list[str]:
    """Return what a labeler reads that does not say: features, and columns that are not there at serving."""
    heavy = (ColumnType.IMAGE, ColumnType.EMBEDDING)
    not_read = (Role.LABEL, Role.ID, Role.SPLIT, Role.PRED_PROBS)
    return [
        column.name
        for column in schema.columns
        if column.role not in not_read
        and (column.role is Role.FEATURE or not column.at_serving)
        and column.type not in heavy
    ]


def _checked(columns: tuple[str, ...], schema: Schema, name: str, where: str) -> tuple[str, ...]:
    """Refuse columns that there are not, and the label."""
    known: Mapping[str, bool] = {column.name: column.role is Role.LABEL for column in schema.columns}
    for column in columns:
        if column not in known:
            others = [one for one, is_label in known.items() if not is_label]
            raise UnknownColumnError.among(column, others, where=f"labeler {name!r}, {where}")
        if known[column]:
            raise ConfigError(
                f"labeler {name!r} reads {column!r}, the label, which labelers are to find",
                where=where,
                next_step="read other columns; a column of one person's answers has a name of its own",
            )
    return columns
