"""Deciding conditions: each clause by one-sided tests at the promised reliability, so that neither pass nor fail errs more often.

A clause `sum > c` passes where "sum <= c" is refuted at the level of error, and fails where "sum >= c" is; else it is undecided.
Shares and differences of two accuracies on independent rows are tested by their exact laws, everything else by the guarded t of
its linearised rows. A condition passes when all its clauses pass: it passes wrongly only if a false clause does, so each may spend
the whole level. It fails when one fails: that may happen wrongly in any of them, so they share the level.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tilth.core.arrays import Mask, Matrix, Vector
from tilth.core.condition import Clause, Condition, Term
from tilth.core.errors import ConfigError, NotApplicable, did_you_mean
from tilth.core.gate_summary import ClauseResult, ConditionResult, Passing
from tilth.loop.comparing import TwoModels
from tilth.loop.measuring import is_error, linearised
from tilth.loop.rows_needed import Seen, rows_needed
from tilth.numerics.exact_sides import difference_above, lowest_consistent, share_above
from tilth.numerics.linearised import Linearised, difference, interval_of, no_better
from tilth.numerics.measure_sums import combined, moved
from tilth.operators.registry import make, names, operator_class

__all__ = ["Court", "decide", "metric_named", "together"]

BINOMIAL = "exact binomial"
FAR_AWAY = 1e3
"""Standard errors beyond which no end of a confidence set is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Court:
    """What conditions are decided on.

    Parameters
    ----------
    models : labels and predictions of the test rows
    metric : the project's metric
    classes : names of the classes, by number
    rows_of : name of a slice, or an SQL predicate -> (n,) mask of the test rows
    has_old : whether there is an older model; else its predictions are not read
    """

    models: TwoModels
    metric: Any
    classes: Sequence[str]
    rows_of: Callable[[str], Mask]
    has_old: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class _Sum:
    """A clause's sum: its rows, by which law it is tested, and the tests."""

    value: float
    rows: int
    method: str
    above: Callable[[float, float], float]
    below: Callable[[float, float], float]
    reach: tuple[float, float]
    changed: float | None = None


def decide(condition: Condition, court: Court, reliability: float, share: float = 1.0) -> ConditionResult:
    """Return how a condition ends.

    Parameters
    ----------
    condition : what must hold
    court : on what it is decided
    reliability : at least how often a pass, and a fail, is right, over all looks
    share : what the chance of error is multiplied by for this look (see `share_of_look`)
    """
    tail = (1 - reliability) * share
    results = tuple(
        _clause(clause, court, tail, tail / len(condition.clauses), condition.most_changed)
        for clause in condition.clauses
    )
    return ConditionResult(
        text=condition.text,
        reliability=reliability,
        verdict=together([one.verdict for one in results]),
        clauses=results,
    )


def together(verdicts: Sequence[Passing]) -> Passing:
    """Return fail where anything failed, pass where everything passed, else undecided."""
    if Passing.FAIL in verdicts:
        return Passing.FAIL
    return Passing.UNDECIDED if Passing.UNDECIDED in verdicts else Passing.PASS


def metric_named(term: Term, metric: Any, classes: Sequence[str]) -> Any:
    """Return the metric that a term names; raises ConfigError where there is none, or its class is missing or unknown."""
    if not term.metric:
        return metric
    known = names("evaluation", "measure") + names("evaluation", "linearise")
    if term.metric not in known:
        what = f"there is no metric {term.metric!r}.{did_you_mean(term.metric, known)}"
        raise ConfigError(what, next_step="tilth operators evaluation lists them")
    kind = operator_class("evaluation", term.metric)
    like = operator_class("evaluation", "accuracy" if classes else "mae")
    if not kind.tasks & like.tasks:
        raise ConfigError(f"{term.metric} is not for this task", next_step="tilth operators evaluation lists metrics")
    has_class = "of" in getattr(kind, "__dataclass_fields__", {})
    if not has_class:
        if term.of:
            raise ConfigError(f"{term.metric} is not of one class", next_step=f"write {term.metric}({term.model})")
        return make("evaluation", term.metric)
    if not term.of and len(classes) > 2:
        what = f"{term.metric} is of one class, and there are {len(classes)}"
        raise ConfigError(what, next_step=f"name it: {term.metric}({term.model}, {classes[0]!r})")
    if term.of and term.of not in classes:
        what = f"{term.of!r} is no class.{did_you_mean(term.of, classes)}"
        raise ConfigError(what, next_step=f"name one of {', '.join(map(repr, classes[:5]))}")
    return make("evaluation", term.metric, of=classes.index(term.of) if term.of else len(classes) - 1)


# -- one clause --------------------------------------------------------------------------------------------------------


