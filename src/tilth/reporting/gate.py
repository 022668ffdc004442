"""Gate: whether a version passes, as a screen and as Markdown for a pull request: the signal first, and no cell of any row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from tilth.core.estimate import Estimate
from tilth.core.gate_summary import CheckResult, ClauseResult, ConditionResult, GateSummary, Passing, StressResult
from tilth.core.rows_plan import RowsPlan
from tilth.reporting.clean import brief
from tilth.reporting.comparison import comparison_screen, left_out_lines, said_of_regressions
from tilth.reporting.figures import Scale
from tilth.reporting.text import table_of

__all__ = ["PLAN_HEADS", "gate_facts", "gate_markdown", "gate_screen", "plan_rows", "rows_screen", "signal"]

_SHARE = Scale("accuracy")
_WORDS = {Passing.PASS: "passed", Passing.FAIL: "failed", Passing.UNDECIDED: "undecided"}
_CONDITION_HEADS = ("condition", "on test", "confidence set", "rows", "verdict")
PLAN_HEADS = ("condition", "reliability", "by", "test rows", "labels")
_STRESS_HEADS = ("stress test, on dev", "expected", "rows", "did not", "at most", "worst slice", "verdict")
_CHECK_HEADS = ("check", "on", "holds", "asked", "verdict")
_COUNTED = {"none": "independent of earlier looks", "first_change": "until the first pass", "full": "fully adaptive"}


def signal(gate: GateSummary) -> str:
    """Return the first line: whether the version passes, and what stands in its way."""
    words = f"{'PASS' if gate.passed else 'FAIL' if gate.verdict is Passing.FAIL else 'UNDECIDED'}: {_pair(gate)}"
    counts = ", ".join(f"{gate.ends.count(kind)} {_WORDS[kind]}" for kind in Passing if kind in gate.ends)
    failing = [one.name for one in gate.checks if one.verdict is Passing.FAIL]
    failing += [one.text for one in gate.conditions if one.verdict is Passing.FAIL]
    failing += [one.name for one in gate.stress if one.verdict is Passing.FAIL]
    named = f" · failed: {', '.join(brief(one, 60) for one in failing[:3])}" if failing else ""
    return f"{words} · {counts}{named}"


def gate_screen(gate: GateSummary) -> Group:
    """Return the gate's result for a terminal."""
    parts: list[RenderableType] = [Text(signal(gate), style="bold")]
    if gate.conditions:
        rows = [row for one in gate.conditions for row in _condition_rows(one)]
        parts.append(Padding(table_of(_CONDITION_HEADS, rows, right=("rows",)), (1, 0)))
    if gate.checks:
        parts.append(Padding(table_of(_CHECK_HEADS, [_check_row(one) for one in gate.checks]), (1, 0)))
    if gate.stress:
        tests = [_stress_row(one) for one in gate.stress]
        parts.append(Padding(table_of(_STRESS_HEADS, tests, right=("rows",)), (1, 0)))
    if gate.comparison is not None:
        parts.append(comparison_screen(gate.comparison))
    return Group(*parts, *(Text(line) for line in _notes(gate)))


def gate_markdown(gate: GateSummary) -> str:
    """Return the gate's result as Markdown; its first line is the signal."""
    lines = [f"**{_plain(signal(gate))}**", ""]
    if gate.conditions:
        lines += _markdown(_CONDITION_HEADS, [row for one in gate.conditions for row in _condition_rows(one)])
    if gate.checks:
        lines += _markdown(_CHECK_HEADS, [_check_row(one) for one in gate.checks])
    if gate.stress:
        lines += _markdown(_STRESS_HEADS, [_stress_row(one) for one in gate.stress])
    if gate.comparison is not None:
        scale, overall = Scale(gate.comparison.metric), gate.comparison.overall
        before, after = scale.score(overall.before), scale.score(overall.after)
        changed = f"{before} → {after}, gain {scale.gain(overall.gain, unit=True)}"
        said = f"{scale.name} on {overall.rows:,} test rows: {changed}. {said_of_regressions(gate.comparison)}"
        lines += [_plain(said), "", *(_plain(line) for line in left_out_lines(gate.comparison))]
    return "\n".join([*lines, *(f"- {_plain(line)}" for line in _notes(gate))]).rstrip() + "\n"


def gate_facts(gate: GateSummary) -> dict[str, str]:
    """Return the gate's result by name, for a notebook."""
    facts = {"gate": signal(gate)}
    facts |= {one.text: _WORDS[one.verdict] for one in gate.conditions}
    facts |= {one.name: _WORDS[one.verdict] for one in gate.checks}
    facts |= {one.name: _WORDS[one.verdict] for one in gate.stress}
    return facts | {"budget": " ".join(_notes(gate))}


