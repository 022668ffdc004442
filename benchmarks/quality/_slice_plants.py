"""Planted slices on fixed embeddings: rows on which a model fails for a known reason, and which rows those are.

rare        a class, a cluster of a class or a few like intents that the train rows hardly hold
correlated  a property (brightness, colour, length, words, topic) that tells the label in 95 of 100 train rows; the slices are
            the two corners where it tells the other label
noisy       a class, a cluster or a ball of embeddings in which labels are flipped, in train, seen and judged rows alike

The label is a group of classes (two, three or five groups, drawn at random). A logistic regression is fitted to the train rows;
slicers see other rows with their labels and its predictions; what they find is judged on a third part. A slice counts as
planted where the model's accuracy on the judged rows is at least ten points below that of the rows outside, and at least
thirty judged rows lie in it: the plant says so, before any slicer is asked.

Source of the three kinds: Eyuboglu et al. (2022), Domino, ICLR, section 4.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from PIL import Image
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SETS = ("cifar10", "banking77")
KINDS = ("rare", "correlated", "noisy")
N_TRAIN, N_SEEN, N_JUDGED = 5_000, 3_000, 3_000
LEAST_DROP, LEAST_ROWS = 0.10, 30


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """Embeddings with a fine class and some properties of each row."""

    name: str
    features: np.ndarray
    fine: np.ndarray
    topics: np.ndarray
    """(classes,) a coarser group of each fine class."""
    properties: dict[str, np.ndarray]
    """Name -> (n,) 1, 0, or -1 where a row has neither clearly."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """Rows with labels as given, predictions, and which belong to each planted slice."""

    features: np.ndarray
    labels: np.ndarray
    pred_probs: np.ndarray
    slices: tuple[np.ndarray, ...]

    @property
    def right(self) -> np.ndarray:
        """1 where the prediction is the given label."""
        return (self.pred_probs.argmax(axis=1) == self.labels).astype(np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Plant:
    """What slicers see, and what they are judged on."""

    name: str
    source: str
    kind: str
    seen: Part
    judged: Part


class AbsentError(LookupError):
    """The shared data lacks a set."""


def plants(source: str, kind: str, numbers: range) -> Iterator[Plant]:
    """Yield the plants of some numbers in which a slice turned out planted."""
    rows = source_of(source)
    for number in numbers:
        rng = np.random.default_rng([SETS.index(source), KINDS.index(kind), number])
        found = _planted(rows, kind, number, rng)
        if found is not None:
            yield found


def _planted(rows: Source, kind: str, number: int, rng: np.random.Generator) -> Plant | None:
    groups = 2 if kind == "correlated" else int(rng.choice([2, 3, 5]))
    label_of = _groups(rng, int(rows.fine.max()) + 1, groups)
    labels = label_of[rows.fine]
    order = rng.permutation(len(labels))
    if kind == "correlated":
        order, slices = _correlated(rows, labels, order, rng)
    else:
        slices = (_region(rows, rng, may_be_ball=kind == "noisy"),)
    if kind == "noisy":
        labels = _flipped(labels, slices[0], groups, rng)
    seen, judged, train = order[:N_SEEN], order[N_SEEN : N_SEEN + N_JUDGED], order[N_SEEN + N_JUDGED :]
    if kind == "rare":
        left = ~slices[0][train] | (rng.random(len(train)) < rng.choice([0.0, 0.03, 0.1]))
        train = train[left]
    if kind == "correlated":
        corner = (slices[0] | slices[1])[train]
        ordinary, rare = train[~corner], train[corner]
        train = rng.permutation(np.concatenate([ordinary, rare[: len(ordinary) // 19]]))
    train = train[:N_TRAIN]
    if len(np.unique(labels[train])) < groups:
        return None
    model = LogisticRegression(C=0.05, max_iter=500).fit(_scaled(rows)[train], labels[train])
    parts = [_part(rows, labels, slices, at, model) for at in (seen, judged)]
    kept = [i for i, inside in enumerate(parts[1].slices) if _is_planted(parts[1].right, inside)]
    if not kept:
        return None
    parts = [
        Part(features=p.features, labels=p.labels, pred_probs=p.pred_probs, slices=tuple(p.slices[i] for i in kept))
        for p in parts
    ]
    return Plant(name=f"{rows.name} {kind} {number}", source=rows.name, kind=kind, seen=parts[0], judged=parts[1])


def _is_planted(right: np.ndarray, inside: np.ndarray) -> bool:
    return bool(inside.sum() >= LEAST_ROWS and right[~inside].mean() - right[inside].mean() >= LEAST_DROP)


def _part(
    rows: Source, labels: np.ndarray, slices: tuple[np.ndarray, ...], at: np.ndarray, model: LogisticRegression
) -> Part:
    return Part(
        features=rows.features[at],
        labels=labels[at],
        pred_probs=model.predict_proba(_scaled(rows)[at]),
        slices=tuple(one[at] for one in slices),
    )


def _groups(rng: np.random.Generator, classes: int, groups: int) -> np.ndarray:
    label_of = np.arange(classes) % groups
    return rng.permutation(label_of)


def _region(rows: Source, rng: np.random.Generator, *, may_be_ball: bool) -> np.ndarray:
    """Draw a class, a cluster of a class, a few like classes, or a ball."""
    if may_be_ball and rng.random() < 0.34:
        anchor = rows.features[rng.integers(len(rows.features))]
        away = np.square(rows.features - anchor).sum(axis=1)
        return away <= np.partition(away, size := int(rng.uniform(0.02, 0.06) * len(away)))[size]
    fine = int(rng.integers(rows.fine.max() + 1))
    inside = rows.fine == fine
    if rows.name == "banking77":
        if rng.random() < 0.5:
            like = np.flatnonzero(rows.topics == rows.topics[fine])
            like = like[np.argsort(like != fine, kind="stable")][: int(rng.integers(1, 4))]
            inside = np.isin(rows.fine, like)
    elif rng.random() < 0.5:
        at = np.flatnonzero(inside)
        part = KMeans(4, n_init=1, random_state=int(rng.integers(1 << 30))).fit_predict(rows.features[at])
        inside = np.zeros(len(inside), dtype=bool)
        inside[at[part == part[rng.integers(len(at))]]] = True
    return inside


def _correlated(
    rows: Source, labels: np.ndarray, order: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Draw a property; corners are thinned to about a tenth of the rows that are seen and judged."""
    names = [*rows.properties, "topic", "topic"]
    name = names[rng.integers(len(names))]
    has = rows.properties[name] if name != "topic" else _of_topics(rows, labels, rng)
    order = order[has[order] >= 0]
    slices = ((labels == 1) & (has == 0), (labels == 0) & (has == 1))
    corner = (slices[0] | slices[1])[order]
    ordinary, rare = order[~corner], order[corner]
    share = rng.uniform(0.08, 0.2)
    n_rare = min(len(rare), int(share * (N_SEEN + N_JUDGED)))
    head = np.concatenate([ordinary[: N_SEEN + N_JUDGED - n_rare], rare[:n_rare]])
    tail = np.concatenate([ordinary[N_SEEN + N_JUDGED - n_rare :], rare[n_rare:]])
    return np.concatenate([rng.permutation(head), rng.permutation(tail)]), slices


