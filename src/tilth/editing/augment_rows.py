"""Augment rows: put varied rows into the store, as made rows with their parents, so that they can be looked at, labelled and taken out.

    row made of row i = the policy's draw for (i, draw number);   its label is i's

Source: Müller, Hutter (2021), TrivialAugment, ICCV (the policy); product practice of keeping augmented sets beside their source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.rowset import RowSet
from tilth.editing._drafts import varied_rows
from tilth.editing._made_rows import made_edit
from tilth.editing._making import MAKER_NEEDS, anchored, parents_of, real_rows
from tilth.operators.policies import policy_of
from tilth.operators.view import Scope, View

__all__ = ["AugmentRows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentRows:
    """Make varied rows of train rows and keep them; only where tilth.yaml asks for it (`augment: {stored: 2}`).

    Parameters
    ----------
    number : which policy: 0 for one transform per row, 1 for the first that a person wrote, and so on

    Randomness
    ----------
    the run's seed, the draw number and the parent's id decide what a row becomes
    """

    number: int = 0

    needs: ClassVar[frozenset[str]] = MAKER_NEEDS | {"transforms"}
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1
    asked: ClassVar[bool] = True
    """A person asked for what it proposes."""

    def strengths(self) -> Sequence[AugmentRows]:
        """By the usual policy, and by up to two that a person wrote."""
        return tuple(AugmentRows(number=number) for number in (0, 1, 2))

    def choose(self, view: View) -> RowSet:
        """Return the rows that rows are made from, those with most children first."""
        return parents_of(self.propose(view))

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that brings the made rows in; with `rows`, made from these alone.

        Raises
        ------
        NotApplicable
            Nobody asked for stored rows, there is no such policy, nothing may vary, or too few rows pass the gate.
        """
        real = real_rows(view)
        known = view.transforms if view.has("transforms") else None
        if known is None or known.vary is None or not known.stored:
            raise NotApplicable("nobody asked for varied rows in the store", next_step="write augment: {stored: 2}")
        policy = policy_of(known, "written" if self.number else "trivial", number=max(self.number, 1))
        mine = real if rows is None else np.intersect1d(real, rows)
        anchors, draws = anchored(view, mine, float(known.stored), known.stored * len(mine))
        if not len(anchors):
            raise NotApplicable("there is no row to vary")
        draft = varied_rows(view, policy, anchors, draws)
        return made_edit(view, draft, real, what=f"varied by {', '.join(policy.transforms)}")
