"""Curve: what more labelled rows would bring, as a table and in sentences."""

from __future__ import annotations

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from tilth.core.estimate import Estimate
from tilth.core.learning_curve import LearningCurve, NeighbourBound
from tilth.reporting.figures import Scale
from tilth.reporting.text import table_of

__all__ = ["curve_facts", "curve_screen", "curve_sentences", "pool_sentence"]


def curve_screen(curve: LearningCurve) -> Group:
    """Return the measured scores, the forecasts and the sentences."""
    scale = Scale(curve.metric)
    rows = [("measured", f"{point.rows:,}", scale.score(point.score), "") for point in curve.points]
    rows.append(("now", f"{curve.labelled:,}", scale.score(curve.now), ""))
    rows += [(one.what, f"{one.rows:,}", scale.score(one.score), scale.gain(one.gain)) for one in curve.forecasts]
    rows.append(("without end", "", scale.score(curve.reachable), ""))
    title = Text(f"{scale.name} by labelled train rows, {scale.score_note}; gain {scale.gain_note}", style="bold")
    table = table_of(("", "rows", "score", "gain"), rows, right=("rows",))
    return Group(title, Padding(table, (1, 0)), *(Text(sentence) for sentence in curve.sentences))


def curve_facts(curve: LearningCurve) -> dict[str, str]:
    """Return the forecasts and what they come to, by name, for a notebook."""
    scale = Scale(curve.metric)
    facts = {"now": f"{curve.labelled:,} rows: {scale.score(curve.now)}"}
    for one in curve.forecasts:
        facts[one.what] = f"{one.rows:,} rows: {scale.score(one.score)}, gain {scale.gain(one.gain, unit=True)}"
    return facts | {"without end": scale.score(curve.reachable), "in words": " ".join(curve.sentences)}


def curve_sentences(curve: LearningCurve) -> tuple[str, ...]:
    """Return what a curve comes to: twice the rows, the pool, how far it can lead."""
    scale = Scale(curve.metric)
    twice = curve.forecast("2×")
    said = [] if twice is None else [_of_more("Twice as many labelled rows", twice.gain, scale)]
    pool = pool_sentence(curve)
    said += [] if pool is None else [pool]
    said.append(f"With rows of this kind without end the curve ends at {scale.score(curve.reachable)}.")
    if not curve.bounds:
        said.append(
            "Nearest neighbours say nothing of the best score: classes count alike, and the rarest has too few rows."
        )
    return tuple(said + [_of_bound(bound, scale) for bound in curve.bounds[:1]])


def pool_sentence(curve: LearningCurve) -> str | None:
    """Return what labels of all pool rows may be worth; None where there is no pool."""
    found = curve.forecast("pool")
    if found is None:
        return None
    return _of_more(f"Labels of all {curve.pool:,} pool rows", found.gain, Scale(curve.metric))


def _of_more(what: str, gain: Estimate, scale: Scale) -> str:
    """Say what more rows bring: a gain, perhaps one, or that it is not known."""
    figures = scale.gain(gain, unit=True)
    if gain.low > 0:
        return f"{what} would bring about {figures}."
    if gain.value <= (gain.high - gain.low) / 4:
        return f"Whether more rows of this kind would help is not known: {_small(what)} would bring {figures}."
    return f"{what} may bring {figures}; nothing at all is possible too."


def _small(what: str) -> str:
    return what[:1].lower() + what[1:]


def _of_bound(bound: NeighbourBound, scale: Scale) -> str:
    figures, by = scale.score(bound.score), f"nearest neighbours by {bound.encoding}"
    if not bound.is_above:
        return f"The bound by {by}, {figures}, lies below what the model reaches and says nothing."
    still = "" if bound.is_settled else "; it still moves as rows are added, so that the best may lie elsewhere"
    return f"The best that labels and features allow is about {figures}, by {by}{still}."
