"""Settings of the effect benchmark: rows whose given labels are wrong in part, their truth, and clean rows to measure on.

People's labels: cifar10 by fixed embeddings and by tilth's own image encoder, roman_numerals (truth: what most of three people
who cleaned the competition's data left standing). Planted: banking77, sms_spam and adult with 0, 10 and 30 % of all labels,
test rows included, moved to another class at random.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.quality import _data as data

ID, SPLIT, LABEL = "row_id", "split", "label"
RATES = (0, 10, 30)
PEOPLE = ("worse_label", "random_label1", "aggre_label")
_TRAIN, _DEV = 14_000, 4_000


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """One setting and seed.

    Parameters
    ----------
    table : rows with id, split, features and given label
    truth : (n,) true label of each row; None where there is none
    clean, clean_truth : rows with features whose labels are surely right
    kinds : options for `tilth.init` that name the features
    """

    table: pa.Table
    truth: np.ndarray
    clean: pa.Table
    clean_truth: np.ndarray
    kinds: dict[str, list[str]]

    def truth_of(self, ids: list[str]) -> np.ndarray:
        """Return the truth of rows by id."""
        known = dict(zip(self.table.column(ID).to_pylist(), self.truth.tolist(), strict=True))
        return np.array([known[row] for row in ids], dtype=object)


def settings() -> dict[str, Callable[[int], World]]:
    """Return what makes each setting's world for a seed, by name."""
    people = {f"cifar10 {name}": partial(_cifar10, name) for name in PEOPLE}
    images = {f"cifar10 images {name}": partial(_cifar10_images, name) for name in PEOPLE}
    sources = {"banking77": _banking77, "sms_spam": _sms_spam, "adult": _adult}
    planted = {
        f"{name} {rate} %": partial(_planted, source, rate / 100) for name, source in sources.items() for rate in RATES
    }
    return people | {"roman_numerals": _roman_numerals} | planted | images


# -- people's labels ---------------------------------------------------------------------------------------------------


def _cifar10(people: str, seed: int) -> World:
    vectors = np.load(data.at("embeddings/cifar10_train_20k_efficientnet_lite0_pca256.npy"))
    clean = np.load(data.at("embeddings/cifar10_test_10k_efficientnet_lite0_pca256.npy"))
    return _of_cifar10(people, seed, "vector", _vectors(vectors), _vectors(clean), {"embedding": ["vector"]})


def _cifar10_images(people: str, seed: int) -> World:
    train, clean = (pq.read_table(data.at(f"cifar10/{name}.parquet")) for name in ("train_20k", "test_10k"))
    return _of_cifar10(people, seed, "image", train.column("jpg"), clean.column("jpg"), {})


def _of_cifar10(
    people: str, seed: int, feature: str, cells: object, clean: object, kinds: dict[str, list[str]]
) -> World:
    train = pq.read_table(data.at("cifar10/train_20k.parquet"), columns=["label", people])
    table = pa.table({feature: cells, LABEL: _names(train.column(people))})
    sizes = {"train": _TRAIN, "dev": _DEV, "test": train.num_rows - _TRAIN - _DEV}
    truth = pq.read_table(data.at("cifar10/test_10k.parquet"), columns=["label"]).column("label")
    return World(
        table=_with_splits(table, _drawn(sizes, seed)),
        truth=np.array(_names(train.column("label")), dtype=object),
        clean=pa.table({feature: clean}),
        clean_truth=np.array(_names(truth), dtype=object),
        kinds=kinds,
    )


