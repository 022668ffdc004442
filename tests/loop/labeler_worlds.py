"""A project in memory with labelers whose calls are counted, for tests of voting."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa

import tilth
from tilth.core.dataset import Dataset
from tilth.core.names import AUGMENT, PARENTS, ROW_ID, SPLIT, TARGET, TRUSTED, WEIGHT
from tilth.core.schema import Column, ColumnType, Role, Schema, Task, TaskType
from tilth.loop.labelers import NamedLabeler
from tilth.store.repository import Repository

SCHEMA = Schema(
    columns=(
        Column(name="text", type=ColumnType.TEXT),
        Column(name="n", type=ColumnType.NUMBER, role=Role.IGNORE, at_serving=False),
        Column(name="class", type=ColumnType.CATEGORY, role=Role.LABEL),
    ),
    tasks=(Task(type=TaskType.BINARY, label="class", classes=("ham", "spam")),),
)
SPLITS = ("train", "dev", "pool", "test", "unused")


def dataset_of(texts: list[str], **cells: list[object]) -> Dataset:
    n = len(texts)
    usual = {
        ROW_ID: pa.array([f"r{i}" for i in range(n)]),
        "text": pa.array(texts),
        "n": pa.array([float(i) for i in range(n)]),
        "class": pa.array([("ham", "spam")[i % 2] for i in range(n)]),
        SPLIT: pa.array([SPLITS[i % 5] for i in range(n)]),
        TARGET: pa.nulls(n, pa.list_(pa.float64(), 2)),
        WEIGHT: pa.nulls(n, pa.float64()),
        TRUSTED: pa.array([i % 10 == 0 for i in range(n)]),
        PARENTS: pa.nulls(n, pa.list_(pa.string())),
        AUGMENT: pa.nulls(n, pa.string()),
    }
    return Dataset.of(pa.table(usual | {name: pa.array(values) for name, values in cells.items()}), SCHEMA)


def store(folder: Path) -> Repository:
    return Repository(str(folder / "store"), {}, make=True)


class Counted:
    """Row functions that count their calls."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def named(self, name: str, function: object, columns: tuple[str, ...] = ("text",), key: str = "") -> NamedLabeler:
        def counting(row):
            self.calls[name] += 1
            return function(row)

        labeler = tilth.labeler(name=name, columns=columns)(counting)
        return NamedLabeler(name=name, labeler=labeler, columns=columns, key=key, where="here.py, line 1")
