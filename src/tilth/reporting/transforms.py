"""Report cards of transforms on a screen and in a notebook: a line per transform, then what a person should look at."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from tilth.core.estimate import Estimate
from tilth.core.transform_card import TransformCard, TransformReport
from tilth.reporting.clean import brief, one_line
from tilth.reporting.figures import Scale, unbroken
from tilth.reporting.notebook import table_html
from tilth.reporting.text import table_of

__all__ = ["transforms_html", "transforms_screen", "transforms_sentences"]

_SHARE, _PLAIN = Scale("accuracy"), Scale("auroc")
HEADS = ("transform", "applies", "realism", "drift", "diversity", "unchanged", "ms a row")
MOVES = "moves by"
LONGEST_NOTE = 400
MOST_ROWS = 5
_LEGEND = (
    "realism: AUROC of {told_by}, changed against other real rows: 0.5 = cannot be told · drift: {drift} · diversity: distance of "
    "two draws, 1 = of a row to its nearest · unchanged: predictions of the current model · ms: of CPU{training}; all but “applies” are of "
    "changed rows; 95 % intervals"
)


def transforms_screen(report: TransformReport) -> Group:
    """Return the cards, what to look at, and what the columns mean."""
    rows = f"{report.rows:,} train rows"
    rows += "" if report.rows == report.of_rows else f", drawn from {report.of_rows:,}"
    n = len(report.cards)
    head = f"{n} transform{'' if n == 1 else 's'} on {rows} of {report.version}, seed {report.seed}"
    parts: list[RenderableType] = [Text(head, style="bold")]
    measured = [card for card in report.cards if card.applies is not None]
    if measured:
        table = table_of(HEADS, [[unbroken(cell) for cell in _row(card, report)] for card in measured])
        parts += [Padding(table, (1, 0)), Text(_legend(report), style="dim")]
    parts += [Text(sentence) for sentence in transforms_sentences(report)]
    return Group(*parts)


def transforms_html(report: TransformReport) -> str:
    """Return the cards as a fragment without scripts or style sheets, for a notebook or a page."""
    measured = [card for card in report.cards if card.applies is not None]
    rows = [(*_row(card, report), _written(card.movement, _PLAIN)) for card in measured]
    told = [[sentence] for sentence in transforms_sentences(report)]
    caption = f"transforms on {report.rows:,} train rows of {report.version}, seed {report.seed}. {_legend(report)}"
    return table_html(rows, (*HEADS, MOVES), caption=caption) + (table_html(told, ("look at",)) if told else "")


def _legend(report: TransformReport) -> str:
    drift = "points of agreement with the label that are lost, by models that did not see the rows"
    if report.is_regression:
        drift = "rise of the mean error in standard deviations of the label, by models that did not see the rows"
    costs = [card.training_ms for card in report.cards if card.training_ms is not None]
    training = f", where encoding and fitting a row cost {costs[0]:.3g}" if costs else ""
    return _LEGEND.format(told_by=report.told_by, drift=drift, training=training)


def _row(card: TransformCard, report: TransformReport) -> tuple[str, ...]:
    drift = _PLAIN if report.is_regression else _SHARE
    return (
        card.title if card.label == "keep" else f"{card.title} ({card.label})",
        _written(card.applies, _SHARE),
        _written(card.realism, _PLAIN),
        "—" if card.drift is None else drift.gain(card.drift),
        _written(card.diversity, _PLAIN),
        _written(card.unchanged, _SHARE),
        "—" if card.cost_ms is None else f"{card.cost_ms:.3g}",
    )


def _written(estimate: Estimate | None, scale: Scale) -> str:
    return "—" if estimate is None else scale.score(estimate)


def transforms_sentences(report: TransformReport) -> tuple[str, ...]:
    """Return what a person should look at, card by card, and what was not measured."""
    return tuple(sentence for card in report.cards for sentence in _of_card(card, report))


def _of_card(card: TransformCard, report: TransformReport) -> Iterator[str]:
    title = one_line(card.title)
    if card.note:
        word = "could not be used" if card.is_broken else "was not measured"
        yield f"{title} {word}: {brief(one_line(card.note), LONGEST_NOTE)}"
    for alarm in card.alarms:
        yield from _of_alarm(alarm, card, title, report)
    yield from (f"{title}: {note}" for note in card.notes)


def _of_alarm(alarm: str, card: TransformCard, title: str, report: TransformReport) -> Iterator[str]:
    if alarm == "drifts" and card.drift is not None:
        shown = (_PLAIN if report.is_regression else _SHARE).gain(card.drift)
        lost = (
            f"{shown} standard deviations of the label of error are gained"
            if report.is_regression
            else (f"{shown} points of agreement with the label are lost")
        )
        yield f"{title} changes labels, or hides what tells them: {lost}. {_ask(card)}".strip()
    elif alarm == "told_apart" and card.realism is not None:
        yield f"{title} makes rows that are easily told from real ones: AUROC {_PLAIN.score(card.realism)}."
    elif alarm == "fails":
        errors = "; ".join(brief(one_line(error), 120) for error in card.errors)
        yield f"{title} failed on {card.failures:,} of {card.tried:,} rows, left as they are: {errors}"
    elif alarm == "slow":
        yield (
            f"{title} is slower than training: {card.cost_ms:.3g} ms of CPU a row, encoding and fitting a row cost "
            f"{card.training_ms:.3g} ms. Apply it once and keep the rows, or make it faster."
        )
    elif alarm == "one_copy":
        yield f"{title} makes the same row in every draw: more than one copy of a row adds nothing."


def _ask(card: TransformCard) -> str:
    rows = [
        f"{brief(row.row_id, 40)} ({one_line(row.label)} → {one_line(row.after)})"
        if row.label
        else brief(row.row_id, 40)
        for row in card.doubtful[:MOST_ROWS]
    ]
    return f"Ask a person about {', '.join(rows)}." if rows else ""
