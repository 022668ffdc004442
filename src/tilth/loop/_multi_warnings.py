"""What a reader of labels with several classes must know: of the votes on all of them, and of each class by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tilth.core.errors import first_three
from tilth.core.multi_summary import ClassLabels
from tilth.core.multi_votes import MultiVotes
from tilth.sources._multi_votes import ReadMultiVotes

__all__ = ["multi_warnings"]

ONCE = (
    "there is one row",
    "no labeler ever votes for",
    "nothing is measured",
    "all votes say",
    "say one class on every",
)
"""Beginnings of warnings that are told for all classes at once, or that follow from there being a question per class."""


def multi_warnings(
    votes: MultiVotes, by_class: Sequence[ClassLabels], read: ReadMultiVotes, is_measured: bool
) -> tuple[str, ...]:
    """Return the warnings: on reading, on all classes, on single ones."""
    return tuple(dict.fromkeys([*read.warnings, *_of_all(votes, by_class, read, is_measured), *_of_each(by_class)]))


def _of_all(
    votes: MultiVotes, by_class: Sequence[ClassLabels], read: ReadMultiVotes, is_measured: bool
) -> Iterator[str]:
    if read.truth is not None and not is_measured:
        yield "nothing is measured: no row has an answer, a known truth and no trusted classes"
    unnamed = [repr(one.name) for one in by_class if one.summary is None]
    if unnamed:
        yield f"no labeler ever names {first_three(unnamed)}: no row gets it"
    one_sided = [repr(one.name) for one in by_class if one.summary is not None and not one.says_no]
    if one_sided:
        yield (
            f"no labeler ever says no to {first_three(one_sided)}: rows on which nobody names it are taken to be without it"
        )
    if len(votes) == 1:
        yield "there is one row: nothing can be learnt of the labelers from it"


def _of_each(by_class: Sequence[ClassLabels]) -> Iterator[str]:
    for one in by_class:
        if one.summary is not None:
            own = (text for text in one.summary.warnings if not text.startswith(ONCE))
            yield from (f"class {one.name!r}: {text}" for text in own)
