"""Made rows and folds: what tells of a held-out row is not learnt from, in out-of-sample predictions and in forecasts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest
from loop_worlds import arena_of, gaussian_world, world_of

from tilth.core.apply import apply
from tilth.core.edit import Edit
from tilth.core.names import PARENTS, ROW_ID, SPLIT, SYSTEM_COLUMNS, Split
from tilth.core.rowset import RowSet
from tilth.core.spec import Spec
from tilth.core.target import Target
from tilth.learning._crossfit import predicted_by_fold
from tilth.loop.bench import Bench
from tilth.loop.candidates import _proposal
from tilth.loop.folds import apart_from, with_families
from tilth.loop.forecast import screening_of
from tilth.loop.outcomes import outcome_of
from tilth.testing.views import view_of


def family(parents):
    return pa.table(
        {
            ROW_ID: [f"r{i}" for i in range(len(parents))],
            PARENTS: pa.array(parents, pa.list_(pa.string())),
        }
    )


TABLE = family([None, None, None, ["r0", "r1"], ["r3", "r2"], ["gone"]])


def test_a_made_row_is_barred_wherever_a_parent_is_held_out_however_far_back():
    folds, barred = with_families(TABLE, np.array([0, 1, 2, 2, 0, 1]))
    assert folds.tolist() == [0, 1, 2, 0, 0, 1]
    assert barred.tolist() == [
        [True, False, False],
        [False, True, False],
        [False, False, True],
        [True, True, False],
        [True, True, True],
        [False, True, False],
    ]


def test_without_made_rows_nothing_changes():
    folds = np.array([1, 0])
    same, barred = with_families(family([None, None]), folds)
    assert same is folds
    assert barred is None


def test_rows_apart_from_held_ones_by_hand():
    others = np.array([3, 4, 5])
    assert apart_from(TABLE, others, np.array([2])).tolist() == [3, 5]
    assert apart_from(TABLE, others, np.array([1])).tolist() == [5]


class Watcher:
    """A learner that notes from which rows it learns."""

    needs: ClassVar[frozenset[str]] = frozenset({"embeddings"})
    revision: ClassVar[int] = 1

    def __init__(self):
        self.learnt = []

    def prepare(self, view):
        return None

    def fit(self, view, target, *, prepared=None, start=None):
        self.learnt.append(np.flatnonzero(target.mask))

    def predict_proba(self, view, model):
        return np.full((len(view), 2), 0.5)


def test_out_of_sample_models_see_no_child_of_what_they_predict():
    learner, folds = Watcher(), np.array([0, 1, 2, 2, 0, 1])
    moved, barred = with_families(TABLE, folds)
    target = Target.classes(np.array([0, 1, 0, 1, 0, 1]), np.ones(6, dtype=bool), 2)
    view = _view()
    predicted_by_fold(learner, view, target, moved, barred=barred)
    assert [rows.tolist() for rows in learner.learnt] == [[1, 2, 5], [0, 2], [0, 1, 3, 5]]


def _view():
    @dataclass(frozen=True)
    class Reader:
        needs: ClassVar[frozenset[str]] = frozenset({"embeddings"})
        scope: ClassVar[str] = "train"
        revision: ClassVar[int] = 1

    return view_of(Reader(), embeddings=np.zeros((6, 1), np.float32))


@dataclass(frozen=True, kw_only=True)
class Doubler:
    """Makes a row half way between each two that stand beside one another; with `anew` it says that it judges rows by labels."""

    anew: bool = False

    scope: ClassVar[str] = "train"
    revision: ClassVar[int] = 1

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"labels", "table", "encode"} if self.anew else {"labels", "table"})

    def strengths(self) -> tuple[Any, ...]:
        return (self,)

    def choose(self, view: Any) -> RowSet:
        return RowSet(ids=view.ids)

    def propose(self, view: Any, rows: Any = None) -> Edit:
        names, first = view.ids.to_pylist(), np.arange(0, len(view) - 1, 2)
        values = {name: np.asarray(view.table.column(name)) for name in view.table.column_names}
        made = {name: (x[first] + x[first + 1]) / 2 for name, x in values.items() if name not in SYSTEM_COLUMNS}
        made["label"] = pa.array([view.classes[c] for c in view.labels[first]])
        made["_tilth_target"] = pa.nulls(len(first), pa.list_(pa.float32(), view.n_classes))
        made[PARENTS] = pa.array([[names[i], names[i + 1]] for i in first])
        return Edit.synthesizing(pa.table(made), np.zeros(len(first), int), operator=view.spec, reason="half way")


@pytest.fixture
def learnt(monkeypatch):
    """The tables from which benches learn."""
    seen = []
    fit = Bench.fit_train

    def watching(self, train, edits=(), start=None):
        seen.append(train)
        return fit(self, train, edits, start)

    monkeypatch.setattr(Bench, "fit_train", watching)
    return seen


def proposed(world, editor, monkeypatch):
    for place in ("tilth.loop.candidates.spec_of", "tilth.loop.protection.spec_of", "tilth.loop.evidence.spec_of"):
        monkeypatch.setattr(place, lambda _: Spec(room="editing", name="doubler"))
    return _proposal(editor, world.evidence)


@pytest.mark.parametrize("anew", [False, True])
def test_a_forecast_learns_from_no_child_of_the_rows_that_score_it(monkeypatch, learnt, anew):
    world = gaussian_world(n_train=60, n_dev=40, n_test=10, seed=1)
    one = proposed(world, Doubler(anew=anew), monkeypatch)
    screening = screening_of(world.bench)
    learnt.clear()
    screening.forecast(one.edit, one.editor, one.view)
    tables = [table for table in learnt if table.column(PARENTS).null_count < table.num_rows]
    assert len(tables) == len(screening.folds)
    for table in tables:
        _assert_whole_families(table)


def test_folds_of_a_version_with_made_rows_score_source_rows_alone(monkeypatch, learnt):
    world = gaussian_world(n_train=60, n_dev=40, n_test=10, seed=1)
    one = proposed(world, Doubler(), monkeypatch)
    table = apply(world.bench.table, one.edit)
    assert set(table.column(SPLIT).to_pylist()) == {str(s) for s in (Split.TRAIN, Split.DEV, Split.TEST)}
    after = world_of(table, world.dataset.schema, np.zeros(table.num_rows, dtype=int))
    learnt.clear()
    screening = screening_of(after.bench)
    assert sum(len(fold.positions) for fold in screening.folds) == 60
    for fold in screening.folds:
        _assert_whole_families(fold.inside)
        assert fold.inside.column(PARENTS).null_count < fold.inside.num_rows


def _assert_whole_families(table):
    there = set(table.column(ROW_ID).to_pylist())
    for parents in table.column(PARENTS).to_pylist():
        assert parents is None or there.issuperset(parents)


@pytest.mark.parametrize("what", ["remove", "relabel"])
def test_on_top_of_other_edits_what_lost_a_parent_is_left_out_and_so_are_its_duplicates(monkeypatch, learnt, what):
    world = gaussian_world(n_train=60, n_dev=40, n_test=10, seed=1)
    one = proposed(world, Doubler(), monkeypatch)
    ids, spec = one.view.ids.slice(0, 10), one.view.spec
    held = pa.array([one.view.classes[c] for c in one.view.labels[:10]])
    held_now = pa.table({ROW_ID: one.view.ids, "value": [one.view.classes[c] for c in one.view.labels]})
    one = replace(one, edit=replace(one.edit, expects={"label": held_now}))
    other = pa.array([one.view.classes[1 - c] for c in one.view.labels[:10]])
    base = {
        "remove": Edit.removing(ids, operator=spec, reason="gone"),
        "relabel": Edit.relabelling("label", ids, other, held, operator=spec, reason="another"),
    }[what]
    learnt.clear()
    outcome = outcome_of(arena_of(world), one, (base,))
    assert outcome.placebos.shape == (5, 40)
    sizes = {table.num_rows for table in learnt if table.column(PARENTS).null_count < table.num_rows}
    assert sizes == {(50 if what == "remove" else 60) + 25}, (
        "25 made rows, or 25 duplicates, whose parents are what they were"
    )
    for table in learnt:
        _assert_whole_families(table)
        gone = set(ids.to_pylist())
        assert all(parents is None or gone.isdisjoint(parents) for parents in table.column(PARENTS).to_pylist())
