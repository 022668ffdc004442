"""What foretells answers: labels as they came, whatever the version says since."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
from loop_worlds import gaussian_world, with_trusted

from tilth.core.names import Split
from tilth.loop.foretelling import foretell
from tilth.loop.judge import Outcome


def outcome(before, after):
    none = np.zeros(len(before))
    return Outcome(before=none, after=none, placebos=none[None], decided_before=before, decided_after=after)


def test_answers_do_not_foretell_themselves():
    world = gaussian_world(n_train=200, n_dev=120, noise=0.2, seed=1)
    judged = world.bench.judged(Split.DEV)
    plain = foretell(world.bench, judged, world.dataset)
    answered = with_trusted(world, judged.positions[:40], 1 - judged.labels[:40])
    later = answered.bench.judged(Split.DEV)
    assert (later.labels != judged.labels).any()
    again = foretell(answered.bench, later, world.dataset)
    np.testing.assert_array_equal(again.came, judged.labels)
    np.testing.assert_allclose(again.truth, plain.truth)


def test_predictors_by_hand():
    world = gaussian_world(n_train=200, n_dev=60, noise=0.2, seed=2)
    judged = world.bench.judged(Split.DEV)
    known = foretell(world.bench, judged, world.dataset)
    n = len(judged)
    before = np.zeros(n, dtype=int)
    after = np.where(np.arange(n) < 30, 1, 0)
    found = known.predictors(outcome(before, after))
    assert found[30:].tolist() == [[0.0, 0.0]] * (n - 30)
    np.testing.assert_array_equal(found[:30, 0], np.where(judged.labels[:30] == 1, 1.0, -1.0))
    np.testing.assert_allclose(found[:30, 1], known.truth[:30, 1] - known.truth[:30, 0])
    assert known.decisive(outcome(before, after)) == 1.0  # of two classes, one is right
    assert 0 < known.share(outcome(before, after)) <= 1
    assert known.decisive(outcome(before, before)) == 1.0
    some = known.only(np.arange(n) < 10)
    np.testing.assert_array_equal(some.came, known.came[:10])


def test_rows_whose_label_came_later_are_foretold_by_the_model():
    world = gaussian_world(n_train=200, n_dev=60, noise=0.2, seed=3)
    judged = world.bench.judged(Split.DEV)
    table = world.dataset.read()
    bare = table.set_column(
        table.column_names.index("label"), "label", pa.array([None] * len(table), table.schema.field("label").type)
    )
    known = foretell(world.bench, judged, replace(world.dataset, rows=type(world.dataset.rows)(bare)))
    assert (known.came == -1).all()
    np.testing.assert_allclose(known.truth, world.bench.predict(world.bench.baseline, judged.positions))
