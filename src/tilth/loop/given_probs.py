"""The user's own out-of-sample probabilities, in columns: used for train rows, refused when they look in-sample."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tilth.core.arrays import Matrix
from tilth.core.dataset import Dataset
from tilth.core.errors import ConfigError, InSampleError
from tilth.core.names import Split
from tilth.core.schema import Role
from tilth.loop.frames import class_codes
from tilth.numerics.intervals import wilson

__all__ = ["given_pred_probs", "refuse_in_sample"]

SUSPICIOUS_GAP = 0.03
PERFECT = 0.995
ENOUGH_ROWS = 200


def given_pred_probs(dataset: Dataset) -> Matrix | None:
    """Return (n, k) probabilities of labelled train rows from the user's columns, or None where there are none.

    Raises
    ------
    ConfigError
        The columns do not hold one probability per class for every train row.
    InSampleError
        The probabilities look as if the model had been trained on these rows.
    """
    columns = dataset.schema.with_role(Role.PRED_PROBS)
    if not columns or dataset.schema.task.is_regression:
        return None
    probs = _matrix(dataset.read(*(c.name for c in columns)), dataset.schema.task.n_classes)
    codes, labelled = class_codes(dataset.read(dataset.schema.task.label), dataset.schema)
    train = np.flatnonzero(dataset.mask(Split.TRAIN) & labelled)
    dev = np.flatnonzero(dataset.mask(Split.DEV) & labelled)
    if not np.isfinite(probs[train]).all():
        rows = dataset.row_ids.take(pa.array(train[~np.isfinite(probs[train]).all(axis=1)][:3])).to_pylist()
        raise ConfigError("pred_probs are missing for some train rows", where=f"rows {', '.join(rows)}")
    refuse_in_sample(probs[train], codes[train], probs[dev], codes[dev])
    total = probs[train].sum(axis=1, keepdims=True)
    return np.asarray(probs[train] / np.where(total > 0, total, 1.0))


def refuse_in_sample(train: Matrix, train_labels: np.ndarray, dev: Matrix, dev_labels: np.ndarray) -> None:
    """Refuse probabilities that fit train labels perfectly, or far better than dev labels.

    "Far better" means 3 points, and more than the two 99.9 % intervals together allow.
    """
    if len(train) < ENOUGH_ROWS:
        return
    hits = train.argmax(axis=1) == train_labels
    share = float(hits.mean())
    finite = np.isfinite(dev).all(axis=1)
    if share >= PERFECT and train.max(axis=1).mean() >= PERFECT and not _dev_as_good(dev[finite], dev_labels[finite]):
        raise _refusal(f"they agree with {share:.1%} of the train labels")
    if finite.sum() >= ENOUGH_ROWS:
        dev_hits = dev[finite].argmax(axis=1) == dev_labels[finite]
        low = wilson(float(hits.sum()), len(hits), 0.999).low
        high = wilson(float(dev_hits.sum()), len(dev_hits), 0.999).high
        if low > high and share - dev_hits.mean() > SUSPICIOUS_GAP:
            raise _refusal(
                f"they agree with {share:.1%} of the train labels but {dev_hits.mean():.1%} of the dev labels"
            )


def _dev_as_good(dev: Matrix, labels: np.ndarray) -> bool:
    return len(dev) >= ENOUGH_ROWS and bool((dev.argmax(axis=1) == labels).mean() >= PERFECT)


def _refusal(why: str) -> InSampleError:
    return InSampleError(
        f"the pred_probs look in-sample: {why}",
        next_step="give cross-validated probabilities, or take their role away in tilth.yaml and tilth makes them",
    )


def _matrix(table: pa.Table, n_classes: int) -> Matrix:
    columns = [table.column(name).combine_chunks() for name in table.column_names]
    if len(columns) == 1 and pa.types.is_fixed_size_list(columns[0].type):
        width = columns[0].type.list_size
        values = np.full((table.num_rows, width), np.nan)
        there = np.flatnonzero(np.asarray(columns[0].is_valid()))
        values[there] = np.asarray(columns[0].take(pa.array(there)).flatten(), dtype=np.float64).reshape(-1, width)
    else:
        values = np.column_stack([np.asarray(c.cast(pa.float64()).to_numpy(zero_copy_only=False)) for c in columns])
    if values.shape[1] != n_classes:
        raise ConfigError(
            f"pred_probs hold {values.shape[1]} columns for {n_classes} classes",
            next_step="give one probability per class, in the order of classes: in tilth.yaml",
        )
    return values
