"""Tail buckets: the rows of a key column's frequent, middling, rare and never seen values.

    head: the most frequent values, which cover about half of the rows; torso: up to about 90 %; tail: the others
    unseen: values that no train row has

Values of one frequency stand together in one bucket. The four slices are always given, whatever the scores say.

Source: Cui, Jia, Lin, Song, Belongie (2019), Class-Balanced Loss Based on Effective Number of Samples, CVPR (why the tail is to be
looked at).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.errors import NotApplicable, UnknownColumnError
from tilth.core.found_slice import FoundSlice
from tilth.core.names import Split
from tilth.core.schema import ColumnType, Role, Schema
from tilth.core.slice import Slice
from tilth.engine.predicate import written_name
from tilth.numerics.selected import selected_q
from tilth.numerics.slice_tests import Losses
from tilth.slicing._shared import estimate_of, scored_rows, summary_of, written_text

if TYPE_CHECKING:
    from tilth.core.arrays import IntVector
    from tilth.operators.view import Scope, View

__all__ = ["TailBuckets", "frequency_buckets"]

BUCKETS = ("head", "torso", "tail", "unseen")
_MOST_NAMED = 2000
"""Values that a predicate may name."""


def frequency_buckets(counts: IntVector, head: float = 0.5, torso: float = 0.9) -> IntVector:
    """Return the bucket of each value by how many train rows have it; (v,) -> (v,).

    Rows are put in order by how many have their value. Values of one frequency belong where the middle of their rows lies: to
    the head where that is within the first share `head`, to the torso within the share `torso`. The most frequent values are
    always of the head. O(v log v).

    Parameters
    ----------
    counts : IntVector, (v,)
        Train rows per value, >= 0.
    head, torso : float
        Shares of the rows, 0 < head <= torso <= 1, that the values of the head, and of head and torso, cover, nearly.

    Returns
    -------
    IntVector, (v,)
        0 head, 1 torso, 2 tail, 3 unseen.

    Randomness
    ----------
    None.

    Examples
    --------
    >>> frequency_buckets(np.array([50, 30, 10, 10, 0])).tolist()
    [0, 1, 2, 2, 3]
    """
    sizes = np.unique(counts)[::-1]
    held = np.array([int(size) * int(np.count_nonzero(counts == size)) for size in sizes])
    middles = (np.cumsum(held) - held / 2) / max(int(counts.sum()), 1)
    of_size = np.where(sizes == 0, 3, np.where(middles < head, 0, np.where(middles < torso, 1, 2)))
    if len(sizes) and sizes[0] > 0:
        of_size[0] = 0
    return np.asarray(of_size[len(sizes) - 1 - np.searchsorted(sizes[::-1], counts)], dtype=np.intp)


@dataclass(frozen=True, slots=True, kw_only=True)
class TailBuckets:
    """Report how the model does on the frequent, the middling, the rare and the unseen values of a key column.

    Parameters
    ----------
    key : str
        The column; empty for the group column, or else the category with the most values.
    head, torso : float
        Shares of the train rows that the values of the head, and of head and torso together, cover; default 0.5
        and 0.9.

    Raises
    ------
    NotApplicable
        No column is a key, or fewer than two rows have a score.
    UnknownColumnError
        There is no column of that name.

    Randomness
    ----------
    None.

    Source
    ------
    Cui et al. (2019), CVPR.
    """

    key: str = ""
    head: float = 0.5
    torso: float = 0.9

    needs: ClassVar[frozenset[str]] = frozenset({"groups", "scores", "table", "splits"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 2

    def discover(self, view: View) -> Sequence[FoundSlice]:
        """Return the buckets that have rows, the one whose score is surely lowest first."""
        scored = scored_rows(view)
        key = self.key or _key_of(view.table, view.schema)
        if key not in view.table.column_names:
            raise UnknownColumnError.among(key, view.table.column_names)
        cells = view.table.column(key).combine_chunks()
        cells = cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells
        if not (
            pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type) or pa.types.is_integer(cells.type)
        ):
            raise NotApplicable(f"column {key!r} holds neither names nor whole numbers: it is no key")
        values = cells.drop_null().unique()
        codes = np.asarray(pc.fill_null(pc.index_in(cells, value_set=values, skip_nulls=True), len(values)))
        buckets = self._buckets(view, codes, len(values))
        tests, overall = Losses(scored.losses, scored.groups), float(scored.scores.mean())
        wheres = _wheres(key, values, buckets)
        found = []
        of_rows = np.append(buckets, -1)[codes]
        for number, bucket in enumerate(BUCKETS):
            inside = of_rows == number
            chosen = inside[scored.rows]
            if not chosen.any() or not wheres[number] or chosen.all():
                continue
            score = estimate_of(scored.scores[chosen], groups=None if scored.groups is None else scored.groups[chosen])
            name = f"{bucket} of {key}"
            elsewhere = float(scored.scores[~chosen].mean())
            said = summary_of(
                f"{key} is of the {bucket}", score.value, elsewhere, int(chosen.sum()), len(chosen), view.schema
            )
            facts = {"values": int((buckets == number).sum()), "elsewhere": elsewhere}
            where = Slice(name=name, where=wheres[number], operator=view.spec, summary=said, facts=facts)
            found.append((where, inside.astype(np.float64), score, tests.p_value(chosen)))
        q_values = selected_q(np.array([one[3] for one in found]), np.full(len(found), 1 / len(BUCKETS)), len(BUCKETS))
        slices = [
            FoundSlice(slice=what, membership=rows, score=score, overall=overall, p_value=p, q_value=float(q))
            for (what, rows, score, p), q in zip(found, q_values, strict=True)
        ]
        return sorted(slices, key=lambda one: (one.score.high, one.q_value, one.slice.name))

    def _buckets(self, view: View, codes: IntVector, n_values: int) -> IntVector:
        """Count the train rows of each value: of all rows where the view holds nothing else."""
        train = np.asarray(view.splits == str(Split.TRAIN)) if view.has("splits") else np.ones(len(view), dtype=bool)
        known = train & (codes < n_values)
        return frequency_buckets(np.bincount(codes[known], minlength=n_values), self.head, self.torso)


def _key_of(table: pa.Table, schema: Schema) -> str:
    """Return the group column, or the category that has the most values."""
    shown = [c for c in schema.columns if c.name in table.column_names and schema.may_show(c.name)]
    groups = [column.name for column in shown if column.role is Role.GROUP]
    categories = [c.name for c in shown if c.type is ColumnType.CATEGORY and c.role is Role.FEATURE]
    if groups or not categories:
        if not groups:
            raise NotApplicable("no column is a category: name the key column")
        return groups[0]
    return max(categories, key=lambda name: int(pc.count_distinct(table.column(name)).as_py()))


def _wheres(key: str, values: pa.Array, buckets: IntVector) -> list[str]:
    """Return one predicate per bucket; empty where it would name too many values, or none."""
    subject, words = written_name(key), values.to_pylist()
    named = [[words[v] for v in np.flatnonzero(buckets == number)] for number in range(len(BUCKETS))]
    wheres = []
    for number, inside in enumerate(named):
        others = [word for other, group in enumerate(named) if other != number for word in group]
        if not inside or min(len(inside), len(others)) > _MOST_NAMED:
            wheres.append("")
        elif len(inside) <= max(len(others), 1) or not others:
            wheres.append(f"{subject} IN ({_listed(inside)})")
        else:
            wheres.append(f"{subject} NOT IN ({_listed(others)})")
    return wheres


def _listed(words: list[str] | list[int]) -> str:
    return ", ".join(written_text(word) if isinstance(word, str) else str(word) for word in words)
