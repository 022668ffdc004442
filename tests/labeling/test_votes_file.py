"""Votes of a file join by the id of the row, never by its place."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tilth.core.errors import ConfigError
from tilth.labeling.votes_file import VotesFile
from tilth.operators.batch import Batch


def test_votes_join_by_id():
    labeler = VotesFile(file="v.csv", labeler="w", entries={"r2": "spam", "r9": "ham"})
    ids = pa.array(["r0", "r2", "r9", "r2"])
    assert labeler.vote(Batch(ids=ids)).names.to_pylist() == [None, "spam", "ham", "spam"]
    assert labeler.vote(Batch(ids=ids.slice(0, 0))).names.to_pylist() == []


def test_a_file_needs_a_name():
    with pytest.raises(ConfigError, match="needs its name"):
        VotesFile(file="")
