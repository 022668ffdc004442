"""broken_file: by hand, the forms in which sources name broken files, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.detection.broken_file import BrokenFile, broken_reasons

SPLITS = np.array(["train", "train", "test"], dtype=object)


def test_reasons_by_hand():
    ids = ["a", "b", "c"]
    assert broken_reasons({"rows": 3, "files": []}, ids) == ({}, [])
    assert broken_reasons({"broken_images": ["a"]}, ids) == ({"a": "broken image"}, [])
    assert broken_reasons({"broken_audio": {"b": "silence"}}, ids) == ({"b": "silence"}, [])
    by_place = {"broken_images": [(1, "b.png", "cut short"), (None, "x.png", "empty")], "rows": 3}
    assert broken_reasons(by_place, ids) == ({"b": "cut short"}, ["x.png"])


def test_positions_hold_only_for_the_rows_of_the_source():
    facts = {"broken_images": [[1, "b.png", "cut short"]], "rows": 4}
    assert broken_reasons(facts, ["a", "b", "c"]) == ({}, ["b.png"])


def test_rows_of_dev_and_test_are_counted_and_not_flagged(view_of):
    source = {"broken_images": {"r1": "truncated", "r2": "no image"}}
    (finding,) = BrokenFile().find(view_of(BrokenFile(), source=source, splits=SPLITS, n=3))
    assert finding.flagged.tolist() == [False, True, False]
    assert finding.severity.tolist() == [0.0, 1.0, 1.0]
    assert finding.evidence["reason"] == ["", "truncated", "no image"]
    assert "2 of 3 rows" in finding.summary
    assert "1 of these rows" in finding.summary


def test_files_without_a_row_are_named_beside_rows(view_of):
    source = {"broken_images": [(None, "cat/7.png", "empty"), ("r0", "cat/8.png", "cut short")], "rows": 3}
    (finding,) = BrokenFile().find(view_of(BrokenFile(), source=source, splits=SPLITS, n=3))
    assert (finding.n_flagged, finding.overall) == (1, 1.0)
    assert "'cat/7.png'" in finding.summary


@pytest.mark.parametrize("row", [None, "r2", "gone"])
def test_without_a_row_that_can_be_mended_there_is_no_finding(view_of, row):
    source = {"broken_images": [(row, "cat/7.png", "empty")], "rows": 4}
    assert BrokenFile().find(view_of(BrokenFile(), source=source, splits=SPLITS, n=3)) == []


def test_rows_that_an_edit_has_removed_are_not_counted(view_of):
    source = {"broken_images": [("gone", "a.png", "empty"), ("r1", "b.png", "empty")], "rows": 4}
    (finding,) = BrokenFile().find(view_of(BrokenFile(), source=source, splits=SPLITS, n=3))
    assert finding.flagged_ids.to_pylist() == ["r1"]
    assert "1 of 3 rows" in finding.summary
    assert "No row was made" not in finding.summary


def test_a_whole_source_has_no_finding(view_of):
    assert BrokenFile().find(view_of(BrokenFile(), source={"broken_images": []}, splits=SPLITS, n=3)) == []


def test_refusal(view_of):
    with pytest.raises(NotApplicable, match="no files"):
        BrokenFile().find(view_of(BrokenFile(), source={"rows": 3}, splits=SPLITS, n=3))
    with pytest.raises(NotApplicable, match="no files"):
        BrokenFile().find(view_of(BrokenFile(), splits=SPLITS, n=3))
