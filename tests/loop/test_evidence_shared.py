"""What views of one version share: slices are cut once until others are found, and what a scope let go of is computed again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from loop_worlds import gaussian_world

from tilth.core.errors import NotApplicable
from tilth.core.names import Split
from tilth.editing import group_dro
from tilth.editing.group_dro import GroupDro


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Reads slices and near rows."""

    scope: str = "train"
    needs: ClassVar[frozenset[str]] = frozenset({"slices", "neighbours", "labels"})
    revision: ClassVar[int] = 1


@pytest.fixture
def evidence():
    return gaussian_world(n_train=200, n_dev=60, d=4).evidence


def test_views_share_slices_until_others_are_known(evidence):
    half = np.arange(evidence.dataset.n_rows) / evidence.dataset.n_rows
    evidence.sliced = lambda: {"half": half}
    first, second = evidence.view(Reader()), evidence.view(Reader())
    assert first.slices["half"] is second.slices["half"]
    np.testing.assert_array_equal(first.slices["half"], half[evidence.dataset.mask(Split.TRAIN)])
    assert first.in_common("rows", lambda: np.arange(2)) is second.in_common("rows", lambda: np.arange(9))
    with pytest.raises(ValueError, match="read-only"):
        first.slices["half"][0] = 1.0
    evidence.sliced = lambda: {"half": 1 - half, "all": np.ones(len(half))}
    third = evidence.view(Reader())
    assert list(third.slices) == ["half", "all"]
    assert third.in_common("rows", lambda: np.arange(3)).tolist() == [0, 1, 2], "it may have rested on the slices"
    np.testing.assert_array_equal(third.slices["half"], 1 - first.slices["half"])


def test_strengths_of_an_editor_choose_the_penalty_once(evidence, monkeypatch):
    known = {"half": (np.arange(evidence.dataset.n_rows) % 2).astype(float)}
    evidence.sliced = lambda: known
    chosen: list[int] = []
    search = group_dro.held_out_penalty
    monkeypatch.setattr(group_dro, "held_out_penalty", lambda *rows: chosen.append(len(rows[0])) or search(*rows))
    for editor in GroupDro(slice="half").strengths():
        with suppress(NotApplicable):
            editor.propose(evidence.view(editor))
    assert chosen == [200]


def test_what_a_scope_let_go_of_is_computed_again_and_other_scopes_keep_theirs(evidence):
    before = {scope: evidence.view(Reader(scope=scope)).neighbours for scope in ("all", "train")}
    evidence.forget("all")
    after = {scope: evidence.view(Reader(scope=scope)).neighbours for scope in ("all", "train")}
    assert after["train"] is before["train"]
    assert after["all"] is not before["all"]
    np.testing.assert_array_equal(after["all"].positions, before["all"].positions)
    labelled = evidence.view(Reader()).labelled
    evidence.forget("train", "neighbours")
    assert evidence.view(Reader()).neighbours is not before["train"]
    assert np.shares_memory(evidence.view(Reader()).labelled, labelled)
