"""The text of tilth.yaml: every value with its choices, every column with why it was read so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tilth.core.names import Split
from tilth.core.schema import ColumnType, Role, TaskType, Visibility
from tilth.loop._augment_lines import augment_lines
from tilth.loop._migration_lines import migration_lines
from tilth.loop._project import METRICS
from tilth.loop._slice_lines import slice_lines
from tilth.loop._split_plan import ROW_ORDER
from tilth.loop._stress_lines import stress_lines
from tilth.loop._test_lines import gate_lines
from tilth.loop._yaml_nodes import flow, number_text, pair

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tilth.core.schema import Column
    from tilth.loop._project import OperatorChoice, ProjectFile

__all__ = ["write"]

COMMENTS_FROM = 46
"""The place in a line from which comments start."""
WIDEST = 100


def write(project_file: ProjectFile, notes: Mapping[str, str]) -> str:
    """Return the text of tilth.yaml; `notes` says for each column why it was read as it was."""
    parts = [
        _what(project_file),
        _columns(project_file.schema.columns, notes),
        _splits(project_file),
        _how(project_file),
    ]
    return "\n".join(line for part in parts for line in (*part, ""))


def _what(project_file: ProjectFile) -> Iterator[str]:
    task = project_file.schema.task
    yield "# What is learnt from what, and how it is judged. Change any line; the next run goes by this file."
    yield ""
    yield from _list("source", project_file.source, "a file, a list of files, or {train: FILE, test: FILE}")
    yield _line(pair("label", flow(task.label)), "the column that is learnt")
    yield _line(f"task: {task.type}", _or(TaskType))
    classes = project_file.first_classes or task.classes
    yield from _list("classes", classes, "as the source names them; their order numbers them; none for regression")
    yield _line(f"metric: {task.metric}", _or(METRICS))


def _columns(columns: Iterable[Column], notes: Mapping[str, str]) -> Iterator[str]:
    yield "# One line per column, with the reason for what was inferred."
    yield f"#   type        {_or(ColumnType)}"
    yield f"#   role        {_or(Role)}; where none is written: feature"
    yield f"#   visibility  {_or(Visibility)}; where none is written: shown (aggregate: in sums only)"
    yield "#   at_serving  false for a column that is not there when the model predicts; else true"
    yield "columns:"
    for column in columns:
        yield _line(pair(column.name, flow(_said(column)), indent="  "), notes.get(column.name, ""))


def _said(column: Column) -> dict[str, Any]:
    """Return what is written of a column: its type, and what is not the default."""
    said: dict[str, Any] = {"type": column.type.value}
    if column.role is not Role.FEATURE:
        said["role"] = column.role.value
    if column.visibility is not Visibility.SHOWN:
        said["visibility"] = column.visibility.value
    if not column.at_serving:
        said["at_serving"] = False
    return said


def _splits(project_file: ProjectFile) -> Iterator[str]:
    plan = project_file.splits
    names = {name: str(split) for name, split in plan.names.items()}
    shares = ", ".join(f"{name}: {_short(share)}" for name, share in plan.shares._asdict().items())
    yield "# train learns, dev chooses, test is sealed. Splits that the source names stay; others are cut."
    yield "splits:"
    yield _line(f"  column: {flow(plan.column)}", "the column that names each row's split, or null")
    yield _line(f"  names: {flow(names)}", f"what its names mean: {_or(Split)}")
    yield _line(f"  shares: {{{shares}}}", "what a cut gives to each; they add up to 1")
    yield _line(f"  time: {flow(plan.time)}", f"a column, {ROW_ORDER} or null: train oldest, test newest")


def _how(project_file: ProjectFile) -> Iterator[str]:
    trials = (
        f"alpha: {_short(project_file.alpha)}, least_useful_gain: {_short(project_file.least_useful_gain)}, "
        f"finalists: {project_file.finalists}, placebo_draws: {project_file.placebo_draws}"
    )
    yield _line(f"seed: {project_file.seed}", "decides every draw")
    budget = project_file.budget
    plain = re.fullmatch(r"[0-9][0-9. hms]*[hms]", budget)  # 10m is no number, so it needs no quotes
    yield _line(f"budget: {budget if plain else flow(budget)}", "time for one run: 90s, 10m, 1h30m")
    yield from _list("guards", project_file.guards, "columns whose values must not become worse, e.g. [sex]")
    yield "# alpha: the chance that an edit without gain is kept; finalists: how many edits are tried on dev"
    yield f"trials: {{{trials}}}"
    yield from _encoders(project_file.encoders)
    yield _line(f"store: {_store(project_file)}", "where versions are kept: a folder, or s3://bucket/prefix")
    yield _line(f"learner: {_choice(project_file.learner)}", "auto, a name, or {name: NAME, params: {…}}")
    yield _line(f"python: {flow(project_file.python)}", "the Python file that holds your functions, or null")
    if not project_file.schema.task.is_regression:
        yield from _labelers(project_file)
    yield from _slices(project_file)
    if project_file.stress:
        yield from stress_lines(project_file.stress)
    if project_file.augment is not None:
        yield from augment_lines(project_file.augment)
    if project_file.migrations:
        yield from migration_lines(project_file.migrations)
    if project_file.gate is not None:
        yield from gate_lines(project_file.gate)


def _labelers(project_file: ProjectFile) -> Iterator[str]:
    why = "- {name: NAME, keyword: {words: [WORD], says: CLASS}}"
    if not project_file.labelers:
        yield _line("labelers: []", why)
        return
    yield _line("labelers:", why)
    for choice in project_file.labelers:
        yield f"  - {flow({'name': choice.name, choice.operator: choice.params})}"


def _slices(project_file: ProjectFile) -> Iterator[str]:
    why = "- {name: NAME, where: SQL}, or {name: NAME, each: COLUMN}"
    if not project_file.slices:
        yield _line("slices: []", why)
        return
    yield _line("slices:", why)
    yield from slice_lines(project_file.slices)


def _encoders(encoders: Mapping[str, OperatorChoice]) -> Iterator[str]:
    why = "by column, where the usual one is not wanted: {COLUMN: NAME}"
    if not encoders:
        yield _line("encoders: {}", why)
        return
    yield _line("encoders:", why)
    for column, choice in encoders.items():
        yield pair(column, _choice(choice), indent="  ")


def _choice(choice: OperatorChoice) -> str:
    return flow({"name": choice.name, "params": choice.params}) if choice.params else flow(choice.name)


def _store(project_file: ProjectFile) -> str:
    options = dict(project_file.store_options)
    return flow({"url": project_file.store, "options": options} if options else project_file.store)


def _list(key: str, value: Any, comment: str) -> Iterator[str]:
    """Write a key with a value; a list that is too wide for one line goes on below."""
    whole = f"{key}: {flow(value)}"
    if len(whole) <= WIDEST or not isinstance(value, tuple):
        yield _line(whole, comment)
        return
    yield _line(f"{key}: [", comment)
    line = " "
    for item in [*(f"{flow(item)}," for item in value[:-1]), f"{flow(value[-1])}]"]:
        if len(line) + len(item) > WIDEST and line != " ":
            yield line
            line = " "
        line += f" {item}"
    yield line


def _line(text: str, comment: str) -> str:
    """Return one line with its comment, on the comments' place; a comment never breaks the line."""
    said = " ".join("".join(sign if sign.isprintable() else " " for sign in comment).split())
    gap = " " * max(2, COMMENTS_FROM - len(text.rpartition("\n")[2]))
    return f"{text}{gap}# {said}" if said else text


def _or(words: Iterable[str]) -> str:
    return " | ".join(words)


def _short(value: float) -> str:
    """Return a number without a needless `.0`."""
    return number_text(float(value)).removesuffix(".0")
