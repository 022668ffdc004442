"""Labels from votes in trials: pool rows come in, are compared with shuffled newcomers, and are kept where they help."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from loop_worlds import arena_of, candidate, gaussian_world, schema_of, table_of, told, world_of

from tilth.core.apply import fit_to
from tilth.core.labelling import VotedRows
from tilth.core.names import SPLIT, TARGET, Split
from tilth.core.trial import Verdict
from tilth.editing.label_from_votes import LabelFromVotes
from tilth.loop.forecast import screening_of
from tilth.loop.outcomes import _placebos
from tilth.loop.trying import try_all

POOL = 600


def pooled(*, right: float, n_train: int = 24, covered: float = 1.0, seed: int = 0):
    """A world of few labelled train rows and a pool on which votes are right with this probability."""
    base = gaussian_world(n_train=n_train, n_dev=600, n_test=POOL, d=8, shift=0.8, seed=seed)
    splits = base.bench.table.column(SPLIT).to_pylist()
    splits = ["pool" if split == "test" else split for split in splits]
    labels = [None if split == "pool" else int(t) for split, t in zip(splits, base.truth, strict=True)]
    schema = schema_of(8, 2)
    x = np.column_stack([np.asarray(base.bench.table.column(f"x{j}")) for j in range(8)])
    world = world_of(table_of(x, labels, splits, schema), schema, base.truth, seed=seed)
    rng = np.random.default_rng([5, seed])
    said = np.where(rng.random(len(x)) < right, base.truth, 1 - base.truth)
    probs = np.where(np.eye(2)[said] > 0, right, 1 - right)
    voted = VotedRows(model="planted", probs=probs, majority=np.eye(2)[said], covered=rng.random(len(x)) < covered)
    return replace(world, evidence=replace(world.evidence, voted=lambda: voted))


def test_right_votes_on_many_rows_are_kept_and_enlarge_train():
    world = pooled(right=0.95)
    one = candidate(world, LabelFromVotes())
    assert one.edit.n_rows == POOL
    (tried,) = try_all(arena_of(world), [one], told)
    assert tried.trial.verdict is Verdict.KEPT
    assert tried.trial.verb == "add"
    assert world.true_gain(one.edit) == pytest.approx(tried.trial.gain.value, abs=1e-9)
    assert screening_of(world.bench).forecast(one.edit, one.editor, one.view) > 0


def test_votes_that_know_nothing_are_not_kept():
    world = pooled(right=0.5)
    (tried,) = try_all(arena_of(world), [candidate(world, LabelFromVotes())], told)
    assert tried.trial.verdict is not Verdict.KEPT


def test_the_edited_rows_are_train_rows_after_it_and_others_stay_in_the_pool():
    world = pooled(right=0.9, covered=0.5)
    one = candidate(world, LabelFromVotes())
    assert 0 < one.edit.n_rows < POOL
    rows = world.bench.open_to(one.edit)
    assert set(rows.column(SPLIT).to_pylist()) == {"train", "pool"}
    assert world.bench.open_to().num_rows == world.bench.train.num_rows
    assert not set(one.edit.touched.to_pylist()) & set(world.ids[world.dataset.mask(Split.DEV)].tolist())


def test_a_placebo_shuffles_the_targets_where_most_rows_come_in():
    world = pooled(right=0.9)
    one = candidate(world, LabelFromVotes())
    rows = world.bench.open_to(one.edit)
    first, second = _placebos(arena_of(world), one, rows, one.edit.edit_id, range(2))
    assert first.edit_id != second.edit_id
    assert set(first.touched.to_pylist()) == set(one.edit.touched.to_pylist())
    values = [np.array(edit.set[TARGET].column("value").to_pylist()) for edit in (first, one.edit)]
    assert not np.array_equal(values[0], values[1])
    assert np.allclose(np.sort(values[0], axis=0), np.sort(values[1], axis=0))


def test_a_placebo_draws_other_pool_rows_where_few_come_in():
    world = pooled(right=0.9)
    editor = LabelFromVotes()
    whole = candidate(world, editor)
    few = replace(whole, edit=editor.propose(whole.view, np.flatnonzero(world.dataset.mask(Split.POOL))[:50]))
    rows = world.bench.open_to(few.edit)
    (drawn,) = _placebos(arena_of(world), few, rows, few.edit.edit_id, range(1))
    assert drawn.n_rows == 50
    assert set(drawn.touched.to_pylist()) != set(few.edit.touched.to_pylist())
    table = whole.edit.set[TARGET]
    voted = dict(zip(table.column("_tilth_id").to_pylist(), table.column("value").to_pylist(), strict=True))
    cells = drawn.set[TARGET].to_pylist()
    assert all(cell["value"] == voted[cell["_tilth_id"]] for cell in cells)


def test_rows_that_left_the_pool_are_left_alone_on_replay():
    world = pooled(right=0.9)
    one = candidate(world, LabelFromVotes())
    now = world.bench.learnable
    splits = pa.array(["train"] * now.num_rows)
    fitted, lost = fit_to(now.set_column(now.column_names.index(SPLIT), SPLIT, splits), one.edit)
    assert (fitted.n_rows, lost) == (0, POOL)