def _roman_numerals(seed: int) -> World:
    rows = pq.read_table(data.at("roman_numerals/roman_numerals.parquet"))
    people = pq.read_table(data.at("roman_numerals/participants.parquet"))
    said = dict(zip(people.column("id").to_pylist(), people.column("majority_of_3_cleaners").to_pylist(), strict=True))
    rows = rows.filter(pa.array([split != "label_book" for split in rows.column("split").to_pylist()]))
    classes = set(rows.column("label").to_pylist())
    truth = np.array(
        [one if one in classes else None for one in map(said.get, rows.column("id").to_pylist())], dtype=object
    )
    kept = np.array(rows.column("split").to_pylist()) == "val"
    splits = np.where(kept, "test", "train").astype("<U5")
    inside = np.flatnonzero(~kept)
    splits[np.random.default_rng([seed, 3]).permutation(inside)[: len(inside) // 4]] = "dev"
    table = _with_splits(pa.table({"image": rows.column("png"), LABEL: rows.column("label")}), splits)
    return _measured_on_test(World(table=table, truth=truth, clean=table, clean_truth=truth, kinds={}))


# -- planted noise -----------------------------------------------------------------------------------------------------


def _planted(source: Callable[[int], World], rate: float, seed: int) -> World:
    """Return a world of which a share of all given labels was moved to another class, drawn uniformly."""
    world = source(seed)
    classes, codes = np.unique(world.truth.astype(str), return_inverse=True)
    rng = np.random.default_rng([seed, 5])
    other = (codes + rng.integers(1, len(classes), len(codes))) % len(classes)
    given = classes[np.where(rng.random(len(codes)) < rate, other, codes)]
    at = world.table.column_names.index(LABEL)
    return _measured_on_test(replace(world, table=world.table.set_column(at, LABEL, pa.array(given))))


def _banking77(seed: int) -> World:
    train, test = (pq.read_table(data.at(f"banking77/{name}.parquet")) for name in ("train", "test"))
    splits = np.array(["train"] * train.num_rows + ["test"] * test.num_rows)
    splits[np.random.default_rng([seed, 3]).permutation(train.num_rows)[:2_000]] = "dev"
    return _source(pa.concat_tables([train, test]), "category", splits, text=["text"])


def _sms_spam(seed: int) -> World:
    rows = pq.read_table(data.at("sms_spam/sms_spam.parquet"))
    n = rows.num_rows
    sizes = {"train": n - 2 * (n // 5), "dev": n // 5, "test": n // 5}
    return _source(rows, "label", _drawn(sizes, seed), text=["text"])


def _adult(seed: int) -> World:
    rows = pq.read_table(data.at("adult/adult.parquet"))
    splits = np.array(rows.column("split").to_pylist()).astype("<U5")
    inside = np.flatnonzero(splits == "train")
    splits[np.random.default_rng([seed, 3]).permutation(inside)[: len(inside) // 4]] = "dev"
    return _source(rows.drop_columns(["split"]), "income", splits)


def _source(rows: pa.Table, label: str, splits: np.ndarray, **kinds: list[str]) -> World:
    truth = np.array(rows.column(label).to_pylist(), dtype=object)
    table = _with_splits(rows.rename_columns([LABEL if c == label else c for c in rows.column_names]), splits)
    return World(table=table, truth=truth, clean=table, clean_truth=truth, kinds=kinds)


# -- parts -------------------------------------------------------------------------------------------------------------


def _measured_on_test(world: World) -> World:
    """Return the world with its test rows whose truth is known as the clean ones."""
    on = (np.array(world.table.column(SPLIT).to_pylist()) == "test") & np.not_equal(world.truth, None)
    features = world.table.drop_columns([ID, SPLIT, LABEL])
    return replace(world, clean=features.filter(pa.array(on)), clean_truth=world.truth[on])


def _drawn(sizes: dict[str, int], seed: int) -> np.ndarray:
    names = np.repeat(list(sizes), list(sizes.values()))
    return np.random.default_rng([seed, 3]).permutation(names)


def _with_splits(table: pa.Table, splits: np.ndarray) -> pa.Table:
    ids = pa.array([f"r{i:05d}" for i in range(table.num_rows)])
    return table.append_column(ID, ids).append_column(SPLIT, pa.array(splits.tolist())).combine_chunks()


def _names(codes: pa.ChunkedArray) -> list[str]:
    return [f"class{c}" for c in codes.to_pylist()]


def _vectors(matrix: np.ndarray) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.astype(np.float32).ravel()), matrix.shape[1])
