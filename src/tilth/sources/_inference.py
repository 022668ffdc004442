"""Infer a schema from the values: each column's type and role, and the task; what the user named holds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.errors import ConfigError, LabelError, SourceError, UnknownColumnError, first_three
from tilth.core.names import SPLIT, SYSTEM_COLUMNS
from tilth.core.schema import Column, ColumnType, Role, Schema, Task
from tilth.sources._cells import as_category, as_number, as_vector
from tilth.sources._evidence import MOSTLY, Guess, guess, sampled
from tilth.sources._hints import LABEL, name_parts
from tilth.sources._labels import infer_task

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ROW_ORDER", "Inferred", "infer_schema"]

ROW_ORDER = "ROW_ORDER"
"""`--time ROW_ORDER`: the order of the rows is the time; no column is."""

_NOT_SERVED = frozenset({Role.LABEL, Role.SPLIT, Role.PRED_PROBS, Role.ID})


@dataclass(frozen=True, kw_only=True)
class Inferred:
    """A schema; `notes` say of each column why, `day_first` names columns of dates like 31/12/2020."""

    schema: Schema
    notes: dict[str, str]
    day_first: tuple[str, ...] = field(default=())


@dataclass(frozen=True, kw_only=True)
class _Named:
    """The columns that the user named, by what they are for."""

    label: str
    id: str | None
    split: str | None
    group: str | None
    time: str | None
    text: tuple[str, ...]
    embedding: tuple[str, ...]
    pred_probs: tuple[str, ...]

    def check(self, names: Sequence[str], *, has_label: bool) -> None:
        """Refuse unknown columns, and columns named for two things."""
        single = [name for name in (self.id, self.split, self.group, self.time) if name is not None]
        wanted = [
            *([self.label] if has_label else []),
            *single,
            *self.text,
            *self.embedding,
            *self.pred_probs,
        ]
        for name in wanted:
            if name not in names:
                raise UnknownColumnError.among(name, names)
        twice = sorted({name for name in wanted if wanted.count(name) > 1} - {self.id, self.group} - {self.time})
        both = [name for name in twice if name is not None]
        if both or (has_label and wanted.count(self.label) > 1):
            raise ConfigError(
                f"column {first_three(map(repr, both or [self.label]))} is named for two things",
                next_step="name it for one",
            )


def infer_schema(
    table: pa.Table,
    *,
    label: str | None,
    id: str | None = None,  # noqa: A002 - the name of the option
    split: str | None = None,
    text: Sequence[str] = (),
    group: str | None = None,
    time: str | None = None,
    embedding: Sequence[str] = (),
    pred_probs: Sequence[str] = (),
    classes: Sequence[str] = (),
) -> Inferred:
    """Return the schema of a table as an expert would write it at a first look.

    Parameters
    ----------
    table : pa.Table
        As `open_source` gave it.
    label : str or None
        The label column; None if no row has a label yet: `classes` are needed, a column `label` is added.
    id, split, group, time : str or None
        Columns of these roles; a split column is found by its name and values if none is named.
        `time="ROW_ORDER"` means the order of the rows and is no column.
    text, embedding, pred_probs : names of columns
        Columns of these types and roles; `pred_probs`, `pred_probs_<class>` are found by their names.
    classes : names in the order to keep
        The classes, where not all of them occur.

    Raises
    ------
    UnknownColumnError, LabelError, ConfigError, SourceError
        A column that is not there; a label that cannot be learnt; a column named for two things; no feature.
    """
    names = [name for name in table.column_names if name not in SYSTEM_COLUMNS]
    named = _Named(
        label=label or _new_label(names, classes),
        id=id,
        split=split,
        group=group,
        time=None if time == ROW_ORDER and time not in names else time,
        text=tuple(text),
        embedding=tuple(embedding),
        pred_probs=tuple(pred_probs) or tuple(name for name in names if _is_pred_probs(name)),
    )
    named.check(names, has_label=label is not None)
    cells = table.column(named.label) if label is not None else pa.chunked_array([pa.nulls(0, pa.string())])
    task, why = infer_task(named.label, cells, tuple(str(name) for name in classes))
    _check_pred_probs(table, named.pred_probs, task)
    guesses = {name: _guess(name, table, named, task) for name in names if name != named.label}
    guesses = _one_split(guesses, named, has_splits=SPLIT in table.column_names)
    guesses = _some_feature(guesses, table)
    kind = ColumnType.NUMBER if task.is_regression else ColumnType.CATEGORY
    guesses[named.label] = Guess(type=kind, role=Role.LABEL, note=why)
    order = names if named.label in names else [*names, named.label]
    return Inferred(
        schema=Schema(columns=tuple(_column(name, guesses[name]) for name in order), tasks=(task,)),
        notes={name: guesses[name].note for name in order},
        day_first=tuple(name for name in order if guesses[name].day_first),
    )


def _column(name: str, found: Guess) -> Column:
    return Column(name=name, type=found.type, role=found.role, at_serving=found.role not in _NOT_SERVED)


def _new_label(names: Sequence[str], classes: Sequence[str]) -> str:
    if not classes:
        raise LabelError(
            "no label column is named", next_step="--label COLUMN, or --classes a,b,c if no row has a label"
        )
    if "label" in names:
        raise LabelError("there is a column 'label' already", next_step="--label label, or rename the column")
    return "label"


def _is_pred_probs(name: str) -> bool:
    return name == "pred_probs" or name.startswith("pred_probs_")


def _guess(name: str, table: pa.Table, named: _Named, task: Task) -> Guess:
    column = table.column(name)
    asked = _as_named(name, column, named)
    if asked is not None:
        return asked
    found = guess(name, column)
    if found.role is Role.FEATURE and _is_other_label(name, column, found, task):
        return replace(found, role=Role.IGNORE, note="ignored: looks like another version of the label")
    if found.type is ColumnType.EMBEDDING and found.role is Role.FEATURE and _is_votes(column, task):
        note = "ignored: one share or count per class may give the label away; --pred-probs would use it"
        return replace(found, role=Role.IGNORE, note=note)
    return found


def _as_named(name: str, column: pa.ChunkedArray, named: _Named) -> Guess | None:
    """Return what the user said that a column is."""
    for role, wanted in ((Role.ID, named.id), (Role.SPLIT, named.split), (Role.GROUP, named.group)):
        if name == wanted:
            return Guess(type=ColumnType.CATEGORY, role=role, note=f"named as {role}")
    if name == named.time:
        return _time(name, column)
    if name in named.text:
        return Guess(type=ColumnType.TEXT, note="named as text")
    if name in named.pred_probs:
        is_number = not as_number(sampled(column)).junk.any()
        kind = ColumnType.NUMBER if is_number else ColumnType.EMBEDDING
        return Guess(type=kind, role=Role.PRED_PROBS, note="probabilities per class")
    if name in named.embedding:
        if as_vector(sampled(column)).junk.any():
            raise SourceError(
                "the embedding is not a list of equally many numbers in every row",
                where=f"column {name!r}",
                next_step="write one list of numbers per row, all of one length",
            )
        return Guess(type=ColumnType.EMBEDDING, note="named as embedding")
    return None


def _time(name: str, column: pa.ChunkedArray) -> Guess:
    found = guess(name, column)
    if found.type is ColumnType.DATE:
        return replace(found, role=Role.TIME, note=f"named as time; {found.note}")
    cells = sampled(column)
    if len(cells) == 0 or as_number(cells).junk.mean() > 1 - MOSTLY:
        raise SourceError(
            "the time column holds neither dates nor numbers",
            where=f"column {name!r}",
            next_step="write dates such as 2020-12-31, or leave out --time",
        )
    return Guess(type=ColumnType.NUMBER, role=Role.TIME, note="named as time; numbers")


def _is_other_label(name: str, column: pa.ChunkedArray, found: Guess, task: Task) -> bool:
    """Whether a column is named like a label and holds only the label's classes."""
    if task.is_regression or found.type not in {ColumnType.CATEGORY, ColumnType.NUMBER}:
        return False
    is_named = bool(name_parts(name) & LABEL) or (len(task.label) > 2 and task.label.lower() in name.lower())
    return is_named and set(as_category(column).drop_null().unique().to_pylist()) <= set(task.classes)


