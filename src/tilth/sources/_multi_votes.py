"""Votes that may name several classes for a row: "a|b" in a cell, several lines of one labeler, lists, or yes and no by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tilth.core.errors import LabelError, UsageError, first_three
from tilth.core.manifest import Dropped
from tilth.core.multi_votes import MultiVotes
from tilth.sources._class_sets import ClassSets, class_sets, sets_of
from tilth.sources._row_classes import is_file
from tilth.sources._vote_words import WordVotes, abstentions, classes_of, parts, word_of
from tilth.sources._votes import VoteReading, silent_cells, word_votes

__all__ = ["ReadMultiVotes", "read_multi_votes"]

OTHER_SIGNS = (",", ";", "|", "+", "/", "&")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadMultiVotes:
    """Votes as they were read.

    Parameters
    ----------
    votes : the answers; each says no to all classes that it leaves out, unless `says_no`
    name : the source, for messages
    says_no : whether the source itself says of which classes an answer says no
    truth : for metrics only, or None
    trusted : what label models may learn from, or None
    notes, warnings : how the source was understood, and what a reader must know
    form, read, dropped : as `ReadVotes` has them
    """

    votes: MultiVotes
    name: str
    says_no: bool
    truth: ClassSets | None = None
    trusted: ClassSets | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    form: str = ""
    read: int = 0
    dropped: tuple[Dropped, ...] = ()


def read_multi_votes(source: Any, *, truth: Any = None, trusted: Any = None, reading: VoteReading) -> ReadMultiVotes:
    """Read votes that may name several classes, and what is known of the truth.

    Parameters
    ----------
    source : as `read_votes` takes it; also an (n, m, k) block of 1, 0 and -1, and lists of classes in cells
    truth : as `read_votes` takes it, where a cell may name several classes; also a 0/1 matrix (n, k) or a table with a column per class
    trusted : the same without a column
    reading : with the separator

    Raises
    ------
    UsageError
        The separator is empty or could be part of a number.
    SourceError, UnknownColumnError, DuplicateIdError, LabelError
        What cannot be read as votes or as truth.
    """
    _refuse_separator(reading.separator)
    column = truth if isinstance(truth, str) and not is_file(truth) else None
    found = word_votes(source, column, reading)
    named = _parted(found, reading)
    classes, numbers = _classes(named, found, reading)
    votes = _votes_of(found, named, classes, numbers)
    warnings, told = list(found.warnings), dict[str, ClassSets]()
    for option, given in (("truth", truth), ("trusted", trusted)):
        if given is not None and not (option == "truth" and column):
            told[option], said = class_sets(given, found, numbers, classes, reading, option=f"--{option}")
            warnings += said
    if "truth" not in told and found.truth is not None:
        told["truth"] = sets_of(found.truth, numbers, classes, reading, found.name)
    return ReadMultiVotes(
        votes=votes,
        name=found.name,
        says_no=found.no is not None,
        truth=told.get("truth"),
        trusted=told.get("trusted"),
        notes=found.notes,
        warnings=(*warnings, *_never_several(votes, found)),
        form=found.form,
        read=found.read or len(votes) * len(votes.labelers),
        dropped=found.dropped if found.read else silent_cells(len(votes) * len(votes.labelers) - len(votes.rows)),
    )


def _refuse_separator(separator: str) -> None:
    if not separator.strip():
        raise UsageError("an empty separator parts nothing", next_step="--separator '|', or the sign between classes")
    if separator.strip("+-._ ").isalnum() or separator in "+-.":
        raise UsageError(
            f"the separator {separator!r} could be part of a class name or a number",
            next_step="--separator '|', or another sign that no class name has",
        )


def _parted(found: WordVotes, reading: VoteReading) -> WordVotes:
    """Return the votes with one entry per class that is named; answers that name none are left out."""
    if found.no is not None:
        return found
    named = [parts(word, reading.separator) for word in found.words]
    _refuse_abstaining_parts(named, found, reading)
    words = tuple(dict.fromkeys(word for one in named for word in one))
    place = {word: number for number, word in enumerate(words)}
    sizes = np.array([len(one) for one in named], dtype=np.intp)
    flat = np.array([place[word] for one in named for word in one], dtype=np.intp)
    starts = np.cumsum(sizes) - sizes
    many = sizes[found.said]
    offset = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    said = flat[np.repeat(starts[found.said], many) + offset] if many.sum() else np.zeros(0, dtype=np.intp)
    parted = replace(
        found, rows=np.repeat(found.rows, many), sources=np.repeat(found.sources, many), said=said, words=words
    )
    if not reading.classes:
        _refuse_other_sign(words, found.name, reading.separator)
    return parted


def _refuse_abstaining_parts(named: Sequence[tuple[str, ...]], found: WordVotes, reading: VoteReading) -> None:
    for word, one in zip(found.words, named, strict=True):
        if len(one) > 1 and abstentions(one, reading.abstain):
            raise LabelError(
                f"{word!r} names classes and abstains at once",
                where=found.name,
                next_step="mend it; if it is a class: --abstain none",
            )


def _refuse_other_sign(words: Sequence[str], where: str, separator: str) -> None:
    """Refuse words that another sign parts into words which are there on their own."""
    known = set(words)
    for sign in OTHER_SIGNS:
        torn = [word for word in words if sign in word and sign != separator]
        whole = [
            word for word in torn if all(part in known for part in parts(word, sign)) and len(parts(word, sign)) > 1
        ]
        if whole:
            raise LabelError(
                f"{first_three(map(repr, whole))} name several classes, parted by {sign!r} and not by {separator!r}",
                where=where,
                next_step=f"--separator {sign!r}; if these are classes of their own, name them all: --classes",
            )


def _classes(named: WordVotes, found: WordVotes, reading: VoteReading) -> tuple[tuple[str, ...], Mapping[str, int]]:
    """Return the classes in their order, and the number of each word; one class is enough where somebody says no to it."""
    wanted = tuple(word_of(name) for name in reading.classes)
    if found.no is not None:
        wanted, says_no = wanted or found.words, bool(found.no.any())
    else:
        used = np.unique(found.said)
        says_no = any(not parts(found.words[code], reading.separator) for code in used)
    only = {named.words[code] for code in np.unique(named.said)}
    if len(only) == 1 and says_no and wanted in ((), tuple(only)):
        return tuple(only), dict.fromkeys(only, 0)
    return classes_of(named, abstain=reading.abstain, classes=wanted)


def _votes_of(found: WordVotes, named: WordVotes, classes: tuple[str, ...], numbers: Mapping[str, int]) -> MultiVotes:
    m = len(found.labelers)
    answers = np.unique(found.rows * m + found.sources)
    shape = (len(answers), len(classes))
    yes, spoken = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    codes = np.array([*(numbers.get(word, -1) for word in named.words), -1], dtype=np.intp)
    place = np.searchsorted(answers, named.rows * m + named.sources)
    is_yes = np.ones(len(named.rows), dtype=bool) if named.no is None else ~named.no
    yes[place[is_yes], codes[named.said[is_yes]]] = True
    if named.no is None:
        spoken[:] = True
    else:
        spoken[place, codes[named.said]] = True
    return MultiVotes(
        row_ids=found.row_ids,
        labelers=found.labelers,
        classes=classes,
        rows=answers // m,
        sources=answers % m,
        yes=yes,
        spoken=spoken,
    )


def _never_several(votes: MultiVotes, found: WordVotes) -> tuple[str, ...]:
    if found.no is not None or not len(votes.rows) or (votes.yes.sum(axis=1) != 1).any():
        return ()
    said = "every answer names one class, never two: without --multilabel each row gets one label; "
    return (f"{said}if another sign than the separator stands between classes: --separator",)
