"""Labelers that look at embeddings: their exemplars, their reach and their cache key, for the rows of one version.

Exemplars are rows of train or the pool, or texts; encoders and the reach are fitted on train and pool rows. Rows of dev and test take no
part, and no label is read: the class of an exemplar is the one that tilth.yaml gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import FloatMatrix32
from tilth.core.dataset import Dataset
from tilth.core.errors import ConfigError, did_you_mean
from tilth.core.ids import cell_digests, digest_of
from tilth.core.names import ROW_ID, Split
from tilth.core.progress import Progress
from tilth.core.schema import ColumnType
from tilth.encoding._blocks import FittedColumn
from tilth.labeling.nearest import Nearest
from tilth.loop.encoded_rows import encoded_rows
from tilth.loop.held_columns import features_key
from tilth.loop.label_places import place_columns
from tilth.loop.labelers import NamedLabeler
from tilth.loop.project_file import ProjectFile
from tilth.operators.batch import Batch
from tilth.operators.registry import spec_of
from tilth.store.repository import Repository

__all__ = ["near_labelers"]

PAIRED = 1_000
"""Rows among which all pairs are measured to set the reach."""
TEXTS = (ColumnType.TEXT, ColumnType.CATEGORY)


def near_labelers(
    labelers: Sequence[NamedLabeler], file: ProjectFile, repository: Repository, dataset: Dataset, progress: Progress
) -> tuple[NamedLabeler, ...]:
    """Return the labelers with those that look at embeddings fitted to a version; the caller holds the lease.

    Raises
    ------
    ConfigError
        An exemplar is no row, or one of dev or test, or a text for a column that holds none.
    """
    return tuple(
        _fitted(one, one.labeler, file, repository, dataset, progress) if isinstance(one.labeler, Nearest) else one
        for one in labelers
    )


def _fitted(
    named: NamedLabeler,
    nearest: Nearest,
    file: ProjectFile,
    repository: Repository,
    dataset: Dataset,
    progress: Progress,
) -> NamedLabeler:
    _refuse_texts(named, nearest, dataset)
    rows = _exemplar_rows(named, nearest, dataset)
    fitted = place_columns(file, repository, dataset, (nearest.column,), progress)

    def embed(batch: Batch) -> FloatMatrix32:
        table = pa.table({ROW_ID: batch.ids, nearest.column: batch.column(nearest.column)})
        return encoded_rows(repository, table, fitted)[0]

    exemplars = np.concatenate([embed(_only(rows, nearest.column)), embed(_examples(nearest, dataset))])
    reach = _reach(embed(_learning_rows(dataset, nearest.column)), nearest.share)
    names = (*nearest.rows.values(), *nearest.examples.values())
    return replace(
        named,
        labeler=nearest.fitted(embed, exemplars, names, reach),
        key=_key(nearest, fitted, exemplars, reach, dataset, named.former),
    )


def _key(
    nearest: Nearest,
    fitted: Sequence[FittedColumn],
    exemplars: FloatMatrix32,
    reach: float,
    dataset: Dataset,
    former: Mapping[str, str | None],
) -> str:
    """Return the digest of all that decides a vote besides the row: exemplars count by where they lie."""
    facts = [
        spec_of(nearest).to_dict(),
        features_key(fitted),
        exemplars.astype(np.float64).tolist(),
        reach,
        dict(former),
    ]
    return digest_of(["votes", *facts, list(dataset.schema.task.classes)])


def _refuse_texts(named: NamedLabeler, nearest: Nearest, dataset: Dataset) -> None:
    kind = dataset.schema.column(nearest.column).type
    if nearest.examples and kind not in TEXTS:
        raise ConfigError(
            f"labeler {named.name!r}: examples are texts, and column {nearest.column!r} holds {kind}",
            where=named.where,
            next_step="name exemplars by row id: rows: {ROW_ID: CLASS}",
        )


def _exemplar_rows(named: NamedLabeler, nearest: Nearest, dataset: Dataset) -> pa.Table:
    """Return the exemplars that are rows; refuses rows that there are not, and rows that judge."""
    ids = dataset.row_ids.cast(pa.string())
    wanted = list(nearest.rows)
    found = pc.index_in(pa.array(wanted, pa.string()), value_set=ids)
    places = np.asarray(found.fill_null(-1), dtype=np.int64)
    for row, place in zip(wanted, places, strict=True):
        if place < 0:
            close = did_you_mean(row, ids[:10_000].to_pylist())
            raise ConfigError(
                f"labeler {named.name!r}: no row {row!r}.{close}", where=named.where, next_step="name rows by their id"
            )
        if dataset.splits[place] not in (Split.TRAIN, Split.POOL):
            raise ConfigError(
                f"labeler {named.name!r}: row {row!r} is of the {dataset.splits[place]} split, which judges",
                where=named.where,
                next_step="take rows of train or the pool as exemplars, or write its text under examples",
            )
    return dataset.read(ROW_ID, nearest.column).take(pa.array(places))


def _examples(nearest: Nearest, dataset: Dataset) -> Batch:
    """Return the exemplars that are texts, under ids that no row has a say in."""
    kind = dataset.read(nearest.column).schema.field(nearest.column).type
    texts = pa.array(list(nearest.examples), pa.string())
    return Batch(
        ids=pa.array([f"example {place}" for place in range(len(texts))], pa.string()),
        columns={nearest.column: texts.cast(kind) if len(texts) else pa.nulls(0, kind)},
    )


def _learning_rows(dataset: Dataset, column: str) -> Batch:
    """Return some rows of train and the pool, the same whatever their order: those with the least digests of their ids."""
    rows = np.flatnonzero(dataset.mask(Split.TRAIN, Split.POOL))
    digests = cell_digests(dataset.row_ids.take(pa.array(rows)))
    order = np.lexsort((digests[:, 1], digests[:, 0]))[:PAIRED]
    return _only(dataset.read(ROW_ID, column).take(pa.array(rows[order])), column)


def _only(table: pa.Table, column: str) -> Batch:
    cells = table.combine_chunks()
    ids, own = (_whole(cells.column(name)) for name in (ROW_ID, column))
    return Batch(ids=ids, columns={column: own})


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _reach(embedded: FloatMatrix32, share: float) -> float:
    """Return the cosine distance below which a share of the pairs of rows lie; rows without an embedding are left out."""
    rows = embedded.astype(np.float64)
    lengths = np.sqrt(np.square(rows).sum(axis=1))
    rows = rows[lengths > 0] / lengths[lengths > 0, None]
    if len(rows) < 2:
        return 0.0
    above = np.triu_indices(len(rows), 1)
    return float(np.quantile(np.maximum(1.0 - (rows @ rows.T)[above], 0.0), share))
