"""Faults planted in a world: which kind, in which rows or columns, and nothing else changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Matrix
from tilth.core.names import ROW_ID, SPLIT, Split
from tilth.core.rng import generator
from tilth.core.schema import Column, ColumnType, Role
from tilth.testing.worlds import NUMBERS, World, classification_world, null_world, regression_world

__all__ = [
    "PLANTED",
    "broken_files",
    "busy_world",
    "clean_worlds",
    "copies",
    "faulty_columns",
    "gaps",
    "leaks",
    "outliers",
    "planted_worlds",
    "shortcuts",
    "stale_rows",
    "undecided_rows",
]


def copies(world: World, *, rows: int = 30, jitter: float = 0.0, seed: int = 0) -> World:
    """Add copies of train rows; with jitter (in standard deviations) they are nearly equal only."""
    kind = "near_duplicate" if jitter else "exact_duplicate"
    doubled = _with_copies(world, _draw(world, Split.TRAIN, rows, seed), kind)
    if not jitter:
        return doubled
    added = np.arange(len(world), len(doubled))
    noise = generator(seed, "jitter").standard_normal((len(added), len(NUMBERS)))
    return _with_features(doubled, added, _features(doubled)[added] + jitter * noise)


def leaks(world: World, *, rows: int = 30, seed: int = 0) -> World:
    """Add copies of dev and test rows to train."""
    doubled = _with_copies(world, _draw(world, (Split.DEV, Split.TEST), rows, seed), "leakage")
    splits = doubled.splits
    splits[len(world) :] = str(Split.TRAIN)
    return doubled.with_cells(SPLIT, pa.array(splits.tolist(), pa.string()))


def outliers(world: World, *, rows: int = 12, distance: float = 40.0, seed: int = 0) -> World:
    """Move train rows far away, each in a direction of its own; their labels and predictions stay."""
    chosen = _draw(world, Split.TRAIN, rows, seed)
    away = generator(seed, "away").standard_normal((len(chosen), len(NUMBERS)))
    away *= distance / np.linalg.norm(away, axis=1, keepdims=True)
    return _marked(_with_features(world, chosen, _features(world)[chosen] + away), "outlier", chosen)


def undecided_rows(world: World, *, rows: int = 60, seed: int = 0) -> World:
    """Move train rows of the first two classes to the middle between the centres of both."""
    first_two = np.flatnonzero(world.mask(Split.TRAIN) & (world.truth < 2))
    chosen = np.sort(generator(seed, "undecided").choice(first_two, size=min(rows, len(first_two)), replace=False))
    features = _features(world)
    means = np.stack([features[world.truth == c].mean(axis=0) for c in (0, 1)])
    spread = 0.2 * generator(seed, "middle").standard_normal((len(chosen), len(NUMBERS)))
    moved = _with_features(world, chosen, means.mean(axis=0) + spread)
    predicted = np.array(world.predicted)
    predicted[chosen] = 0.0
    predicted[chosen, :2] = 0.5
    return _marked(replace(moved, predicted=predicted), "ambiguous", chosen)


def stale_rows(world: World, *, share: float = 0.3, seed: int = 0) -> World:
    """Let the labels of the oldest train rows follow no rule, as if the world had changed since."""
    day = np.asarray(world.table.column("day"), dtype="datetime64[us]").astype(np.int64)
    train = world.mask(Split.TRAIN)
    old = train & (day <= np.quantile(day[train], share))
    labels = np.asarray(world.table.column("label").to_pylist(), dtype=object)
    rows = np.flatnonzero(old)
    labels[rows] = labels[generator(seed, "stale").permutation(rows)]
    kind = world.table.schema.field("label").type
    return _marked(world.with_cells("label", pa.array(labels.tolist(), kind)), "stale_row", rows)


def gaps(world: World, *, rows: int = 30, seed: int = 0) -> World:
    """Empty most feature cells of some train rows."""
    chosen = _draw(world, Split.TRAIN, rows, seed)
    hollow = world
    for name in (*NUMBERS[1:], "colour"):
        cells = np.asarray(world.table.column(name).to_pylist(), dtype=object)
        cells[chosen] = None
        hollow = hollow.with_cells(name, pa.array(cells.tolist(), world.table.schema.field(name).type))
    embeddings = np.array(world.embeddings)
    embeddings[chosen, 1:] = 0.0
    return _marked(replace(hollow, embeddings=embeddings), "missing_values", chosen)


def broken_files(world: World, *, rows: int = 10, seed: int = 0) -> World:
    """Name the files of some train rows as broken."""
    chosen = _draw(world, Split.TRAIN, rows, seed)
    reasons = dict.fromkeys(world.ids.take(pa.array(chosen)).to_pylist(), "cut short")
    return _marked(replace(world, source={"broken_images": reasons}), "broken_file", chosen)


def split_groups(world: World, *, groups: int = 60) -> World:
    """Add a group column whose groups stand in several splits."""
    chosen = np.flatnonzero(world.mask(Split.TRAIN))
    codes = pa.array([f"g{i % groups}" for i in range(len(world))])
    wider = _with_column(world, Column(name="site", type=ColumnType.CATEGORY, role=Role.GROUP), codes)
    return _marked(wider, "group_leakage", chosen)


def faulty_columns(world: World, *, seed: int = 0) -> World:
    """Add a constant, an empty and a numbering column, one that tells the label, and one with gaps in one class."""
    n = len(world)
    labels = pa.array(world.table.column("label").to_pylist(), world.table.schema.field("label").type)
    first = np.asarray(world.truth == 0)
    hollow = generator(seed, "hollow").random(n) < np.where(first, 0.6, 0.05)
    added = {
        "constant_column": (Column(name="one", type=ColumnType.CATEGORY), pa.array(["same"] * n)),
        "empty_column": (Column(name="none", type=ColumnType.NUMBER), pa.nulls(n, pa.float64())),
        "id_like_column": (Column(name="line", type=ColumnType.NUMBER), pa.array(np.arange(n))),
        "target_leak": (Column(name="outcome", type=ColumnType.CATEGORY), labels),
        "missing_by_label": (
            Column(name="hollow", type=ColumnType.NUMBER),
            pa.array(generator(seed, "cells").random(n), mask=hollow),
        ),
    }
    for column, cells in added.values():
        world = _with_column(world, column, cells)
    return replace(world, columns={kind: (column.name,) for kind, (column, _) in added.items()})


def shortcuts(world: World, *, rate: float = 0.95, seed: int = 0) -> World:
    """Add a mark that stands beside the first class in a share of all rows, and predictions that go by the mark more than by the rest."""
    first = world.truth == 0
    holds = np.where(generator(seed, "mark").random(len(world)) < rate, first, ~first)
    odds = np.where(holds[:, None] == (np.arange(world.predicted.shape[1]) == 0), rate, 1 - rate) ** 2
    predicted = world.predicted * odds
    marked = _with_column(
        world, Column(name="mark", type=ColumnType.CATEGORY), pa.array(np.where(holds, "on", "off").tolist())
    )
    return replace(
        marked,
        predicted=predicted / predicted.sum(axis=1, keepdims=True),
        embeddings=np.column_stack([world.embeddings, 6 * holds - 3]).astype(np.float32),
        columns={"shortcut": ("mark",)},
    )


def busy_world(*, regression: bool = False, rows: int = 900, seed: int = 0) -> World:
    """Return a world with a little of everything, on which most operators have something to say."""
    if regression:
        world = regression_world(rows=rows, noise="feature", seed=seed)
    else:
        world = classification_world(rows=rows, priors=(0.6, 0.28, 0.12), noise="feature", seed=seed)
    world = copies(copies(world, rows=12, seed=seed), rows=12, jitter=1e-4, seed=seed + 1)
    return gaps(outliers(leaks(world, rows=12, seed=seed), rows=8, seed=seed), rows=10, seed=seed)


PLANTED: Mapping[str, Callable[[int], World]] = {
    "uniform": lambda seed: classification_world(noise="uniform", seed=seed),
    "class-dependent": lambda seed: classification_world(noise="class", seed=seed),
    "feature-dependent": lambda seed: classification_world(noise="feature", seed=seed),
    "numbers": lambda seed: regression_world(noise="feature", seed=seed),
    "copies": lambda seed: copies(classification_world(seed=seed), seed=seed),
    "near copies": lambda seed: copies(classification_world(seed=seed), jitter=1e-3, seed=seed),
    "leaks": lambda seed: leaks(classification_world(seed=seed), seed=seed),
    "groups": lambda seed: split_groups(classification_world(seed=seed)),
    "outliers": lambda seed: outliers(classification_world(seed=seed), seed=seed),
    "undecided": lambda seed: undecided_rows(classification_world(seed=seed), seed=seed),
    "stale": lambda seed: stale_rows(classification_world(seed=seed), seed=seed),
    "gaps": lambda seed: gaps(classification_world(seed=seed), seed=seed),
    "broken files": lambda seed: broken_files(classification_world(seed=seed), seed=seed),
    "columns": lambda seed: faulty_columns(classification_world(seed=seed), seed=seed),
    "shortcut": lambda seed: shortcuts(classification_world(rows=2_000, separation=2.5, seed=seed), seed=seed),
    "rare class": lambda seed: replace(
        classification_world(priors=(0.62, 0.3, 0.08), seed=seed), columns={"class_imbalance": ("label",)}
    ),
}
"""Worlds with one planted fault each, by a readable name."""


@lru_cache(maxsize=4)
def planted_worlds(seed: int = 0) -> Mapping[str, World]:
    """Return every world of `PLANTED`."""
    return {name: make(seed) for name, make in PLANTED.items()}


@lru_cache(maxsize=4)
def clean_worlds(seed: int = 0) -> Mapping[str, World]:
    """Return worlds in which nothing is wrong."""
    return {
        "classes": classification_world(seed=seed),
        "numbers": regression_world(seed=seed),
        "null": null_world(seed=seed),
    }


def _draw(world: World, split: Split | tuple[Split, ...], rows: int, seed: int) -> IntVector:
    """Positions of labelled rows that no other plant has touched."""
    splits = split if isinstance(split, tuple) else (split,)
    free = world.mask(*splits) & world.labelled
    for mask in world.faults.values():
        free &= ~mask
    places = np.flatnonzero(free)
    rng = generator(seed, "plant", len(world), len(world.faults))
    return np.sort(rng.choice(places, size=min(rows, len(places)), replace=False))


def _features(world: World) -> Matrix:
    return np.column_stack([np.asarray(world.table.column(name)) for name in NUMBERS])


def _with_features(world: World, rows: IntVector, values: Matrix) -> World:
    features, embeddings = _features(world), np.array(world.embeddings)
    features[rows], embeddings[rows] = values, values
    for j, name in enumerate(NUMBERS):
        world = world.with_cells(name, pa.array(features[:, j]))
    return replace(world, embeddings=embeddings)


def _with_copies(world: World, rows: IntVector, kind: str) -> World:
    doubled = world.take(np.concatenate([np.arange(len(world)), rows]))
    names = world.ids.to_pylist()
    copied = [f"{names[row]}-{kind}" for row in rows]
    return _marked(doubled.with_cells(ROW_ID, pa.array(names + copied)), kind, np.arange(len(world), len(doubled)))


def _with_column(world: World, column: Column, cells: pa.Array) -> World:
    schema = replace(world.schema, columns=(*world.schema.columns, column))
    return replace(world, table=world.table.append_column(column.name, cells), schema=schema)


def _marked(world: World, kind: str, rows: IntVector) -> World:
    mask = np.zeros(len(world), dtype=bool)
    mask[rows] = True
    return replace(world, faults={**world.faults, kind: mask})
