"""The local engine: the same tree of merges for every number of blocks."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.engine.local import fold_blocks, map_blocks, merge_tree

LAW = settings(max_examples=60, deadline=None)


class Shape:
    """Folds to the shape of the merges themselves."""

    def start(self) -> Any:
        return "-"

    def fold(self, state: Any, batch: Any) -> Any:
        assert state == "-"
        return str(batch)

    def merge(self, left: Any, right: Any) -> Any:
        return f"({left} {right})"


class Total:
    """Folds to a sum and a list of what came."""

    def start(self) -> Any:
        return 0, ()

    def fold(self, state: Any, batch: Any) -> Any:
        return state[0] + sum(batch), (*state[1], *batch)

    def merge(self, left: Any, right: Any) -> Any:
        return left[0] + right[0], left[1] + right[1]


def test_the_tree_is_pairs_of_pairs_by_block_index():
    shapes = [fold_blocks(Shape(), range(n)) for n in range(7)]
    assert shapes == [
        "-",
        "0",
        "(0 1)",
        "((0 1) 2)",
        "((0 1) (2 3))",
        "(((0 1) (2 3)) 4)",
        "(((0 1) (2 3)) (4 5))",
    ]


def test_merging_finished_states_gives_the_same_tree():
    """An engine that folds elsewhere sends states home; they merge as if folded here."""
    states = [Shape().fold(Shape().start(), block) for block in range(11)]
    assert merge_tree(Shape(), states) == fold_blocks(Shape(), range(11))
    assert states == [str(block) for block in range(11)]  # the caller's list stays


@LAW
@given(values=st.lists(st.integers(), max_size=40), rows=st.integers(1, 9))
def test_law_blocks_do_not_matter_to_what_is_summed_and_order_is_kept(values, rows):
    blocks = [values[start : start + rows] for start in range(0, len(values), rows)]
    assert fold_blocks(Total(), blocks) == (sum(values), tuple(values))


def test_maps_run_block_by_block_in_order():
    seen = []

    def double(block: int) -> int:
        seen.append(block)
        return 2 * block

    results = map_blocks(double, range(3))
    assert seen == []  # nothing is computed before it is asked for
    assert list(results) == [0, 2, 4]
