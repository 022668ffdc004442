"""Augment: let a learner see every train row varied, each time otherwise, by a policy of transforms that keep its label.

    trivial: one transform for each row, at a severity drawn evenly      rand: two transforms one after the other, at one severity

A learner that trains in passes sees another draw in each pass; one that is fitted once sees some made copies of each row, which
together count as much as the row did. On frozen pretrained features this hardly ever helps, so that it is not proposed there unless
tilth.yaml says `augment:`.

Source: Müller, Hutter (2021), TrivialAugment: Tuning-free Yet State-of-the-Art Data Augmentation, ICCV; Cubuk, Zoph, Shlens, Le (2020),
RandAugment, NeurIPS; Zhang et al. (2018), mixup, ICLR; Yun et al. (2019), CutMix, ICCV.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.policy import Mix, Policy
from tilth.core.rowset import RowSet
from tilth.operators.policies import By, policy_of
from tilth.operators.view import Scope, View

__all__ = ["Augment"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Augment:
    """Vary all labelled train rows while the learner trains.

    Parameters
    ----------
    by : which policy: one transform per row, two, or one that a person wrote
    mix : whether rows and their labels are mixed too, where the learner trains in passes
    number : which of the written policies, 1 for the first

    Randomness
    ----------
    none here; in training, the run's seed, the pass and the row's id decide what a row becomes
    """

    by: By = "trivial"
    mix: Mix = "none"
    number: int = 1

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "transforms"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def strengths(self) -> Sequence[Augment]:
        """One transform, two, one with mixed labels; and up to three that a person wrote."""
        written = tuple(Augment(by="written", number=number) for number in (1, 2, 3))
        return (Augment(by="trivial"), Augment(by="rand"), Augment(by="trivial", mix="mixup"), *written)

    def choose(self, view: View) -> RowSet:
        """Return all labelled rows."""
        self._policy(view)
        return RowSet(ids=view.take_ids(view.labelled), reason="every row is shown varied")

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit by which rows are varied in training."""
        policy = self._policy(view)
        rows = np.flatnonzero(view.labelled) if rows is None else rows
        reason = f"{len(rows):,} rows are shown varied, {self._words}: {', '.join(policy.transforms)}"
        return Edit.augmenting(view.take_ids(rows), policy.to_text(), operator=view.spec, reason=reason)

    @property
    def _words(self) -> str:
        words = {"trivial": "one at a time", "rand": "two at a time", "written": f"written policy {self.number}"}
        return words[self.by] + ("" if self.mix == "none" else f", with {self.mix}")

    def _policy(self, view: View) -> Policy:
        if view.schema.task.is_regression:
            raise NotApplicable("the label is a number, and transforms keep classes")
        if not view.has("transforms"):
            raise NotApplicable("nothing is known of what may vary these rows")
        policy = policy_of(view.transforms, self.by, self.mix, self.number)
        if policy.mix != "none" and not view.transforms.mixes:
            raise NotApplicable("the learner cannot learn from mixed rows")
        return policy
