"""Phrases with gaps: any few words, or the row's own cells."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tilth.core.errors import ConfigError
from tilth.labeling.pattern import Pattern
from tilth.operators.batch import Batch


def said(labeler: Pattern, **columns: list[str | None]) -> list[bool]:
    n = len(columns["text"])
    batch = Batch(
        ids=pa.array([str(i) for i in range(n)]),
        columns={name: pa.array(cells, pa.string()) for name, cells in columns.items()},
    )
    return [name == "x" for name in labeler.vote(batch).names.to_pylist()]


def test_gaps_stand_for_words():
    labeler = Pattern(patterns=("{X} such as {Y}", "{Y} and other {X}"), says="x", column="text")
    texts = ["Fruit such as apples", "such as", "apples and other fruit", "fruitsuch as apples", None, "A SUCH AS B"]
    assert said(labeler, text=texts) == [True, False, True, False, False, True]


def test_cells_fill_their_gaps():
    labeler = Pattern(patterns=("{a} married {b}", "{a} {X} wife of {b}"), says="x", column="text", cells=("a", "b"))
    texts = [
        "Ann married Bob",
        "Bob married Ann",
        "Ann, the wife of Bob",
        "ann is the wife of bob",
        "Annie married Bob",
    ]
    a, b = ["Ann"] * 5, ["Bob"] * 5
    assert said(labeler, text=texts, a=a, b=b) == [True, False, False, True, False]
    assert said(labeler, text=["Ann married Bob"] * 2, a=["Ann", None], b=["Rob", "Bob"]) == [False, False]


def test_a_cell_with_signs_stands_for_itself():
    labeler = Pattern(patterns=("made by {a}",), says="x", column="text", cells=("a",))
    assert said(labeler, text=["made by A.C. (UK)", "made by AxC"], a=["A.C. (UK)", "A.C"]) == [True, False]
    assert said(labeler, text=["made by A.C", "made by AxC"], a=["A.C", "A.C"]) == [True, False]


@pytest.mark.parametrize(
    "wrong", [{"patterns": ()}, {"patterns": ("{X} {Y}",)}, {"patterns": ("a {X}",), "cells": ("b",)}]
)
def test_patterns_without_words_are_refused(wrong):
    with pytest.raises(ConfigError):
        Pattern(says="x", column="text", **wrong)
