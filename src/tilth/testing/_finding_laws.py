"""Laws of detectors and selectors: what they say is whole, quiet where nothing is wrong, and within the budget."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.errors import NotApplicable
from tilth.core.finding import Finding
from tilth.core.names import Split
from tilth.operators.registry import spec_of
from tilth.operators.view import View
from tilth.testing._behaviour import busy_worlds
from tilth.testing._subject import Check, Subject
from tilth.testing.plants import clean_worlds, planted_worlds
from tilth.testing.views import world_view
from tilth.testing.worlds import World

__all__ = ["DETECTION", "SELECTION", "speaks_in"]

QUIET = 0.05
"""Most rows of a world without faults that may be flagged, unless with low severity."""
LOW = 0.25
"""Mean severity of flagged rows that counts as low."""
RECALL, LIFT = 0.3, 3.0
"""Least share of the planted rows to be flagged, and how much likelier a flagged row is to be planted than any row."""
BUDGETS = (0, 1, 7, 10**6)


def findings_are_whole(subject: Subject) -> None:
    """Kinds are nouns in snake_case, the operator is named, rows and columns are the view's, flags are of train or pool rows."""
    for name, world in {**busy_worlds(subject.room), **planted_worlds()}.items():
        operator = subject.make()
        view = world_view(operator, world)
        for finding in _found(operator, view):
            if fault := _fault_of(finding, view, operator, world):
                raise subject.breach(f"its finding {finding.kind!r} on {name} {fault}")


def is_quiet_where_nothing_is_wrong(subject: Subject) -> None:
    """On worlds without faults at most 5 % of the rows are flagged, or all with low severity."""
    for seed in (0, 1):
        for name, world in clean_worlds(seed).items():
            operator = subject.make()
            view = world_view(operator, world)
            for finding in _found(operator, view):
                if finding.n_flagged > QUIET * len(view) and finding.overall > LOW:
                    raise subject.breach(
                        f"it flags {finding.n_flagged:,} of {len(view):,} rows of a world without faults ({name})",
                        "let its threshold follow from a rate of false alarms",
                    )


def speaks_where_something_is_wrong(subject: Subject) -> None:
    """What it calls by a planted kind is what was planted; an operator named like a planted kind finds it."""
    kinds = {kind for world in planted_worlds().values() for kind in (*world.faults, *world.columns)}
    spoken = speaks_in(subject)
    if subject.name in kinds and not spoken:
        raise subject.breach(f"it says nothing of a planted {subject.name}", "see testing.plants for what was planted")


def speaks_in(subject: Subject) -> tuple[str, ...]:
    """Return the planted worlds of whose fault a detector speaks; raises ContractError where it points at the wrong rows."""
    spoken = []
    for name, world in planted_worlds().items():
        operator = subject.make()
        view = world_view(operator, world)
        for finding in _found(operator, view):
            if finding.kind in world.columns:
                if missed := sorted(set(world.columns[finding.kind]) - set(finding.columns)):
                    raise subject.breach(f"{finding.kind} was planted in {missed}, which it does not name ({name})")
                spoken.append(name)
            elif finding.kind in world.faults and finding.n_flagged:
                _compare(subject, finding, world, name)
                spoken.append(name)
    return tuple(spoken)


def _compare(subject: Subject, finding: Finding, world: World, name: str) -> None:
    planted = world.ids.filter(pa.array(world.faults[finding.kind] & world.mask(Split.TRAIN)))
    hits = int(pc.sum(pc.is_in(finding.flagged_ids, value_set=planted)).as_py() or 0)
    recall, precision = hits / len(planted), hits / finding.n_flagged
    chance = len(planted) / len(finding.ids)
    if recall < RECALL or precision < min(LIFT * chance, 0.5 + chance / 2):
        raise subject.breach(
            f"of {len(planted):,} planted rows ({name}) it flags {hits:,}, among {finding.n_flagged:,} flagged in all"
        )


def _found(operator: Any, view: View) -> Sequence[Finding]:
    try:
        return list(operator.find(view))
    except NotApplicable:
        return []


def _fault_of(finding: Finding, view: View, operator: Any, world: World) -> str:
    """What is wrong with a finding, in words."""
    n = len(finding.ids)
    judged = world.ids.filter(pa.array(world.mask(Split.DEV, Split.TEST)))
    facts = {
        "is not named in snake_case": not re.fullmatch(r"[a-z]+(_[a-z]+)*", finding.kind),
        "does not name its operator": finding.operator != spec_of(operator),
        "has no summary": not finding.summary.strip(),
        "speaks of neither rows nor columns": not n and not finding.columns,
        "is about other rows than the view's": bool(n) and not finding.ids.equals(view.ids),
        "names columns that are not there": not set(finding.columns) <= set(view.schema.names),
        "has a level outside [0, 1]": not 0 <= finding.level <= 1,
        "has evidence of another length": any(len(values) != n for values in finding.evidence.values()),
        "flags dev or test rows": bool(pc.any(pc.is_in(finding.flagged_ids, value_set=judged)).as_py()),
    }
    return next((what for what, wrong in facts.items() if wrong), "")


def budgets_are_kept(subject: Subject) -> None:
    """At most `budget` rows of the view, none twice, best first; a smaller budget gives the first of a larger one."""
    for world in busy_worlds(subject.room).values():
        operator = subject.make()
        view = world_view(operator, world)
        known = set(view.ids.to_pylist())
        longest: list[str] | None = None
        for budget in reversed(BUDGETS):
            try:
                chosen = operator.select(view, budget)
            except NotApplicable:
                break
            ids = chosen.ids.to_pylist()
            longest = ids if longest is None else longest
            scores = np.zeros(len(ids)) if chosen.scores is None else np.asarray(chosen.scores)
            facts = {
                f"chooses {len(ids):,} rows for a budget of {budget:,}": len(ids) > budget,
                "chooses a row twice": len(set(ids)) < len(ids),
                "chooses rows that the view does not hold": not set(ids) <= known,
                "gives as many scores as rows it does not choose": len(scores) != len(ids),
                "does not put the best first": bool((np.diff(scores) > 0).any()),
                "chooses other rows first when the budget is smaller": ids != longest[: len(ids)],
            }
            if wrong := [what for what, is_so in facts.items() if is_so]:
                raise subject.breach(f"it {wrong[0]}")


DETECTION: tuple[Check, ...] = (findings_are_whole, is_quiet_where_nothing_is_wrong, speaks_where_something_is_wrong)
SELECTION: tuple[Check, ...] = (budgets_are_kept,)
