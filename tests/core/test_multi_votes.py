"""MultiVotes: answers that fit together, and the question of yes and no that each class is."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.multi_votes import MultiVotes

YES = np.array([[1, 0], [1, 1], [0, 0]], dtype=bool)
SPOKEN = np.array([[1, 0], [1, 1], [1, 1]], dtype=bool)


def votes(**changes):
    given = {
        "row_ids": pa.array(["a", "b", "c"]),
        "labelers": ("rule", "ann"),
        "classes": ("joy", "love"),
        "rows": np.array([0, 0, 2]),
        "sources": np.array([0, 1, 1]),
        "yes": YES,
        "spoken": SPOKEN,
    }
    return MultiVotes(**given | changes)


def test_a_class_is_a_question_to_those_who_speak_of_it():
    joy, love = votes().of_class(0), votes().of_class(1)
    assert joy.classes == ("not joy", "joy")
    assert joy.labelers == ("rule", "ann")
    assert (joy.rows.tolist(), joy.sources.tolist(), joy.said.tolist()) == ([0, 0, 2], [0, 1, 1], [1, 1, 0])
    assert love.labelers == ("ann",)
    assert (love.rows.tolist(), love.sources.tolist(), love.said.tolist()) == ([0, 2], [0, 0], [1, 0])
    assert votes().covered.tolist() == [True, False, True]


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": np.array([0, 2, 0])},
        {"rows": np.array([0, 0, 3])},
        {"sources": np.array([0, 1, 2])},
        {"sources": np.array([0, 1])},
        {"yes": YES[:, :1]},
        {"yes": ~SPOKEN},
        {"labelers": ("a", "a")},
        {"classes": ("joy", "joy")},
    ],
)
def test_what_does_not_fit_is_refused(changes):
    with pytest.raises(ValueError, match=r"must|points|spoken"):
        votes(**changes)
