"""How many test rows the gate's conditions need, before any is asked: by what tilth.yaml says alone."""

from __future__ import annotations

from tilth.core.condition import Clause, Condition
from tilth.core.errors import ConfigError
from tilth.core.rows_plan import ClauseRows, RowsPlan
from tilth.loop._gate_plan import GatePlan
from tilth.loop.project_file import ProjectFile
from tilth.loop.rows_needed import plan_rows
from tilth.numerics.sample_sizes import Adaptivity, share_of_look

__all__ = ["rows_plan"]

OUTCOMES = 3
"""Verdicts of a look: pass, fail, undecided."""


def rows_plan(file: ProjectFile) -> RowsPlan:
    """Return what the conditions of tilth.yaml need; raises ConfigError where there are none."""
    plan = file.gate
    if plan is None or not plan.conditions:
        raise ConfigError(
            "tilth.yaml has no conditions under tests:", next_step='add tests: {conditions: ["n - o > 0.02 +/- 0.01"]}'
        )
    is_share = file.schema.task.metric == "accuracy"
    clauses = [_clause(clause, one, plan, is_share=is_share) for one in plan.conditions for clause in one.clauses]
    return RowsPlan(looks=plan.looks, adaptivity=plan.adaptivity, clauses=tuple(clauses))


def _clause(clause: Clause, condition: Condition, plan: GatePlan, *, is_share: bool) -> ClauseRows:
    reliability = condition.reliability or plan.reliability
    share = share_of_look(1, plan.looks, Adaptivity(plan.adaptivity), OUTCOMES)
    tail = (1 - reliability) * share / len(condition.clauses)
    known = is_share or clause.models == {"d"}
    found = plan_rows(clause, tail, condition.most_changed) if known else {}
    return ClauseRows(
        text=clause.text,
        reliability=reliability,
        tail=tail,
        rows={method: rows for method, (rows, _) in found.items()},
        labels={method: labels for method, (_, labels) in found.items()},
        reason="" if found else _why(clause),
    )


def _why(clause: Clause) -> str:
    if clause.tolerance is None:
        return "it gives no tolerance: write +/- behind the number"
    return "it depends on how much the scores of rows differ: tilth test says it by the test rows"
