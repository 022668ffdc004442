"""Schema: columns with their types, roles and visibility, and the tasks that are learnt."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from tilth.core.errors import UnknownColumnError

__all__ = ["Column", "ColumnType", "Role", "Schema", "Task", "TaskType", "Visibility"]


class ColumnType(StrEnum):
    """What the cells of a column are."""

    NUMBER = "number"
    CATEGORY = "category"
    TEXT = "text"
    DATE = "date"
    IMAGE = "image"
    EMBEDDING = "embedding"


class Role(StrEnum):
    """What a column is for."""

    FEATURE = "feature"
    LABEL = "label"
    ID = "id"
    SPLIT = "split"
    GROUP = "group"
    TIME = "time"
    PRED_PROBS = "pred_probs"
    IGNORE = "ignore"


class Visibility(StrEnum):
    """Who may see a cell: shown everywhere, aggregate in sums only, hidden nowhere."""

    SHOWN = "shown"
    AGGREGATE = "aggregate"
    HIDDEN = "hidden"


class TaskType(StrEnum):
    """What is predicted."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its name, type, role, visibility, and whether it exists when the model serves."""

    name: str
    type: ColumnType
    role: Role = Role.FEATURE
    visibility: Visibility = Visibility.SHOWN
    at_serving: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One prediction task.

    `classes` are the class names in their fixed order (empty for regression); class number = position there.
    `metric` is the name of the score that decides: accuracy, balanced_accuracy or mae. `taxonomy` is the version of the label
    set: 1 as the source is labelled, one more for each migration.
    """

    type: TaskType
    label: str
    classes: tuple[str, ...] = ()
    metric: str = "accuracy"
    taxonomy: int = 1

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 for regression."""
        return len(self.classes)

    @property
    def is_regression(self) -> bool:
        """Whether a number is predicted."""
        return self.type is TaskType.REGRESSION

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; the first label set goes without saying."""
        facts = asdict(self)
        if self.taxonomy == 1:
            del facts["taxonomy"]
        return facts

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> Task:
        """Build a task from what `to_dict` gave."""
        return cls(
            type=TaskType(facts["type"]),
            label=facts["label"],
            classes=tuple(facts["classes"]),
            metric=facts["metric"],
            taxonomy=facts.get("taxonomy", 1),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The columns of a dataset and its tasks; today one task, kept as a tuple because there will be more."""

    columns: tuple[Column, ...]
    tasks: tuple[Task, ...]

    @property
    def task(self) -> Task:
        """The task that `tilth run` improves."""
        return self.tasks[0]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the user's columns, in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """Return one column by name; raises UnknownColumnError with a suggestion."""
        for column in self.columns:
            if column.name == name:
                return column
        raise UnknownColumnError.among(name, self.names)

    def with_role(self, role: Role) -> tuple[Column, ...]:
        """Return the columns of one role, in order."""
        return tuple(column for column in self.columns if column.role is role)

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns that the model reads: features, and the time column as a feature of its own."""
        return tuple(c for c in self.columns if c.role is Role.FEATURE and c.at_serving)

    def first(self, role: Role) -> str | None:
        """Return the name of the first column of a role, if there is one."""
        found = self.with_role(role)
        return found[0].name if found else None

    def may_show(self, name: str) -> bool:
        """Whether single cells of the column may be shown."""
        return self.column(name).visibility is Visibility.SHOWN

    def with_task(self, task: Task) -> Schema:
        """Return the schema with another task."""
        return replace(self, tasks=(task,))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"columns": [asdict(c) for c in self.columns], "tasks": [t.to_dict() for t in self.tasks]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Schema:
        """Build a schema from what `to_dict` gave."""
        return cls(
            columns=tuple(
                Column(
                    name=c["name"],
                    type=ColumnType(c["type"]),
                    role=Role(c["role"]),
                    visibility=Visibility(c["visibility"]),
                    at_serving=c["at_serving"],
                )
                for c in values["columns"]
            ),
            tasks=tuple(Task.from_dict(facts) for facts in values["tasks"]),
        )
