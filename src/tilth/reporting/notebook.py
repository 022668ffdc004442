"""Notebook: how objects show themselves in a cell: HTML without scripts or style sheets, in the notebook's colours."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from tilth.core.finding import Finding
from tilth.core.summary import FindingLine, RunSummary
from tilth.reporting.clean import brief, listed
from tilth.reporting.figures import Scale, span, unbroken
from tilth.reporting.text import delta_text
from tilth.reporting.wording import (
    CORRECTION,
    as_line,
    least_detectable,
    model_line,
    next_steps,
    ordered,
    outcome,
    said_of,
    splits_line,
    tally,
    task_line,
)

__all__ = ["blame_html", "diff_html", "facts_html", "findings_html", "summary_html", "table_html"]

LONGEST_CELL = 300
MOST_ROWS = 60

_BOX = Markup('<div style="max-width:64em;font-variant-numeric:tabular-nums;line-height:1.45">{}</div>')
_TITLE = Markup('<p style="font-size:1.15em;font-weight:600;margin:.2em 0 .4em">{}</p>')
_LINE = Markup('<p style="margin:.2em 0 .8em">{}</p>')
_TABLE = Markup(
    '<table style="border-collapse:collapse;margin:.4em 0 1em">{}<thead><tr>{}</tr></thead><tbody>{}</tbody></table>'
)
_CAPTION = Markup('<caption style="text-align:left;caption-side:top;opacity:.8;padding:.2em 0">{}</caption>')
_HEAD = Markup('<th scope="col" style="text-align:{};padding:.25em .9em .25em 0">{}</th>')
_CELL = Markup(
    '<td style="text-align:{};border-top:1px solid rgba(128,128,128,.4);padding:.25em .9em .25em 0;vertical-align:top">'
    "<bdi>{}</bdi></td>"
)
_NAME = Markup(
    '<th scope="row" style="text-align:left;font-weight:600;border-top:1px solid rgba(128,128,128,.4);'
    'padding:.25em .9em .25em 0;vertical-align:top">{}</th>'
)


def table_html(
    rows: Sequence[Sequence[object]], columns: Sequence[str], *, caption: str = "", right: Collection[str] = ()
) -> str:
    """Return rows as an HTML table: at most 60, and it says how many more there are; columns in `right` are numbers."""
    return str(_table(rows, columns, caption, right))


def _table(
    rows: Sequence[Sequence[object]], columns: Sequence[str], caption: str = "", right: Collection[str] = ()
) -> Markup:
    sides = ["right" if name in right else "left" for name in columns]
    heads = _join(_HEAD.format(side, _text(name)) for side, name in zip(sides, columns, strict=True))
    body = _join(
        Markup("<tr>{}</tr>").format(_join(_CELL.format(s, _text(v)) for s, v in zip(sides, row, strict=True)))
        for row in rows[:MOST_ROWS]
    )
    more = len(rows) - MOST_ROWS
    note = f"{caption} (the first {MOST_ROWS} of {len(rows):,})" if more > 0 else caption
    return _TABLE.format(_CAPTION.format(note.strip()) if note else "", heads, body)


def facts_html(title: str, facts: Mapping[str, object]) -> str:
    """Return names and values below one another: a project, a version, a row."""
    return str(_BOX.format(_join([_TITLE.format(_text(title)), _facts(facts)])))


def summary_html(summary: RunSummary) -> str:
    """Return a run in short: what it brought, on test and on dev, what was tried, and what to do next."""
    scale = Scale(summary.metric)
    parts = [
        _TITLE.format(outcome(summary)),
        _facts(_summary_facts(summary, scale)),
        _trials(summary, scale),
        _findings(summary.findings),
        _LINE.format("Next: " + "; ".join(f"{step.command} ({step.purpose})" for step in next_steps(summary)[:3])),
    ]
    return str(_BOX.format(_join(parts)))


def findings_html(findings: Sequence[Finding | FindingLine]) -> str:
    """Return findings as a table: kind, rows, severity, what was found, what to do."""
    return str(_findings(findings))


def _findings(findings: Sequence[Finding | FindingLine]) -> Markup:
    if not findings:
        return _LINE.format("Nothing was found; detectors miss faults too.")
    rows = [(f.kind, f.rows, f"{f.severity:.2f}", f.summary, f.suggestion) for f in map(as_line, findings)]
    columns = ("finding", "rows", "severity", "what", "suggestion")
    return _table(rows, columns, "Findings; severity in [0, 1], 1 is worst", right=("rows", "severity"))


def diff_html(diff: Mapping[str, Any]) -> str:
    """Return what takes one version to another, from the dict of a diff."""
    facts = {
        "rows added": len(diff["rows_added"]),
        "rows dropped": len(diff["rows_dropped"]),
        "cells changed": ", ".join(f"{name} {n:,}" for name, n in diff["cells_changed"].items()) or "none",
        "on dev, selected": delta_text(diff["dev_delta"], diff["metric"]),
    }
    head = facts_html(f"{diff['before']} → {diff['after']}", facts)
    pairs = [(pair["from"], pair["to"], pair["rows"]) for pair in diff["labels_changed"]]
    return head + (table_html(pairs, ("label before", "label after", "rows"), right=("rows",)) if pairs else "")


def blame_html(blame: Mapping[str, Any], hidden: Collection[str] = ()) -> str:
    """Return every edit that touched a row, oldest first, from the dict of a blame; hidden columns stay hidden."""
    rows = [
        (t["version"], t["verb"], _changed(t, hidden), t["author"], t["verdict"], t["reason"]) for t in blame["edits"]
    ]
    title = f"row {blame['row_id']}, {'in ' + blame['split'] if blame['split'] else 'dropped'}"
    if not rows:
        return facts_html(title, {"edits": "none touched it: it is as it came from the source"})
    return table_html(rows, ("version", "verb", "change", "author", "verdict", "why"), caption=title)


def _changed(touch: Mapping[str, Any], hidden: Collection[str]) -> str:
    cells = (
        f"{name}: {'changed (hidden)' if name in hidden else '{old} → {new}'.format(**cell)}"
        for name, cell in touch["changes"].items()
    )
    words = [word for word in ("dropped", "added") if touch[word]]
    return "; ".join([*words, *cells])


def _summary_facts(summary: RunSummary, scale: Scale) -> dict[str, object]:
    same = summary.version_before == summary.version_after
    facts: dict[str, object] = {"data": f"{summary.source}, {summary.rows:,} rows: {splits_line(summary)}"}
    facts |= {"task": task_line(summary), "model": model_line(summary)}
    look = summary.test
    if look is not None:
        before = "" if same else f"{scale.score(look.before)} → "
        facts["test"] = f"{before}{scale.score(look.after)}{', unchanged' if same else ''}"
    if look is not None and not same:
        facts["gain on test"] = f"{scale.gain(look.gain, unit=True)} ({scale.gain_note})"
        if look.corrected_gain is not None:
            facts["corrected"] = f"{scale.gain(look.corrected_gain, unit=True)} {CORRECTION}"
    facts["dev"] = f"{scale.score(summary.baseline)} before these edits"
    facts["detects"] = least_detectable(summary, scale)
    versions = summary.version_before if same else f"{summary.version_before} → {summary.version_after}"
    return facts | {"version": f"{versions}, seed {summary.seed}, {span(summary.seconds)}"}


def _trials(summary: RunSummary, scale: Scale) -> Markup:
    rows = [
        (
            t.verdict,
            f"{t.verb} · {t.operator}",
            t.rows,
            unbroken(scale.gain(t.gain)),
            unbroken(scale.gain(t.over_placebo)),
            said_of(summary, t, scale),
        )
        for t in ordered(summary.trials)
    ]
    caption = f"Tried on dev: {tally(summary.trials)} ({scale.gain_note}; 95 % intervals)"
    columns = ("verdict", "edit", "rows", "gain, selected", "over placebo", "why")
    return _table(rows, columns, caption, right=("rows",)) if rows else _LINE.format("No edit was tried.")


def _facts(facts: Mapping[str, object]) -> Markup:
    rows = (
        Markup("<tr>{}{}</tr>").format(_NAME.format(_text(name)), _CELL.format("left", _text(value)))
        for name, value in facts.items()
    )
    return Markup('<table style="border-collapse:collapse;margin:.4em 0 1em"><tbody>{}</tbody></table>').format(
        _join(rows)
    )


def _text(value: object) -> str:
    if value is None:
        return "—"
    if isinstance(value, list | tuple):
        return listed((str(one) for one in value), 12)
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return brief(text, LONGEST_CELL)


def _join(parts: Iterable[Markup]) -> Markup:
    return Markup("").join(parts)
