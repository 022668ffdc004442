"""The block `tests:` of tilth.yaml: conditions, checks and the budget of looks, read and written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tilth.core.condition import parse_condition
from tilth.core.errors import ConfigError
from tilth.loop._gate_plan import ADAPTIVITIES, CheckChoice, GatePlan
from tilth.loop._yaml_nodes import flow

if TYPE_CHECKING:
    from tilth.core.condition import Condition
    from tilth.loop._yaml_nodes import Node

__all__ = ["gate_lines", "gate_of"]

KEY = "tests"
FIELDS = ("conditions", "checks", "reliability", "looks", "adaptivity", "undecided")
ROWS = ("rows", "train", "dev", "test", "predictions")
CHECK = "a list such as - {name: age_is_human, where: age BETWEEN 0 AND 120}"


def gate_of(node: Node) -> GatePlan | None:
    """Return what the gate asks; raises ConfigError with line, and for a condition with the place in it."""
    if node.is_null:
        return None
    fields = node.fields(FIELDS)
    found: dict[str, Any] = {}
    if "conditions" in fields and not fields["conditions"].is_null:
        items = fields["conditions"].items("a list of conditions, such as - n - o > 0.02 +/- 0.01")
        found["conditions"] = tuple(_condition(item) for item in items)
    if "checks" in fields and not fields["checks"].is_null:
        found["checks"] = _checks(fields["checks"])
    if "reliability" in fields:
        found["reliability"] = fields["reliability"].number("a number from 0.5 to below 1", 0.5, 1 - 1e-12)
    if "looks" in fields:
        found["looks"] = fields["looks"].integer("a whole number, 1 or more", 1)
    if "adaptivity" in fields:
        found["adaptivity"] = fields["adaptivity"].word(ADAPTIVITIES)
    if "undecided" in fields:
        found["undecided"] = fields["undecided"].word(("fail", "pass"))
    return GatePlan(**found)


def _condition(node: Node) -> Condition:
    try:
        return parse_condition(node.text("a condition, such as n - o > 0.02 +/- 0.01"))
    except ConfigError as error:
        raise node.fail(f"{error.what} [{error.where}]", error.next_step) from None


def _checks(node: Node) -> tuple[CheckChoice, ...]:
    checks: list[CheckChoice] = []
    for item in node.items(CHECK):
        check = _check(item)
        if check.name in {one.name for one in checks}:
            raise item.fail(f"two checks are called {check.name!r}", "give each a name of its own")
        checks.append(check)
    return tuple(checks)


def _check(node: Node) -> CheckChoice:
    fields = node.fields(("name", "where", "at_least", "on"), required=("where",))
    where = fields["where"].text("an SQL predicate")
    check = CheckChoice(
        name=fields["name"].text("the check's name") if "name" in fields else where,
        where=where,
        place=f"{node.file}, line {node.raw.start_mark.line + 1}",
    )
    if "at_least" in fields:
        check = replace(check, at_least=fields["at_least"].number("a share above 0 and at most 1", 1e-9, 1.0))
    return replace(check, on=fields["on"].word(ROWS)) if "on" in fields else check


def gate_lines(plan: GatePlan) -> Iterator[str]:
    """Return the block as it is written."""
    yield f"{KEY}:  # what tilth test asks: see docs/how-to/gate-in-ci"
    usual = GatePlan()
    if plan.conditions:
        yield "  conditions:"
        yield from (f"    - {flow(one.text)}" for one in plan.conditions)
    if plan.checks:
        yield "  checks:"
        yield from (f"    - {flow(one.to_dict())}" for one in plan.checks)
    for name in ("reliability", "looks", "adaptivity", "undecided"):
        if getattr(plan, name) != getattr(usual, name):
            yield f"  {name}: {flow(getattr(plan, name))}"
    if plan == usual:
        yield "  conditions: []"
