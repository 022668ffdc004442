"""Checks: what must hold of rows, or of a model's predictions; counted, never quoted.

A check is a name with a function from a batch of rows to the mask of those for which it holds. SQL predicates of tilth.yaml are
made into such functions; functions that people write are others. Where a predicate is null (an empty cell), it does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa

from tilth.core.arrays import Mask, Matrix
from tilth.core.dataset import Dataset
from tilth.core.errors import ConfigError, TilthError, UnknownColumnError, did_you_mean
from tilth.core.gate_summary import CheckResult, Passing
from tilth.core.names import ROW_ID, Split
from tilth.core.schema import ColumnType, Schema
from tilth.engine.predicate import Predicate
from tilth.loop._gate_plan import CheckChoice
from tilth.loop.python_file import load_functions
from tilth.loop.visibility import may_quote
from tilth.operators.batch import Batch, batches
from tilth.operators.rules import FunctionCheck

__all__ = ["PREDICTIONS", "NamedCheck", "checks_of", "predicted_table", "run_checks", "written_checks"]

PREDICTIONS = "predictions"
"""Stands for test rows with what the model says of them, and without their labels."""
ALL = "rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCheck:
    """Something that must hold for a share of rows.

    Parameters
    ----------
    name, rule : what it is called, and what must hold, in a line
    columns : the columns that it reads
    holds : batch of these columns -> (n,) mask of the rows for which it holds
    at_least : share of rows on which it must hold
    on : rows, train, dev, test or predictions
    """

    name: str
    rule: str
    columns: tuple[str, ...]
    holds: Callable[[Batch], Mask]
    at_least: float = 1.0
    on: str = ALL


def checks_of(choices: Sequence[CheckChoice], schema: Schema) -> tuple[NamedCheck, ...]:
    """Return the checks of tilth.yaml; raises ConfigError with the line for what is no predicate, or names a missing column."""
    return tuple(_check(choice, schema) for choice in choices)


def written_checks(path: Path, schema: Schema) -> tuple[NamedCheck, ...]:
    """Return the checks of a Python file; raises UnknownColumnError where one declares a column that there is not."""
    found = []
    for function in load_functions(path):
        if not isinstance(function, FunctionCheck):
            continue
        for column in function.columns:
            if column not in schema.names:
                where = f"check {function.name!r}, {path}, line {function.line}"
                raise UnknownColumnError.among(column, schema.names, where=where)
        light = [c.name for c in schema.columns if c.type not in (ColumnType.IMAGE, ColumnType.EMBEDDING)]
        found.append(
            NamedCheck(
                name=function.name,
                rule=f"{function.name}(row)",
                columns=function.columns or tuple(light),
                holds=partial(_ruled, function),
            )
        )
    return tuple(found)


def _ruled(function: FunctionCheck, batch: Batch) -> Mask:
    return function.ruled(batch).holds


def run_checks(checks: Sequence[NamedCheck], dataset: Dataset, predicted: pa.Table | None) -> list[CheckResult]:
    """Return how each check ends; `predicted` are the test rows with predictions, None where they are not known."""
    return [_run(check, dataset, predicted) for check in checks]


def predicted_table(dataset: Dataset, rows: Mask, predicted: Matrix, schema: Schema) -> pa.Table:
    """Return rows with `prediction`, `confidence` and one probability per class, `p_CLASS`; the label is left out.

    For numbers there is `prediction` alone. A column of the source of the same name gives way.
    """
    names = [name for name in schema.names if name != schema.task.label]
    table = dataset.read(ROW_ID, *names).filter(pa.array(rows))
    said: dict[str, pa.Array] = {}
    task = schema.task
    if task.is_regression:
        said["prediction"] = pa.array(predicted[:, 0])
    else:
        best = predicted.argmax(axis=1)
        said["prediction"] = pa.array([task.classes[i] for i in best], pa.string())
        said["confidence"] = pa.array(predicted.max(axis=1))
        said |= {f"p_{name}": pa.array(predicted[:, i]) for i, name in enumerate(task.classes)}
    for name, cells in said.items():
        if name in table.column_names:
            table = table.drop_columns([name])
        table = table.append_column(name, cells)
    return table


def _check(choice: CheckChoice, schema: Schema) -> NamedCheck:
    try:
        predicate = Predicate(choice.where)
    except ConfigError as error:
        place = f"{choice.place}, check {choice.name!r}: {error.where}" if error.where else choice.place
        raise ConfigError(error.what, where=place, next_step=error.next_step) from None
    made = _said_columns(schema)
    on = choice.on or (PREDICTIONS if set(predicate.columns) & set(made) - set(schema.names) else ALL)
    known = [*(name for name in schema.names if on != PREDICTIONS or name != schema.task.label)]
    known += made if on == PREDICTIONS else []
    for name in predicate.columns:
        if name not in known:
            raise _missing(name, choice, schema, on, known)
    return NamedCheck(
        name=choice.name,
        rule=choice.where,
        columns=predicate.columns,
        holds=predicate.holds,
        at_least=choice.at_least,
        on=on,
    )


def _said_columns(schema: Schema) -> list[str]:
    task = schema.task
    return ["prediction"] if task.is_regression else ["prediction", "confidence", *(f"p_{c}" for c in task.classes)]


def _missing(name: str, choice: CheckChoice, schema: Schema, on: str, known: Sequence[str]) -> ConfigError:
    if on == PREDICTIONS and name == schema.task.label:
        what = f"{name!r} is the label, which checks of predictions may not read"
        return ConfigError(
            what, where=f"{choice.place}, check {choice.name!r}", next_step="write a condition: its looks are counted"
        )
    at = choice.where.find(name)
    shown = f"{choice.where[:at]}⟨here⟩{choice.where[at:]}"
    return ConfigError(
        f"the check names no column of the data: {name!r}.{did_you_mean(name, known)}",
        where=f"{choice.place}, check {choice.name!r}, sign {at + 1} of {shown!r}",
        next_step=f"name one of {', '.join(known[:8])}; text stands in single quotes",
    )


def _run(check: NamedCheck, dataset: Dataset, predicted: pa.Table | None) -> CheckResult:
    schema = dataset.schema
    if check.on == PREDICTIONS:
        table = predicted
    else:
        table = dataset.read(ROW_ID, *check.columns)
        if check.on != ALL:
            table = table.filter(pa.array(dataset.mask(Split(check.on))))
    if table is None or not table.num_rows:
        why = "there is no model yet" if table is None else f"there is no row of {check.on}"
        return _result(check, 0, 0, Passing.UNDECIDED, why)
    try:
        holds = sum(int(check.holds(batch).sum()) for batch in batches(table, check.columns))
    except (ArithmeticError, ValueError, TypeError) as error:
        if isinstance(error, TilthError):
            raise
        why = str(error) if may_quote(schema) else "it cannot be computed on some cell"
        return _result(check, table.num_rows, 0, Passing.FAIL, f"it cannot be computed: {why}")
    passes = holds >= check.at_least * table.num_rows - 1e-9
    return _result(check, table.num_rows, holds, Passing.PASS if passes else Passing.FAIL)


def _result(check: NamedCheck, rows: int, holds: int, verdict: Passing, reason: str = "") -> CheckResult:
    return CheckResult(
        name=check.name,
        rule=check.rule,
        on=check.on,
        rows=rows,
        holds=holds,
        at_least=check.at_least,
        verdict=verdict,
        reason=reason,
    )
