"""Where the rows that are voted on lie: features for the label models that heed rows nearby.

A run's held encoders are used where there are any that read the same columns; else encoders are fitted on train and pool rows, once,
and kept beside the evidence. Features of a row are kept by its cells, so that another edit of a labeler encodes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.arrays import FloatMatrix32, IntVector
from tilth.core.dataset import Dataset
from tilth.core.errors import TilthError
from tilth.core.ids import digest_of
from tilth.core.names import ROW_ID, SPLIT, Split
from tilth.core.progress import Progress
from tilth.core.schema import Column
from tilth.encoding._blocks import FittedColumn, default_encoder, fit_columns
from tilth.loop.encoded_rows import encoded_rows
from tilth.loop.held_columns import keep_column, load_column
from tilth.loop.project_file import ProjectFile
from tilth.operators.batch import batches
from tilth.operators.protocols import Encoder
from tilth.operators.registry import make, spec_of
from tilth.store.repository import Repository

__all__ = ["place_columns", "places_of"]


def places_of(
    file: ProjectFile, repository: Repository, dataset: Dataset, positions: IntVector, progress: Progress
) -> tuple[FloatMatrix32 | None, tuple[str, ...]]:
    """Return the features of the rows at some positions, or None with what a reader must know; (r,) -> (r, d)."""
    if not dataset.schema.features:
        return None, ()
    try:
        names = tuple(column.name for column in dataset.schema.features)
        fitted = place_columns(file, repository, dataset, names, progress)
        rows = dataset.read(ROW_ID, *(column.name for column in fitted)).take(pa.array(positions))
        return encoded_rows(repository, rows, fitted, progress)[0], ()
    except TilthError as error:
        return None, (f"rows nearby are not heeded: {error.what}",)


def place_columns(
    file: ProjectFile, repository: Repository, dataset: Dataset, names: Sequence[str], progress: Progress
) -> tuple[FittedColumn, ...]:
    """Return encoders of some columns: those that the last run held, those that are kept, or new ones.

    Encoders that are new are fitted on train and pool rows. The columns may be all features, or any single column.
    """
    return _held(repository, names) or _fitted(file, repository, dataset, names, progress)


def _held(repository: Repository, names: Sequence[str]) -> tuple[FittedColumn, ...] | None:
    """Return the encoders that the last run held, where it held just these, or this one among others."""
    held = repository.records("held")
    facts = {one["column"]: one for one in held[-1]["columns"]} if held else {}
    if list(facts) != list(names) and not (len(names) == 1 and names[0] in facts):
        return None
    return tuple(load_column(repository.evidence, facts[name]) for name in names)


def _fitted(
    file: ProjectFile, repository: Repository, dataset: Dataset, names: Sequence[str], progress: Progress
) -> tuple[FittedColumn, ...]:
    """Return encoders fitted on train and pool rows: those kept for the very same rows, or new ones."""
    pairs = [(column, _encoder(file, column)) for column in map(dataset.schema.column, names)]
    specs = [[column.name, spec_of(encoder).to_dict()] for column, encoder in pairs]
    key = digest_of(["label places", dataset.content_of((ROW_ID, SPLIT, *names)), specs])
    kept = repository.evidence.get_arrays(key)
    if kept is not None:
        facts: list[dict[str, Any]] = json.loads(kept["facts"].tobytes().decode())
        return tuple(load_column(repository.evidence, one) for one in facts)
    progress("encode", "fit encoders on train and pool rows")
    rows = dataset.read(ROW_ID, *names).filter(pa.array(dataset.mask(Split.TRAIN, Split.POOL)))
    fitted = fit_columns(pairs, list(batches(rows, names)))
    facts = [keep_column(repository.evidence, column) for column in fitted]
    repository.evidence.put_arrays(key, {"facts": np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8)})
    return fitted


def _encoder(file: ProjectFile, column: Column) -> Encoder:
    choice = file.encoders.get(column.name)
    if choice is None:
        return default_encoder(column)
    encoder: Encoder = make("encoding", choice.name, **choice.params)
    return encoder
