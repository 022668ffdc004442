"""A small table, edits of every kind, and a program that commits them: shared by tests and by children that are killed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.edit import Edit, Verb
from tilth.core.names import AUGMENT, PARENTS, ROW_ID, SPLIT, TARGET, TRUSTED, WEIGHT
from tilth.core.schema import Column, ColumnType, Role, Schema, Task, TaskType
from tilth.core.spec import Spec
from tilth.store.maintenance import examine
from tilth.store.repository import Repository
from tilth.store.version import Version

SCHEMA = Schema(
    columns=(
        Column(name="x", type=ColumnType.NUMBER),
        Column(name="note", type=ColumnType.TEXT),
        Column(name="y", type=ColumnType.CATEGORY, role=Role.LABEL, at_serving=False),
    ),
    tasks=(Task(type=TaskType.BINARY, label="y", classes=("no", "yes")),),
)
EDITOR = Spec(room="editing", name="by_hand")
LISTS = pa.list_(pa.string())
FACTS = {"fingerprint": "one", "files": ["a.csv"]}


def rows(ids: Sequence[str], *, parents: Sequence[Sequence[str] | None] | None = None, start: int = 0) -> pa.Table:
    """Return rows with tilth's own columns; the first is in dev, the second in test, the others in train."""
    n = len(ids)
    numbers = np.arange(start, start + n)
    splits = ["dev", "test"] if start == 0 else []
    return pa.table(
        {
            "x": pa.array(numbers / 4),
            "note": pa.array([None if i % 5 == 0 else f"it's {i}" for i in numbers], pa.string()),
            "y": pa.array(["yes" if i % 3 else "no" for i in numbers]),
            ROW_ID: pa.array(ids, pa.string()),
            SPLIT: pa.array((splits + ["train"] * n)[:n], pa.string()),
            TARGET: pa.nulls(n, pa.list_(pa.float32(), 2)),
            WEIGHT: pa.nulls(n, pa.float64()),
            TRUSTED: pa.array([False] * n),
            PARENTS: pa.array(parents or [None] * n, LISTS),
            AUGMENT: pa.nulls(n, pa.string()),
        }
    )


def source(n: int = 20) -> pa.Table:
    """Return n rows r0, r1, …"""
    return rows([f"r{i}" for i in range(n)])


def relabel(table: pa.Table, ids: Sequence[str], to: str = "no", *, trusted: bool = False) -> Edit:
    """Return an edit that gives rows another label."""
    given = dict(zip(table[ROW_ID].to_pylist(), table["y"].to_pylist(), strict=True))
    labels = pa.array([to] * len(ids), pa.string())
    old = pa.array([given[one] for one in ids], pa.string())
    keys = pa.array(ids, pa.string())
    return Edit.relabelling("y", keys, labels, old, operator=EDITOR, reason="by hand", trusted=trusted)


def remove(ids: Sequence[str]) -> Edit:
    """Return an edit that drops rows."""
    return Edit.removing(pa.array(ids, pa.string()), operator=EDITOR, reason="by hand")


def soften(ids: Sequence[str], share: float = 0.5) -> Edit:
    """Return an edit that sets soft targets."""
    targets = np.tile([share, 1 - share], (len(ids), 1))
    return Edit.softening(pa.array(ids, pa.string()), targets, operator=EDITOR, reason="by hand")


def weigh(ids: Sequence[str], weight: float = 0.5) -> Edit:
    """Return an edit that sets weights."""
    weights = np.full(len(ids), weight)
    return Edit.weighting(pa.array(ids, pa.string()), weights, operator=EDITOR, reason="by hand")


def add(table: pa.Table) -> Edit:
    """Return an edit that adds rows."""
    return Edit(verb=Verb.ADD, operator=EDITOR, reason="by hand", author="by_hand", add=table)


def replacing(ids: Sequence[str], table: pa.Table) -> Edit:
    """Return an edit that does everything at once: labels set, rows dropped, rows added."""
    cells = pa.table({ROW_ID: pa.array(["r5"], pa.string()), "value": pa.array(["no"])})
    drop = pa.array(ids, pa.string())
    return Edit(
        verb=Verb.MODIFY, operator=EDITOR, reason="by hand", author="by_hand", drop=drop, set={"y": cells}, add=table
    )


def commit_all(folder: str | Path) -> list[Version]:
    """Commit a source, two edits and a fact, whatever of it is there already."""
    repository = Repository(folder, make=True)
    with repository.lease:
        base = repository.commit_source(source(), SCHEMA, FACTS)
        first = repository.commit_edit(base, relabel(source(), ["r4", "r7"], trusted=True))
        second = repository.commit_edit(first, replacing(["r8", "r9"], rows(["n0", "n1"], start=100)))
        if not repository.records("done"):
            repository.record("done", {"version": second.version})
    return [base, first, second]


@contextmanager
def as_nobody() -> Iterator[None]:
    """Drop root's right to write everywhere, where the tests run as root."""
    if not hasattr(os, "seteuid"):
        pytest.skip("needs POSIX permissions")
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(was)


def folder_bytes(repository: Repository) -> int:
    """Return what a store takes on the disk."""
    return sum(file.stat().st_size for file in Path(repository.objects.root).rglob("*") if file.is_file())


def faults(repository: Repository) -> dict[str, str]:
    """Return name -> detail of what doctor finds wrong."""
    return {check.name: check.detail for check in examine(Repository(repository.objects.root)) if not check.ok}


if __name__ == "__main__":
    commit_all(sys.argv[1])
