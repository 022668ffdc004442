"""The expected score of new rows, as one honest paragraph."""

from __future__ import annotations

from tilth.core.expected_score import ExpectedScore
from tilth.reporting.clean import brief
from tilth.reporting.figures import Scale

__all__ = ["expected_paragraph"]

_NAMED, _LONGEST = 5, 40
"""Foreign rows that are named, and signs of a name."""


def expected_paragraph(score: ExpectedScore) -> str:
    """Return what is to be expected, what it rests on, how foreign the rows are, and what cannot be known."""
    return " ".join(
        [_expected(score), *_parts(score), *_beyond(score), _foreign(score), score.cannot_know, *_labels(score)]
    )


def _expected(score: ExpectedScore) -> str:
    scale = Scale(score.metric)
    return (
        f"Expected {scale.name} on these {score.rows:,} rows: {scale.score(score.expected)}, without a label of theirs; "
        f"on {score.known_rows:,} labelled dev rows it is {scale.score(score.known)}."
    )


def _parts(score: ExpectedScore) -> list[str]:
    scale = Scale(score.metric)
    said = [", ".join(f"{name} {scale.score(one)}" for name, one in score.parts.items())]
    refused = [f"{name}: {why}" for name, why in score.refused.items()]
    return [f"Estimators: {said[0]}."] + ([f"Refused: {'; '.join(refused)}."] if refused else [])


def _beyond(score: ExpectedScore) -> list[str]:
    if not score.is_beyond:
        return []
    far, tried = f"{score.distance:.1f} standard deviations", f"{score.reach:.1f}"
    where = f"The new rows lie farther from the dev rows ({far}) than nine of ten shifts that could be tried on these ({tried})"
    return [f"{where}: the interval is a guess."]


def _foreign(score: ExpectedScore) -> str:
    share = f"{100 * score.foreign_share:.0f} % of the rows lie farther from the train rows than 95 % of the dev rows do (5 % is usual)"
    if not score.foreign:
        return f"{share}."
    return f"{share}; most foreign: {', '.join(brief(one.row, _LONGEST) for one in score.foreign[:_NAMED])}."


def _labels(score: ExpectedScore) -> list[str]:
    n = score.labels_worth_as_much
    if n > score.rows:
        return []
    return [f"Labels of {n:,} of these rows, drawn at random, would be as sure as this, whatever has changed."]
