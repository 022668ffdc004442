"""Edits that aim at a slice: its score decides, the average over all rows is guarded, and people are asked about its rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from loop_worlds import arena_of, candidate, lying, relabelling, told, with_trusted, world_of

from tilth.core.names import ROW_ID, Split
from tilth.core.trial import Verdict
from tilth.loop.candidates import Candidate, finalists, proposals, screen
from tilth.loop.forecast import _of_goal
from tilth.loop.guards import EVERY_ROW
from tilth.loop.ledger import Draw
from tilth.loop.quarantine import Quarantine
from tilth.loop.trying import try_all

CORNER = "corner"
REGION = 0.5


@pytest.fixture(scope="module")
def world():
    """Two classes; where the last feature is high, the classes trade places, and half of the train labels there are wrong."""
    return make_world()


def make_world(seed=0, n_train=600, n_dev=1200):
    from loop_worlds import schema_of, table_of

    rng = np.random.default_rng([5, seed])
    n = n_train + n_dev
    truth = rng.integers(0, 2, n)
    x = rng.normal(size=(n, 4))
    x[:, 3] = rng.uniform(0, 1, n)
    inside = x[:, 3] > 1 - REGION / 2
    x[:, 0] += np.where(inside, 0, 2.5 * (truth - 0.5))
    x[:, 1] += np.where(inside, 2.5 * (truth - 0.5), 0)
    labels = truth.copy()
    wrong = inside & (rng.random(n) < 0.5) & (np.arange(n) < n_train)
    labels[wrong] = 1 - labels[wrong]
    splits = np.repeat(["train", "dev"], [n_train, n_dev])
    schema = schema_of(4, 2)
    return world_of(table_of(x, labels, splits, schema), schema, truth)


def corner(world, split=None):
    rows = np.asarray(world.dataset.read("x3").column(0)) > 1 - REGION / 2
    return rows if split is None else rows[world.rows(split)]


def aimed(world, **settings):
    return replace(arena_of(world, **settings), goals={CORNER: corner(world, Split.DEV)})


def mending(world, aim=CORNER, harm=0.0):
    """Mends the wrong labels of the corner, and spoils a share of the others."""

    def rule(view, rows):
        at = np.array([int(row[1:]) for row in view.ids.to_pylist()])  # a view may hold some of the rows
        truth, inside = world.truth[at], corner(world)[at]
        if rows is None:
            spoilt = np.random.default_rng(3).random(len(view)) < harm
            rows = np.flatnonzero((inside & (view.labels != truth)) | (~inside & spoilt))
        return relabelling(view, rows, np.where(inside[rows], truth[rows], 1 - truth[rows]))

    return candidate(world, lying(f"mend corner {harm}", rule, aim=aim))


def test_the_gain_is_that_of_the_slice_and_the_average_is_guarded(world):
    one = mending(world)
    (tried,) = try_all(aimed(world), [one], told)
    trial = tried.trial
    dev, inside = world.rows(Split.DEV), corner(world, Split.DEV)
    before, after = (
        world.bench.predict(model, dev).argmax(axis=1) == world.truth[dev]
        for model in (world.bench.baseline, world.bench.fit_edited(one.edit))
    )
    assert trial.goal == CORNER
    assert trial.gain.value == pytest.approx(after[inside].mean() - before[inside].mean())
    assert trial.gain.value > 0.05
    assert trial.verdict is Verdict.KEPT
    average = next(guard for guard in trial.guards if guard.slice == EVERY_ROW)
    assert average.rows == len(dev)
    assert average.change.value == pytest.approx(after.mean() - before.mean())


def test_what_mends_the_slice_and_spoils_the_rest_is_refused(world):
    (tried,) = try_all(aimed(world), [mending(world, harm=0.5)], told)
    assert tried.trial.verdict is Verdict.REFUSED
    assert next(guard for guard in tried.trial.guards if guard.slice == EVERY_ROW).violated
    assert tried.trial.reason.startswith("guard")


def test_without_a_goal_the_average_decides_and_is_no_guard(world):
    (tried,) = try_all(aimed(world), [mending(world, aim="")], told)
    assert tried.trial.goal == ""
    assert EVERY_ROW not in [guard.slice for guard in tried.trial.guards]
    assert tried.trial.gain.value == pytest.approx(world.true_gain(tried.edit))


def test_answers_about_the_slices_rows_judge_it(world):
    """Sixty answers drawn at random among the slice's rows on which the models differ are the evidence."""
    one = mending(world)
    dev, inside = world.rows(Split.DEV), corner(world, Split.DEV)
    decided = [
        world.bench.predict(model, dev).argmax(axis=1)
        for model in (world.bench.baseline, world.bench.fit_edited(one.edit))
    ]
    differing = np.flatnonzero((decided[0] != decided[1]) & inside)
    drawn = np.random.default_rng(0).permutation(differing)[:60]
    answered = with_trusted(world, dev[drawn])
    arena = aimed(answered)
    ids = answered.dataset.read(ROW_ID).column(0).take(dev[drawn]).to_pylist()
    draw = Draw(
        purpose="decide",
        edit=one.edit.edit_id,
        parent="v-memory",
        split="dev",
        ids=tuple(ids),
        n_disagreeing=len(differing),
        n_rows=int(inside.sum()),
    )
    arena.ledger.record_draw(draw)
    (tried,) = try_all(arena, [one], told)
    assert tried.trial.judge.startswith("answers")
    assert tried.trial.disagreeing == len(differing)
    assert tried.trial.verdict is Verdict.KEPT


def test_forecasts_are_those_of_the_slice_unless_the_average_pays_for_it():
    """Ten held-out rows, each scored by its label and a neighbour's, three of them in the slice."""
    inside, shares = np.arange(10) < 3, np.full((2, 10), 0.5)
    gains = np.where(inside, 0.2, 0.0) * np.ones((2, 1))
    assert _of_goal(gains, shares, inside) == pytest.approx(0.2)
    dear = np.where(inside, 0.2, -0.2) * np.ones((2, 1))
    assert _of_goal(dear, shares, inside) == pytest.approx(-0.08)
    assert _of_goal(gains, shares, np.zeros(10, dtype=bool)) == 0


def test_candidates_that_aim_are_screened_by_their_slice(world):
    """Without a single row in the slice there is nothing to forecast."""
    nowhere = {CORNER: np.zeros(world.dataset.n_rows, dtype=bool)}
    (of_slice,) = screen(world.bench, [mending(world)], Quarantine(), told, nowhere)
    (of_all,) = screen(world.bench, [mending(world)], Quarantine(), told)
    assert of_slice.forecast == min(of_all.forecast, 0.0)


def test_cures_leave_places_for_what_helps_the_average(world):
    """One operator has one place per slice, and cures are three at most."""
    cures = [replace(mending(world), forecast=f) for f in (0.9, 0.8)]
    plain = [replace(mending(world, aim=""), forecast=0.1)]
    assert [one.forecast for one in finalists([*cures, *plain], 2)] == [0.9, 0.1]


def test_editors_that_mend_slices_propose_nothing_where_no_slice_is_bad(world):
    quarantine = Quarantine()
    found: list[Candidate] = proposals(world.evidence, quarantine, verbs=None, known=frozenset())
    assert all(one.edit.goal == "" for one in found)
