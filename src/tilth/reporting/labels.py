"""Labels: what votes came to, on one screen or in a notebook: rows, model and majority, labelers, what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tilth.core.estimate import Estimate
from tilth.core.label_summary import Explanation, LabelerLine, LabelMetrics, LabelSummary, VoteEffect
from tilth.reporting.clean import brief, listed
from tilth.reporting.figures import Scale
from tilth.reporting.notebook import facts_html, table_html
from tilth.reporting.text import table_of

__all__ = ["explanation_screen", "labels_html", "labels_screen"]

WIDEST_SCREEN = 100
_MOST_LABELERS = 15
_MOST_CLASSES = 6
_MOST_VOTES = 20
_NO_CHANGE = 0.0005
_SHARE, _LOSS = Scale("accuracy"), Scale("negative log-likelihood")


def labels_screen(
    summary: LabelSummary, *, is_written: bool = False, steps: Sequence[tuple[str, str]] | None = None
) -> Group:
    """Return what votes came to on one screen.

    Parameters
    ----------
    summary : what the votes came to
    is_written : whether the labels were written to a file
    steps : options to go on with, and what they do; None for those of a votes file
    """
    parts: list[RenderableType] = [_grid(_facts(summary)), Text()]
    if summary.metrics is not None:
        parts += [*_scores(summary, summary.metrics), Text()]
    parts += [*_labelers(summary), Text()]
    if summary.warnings:
        parts += [*(Text(f"warning: {brief(said)}") for said in summary.warnings), Text()]
    parts += _next(summary, is_written, steps)
    return Group(*(Constrain(part, WIDEST_SCREEN) for part in parts))


def explanation_screen(explanation: Explanation) -> Group:
    """Return what each vote did for the label of one row."""
    head = f"row {brief(explanation.row)}: {brief(explanation.label)} with probability {explanation.probability:.3f}"
    base = f"{explanation.before:.3f} of all rows are so; without one of its votes it would be:"
    rows = [
        (vote.labeler, vote.said, f"{vote.without:.3f}", _effect(vote, explanation))
        for vote in explanation.votes[:_MOST_VOTES]
    ]
    parts: list[RenderableType] = [Text(), Text(head, style="bold")]
    if not rows:
        return Group(*parts, Text("no labeler votes on it: the probability is the share of the class among all rows"))
    table = table_of(("labeler", "says", "without it", "what the vote did"), rows, right=("without it",))
    more = len(explanation.votes) - len(rows)
    left = [Text(f"… and {more:,} more votes, each for less")] if more > 0 else []
    return Group(*parts, Text(base), Padding(table, (0, 0, 0, 2)), *left)


def _effect(vote: VoteEffect, explanation: Explanation) -> str:
    change = explanation.probability - vote.without
    if abs(change) < _NO_CHANGE:
        return "nothing"
    return f"{'for' if change > 0 else 'against'} {brief(explanation.label, 40)}, {abs(change):.3f}"


def labels_html(summary: LabelSummary) -> str:
    """Return what votes came to for a notebook: facts, scores, labelers."""
    facts = dict(_facts(summary))
    if summary.warnings:
        facts["warnings"] = " · ".join(brief(said) for said in summary.warnings)
    parts = [facts_html("labels from votes", facts)]
    scores = [_score_cells(one) for one in (summary.metrics, summary.majority) if one is not None]
    if scores and summary.metrics is not None:
        parts.append(table_html(scores, ("labels of", *_score_heads(summary)), caption=_scored_on(summary.metrics)))
    heads, rows = _labeler_table(summary, summary.labelers)
    return "".join([*parts, table_html(rows, heads, caption="Labelers", right=heads[2:])])


# -- the parts ---------------------------------------------------------------------------------------------------------


def _grid(facts: Sequence[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="bold", width=9)
    grid.add_column(overflow="fold")
    for name, text in facts:
        grid.add_row(Text(name), Text(text))
    return grid


def _facts(summary: LabelSummary) -> list[tuple[str, str]]:
    facts = [
        ("votes", f"{brief(summary.source)} · {'; '.join(brief(note) for note in summary.notes) or _size(summary)}"),
        ("classes", _classes(summary)),
        ("rows", _coverage(summary)),
    ]
    if summary.agreement is not None:
        alpha = summary.agreement
        shown = f"{_plain(alpha.value)} [{_plain(alpha.low)}, {_plain(alpha.high)}]"
        facts.append(("agreement", f"Krippendorff's α {shown} where two vote (1: always, 0: as by chance)"))
    facts.append(("model", _model(summary)))
    if summary.model != "majority":
        facts.append(("majority", _against_majority(summary)))
    return facts


def _model(summary: LabelSummary) -> str:
    if summary.model in summary.why:
        return brief(summary.why)
    return f"{summary.model}: {brief(summary.why)}" if summary.why else summary.model


def _size(summary: LabelSummary) -> str:
    return f"{len(summary):,} rows and {len(summary.labelers):,} labelers"


def _classes(summary: LabelSummary) -> str:
    pairs = sorted(zip(summary.prior, summary.classes, strict=True), key=lambda pair: -pair[0])
    shown = " · ".join(f"{brief(name, 40)} {100 * share:.1f} %" for share, name in pairs[:_MOST_CLASSES])
    more = len(pairs) - _MOST_CLASSES
    return f"{shown}{f' · and {more:,} more' if more > 0 else ''} (shares as the model estimates them)"


def _coverage(summary: LabelSummary) -> str:
    n, covered, labelled = len(summary), int(summary.covered.sum()), int(summary.labelled.sum())
    said = f"{covered:,} of {n:,} have a vote ({_share(covered, n)}), {summary.paired:,} have two or more"
    return said if labelled == n else f"{said}; {n - labelled:,} get no label"


def _share(part: int, whole: int) -> str:
    return "0 %" if not whole else f"{100 * part / whole:.1f} %"


def _against_majority(summary: LabelSummary) -> str:
    labelled = int(summary.covered.sum())
    tied = f"; of {summary.tied:,} ties the model decides" if summary.tied else ""
    if not summary.differing:
        return f"says the same on every row where it is not tied{tied}"
    return f"says otherwise on {summary.differing:,} of {labelled:,} rows with a vote{tied}"


def _scores(summary: LabelSummary, metrics: LabelMetrics) -> list[RenderableType]:
    rows = [_score_cells(one) for one in (metrics, summary.majority) if one is not None]
    table = table_of(("labels of", *_score_heads(summary)), rows)
    return [Text(_scored_on(metrics), style="bold"), Padding(table, (0, 0, 0, 2))]


def _scored_on(metrics: LabelMetrics) -> str:
    return f"Against the truth of {metrics.rows:,} rows with a vote, which no model saw (95 % intervals)"


def _score_heads(summary: LabelSummary) -> tuple[str, str, str]:
    f1 = f"F1 of {brief(summary.classes[1], 30)}" if len(summary.classes) == 2 else "F1, mean of the classes"
    return "accuracy", f1, "NLL (lower is better)"


def _score_cells(metrics: LabelMetrics) -> tuple[str, ...]:
    f1 = _three(metrics.f1)
    return metrics.model, _SHARE.score(metrics.accuracy), f1, _three(metrics.nll)


def _three(estimate: Estimate) -> str:
    if not estimate.is_known:
        return f"{estimate.value:.3f} [not known]"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _plain(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _labelers(summary: LabelSummary) -> list[RenderableType]:
    shown = sorted(summary.labelers, key=lambda line: -line.coverage)[:_MOST_LABELERS]
    heads, rows = _labeler_table(summary, shown)
    more = len(summary.labelers) - len(shown)
    title = f"Labelers, in per cent of rows; {_what_is_right(summary)}"
    left = [Text(f"  … and {more:,} more that cover less: --json lists all")] if more > 0 else []
    torn = [line.name for line in summary.labelers if _is_contradicted(line)]
    if torn:
        left.append(Text(f"  measured outside of what was estimated: {listed(torn, 6)}"))
    return [Text(title, style="bold"), Padding(table_of(heads, rows, right=heads[2:5]), (0, 0, 0, 2)), *left]


def _is_contradicted(line: LabelerLine) -> bool:
    """Whether what is estimated of a labeler and what is measured have intervals apart."""
    if line.accuracy is None or line.measured is None:
        return False
    return line.accuracy.high < line.measured.low or line.measured.high < line.accuracy.low


def _what_is_right(summary: LabelSummary) -> str:
    if summary.metrics is None:
        return "estimated: right when it votes"
    return "estimated and measured: right when it votes"


def _labeler_table(
    summary: LabelSummary, lines: Sequence[LabelerLine]
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    is_measured = any(line.measured is not None for line in summary.labelers)
    heads = ("labeler", "says", "covers", "overlaps", "conflicts", "estimated")
    rows = [
        (
            brief(line.name, 36),
            listed(line.says, 2) or "nothing",
            *(f"{100 * share:.1f}" for share in (line.coverage, line.overlap, line.conflict)),
            _accuracy(line.accuracy),
            *((_accuracy(line.measured),) if is_measured else ()),
        )
        for line in lines
    ]
    return (*heads, "measured") if is_measured else heads, rows


def _accuracy(estimate: Estimate | None) -> str:
    return "–" if estimate is None else _SHARE.score(estimate).replace(" %", "")


def _next(
    summary: LabelSummary, is_written: bool, others: Sequence[tuple[str, str]] | None = None
) -> list[RenderableType]:
    steps = [] if is_written else [("-o labels.csv", "write labels and their probabilities")]
    steps += others or ()
    if summary.metrics is None and others is None:
        steps.append(("--truth FILE", "measure against rows whose class you know; no model sees it"))
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


def _most_doubted(summary: LabelSummary) -> str | None:
    """Return the row with a vote whose label is least sure."""
    if not summary.covered.any():
        return None
    doubt = summary.pred_probs.max(axis=1) + 2.0 * ~summary.covered
    return str(summary.row_ids[int(doubt.argmin())].as_py())
