"""Varied train rows on a bench: made copies for learners of one pass, the cells themselves for others, and fits that are kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from loop_worlds import gaussian_world

import tilth
from tilth.core.apply import apply
from tilth.core.edit import Edit
from tilth.core.names import AUGMENT, ROW_ID, WEIGHT, Split
from tilth.core.policy import Change, Policy, Sequence, Step
from tilth.core.spec import Spec
from tilth.learning.linear import Linear
from tilth.loop.augmented import augmentation_of, with_copies
from tilth.loop.bench import Bench
from tilth.loop.frames import train_rows, weights_of
from tilth.operators.augmenting import BoundPolicy

SPEC = Spec(room="editing", name="augment")
MOVED = Policy(sequences=(Sequence((Step((Change("moved"),)),)),), copies=3)


@tilth.transform(columns=["x0"])
def moved(row: Any) -> float:
    return float(row.x0) + 1.0


def bind(text: str) -> BoundPolicy:
    policy = Policy.from_text(text)
    made = {("moved", None): moved} if policy.transforms else {}
    return BoundPolicy(policy=policy, transforms=made, columns=dict.fromkeys(made, ("x0",)), key=text)


def varied(bench: Bench, n: int, policy: Policy = MOVED) -> tuple[Edit, pa.Table]:
    ids = bench.train.column(ROW_ID).slice(0, n).combine_chunks()
    edit = Edit.augmenting(ids, policy.to_text(), operator=SPEC, reason="for a test")
    return edit, apply(bench.train, edit)


def test_no_row_is_varied_where_no_cell_says_so() -> None:
    assert augmentation_of(gaussian_world().bench.train, bind, 0) is None


def test_copies_and_their_row_weigh_what_the_row_did() -> None:
    bench = gaussian_world(n_train=20).bench
    _, train = varied(bench, 5)
    augmentation = augmentation_of(train, bind, 0)
    assert augmentation is not None
    rows = with_copies(train, bench.train_features, augmentation, bench.schema, bench.reencode)
    assert rows.table.num_rows == 20 + 5 * 3
    assert np.allclose(weights_of(rows.table)[:20], [0.25] * 5 + [1.0] * 15)
    assert np.allclose(weights_of(rows.table)[20:], 0.25)
    assert np.allclose(rows.features[20:25, 0], bench.train_features[:5, 0] + 1)
    assert np.allclose(rows.features[20:25, 1:], bench.train_features[:5, 1:])
    assert len(set(rows.table.column(ROW_ID).to_pylist())) == 35
    assert rows.table.column(WEIGHT).null_count == 0


def test_shown_as_they_are_rows_have_no_copies_and_the_fit_is_the_same() -> None:
    bench = replace(gaussian_world().bench, bind=bind)
    edit, _ = varied(bench, bench.train.num_rows, Policy.identity(salt=9))
    dev = np.flatnonzero(np.asarray(bench.table.column("_tilth_split")) == str(Split.DEV))
    before, after = (bench.predict(model, dev) for model in (bench.baseline, bench.fit_edited(edit)))
    assert np.abs(before - after).max() < 1e-6


def test_the_model_learns_from_copies() -> None:
    bench = replace(gaussian_world().bench, bind=bind)
    edit, train = varied(bench, bench.train.num_rows)
    augmentation = augmentation_of(train, bind, 0)
    assert augmentation is not None
    rows = with_copies(train, bench.train_features, augmentation, bench.schema, bench.reencode)
    by_hand = bench.fit(rows.table, rows.features)
    model = bench.fit_edited(edit)
    assert np.abs(by_hand.coefficients - model.coefficients).max() < 1e-5
    assert np.abs(model.coefficients - bench.baseline.coefficients).max() > 1e-3


class Watching(Linear):
    """A linear learner that reads how rows are varied, and notes it."""

    needs: ClassVar[frozenset[str]] = frozenset({"embeddings", "augment"})
    seen: ClassVar[list[Any]] = []

    def fit(self, view: Any, target: Any, **more: Any) -> Any:
        self.seen.append(
            (len(view), view.augment.which.tolist() if view.has("augment") else None, target.mask.tolist())
        )
        return super().fit(view, target, **more)


def test_a_learner_that_varies_rows_itself_is_told_how() -> None:
    bench = replace(gaussian_world(n_train=6, n_dev=4, n_test=2).bench, bind=bind, learner=Watching(penalty=1.0))
    _, train = varied(bench, 2)
    Watching.seen.clear()
    part = train.take(pa.array([0, 2, 3, 4, 5]))  # most of the train rows: what was prepared of all of them serves
    bench.fit_train(part)
    assert Watching.seen == [(6, [0, -1, -1, -1, -1, -1], [True, False, True, True, True, True])]
    Watching.seen.clear()
    bench.fit_train(train.take(pa.array([1])))
    assert Watching.seen == [(1, [0], [True])]


def test_kept_fits_are_known_by_all_that_decides_them() -> None:
    world = gaussian_world()
    kept: dict[str, Any] = {}

    def keep(key: str, fit: Any) -> Any:
        if key not in kept:
            kept[key] = fit()
        return kept[key]

    bench = replace(world.bench, bind=bind, keep=keep)
    edit, _ = varied(bench, 10)
    assert bench.fit_edited(edit) is bench.fit_edited(edit)
    other, _ = varied(bench, 11)
    bench.fit_edited(other)
    bench.fit_edited(Edit.removing(bench.train.column(ROW_ID).slice(0, 1).combine_chunks(), operator=SPEC, reason="x"))
    replace(bench, seed=5, _memo={}).fit_train(bench.train)
    assert len(kept) == 5  # the baseline, two edits of how rows vary, a removal, another seed


def test_the_bench_that_stands_in_has_its_own_learner_and_the_same_rows() -> None:
    bench = gaussian_world().bench
    assert bench.cheap is bench
    dear = replace(bench, stand_in=Linear(penalty=9.0), keep=lambda key, fit: fit())
    assert dear.is_dear
    assert dear.cheap.learner == Linear(penalty=9.0)
    assert dear.cheap.keep is None
    assert not dear.cheap.is_dear
    assert dear.cheap.features is dear.features


def test_rows_that_are_dropped_are_no_longer_varied() -> None:
    bench = gaussian_world().bench
    _, train = varied(bench, 5)
    after = apply(train, Edit.removing(train.column(ROW_ID).slice(0, 2).combine_chunks(), operator=SPEC, reason="x"))
    assert (after.num_rows - after.column(AUGMENT).null_count) == 3
    assert train_rows(after).all()
