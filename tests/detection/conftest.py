"""Views in memory for detectors, and the shared data where it is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.schema import Column, ColumnType, Role, Schema, Task, TaskType
from tilth.operators.registry import spec_of
from tilth.operators.view import View

ViewOf = Callable[..., View]


def schema_of(columns: Mapping[str, ColumnType], classes: tuple[str, ...], roles: Mapping[str, Role]) -> Schema:
    """A schema of feature columns (or of the given roles) and one task; no classes make it regression."""
    kind = TaskType.REGRESSION
    if classes:
        kind = TaskType.BINARY if len(classes) == 2 else TaskType.MULTICLASS
    return Schema(
        columns=tuple(
            Column(name=name, type=type_, role=roles.get(name, Role.FEATURE)) for name, type_ in columns.items()
        ),
        tasks=(Task(type=kind, label="label", classes=classes, metric="mae" if not classes else "accuracy"),),
    )


@pytest.fixture
def view_of() -> ViewOf:
    """Make the view that a detector would get: everything given is supplied, the rest is not there."""

    def make(
        detector: Any,
        *,
        n: int | None = None,
        ids: list[str] | None = None,
        columns: Mapping[str, ColumnType] | None = None,
        classes: tuple[str, ...] = ("no", "yes"),
        roles: Mapping[str, Role] | None = None,
        seed: int = 0,
        **evidence: Any,
    ) -> View:
        rows = n if n is not None else len(ids if ids is not None else next(iter(evidence.values())))
        evidence.setdefault("labelled", np.ones(rows, dtype=bool))
        evidence.setdefault("trusted", np.zeros(rows, dtype=bool))
        if isinstance(evidence.get("table"), dict):
            evidence["table"] = pa.table(evidence["table"])
        for value in evidence.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
        return View(
            ids=pa.array(ids if ids is not None else [f"r{i}" for i in range(rows)], pa.string()),
            schema=schema_of(columns or {}, classes, roles or {}),
            evidence=evidence,
            needs=detector.needs,
            spec=spec_of(detector),
            seed=seed,
        )

    return make


@pytest.fixture
def shared() -> Path:
    """The folder of real data beside the repository; the test is skipped where it is absent."""
    folder = Path(__file__).resolve().parents[3] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the shared data is not here")
    return folder
