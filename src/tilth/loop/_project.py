"""ProjectFile: what tilth.yaml says, as a value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tilth.core.errors import ConfigError
from tilth.loop._gate_plan import GatePlan
from tilth.loop._split_plan import SplitPlan

if TYPE_CHECKING:
    from pathlib import Path

    from tilth.core.migration import Migration
    from tilth.core.schema import Schema
    from tilth.core.taxonomy import Taxonomy
    from tilth.loop._augment_lines import AugmentChoice
    from tilth.loop._stress_lines import PairsChoice, StressChoice

__all__ = [
    "BUDGET",
    "METRICS",
    "LabelerChoice",
    "OperatorChoice",
    "ProjectFile",
    "SliceChoice",
    "Source",
    "budget_seconds",
]

METRICS = ("accuracy", "balanced_accuracy", "mae")
"""Scores that may decide; the last is for regression, the others for classes."""
Source = str | tuple[str, ...] | Mapping[str, str]
"""One file or address, several as one table, or one per split."""
BUDGET = "a time such as 90s, 10m or 1h30m"
SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}
PERIOD = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([hms])\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorChoice:
    """An operator by name, with the parameters that differ from its defaults (JSON values)."""

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelerChoice:
    """A declarative labeler: its own name, the operator that it is, its parameters, and where it is written."""

    name: str
    operator: str
    params: Mapping[str, Any] = field(default_factory=dict)
    where: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceChoice:
    """A declared slice: its name, and a predicate, columns each of whose values (or combinations) is a slice, or a region's file."""

    name: str
    where: str = ""
    each: tuple[str, ...] = ()
    region: str = ""
    where_written: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFile:
    """What tilth.yaml says.

    Parameters
    ----------
    source : one file or address, several as one table, or a mapping from split name to file
    schema : columns and the task
    splits : how rows are split
    seed : decides every draw
    budget : the time that a run may take, such as 10m
    guards : columns whose values are slices that no kept edit may make worse
    alpha : the chance, over the life of a dev split, that an edit without gain is kept
    least_useful_gain : the least gain that is worth an edit, in units of the metric
    finalists : how many edits a run tries on dev
    placebo_draws : over how many random rivals a placebo is averaged
    encoders : column -> encoder, where it is not the one that fits the column's type
    store : where versions are kept: a folder beside tilth.yaml, or an address such as s3://bucket/prefix
    store_options : what an object store needs beside its address, such as its region; credentials come from the environment
    learner : the commodity model; `auto` chooses it by cross-validation
    python : the Python file beside tilth.yaml that holds people's functions, or None
    labelers : declarative labelers
    slices : declared slices
    generators : names of the functions that may be called to make rows
    first_classes : the classes of the source, where there are migrations; else the schema's are
    migrations : how the label set changed since, oldest first; the schema's classes are those of today
    gate : what `tilth test` asks, or None
    stress : how predictions should bear changes of rows; () for the usual tests
    augment : how rows may be varied while the model learns; None where nothing is said
    home : the folder in which it lies, where its Python file and policies are; None for a file that was not opened
    """

    source: Source
    schema: Schema
    splits: SplitPlan = field(default_factory=SplitPlan)
    seed: int = 0
    budget: str = "10m"
    guards: tuple[str, ...] = ()
    alpha: float = 0.05
    least_useful_gain: float = 0.0
    finalists: int = 6
    placebo_draws: int = 5
    encoders: Mapping[str, OperatorChoice] = field(default_factory=dict)
    store: str = ".tilth"
    store_options: Mapping[str, str] = field(default_factory=dict)
    learner: OperatorChoice = field(default_factory=lambda: OperatorChoice(name="auto"))
    python: str | None = None
    labelers: tuple[LabelerChoice, ...] = ()
    slices: tuple[SliceChoice, ...] = ()
    generators: tuple[str, ...] = ()
    first_classes: tuple[str, ...] = ()
    migrations: tuple[Migration, ...] = ()
    gate: GatePlan | None = None
    stress: tuple[StressChoice | PairsChoice, ...] = ()
    augment: AugmentChoice | None = None
    home: Path | None = field(default=None, compare=False)

    @property
    def taxonomy(self) -> Taxonomy:
        """The label set in all its versions."""
        from tilth.core.taxonomy import Taxonomy

        return Taxonomy(self.first_classes or self.schema.task.classes, self.migrations)


def budget_seconds(budget: str) -> float:
    """Return a time such as 90s, 10m or 1h30m in seconds; raises ConfigError if it is none."""
    seconds = sum(float(number) * SECONDS[unit] for number, unit in PERIOD.findall(budget))
    if PERIOD.sub("", budget).strip() or not 0 < seconds < float("inf"):
        raise ConfigError(f"budget {budget!r} is not understood", next_step=f"write {BUDGET}")
    return seconds
