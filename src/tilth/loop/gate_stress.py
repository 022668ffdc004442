"""Stress tests in the gate: those of the block `stress:` that have a bound, tried on dev rows. No look at test rows is spent.

A share whose whole interval keeps to the bound passes, one whose whole interval breaks it fails, else the test is undecided. What was
asked for and broke down fails; what cannot be said of this data is undecided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tilth.core.errors import NotApplicable
from tilth.core.gate_summary import Passing, StressResult
from tilth.core.progress import Progress
from tilth.core.stress_summary import PairTest, StressLine
from tilth.loop._stress_lines import PairsChoice, StressChoice
from tilth.loop.project_file import ProjectFile
from tilth.loop.stress import stress
from tilth.loop.stress_pairs import pair_tests
from tilth.loop.stress_stand import stand_for
from tilth.loop.stress_suite import StressTest, pairs_of, stress_tests
from tilth.loop.visibility import may_tell
from tilth.loop.workshop import Workshop
from tilth.store.version import Version

__all__ = ["bounded", "stress_results"]

_TURN = "differ as labels do"
VERDICTS: Mapping[str, Passing] = {"passed": Passing.PASS, "failed": Passing.FAIL}


def bounded(file: ProjectFile) -> tuple[StressChoice | PairsChoice, ...]:
    """Return the stress tests of tilth.yaml that have a bound."""
    return tuple(one for one in file.stress if one.at_most is not None)


def stress_results(
    workshop: Workshop, version: Version, reliability: float, folder: Path, progress: Progress
) -> tuple[StressResult, ...]:
    """Return how each stress test with a bound ends; no cell of any row is in it.

    Parameters
    ----------
    workshop, version : whose model is tried
    reliability : how surely each end must be known
    folder : of the project, in which the Python file and files of pairs lie
    progress : told of each test

    Raises
    ------
    ConfigError, UnknownOperatorError : a test cannot be meant, or the Python file cannot be loaded
    """
    choices = bounded(workshop.file)
    if not choices:
        return ()
    tests = stress_tests(choices, workshop.file, folder)
    try:
        stand, of_rows = stand_for(workshop, version)
    except NotApplicable as refusal:
        both: tuple[StressTest | PairsChoice, ...] = (*tests, *pairs_of(choices))
        return tuple(_not_run(one, refusal.what) for one in both)
    summary = stress(replace(stand, level=reliability), version, tests, of_rows, progress).without_messages()
    pairs = pair_tests(workshop, version, pairs_of(choices), folder, level=reliability)
    tells = may_tell(version.schema, version.schema.task.label)
    return (*(_of_line(line, tells_slices=tells) for line in summary.lines), *(_of_pairs(pair) for pair in pairs))


def _of_line(line: StressLine, *, tells_slices: bool) -> StressResult:
    """Return the result of a line; a slice may be a class."""
    found = StressResult(
        name=line.name if line.severity is None else f"{line.name} {line.severity}",
        expect=line.expect,
        rows=line.rows,
        at_most=line.at_most or 0.0,
        verdict=_verdict(line),
        reason=f"it broke down on {line.failures:,} of {line.tried:,} rows" if line.failures else line.note,
    )
    if line.failing is None:
        return found
    worst = (
        line.worst if tells_slices and line.worst is not None and line.worst.failing.low > line.failing.value else None
    )
    return replace(
        found,
        failing=line.failing.value,
        low=line.failing.low,
        high=line.failing.high,
        worst="" if worst is None else worst.name,
        worst_failing=None if worst is None else worst.failing.value,
    )


def _verdict(line: StressLine) -> Passing:
    is_broken = line.outcome == "not run" and (line.is_broken or line.failures > 0)
    return Passing.FAIL if is_broken else VERDICTS.get(line.outcome, Passing.UNDECIDED)


def _of_pairs(pair: PairTest) -> StressResult:
    found = StressResult(
        name=f"pairs by {pair.source}",
        expect=_TURN,
        rows=2 * pair.pairs,
        at_most=pair.at_most or 0.0,
        verdict=VERDICTS.get(pair.outcome, Passing.UNDECIDED),
        reason=pair.note,
    )
    if pair.consistent is None:
        return found
    broken = pair.consistent
    return replace(found, failing=1 - broken.value, low=1 - broken.high, high=1 - broken.low)


def _not_run(test: StressTest | PairsChoice, why: str) -> StressResult:
    name, expect = (f"pairs by {test.pairs}", _TURN) if isinstance(test, PairsChoice) else (test.name, test.expect)
    return StressResult(
        name=name, expect=expect, rows=0, at_most=test.at_most or 0.0, verdict=Passing.UNDECIDED, reason=why
    )
