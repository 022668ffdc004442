"""Files that labelers of tilth.yaml name: dictionaries of keys and classes, and votes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from tilth.core.errors import ConfigError, UnknownColumnError, did_you_mean, first_three
from tilth.labeling.lookup import Lookup
from tilth.labeling.model_votes import ModelVotes
from tilth.labeling.votes_file import VotesFile
from tilth.loop.locations import absolute
from tilth.operators.text_cells import cell_words
from tilth.sources import open_source
from tilth.sources._cells import as_number
from tilth.sources._votes import VoteReading, read_votes
from tilth.sources._votes_matrix import id_column, ids_of

__all__ = ["lookup_entries", "score_entries", "votes_in"]


def lookup_entries(lookup: Lookup, folder: Path, classes: Sequence[str]) -> dict[str, str]:
    """Return key -> class of a lookup's own entries and of its file; raises ConfigError for a key of two classes."""
    where = str(absolute(lookup.file, folder))
    table = open_source(where, project=folder).table
    names = table.column_names
    for name in (lookup.key, lookup.value):
        if name and name not in names:
            raise UnknownColumnError.among(name, names, where=where)
    if not lookup.says and len(names) < 2:
        raise ConfigError(
            "a dictionary has a column of keys and one of classes", where=where, next_step="or write says: CLASS"
        )
    key = cell_words(table.column(lookup.key or names[0]).combine_chunks()).to_pylist()
    other = lookup.value or next((name for name in names if name != (lookup.key or names[0])), "")
    said = [lookup.says] * len(key) if lookup.says else cell_words(table.column(other).combine_chunks()).to_pylist()
    entries = dict(lookup.entries)
    for one, name in zip(key, said, strict=True):
        if one and name and entries.setdefault(one, name) != name:
            what = f"the key {one!r} stands for {entries[one]!r} and {name!r}"
            raise ConfigError(what, where=where, next_step="give each key one class")
    _refuse_other_classes(entries.values(), classes, where)
    return entries


def votes_in(
    votes_file: VotesFile, folder: Path, classes: Sequence[str]
) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Return labeler -> row id -> class of a file of votes, and warnings; who answers a row in two ways abstains there."""
    where = str(absolute(votes_file.file, folder))
    read = read_votes(where, reading=VoteReading())
    votes, wanted = read.votes, votes_file.labeler
    if wanted and wanted not in votes.labelers:
        what = f"the file has no labeler {wanted!r}.{did_you_mean(wanted, votes.labelers)}"
        raise ConfigError(what, where=where, next_step=f"name one of {first_three(votes.labelers)}")
    used = np.unique(votes.said)
    _refuse_other_classes([votes.classes[code] for code in used], classes, where)
    found: dict[str, dict[str, str]] = {name: {} for name in votes.labelers if wanted in ("", name)}
    torn = 0
    ids = votes.row_ids.to_pylist()
    silent: set[tuple[str, str]] = set()
    for row, source, said in zip(votes.rows.tolist(), votes.sources.tolist(), votes.said.tolist(), strict=True):
        name, row_id = votes.labelers[source], str(ids[row])
        if name in found and found[name].setdefault(row_id, votes.classes[said]) != votes.classes[said]:
            torn += (name, row_id) not in silent
            silent.add((name, row_id))
    for name, row_id in silent:
        del found[name][row_id]
    warnings = [f"rows with two different answers of one labeler, which abstains there: {torn:,}"] if torn else []
    return found, [*read.warnings, *warnings]


def score_entries(votes: ModelVotes, folder: Path, classes: Sequence[str]) -> dict[str, str]:
    """Return row id -> class of which a model's file of scores is sure enough."""
    where = str(absolute(votes.file, folder))
    table = open_source(where, project=folder).table
    ids = id_column(table)
    columns = {name: one for name in classes for one in (f"p_{name}", name) if one in table.column_names}
    if ids is None or not columns:
        raise ConfigError(
            f"the file needs a column of row ids and one of probabilities per class; it has {first_three(table.column_names)}",
            where=where,
            next_step=f"write row_id,{','.join(f'p_{name}' for name in classes[:3])}",
        )
    readings = {one: as_number(table.column(one)) for one in columns.values()}
    wrong = [one for one, reading in readings.items() if reading.junk.any()]
    if wrong:
        raise ConfigError(
            f"column {wrong[0]!r} holds what is no number", where=where, next_step="write p(class) in each cell"
        )
    scores = [np.asarray(reading.column.combine_chunks().fill_null(np.nan)) for reading in readings.values()]
    matrix = np.stack(scores, axis=1)
    said = votes.said(matrix, tuple(columns)).to_pylist()
    named = ids_of(table, ids, where).to_pylist()
    return {row: name for row, name in zip(named, said, strict=True) if name is not None}


def _refuse_other_classes(names: Iterable[str], classes: Sequence[str], where: str) -> None:
    other = sorted(set(names) - set(classes))
    if other:
        raise ConfigError(
            f"{other[0]!r} is no class of this project.{did_you_mean(other[0], classes)}",
            where=where,
            next_step=f"the classes are {first_three(classes)}; write these names into the file",
        )
