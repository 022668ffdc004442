"""Findings: what they refuse to be, and what they say of themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.finding import Finding
from tilth.core.rowset import RowSet
from tilth.core.spec import Spec

SPEC = Spec(room="detection", name="by_hand")


def finding(severity: list[float], flagged: list[bool], **more: Any) -> Finding:
    facts: dict[str, Any] = {
        "kind": "label_error",
        "summary": "two rows",
        "operator": SPEC,
        "ids": pa.array([f"r{i}" for i in range(len(severity))]),
        "severity": np.array(severity),
        "flagged": np.array(flagged, dtype=bool),
    }
    return Finding(**(facts | more))


def test_flagged_rows_come_worst_first_and_ties_in_row_order():
    found = finding([0.2, 0.9, 0.5, 0.9, 1.0], [True, True, True, True, False])
    assert found.flagged_ids.to_pylist() == ["r1", "r3", "r2", "r0"]
    assert found.n_flagged == 4
    assert found.overall == pytest.approx(2.5 / 4)


def test_a_claim_about_columns_has_its_own_level():
    found = Finding(kind="constant_column", summary="one column", operator=SPEC, columns=("a",), level=0.5)
    assert (found.overall, found.n_flagged, found.flagged_ids.to_pylist()) == (0.5, 0, [])
    assert finding([0.3], [False]).overall == 0.0


@pytest.mark.parametrize("severity", [[1.1, 0.0], [-0.1, 0.0], [float("nan"), 0.0]])
def test_severities_lie_between_nothing_and_the_worst(severity):
    with pytest.raises(ValueError, match="severity"):
        finding(severity, [True, False])


@pytest.mark.parametrize("level", [-0.1, 1.5, float("nan")])
def test_so_do_levels(level):
    with pytest.raises(ValueError, match="level"):
        Finding(kind="empty_column", summary="", operator=SPEC, columns=("a",), level=level)


@pytest.mark.parametrize("part", [{"ids": pa.array(["a"])}, {"severity": np.zeros(3)}, {"flagged": np.zeros(1, bool)}])
def test_lengths_agree(part):
    with pytest.raises(ValueError, match="one length"):
        replace(finding([0.1, 0.2], [True, False]), **part)


def test_the_head_of_a_row_set_keeps_its_scores():
    chosen = RowSet(ids=pa.array(["a", "b", "c"]), scores=np.array([3.0, 2.0, 1.0]), reason="worst")
    assert (chosen.head(2).ids.to_pylist(), list(chosen.head(2).scores), len(chosen.head(9))) == (["a", "b"], [3, 2], 3)
    assert RowSet(ids=pa.array(["a"])).head(0).scores is None
