"""Evidence `truth_probs`: confirmed noise of the train rows, computed once, out of sample."""

from __future__ import annotations

import numpy as np
import pytest
from loop_worlds import gaussian_world

from tilth.core.errors import NotApplicable
from tilth.core.names import Split
from tilth.editing.relabel_soft import RelabelSoft


def truth_probs(world):
    return world.evidence.view(RelabelSoft()).truth_probs


def test_clean_overlapping_classes_keep_their_labels():
    world = gaussian_world(n_train=1500, shift=0.8)
    view = world.evidence.view(RelabelSoft())
    own = view.truth_probs[np.arange(len(view)), view.labels]
    assert (own < 0.5).mean() < 0.01


def test_wrong_labels_are_doubted():
    world = gaussian_world(n_train=1500, shift=1.5, noise=0.25)
    rows = world.rows(Split.TRAIN)
    view = world.evidence.view(RelabelSoft())
    wrong = view.labels != world.truth[rows]
    doubted = view.truth_probs[np.arange(len(view)), view.labels] < 0.5
    assert doubted[wrong].mean() > 0.8
    assert doubted[~wrong].mean() < 0.05


def test_too_few_rows_are_refused():
    with pytest.raises(NotApplicable, match="no noise to learn"):
        truth_probs(gaussian_world(n_train=30))
