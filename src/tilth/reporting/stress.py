"""Stress tests on a screen: the outcome first, then a line per test, curves by severity, pairs, and what could not be run."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from tilth.core.estimate import Estimate
from tilth.core.stress_summary import Corruption, PairTest, StressLine, StressSummary
from tilth.reporting.clean import brief, one_line
from tilth.reporting.figures import Scale
from tilth.reporting.text import table_of

__all__ = ["stress_facts", "stress_markdown", "stress_screen", "stress_signal"]

_SHARE = Scale("accuracy")
LONGEST_NOTE = 400


def stress_signal(summary: StressSummary) -> str:
    """Return what it comes to, in one line."""
    outcomes = summary.outcomes
    counts = {word: outcomes.count(word) for word in ("failed", "not run", "undecided", "passed", "measured")}
    said = ", ".join(f"{n} {word}" for word, n in counts.items() if n)
    if summary.is_passed and not {"passed", "undecided"} & set(outcomes):
        return f"{said}, none against a bound"
    return f"{'passed' if summary.is_passed else 'FAILED'}: {said}"


def stress_screen(summary: StressSummary) -> Group:
    """Return the outcome, the tests, the curves and the pairs."""
    scale = Scale(summary.metric)
    rows = f"{summary.rows:,} dev rows"
    rows += "" if summary.rows == summary.of_rows else f", drawn from {summary.of_rows:,}"
    head = f"{stress_signal(summary)} · {scale.name} as they are {scale.score(summary.clean)} · {rows}, seed {summary.seed}"
    parts: list[RenderableType] = [Text(head, style="bold")]
    measured = [line for line in summary.lines if line.failing is not None]
    if measured:
        heads = ("test", "rows", "expected", "did not", "by score", "worst slice", "outcome")
        table = table_of(heads, [_row(line, scale) for line in measured], right=("rows",))
        parts.append(Padding(table, (1, 0)))
    if summary.corruptions:
        parts.append(Padding(_curves(summary, scale), (0, 0, 1, 0)))
    parts += [Text(_of_pairs(pair)) for pair in summary.pairs]
    parts += [Text(note) for note in _notes(summary)]
    return Group(*parts)


def _row(line: StressLine, scale: Scale) -> tuple[str, ...]:
    assert line.failing is not None
    return (
        _title(line),
        f"{line.rows:,}",
        line.expect,
        _SHARE.score(line.failing),
        "" if line.change is None else scale.gain(line.change),
        _worst(line),
        line.outcome if line.at_most is None else f"{line.outcome} (at most {_SHARE.slice_score(line.at_most)})",
    )


def _title(line: StressLine) -> str:
    return line.name if line.severity is None else f"{line.name} {line.severity}"


def _worst(line: StressLine) -> str:
    worst, overall = line.worst, line.failing
    if worst is None or overall is None or worst.failing.low <= overall.value:
        return ""
    return f"{one_line(worst.name)}: {_SHARE.score(worst.failing)}"


def _curves(summary: StressSummary, scale: Scale) -> RenderableType:
    """Return the score by severity, one line a transform."""
    severities = sorted({severity for one in summary.corruptions for severity in one.severities})
    heads = (f"{scale.name} at severity", *map(str, severities), "mean fall")
    rows = [_curve(one, severities, scale) for one in summary.corruptions]
    if summary.mean_drop is not None and len(summary.corruptions) > 1:
        rows.append(("all", *("" for _ in severities), _fall(summary.mean_drop, scale)))
    return table_of(heads, rows, right=heads[1:-1])


def _curve(one: Corruption, severities: list[int], scale: Scale) -> tuple[str, ...]:
    scores = dict(zip(one.severities, one.scores, strict=True))
    cells = [scale.slice_score(scores[s].value) if s in scores else "" for s in severities]
    return (one.name, *cells, _fall(one.drop, scale))


def _fall(drop: Estimate, scale: Scale) -> str:
    turned = Estimate(value=-drop.value, low=-drop.high, high=-drop.low, standard_error=drop.standard_error)
    return scale.gain(turned, unit=True)


def _of_pairs(pair: PairTest) -> str:
    if pair.consistent is None or pair.both_right is None or pair.first is None or pair.second is None:
        return f"pairs by {one_line(pair.source)} were not tried: {brief(pair.note, LONGEST_NOTE)}"
    said = (
        f"Pairs by {one_line(pair.source)}: of {pair.pairs:,} pairs, {pair.turning:,} with labels that differ, "
        f"{_SHARE.score(pair.consistent)} are predicted to differ exactly where they do; both rows right "
        f"{_SHARE.score(pair.both_right)}; accuracy on first rows {_SHARE.score(pair.first)}, on second rows {_SHARE.score(pair.second)}"
    )
    return said + (f" ({pair.outcome})." if pair.at_most is not None else ".")


def _notes(summary: StressSummary) -> Iterator[str]:
    """Yield what could not be run, what failed on rows, and rows to look at."""
    for line in summary.lines:
        if line.failing is None:
            yield f"{_title(line)} was not run: {brief(one_line(line.note), LONGEST_NOTE)}"
        if line.failures:
            yield f"{_title(line)} failed on {line.failures:,} of {line.tried:,} rows, left as they are: {brief(one_line(line.error), 120)}"
    worst = [line for line in summary.lines if line.failing is not None and line.examples]
    for line in sorted(worst, key=lambda line: -(line.failing.low if line.failing else 0.0))[:3]:
        rows = ", ".join(_example(one.row_id, one.before, one.after) for one in line.examples[:3])
        yield f"{_title(line)}: look at {rows}"
    yield from (f"warning: {warning}" for warning in summary.warnings)


def _example(row_id: str, before: str, after: str) -> str:
    return f"{brief(row_id, 40)} ({one_line(before)} → {one_line(after)})" if before else brief(row_id, 40)


def stress_markdown(summary: StressSummary) -> str:
    """Return the outcome in the first line and a table of tests, for a CI summary; no row is quoted."""
    scale = Scale(summary.metric)
    lines = [
        f"**stress {stress_signal(summary)}**",
        "",
        "| test | rows | expected | did not | outcome |",
        "|---|---|---|---|---|",
    ]
    for line in summary.lines:
        failing = "—" if line.failing is None else _SHARE.score(line.failing)
        lines.append(f"| {_title(line)} | {line.rows:,} | {line.expect} | {failing} | {line.outcome} |")
    for pair in summary.pairs:
        failing = "—" if pair.consistent is None else _SHARE.score(_rest(pair.consistent))
        lines.append(f"| pairs by {one_line(pair.source)} | {pair.pairs:,} | consistent | {failing} | {pair.outcome} |")
    return "\n".join([*lines, "", f"{scale.name} as they are: {scale.score(summary.clean)}, {summary.rows:,} dev rows"])


def _rest(share: Estimate) -> Estimate:
    return Estimate(value=1 - share.value, low=1 - share.high, high=1 - share.low, standard_error=share.standard_error)


def stress_facts(summary: StressSummary) -> dict[str, str]:
    """Return each test with its share, by name, for a notebook."""
    facts = {"outcome": stress_signal(summary), "as they are": Scale(summary.metric).score(summary.clean)}
    for line in summary.lines:
        share = f"not run: {line.note}" if line.failing is None else f"{_SHARE.score(line.failing)} not {line.expect}"
        facts[_title(line)] = share
    return facts | {f"pairs by {pair.source}": _of_pairs(pair) for pair in summary.pairs}