def _of_topics(rows: Source, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Call half of the classes of each label one way and half the other: a property that classes share across labels."""
    has = np.zeros(int(rows.fine.max()) + 1, dtype=np.intp)
    for label in (0, 1):
        held = rng.permutation(np.unique(rows.fine[labels == label]))
        has[held[: max(1, len(held) // 2)]] = 1
    return has[rows.fine]


def _flipped(labels: np.ndarray, inside: np.ndarray, groups: int, rng: np.random.Generator) -> np.ndarray:
    rate = rng.choice([0.3, 0.4, 0.5])
    flips = inside & (rng.random(len(labels)) < rate)
    return np.where(flips, (labels + rng.integers(1, groups, size=len(labels))) % groups, labels)


# -- sources -----------------------------------------------------------------------------------------------------------


@cache
def source_of(name: str) -> Source:
    return {"cifar10": _cifar10, "banking77": _banking77}[name]()


@cache
def _scaled_of(name: str) -> np.ndarray:
    """Embeddings of mean 0 and, over all their numbers, variance 1: what the model reads."""
    features = source_of(name).features
    return (features - features.mean(axis=0)) / np.float32(np.sqrt(features.var(axis=0).mean()))


def _scaled(rows: Source) -> np.ndarray:
    return _scaled_of(rows.name)


def _cifar10() -> Source:
    files = ("train_20k", "test_10k")
    tables = [pq.read_table(_at(f"cifar10/{name}.parquet"), columns=["label", "jpg"]) for name in files]
    names = [f"embeddings/cifar10_{name}_efficientnet_lite0_pca256.npy" for name in files]
    features = np.concatenate([np.load(_at(name)) for name in names]).astype(np.float32)
    fine = np.concatenate([np.asarray(table.column("label")) for table in tables]).astype(np.intp)
    pixels = [_colours(cell) for table in tables for cell in table.column("jpg").to_pylist()]
    red, green, blue, spread = np.array(pixels).T
    properties = {
        "bright": _thirds(red + green + blue),
        "blue": _thirds(blue - red),
        "contrast": _thirds(spread),
    }
    return Source(name="cifar10", features=features, fine=fine, topics=np.arange(10), properties=properties)


def _colours(cell: bytes) -> tuple[float, float, float, float]:
    image = np.asarray(Image.open(io.BytesIO(cell)).convert("RGB"), dtype=np.float32)
    red, green, blue = image.mean(axis=(0, 1))
    return red, green, blue, image.std()


def _banking77() -> Source:
    tables = [pq.read_table(_at(f"banking77/{name}.parquet")) for name in ("train", "test")]
    names = [f"embeddings/banking77_{name}_minilm384.npy" for name in ("train", "test")]
    features = np.concatenate([np.load(_at(name)) for name in names]).astype(np.float32)
    texts = [text for table in tables for text in table.column("text").to_pylist()]
    intents = [intent for table in tables for intent in table.column("category").to_pylist()]
    fine = np.unique(intents, return_inverse=True)[1]
    centres = np.stack([features[fine == c].mean(axis=0) for c in range(fine.max() + 1)])
    topics = KMeans(20, n_init=4, random_state=0).fit_predict(centres)
    words = [f" {text.lower()} " for text in texts]
    properties = {
        "long": _thirds(np.array([len(text) for text in texts], dtype=np.float64)),
        "card": np.array([" card" in text for text in words]).astype(np.intp),
        "asks how": np.array([text.strip().startswith(("how", "what", "can", "where")) for text in words]).astype(
            np.intp
        ),
        "mine": np.array([" my " in text for text in words]).astype(np.intp),
    }
    return Source(name="banking77", features=features, fine=fine, topics=topics, properties=properties)


def _thirds(values: np.ndarray) -> np.ndarray:
    low, high = np.quantile(values, [1 / 3, 2 / 3])
    return np.where(values > high, 1, np.where(values < low, 0, -1))


def _at(path: str) -> Path:
    if not (DATA / path).exists():
        raise AbsentError(f"{path} is not among the shared data: left out")
    return DATA / path