def _clause(
    clause: Clause, court: Court, pass_tail: float, fail_tail: float, most_changed: float | None
) -> ClauseResult:
    """Return how one clause ends; what cannot be measured is undecided, with the reason."""
    if not court.has_old and clause.models & {"o", "d"}:
        return _open(clause, 0, "there is no version before this one")
    try:
        found = _sum_of(clause, court)
    except NotApplicable as refusal:
        return _open(clause, 0, refusal.what)
    up, down = (pass_tail, fail_tail) if clause.above else (fail_tail, pass_tail)
    is_above = found.above(clause.threshold, up) <= up
    is_below = found.below(clause.threshold, down) <= down
    low = lowest_consistent(lambda c: found.above(c, up), up, found.reach[0], found.value)
    high = -lowest_consistent(lambda c: found.below(-c, down), down, -found.reach[1], -found.value)
    half = max(found.value - low, high - found.value)
    seen = Seen(found.rows, half, found.method == BINOMIAL, found.changed)
    needed, labels = rows_needed(clause, seen, min(up, down), most_changed)
    holds, fails = (is_above, is_below) if clause.above else (is_below, is_above)
    return ClauseResult(
        text=clause.text,
        rows=found.rows,
        value=found.value,
        low=low,
        high=high,
        verdict=Passing.PASS if holds else Passing.FAIL if fails else Passing.UNDECIDED,
        method=found.method,
        rows_needed=needed,
        labels_needed=labels,
    )


def _open(clause: Clause, rows: int, reason: str) -> ClauseResult:
    return ClauseResult(
        text=clause.text,
        rows=rows,
        value=None,
        low=None,
        high=None,
        verdict=Passing.UNDECIDED,
        reason=reason,
    )


def _sum_of(clause: Clause, court: Court) -> _Sum:
    """Return a clause's sum with its tests."""
    wheres = {term.where for term in clause.terms}
    if len(wheres) == 1:
        where = wheres.pop()
        models = court.models.only(_rows(where, court)) if where else court.models
        if not len(models):
            raise NotApplicable("no test row is in the slice")
        parts = [(term.factor, _measured(term, court, models)) for term in clause.terms]
        return _tests(_added(parts, models), models)
    masks = {where: _rows(where, court) for where in wheres}
    each = []
    for term in clause.terms:
        mask = masks[term.where]
        if not mask.any():
            raise NotApplicable(f"no test row is in the slice {term.where!r}")
        each.append((term.factor, _measured(term, court, court.models.only(mask)), mask))
    return _tests(combined(each), court.models)


def _rows(where: str, court: Court) -> Mask:
    return court.rows_of(where) if where else np.ones(len(court.models), dtype=bool)


def _measured(term: Term, court: Court, models: TwoModels) -> Linearised:
    """Return a variable as people know it: errors without a sign."""
    if term.model == "d":
        differs = _decisions(models.old) != _decisions(models.new)
        return Linearised(rows=differs.astype(np.float64), bounds=(0.0, 1.0))
    metric = metric_named(term, court.metric, court.classes)
    found = linearised(metric, models.labels, models.new if term.model == "n" else models.old)
    return moved(found, -1.0) if is_error(metric) else found


def _decisions(predicted: Matrix) -> np.ndarray:
    return predicted[:, 0] if predicted.shape[1] == 1 else predicted.argmax(axis=1)


def _added(parts: Sequence[tuple[float, Linearised]], models: TwoModels) -> Linearised:
    """Return a sum of measures of the same rows: row by row where all are row scores, paired where it is a difference."""
    measures = [one for _, one in parts]
    if len(parts) == 2 and parts[0][0] == -parts[1][0] == 1.0 and measures[0].bounds == measures[1].bounds:
        return difference(measures[0], measures[1], models.groups)[0]
    if all(one.is_plain and one.strata is None for one in measures):
        ends = [sorted(factor * float(end) for end in one.bounds) for factor, one in parts]
        return Linearised(
            rows=np.sum([factor * one.rows for factor, one in parts], axis=0),
            bounds=(sum(end[0] for end in ends), sum(end[1] for end in ends)),
        )
    everyone = np.ones(len(models), dtype=bool)
    return combined([(factor, one, everyone) for factor, one in parts])


# -- tests -------------------------------------------------------------------------------------------------------------


def _tests(added: Linearised, models: TwoModels) -> _Sum:
    rows = added.rows
    is_exact = models.groups is None and added.is_plain and added.strata is None
    if is_exact and added.bounds == (0.0, 1.0) and np.isin(rows, (0.0, 1.0)).all():
        return _share(rows)
    if is_exact and added.bounds == (-1.0, 1.0) and np.isin(rows, (-1.0, 0.0, 1.0)).all():
        return _difference(rows)
    return _by_t(added, models)


def _share(rows: Vector) -> _Sum:
    n, hits = len(rows), int(rows.sum())
    return _Sum(
        hits / n,
        n,
        BINOMIAL,
        lambda least, _: share_above(hits, n, least),
        lambda most, _: share_above(n - hits, n, 1 - most),
        (0.0, 1.0),
    )


def _difference(rows: Vector) -> _Sum:
    n, wins, losses = len(rows), int((rows > 0).sum()), int((rows < 0).sum())
    return _Sum(
        (wins - losses) / n,
        n,
        "exact, of wins and losses",
        lambda least, level: difference_above(wins, losses, n, least, level),
        lambda most, level: difference_above(losses, wins, n, -most, level),
        (-1.0, 1.0),
        (wins + losses) / n,
    )


def _by_t(added: Linearised, models: TwoModels) -> _Sum:
    groups = models.groups
    found = interval_of(added, groups)
    far = FAR_AWAY * max(found.standard_error, 1e-12)
    reach = (max(float(added.bounds[0]), found.value - far), min(float(added.bounds[1]), found.value + far))
    return _Sum(
        found.value,
        len(added),
        "guarded t" if groups is None else "guarded t over groups",
        lambda least, _: no_better(added, groups, least),
        lambda most, _: no_better(moved(added, -1.0), groups, -most),
        reach,
    )
