from __future__ import annotations

import numpy as np
import pyarrow as pa

from tilth.encoding.category import Category, indicators


def test_by_hand(fitted) -> None:
    known = fitted(Category(min_count=2), ["b", "a", "a", "b", "a", "c", None])
    a, b, rare, missing = np.eye(4)
    np.testing.assert_array_equal(known(["a", "b", "c", "unseen", None]), [a, b, rare, rare, missing])


def test_indicators_by_hand() -> None:
    np.testing.assert_array_equal(indicators(np.array([1, 0]), 3), [[0, 1, 0], [1, 0, 0]])


def test_the_most_frequent_get_an_indicator(fitted) -> None:
    known = fitted(Category(min_count=1, limit=2), list("aaabbc"))
    assert len(known.state["categories"]) == 2
    assert known(["a", "b", "c"]).argmax(axis=1).tolist() == [0, 1, 2]


def test_layouts(same_for_all_layouts) -> None:
    cells = [["soil", "seed", "雨", "", "a" * 500, None][i % 6] for i in range(150)] + [f"only{i}" for i in range(9)]
    same_for_all_layouts(Category(), pa.array(cells), pa.array(["seed", None, "雪"]))


def test_numbers_are_names_whatever_their_type(fitted) -> None:
    known = fitted(Category(min_count=1), pa.array([1, 2, 2, 3]))
    expected = known(pa.array([1, 2, 3, 9]))
    np.testing.assert_array_equal(known(pa.array([1.0, 2.0, 3.0, 9.0])), expected)
    np.testing.assert_array_equal(known(["1", "2", "3", "9"]), expected)
    assert known(pa.array([np.nan, None]))[:, -1].tolist() == [1.0, 1.0]


def test_dictionaries_and_booleans(fitted) -> None:
    cells = pa.array(["x", "y", None, "x"])
    known = fitted(Category(min_count=1), cells.dictionary_encode())
    np.testing.assert_array_equal(known(cells), known(cells.dictionary_encode()))
    assert fitted(Category(min_count=1), [True, False])([True, False, None]).argmax(axis=1)[2] == 3


def test_nothing_and_missing_only(fitted) -> None:
    assert fitted(Category(), pa.array([], pa.string()))(["a", None]).tolist() == [[1, 0], [0, 1]]
    assert fitted(Category(), pa.nulls(3))(pa.nulls(1)).tolist() == [[0, 1]]
