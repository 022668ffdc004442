"""The report card of people on one screen: agreement, who answers how well, who errs how, which pairs agree and which do not."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tilth.core.estimate import Estimate
from tilth.core.people_report import PairLine, PeopleReport, PersonLine
from tilth.reporting.clean import brief, listed
from tilth.reporting.figures import Scale
from tilth.reporting.labels import WIDEST_SCREEN
from tilth.reporting.notebook import facts_html, table_html
from tilth.reporting.text import table_of

__all__ = ["people_html", "people_screen"]

_MOST_PEOPLE = 20
_MOST_PAIRS = 3
_MOST_ODD = 8
_FEWEST = 10
"""Answers where it is that class, from which on an error is shown: of three answers, three wrong ones tell little."""
_SHARE = Scale("accuracy")


def people_screen(report: PeopleReport) -> Group:
    """Return what the answers tell of the people who gave them."""
    parts: list[RenderableType] = [_grid(_facts(report)), Text(), *_people(report), Text()]
    odd = [(line.name, remark) for line in report.people for remark in line.remarks]
    if odd:
        parts += [Text("Odd", style="bold"), *(Text(f"  {brief(name, 36)}: {said}") for name, said in odd[:_MOST_ODD])]
        parts += [Text(f"  … and {len(odd) - _MOST_ODD:,} more: --json lists all")] if len(odd) > _MOST_ODD else []
        parts.append(Text())
    parts += _errors(report)
    parts += _pairs(report)
    for row, trusted, most, count, of in report.doubted[:_MOST_ODD]:
        said = f"gold question {brief(row, 40)}: {count:,} of {of:,} blind answers say {most}, its trusted label is {trusted}"
        parts.append(Text(f"warning: {said}"))
    parts += [Text(f"warning: {brief(said)}") for said in report.warnings]
    return Group(*(Constrain(part, WIDEST_SCREEN) for part in parts))


def people_html(report: PeopleReport) -> str:
    """Return the report card for a notebook."""
    heads, rows = _table(report)
    facts = dict(_facts(report))
    return facts_html("people", facts) + table_html(rows, heads, caption="Annotators", right=heads[1:3])


def _grid(facts: Sequence[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="bold", width=9)
    grid.add_column(overflow="fold")
    for name, text in facts:
        grid.add_row(Text(name), Text(text))
    return grid


def _facts(report: PeopleReport) -> list[tuple[str, str]]:
    size = f"{report.answers:,} of {len(report.people):,} people on {report.rows:,} rows"
    facts = [
        ("answers", f"{brief(report.source)} · {size}, {report.paired:,} with two or more"),
        ("classes", listed(report.classes, 6)),
    ]
    alpha, fleiss = report.alpha, report.fleiss
    if alpha is not None:
        text = f"Krippendorff's α {_plain(alpha)}"
        text += f" · Fleiss' κ {_plain(fleiss)}" if fleiss is not None else ""
        facts.append(("agreement", f"{text} (1: always, 0: as by chance)"))
    facts.append(("consensus", f"{report.model}: {brief(report.why)}" if report.why else report.model))
    if report.disputed:
        facts.append(("disputed", f"{report.disputed:,} rows on which people differ and no label is sure enough"))
    if report.truths:
        facts.append(("measured", f"on {report.truths:,} rows whose truth is known, never by the answers that made it"))
    return facts


def _plain(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]".replace("-", "−")


def _people(report: PeopleReport) -> list[RenderableType]:
    heads, rows = _table(report, _MOST_PEOPLE)
    more = len(report.people) - len(rows)
    left = [Text(f"  … and {more:,} more with fewer answers: --json lists all")] if more > 0 else []
    title = "Annotators, in per cent; estimated: right as the model has it, with others: says what most others say"
    return [Text(title, style="bold"), Padding(table_of(heads, rows, right=heads[1:3]), (0, 0, 0, 2)), *left]


def _table(report: PeopleReport, most: int | None = None) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    is_measured = any(line.measured is not None for line in report.people)
    heads = ("annotator", "answers", "of rows", "estimated", *(("measured",) if is_measured else ()), "with others")
    rows = [
        (
            brief(line.name, 30),
            f"{line.answers:,}",
            f"{100 * line.share:.1f}",
            _accuracy(line.estimated),
            *((_measured(line),) if is_measured else ()),
            _accuracy(line.agreement),
        )
        for line in report.people[:most]
    ]
    return heads, rows


def _measured(line: PersonLine) -> str:
    on = "" if line.measured_on == line.answers else f" of {line.measured_on:,}"
    return "–" if line.measured is None else f"{_accuracy(line.measured)}{on}"


def _accuracy(estimate: Estimate | None) -> str:
    return "–" if estimate is None else _SHARE.score(estimate).replace(" %", "")


def _errors(report: PeopleReport) -> list[RenderableType]:
    """The commonest errors of those who err most, by number."""
    found = [(line.name, one) for line in report.people for one in line.confusions[:1]]
    found = [pair for pair in found if pair[1].count >= 2 and pair[1].of >= _FEWEST]
    found.sort(key=lambda pair: (-pair[1].count / pair[1].of, -pair[1].of, pair[0]))
    if not found:
        return []
    by = "the truth or the consensus" if report.truths else "the consensus"
    lines = [
        Text(f"  {brief(name, 36)} says {one.said} where it is {one.truth}: {one.count:,} of {one.of:,}")
        for name, one in found[:_MOST_ODD]
    ]
    return [Text(f"Errors made most often, by {by}", style="bold"), *lines, Text()]


def _pairs(report: PeopleReport) -> list[RenderableType]:
    if not report.pairs:
        return [Text(f"No two people answered {report.least_shared} rows in common: pairs are not compared"), Text()]
    worst = report.pairs[:_MOST_PAIRS]
    best = [pair for pair in reversed(report.pairs[-_MOST_PAIRS:]) if pair not in worst]
    title = f"Pairs with {report.least_shared} rows or more in common ({len(report.pairs):,}), by Cohen's κ"
    lines = [*(_pair("least", pair) for pair in worst), *(_pair("most", pair) for pair in best)]
    return [Text(title, style="bold"), *lines, Text()]


def _pair(what: str, pair: PairLine) -> Text:
    who = f"{brief(pair.first, 30)} and {brief(pair.second, 30)}"
    return Text(f"  {what:<5}  {who}: κ {_plain(pair.kappa)} on {pair.shared:,} rows")
