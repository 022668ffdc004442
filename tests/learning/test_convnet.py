"""The convolutional network: it learns what a picture shows, from varied rows too, the same in any order, and keeps its model as arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import ConfigError, NotApplicable
from tilth.core.policy import Change, Policy
from tilth.core.progress import heard_by
from tilth.core.schema import Column, ColumnType, Schema, Task, TaskType
from tilth.core.target import Target
from tilth.learning._nets import Passes, first_weights
from tilth.learning.convnet import Convnet
from tilth.operators.augmenting import Augmentation, BoundPolicy
from tilth.operators.image_cells import encoded
from tilth.operators.registry import make
from tilth.operators.view import View
from tilth.testing.views import view_of

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

SIDE, SMALL = 20, Convnet(side=16, channels=4, blocks=2, epochs=12, steps=0, rows=16)
SCHEMA = Schema(
    columns=(Column(name="image", type=ColumnType.IMAGE),),
    tasks=(Task(type=TaskType.BINARY, label="label", classes=("bar", "pole"), metric="accuracy"),),
)


def strokes(n: int, seed: int = 0) -> tuple[list[bytes], np.ndarray]:
    """Pictures of a stroke that lies or stands, somewhere: their mean colours are alike, so that only shape tells."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    cells = []
    for label in labels:
        pixels = rng.integers(90, 140, (SIDE, SIDE, 3))
        at, start = rng.integers(2, SIDE - 4), rng.integers(0, SIDE - 12)
        box = (slice(at, at + 2), slice(start, start + 12))
        pixels[box if label == 0 else box[::-1]] = 250
        cells.append(encoded(pixels.astype(np.uint8)))
    return cells, labels


def view(cells: list[bytes | None], ids: list[str] | None = None, **evidence: object) -> View:
    table = pa.table({"image": pa.array(cells, pa.binary())})
    return view_of(SMALL, ids=ids or [f"r{i}" for i in range(len(cells))], schema=SCHEMA, table=table, **evidence)


def varied(n: int, policy: Policy) -> Augmentation:
    made = {(name, 1): make("editing", name, severity=1) for name in policy.transforms}
    bound = BoundPolicy(policy=policy, transforms=made, columns=dict.fromkeys(made, ("image",)))
    ids = pa.array([f"r{i}" for i in range(n)])
    return Augmentation(policies=[bound], which=np.zeros(n, dtype=np.intp), ids=ids, seed=0)


def fitted(cells: list[bytes], labels: np.ndarray, **evidence: object) -> dict[str, np.ndarray]:
    return dict(SMALL.fit(view(cells, **evidence), Target.classes(labels, np.ones(len(labels), bool), 2)))


def test_it_learns_what_only_shape_tells() -> None:
    cells, labels = strokes(240)
    unseen, truth = strokes(120, seed=1)
    probs = SMALL.predict_proba(view(unseen), fitted(cells, labels))
    assert (probs.argmax(axis=1) == truth).mean() > 0.9
    assert np.allclose(probs.sum(axis=1), 1)


def test_varied_rows_are_learnt_from_and_change_the_model() -> None:
    cells, labels = strokes(240)
    policy = Policy.trivial([Change("crop", (1, 1)), Change("brightness", (1, 1))])
    plain, other = fitted(cells, labels), fitted(cells, labels, augment=varied(240, policy))
    assert not np.array_equal(plain["head.weight"], other["head.weight"])
    unseen, truth = strokes(120, seed=1)
    assert (SMALL.predict_proba(view(unseen), other).argmax(axis=1) == truth).mean() > 0.9


def test_shown_as_they_are_is_another_training_by_its_salt_alone() -> None:
    cells, labels = strokes(80)
    plain, same = fitted(cells, labels), fitted(cells, labels, augment=varied(80, Policy.identity()))
    salted = fitted(cells, labels, augment=varied(80, Policy.identity(salt=3)))
    again = fitted(cells, labels, augment=varied(80, Policy.identity(salt=3)))
    assert not np.array_equal(plain["head.weight"], salted["head.weight"])
    assert np.array_equal(salted["head.weight"], again["head.weight"])
    assert not np.array_equal(same["head.weight"], salted["head.weight"])


@pytest.mark.parametrize("mix", ["mixup", "cutmix"])
def test_rows_and_labels_may_be_mixed(mix: str) -> None:
    cells, labels = strokes(160)
    mixed = replace(Policy.identity(), mix=mix)
    model = fitted(cells, labels, augment=varied(160, mixed))
    unseen, truth = strokes(120, seed=1)
    assert (SMALL.predict_proba(view(unseen), model).argmax(axis=1) == truth).mean() > 0.75


def test_the_order_of_rows_changes_nothing() -> None:
    cells, labels = strokes(60)
    order = np.random.default_rng(0).permutation(60)
    target = Target.classes(labels, np.ones(60, bool), 2)
    moved = view([cells[i] for i in order], ids=[f"r{i}" for i in order])
    other = SMALL.fit(moved, target.take(order))
    mine = fitted(cells, labels)
    assert all(np.array_equal(mine[name], other[name]) for name in mine)


def test_the_model_is_named_arrays() -> None:
    cells, labels = strokes(60)
    model = fitted(cells, labels)
    assert all(isinstance(value, np.ndarray) and value.dtype != object for value in model.values())
    assert model["temperature"].shape == (1,)


def test_broken_and_missing_images_are_grey() -> None:
    cells, labels = strokes(60)
    model = fitted(cells, labels)
    probs = SMALL.predict_proba(view([None, b"no image", cells[0]]), model)
    assert np.array_equal(probs[0], probs[1])
    assert np.isfinite(probs).all()


def test_sizes_that_make_no_network_are_refused() -> None:
    with pytest.raises(ConfigError, match="makes no network"):
        Convnet(side=16, blocks=5)
    with pytest.raises(ConfigError, match="at least 1"):
        Convnet(epochs=0)
    with pytest.raises(ConfigError, match="steps at least 0"):
        Convnet(steps=-1)


def test_without_an_image_it_refuses() -> None:
    table = pa.table({"x": [1.0, 2.0]})
    with pytest.raises(NotApplicable, match="reads images"):
        SMALL.prepare(view_of(SMALL, table=table))


def test_the_proxy_is_the_same_network_trained_for_less_time() -> None:
    proxy = Convnet().proxy(0.5)
    assert replace(proxy, epochs=Convnet().epochs, steps=Convnet().steps) == Convnet()
    assert proxy.work(100) == pytest.approx(Convnet().work(100) / 2)
    assert proxy.work(50_000) == pytest.approx(Convnet().work(50_000) / 2)
    assert Convnet().proxy(0.001).epochs == 1


@pytest.mark.parametrize(
    ("n_rows", "passes"), [(1, 120), (64, 120), (640, 120), (641, 110), (3_840, 20), (100_000, 20)]
)
def test_few_rows_pass_more_often(n_rows: int, passes: int) -> None:
    assert Passes.of(Convnet(rows=64, epochs=20, steps=1_200)).over(n_rows) == passes


def test_first_weights_follow_the_seed_alone() -> None:
    one, other = SMALL._network(1, 2), SMALL._network(1, 2)
    first_weights(one, 5)
    first_weights(other, 5)
    assert all((a == b).all() for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_a_training_tells_how_far_it_is() -> None:
    heard: list[tuple[object, ...]] = []
    with heard_by(lambda *said: heard.append(said)):
        fitted(*strokes(60))
    assert [said[2:] for said in heard] == [(epoch, 12) for epoch in range(12)]
