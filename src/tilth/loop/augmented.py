"""Train rows that are varied: how each is, as its cell says, and made copies for learners that are fitted in one pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import FloatMatrix32
from tilth.core.names import AUGMENT, ROW_ID, WEIGHT
from tilth.core.schema import Schema
from tilth.loop.frames import weights_of
from tilth.operators.augmenting import Augmentation, BoundPolicy

__all__ = ["WithCopies", "augmentation_of", "with_copies"]


class WithCopies(NamedTuple):
    """Rows followed by their made copies, and the features of all."""

    table: pa.Table
    features: FloatMatrix32 | None


def augmentation_of(train: pa.Table, bind: Callable[[str], BoundPolicy], seed: int) -> Augmentation | None:
    """Return how train rows are varied, or None where no cell says so."""
    if AUGMENT not in train.column_names or train.column(AUGMENT).null_count == train.num_rows:
        return None
    codes = train.column(AUGMENT).combine_chunks().dictionary_encode()
    order = np.argsort(np.asarray(codes.dictionary.to_pylist(), dtype=object), kind="stable")
    place = np.empty(len(order) + 1, dtype=np.intp)
    place[order], place[-1] = np.arange(len(order)), -1
    texts = codes.dictionary.take(pa.array(order)).to_pylist()
    return Augmentation(
        policies=tuple(bind(text) for text in texts),
        which=place[np.asarray(pc.fill_null(codes.indices, -1))],
        ids=train.column(ROW_ID).combine_chunks(),
        seed=seed,
    )


def with_copies(
    train: pa.Table,
    features: FloatMatrix32 | None,
    augmentation: Augmentation,
    schema: Schema,
    reencode: Callable[[pa.Table], FloatMatrix32],
) -> WithCopies:
    """Return train rows with as many made copies as their policy says; a row and its copies together weigh what the row did.

    A row whose policy changes nothing has no copies: they would be the row again. Without features (n, d) copies have none either.
    """
    varied = augmentation.changes
    per_policy = np.array([one.policy.copies for one in augmentation.policies] + [0])
    copies = np.where(varied, per_policy[augmentation.which], 0)
    weights = weights_of(train) / (1 + copies)
    tables = [train.set_column(train.column_names.index(WEIGHT), WEIGHT, pa.array(weights))]
    parts = [] if features is None else [features]
    names = [column.name for column in schema.features]
    for number in range(int(copies.max(initial=0))):
        rows = np.flatnonzero(copies > number)
        made = tables[0].take(pa.array(rows))
        cells = {name: made.column(name).combine_chunks() for name in names}
        for name, column in augmentation.take(rows).changed(cells, number).items():
            made = made.set_column(made.column_names.index(name), name, column)
        ids = pc.binary_join_element_wise(made.column(ROW_ID), f"copy {number + 1}", "#")
        made = made.set_column(made.column_names.index(ROW_ID), ROW_ID, ids)
        tables.append(made)
        parts += [] if features is None else [reencode(made)]
    return WithCopies(pa.concat_tables(tables).combine_chunks(), np.concatenate(parts) if parts else None)
