"""Stress tests: how the held model's predictions of dev rows bear rows that are varied. The test split is not read.

Each test changes rows by a transform, encodes the changed ones by the held encoders, predicts them by the version's model, and counts
those whose prediction did not do as expected; nothing of it is kept in the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from tilth.core.arrays import Mask, Matrix, Vector
from tilth.core.errors import MachineError, NotApplicable, TilthError
from tilth.core.estimate import Estimate
from tilth.core.names import ROW_ID
from tilth.core.progress import Progress, silent
from tilth.core.stress_summary import Corruption, Outcome, StressExample, StressLine, StressSlice, StressSummary
from tilth.loop._expectations import Expectation, expectation_of, flipped, movement
from tilth.loop.quarantine import Quarantine
from tilth.loop.stress_stand import Stand
from tilth.loop.stress_suite import StressTest
from tilth.loop.varying import Varied, changed_columns, learnt, vary
from tilth.numerics.intervals import mean_interval, weighted_mean_interval, wilson
from tilth.operators.transforming import draw_of
from tilth.store.version import Version

__all__ = ["MOST_EXAMPLES", "outcome_of", "share_of", "stress"]

LEAST_CHANGED = 10
"""Changed rows from which on a slice has a share."""
MOST_EXAMPLES = 5


def stress(
    stand: Stand, version: Version, tests: Sequence[StressTest], of_rows: int, progress: Progress = silent
) -> StressSummary:
    """Return what tests come to; one that fails is set aside, with its reason."""
    lines, falls = list[StressLine](), list[Vector | None]()
    for place, test in enumerate(tests):
        progress("stress", f"{test.name} {test.severity or ''}".strip(), place, len(tests))
        line, fall = _tried(stand, test)
        lines.append(line)
        falls.append(fall)
    corruptions = _corruptions(stand, lines, falls)
    of_several = [
        fall for line, fall in zip(lines, falls, strict=True) if _is_among(line, corruptions) and fall is not None
    ]
    return StressSummary(
        version=version.version,
        metric=version.schema.task.metric,
        seed=stand.seed,
        rows=len(stand.judged),
        of_rows=of_rows,
        clean=_mean(stand, stand.scores),
        lines=tuple(lines),
        corruptions=corruptions,
        mean_drop=_mean(stand, np.mean(of_several, axis=0)) if of_several else None,
    )


def _tried(stand: Stand, test: StressTest) -> tuple[StressLine, Vector | None]:
    """Return the line of one test, and by how much each row's score fell."""
    quarantine = Quarantine()
    line = StressLine(
        name=test.name,
        transform=test.title,
        severity=test.severity,
        expect=test.expect,
        outcome="not run",
        at_most=test.at_most,
        is_usual=test.is_usual,
    )
    found = quarantine.run(f"stress {test.name}", lambda: _measured_or_told(stand, test, line))
    if found is not None:
        return found
    return replace(line, note=quarantine.failures[0].error, is_broken=True), None


def _measured_or_told(stand: Stand, test: StressTest, line: StressLine) -> tuple[StressLine, Vector | None]:
    """Return the line of one test, which says what was refused: a refusal needs no traceback."""
    try:
        return _measured(stand, test, line)
    except MachineError:
        raise
    except NotApplicable as refusal:
        return replace(line, note=refusal.what), None
    except TilthError as refusal:
        return replace(line, note=refusal.message, is_broken=True), None


def _measured(stand: Stand, test: StressTest, line: StressLine) -> tuple[StressLine, Vector | None]:
    columns = changed_columns(test.transform, stand.bench.schema)
    transform = learnt(test.transform, stand.train, columns)
    expected = expectation_of(test.expect, stand.bench.schema.task.classes, test.tolerance, stand.before)
    varied = vary(transform, stand.table, columns, draw_of(test.transform, stand.seed))
    failed = varied.failures
    line = replace(
        line,
        columns=columns,
        tried=len(stand.judged),
        rows=int(varied.applied.sum()),
        failures=len(failed),
        error=failed[0].error if failed else "",
    )
    if not varied.applied.any():
        as_it_was = replace(line, note="it changes none of the rows", score=_mean(stand, stand.scores))
        return as_it_was, np.zeros(len(stand.judged)) if _is_scored(test, expected) else None
    after = _after(stand, varied)
    return _counted(stand, test, line, expected, varied.applied, after)


def _after(stand: Stand, varied: Varied) -> Matrix:
    """Return predictions of all rows; only changed ones are encoded and predicted anew."""
    after = stand.before.copy()
    after[varied.applied] = stand.predict(varied.table.filter(pa.array(varied.applied)))
    return after


