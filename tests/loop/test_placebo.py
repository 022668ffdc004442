"""Placebos: the same action on rows drawn at random within class."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from loop_worlds import arena_of, candidate, dropping, flipping, gaussian_world, lying, relabelling, told, with_trusted

from tilth.core.apply import apply, fit_to
from tilth.core.edit import Edit, Verb
from tilth.core.errors import NotApplicable
from tilth.core.names import PARENTS, ROW_ID, TARGET, WEIGHT, Split
from tilth.editing.balance_classes import BalanceClasses
from tilth.editing.relabel_hard import RelabelHard
from tilth.editing.relabel_soft import RelabelSoft
from tilth.loop import outcomes
from tilth.loop.placebo import placebo, strata_of
from tilth.loop.trying import try_all


@pytest.fixture(scope="module")
def world():
    return gaussian_world(n_train=120, n_dev=60, n_test=20, noise=0.2, seed=3)


def rng(seed=0):
    return np.random.default_rng(seed)


def positions(view, ids):
    return np.flatnonzero(np.isin(view.ids.to_pylist(), ids.to_pylist()))


def positions_in_order(view, ids):
    at = {name: number for number, name in enumerate(view.ids.to_pylist())}
    return np.array([at[name] for name in ids.to_pylist()])


def draws_of(world, one, train=None):
    """The placebo draws that the loop makes for a candidate."""
    arena, before = arena_of(world), world.bench.train if train is None else train
    return outcomes._placebos(arena, one, before, one.edit.edit_id, range(arena.settings.placebo_draws))


# by hand


def test_strata_of_numbers_are_fifths():
    assert strata_of(np.arange(10.0), is_regression=True).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert strata_of(np.array([2, 0, 1]), is_regression=False).tolist() == [2, 0, 1]
    assert strata_of(np.array([]), is_regression=True).tolist() == []


def test_as_many_rows_of_each_class_are_dropped_as_the_edit_drops(world):
    one = candidate(world, dropping(0.3))
    strata = world.evidence.view(one.editor).labels
    chosen = positions(one.view, one.edit.drop)
    drawn = placebo(one.edit, one.editor, one.view, strata, rng())
    rows = positions(one.view, drawn.drop)
    assert drawn.verb is Verb.REMOVE
    assert np.bincount(strata[rows], minlength=2).tolist() == np.bincount(strata[chosen], minlength=2).tolist()
    assert set(rows) != set(chosen)
    again = placebo(one.edit, one.editor, one.view, strata, rng())
    assert again.edit_id == drawn.edit_id
    assert placebo(one.edit, one.editor, one.view, strata, rng(1)).edit_id != drawn.edit_id


def test_relabelling_uses_the_rule_of_the_operator_on_the_drawn_rows(world):
    editor = RelabelHard(certainty=0.6)
    one = candidate(world, editor)
    drawn = placebo(one.edit, editor, one.view, one.view.labels, rng())
    assert drawn.n_rows == one.edit.n_rows
    assert drawn.operator == one.edit.operator
    rows = np.array(one.view.ids.to_pylist())
    by_rule = editor.propose(one.view, np.flatnonzero(np.isin(rows, drawn.touched.to_pylist())))
    cells = {r["_tilth_id"]: r["value"] for r in drawn.set["label"].to_pylist()}
    assert cells == {r["_tilth_id"]: r["value"] for r in by_rule.set["label"].to_pylist()}


def weighting(view, weights):
    return Edit.weighting(view.ids, weights, operator=view.spec, reason="so it is")


def test_weights_are_permuted_within_class(world):
    view = world.evidence.view(BalanceClasses())
    weights = rng().random(len(view))
    drawn = placebo(weighting(view, weights), BalanceClasses(), view, view.labels, rng())
    after = np.asarray(drawn.set[WEIGHT].column("value"))
    assert drawn.set[WEIGHT].column(ROW_ID).to_pylist() == view.ids.to_pylist()
    for c in (0, 1):
        inside = view.labels == c
        assert sorted(after[inside]) == sorted(weights[inside])
        assert (after[inside] != weights[inside]).any()


def test_weights_that_are_one_number_per_class_are_permuted_among_all_rows(world):
    view = world.evidence.view(BalanceClasses())
    weights = np.where(view.labels == 0, 0.5, 2.0)
    drawn = placebo(weighting(view, weights), BalanceClasses(), view, view.labels, rng())
    after = np.asarray(drawn.set[WEIGHT].column("value"))
    assert sorted(after) == sorted(weights)
    assert len(set(after[view.labels == 0])) == 2


def test_weights_that_stand_already_are_permuted_with_those_that_the_edit_sets(world):
    view = world.evidence.view(BalanceClasses())
    standing = np.full(len(view), 3.0)
    edit = Edit.weighting(view.ids.slice(0, 10), np.full(10, 0.1), operator=view.spec, reason="so it is")
    drawn = placebo(edit, BalanceClasses(), view, view.labels, rng(), weights=standing)
    after = np.asarray(drawn.set[WEIGHT].column("value"))
    assert np.sum(after == 0.1) == 10
    assert np.sum(after == 3.0) == len(view) - 10
    assert standing.tolist() == [3.0] * len(view)


def softening(view, rows, targets):
    return Edit.softening(view.take_ids(rows), targets, operator=view.spec, reason="so it is")


def test_soft_targets_of_most_rows_move_to_random_rows_of_their_class(world):
    """The rule on as many random rows would be the edit itself."""
    editor = RelabelSoft(strength=1.0)
    view = world.evidence.view(editor)
    rows = np.arange(0, len(view) - 20)
    targets = np.column_stack([rows / 200, 1 - rows / 200])
    drawn = placebo(softening(view, rows, targets), editor, view, view.labels, rng())
    moved = np.array(drawn.set[TARGET].column("value").to_pylist())[:, 0]
    to = positions_in_order(view, drawn.touched)
    assert np.allclose(sorted(moved), sorted(targets[:, 0]))
    origin = np.round(moved * 200).astype(int)
    assert (view.labels[to] == view.labels[origin]).all()
    assert (to != origin).mean() > 0.8
    assert set(to) != set(rows)


def test_soft_targets_of_few_rows_come_from_the_rule_on_random_rows(world):
    editor = RelabelSoft(strength=1.0)
    view = world.evidence.view(editor)
    few = editor.propose(view, np.arange(30))
    drawn = placebo(few, editor, view, view.labels, rng())
    to = positions_in_order(view, drawn.touched)
    expected = editor.propose(view, to).set[TARGET].column("value").to_pylist()
    assert drawn.set[TARGET].column("value").to_pylist() == expected
    assert set(to) != set(range(30))


def test_made_rows_stand_beside_duplicates_of_their_parents(world):
    view = world.evidence.view(BalanceClasses())
    parents = [["r00001", "r00002"], ["r00001", "r00003"], ["r00004", "r00005"]]
    added = world.bench.train.slice(0, 3)
    ids, lists = pa.array(["m1", "m2", "m3"]), pa.array(parents, pa.list_(pa.string()))
    added = added.set_column(added.column_names.index(ROW_ID), ROW_ID, ids)
    added = added.set_column(added.column_names.index(PARENTS), PARENTS, lists)
    edit = Edit(verb=Verb.SYNTHESIZE, operator=view.spec, reason="", author="x", add=added)
    for seed in range(3):
        drawn = placebo(edit, BalanceClasses(), view, view.labels, rng(seed), train=world.bench.train)
        assert drawn.add.num_rows == 3
        for row, mine in zip(drawn.add.to_pylist(), parents, strict=True):
            (parent,) = row[PARENTS]
            assert parent in mine
            (source,) = world.bench.train.filter(pc.equal(world.bench.train.column(ROW_ID), parent)).to_pylist()
            assert {k: v for k, v in row.items() if k not in (ROW_ID, PARENTS)} == {
                k: v for k, v in source.items() if k not in (ROW_ID, PARENTS)
            }
        after = apply(world.bench.train, drawn)
        assert after.num_rows == world.bench.train.num_rows + 3


def test_rows_without_parents_have_no_placebo(world):
    view = world.evidence.view(BalanceClasses())
    edit = Edit(
        verb=Verb.ADD, operator=view.spec, reason="", author="x", add=pa.table({ROW_ID: pa.array(["n"], pa.string())})
    )
    with pytest.raises(NotApplicable, match="adds rows"):
        placebo(edit, BalanceClasses(), view, view.labels, rng())


def test_where_there_are_too_few_rows_all_are_drawn(world):
    one = candidate(world, dropping(0.3))
    few = np.zeros(len(one.view), dtype=bool)
    few[:3] = True
    drawn = placebo(one.edit, one.editor, one.view, np.zeros(len(one.view), dtype=int), rng(), drawable=few)
    assert sorted(positions(one.view, drawn.drop)) == [0, 1, 2]


# as the loop makes them


def test_five_draws_at_least_all_different(world):
    one = candidate(world, dropping(0.2))
    assert len({edit.edit_id for edit in draws_of(world, one)} | {one.edit.edit_id}) == 6
    assert len(outcomes.outcome_of(arena_of(world, placebo_draws=8), one, ()).placebos) == 8
    assert len(outcomes.outcome_of(arena_of(world, placebo_draws=2), one, ()).placebos) == 5


def test_further_draws_come_after_those_that_are_there(world):
    one, arena = candidate(world, dropping(0.2)), arena_of(world)
    few = outcomes.outcome_of(arena, one, ())
    more = outcomes.with_more_placebos(arena, one, (), few, 9)
    assert more.placebos.shape == (9, len(arena.judged))
    np.testing.assert_array_equal(more.placebos[:5], few.placebos)
    at_once = outcomes.outcome_of(arena_of(world, placebo_draws=9), one, ())
    np.testing.assert_array_equal(more.placebos, at_once.placebos)


def test_edits_below_are_fitted_one_on_top_of_the_other(world):
    """Each was proposed on the rows before all of them: the second names rows that the first has dropped."""
    first, arena = candidate(world, dropping(0.2)), arena_of(world)
    second, third = candidate(world, flipping(0.3)), candidate(world, RelabelSoft(least_doubt=0.0))
    assert set(first.edit.drop.to_pylist()) & set(second.edit.touched.to_pylist())
    fitted = fit_to(
        world.bench.train.filter(pc.invert(pc.is_in(world.bench.train[ROW_ID], first.edit.drop))), second.edit
    )
    stacked = outcomes.outcome_of(arena, third, (first.edit, second.edit))
    np.testing.assert_array_equal(stacked.after, outcomes.outcome_of(arena, third, (first.edit, fitted[0])).after)
    assert outcomes.with_more_placebos(arena, third, (first.edit, second.edit), stacked, 7).placebos.shape[0] == 7


def test_no_draw_holds_dev_or_test_rows_even_where_the_operator_sees_them(world):
    train = set(world.ids[world.rows(Split.TRAIN)])

    def rule(view, rows):
        chosen = np.flatnonzero(view.labelled)[:40] if rows is None else rows
        return Edit.removing(view.take_ids(chosen), operator=view.spec, reason="so it is")

    editor = lying("sees all", rule)
    wide = type("Wide", (type(editor),), {"scope": "all"})(lie=editor.lie, seed=0)
    one = candidate(world, wide)
    assert len(one.view) == 200
    for drawn in draws_of(world, one):
        assert drawn.n_rows == 40
        assert set(drawn.touched.to_pylist()) <= train


def test_an_operator_need_not_declare_labels_to_have_a_placebo(world):
    blind = type("Blind", (type(dropping(0.2)),), {"needs": frozenset({"embeddings"})})(lie=dropping(0.2).lie)
    one = candidate(world, blind)
    labels = world.evidence.view(dropping(0.2)).labels
    for drawn in draws_of(world, one):
        rows, chosen = positions(one.view, drawn.drop), positions(one.view, one.edit.drop)
        assert np.bincount(labels[rows]).tolist() == np.bincount(labels[chosen]).tolist()


def test_rows_that_a_person_confirmed_are_drawn_only_if_the_edit_touches_such_rows(world):
    confirmed = world.rows(Split.TRAIN)[:60]
    trusting = with_trusted(world, confirmed)
    names = set(world.ids[confirmed])

    def rule(view, rows):
        chosen = np.flatnonzero(~view.trusted)[:30] if rows is None else rows
        return relabelling(view, chosen, 1 - view.labels[chosen])

    for drawn in draws_of(trusting, candidate(trusting, lying("spares", rule))):
        assert names.isdisjoint(drawn.touched.to_pylist())
    touching = draws_of(trusting, candidate(trusting, dropping(0.5)))
    assert not all(names.isdisjoint(drawn.touched.to_pylist()) for drawn in touching)


def test_on_top_of_other_edits_the_placebo_acts_on_what_they_left(world):
    gone = candidate(world, dropping(0.4, seed=1)).edit
    train = world.bench.train
    left = train.filter(pa.array(~np.isin(train.column(ROW_ID).to_pylist(), gone.drop.to_pylist())))
    one = candidate(world, dropping(0.3, seed=2))
    fitted = fit_to(left, one.edit)[0]
    assert 0 < fitted.n_rows < one.edit.n_rows
    here = type(one)(edit=fitted, editor=one.editor, view=one.view)
    for drawn in draws_of(world, here, left):
        assert drawn.n_rows == fitted.n_rows
        assert set(drawn.drop.to_pylist()).isdisjoint(gone.drop.to_pylist())


def test_a_placebo_that_is_the_edit_itself_keeps_nothing():
    """An editor whose rule forgets the rows that it is given is compared with itself."""
    world = gaussian_world(n_train=150, n_dev=400, noise=0.35, seed=5, d=12)
    truth = world.truth[world.rows(Split.TRAIN)]

    def rule(view, rows):
        wrong = np.flatnonzero(view.labels != truth)
        return relabelling(view, wrong, truth[wrong])

    (one,) = try_all(arena_of(world), [candidate(world, lying("deaf", rule))], told)
    assert one.trial.p_nothing < 0.01
    assert one.trial.p_placebo > 0.5
    assert str(one.trial.verdict) != "kept"
