"""The demo's data: real handwritten digits with faults of stated kinds and counts planted in them.

The digits are those of scikit-learn's `load_digits`: 1,797 images of 8 x 8 pixels (Alpaydin and Kaynak 1998, UCI "Optical
Recognition of Handwritten Digits", CC BY 4.0). They are clean, so what is wrong with them is what was planted here, and nearly all of that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from types import MappingProxyType

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector
from tilth.core.names import Split

__all__ = ["LOOKS_LIKE", "PLANTED", "SIZES", "WRONG", "World", "plant"]

SIZES = MappingProxyType({Split.TRAIN: 800, Split.DEV: 480, Split.TEST: 477})
"""Real digits in each split; the 40 that are left are the new data."""
WRONG = MappingProxyType({Split.TRAIN: 200, Split.DEV: 29, Split.TEST: 29})
"""Wrong labels planted in each split: 25 % of train, 6 % of dev and test."""
PLANTED = MappingProxyType({"exact copy": 40, "near copy": 20, "leak": 25, "junk": 15})
"""Rows planted in train beside the real ones, by kind."""
LOOKS_LIKE = (6, 7, 3, 8, 9, 3, 0, 1, 3, 4)
"""The rule of the wrong labels: the digit that 0, 1, … 9 is taken for."""
SIDE, GREYS, SHOWN_SIDE = 8, 16, 32


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """What the project is given, and the truth that it never reads.

    `table`: row_id, split, image, digit as the project reads them; `new`: images to predict.
    `truth`: row id -> true digit, "" for junk; `kinds`: row id -> kind of planted row, real rows left out; `copied`: row id of a
    planted copy -> the row that it was copied from; `wrong`: ids of rows with a wrong label, by split; `new_truth`: true digits of
    the new images.
    """

    table: pa.Table
    new: pa.Table
    truth: Mapping[str, str]
    kinds: Mapping[str, str]
    copied: Mapping[str, str]
    wrong: Mapping[Split, frozenset[str]]
    new_truth: tuple[str, ...]

    def planted(self, kind: str) -> frozenset[str]:
        """Return the ids of the rows of one kind; "wrong label" are those of train."""
        if kind == "wrong label":
            return self.wrong[Split.TRAIN]
        return frozenset(row for row, one in self.kinds.items() if one == kind)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rows:
    """Rows before they are shuffled: pixels (n, 64), given and true digits (-1: none), split and kind of each, and the row that
    each was copied from (-1: none).
    """

    pixels: np.ndarray
    given: IntVector
    true: IntVector
    copied: IntVector
    splits: tuple[str, ...]
    kinds: tuple[str, ...]


def plant(seed: int = 0) -> World:
    """Return the digits with their faults; the same seed plants the same faults."""
    from sklearn.datasets import load_digits

    pixels, digits = load_digits(return_X_y=True)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(digits))
    n_given = sum(SIZES.values())
    splits = np.repeat([str(split) for split in SIZES], list(SIZES.values()))
    real, new = order[:n_given], order[n_given:]
    rows = _with_planted(pixels[real], digits[real], splits, rng)
    return _world(rows, pixels[new], digits[new], rng.permutation(len(rows.given)))


def _with_planted(pixels: np.ndarray, true: IntVector, splits: np.ndarray, rng: np.random.Generator) -> _Rows:
    """Give some rows a wrong label, and put copies, leaks and junk into train; copies are made of rows with a right label."""
    given = true.copy()
    for split, n in WRONG.items():
        wrong = rng.choice(np.flatnonzero(splits == split), n, replace=False)
        given[wrong] = np.asarray(LOOKS_LIKE)[true[wrong]]
    right, train = given == true, splits == str(Split.TRAIN)
    sources = {
        "exact copy": rng.choice(np.flatnonzero(right & train), PLANTED["exact copy"], replace=False),
        "near copy": rng.choice(np.flatnonzero(right & train), PLANTED["near copy"], replace=False),
        "leak": rng.choice(np.flatnonzero(right & ~train), PLANTED["leak"], replace=False),
    }
    copied = np.concatenate(list(sources.values()))
    grain = np.zeros((len(copied), SIDE * SIDE))
    near = np.repeat(list(sources), [len(rows) for rows in sources.values()]) == "near copy"
    grain[near] = rng.integers(-1, 2, (int(near.sum()), SIDE * SIDE))
    n_junk, n_planted = PLANTED["junk"], sum(PLANTED.values())
    junk = rng.integers(0, GREYS + 1, (n_junk, SIDE * SIDE))
    return _Rows(
        pixels=np.vstack([pixels, np.clip(pixels[copied] + grain, 0, GREYS), junk]),
        given=np.concatenate([given, given[copied], rng.integers(0, 10, n_junk)]),
        true=np.concatenate([true, true[copied], np.full(n_junk, -1)]),
        copied=np.concatenate([np.full(len(true), -1), copied, np.full(n_junk, -1)]),
        splits=(*splits.tolist(), *[str(Split.TRAIN)] * n_planted),
        kinds=(*[""] * len(true), *np.repeat(list(PLANTED), list(PLANTED.values())).tolist()),
    )


def _world(rows: _Rows, new_pixels: np.ndarray, new_true: IntVector, order: IntVector) -> World:
    """Return the rows in a shuffled order, so that neither order nor id tells what was planted."""
    ids = [f"d{number:04d}" for number in range(len(order))]
    table = pa.table(
        {
            "row_id": ids,
            "split": [rows.splits[i] for i in order],
            "image": pa.array([_png(rows.pixels[i]) for i in order], pa.binary()),
            "digit": [str(rows.given[i]) for i in order],
        }
    )
    wrong = (rows.given != rows.true) & (rows.true >= 0)
    named = list(zip(ids, order, strict=True))
    id_of = {int(i): row for row, i in named}
    return World(
        table=table,
        new=pa.table({"image": pa.array([_png(one) for one in new_pixels], pa.binary())}),
        truth={row: str(rows.true[i]) if rows.true[i] >= 0 else "" for row, i in named},
        kinds={row: rows.kinds[i] for row, i in named if rows.kinds[i]},
        copied={row: id_of[int(rows.copied[i])] for row, i in named if rows.copied[i] >= 0},
        wrong={split: frozenset(row for row, i in named if wrong[i] and rows.splits[i] == split) for split in SIZES},
        new_truth=tuple(str(digit) for digit in new_true),
    )


def _png(pixels: np.ndarray) -> bytes:
    from PIL import Image

    grey = np.round(np.asarray(pixels).reshape(SIDE, SIDE) / GREYS * 255).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(grey).resize((SHOWN_SIDE, SHOWN_SIDE), Image.Resampling.BICUBIC).save(file, "PNG")
    return file.getvalue()
