"""Planted worlds: small datasets whose truth is known.

    classes:  x | c ~ N(centre_c, 1),   p(given g | x) = sum_c p(c | x) T_x[c, g]
    numbers:  y = 3 x_0 - 2 x_1 + x_2 + N(0, 0.5²)

Rows are drawn from a stated law, so that what a perfect model would predict of the *given* labels is known exactly: the
worlds need no learner, and what they plant is the whole truth.

Source: Natarajan, Dhillon, Ravikumar, Tewari (2013), NeurIPS, section 2 (class-dependent noise); Cheng et al. (2020), ICML,
definition 1 (noise that depends on the features).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import softmax

from tilth.core.arrays import FloatMatrix32, IntVector, Mask, Matrix, Vector
from tilth.core.names import AUGMENT, PARENTS, ROW_ID, SPLIT, TARGET, TRUSTED, WEIGHT, Split
from tilth.core.rng import generator
from tilth.core.schema import Column, ColumnType, Role, Schema, Task, TaskType
from tilth.operators.image_cells import encoded

__all__ = [
    "NUMBERS",
    "Noise",
    "World",
    "classification_world",
    "null_world",
    "regression_world",
    "system_columns",
    "with_rich_columns",
]

Noise = Literal["none", "uniform", "class", "feature"]
"""What a wrong label depends on: nothing, the true class (or the number's size), or a feature that tells nothing else."""

NUMBERS = ("x0", "x1", "x2", "x3")
SEPARATION = 4.0
"""Distance of each class's centre from the origin, in standard deviations: 0.5 % of two classes' rows overlap."""
SHARES = {Split.TRAIN: 0.6, Split.DEV: 0.2, Split.TEST: 0.15, Split.POOL: 0.05}


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """A dataset with its truth.

    Parameters
    ----------
    table : the user's columns and tilth's own, all splits; pool rows have no label
    schema : columns and task
    truth : (n,) true class numbers, or true numbers
    predicted : (n, k) exact p(given class | features), or (n,) expected numbers: a perfect model, out of sample
    embeddings : (n, d) float32
    faults : kind of finding -> (n,) mask of the rows in which it was planted
    columns : kind of finding -> names of the columns in which it was planted
    source : facts about the source as a whole
    """

    table: pa.Table
    schema: Schema
    truth: np.ndarray
    predicted: np.ndarray
    embeddings: FloatMatrix32
    faults: Mapping[str, Mask] = field(default_factory=dict)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    source: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of rows."""
        return int(self.table.num_rows)

    @property
    def ids(self) -> pa.Array:
        """Row ids in storage order."""
        return self.table.column(ROW_ID).combine_chunks()

    @property
    def splits(self) -> np.ndarray:
        """Split of each row as text."""
        return np.asarray(self.table.column(SPLIT).to_pylist(), dtype=object)

    @property
    def labelled(self) -> Mask:
        """Rows that have a label."""
        return np.asarray(pc.is_valid(self.table.column(self.schema.task.label)))

    def mask(self, *splits: Split) -> Mask:
        """Return which rows stand in any of the splits."""
        return np.isin(self.splits.astype(str), [str(split) for split in splits])

    def take(self, rows: IntVector | Mask | Sequence[int]) -> World:
        """Return a world of some rows, in the order given."""
        at = np.asarray(rows)
        at = np.flatnonzero(at) if at.dtype == np.bool_ else at.astype(np.intp)
        return replace(
            self,
            table=self.table.take(pa.array(at, pa.int64())).combine_chunks(),
            truth=self.truth[at],
            predicted=self.predicted[at],
            embeddings=self.embeddings[at],
            faults={kind: mask[at] for kind, mask in self.faults.items()},
        )

    def with_cells(self, column: str, cells: pa.Array) -> World:
        """Return the world with other cells in one column of its table."""
        at = self.table.column_names.index(column)
        return replace(self, table=self.table.set_column(at, self.table.schema.field(at), cells))


def classification_world(
    *,
    rows: int = 900,
    priors: Sequence[float] = (0.4, 0.35, 0.25),
    noise: Noise = "none",
    rate: float = 0.1,
    separation: float = SEPARATION,
    seed: int = 0,
) -> World:
    """Return a world of k classes around k centres; `rate` of its labels are wrong, as `noise` says.

    Parameters
    ----------
    rows : rows of all splits together: 60 % train, 20 % dev, 15 % test, 5 % pool
    priors : (k,) share of each class, 2 <= k <= 3
    noise : none, uniform (to any other class), class (most of it from the first class to the second), feature (on one side of x3)
    rate : expected share of wrong labels in [0, 0.4]; with `class` at most 45 % of the first class, which then still prevails
    separation : distance of the centres from the origin, in standard deviations; 0 makes the features say nothing
    seed : decides everything
    """
    rng = generator(seed, "world", "classes", noise)
    shares = np.asarray(priors, dtype=np.float64) / sum(priors)
    truth = rng.choice(len(shares), size=rows, p=shares)
    centres = separation * np.eye(len(shares), len(NUMBERS))
    features = centres[truth] + rng.standard_normal((rows, len(NUMBERS)))
    transitions = _transitions(noise, rate, shares, features[:, -1])
    uniform = rng.random(rows)
    given = (uniform[:, None] > transitions[np.arange(rows), truth].cumsum(axis=1)).sum(axis=1)
    given = np.minimum(given, len(shares) - 1)
    squares = np.square(features[:, None, :] - centres[None]).sum(axis=2)
    true_probs = softmax(np.log(shares) - squares / 2, axis=1)
    names = tuple(f"class{c}" for c in range(len(shares)))
    kind = TaskType.BINARY if len(names) == 2 else TaskType.MULTICLASS
    labels = pa.array(np.array(names, dtype=object)[given], pa.string())
    return _world(
        Task(type=kind, label="label", classes=names),
        features,
        labels,
        truth=truth.astype(np.intp),
        predicted=np.einsum("nc,ncg->ng", true_probs, transitions),
        faults={"label_error": given != truth} if noise != "none" else {},
        rng=rng,
    )


def regression_world(*, rows: int = 900, noise: Noise = "none", rate: float = 0.1, seed: int = 0) -> World:
    """Return a world with a numeric label; `rate` of the numbers are off by 5 to 15, as `noise` says.

    Parameters
    ----------
    rows : rows of all splits together, split as in `classification_world`
    noise : none, uniform, class (numbers above the median only), feature (on one side of x3)
    rate : expected share of wrong numbers in [0, 0.4]
    seed : decides everything
    """
    rng = generator(seed, "world", "numbers", noise)
    features = rng.standard_normal((rows, len(NUMBERS)))
    expected = features @ np.array([3.0, -2.0, 1.0, 0.0])
    truth = expected + 0.5 * rng.standard_normal(rows)
    side = {"none": 0.0, "uniform": 1.0, "class": 2.0 * (truth > 0), "feature": 2.0 * (features[:, -1] > 0)}[noise]
    wrong = rng.random(rows) < rate * np.asarray(side)
    shift = rng.choice([-1.0, 1.0], size=rows) * rng.uniform(5.0, 15.0, size=rows)
    return _world(
        Task(type=TaskType.REGRESSION, label="label", metric="mae"),
        features,
        pa.array(np.where(wrong, truth + shift, truth), pa.float64()),
        truth=truth,
        predicted=expected,
        faults={"label_error": wrong} if noise != "none" else {},
        rng=rng,
    )


def null_world(*, rows: int = 900, seed: int = 0) -> World:
    """Return a world whose features say nothing about its classes: no edit can help, no label can be doubted."""
    return classification_world(rows=rows, priors=(0.5, 0.5), separation=0.0, seed=seed)


def with_rich_columns(world: World, side: int = 16) -> World:
    """Return a world with two more columns: `image`, whose colour follows the first two features, and `words`, which name them."""
    first, second = (world.embeddings[:, place].astype(np.float64) for place in (0, 1))
    level = np.clip(128 + 40 * np.column_stack([first, second]), 20, 235)
    noise = generator(0, "testing", "images").integers(-20, 21, (len(world), side, side, 3))
    colour = np.column_stack([level, np.full(len(world), 128.0)])
    pixels = np.clip(colour[:, None, None, :] + noise, 0, 255).astype(np.uint8)
    words = [
        f"{'high' if a > 0 else 'low'} and then {'wide' if b > 0 else 'narrow'}"
        for a, b in zip(first, second, strict=True)
    ]
    table = world.table.append_column("image", pa.array([encoded(one) for one in pixels], pa.binary()))
    table = table.append_column("words", pa.array(words, pa.string()))
    more = (Column(name="image", type=ColumnType.IMAGE), Column(name="words", type=ColumnType.TEXT))
    return replace(world, table=table, schema=replace(world.schema, columns=(*world.schema.columns, *more)))


def system_columns(ids: pa.Array, splits: pa.Array, n_classes: int) -> dict[str, pa.Array]:
    """Return tilth's own columns for rows of a source: no soft targets, weights, trust or parents."""
    n = len(ids)
    return {
        ROW_ID: ids,
        SPLIT: splits,
        TARGET: pa.nulls(n, pa.list_(pa.float32(), max(n_classes, 1))),
        WEIGHT: pa.nulls(n, pa.float64()),
        TRUSTED: pa.array(np.zeros(n, dtype=bool)),
        PARENTS: pa.nulls(n, pa.list_(pa.string())),
        AUGMENT: pa.nulls(n, pa.string()),
    }


def _transitions(noise: Noise, rate: float, shares: Vector, feature: Vector) -> np.ndarray:
    """The (n, k, k) probabilities of each given class for each true one, row by row."""
    k = len(shares)
    kept = np.eye(k)
    uniform = (1 - kept) / (k - 1)
    if noise == "class":
        flip = min(rate / shares[0], 0.45)
        moved = kept.copy()
        moved[0, :2] = [1 - flip, flip]
        return np.repeat(moved[None], len(feature), axis=0)
    rates: Vector = {
        "none": np.zeros(len(feature)),
        "uniform": np.full(len(feature), rate),
        "feature": 2 * rate * (feature > 0),
    }[noise]
    return (1 - rates)[:, None, None] * kept + rates[:, None, None] * uniform


def _world(
    task: Task,
    features: Matrix,
    labels: pa.Array,
    *,
    truth: np.ndarray,
    predicted: np.ndarray,
    faults: dict[str, Mask],
    rng: np.random.Generator,
) -> World:
    rows = len(features)
    splits = rng.choice([str(split) for split in SHARES], size=rows, p=list(SHARES.values()))
    pool = splits == str(Split.POOL)
    table = {name: pa.array(features[:, j]) for j, name in enumerate(NUMBERS)}
    table["colour"] = pa.array(rng.choice(["red", "green", "blue"], size=rows).astype(object), pa.string())
    table["day"] = pa.array(rng.permutation(rows) * 3_600_000_000, pa.timestamp("us"))
    table["label"] = pc.if_else(pa.array(pool), pa.scalar(None, labels.type), labels)
    ids = pa.array([f"r{i:05d}" for i in range(rows)])
    columns = [Column(name=name, type=ColumnType.NUMBER) for name in NUMBERS]
    columns += [
        Column(name="colour", type=ColumnType.CATEGORY),
        Column(name="day", type=ColumnType.DATE, role=Role.TIME),
        Column(name="label", type=ColumnType.NUMBER if task.is_regression else ColumnType.CATEGORY, role=Role.LABEL),
    ]
    return World(
        table=pa.table(table | system_columns(ids, pa.array(splits, pa.string()), task.n_classes)),
        schema=Schema(columns=tuple(columns), tasks=(task,)),
        truth=truth,
        predicted=predicted,
        embeddings=features.astype(np.float32),
        faults={kind: mask & ~pool for kind, mask in faults.items()},
    )
