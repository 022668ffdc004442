"""WRENCH: a JSON object from row id to its votes, its gold label and its cells; `label.json` beside it names the classes.

Source: Zhang, Yu, Li, Wang, Yang, Yang, Ratner (2021), WRENCH: A Comprehensive Benchmark for Weak Supervision, NeurIPS Datasets
and Benchmarks (the format of its files).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.errors import SourceError, first_three
from tilth.sources._content import Content, decode, fetch, is_url, suffix_of
from tilth.sources._vote_words import Coded, WordVotes, abstentions, coded, counted, row_major

__all__ = ["class_names_beside", "is_wrench", "of_wrench", "wrench_object"]

VOTES, TRUTH = "weak_labels", "label"


def wrench_object(content: Content) -> dict[str, Any] | None:
    """Return the object of a WRENCH file; None where the content is something else."""
    if suffix_of(content.name) != ".json":
        return None
    try:
        value = json.loads(decode(content, None))
    except (json.JSONDecodeError, RecursionError):
        return None  # the JSON reader says where it breaks
    return value if is_wrench(value) else None


def is_wrench(value: object) -> bool:
    """Whether this is an object of rows that have votes."""
    if not isinstance(value, Mapping) or not value:
        return False
    return all(isinstance(row, Mapping) for row in value.values()) and any(VOTES in row for row in value.values())


def of_wrench(rows: Mapping[str, Any], name: str, *, abstain: str, class_names: tuple[str, ...] = ()) -> WordVotes:
    """Return the votes and the gold labels of WRENCH's rows.

    Raises
    ------
    SourceError
        Rows without votes, or with another number of votes than the others.
    """
    ids = [str(one) for one in rows]
    votes = _even([row.get(VOTES) for row in rows.values()], ids, name)
    columns = [coded(pa.array(_plain(column, name))) for column in zip(*votes, strict=True)]
    places = {word: 0 for column in columns for word in column.words}
    places = {word: number for number, word in enumerate(places)}
    silent = abstentions(places, abstain)
    codes = [
        np.array([*(-1 if w in silent else places[w] for w in c.words), -1], dtype=np.intp)[c.codes] for c in columns
    ]
    by_row, sources, said = row_major(codes, len(ids))
    truth = coded(pa.array(_plain([row.get(TRUTH) for row in rows.values()], name)))
    truth = _without(truth, abstentions(truth.words, abstain))
    return WordVotes(
        name=name,
        row_ids=pa.array(ids, pa.string()),
        has_ids=True,
        labelers=tuple(f"labeler{j}" for j in range(len(columns))),
        rows=by_row,
        sources=sources,
        said=said,
        words=tuple(places),
        abstained=len(ids) * len(columns) - len(by_row),
        class_names=class_names,
        truth=truth if (truth.codes >= 0).any() else None,
        notes=(f"WRENCH JSON of {counted(len(ids), 'row')} and {counted(len(columns), 'labeler')}",),
        form="wrench",
    )


def class_names_beside(path: str) -> tuple[str, ...]:
    """Return the class names of the `label.json` beside a file, by class number; nothing where there is none."""
    beside = Path(path).parent / "label.json"
    if is_url(path) or not beside.is_file():
        return ()
    try:
        named = json.loads(decode(fetch(beside), None))
        numbers = {int(number): str(name) for number, name in named.items()}
    except (json.JSONDecodeError, AttributeError, TypeError, ValueError) as problem:
        raise SourceError(
            "is no object of class names by class number",
            where=str(beside),
            next_step='write {"0": "ham", "1": "spam"}, or move it away',
        ) from problem
    if sorted(numbers) != list(range(len(numbers))) or len(set(numbers.values())) < len(numbers):
        raise SourceError(
            f"class numbers go from 0 without gaps, each with its own name: {first_three(named.items())}",
            where=str(beside),
            next_step='write {"0": "ham", "1": "spam"}, or move it away',
        )
    return tuple(numbers[number] for number in range(len(numbers)))


def _without(cells: Coded, silent: set[str]) -> Coded:
    kept = np.array([*(-1 if word in silent else i for i, word in enumerate(cells.words)), -1], dtype=np.intp)
    return Coded(codes=kept[cells.codes], words=cells.words)


def _even(votes: list[Any], ids: list[str], name: str) -> list[list[Any]]:
    bare = [one for one, found in zip(ids, votes, strict=True) if not isinstance(found, list)]
    if bare:
        raise SourceError(f"no list {VOTES!r} in row {first_three(bare)}", where=name, next_step="mend these rows")
    usual = Counter(len(found) for found in votes).most_common(1)[0][0]
    uneven = [f"{one} has {len(found)}" for one, found in zip(ids, votes, strict=True) if len(found) != usual]
    if uneven:
        raise SourceError(
            f"rows with another number of votes: {usual} expected, row {first_three(uneven)}",
            where=name,
            next_step="write one vote per labeler, -1 where it abstains",
        )
    if not usual:
        raise SourceError("no row has a labeler", where=name, next_step="check how it was written")
    return votes


def _plain(cells: Any, name: str) -> list[Any]:
    """Return cells as text: numbers and words may stand side by side."""
    odd = [cell for cell in cells if isinstance(cell, list | dict)]
    if odd:
        raise SourceError(f"{odd[0]} is no class", where=name, next_step="write one class per labeler and row")
    return [None if cell is None else str(cell) for cell in cells]
