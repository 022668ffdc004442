"""Who said what: lines of a file become annotations, or the whole file is refused.

Refused are annotators that are numbers here and names there (one person under two names would be two people), lines that name
nobody where others do, and one annotator with two answers to one row unless their times tell which is newer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from tilth.core.annotation import Annotation
from tilth.core.errors import AnswerError, UsageError, first_three
from tilth.loop.answer_lines import AnswerLine, ReadLines

__all__ = ["ANYBODY", "annotations_of", "utc"]

ANYBODY = "person"
"""Who answered, where nobody says."""
YES, NO = frozenset({"true", "yes", "1", "t", "y"}), frozenset({"false", "no", "0", "f", "n", ""})
AHEAD = timedelta(days=1)
"""How far clocks may differ before a time is refused as one that has not come."""


def annotations_of(
    read: ReadLines,
    *,
    task: str,
    value: Callable[[str, str], str],
    annotator: str | None,
    adjudicate: bool,
    taxonomy: int = 1,
) -> list[Annotation]:
    """Return the annotations that lines make, each once; those of one annotator on one row by their times.

    Parameters
    ----------
    read : the lines
    task : the label that they answer
    value : answer and row id -> the answer as it is kept; raises AnswerError where it is none
    annotator : who answered, where the lines do not say; None for `ANYBODY`
    adjudicate : every answer is the last word on its row
    taxonomy : the version of the label set in which they were given

    Raises
    ------
    AnswerError, UsageError
        What cannot be meant; then nothing is taken.
    """
    people = _people(read, annotator)
    said: dict[tuple[str, str, str, str, bool], Annotation] = {}
    for line, who in zip(read.lines, people, strict=True):
        one = Annotation(
            row_id=line.row_id,
            task=task,
            value=value(line.answer, line.row_id),
            annotator=who,
            guideline_version=line.guideline_version or "1",
            taxonomy_version=str(taxonomy),
            answered=utc(line.answered, line.row_id) if line.answered else "",
            certainty=_certainty(line),
            adjudicated=adjudicate or _is_yes(line),
        )
        said.setdefault((one.row_id, who, one.value, one.answered, one.adjudicated), one)
    found = sorted(said.values(), key=lambda one: (one.row_id, one.annotator, one.answered, one.value))
    _refuse_two(found)
    return found


def utc(text: str, row: str) -> str:
    """Return a time as ISO 8601 in UTC with seconds; without a zone it is taken for UTC."""
    try:
        time = datetime.fromisoformat(text.strip().replace(" UTC", "Z"))
    except ValueError as error:
        raise AnswerError(
            f"the time {text!r} is not understood", where=f"row {row}", next_step="write it as 2026-01-31T14:05:00Z"
        ) from error
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    if time > datetime.now(UTC) + AHEAD:
        raise AnswerError(f"the time {text!r} has not come yet", where=f"row {row}", next_step="mend it")
    return time.isoformat(timespec="microseconds" if time.microsecond else "seconds")


def _people(read: ReadLines, annotator: str | None) -> list[str]:
    if annotator is not None and not annotator.strip():
        raise UsageError("--annotator names nobody", next_step="--annotator NAME")
    named = [line.annotator for line in read.lines]
    if not read.names_people:
        return [annotator.strip() if annotator else ANYBODY] * len(named)
    others = sorted({name for name in named if name and name != annotator})
    if annotator and others:
        raise UsageError(
            f"the file says who answered ({first_three(others)}), and --annotator says {annotator!r}",
            next_step="leave --annotator out",
        )
    nobody = [line.row_id for line in read.lines if not line.annotator]
    if nobody and annotator is None:
        raise AnswerError(
            f"{len(nobody):,} answers do not say who answered, though the file has a place for it",
            where=f"rows {first_three(nobody)}",
            next_step="fill the annotator in, or name one for all of them: --annotator NAME",
        )
    _refuse_mixed(others)
    return [name or str(annotator) for name in named]


def _refuse_mixed(names: Sequence[str]) -> None:
    """Refuse names of people and numbers together; ids that mix letters and digits may have only digits by chance."""
    numbers = [name for name in names if name.isdigit()]
    words = [name for name in names if not any(sign.isdigit() for sign in name)]
    if numbers and words:
        raise AnswerError(
            f"annotators are numbers here and names there: {first_three(numbers)}; {first_three(words)}",
            next_step="one person needs one name: write all of them in one way",
        )


def _certainty(line: AnswerLine) -> float:
    if not line.certainty:
        return 1.0
    try:
        share = float(line.certainty)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise AnswerError(
            f"the certainty {line.certainty!r} is no share in [0, 1]",
            where=f"row {line.row_id}",
            next_step="write 0.8 for sure in four cases of five, or leave it empty",
        )
    return share


def _is_yes(line: AnswerLine) -> bool:
    word = line.adjudicated.lower()
    if word in YES or word in NO:
        return word in YES
    raise AnswerError(
        f"adjudicated is {line.adjudicated!r}", where=f"row {line.row_id}", next_step="write true, or leave it empty"
    )


def _refuse_two(found: Sequence[Annotation]) -> None:
    """Refuse two answers where nothing tells which of them is newer: of one annotator, or two last words on a row."""
    newest: dict[tuple[str, str], Annotation] = {}
    for one in found:
        for key in ((one.row_id, one.annotator), *([(one.row_id, "")] if one.adjudicated else [])):
            other = newest.setdefault(key, one)
            if other.value != one.value and (not one.answered or not other.answered or one.answered == other.answered):
                whose = f"of {one.annotator}" if key[1] else "that shall be the last word"
                raise AnswerError(
                    f"two different answers for one row {whose}: {other.value!r} and {one.value!r}",
                    where=f"row {one.row_id}",
                    next_step="leave one of them, or say when each was given: a column `answered`",
                )
            newest[key] = max(other, one, key=lambda each: each.answered)
