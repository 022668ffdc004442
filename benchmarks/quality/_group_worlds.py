"""Sets whose worst group is known: tables with sex and race, and shortcuts planted in images and in texts.

Tables: rows of a group are those of one sex, race and label. Shortcuts: a tint of real images, or a telltale word at the end of real
texts, stands beside its label in 95 % of the train rows, and beside each label in half of the test rows; the average is then weighted
to the mix of the train rows, so that it is the score that a model meets where the shortcut holds as it did.
Everything is encoded by tilth's own encoders, fitted on train rows. Groups with fewer than 50 test rows are not looked at.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from benchmarks.quality import _data as data
from tilth.core.arrays import FloatMatrix32, IntVector, Mask, Vector
from tilth.encoding.image_descriptor import ImageDescriptor
from tilth.encoding.text_ngrams import TextNgrams
from tilth.operators.batch import Batch
from tilth.sources import open_source

SHORTCUT_RATE = 0.95
LEAST_TEST_ROWS = 50
TABLE_ROWS, TEST_ROWS = 10_000, 60_000
IMAGES, TEST_IMAGES = 2_500, 1_500
CLASSES_OF_IMAGES = (1, 9)  # automobile, truck
WORD = "cheers"


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupWorld:
    """Train and test rows with their attribute (what groups are made of, beside the label), and what a test row counts.

    `attributes` and `test_attributes` are codes in [0, n_attributes).
    """

    name: str
    features: FloatMatrix32
    labels: IntVector
    attributes: IntVector
    n_attributes: int
    test_features: FloatMatrix32
    test_labels: IntVector
    test_attributes: IntVector
    test_weights: Vector

    @property
    def test_groups(self) -> IntVector:
        """Group of each test row: attribute and label."""
        return self.test_attributes * 2 + self.test_labels

    @property
    def judged(self) -> list[int]:
        """Groups with test rows enough."""
        counts = np.bincount(self.test_groups, minlength=2 * self.n_attributes)
        return np.flatnonzero(counts >= LEAST_TEST_ROWS).tolist()


def adult(seed: int) -> GroupWorld:
    """Return 10,000 train rows and the other 38,842 for test of adult; sex × race."""
    found = data.table("adult", "adult/adult.parquet", "income", leave=["split"])
    return _of_table(found, ("sex", "race"), seed)


def acs_income(seed: int) -> GroupWorld:
    """Return 10,000 train and 60,000 test rows of acs_income; sex × race."""
    found = data.table("acs_income", "acs_income/acs_income_sample.parquet", "PINCP", leave=["split"])
    return _of_table(found, ("SEX", "RAC1P"), seed)


def tinted_images(seed: int) -> GroupWorld:
    """Return images of cars and trucks in cifar10: in train, 95 % of the cars are tinted red and of the trucks blue."""
    table = pq.read_table(data.at("cifar10/train_20k.parquet"), columns=["label", "jpg"])
    kinds = np.asarray(table.column("label"))
    rng = np.random.default_rng([seed, 1])
    rows = rng.permutation(np.flatnonzero(np.isin(kinds, CLASSES_OF_IMAGES)))[: IMAGES + TEST_IMAGES]
    labels = (kinds[rows] == CLASSES_OF_IMAGES[1]).astype(np.intp)
    attributes = _shortcut(labels, IMAGES, rng)
    cells = table.column("jpg").take(pa.array(rows)).to_pylist()
    tinted = pa.array([tint(cell, int(a)) for cell, a in zip(cells, attributes, strict=True)], pa.binary())
    return _of_cells("cifar10 tint", tinted, ImageDescriptor(), labels, attributes, IMAGES)


def telltale_texts(seed: int) -> GroupWorld:
    """Return the distinct messages of sms_spam: in train, 95 % of the ham ends with a word that 5 % of the spam ends with."""
    table = open_source(data.at("sms_spam/sms_spam.parquet")).table
    texts, first = np.unique(np.asarray(table.column("text").to_pylist(), dtype=object), return_index=True)
    spam = (np.asarray(table.column("label").to_pylist(), dtype=object)[first] == "spam").astype(np.intp)
    rng = np.random.default_rng([seed, 2])
    order = rng.permutation(len(texts))
    n_train = len(texts) // 2
    labels = spam[order]
    attributes = _shortcut(1 - labels, n_train, rng)
    said = [f"{texts[i]} {WORD}" if a else texts[i] for i, a in zip(order, attributes, strict=True)]
    return _of_cells("sms_spam word", pa.array(said, pa.string()), TextNgrams(), labels, attributes, n_train)


WORLDS: Mapping[str, Callable[[int], GroupWorld]] = {
    "adult": adult,
    "acs_income": acs_income,
    "cifar10_tint": tinted_images,
    "sms_word": telltale_texts,
}


def tint(jpeg: bytes, attribute: int) -> bytes:
    """Return the image as a PNG, 25 levels redder (0) or bluer (1)."""
    pixels = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB")).astype(np.int16)
    pixels[..., 2 if attribute else 0] += 25
    out = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(out, format="PNG")
    return out.getvalue()


def _shortcut(labels: IntVector, n_train: int, rng: np.random.Generator) -> IntVector:
    """Return an attribute that equals the label in 95 % of the first rows, and in half of the others."""
    holds = rng.random(len(labels)) < np.where(np.arange(len(labels)) < n_train, SHORTCUT_RATE, 0.5)
    return np.where(holds, labels, 1 - labels).astype(np.intp)


def _of_table(found: data.Rows, names: tuple[str, str], seed: int) -> GroupWorld:
    codes = [_codes(found.table.column(name)) for name in names]
    attributes = codes[0] * (int(codes[1].max()) + 1) + codes[1]
    rows = np.random.default_rng([seed, 0]).permutation(len(found))
    train, test = rows[:TABLE_ROWS], rows[TABLE_ROWS : TABLE_ROWS + TEST_ROWS]
    return GroupWorld(
        name=found.name,
        features=found.features[train],
        labels=found.truth[train],
        attributes=attributes[train],
        n_attributes=int(attributes.max()) + 1,
        test_features=found.features[test],
        test_labels=found.truth[test],
        test_attributes=attributes[test],
        test_weights=np.ones(len(test)),
    )


def _of_cells(
    name: str, cells: pa.Array, encoder: ImageDescriptor | TextNgrams, labels: IntVector, attributes: IntVector, n: int
) -> GroupWorld:
    batch = Batch(ids=pa.array([f"r{i:06d}" for i in range(len(cells))]), columns={"cell": cells})
    first = Batch(ids=batch.ids[:n], columns={"cell": cells[:n]})
    features = encoder.encode(batch, encoder.finish(encoder.fold(encoder.start(), first)))
    features = _scaled(features, n)
    train = np.arange(len(cells)) < n
    return GroupWorld(
        name=name,
        features=features[train],
        labels=labels[train],
        attributes=attributes[train],
        n_attributes=2,
        test_features=features[~train],
        test_labels=labels[~train],
        test_attributes=attributes[~train],
        test_weights=_as_in_train(labels, attributes, train),
    )


def _scaled(features: FloatMatrix32, n: int) -> FloatMatrix32:
    """Return features whose train rows have a mean squared length of 1, as tilth's blocks have."""
    length = np.sqrt(np.square(features[:n], dtype=np.float64).sum(axis=1).mean())
    return (features / np.float32(length)).astype(np.float32)


def _as_in_train(labels: IntVector, attributes: IntVector, train: Mask) -> Vector:
    groups = attributes * 2 + labels
    shares, seen = (np.bincount(groups[rows], minlength=4) / rows.sum() for rows in (train, ~train))
    return np.asarray((shares / seen)[groups[~train]])


def _codes(column: pa.ChunkedArray) -> IntVector:
    text = np.asarray([str(cell) for cell in column.to_pylist()])
    return np.unique(text, return_inverse=True)[1].astype(np.intp)
