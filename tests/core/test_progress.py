"""Progress: who listens hears, and nobody else."""

from __future__ import annotations

import pytest

from tilth.core.progress import heard_by, tell


def test_who_listens_hears_what_is_told_inside():
    heard, other = [], []
    tell("fit", "before", 1, 2)  # nobody listens
    with heard_by(lambda *said: heard.append(said)):
        tell("fit", "rows", 1, 2)
        with heard_by(lambda *said: other.append(said)):
            tell("fit", "inside", 2, 2)
        tell("fit", "again", 2, 2)
    tell("fit", "after", 2, 2)
    assert heard == [("fit", "rows", 1, 2), ("fit", "again", 2, 2)]
    assert other == [("fit", "inside", 2, 2)]


def test_nobody_listens_after_an_error():
    heard = []
    with pytest.raises(ValueError, match="broken"), heard_by(lambda *said: heard.append(said)):
        raise ValueError("broken")
    tell("fit")
    assert heard == []