def _counted(
    stand: Stand, test: StressTest, line: StressLine, expected: Expectation, changed: Mask, after: Matrix
) -> tuple[StressLine, Vector | None]:
    broken = expected.broken(stand.before, after)
    failing = share_of(stand, broken, changed)
    slices = _slices(stand, broken, changed)
    line = replace(
        line,
        outcome=outcome_of(failing, test.at_most),
        failing=failing,
        flips=share_of(stand, flipped(stand.before, after, expected.tolerance), changed),
        slices=slices,
        worst=max(slices, key=lambda one: one.failing.low, default=None),
        examples=_examples(stand, broken & changed, after),
    )
    if not _is_scored(test, expected):
        return line, None
    scores = stand.bench.scores(after, stand.judged)
    change = _mean(stand, scores - stand.scores)
    return replace(line, score=_mean(stand, scores), change=change), stand.scores - scores


def _is_scored(test: StressTest, expected: Expectation) -> bool:
    """Whether the label is as right afterwards as it was."""
    return bool(test.transform.label == "keep" and expected.word == "same")


def outcome_of(failing: Estimate, at_most: float | None) -> Outcome:
    """Return whether a share keeps to its bound, as surely as its interval says."""
    if at_most is None:
        return "measured"
    if failing.high <= at_most:
        return "passed"
    return "failed" if failing.low > at_most else "undecided"


# -- figures -----------------------------------------------------------------------------------------------------------


def share_of(stand: Stand, hits: Mask, among: Mask, level: float | None = None) -> Estimate:
    """Return the share of some rows that are hit, with an interval that respects groups; (n,), (n,)."""
    level = stand.level if level is None else level
    groups = stand.judged.groups
    values = hits[among].astype(np.float64)
    if groups is None:
        return wilson(float(values.sum()), len(values), level)
    codes = np.unique(groups[among], return_inverse=True)[1]
    if values.min() == values.max():  # groups that all agree have no spread: count them as so many rows
        return wilson(float(values[0]) * (int(codes.max()) + 1), int(codes.max()) + 1, level)
    return mean_interval(values, level, groups=codes, bounds=(0.0, 1.0))


def _mean(stand: Stand, values: Vector) -> Estimate:
    """Return the mean of the rows' numbers as the metric takes it, with its interval."""
    strata = stand.bench.strata(stand.judged)
    if strata is None:
        return mean_interval(values, groups=stand.judged.groups)
    return weighted_mean_interval(values, strata, groups=stand.judged.groups)


def _slices(stand: Stand, broken: Mask, changed: Mask) -> tuple[StressSlice, ...]:
    """Return the slices with enough changed rows; the intervals hold for all of them together (Bonferroni)."""
    inside = {name: rows & changed for name, rows in stand.slices.items() if (rows & changed).sum() >= LEAST_CHANGED}
    level = 1 - 0.05 / max(len(inside), 1)
    return tuple(
        StressSlice(name=name, rows=int(rows.sum()), failing=share_of(stand, broken, rows, level))
        for name, rows in inside.items()
    )


def _examples(stand: Stand, rows: Mask, after: Matrix) -> tuple[StressExample, ...]:
    if not stand.tells_ids:
        return ()
    found = np.flatnonzero(rows)
    moved = movement(stand.before[found], after[found])
    most = found[np.argsort(-moved, kind="stable")][:MOST_EXAMPLES]
    ids = stand.table.column(ROW_ID)
    return tuple(
        StressExample(
            row_id=str(ids[int(row)].as_py()), before=_said(stand, stand.before[row]), after=_said(stand, after[row])
        )
        for row in most
    )


def _said(stand: Stand, predicted: Vector) -> str:
    if not stand.tells_labels:
        return ""
    classes = stand.bench.schema.task.classes
    return classes[int(predicted.argmax())] if classes else f"{predicted[0]:.6g}"


def _corruptions(stand: Stand, lines: Sequence[StressLine], falls: Sequence[Vector | None]) -> tuple[Corruption, ...]:
    """Return how scores fall with severity, for tests of one name that were run at several."""
    by_name: dict[str, list[tuple[StressLine, Vector]]] = {}
    for line, fall in zip(lines, falls, strict=True):
        if fall is not None and line.severity is not None:
            by_name.setdefault(line.name, []).append((line, fall))
    found = []
    for name, several in by_name.items():
        ordered = sorted(several, key=lambda pair: pair[0].severity or 0)
        severities = tuple(line.severity or 0 for line, _ in ordered)
        if len(set(severities)) > 1:
            scores = tuple(line.score for line, _ in ordered if line.score is not None)
            drop = _mean(stand, np.mean([fall for _, fall in ordered], axis=0))
            found.append(Corruption(name=name, severities=severities, scores=scores, drop=drop))
    return tuple(found)


def _is_among(line: StressLine, corruptions: Sequence[Corruption]) -> bool:
    return any(one.name == line.name and line.severity in one.severities for one in corruptions)
