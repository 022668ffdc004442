"""remove_flagged: by hand, rows that may not go, kinds, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.edit import Verb
from tilth.core.errors import NotApplicable
from tilth.core.finding import Finding
from tilth.core.spec import Spec
from tilth.editing.remove_flagged import REMOVABLE, RemoveFlagged
from tilth.operators.view import View
from tilth.testing.views import view_of

LABELS = np.array([0, 0, 0, 1, 1, 1])


def flagged(kind: str, severity: list[float], **evidence: Any) -> tuple[RemoveFlagged, View]:
    """The editor of a kind, and a view in which rows of positive severity are flagged; one more row is not in the view."""
    ids = pa.array(["elsewhere", *(f"r{i}" for i in range(len(severity)))])
    levels = np.array([0.5, *severity])
    finding = Finding(
        kind=kind,
        summary="some rows",
        operator=Spec(room="detection", name=kind),
        ids=ids,
        severity=levels,
        flagged=levels > 0,
    )
    editor = RemoveFlagged(kind=kind)
    return editor, view_of(editor, **({"labels": LABELS, "findings": {kind: finding}} | evidence))


def test_drops_the_flagged_rows_worst_first():
    editor, view = flagged("outlier", [0, 0.2, 0, 0.9, 0.2, 0])
    chosen = editor.choose(view)
    assert chosen.ids.to_pylist() == ["r3", "r1", "r4"]
    assert chosen.scores.tolist() == [0.9, 0.2, 0.2]
    edit = editor.propose(view)
    assert (edit.verb, edit.drop.to_pylist()) == (Verb.REMOVE, ["r3", "r1", "r4"])
    assert edit.reason == "3 rows are flagged as outlier"


def test_confirmed_and_unlabelled_rows_stay():
    trusted, labelled = np.arange(6) == 1, np.arange(6) != 3
    editor, view = flagged("near_duplicate", [0, 0.2, 0, 0.9, 0.2, 0], trusted=trusted, labelled=labelled)
    assert editor.propose(view).drop.to_pylist() == ["r4"]


def test_placebo_drops_exactly_its_rows():
    editor, view = flagged("outlier", [0, 0.2, 0, 0.9, 0.2, 0])
    assert editor.propose(view, np.array([5, 0])).drop.to_pylist() == ["r5", "r0"]
    assert editor.propose(view, np.array([], dtype=int)).n_rows == 0


def test_a_class_keeps_its_least_severe_row_unless_it_leaks():
    severity = [0, 0, 0, 0.9, 0.2, 0.4]
    editor, view = flagged("outlier", severity)
    assert editor.propose(view).drop.to_pylist() == ["r3", "r5"]
    editor, view = flagged("leakage", severity)
    assert editor.propose(view).drop.to_pylist() == ["r3", "r5", "r4"]


def test_numbers_have_no_classes_to_spare():
    editor, view = flagged("label_error", [0.9, 0.8], classes=(), labels=None, numbers=np.zeros(2))
    assert editor.propose(view).drop.to_pylist() == ["r0", "r1"]


def test_one_variant_for_each_kind():
    assert [editor.kind for editor in RemoveFlagged().strengths()] == list(REMOVABLE)


def test_refusals():
    editor, view = flagged("outlier", [0, 0.2, 0, 0, 0, 0], trusted=np.ones(6, dtype=bool))
    with pytest.raises(NotApplicable, match="no row flagged as outlier may go: a person confirmed its label"):
        editor.propose(view)
    with pytest.raises(NotApplicable, match="nothing of kind leakage was found"):
        RemoveFlagged(kind="leakage").propose(view)
    editor, view = flagged("label_error", [0.9, 0, 0, 0, 0, 0])
    with pytest.raises(NotApplicable, match="remove_label_errors does this for classes"):
        editor.choose(view)
