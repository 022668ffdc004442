"""A column's cells are votes: as they stand, or as a table of classes reads them."""

from __future__ import annotations

import pyarrow as pa

from tilth.labeling.answers import Answers
from tilth.operators.batch import Batch


def said(labeler: Answers, cells: pa.Array) -> list[str | None]:
    batch = Batch(ids=pa.array([str(i) for i in range(len(cells))]), columns={"w": cells})
    return labeler.vote(batch).names.to_pylist()


def test_cells_are_classes():
    cells = pa.array(["spam", " ham ", "", None, "unsure"])
    assert said(Answers(column="w", abstain=("unsure",)), cells) == ["spam", "ham", None, None, None]


def test_a_table_of_classes_reads_them_and_the_rest_abstains():
    labeler = Answers(column="w", classes={"1": "spam", "0": "ham"})
    assert said(labeler, pa.array([1.0, 0.0, 2.0, None])) == ["spam", "ham", None, None]
    assert said(labeler, pa.array([1, 0, 2])) == ["spam", "ham", None]


def test_categories_are_words():
    assert said(Answers(column="w"), pa.array(["a", "b", "a"]).dictionary_encode()) == ["a", "b", "a"]
