"""A policy on a screen: how it was found, its sequences with what they came to, and what to do with it."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from tilth.core.policy import AS_IT_IS
from tilth.core.policy_report import PolicyReport, SequenceLine
from tilth.reporting.clean import one_line
from tilth.reporting.text import table_of

__all__ = ["policy_screen"]

MOST_LINES = 20


def policy_screen(report: PolicyReport) -> Group:
    """Return a policy with all that was looked at."""
    n = len(report.policy.sequences)
    head = f"{report.how}: {n} sequence{'' if n == 1 else 's'} of {len(report.policy.transforms)} transforms"
    head += f", on {report.rows:,} train rows, seed {report.seed}"
    parts: list[RenderableType] = [Text(head, style="bold")]
    if report.lines:
        parts += [Padding(_looked_at(report), (1, 0)), Text(_legend(report), style="dim")]
    else:
        parts += [Text(f"  {_drawn(report, number)}") for number in range(n)]
    return Group(*parts)


def _looked_at(report: PolicyReport) -> RenderableType:
    composed = any(line.agreement is not None for line in report.lines)
    heads = ("sequence", "share", "score", *(("agreement", "realism", "movement") if composed else ("rounds",)))
    return table_of(heads, [_row(line, composed=composed) for line in report.lines[:MOST_LINES]])


def _row(line: SequenceLine, *, composed: bool) -> list[str]:
    parts = (line.agreement, line.realism, line.movement)
    rest = [f"{part:.2f}" for part in parts if part is not None] if composed else [str(line.rounds)]
    share = f"{100 * line.share:.0f} %" if line.share else "left out"
    return [one_line(" then ".join(line.steps)), share, f"{line.score:.3f}", *rest]


def _legend(report: PolicyReport) -> str:
    said = f"score: {report.measure}"
    if report.baseline is not None:
        said += f" (rows as they are: {report.baseline:.3f})"
    if len(report.lines) > MOST_LINES:
        said += f" · {len(report.lines) - MOST_LINES} more looked at"
    if report.fits:
        said += f" · cost {report.fits:.1f} whole trainings"
    return said


def _drawn(report: PolicyReport, number: int) -> str:
    steps = [
        " or ".join("as it is" if one.transform == AS_IT_IS else str(one) for one in step.changes)
        for step in report.policy.sequences[number].steps
    ]
    return one_line("; then ".join(steps) or "as it is")
