"""What `tilth taxonomy` shows: the label set, what a migration does to the labels, how good its rules are."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from tilth.core.migration_plan import MigrationPlan, RuleCheck, TaxonomyState, hours
from tilth.reporting.clean import brief, listed
from tilth.reporting.notebook import table_html
from tilth.reporting.text import table_of

__all__ = ["plan_html", "plan_screen", "state_html", "state_screen"]

_FEWEST_RIGHT = 0.9
"""A rule that may settle fewer rows rightly is called doubtful."""


def plan_screen(plan: MigrationPlan, *, dry_run: bool = False, is_undo: bool = False) -> Group:
    """Return what a migration does to the labels, or what taking one back did."""
    lines = [
        Text(f"{brief(plan.said)}: label set {plan.taxonomy}, {len(plan.classes):,} classes", style="bold"),
        Text(),
    ]
    lines += [Text(f"  {line}") for line in _plan_lines(plan)]
    lines += [Text(f"  note: {brief(note)}") for note in plan.notes]
    lines.append(Text())
    if dry_run:
        lines.append(Text("nothing is changed; without --dry-run it is made"))
    else:
        then = "" if is_undo else "; tilth taxonomy undo takes it back"
        lines.append(Text(f"{plan.before} → {plan.after}{then}"))
        if plan.questions:
            lines.append(Text("next: tilth ask -o questions.csv"))
    return Group(*lines)


def _plan_lines(plan: MigrationPlan) -> list[str]:
    whole = plan.kept == plan.rows
    lines = [
        f"{plan.rows:,} labels" + (", all with a class of this set" if whole else f": {plan.kept:,} keep their class")
    ]
    if plan.by_rule:
        each = ", ".join(f"{brief(name)} {n:,}" for name, n in plan.by_rule.items())
        lines.append(f"{sum(plan.by_rule.values()):,} are settled by rules ({each}); answers will check them")
    if plan.opened:
        lines.append(f"{sum(plan.opened.values()):,} may be several classes ({_splits(plan.opened)})")
    if plan.dropped:
        lines.append(f"{sum(plan.dropped.values()):,} have no label any more ({_splits(plan.dropped)})")
    if plan.trusted:
        lines.append(f"{plan.trusted:,} of these were answered by people")
    if plan.questions:
        lines.append(
            f"{plan.questions:,} to ask, {_time(plan.questions, plan.seconds)}; fewer may do: tilth ask puts first what is worth most"
        )
    return lines


def _splits(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{split} {n:,}" for split, n in counts.items())


def _time(questions: int, seconds: float) -> str:
    needed = hours(questions, seconds)
    said = f"{needed:.1f} h" if needed >= 1 else f"{max(1, round(60 * needed))} min"
    return f"about {said} at {seconds:.0f} s each"


def state_screen(state: TaxonomyState) -> Group:
    """Return where the label set stands."""
    head = f"label set {state.taxonomy} · {len(state.classes):,} classes · version {state.version}"
    heads, rows = _classes(state)
    parts: list[RenderableType] = [
        Text(head, style="bold"),
        Text(),
        Padding(table_of(heads, rows, right=("rows", "open", "since")), (0, 0, 0, 2)),
        Text(),
    ]
    for number, said in enumerate(state.migrations, 2):
        parts.append(Text(f"  {number}  {brief(said)}"))
    parts += [Text()] if state.migrations else []
    parts += [Text(_check(check)) for check in state.checks]
    parts += [Text()] if state.checks else []
    waiting = sum(state.opened.values())
    if waiting:
        said = f"{waiting:,} rows wait for an answer ({_splits(state.opened)}), {_time(waiting, state.seconds)}"
        parts.append(Text(f"{said}: tilth ask -o questions.csv"))
        judges = {split: n for split, n in state.opened.items() if split in ("dev", "test")}
        if judges:
            parts.append(Text(f"until then {_splits(judges)} rows are left out of every score"))
    elif not state.migrations:
        parts.append(Text("tilth taxonomy rename | merge | split | add | retire | redefine changes it"))
    return Group(*parts)


def _classes(state: TaxonomyState) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    made_of = any(one.origin for one in state.classes)
    heads = ("class", "id", "rows", "open", "since", *(("made of",) if made_of else ()))
    rows = [
        (
            one.name,
            one.id,
            state.labelled.get(one.name, 0),
            state.possible.get(one.name, 0),
            one.since,
            *((", ".join(one.origin),) if made_of else ()),
        )
        for one in state.classes
    ]
    return heads, rows


def _check(check: RuleCheck) -> str:
    said = f"rule for {brief(check.name)} ({brief(check.rule)}): settled {check.rows:,} rows"
    if check.right is None:
        return f"{said}; not checked yet: tilth ask asks some of them"
    low, high = check.right.as_list()
    right = f"right on {check.right.value:.0%} of {check.checked:,} asked [{low:.0%}, {high:.0%}]"
    doubt = "; take it back or mend it" if high < _FEWEST_RIGHT else ""
    return f"{said}; {right}{doubt}"


def plan_html(plan: MigrationPlan) -> str:
    """Return a plan as a notebook shows it."""
    rows = [(line,) for line in (*_plan_lines(plan), *plan.notes)]
    return table_html(rows, (f"{plan.said}: label set {plan.taxonomy}",), caption=listed(plan.classes, 12))


def state_html(state: TaxonomyState) -> str:
    """Return the label set as a notebook shows it."""
    heads, rows = _classes(state)
    return table_html(rows, heads, caption=f"label set {state.taxonomy}", right=("rows", "open", "since"))