def rows_screen(plan: RowsPlan) -> Group:
    """Return how many test rows and labels each clause needs."""
    note = (
        f"For {plan.looks:,} looks, {_COUNTED[plan.adaptivity]}. Labels: where a condition compares two models that mostly agree, "
        "only the rows on which they differ need one."
    )
    return Group(table_of(PLAN_HEADS, plan_rows(plan), right=("test rows", "labels")), Text(), Text(note))


def plan_rows(plan: RowsPlan) -> list[tuple[str, str, str, str, str]]:
    """Return what each clause needs as rows of text, one per method."""
    rows = []
    for one in plan.clauses:
        if not one.rows:
            rows.append((brief(one.text, 60), f"{one.reliability:g}", one.reason, "", ""))
        for method, number in one.rows.items():
            said = (brief(one.text, 60), f"{one.reliability:g}", method, f"{number:,}", f"{one.labels[method]:,}")
            rows.append(said)
    return rows


def _pair(gate: GateSummary) -> str:
    return gate.version if gate.against is None else f"{gate.version} against {gate.against}"


def _condition_rows(condition: ConditionResult) -> Iterator[tuple[str, str, str, str, str]]:
    """Return one row per clause, with the condition's reliability behind the first."""
    if not condition.clauses:
        yield brief(condition.text, 60), "not asked", "", "", _WORDS[condition.verdict]
    for clause in condition.clauses:
        name = f"{brief(clause.text, 60)} at {condition.reliability:g}"
        yield name, _value(clause), _ends(clause), f"{clause.rows:,}" if clause.rows else "", _verdict(clause)


def _value(clause: ClauseResult) -> str:
    if clause.reason:
        return brief(clause.reason, 80)
    return "withheld" if clause.value is None else f"{clause.value:.4g}"


def _ends(clause: ClauseResult) -> str:
    return "" if clause.low is None or clause.high is None else f"[{clause.low:.4g}, {clause.high:.4g}]"


def _verdict(clause: ClauseResult) -> str:
    word = _WORDS[clause.verdict]
    short = clause.rows_needed is not None and clause.rows_needed > clause.rows
    if clause.verdict is not Passing.UNDECIDED or not short:
        return word
    labels = f", {clause.labels_needed:,} labels" if clause.labels_needed != clause.rows_needed else ""
    return f"{word}: its tolerance takes about {clause.rows_needed:,} rows{labels}"


def _check_row(check: CheckResult) -> tuple[str, str, str, str, str]:
    holds = check.reason or f"{check.holds:,} of {check.rows:,}"
    asked = "all" if check.at_least == 1 else f"at least {100 * check.at_least:g} %"
    return brief(check.name, 60), check.on, brief(holds, 80), asked, _WORDS[check.verdict]


def _stress_row(test: StressResult) -> tuple[str, ...]:
    share = brief(test.reason, 80)
    if test.failing is not None and test.low is not None and test.high is not None:
        share = _SHARE.score(Estimate(value=test.failing, low=test.low, high=test.high, standard_error=0.0))
        share += f"; {brief(test.reason, 60)}" if test.reason else ""
    worst = ""
    if test.worst_failing is not None:
        worst = f"{brief(test.worst, 40)}: {_SHARE.slice_score(test.worst_failing)}"
    bound = _SHARE.slice_score(test.at_most)
    return brief(test.name, 60), test.expect, f"{test.rows:,}", share, bound, worst, _WORDS[test.verdict]


def _notes(gate: GateSummary) -> list[str]:
    """Return what must be known of the figures: the budget, whether they are recorded, warnings."""
    notes = []
    if gate.conditions:
        budget = gate.budget
        notes.append(
            f"{budget.spent:,} of {budget.looks:,} looks at these test rows are spent ({_COUNTED[budget.adaptivity]})."
        )
    if gate.recorded:
        notes.append("These versions were tested before: the figures are the recorded ones, and no look was spent.")
    if gate.withheld:
        notes.append("Figures are withheld: with adaptivity: full the promise covers verdicts alone.")
    return [*notes, *(brief(one) for one in gate.warnings)]


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    lines += [f"| {' | '.join(_plain(cell).replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return [*lines, ""]


def _plain(text: str) -> str:
    """Return text that Markdown takes for nothing but text."""
    return "".join(f"\\{sign}" if sign in "*_`<>[]#" else sign for sign in text)
