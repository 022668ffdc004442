"""All labelers over all rows of a version, block by block; votes are remembered by labeler and row content.

A vote is kept by the digest of the columns that its labeler reads of the row, under the labeler's own key: editing one function
calls one function, and editing 1 % of the rows calls each on 1 %. What fails is not kept: it is tried again the next time.
Test rows are never voted on: their features choose nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector, Mask
from tilth.core.cast_votes import CastVotes, LabelerRun
from tilth.core.dataset import Dataset
from tilth.core.errors import ConfigError, ContractError, LabelError, UsageError, did_you_mean, first_three
from tilth.core.ids import row_digests
from tilth.core.names import ROW_ID, Split
from tilth.core.partitions import BLOCK_ROWS
from tilth.core.progress import Progress, silent
from tilth.core.said import Failure, Said
from tilth.core.schema import Schema
from tilth.core.votes import Votes
from tilth.loop.labelers import NamedLabeler
from tilth.loop.visibility import may_tell
from tilth.operators.batch import Batch, batches
from tilth.sources._vote_words import row_major
from tilth.store.row_evidence import RowEvidence

__all__ = ["VOTED", "cast_votes"]

VOTED = (Split.TRAIN, Split.POOL, Split.DEV)
"""Splits whose rows are voted on."""
_SILENT, _FAILED, _NEW = -1, -2, -3
_CODES = np.int32
"""Class numbers of one labeler on all rows: a thousand labelers on a million rows take 4 GB."""
Shelf = Callable[[str], RowEvidence]


@dataclass(kw_only=True, eq=False)
class _Tally:
    """What one labeler says of n rows: class numbers, or why there is none."""

    labeler: NamedLabeler
    codes: np.ndarray
    shelf: RowEvidence | None
    cast: int = 0
    failures: list[Failure] = field(default_factory=list)
    former: set[str] = field(default_factory=set)


def cast_votes(
    labelers: Sequence[NamedLabeler],
    dataset: Dataset,
    shelf: Shelf,
    *,
    splits: Iterable[Split] = VOTED,
    progress: Progress = silent,
    block_rows: int = BLOCK_ROWS,
) -> CastVotes:
    """Return the votes of all labelers on a version's rows.

    Parameters
    ----------
    labelers : at least one
    dataset : the version's rows
    shelf : where votes are kept by key (`Repository.row_evidence`); the caller holds the lease
    splits : rows of which splits are voted on; test is refused
    progress : told which labeler votes on how many rows
    block_rows : rows of a block; results do not depend on it

    Raises
    ------
    LabelError
        A labeler says what is no class: with the first rows.
    ContractError
        A labeler returns no class name, or not one answer per row: with the first rows.
    ConfigError
        A labeler cannot vote on these columns.
    """
    wanted = tuple(splits)
    if Split.TEST in wanted:
        raise UsageError("test rows are not voted on: their features choose nothing", next_step="leave test out")
    positions = np.flatnonzero(dataset.mask(*wanted))
    classes = dataset.schema.task.classes
    tallies: dict[str, _Tally] = {}
    for columns in dict.fromkeys(one.columns for one in labelers):
        group = [one for one in labelers if one.columns == columns]
        table = _rows(dataset, columns, positions)
        for tally in _voted(group, table, dataset.schema, shelf, progress, block_rows):
            tallies[tally.labeler.name] = tally
    ordered = [tallies[one.name] for one in labelers]
    rows, sources, said = row_major([tally.codes for tally in ordered], len(positions))
    votes = Votes(
        row_ids=dataset.row_ids.take(pa.array(positions)),
        labelers=tuple(one.name for one in labelers),
        classes=classes,
        rows=rows,
        sources=sources,
        said=said,
    )
    return CastVotes(votes=votes, positions=positions, runs=tuple(map(_run, ordered)))


def _rows(dataset: Dataset, columns: Sequence[str], positions: IntVector) -> pa.Table:
    table = dataset.read(*dict.fromkeys([ROW_ID, *columns]))
    return table if len(positions) == table.num_rows else table.take(pa.array(positions))


def _run(tally: _Tally) -> LabelerRun:
    one = tally.labeler
    return LabelerRun(
        name=one.name,
        where=one.where,
        columns=one.columns,
        cast=tally.cast,
        failures=tuple(tally.failures),
        unseen=one.unseen,
        former=tuple((name, one.former[name]) for name in sorted(tally.former)),
    )


def _voted(
    group: Sequence[NamedLabeler],
    table: pa.Table,
    schema: Schema,
    shelf: Shelf,
    progress: Progress,
    block_rows: int,
) -> list[_Tally]:
    """Return what labelers that read the same columns say: what is known already, and the rest block by block."""
    columns, classes = group[0].columns, schema.task.classes
    may_quote = all(may_tell(schema, name) for name in columns)
    digests = row_digests(table, columns)
    order = np.lexsort((digests[:, 1], digests[:, 0]))  # looking up in order is many times faster
    ordered = digests[order]
    tallies = [_remembered(one, ordered, order, shelf) for one in group]
    for alike in _by_new_rows(tallies):
        new = np.flatnonzero(alike[0].codes == _NEW)
        if not len(new):
            continue
        names = ", ".join(tally.labeler.name for tally in alike[:3]) + (" …" if len(alike) > 3 else "")
        progress("label", f"{names}: {len(new):,} rows")
        fresh = table if len(new) == table.num_rows else table.take(pa.array(new))
        start = 0
        for batch in batches(fresh, columns, block_rows):
            for tally in alike:
                _vote(tally, batch, new[start : start + len(batch)], classes, may_quote=may_quote)
            start += len(batch)
        is_new = np.zeros(len(order), dtype=bool)
        is_new[new] = True
        for tally in alike:
            _keep(tally, ordered, order, is_new)
    return tallies


def _remembered(labeler: NamedLabeler, ordered: np.ndarray, order: IntVector, shelf: Shelf) -> _Tally:
    kept = shelf(labeler.key) if labeler.key else None
    codes = np.full(len(order), _NEW, dtype=_CODES)
    if kept is not None:
        known, found = kept.lookup(ordered)
        codes[order[known]] = found[:, 0].astype(_CODES) if known.any() else []
    return _Tally(labeler=labeler, codes=codes, shelf=kept)


def _by_new_rows(tallies: Sequence[_Tally]) -> Iterator[list[_Tally]]:
    """Yield labelers that must vote on the same rows: these are read once for all of them."""
    groups: dict[bytes, list[_Tally]] = {}
    for tally in tallies:
        groups.setdefault(np.packbits(tally.codes == _NEW).tobytes(), []).append(tally)
    yield from groups.values()


def _keep(tally: _Tally, ordered: np.ndarray, order: IntVector, is_new: Mask) -> None:
    if tally.shelf is None:
        return
    chosen = is_new[order] & (tally.codes[order] != _FAILED)
    tally.shelf.add(ordered[chosen], tally.codes[order[chosen]].astype(np.float32)[:, None])


def _vote(tally: _Tally, batch: Batch, rows: IntVector, classes: Sequence[str], *, may_quote: bool) -> None:
    """Take in what a labeler says of a block; a refusal quotes its answer where the cells that it read may be shown."""
    labeler = tally.labeler
    try:
        said = labeler.labeler.vote(batch)
    except ConfigError as error:
        raise ConfigError(
            f"labeler {labeler.name!r}: {error.what}", where=labeler.where, next_step=error.next_step
        ) from None
    except ContractError as error:
        if may_quote:
            raise
        what = f"labeler {labeler.name!r} returned what is no class name, or not one answer per row"
        raise ContractError(what, where=error.where, next_step=error.next_step) from None
    said = _in_names_of_today(tally, said)
    codes = pc.index_in(said.names, value_set=pa.array(classes, pa.string()))
    if codes.null_count > said.names.null_count:
        raise _unknown(labeler, said, codes, batch, classes, may_quote=may_quote)
    tally.codes[rows] = np.asarray(codes.fill_null(_SILENT))
    tally.cast += len(batch)
    if said.failures:
        failed = pa.array([failure.row_id for failure in said.failures], pa.string())
        tally.codes[rows[np.asarray(pc.is_in(batch.ids.cast(pa.string()), value_set=failed))]] = _FAILED
        tally.failures += said.failures


def _in_names_of_today(tally: _Tally, said: Said) -> Said:
    """Return votes with earlier names of classes replaced by those of today; a name that may mean several abstains."""
    former = tally.labeler.former
    if not former:
        return said
    places = pc.index_in(said.names, value_set=pa.array(list(former), pa.string()))
    tally.former |= {list(former)[place] for place in places.drop_null().unique().to_pylist()}
    today = pa.array(list(former.values()), pa.string()).take(places)
    return replace(said, names=pc.if_else(places.is_valid(), today, said.names))


def _unknown(
    labeler: NamedLabeler, said: Said, codes: pa.Array, batch: Batch, classes: Sequence[str], *, may_quote: bool
) -> LabelError:
    wrong = np.flatnonzero(np.asarray(pc.and_(codes.is_null(), said.names.is_valid())))
    name = said.names[int(wrong[0])].as_py()
    rows = first_three(batch.ids.take(pa.array(wrong)).to_pylist())
    quoted = f"{name!r}, which is no class.{did_you_mean(name, classes)}" if may_quote else "what is no class"
    return LabelError(
        f"labeler {labeler.name!r} says {quoted}",
        where=f"rows {rows}; {labeler.where}",
        next_step=f"return one of {', '.join(classes[:8])}{' …' if len(classes) > 8 else ''}, or None to abstain",
    )