def _is_votes(column: pa.ChunkedArray, task: Task) -> bool:
    """Whether each cell has one count or probability per class."""
    vectors = as_vector(sampled(column)).column.drop_null()
    if task.n_classes < 2 or len(vectors) == 0 or vectors.type.list_size != task.n_classes:
        return False
    values = np.asarray(pc.list_flatten(vectors).to_numpy()).reshape(-1, task.n_classes)
    are_counts = (values == np.floor(values)).all()
    return bool((values >= 0).all() and (are_counts or np.allclose(values.sum(axis=1), 1, atol=1e-3)))


def _check_pred_probs(table: pa.Table, names: Sequence[str], task: Task) -> None:
    """Refuse pred_probs that do not have one number per class."""
    if not names or task.is_regression:
        return
    if len(names) == 1 and len(names) != task.n_classes:
        vectors = as_vector(sampled(table.column(names[0])))
        if vectors.junk.any() or vectors.column.type.list_size != task.n_classes:
            raise LabelError(
                f"pred_probs must be lists of {task.n_classes} numbers, one per class",
                where=f"column {names[0]!r}",
                next_step=f"write them in the order of the classes: {first_three(task.classes)}",
            )
        return
    prefixed = {name.removeprefix("pred_probs_") for name in names if _is_pred_probs(name)}
    if len(names) != task.n_classes or (prefixed and prefixed != set(task.classes)):
        raise LabelError(
            f"{len(names)} columns of pred_probs for {task.n_classes} classes",
            where=f"columns {first_three(names)}",
            next_step=f"one column per class, called {first_three(f'pred_probs_{c}' for c in task.classes)}",
        )


def _one_split(guesses: dict[str, Guess], named: _Named, *, has_splits: bool) -> dict[str, Guess]:
    """Keep the split column that was named, else the first found; none if the files say the splits."""
    found = [name for name, item in guesses.items() if item.role is Role.SPLIT]
    kept = named.split if named.split is not None else next(iter(found), None)
    for name in found:
        if has_splits and named.split is None:
            guesses[name] = replace(guesses[name], role=Role.IGNORE, note="ignored: the files say the splits")
        elif name != kept:
            guesses[name] = replace(guesses[name], role=Role.IGNORE, note=f"ignored: {kept!r} says the splits")
    return guesses


def _some_feature(guesses: dict[str, Guess], table: pa.Table) -> dict[str, Guess]:
    """Read columns that look like identifiers as text where nothing else is left to learn from."""
    if any(item.role is Role.FEATURE for item in guesses.values()):
        return guesses
    rescued = [
        name
        for name, item in guesses.items()
        if item.role is Role.IGNORE and pa.types.is_string(table.column(name).type) and "nearly all" in item.note
    ]
    if not rescued:
        raise SourceError(
            "no column is left to learn from",
            where="; ".join(f"{name}: {item.note}" for name, item in list(guesses.items())[:5]),
            next_step="add columns, or say what one of these is, e.g. --text COLUMN",
        )
    note = "looks like identifiers, but there is nothing else to learn from: read as text"
    return {n: Guess(type=ColumnType.TEXT, note=note) if n in rescued else item for n, item in guesses.items()}
