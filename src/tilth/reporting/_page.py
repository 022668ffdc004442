"""What the page of a run says, as plain values that the template lays out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tilth.core.summary import Exhibit, FailedStep, FindingLine, HistoryLine, RunSummary
from tilth.core.trial import Verdict
from tilth.reporting._exhibits import Fitted, exhibit_view
from tilth.reporting._measured import slices_of, standing_of, trials_of
from tilth.reporting.charts import Mark, axis_of, axis_svg, intervals_svg, lineage_svgs
from tilth.reporting.clean import brief, listed, visible
from tilth.reporting.figures import Scale, p_text, span
from tilth.reporting.wording import (
    CORRECTION,
    least_detectable,
    model_line,
    next_steps,
    outcome,
    shown_error,
    splits_line,
    tally,
    task_line,
)

__all__ = ["page_of"]

MOST_FINDINGS, MOST_HISTORY, MOST_WARNINGS, MOST_FAILURES, MOST_REFUSALS = 40, 120, 30, 10, 60
LONGEST_TRACEBACK = 3000
_OPEN_EXHIBITS = 3
_IN_FORCE = (Verdict.KEPT, Verdict.ADOPTED)


def page_of(summary: RunSummary, fitted: Fitted, history: Sequence[HistoryLine], *, messages: bool) -> dict[str, Any]:
    """Return everything that the template shows, clean and of limited length."""
    scale = Scale(summary.metric)
    page: dict[str, Any] = {
        "source": brief(summary.source, 120) or "a table",
        "label": brief(summary.label, 120),
        "facts": _facts(summary, scale),
        "tally": tally(summary.trials),
        "test": _test(summary, scale),
        "left_out": _left_out(fitted),
        "assumption": f"{CORRECTION}, at estimated rates",
        "steps": next_steps(summary),
        "span": span(summary.seconds),
        "model": brief(model_line(summary)),
        "verdicts": [str(verdict) for verdict in Verdict],
        "versions": _versions(summary),
    }
    page |= _headline(summary, scale) | trials_of(summary, scale) | _findings(summary, fitted.exhibits)
    page |= slices_of(summary, scale) | standing_of(summary, scale) | _notes(summary, messages) | _history(history)
    page["outcome"] = outcome(summary).removeprefix(f"{page['headline']}. ")
    page["sections"] = _sections(page)
    return page


def _versions(summary: RunSummary) -> str:
    if summary.version_before == summary.version_after:
        return f"version {brief(summary.version_before, 40)}"
    return f"versions {brief(summary.version_before, 40)} → {brief(summary.version_after, 40)}"


def _sections(page: dict[str, Any]) -> list[tuple[str, str]]:
    has_notes = page["warnings"] or page["failures"] or page["refusals"]
    sections = [
        ("tried", "Tried", True),
        ("findings", "Found", True),
        ("standing", "Worst slices", page["standing"]),
        ("slices", "Slices", page["slices"]),
        ("notes", "Warnings", has_notes),
        ("history", "History", page["history"]),
        ("next", "Next", True),
        ("reading", "How to read this", True),
    ]
    return [(name, title) for name, title, there in sections if there]


# -- headline ----------------------------------------------------------------------------------------------------------


def _headline(summary: RunSummary, scale: Scale) -> dict[str, Any]:
    look, kept = summary.test, sum(t.verdict in _IN_FORCE for t in summary.trials)
    if look is None or summary.version_before == summary.version_after:
        title = f"{kept} of {len(summary.trials)} edits kept" if kept else "Nothing was kept"
        return {"headline": title, "interval": "", "corrected": ""}
    value, ends = scale.gain(look.gain, unit=True).split(" [", 1)
    what = f"{value} of {scale.name}" if scale.is_share else f"{scale.name.capitalize()} {value.lstrip('+−')}"
    if not scale.is_share:
        what += " lower" if look.gain.value >= 0 and scale.is_error else " higher"
    low, high = ends.rstrip("]").split(", ")
    interval = f"95 % interval of the gain: {low} to {high}{scale.unit}"
    corrected = "" if look.corrected_gain is None else scale.gain(look.corrected_gain, unit=True)
    doubt = ", not told apart from zero" if look.gain.low <= 0 <= look.gain.high else ""
    return {"headline": f"{what} on the sealed test{doubt}", "interval": interval, "corrected": corrected}


def _test(summary: RunSummary, scale: Scale) -> dict[str, Any] | None:
    look = summary.test
    if look is None:
        return None
    rows = [
        ("Before", summary.version_before, look.before, "before"),
        ("After", summary.version_after, look.after, "after"),
    ]
    if summary.version_before == summary.version_after:
        rows = [("Unchanged", summary.version_after, look.after, "before")]
    axis = axis_of((scale.score_of(estimate) for *_, estimate, _ in rows), with_zero=False)
    views = [
        {
            "name": name,
            "version": brief(version, 40),
            "text": scale.score(estimate),
            "drawing": intervals_svg(
                axis, [Mark(scale.score_of(estimate), kind)], f"{name}: {scale.score(estimate)}", with_zero=False
            ),
        }
        for name, version, estimate, kind in rows
    ]
    return {"axis": axis_svg(axis, scale, signed=False), "rows": views}


def _facts(summary: RunSummary, scale: Scale) -> list[tuple[str, str, str]]:
    facts = [("Dev, before these edits", scale.score(summary.baseline), f"{scale.name}, {scale.score_note}")]
    if summary.ceiling is not None:
        facts.append(
            (
                "Best that a model could reach on these labels",
                scale.score(summary.ceiling),
                brief(summary.ceiling_method),
            )
        )
    facts.append(("This run detects", *_split_note(least_detectable(summary, scale))))
    facts.append(("Rows", splits_line(summary), brief(task_line(summary))))
    note = "the chance of keeping an edit without a true gain that later runs may still spend"
    facts.append(("Error budget left on this dev split", p_text(summary.alpha_left), note))
    if summary.test is not None:
        facts.append(("Looks at this test split", f"{summary.test.looks:,}", "at most one for each pair of versions"))
    return facts


def _split_note(text: str) -> tuple[str, str]:
    head, mark, rest = text.partition("; ")
    return (head, rest) if mark else (text, "")


# -- findings, notes, history ------------------------------------------------------------------------------------------


def _left_out(fitted: Fitted) -> str:
    parts = [f"{n:,} {what}" for n, what in ((fitted.images, "images"), (fitted.rows, "rows")) if n]
    return f"To keep this file below 2 MB, {' and '.join(parts)} were left out." if parts else ""


def _findings(summary: RunSummary, exhibits: Sequence[Exhibit]) -> dict[str, Any]:
    lines = summary.findings[:MOST_FINDINGS]
    waiting = list(exhibits)
    views: list[dict[str, Any]] = []
    for line in lines:
        match = next((one for one in waiting if one.kind == line.kind), None) if line.rows else None
        if match is not None:
            waiting.remove(match)
        is_open = sum(view["exhibit"] is not None for view in views) < _OPEN_EXHIBITS
        views.append(_finding(line, match, is_open))
    return {"findings": views, "findings_left_out": len(summary.findings) - len(lines)}


def _finding(line: FindingLine, exhibit: Exhibit | None, is_open: bool) -> dict[str, Any]:
    terms = [
        ("Flagged when", line.threshold),
        ("Suggestion", line.suggestion),
        ("Columns", listed(line.columns, 12)),
        ("Found by", line.operator),
    ]
    return {
        "title": brief(line.kind, 80).replace("_", " ").capitalize(),
        "about": f"{line.rows:,} rows" if line.rows else "",
        "severity": line.severity,
        "summary": brief(line.summary),
        "terms": [(term, brief(text)) for term, text in terms if text],
        "exhibit": None if exhibit is None else exhibit_view(exhibit),
        "is_open": is_open,
    }


def _notes(summary: RunSummary, messages: bool) -> dict[str, Any]:
    warnings = [brief(text) for text in summary.warnings[:MOST_WARNINGS]]
    left_out = len(summary.warnings) - len(warnings)
    failures = [_failure(step, messages) for step in summary.failures[:MOST_FAILURES]]
    refusals = [(brief(step, 100), brief(reason, 200)) for step, reason in summary.refusals.items()]
    return {
        "warnings": [*warnings, f"and {left_out} more warnings"] if left_out else warnings,
        "failures": failures,
        "refusals": refusals[:MOST_REFUSALS],
    }


def _failure(failed: FailedStep, messages: bool) -> dict[str, str]:
    lines = visible(failed.traceback).strip().splitlines()
    if not messages:
        lines = [line for line in lines if line.startswith('  File "')]
        lines.append("(the message is not shown: it could quote a hidden column)")
    trace = "\n".join(lines)
    cut = trace if len(trace) <= LONGEST_TRACEBACK else "…\n" + trace[-LONGEST_TRACEBACK:]
    return {
        "step": brief(failed.step, 120),
        "error": brief(shown_error(failed.error, messages=messages)),
        "traceback": cut,
    }


def _history(history: Sequence[HistoryLine]) -> dict[str, Any]:
    lines = list(history[:MOST_HISTORY])
    drawings, width = lineage_svgs(lines)
    views = [
        {
            "drawing": drawing,
            "version": brief(line.version, 40) or "no version",
            "what": brief(" · ".join(part for part in (line.verb, line.operator) if part) or line.origin, 120),
            "edit": brief(line.edit or "", 40),
            "rows": f"{line.rows:,}" if line.edit else "",
            "verdict": brief(line.verdict or "", 40),
            "reason": brief(line.reason, 240),
        }
        for line, drawing in zip(lines, drawings, strict=True)
    ]
    return {"history": views, "history_left_out": len(history) - len(lines), "graph_width": width}
