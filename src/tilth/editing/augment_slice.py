"""Augment a slice: let a learner see the rows of one slice varied, each time otherwise.

What is rare is seen in few forms; varied, it is seen in more of those that it may take. All other rows stay as they are.

Source: Goel, Gu, Li, Ré (2021), Model Patching: Closing the Subgroup Performance Gap with Data Augmentation, ICLR (augmentation aimed at
the groups that are worst off); Müller, Hutter (2021), TrivialAugment, ICCV (the policy).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from tilth.core.arrays import IntVector, Vector
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.rowset import RowSet
from tilth.editing._shared import aimed_slice, ranked
from tilth.operators.policies import policy_of
from tilth.operators.view import Scope, View

__all__ = ["AugmentSlice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentSlice:
    """Vary the rows of one slice while the learner trains.

    Parameters
    ----------
    slice : its name; "" for the slice that is worst off
    steps : transforms one after the other: 1 at severities drawn evenly, 2 at severity 2
    """

    slice: str = ""
    steps: int = 1

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "slices", "transforms"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def strengths(self) -> Sequence[AugmentSlice]:
        """One transform at a time, and two."""
        return tuple(replace(self, steps=steps) for steps in (1, 2))

    def choose(self, view: View) -> RowSet:
        """Return the rows of the slice, those that belong to it most first."""
        name, membership, rows = self._inside(view)
        return RowSet(ids=view.take_ids(rows), scores=membership[rows], reason=f"in slice {name!r}")

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit by which the slice's rows are varied; raises NotApplicable where nothing may vary."""
        if view.schema.task.is_regression:
            raise NotApplicable("the label is a number, and transforms keep classes")
        if not view.has("transforms"):
            raise NotApplicable("nothing is known of what may vary these rows")
        name, _, inside = self._inside(view)
        policy = policy_of(view.transforms, "trivial" if self.steps == 1 else "rand")
        rows = inside if rows is None else rows
        reason = f"{len(rows):,} rows of slice {name!r} are shown varied by {len(policy.transforms)} transforms"
        return Edit.augmenting(view.take_ids(rows), policy.to_text(), operator=view.spec, reason=reason)

    def _inside(self, view: View) -> tuple[str, Vector, IntVector]:
        name, membership = aimed_slice(view, self.slice)
        return name, membership, ranked(membership, membership >= 0.5)
