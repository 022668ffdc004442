"""Descriptions: a slice in words that a person would use, from what may be shown.

Telling terms of its texts, the table conditions that are most typical of it, which classes are taken for which, the rows at its
heart, those that fail most against expectation and those at its edge, and the declared slice that it is nearest to. Cells of
columns that are hidden or shown in sums only are not read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.region import Region
from tilth.core.schema import ColumnType, Role
from tilth.core.slice import Slice
from tilth.numerics.telling_words import telling_terms
from tilth.slicing._shared.typical import typical_conditions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tilth.core.arrays import IntVector, Mask, Vector
    from tilth.core.estimate import Estimate
    from tilth.operators.view import View
    from tilth.slicing._shared.failures import Failures

__all__ = ["described"]

MOST_TEXTS = 20_000
"""Texts that terms are looked for in; of more, evenly spaced ones by membership are read."""
NEAREST_LEAST = 0.1
"""Jaccard similarity below which no declared slice is called near."""


def described(
    view: View,
    membership: Vector,
    made_of: Mapping[str, Any],
    failures: Failures,
    *,
    score: Estimate,
    overall: float,
    held_out: Mapping[str, Any],
    taken: set[str],
) -> Slice:
    """Return the slice with name, summary and facts.

    Parameters
    ----------
    view : the rows
    membership : (n,) in [0, 1]
    made_of : its rule, as arguments of `Slice`
    failures : the rows that have a score
    score, overall : mean score of its rows, and of all
    held_out : what the rows say that took no part in finding it
    taken : names of other slices
    """
    inside = _inside(membership)
    terms = _terms(view, inside)
    conditions = typical_conditions(view, inside)
    classes = _classes(view, inside)
    nearest = _nearest(view, membership)
    subject = _subject(terms, conditions, classes)
    title = subject or _of_rows(view, membership, inside)
    name = _free(title if "where" not in made_of else in_words(str(made_of["where"])), taken)
    rule = dict(made_of)
    if isinstance(region := rule.get("region"), Region):
        rule["region"] = replace(region, title=title)
    facts: dict[str, Any] = {
        "terms": terms,
        "conditions": conditions,
        "classes": [{"given": given, "predicted": said, "rows": rows} for given, said, rows in classes],
        "typical": view.take_ids(_by_membership(view, membership, inside)[:5]).to_pylist(),
        "failing": view.take_ids(_failing(membership, failures)).to_pylist(),
        "boundary": view.take_ids(_boundary(view, membership)).to_pylist(),
        "held_out": dict(held_out),
    }
    if nearest:
        facts["nearest_slice"] = {"name": nearest[0], "jaccard": nearest[1]}
    said = _sentences(int(inside.sum()), score, overall, terms, conditions, classes, nearest)
    return Slice(name=name, operator=view.spec, summary=said, facts=facts, **rule)


def in_words(where: str) -> str:
    """Return a predicate of plain comparisons as people say it, for a name.

    Examples
    --------
    >>> in_words('"area" > 84.5 AND town = 1')
    'area above 84.5 and town is 1'
    """
    for sign, word in (("AND", "and"), ("<>", "is not"), ("<=", "at most"), (">", "above"), ("=", "is")):
        where = where.replace(f" {sign} ", f" {word} ")
    return where.replace('"', "").replace("'", "")


def _inside(membership: Vector) -> Mask:
    """Members; the half that belongs most where none belongs by half."""
    inside = membership >= 0.5
    return inside if inside.any() else membership >= 0.5 * float(membership.max())


def _terms(view: View, inside: Mask) -> list[str]:
    """Return the telling terms of the first column of shown text that has any."""
    if not view.has("table"):
        return []
    rows = np.arange(len(view))
    if len(rows) > MOST_TEXTS:
        rows = np.sort(np.argsort(~inside, kind="stable")[np.linspace(0, len(rows) - 1, MOST_TEXTS).astype(np.intp)])
    for column in view.schema.columns:
        is_text = column.type is ColumnType.TEXT and column.role is Role.FEATURE
        if is_text and view.schema.may_show(column.name) and column.name in view.table.column_names:
            cells = pc.take(view.table.column(column.name), pa.array(rows)).cast(pa.large_string())
            if found := telling_terms(cells.to_pylist(), inside[rows]):
                return found
    return []


def _classes(view: View, inside: Mask) -> list[tuple[str, str, int]]:
    """Return the errors inside as (given, predicted, rows), most frequent first; empty where the label may not be shown."""
    label = view.schema.task.label
    if not (view.has("labels") and view.has("pred_probs")) or (
        label in view.schema.names and not view.schema.may_show(label)
    ):
        return []
    rows = np.flatnonzero(inside & view.labelled)
    given, said = view.labels[rows], view.pred_probs[rows].argmax(axis=1)
    pairs, counts = np.unique(np.stack([given, said])[:, given != said], axis=1, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:3]
    names = view.classes
    return [(names[pairs[0, i]], names[pairs[1, i]], int(counts[i])) for i in order]


def _nearest(view: View, membership: Vector) -> tuple[str, float] | None:
    """Return the declared slice that shares most with this one."""
    if not view.has("slices"):
        return None
    shared = {
        name: float(np.minimum(other, membership).sum() / max(float(np.maximum(other, membership).sum()), 1e-12))
        for name, other in view.slices.items()
    }
    best = max(shared, key=lambda name: (shared[name], name), default=None)
    return None if best is None or shared[best] < NEAREST_LEAST else (best, round(shared[best], 6))


def _by_membership(view: View, membership: Vector, inside: Mask) -> IntVector:
    """Members, those that belong most first; ties by id."""
    rows = np.flatnonzero(inside)
    ids = np.asarray(view.ids.take(pa.array(rows)).to_pylist(), dtype=object)
    return np.asarray(rows[np.lexsort((ids, -np.round(membership[rows], 6)))], dtype=np.intp)


def _failing(membership: Vector, failures: Failures) -> IntVector:
    """Return up to five rows that belong and fare worst against what was expected of them."""
    belongs = np.round(membership[failures.rows] * failures.worse * failures.fails, 6)
    first = np.argsort(-belongs, kind="stable")[:5]
    return failures.rows[first[belongs[first] > 0]]


def _boundary(view: View, membership: Vector) -> IntVector:
    """Return up to three rows that belong as much as they do not."""
    away = np.round(np.abs(membership - 0.5), 6)
    rows = np.flatnonzero((away < 0.25) & (away > 0))
    ids = np.asarray(view.ids.take(pa.array(rows)).to_pylist(), dtype=object)
    return np.asarray(rows[np.lexsort((ids, away[rows]))][:3], dtype=np.intp)


def _subject(terms: Sequence[str], conditions: Sequence[str], classes: Sequence[tuple[str, str, int]]) -> str:
    if terms:
        return ", ".join(terms[:3])
    if conditions:
        return conditions[0]
    return f"{classes[0][0]} taken for {classes[0][1]}" if classes else ""


def _of_rows(view: View, membership: Vector, inside: Mask) -> str:
    first = view.take_ids(_by_membership(view, membership, inside)[:1]).to_pylist()
    return f"rows like {first[0]}"


def _free(name: str, taken: set[str]) -> str:
    number = 2
    free = name
    while free in taken:
        free, number = f"{name} ({number})", number + 1
    return free


def _sentences(
    rows: int,
    score: Estimate,
    overall: float,
    terms: Sequence[str],
    conditions: Sequence[str],
    classes: Sequence[tuple[str, str, int]],
    nearest: tuple[str, float] | None,
) -> str:
    said = [f"{rows:,} rows that score {score.value:.3g} where all score {overall:.3g}"]
    if terms:
        said.append(f"they speak of {', '.join(terms)}")
    if conditions:
        said.append(f"typically {' and '.join(conditions[:2])}")
    if classes:
        said.append(
            "most of their errors: " + ", ".join(f"{given} taken for {to} ({n:,})" for given, to, n in classes[:2])
        )
    if nearest:
        said.append(f"nearest declared slice: {nearest[0]}")
    return "; ".join(said) + "."
