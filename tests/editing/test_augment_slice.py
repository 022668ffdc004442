"""Vary one slice: its rows only, and only where it is a slice."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.names import AUGMENT
from tilth.core.policy import Repertoire, Variation
from tilth.editing.augment_slice import AugmentSlice
from tilth.operators.view import View
from tilth.testing.views import view_of

KNOWN = Repertoire(changes={"rotate": Variation(kinds=frozenset({"image"}), severities=(1, 3))}, learns=True)


def view(editor: AugmentSlice, inside: int = 30, known: Repertoire = KNOWN) -> View:
    rows = np.arange(100)
    return view_of(
        editor,
        labels=rows % 2,
        slices={"blurry": (rows < inside).astype(float), "soft": np.full(100, 0.4)},
        transforms=known,
    )


def test_the_slices_rows_are_varied_and_no_others() -> None:
    editor = AugmentSlice(slice="blurry")
    edit = editor.propose(view(editor))
    assert set(edit.set[AUGMENT]["_tilth_id"].to_pylist()) == {f"r{i}" for i in range(30)}
    assert edit.goal == "blurry"
    assert editor.choose(view(editor)).ids.to_pylist()[:2] == ["r0", "r1"]


def test_a_placebo_varies_other_rows_by_the_same_policy() -> None:
    editor = AugmentSlice(slice="blurry", steps=2)
    mine = editor.propose(view(editor)).set[AUGMENT]
    other = editor.propose(view(editor), np.array([50, 60])).set[AUGMENT]
    assert other["_tilth_id"].to_pylist() == ["r50", "r60"]
    assert other["value"][0] == mine["value"][0]


@pytest.mark.parametrize(
    ("editor", "inside", "known", "said"),
    [
        (AugmentSlice(slice="blurry"), 10, KNOWN, "fewer than 20"),
        (AugmentSlice(slice="none"), 30, KNOWN, "no slice named"),
        (AugmentSlice(slice="blurry"), 30, Repertoire(changes=KNOWN.changes), "frozen"),
    ],
)
def test_it_refuses(editor: AugmentSlice, inside: int, known: Repertoire, said: str) -> None:
    with pytest.raises(NotApplicable, match=said):
        editor.propose(view(editor, inside, known))
