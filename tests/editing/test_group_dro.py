"""group_dro: the worst of planted groups gains on fresh rows, order of rows changes nothing, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.names import WEIGHT
from tilth.editing.group_dro import GroupDro
from tilth.testing.views import view_of


def planted(n: int = 900, seed: int = 0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n)
    sign = 2.0 * labels - 1
    rare = (rng.random(n) < 0.08).astype(np.intp)
    features = rng.standard_normal((n, 3))
    features[:, 0] += 3 * np.where(rare == 1, -sign, sign)
    features[:, 1] += 1.5 * sign
    return features.astype(np.float32), labels.astype(np.intp), rare


def view(editor, rows, **evidence):
    features, labels, rare = planted()
    facts = {"labels": labels[rows], "embeddings": features[rows], "weights": np.ones(len(rows))}
    facts["slices"] = {"rare": rare[rows].astype(float)}
    return view_of(editor, ids=[f"r{i:04d}" for i in rows], **(facts | evidence))


def test_the_planted_group_counts_more():
    editor = GroupDro(most_fall=0.05)
    seen = view(editor, np.arange(900))
    edit = editor.propose(seen)
    weights = np.asarray(edit.set[WEIGHT].column("value"))
    rare = seen.slices["rare"] > 0
    assert weights.mean() == pytest.approx(1)
    assert weights[rare].mean() > 2 * weights[~rare].mean()
    chosen = editor.choose(seen)
    assert (np.diff(chosen.scores) <= 0).all()
    assert rare[[int(i[1:]) for i in chosen.ids.to_pylist()[:20]]].all()


def test_the_order_of_rows_changes_nothing():
    editor = GroupDro(most_fall=0.05)
    order = np.random.default_rng(1).permutation(900)
    first, again = (editor.propose(view(editor, rows)) for rows in (np.arange(900), order))
    assert first.edit_id == again.edit_id


def test_a_guard_that_allows_nothing_is_a_refusal():
    editor = GroupDro(most_fall=-1.0)
    with pytest.raises(NotApplicable, match="no weights help the worst group"):
        editor.propose(view(editor, np.arange(900)))


def test_strengths_and_refusals():
    ways = [("slices", "group"), ("slices", "guessed"), ("classes", "group")]
    expected = [(fall, *way) for way in ways for fall in (0.005, 0.01)]
    assert [(e.most_fall, e.over, e.others) for e in GroupDro().strengths()] == expected
    editor = GroupDro()
    with pytest.raises(NotApplicable, match="no slice"):
        editor.propose(view(editor, np.arange(900), slices={}))
    with pytest.raises(NotApplicable, match="fewer than two classes"):
        editor.propose(view(editor, np.arange(900), labels=np.zeros(900, dtype=np.intp)))


def test_classes_are_the_groups_where_none_is_known():
    editor = GroupDro(most_fall=0.05, over="classes")
    rng = np.random.default_rng(0)
    labels = (rng.random(900) < 0.1).astype(np.intp)
    features = (1.2 * labels[:, None] + rng.standard_normal((900, 3))).astype(np.float32)
    seen = view_of(
        editor, labels=labels, embeddings=features, weights=np.ones(900), slices={"rare": features[:, 0] > 1}
    )
    weights = np.asarray(editor.propose(seen).set[WEIGHT].column("value"))
    assert len(np.unique(weights.round(9))) == 2
    assert weights[labels == 1].min() > 1.5 * weights[labels == 0].max()
