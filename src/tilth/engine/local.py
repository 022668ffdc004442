"""The local engine: maps and folds over blocks in this process.

Folds merge along a fixed binary tree over the block index, so that every engine adds up in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

__all__ = ["fold_blocks", "map_blocks", "merge_tree"]

Block = TypeVar("Block")
Result = TypeVar("Result")


class Folding(Protocol):
    """The three steps of a fold that an engine runs."""

    def start(self) -> Any:
        """Return the empty state."""
        ...

    def fold(self, state: Any, batch: Any) -> Any:
        """Return the state with a block taken in."""
        ...

    def merge(self, left: Any, right: Any) -> Any:
        """Return the state of both."""
        ...


def map_blocks(function: Callable[[Block], Result], blocks: Iterable[Block]) -> Iterator[Result]:
    """Yield the function of each block, in block order."""
    return map(function, blocks)


def fold_blocks(operator: Folding, blocks: Iterable[Any]) -> Any:
    """Return the merged state of all blocks: each block is folded alone, then states merge along the tree."""
    states = [operator.fold(operator.start(), block) for block in blocks]
    return merge_tree(operator, states)


def merge_tree(operator: Folding, states: list[Any]) -> Any:
    """Merge states pairwise by block index: (0 1) (2 3) …, then pairs of pairs; the empty state for none."""
    if not states:
        return operator.start()
    while len(states) > 1:
        pairs = range(0, len(states) - 1, 2)
        merged = [operator.merge(states[i], states[i + 1]) for i in pairs]
        states = merged + states[len(merged) * 2 :]
    return states[0]
