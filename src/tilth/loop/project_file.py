"""tilth.yaml: what is learnt from what and how it is judged, in a file that a person reads and overrules."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from tilth.core.errors import ConfigError, did_you_mean, first_three
from tilth.core.names import Split
from tilth.core.schema import Column, ColumnType, Role, Schema, Task, TaskType, Visibility
from tilth.core.taxonomy import Taxonomy
from tilth.loop._augment_lines import augment_choice
from tilth.loop._labeler_choices import labeler_choices
from tilth.loop._migration_lines import migrations_of
from tilth.loop._operator_choice import operator_choice
from tilth.loop._project import BUDGET, METRICS, LabelerChoice, OperatorChoice, ProjectFile, Source, budget_seconds
from tilth.loop._slice_lines import slice_choices
from tilth.loop._split_plan import ROW_ORDER, Shares, SplitPlan
from tilth.loop._stress_lines import stress_choices
from tilth.loop._test_lines import gate_of
from tilth.loop._write_project import write
from tilth.loop._yaml_nodes import Node, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tilth.core.migration import Migration

__all__ = ["METRICS", "LabelerChoice", "OperatorChoice", "ProjectFile", "Source", "budget_seconds", "parse", "write"]

KEYS = (
    *("source", "label", "task", "classes", "metric", "columns", "splits", "seed", "budget", "guards", "trials"),
    *("encoders", "learner", "store", "python", "labelers", "slices", "generators", "migrations", "tests", "stress"),
    "augment",
)
REQUIRED = ("source", "label", "task", "columns")
ONE_EACH = (Role.LABEL, Role.ID, Role.SPLIT, Role.GROUP)
"""Roles that one column at most can have."""
FEWEST_PLACEBOS = 5
STORE_MEANS = "a folder, an address such as s3://bucket/prefix, or {url: …, options: {…}}"
SECRET = ("secret", "password", "token", "access_key", "account_key", "service_account")
"""Parts of the names of options that hold credentials."""


class _Line(NamedTuple):
    """One column as it is written; the role is None where none is."""

    node: Node
    type: ColumnType
    role: Role | None
    visibility: Visibility
    at_serving: bool


def parse(text: str, where: str = "tilth.yaml") -> ProjectFile:
    """Read a project file; raises ConfigError with line, key, what is allowed and the closest known word."""
    root = read(text, where).fields(KEYS, REQUIRED)
    lines = _lines(root["columns"])
    plan = _split_plan(root, lines)
    label = _column_name(root["label"], lines)
    columns = _with_roles(lines, label, plan)
    first = _task(root, label, lines)
    migrations = migrations_of(root["migrations"], first) if "migrations" in root else ()
    task = _today(first, migrations)
    names = dict.fromkeys((*task.classes, *(Taxonomy(first.classes, migrations).every_name if migrations else ())))
    return ProjectFile(
        source=_source(root["source"]),
        schema=Schema(columns=columns, tasks=(task,)),
        splits=plan,
        **_settings(root, lines),
        **_programmed(root, lines, label, names),
        **_stress(root, lines, task),
        first_classes=first.classes if migrations else (),
        migrations=migrations,
        gate=gate_of(root["tests"]) if "tests" in root else None,
    )


def _today(first: Task, migrations: tuple[Migration, ...]) -> Task:
    """Return the task with the classes of today: those of the source, after the migrations."""
    if not migrations:
        return first
    taxonomy = Taxonomy(first.classes, migrations)
    kind = TaskType.BINARY if len(taxonomy.names) == 2 and first.type is TaskType.BINARY else TaskType.MULTICLASS
    return replace(first, type=kind, classes=taxonomy.names, taxonomy=taxonomy.version)


def _source(node: Node) -> Source:
    what = "a file, a list of files, or a mapping from split to file"
    if node.is_mapping:
        found: Source = {split: item.text("a file") for split, item in node.mapping().items()}
    elif node.is_list:
        found = tuple(item.text("a file") for item in node.items())
    else:
        found = node.text(what)
    if not found:
        raise node.expected(what)
    return found


def _lines(node: Node) -> dict[str, _Line]:
    lines = {name: _line(item) for name, item in node.mapping("a mapping from column to {type: …}").items()}
    if not lines:
        raise node.fail("no columns are listed", "list the columns of the source, or write the file with tilth init")
    return lines


def _line(node: Node) -> _Line:
    fields = node.fields(("type", "role", "visibility", "at_serving"), required=("type",))
    return _Line(
        node,
        ColumnType(fields["type"].word(ColumnType)),
        Role(fields["role"].word(Role)) if "role" in fields else None,
        Visibility(fields["visibility"].word(Visibility)) if "visibility" in fields else Visibility.SHOWN,
        fields["at_serving"].boolean() if "at_serving" in fields else True,
    )


def _column_name(node: Node, lines: Mapping[str, _Line], also: tuple[str, ...] = ()) -> str:
    name = node.text("the name of a column")
    if name not in lines and name not in also:
        next_step = f"name one of {first_three([*lines, *also])}"
        raise node.fail(f"no column {name!r} under columns.{did_you_mean(name, lines)}", next_step)
    return name


def _optional(fields: Mapping[str, Node], key: str) -> Node | None:
    node = fields.get(key)
    return None if node is None or node.is_null else node


# splits


def _split_plan(root: Mapping[str, Node], lines: Mapping[str, _Line]) -> SplitPlan:
    fields = root["splits"].fields(("column", "names", "shares", "time")) if "splits" in root else {}
    column, time = _optional(fields, "column"), _optional(fields, "time")
    by_role = next((name for name, line in lines.items() if line.role is Role.SPLIT), None)
    names = fields["names"].mapping("a mapping from name to split") if "names" in fields else {}
    return SplitPlan(
        column=by_role if column is None else _column_name(column, lines),
        names={name: Split(item.word(Split)) for name, item in names.items()},
        shares=_shares(fields["shares"]) if "shares" in fields else Shares(),
        time=None if time is None else _time(time, lines),
    )


def _time(node: Node, lines: Mapping[str, _Line]) -> str:
    name = _column_name(node, lines, also=(ROW_ORDER,))
    if name != ROW_ORDER and lines[name].type not in (ColumnType.DATE, ColumnType.NUMBER):
        what = f"column {name!r} is of type {lines[name].type}: it gives no order in time"
        raise node.fail(what, f"name a column of type date or number, or {ROW_ORDER}")
    return name


def _shares(node: Node) -> Shares:
    fields = node.fields(Shares._fields, required=Shares._fields)
    shares = Shares(**{name: fields[name].number("a share between 0 and 1", 1e-6, 1.0) for name in Shares._fields})
    if abs(sum(shares) - 1) > 1e-6:
        raise node.fail(f"shares add up to {sum(shares):g}", "make them add up to 1")
    return shares


# roles and the task


def _with_roles(lines: Mapping[str, _Line], label: str, plan: SplitPlan) -> tuple[Column, ...]:
    """Return the columns; one that `label` or `splits` names has that role without saying so."""
    named = {"label": (label, Role.LABEL)}
    if plan.column is not None:
        named["splits.column"] = (plan.column, Role.SPLIT)
    if plan.time is not None and plan.time != ROW_ORDER:
        named["splits.time"] = (plan.time, Role.TIME)
    roles = {name: line.role for name, line in lines.items()}
    for key, (name, role) in named.items():
        if roles[name] not in (None, role):
            what = f"{key} names column {name!r}, whose role is {roles[name]}"
            raise lines[name].node.fail(what, f"write role: {role} here, or name another column under {key}")
        roles[name] = role
    for role in ONE_EACH:
        holders = [name for name in lines if roles[name] is role]
        if len(holders) > 1:
            what = f"{len(holders)} columns have role {role}: {first_three(holders)}"
            raise lines[holders[1]].node.fail(what, f"leave role {role} to one column; the others may be ignore")
    return tuple(
        Column(
            name=name,
            type=line.type,
            role=roles[name] or Role.FEATURE,
            visibility=line.visibility,
            at_serving=line.at_serving,
        )
        for name, line in lines.items()
    )


def _task(root: Mapping[str, Node], label: str, lines: Mapping[str, _Line]) -> Task:
    kind = TaskType(root["task"].word(TaskType))
    is_regression = kind is TaskType.REGRESSION
    if is_regression and lines[label].type is not ColumnType.NUMBER:
        what = f"column {label!r} is of type {lines[label].type}, but regression learns a number"
        raise lines[label].node.fail(what, "write type: number here, or another task")
    metrics = METRICS[2:] if is_regression else METRICS[:2]
    metric = root["metric"].word(metrics) if "metric" in root else metrics[0]
    return Task(type=kind, label=label, classes=_classes(root, kind), metric=metric)


def _classes(root: Mapping[str, Node], kind: TaskType) -> tuple[str, ...]:
    node = _optional(root, "classes")
    if node is None:
        if kind is TaskType.REGRESSION:
            return ()
        raise root["task"].fail(f"task {kind} needs its classes", "add a line such as classes: [no, yes]")
    classes = tuple(item.text("a class name") for item in node.items("a list of class names"))
    twice = [name for name, n in Counter(classes).items() if n > 1]
    if twice:
        raise node.fail(f"class {twice[0]!r} is listed twice", "list each class once")
    fits = {
        TaskType.BINARY: (len(classes) == 2, "two classes"),
        TaskType.MULTICLASS: (len(classes) >= 2, "two classes or more"),
        TaskType.REGRESSION: (not classes, "no classes"),
    }
    fit, wanted = fits[kind]
    if not fit:
        raise node.fail(f"task {kind} has {wanted}; {len(classes)} are listed", f"list {wanted}, or change task")
    return classes


# how a run goes


def _settings(root: Mapping[str, Node], lines: Mapping[str, _Line]) -> dict[str, Any]:
    """Return the fields of ProjectFile that have defaults, as far as they are written."""
    found: dict[str, Any] = {}
    if "seed" in root:
        found["seed"] = root["seed"].integer("a whole number, 0 or more", 0)
    if "budget" in root:
        found["budget"] = _budget(root["budget"])
    if "guards" in root:
        found["guards"] = tuple(_column_name(item, lines) for item in root["guards"].items("a list of columns"))
    if "encoders" in root:
        found["encoders"] = _encoders(root["encoders"], lines)
    if "learner" in root:
        found["learner"] = operator_choice(root["learner"], "learning", "learner")
    if "store" in root:
        found |= _store(root["store"])
    return found | (_trials(root["trials"]) if "trials" in root else {})


def _programmed(
    root: Mapping[str, Node], lines: Mapping[str, _Line], label: str, names: Iterable[str]
) -> dict[str, Any]:
    """Return the Python file, the declarative labelers and the slices; labelers may say earlier names of classes."""
    found: dict[str, Any] = {}
    python = _optional(root, "python")
    if python is not None:
        found["python"] = python.text("the name of a Python file, such as labelers.py")
    written = _optional(root, "labelers")
    if written is not None:
        found["labelers"] = labeler_choices(written, [name for name in lines if name != label], label, tuple(names))
    slices = _optional(root, "slices")
    if slices is not None:
        found["slices"] = slice_choices(slices, list(lines))
    if "augment" in root:
        found["augment"] = augment_choice(root["augment"], has_python=python is not None)
    generators = _optional(root, "generators")
    if generators is not None:
        found["generators"] = tuple(
            item.text("the name of a generator") for item in generators.items("a list of names")
        )
    return found


def _stress(root: Mapping[str, Node], lines: Mapping[str, _Line], task: Task) -> dict[str, Any]:
    """Return the stress tests, as far as they are written."""
    if "stress" not in root:
        return {}
    has_python = _optional(root, "python") is not None
    return {"stress": stress_choices(root["stress"], list(lines), task.classes, has_python=has_python)}


def _store(node: Node) -> dict[str, Any]:
    """Return where versions are kept; an option that is a secret is refused: this file is shared."""
    if not node.is_mapping:
        return {"store": node.text(STORE_MEANS)}
    fields = node.fields(("url", "options"), required=("url",))
    options = fields["options"].mapping("a mapping of options") if "options" in fields else {}
    for name, item in options.items():
        if any(word in name.lower() for word in SECRET):
            raise item.fail(f"{name!r} is a secret, and this file is shared", "set it in the environment instead")
    texts = {
        name: str(item.plain()).lower() if item.plain() in (True, False) else str(item.plain())
        for name, item in options.items()
    }
    return {"store": fields["url"].text(STORE_MEANS), "store_options": texts}


def _budget(node: Node) -> str:
    budget = node.text(BUDGET)
    try:
        budget_seconds(budget)
    except ConfigError:
        raise node.expected(BUDGET) from None
    return budget


def _encoders(node: Node, lines: Mapping[str, _Line]) -> dict[str, OperatorChoice]:
    chosen = node.mapping("a mapping from column to encoder")
    for name, item in chosen.items():
        if name not in lines:
            next_step = f"name one of {first_three(lines)}"
            raise item.fail(f"no column {name!r} under columns.{did_you_mean(name, lines)}", next_step)
    return {name: operator_choice(item, "encoding", "encoder") for name, item in chosen.items()}


def _trials(node: Node) -> dict[str, float]:
    fields = node.fields(("alpha", "least_useful_gain", "finalists", "placebo_draws"))
    found: dict[str, float] = {}
    if "alpha" in fields:
        found["alpha"] = fields["alpha"].number("a chance above 0 and at most 0.5", 1e-9, 0.5)
    if "least_useful_gain" in fields:
        found["least_useful_gain"] = fields["least_useful_gain"].number("a gain of 0 or more", 0.0)
    if "finalists" in fields:
        found["finalists"] = fields["finalists"].integer("a whole number, 1 or more", 1)
    if "placebo_draws" in fields:
        what = f"a whole number, {FEWEST_PLACEBOS} or more"
        found["placebo_draws"] = fields["placebo_draws"].integer(what, FEWEST_PLACEBOS)
    return found
