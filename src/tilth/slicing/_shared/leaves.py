"""Leaves of a shallow tree over the table's shown columns, as predicates that find the rows again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.schema import ColumnType
from tilth.slicing._shared.crossing import Rule
from tilth.slicing._shared.typical import shown_columns

if TYPE_CHECKING:
    from tilth.core.arrays import FloatMatrix32, Mask, Vector
    from tilth.operators.view import View
    from tilth.slicing._shared.failures import Failures

__all__ = ["leaf_rules"]

MOST_VALUES = 20
"""Values of a category that are asked for, the most frequent ones."""
LEAST_LEAF = 20
LEAST_SHARE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Asked:
    """A number of each row that a condition may ask for; of a category's value whether a row has it."""

    name: str
    values: Vector | Mask
    known: Mask
    value: str | None = None


def leaf_rules(view: View, there: Failures, *, depth: int) -> list[Rule]:
    """Return the leaves whose rows fare worse than expected, most surely first; an empty list without shown columns."""
    asked = [*_numbers(view), *_categories(view)]
    if not asked:
        return []
    from sklearn.tree import DecisionTreeRegressor

    filled: FloatMatrix32 = np.empty((len(there), len(asked)), dtype=np.float32)
    for column, one in zip(filled.T, asked, strict=True):
        column[:] = np.where(one.known[there.rows], one.values[there.rows], _middle(one))
    least = max(LEAST_LEAF, int(LEAST_SHARE * len(there)))
    tree = DecisionTreeRegressor(max_depth=depth, min_samples_leaf=least, random_state=0)
    tree.fit(filled, there.surprise)
    rules = [_rule(asked, path) for path in _paths(tree.tree_) if path]
    excess = [_excess(rule, there) for rule in rules]
    order = np.argsort(-np.array(excess), kind="stable")
    return [rules[i] for i in order if excess[i] > 0]


def _excess(rule: Rule, there: Failures) -> float:
    inside = rule.membership[there.rows] > 0.5
    return float(there.surprise[inside].sum() / np.sqrt(inside.sum())) if inside.any() else 0.0


def _middle(one: _Asked) -> float:
    return float(np.median(one.values[one.known]))


def _numbers(view: View) -> Iterator[_Asked]:
    """Columns of numbers; one that holds "not a number" beside missing cells is left out, as SQL counts it as great."""
    for column in shown_columns(view, ColumnType.NUMBER):
        cells = view.table.column(column.name)
        if not (pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type)):
            continue
        known = np.asarray(pc.is_valid(cells))
        values = np.asarray(pc.fill_null(cells.cast(pa.float64(), safe=False), 0.0), dtype=np.float64)
        if known.any() and np.isfinite(values).all() and np.abs(values).max() < 1e30:
            yield _Asked(name=column.name, values=values, known=known)


def _categories(view: View) -> Iterator[_Asked]:
    for column in shown_columns(view, ColumnType.CATEGORY):
        cells = view.table.column(column.name)
        if pa.types.is_dictionary(cells.type):
            cells = cells.cast(cells.type.value_type)
        if not (pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)):
            continue
        known = np.asarray(pc.is_valid(cells))
        counts = pc.drop_null(cells).value_counts().to_pylist()
        for one in sorted(counts, key=lambda pair: (-pair["counts"], pair["values"]))[:MOST_VALUES]:
            has = np.asarray(pc.fill_null(pc.equal(cells, one["values"]), False))
            yield _Asked(name=column.name, values=has, known=known, value=one["values"])


def _paths(tree: Any) -> Iterator[list[tuple[int, float, bool]]]:
    """Yield the way to each leaf: number of what is asked, threshold, and whether it lies above."""
    stack: list[tuple[int, list[tuple[int, float, bool]]]] = [(0, [])]
    while stack:
        node, path = stack.pop()
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left < 0:
            yield path
            continue
        asked, edge = int(tree.feature[node]), float(tree.threshold[node])
        stack += [(right, [*path, (asked, edge, True)]), (left, [*path, (asked, edge, False)])]


def _rule(asked: Sequence[_Asked], path: Sequence[tuple[int, float, bool]]) -> Rule:
    holds, said = np.ones(len(asked[0].values), dtype=bool), list[str]()
    for number, edge, above in path:
        one = asked[number]
        place = float(f"{edge:.6g}")
        holds &= one.known & ((one.values > place) if above else (one.values <= place))
        said.append(_condition(one, place, above))
    return Rule(membership=holds.astype(np.float64), made_of={"where": " AND ".join(dict.fromkeys(sorted(said)))})


def _condition(one: _Asked, edge: float, above: bool) -> str:
    name = '"' + one.name.replace('"', '""') + '"'
    if one.value is not None:
        text = "'" + one.value.replace("'", "''") + "'"
        return f"{name} {'=' if above else '<>'} {text}"
    return f"{name} {'>' if above else '<='} {edge!r}"
