"""What `tilth stress` does: the tests that a project has, tried on the model of a version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tilth.core.errors import NotApplicable
from tilth.core.progress import Progress
from tilth.core.stress_summary import StressSummary
from tilth.loop._project import ProjectFile
from tilth.loop._stress_lines import PairsChoice
from tilth.loop.stress import stress
from tilth.loop.stress_pairs import pair_tests
from tilth.loop.stress_stand import Slices, stand_for
from tilth.loop.stress_suite import choices_for, pairs_of, stress_tests
from tilth.loop.workshop import Workshop
from tilth.store.version import Version

__all__ = ["stress_project"]


def stress_project(
    workshop: Workshop,
    version: Version,
    folder: Path,
    *,
    transforms: Sequence[Any] = (),
    severity: int | None = None,
    expect: str = "",
    pairs: str | None = None,
    rows: int | None = None,
    slices: Slices | None = None,
    progress: Progress,
) -> StressSummary:
    """Return what a project's stress tests come to; see `Project.stress`.

    Raises
    ------
    NotApplicable
        No dev row has a label, or there is nothing to try: no transform suits the features.
    """
    file: ProjectFile = workshop.file
    only_pairs = pairs is not None and not transforms
    choices = () if only_pairs else choices_for(file, version.schema, transforms, severity, expect)
    choices = choices if pairs is None else (*choices, PairsChoice(pairs=pairs))
    if not choices:
        kinds = ", ".join(sorted({str(column.type) for column in version.schema.features}))
        raise NotApplicable(
            f"no usual transform suits the features, which are of type {kinds}",
            next_step="write one with @tilth.transform, and list it under stress: in tilth.yaml",
        )
    tests = stress_tests(choices, file, folder)
    stand, of_rows = stand_for(workshop, version, rows=rows, slices=slices)
    summary = stress(stand, version, tests, of_rows, progress)
    return replace(summary, pairs=pair_tests(workshop, version, pairs_of(choices), folder))
