"""Label within sets: open labels teach what a model of the known ones makes of them."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.edit import Verb
from tilth.core.errors import NotApplicable
from tilth.core.names import ROW_ID, TARGET, WEIGHT
from tilth.editing.label_within_sets import LabelWithinSets
from tilth.loop.placebo import placebo
from tilth.testing.views import view_of

KIND = np.random.default_rng(1).integers(0, 4, 200)
FEATURES = (np.eye(4)[KIND] + np.random.default_rng(2).normal(0, 0.2, (200, 4))).astype(np.float32)
KNOWN = np.arange(200) < 40
SPLITS = np.where(np.arange(200) < 160, "train", "dev")
PAIRS = (np.arange(4) // 2)[None, :] == (KIND // 2)[:, None]


def view(editor, sets=PAIRS, labelled=KNOWN):
    return view_of(
        editor,
        classes=("a", "b", "c", "d"),
        labels=np.where(labelled, KIND, 0),
        labelled=labelled,
        label_sets=np.where(labelled[:, None], False, sets),
        splits=SPLITS,
        embeddings=FEATURES,
    )


def targets(edit):
    cells = edit.set[TARGET]
    rows = [int(name[1:]) for name in cells.column(ROW_ID).to_pylist()]
    return rows, np.asarray(cells.column("value").combine_chunks().flatten()).reshape(len(rows), -1)


def test_open_train_rows_teach_within_their_sets_at_full_weight():
    editor = LabelWithinSets(penalty=0.1)
    edit = editor.propose(view(editor))
    rows, probs = targets(edit)
    assert edit.verb is Verb.RELABEL
    assert rows == list(range(40, 160))
    assert (probs[~PAIRS[rows]] == 0).all()
    assert (probs.argmax(axis=1) == KIND[rows]).mean() > 0.97
    assert set(edit.set[WEIGHT].column("value").to_pylist()) == {1.0}


def test_of_given_rows_the_open_ones():
    editor = LabelWithinSets()
    assert targets(editor.propose(view(editor), np.array([3, 50, 170])))[0] == [50]
    with pytest.raises(NotApplicable, match="none of these rows"):
        editor.propose(view(editor), np.array([3]))


def test_the_surest_rows_are_chosen_first():
    editor = LabelWithinSets()
    scores = editor.choose(view(editor)).scores
    assert (np.diff(scores) <= 0).all()


def test_a_placebo_moves_targets_between_rows_of_one_set():
    editor = LabelWithinSets(penalty=0.1)
    here = view(editor)
    edit = editor.propose(here)
    drawn = placebo(edit, editor, here, np.zeros(len(here), dtype=int), np.random.default_rng(0))
    rows, before = targets(edit)
    same_rows, after = targets(drawn)
    assert same_rows == rows
    assert (after[~PAIRS[rows]] == 0).all()
    assert sorted(map(tuple, after.tolist())) == sorted(map(tuple, before.tolist()))
    right = (after.argmax(axis=1) == KIND[rows]).mean()
    assert 0.3 < right < 0.7


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"sets": np.zeros((200, 4), dtype=bool)}, "no label of a train row is open"),
        ({"labelled": np.zeros(200, dtype=bool)}, "no row of the classes in question"),
    ],
)
def test_what_it_refuses(change, why):
    editor = LabelWithinSets()
    with pytest.raises(NotApplicable, match=why):
        editor.propose(view(editor, **change))


def test_without_a_migration_it_is_not_applicable():
    editor = LabelWithinSets()
    plain = view_of(editor, labels=np.zeros(4, dtype=int), splits=np.array(["train"] * 4), embeddings=np.eye(4))
    with pytest.raises(NotApplicable, match="never migrated"):
        editor.propose(plain)
