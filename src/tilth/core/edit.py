"""Edit: a reversible change, as a value that can be looked at before it is made.

An edit drops rows, sets cells by row id, adds rows, or any of these together. tilth's own columns (target, weight,
trusted) are set like the user's, so that one mechanism versions, diffs, blames and reverts them all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.ids import content_sums, digest_of, short_id
from tilth.core.names import AUGMENT, PARENTS, ROW_ID, SPLIT, TARGET, TRUSTED, WEIGHT, Split
from tilth.core.spec import Spec

__all__ = ["PERSON", "Edit", "Verb", "ids_of", "target_column"]

PERSON = "person"


class Verb(StrEnum):
    """The five things that can be done to data."""

    ADD = "add"
    SYNTHESIZE = "synthesize"
    REMOVE = "remove"
    MODIFY = "modify"
    RELABEL = "relabel"


@dataclass(frozen=True, kw_only=True, eq=False)
class Edit:
    """A change to rows by id.

    Parameters
    ----------
    verb : one of the five
    operator : what proposed it; a person's edit names the room `people`
    reason : one sentence that a reader of the log understands
    author : the operator's name, or `person`
    drop : ids of the rows that go
    set : column name -> table of two columns (`_tilth_id`, `value`): the new cells
    add : whole rows that come, with tilth's own columns, or None
    expects : column name -> table (`_tilth_id`, `value`): what the cells held when the edit was proposed; on replay a row
        whose cell differs is left alone and counted
    evaluation : True if it corrects dev or test rows (a person's right only)
    """

    verb: Verb
    operator: Spec
    reason: str
    author: str
    drop: pa.Array = field(default_factory=lambda: pa.array([], pa.string()))
    set: Mapping[str, pa.Table] = field(default_factory=dict)
    add: pa.Table | None = None
    expects: Mapping[str, pa.Table] = field(default_factory=dict)
    evaluation: bool = False

    @cached_property
    def edit_id(self) -> str:
        """The digest of what it does and who proposed it; the same proposal has the same id in every run."""
        return short_id(
            "e",
            {
                "verb": str(self.verb),
                "operator": self.operator.to_dict(),
                "author": self.author,
                "drop": content_sums(pa.table({ROW_ID: self.drop}), ROW_ID),
                "set": {name: content_sums(table, ROW_ID) for name, table in self.set.items()},
                "expects": {name: content_sums(table, ROW_ID) for name, table in self.expects.items()},
                "add": None if self.add is None else content_sums(self.add, ROW_ID),
            },
        )

    @cached_property
    def touched(self) -> pa.Array:
        """Ids of the rows that it changes, drops or adds, each once, in order of first mention."""
        parts = [self.drop, *(table.column(ROW_ID).combine_chunks() for table in self.set.values())]
        if self.add is not None:
            parts.append(self.add.column(ROW_ID).combine_chunks())
        chunks = [part.cast(pa.string()) for part in parts]
        return pa.chunked_array(chunks, pa.string()).unique()

    @property
    def goal(self) -> str:
        """The slice that it is to mend, as its operator's parameter says; "" where it is to help all rows."""
        return str(self.operator.parameters.get("slice", ""))

    @property
    def brings_rows(self) -> bool:
        """Whether rows change their split: they come into train from the pool."""
        return SPLIT in self.set

    @property
    def n_rows(self) -> int:
        """Number of rows that it touches."""
        return len(self.touched)

    def describe(self) -> dict[str, Any]:
        """Return the plain facts of the edit for the log."""
        return {
            "edit": self.edit_id,
            "verb": str(self.verb),
            "operator": self.operator.to_dict(),
            "reason": self.reason,
            "author": self.author,
            "rows": self.n_rows,
            "evaluation": self.evaluation,
        }

    # -- the ways to make one ------------------------------------------------------------------------------------------

    @classmethod
    def removing(cls, ids: pa.Array, *, operator: Spec, reason: str, author: str | None = None) -> Edit:
        """Drop rows."""
        return cls(verb=Verb.REMOVE, operator=operator, reason=reason, author=author or operator.name, drop=ids)

    @classmethod
    def relabelling(
        cls,
        column: str,
        ids: pa.Array,
        labels: pa.Array,
        given: pa.Array,
        *,
        operator: Spec,
        reason: str,
        author: str | None = None,
        trusted: bool = False,
        evaluation: bool = False,
    ) -> Edit:
        """Set the label of rows; `given` is what they held, `trusted` marks them as confirmed by a person."""
        cells = {column: pa.table({ROW_ID: ids, "value": labels})}
        if trusted:
            cells[TRUSTED] = pa.table({ROW_ID: ids, "value": pa.array([True] * len(ids))})
        return cls(
            verb=Verb.RELABEL,
            operator=operator,
            reason=reason,
            author=author or operator.name,
            set=cells,
            expects={column: pa.table({ROW_ID: ids, "value": given})},
            evaluation=evaluation,
        )

    @classmethod
    def softening(cls, ids: pa.Array, targets: Matrix, *, operator: Spec, reason: str) -> Edit:
        """Set soft targets (m, k) beside the labels, which stay."""
        cells = {TARGET: pa.table({ROW_ID: ids, "value": target_column(targets)})}
        return cls(verb=Verb.RELABEL, operator=operator, reason=reason, author=operator.name, set=cells)

    @classmethod
    def labelling(cls, ids: pa.Array, targets: Matrix, *, operator: Spec, reason: str) -> Edit:
        """Bring pool rows into train with soft targets (m, k); rows that have left the pool meanwhile are left alone."""
        moved = pa.array([str(Split.TRAIN)] * len(ids), pa.string())
        pool = pa.array([str(Split.POOL)] * len(ids), pa.string())
        cells = {TARGET: target_column(targets), SPLIT: moved}
        return cls(
            verb=Verb.ADD,
            operator=operator,
            reason=reason,
            author=operator.name,
            set={name: pa.table({ROW_ID: ids, "value": values}) for name, values in cells.items()},
            expects={SPLIT: pa.table({ROW_ID: ids, "value": pool})},
        )

    @classmethod
    def weighting(cls, ids: pa.Array, weights: Vector, *, operator: Spec, reason: str) -> Edit:
        """Set the rows' weights in training."""
        cells = {WEIGHT: pa.table({ROW_ID: ids, "value": pa.array(np.asarray(weights, dtype=np.float64))})}
        return cls(verb=Verb.MODIFY, operator=operator, reason=reason, author=operator.name, set=cells)

    @classmethod
    def augmenting(cls, ids: pa.Array, policy: str, *, operator: Spec, reason: str) -> Edit:
        """Let rows be varied by a policy, as its text says, while a learner trains on them."""
        cells = {AUGMENT: pa.table({ROW_ID: ids, "value": pa.array([policy] * len(ids), pa.string())})}
        return cls(verb=Verb.MODIFY, operator=operator, reason=reason, author=operator.name, set=cells)

    @classmethod
    def synthesizing(
        cls,
        rows: pa.Table,
        draws: IntVector,
        *,
        operator: Spec,
        reason: str,
        expects: Mapping[str, pa.Table] | None = None,
    ) -> Edit:
        """Bring made rows into train.

        A row's id follows from the operator, its parents and its draw number, so that the same proposal makes the same rows.

        Parameters
        ----------
        rows : the user's columns with the label, `_tilth_parents`, and `_tilth_target`, null where the label is the target
        draws : (m,) draw number of each, different for rows of the same parents
        operator, reason : what made them, and why
        expects : what their parents' cells held; on replay a row is left out whose parent's cell differs
        """
        m, source = rows.num_rows, operator.to_dict()
        lines = zip(rows.column(PARENTS).to_pylist(), draws.tolist(), strict=True)
        made = {
            ROW_ID: pa.array(
                ["m" + digest_of([source, parents, draw], size=12) for parents, draw in lines], pa.string()
            ),
            SPLIT: pa.array([str(Split.TRAIN)] * m, pa.string()),
            WEIGHT: pa.nulls(m, pa.float64()),
            TRUSTED: pa.array([False] * m),
            AUGMENT: pa.nulls(m, pa.string()),
        }
        for name, cells in made.items():
            rows = rows.append_column(name, cells)
        return cls(
            verb=Verb.SYNTHESIZE,
            operator=operator,
            reason=reason,
            author=operator.name,
            add=rows.combine_chunks(),
            expects=dict(expects or {}),
        )

    # -- serialisation -------------------------------------------------------------------------------------------------

    def to_tables(self) -> dict[str, pa.Table]:
        """Return the edit's data as named Arrow tables."""
        tables = {f"set:{name}": table for name, table in self.set.items()}
        tables |= {f"expects:{name}": table for name, table in self.expects.items()}
        if len(self.drop):
            tables["drop"] = pa.table({ROW_ID: self.drop})
        if self.add is not None:
            tables["add"] = self.add
        return tables

    @classmethod
    def from_parts(cls, facts: Mapping[str, Any], tables: Mapping[str, pa.Table]) -> Edit:
        """Build the edit again from `describe()` and `to_tables()`."""
        return cls(
            verb=Verb(facts["verb"]),
            operator=Spec.from_dict(facts["operator"]),
            reason=facts["reason"],
            author=facts["author"],
            evaluation=facts["evaluation"],
            drop=_drop_of(tables),
            set=_prefixed(tables, "set:"),
            expects=_prefixed(tables, "expects:"),
            add=tables.get("add"),
        )


def target_column(targets: Matrix) -> pa.Array:
    """Return an (m, k) matrix of soft targets as an Arrow column of float32 lists."""
    flat = np.ascontiguousarray(targets, dtype=np.float32).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), targets.shape[1])


def _drop_of(tables: Mapping[str, pa.Table]) -> pa.Array:
    if "drop" not in tables:
        return pa.array([], pa.string())
    return tables["drop"].column(ROW_ID).combine_chunks()


def _prefixed(tables: Mapping[str, pa.Table], prefix: str) -> dict[str, pa.Table]:
    return {name.removeprefix(prefix): table for name, table in tables.items() if name.startswith(prefix)}


def ids_of(values: Sequence[str]) -> pa.Array:
    """Return row ids as an Arrow array."""
    return pa.array(values, pa.string())
