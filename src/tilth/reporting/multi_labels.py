"""Labels with several classes, on one screen or in a notebook: scores, classes, labelers, what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import numpy as np
from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tilth.core.estimate import Estimate
from tilth.core.multi_summary import ClassLabels, MultiLabeler, MultiLabelSummary, MultiMetrics
from tilth.reporting.clean import brief, listed
from tilth.reporting.figures import Scale
from tilth.reporting.notebook import facts_html, table_html
from tilth.reporting.text import table_of

__all__ = ["multi_labels_html", "multi_labels_screen"]

WIDEST_SCREEN = 100
_MOST_CLASSES, _MOST_LABELERS, _MOST_WARNINGS = 30, 15, 12
_SHARE = Scale("accuracy")


def multi_labels_screen(summary: MultiLabelSummary, *, is_written: bool = False) -> Group:
    """Return what votes on several classes came to on one screen; `is_written`: the labels were written to a file."""
    parts: list[RenderableType] = [_grid(_facts(summary)), Text()]
    if summary.metrics is not None:
        heads, rows = _score_table(summary)
        parts += [Text(_scored_on(summary.metrics), style="bold"), _indented(table_of(heads, rows)), Text()]
    parts += [Text(_class_title(summary), style="bold"), *_classes(summary), Text()]
    parts += [
        Text("Labelers, in per cent of rows; right: of their yes and no", style="bold"),
        *_labelers(summary),
        Text(),
    ]
    warnings = [Text(f"warning: {brief(said)}") for said in summary.warnings[:_MOST_WARNINGS]]
    more = len(summary.warnings) - len(warnings)
    warnings += [Text(f"… and {more:,} more warnings: --json lists all")] if more > 0 else []
    parts += [*warnings, Text()] if warnings else []
    parts += _next(summary, is_written)
    return Group(*(Constrain(part, WIDEST_SCREEN) for part in parts))


def multi_labels_html(summary: MultiLabelSummary) -> str:
    """Return what votes on several classes came to for a notebook."""
    facts = dict(_facts(summary))
    if summary.warnings:
        facts["warnings"] = " · ".join(brief(said) for said in summary.warnings)
    parts = [facts_html("labels with several classes, from votes", facts)]
    if summary.metrics is not None:
        heads, rows = _score_table(summary)
        parts.append(table_html(rows, heads, caption=_scored_on(summary.metrics)))
    heads, rows = _class_table(summary, summary.by_class)
    parts.append(table_html(rows, heads, caption="Classes", right=heads[2:4]))
    heads, rows = _labeler_table(summary, summary.labelers)
    return "".join([*parts, table_html(rows, heads, caption="Labelers", right=heads[3:4])])


# -- the parts ---------------------------------------------------------------------------------------------------------


def _grid(facts: Sequence[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="bold", width=9)
    grid.add_column(overflow="fold")
    for name, text in facts:
        grid.add_row(Text(name), Text(text))
    return grid


def _indented(table: Table) -> Padding:
    return Padding(table, (0, 0, 0, 2))


def _facts(summary: MultiLabelSummary) -> list[tuple[str, str]]:
    n, covered = len(summary), int(summary.covered.sum())
    notes = "; ".join(brief(note) for note in summary.notes) or f"{n:,} rows and {len(summary.labelers):,} labelers"
    sizes = summary.named[summary.labelled].sum(axis=1)
    several, none = int((sizes > 1).sum()), int((sizes == 0).sum())
    models = ", ".join(f"{name} ({count})" for name, count in summary.models.items())
    rows = f"{covered:,} of {n:,} have an answer; of {len(sizes):,} labelled {several:,} get several classes, {none:,} none"
    return [
        ("votes", f"{brief(summary.source)} · {notes}"),
        ("classes", f"{len(summary.classes):,}, each a question of yes and no with a label model of its own"),
        ("rows", rows),
        ("models", models or "none: nobody names a class"),
    ]


def _scored_on(metrics: MultiMetrics) -> str:
    return f"Against the truth of {metrics.rows:,} rows with an answer, which no model saw (95 % intervals)"


def _score_table(summary: MultiLabelSummary) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    shown = [one for one in (summary.metrics, summary.majority) if one is not None]
    rows: list[tuple[str, ...]] = [
        ("accuracy of yes and no", *(_SHARE.score(one.accuracy) for one in shown)),
        ("F1, classes together", *(_three(one.micro_f1) for one in shown)),
        ("F1, mean of the classes", *(_three(one.macro_f1) for one in shown)),
        ("whole set right", *(_SHARE.score(one.subset_accuracy) for one in shown)),
        ("NLL (lower is better)", *(_three(one.nll) for one in shown)),
    ]
    return ("", "the models", "majority")[: 1 + len(shown)], rows


def _class_title(summary: MultiLabelSummary) -> str:
    measured = "; against the truth" if summary.metrics is not None else ""
    return f"Classes, in per cent of rows{measured}"


def _classes(summary: MultiLabelSummary) -> list[RenderableType]:
    shown = sorted(summary.by_class, key=lambda one: -one.share)[:_MOST_CLASSES]
    heads, rows = _class_table(summary, shown)
    more = len(summary.by_class) - len(shown)
    left = [Text(f"  … and {more:,} rarer classes: --json lists all")] if more > 0 else []
    return [_indented(table_of(heads, rows, right=heads[2:4])), *left]


def _class_table(
    summary: MultiLabelSummary, classes: Sequence[ClassLabels]
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    is_measured = summary.metrics is not None
    heads = ("class", "model", "heard on", "share", "a no")
    return (*heads, "accuracy", "F1", "NLL") if is_measured else heads, [
        (*_class_cells(one, len(summary)), *(_class_scores(one) if is_measured else ())) for one in classes
    ]


def _class_cells(one: ClassLabels, n_rows: int) -> tuple[str, ...]:
    heard = 0 if one.summary is None else int(np.count_nonzero(one.summary.covered))
    model = "–" if one.summary is None else one.summary.model
    shares = (f"{100 * heard / max(n_rows, 1):.1f}", f"{100 * one.share:.1f}")
    return brief(one.name, 36), model, *shares, "is said" if one.says_no else "never"


def _class_scores(one: ClassLabels) -> tuple[str, ...]:
    if one.metrics is None:
        return "–", "–", "–"
    return (
        _SHARE.score(one.metrics.accuracy).replace(" %", ""),
        f"{one.metrics.f1.value:.3f}",
        f"{one.metrics.nll.value:.3f}",
    )


def _labelers(summary: MultiLabelSummary) -> list[RenderableType]:
    shown = sorted(summary.labelers, key=lambda line: -line.coverage)[:_MOST_LABELERS]
    heads, rows = _labeler_table(summary, shown)
    more = len(summary.labelers) - len(shown)
    left = [Text(f"  … and {more:,} more that cover less: --json lists all")] if more > 0 else []
    return [_indented(table_of(heads, rows, right=heads[3:4])), *left]


def _labeler_table(
    summary: MultiLabelSummary, lines: Sequence[MultiLabeler]
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    is_measured = any(line.measured is not None for line in summary.labelers)
    heads = ("labeler", "names", "says no to", "covers", "estimated")
    rows = [
        (
            brief(line.name, 30),
            listed(line.names, 2) or "nothing",
            _denied(line, len(summary.classes)),
            f"{100 * line.coverage:.1f}",
            _right(line.accuracy),
            *((_right(line.measured),) if is_measured else ()),
        )
        for line in lines
    ]
    return (*heads, "measured") if is_measured else heads, rows


def _denied(line: MultiLabeler, n_classes: int) -> str:
    if not line.denies:
        return "nothing"
    return "any" if len(line.denies) == n_classes else listed(line.denies, 2)


def _right(estimate: Estimate | None) -> str:
    return "–" if estimate is None else _SHARE.score(estimate).replace(" %", "")


def _three(estimate: Estimate) -> str:
    if not estimate.is_known:
        return f"{estimate.value:.3f} [not known]"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _next(summary: MultiLabelSummary, is_written: bool) -> list[RenderableType]:
    steps = [] if is_written else [("-o labels.csv", "write labels and one probability per class")]
    if summary.metrics is None:
        steps.append(("--truth FILE", "measure against rows whose classes you know; no model sees it"))
    doubted = _most_doubted(summary)
    if doubted is not None:
        steps.append(
            (f"--explain {shlex.quote(brief(doubted, 60))}", "what each vote did for the row that is least sure")
        )
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for option, purpose in steps:
        grid.add_row(Text(f"  {option}"), Text(purpose, style="dim"))
    return [Text("Next, the same command with", style="bold"), grid] if steps else []


def _most_doubted(summary: MultiLabelSummary) -> str | None:
    """Return the row with an answer in which one class is least sure."""
    if not summary.covered.any():
        return None
    doubt = np.abs(summary.probs - 0.5).min(axis=1) + 2.0 * ~summary.covered
    return str(summary.row_ids[int(doubt.argmin())].as_py())
