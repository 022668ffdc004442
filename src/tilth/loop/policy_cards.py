"""Cards of policies that a run tried and did not keep: the report card of a transform, for the policy as a whole.

A verdict says that varied rows did not help; the card says what they are: changed at all, told from real ones, with their label lost, or
alike to what the model knows. All of it is measured on train rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import pyarrow as pa

from tilth.core.draw import Draw
from tilth.core.edit import Edit
from tilth.core.names import AUGMENT
from tilth.core.policy import Policy
from tilth.core.policy_card import PolicyCard
from tilth.core.schema import ColumnType
from tilth.core.transform_card import TransformCard
from tilth.core.transformed import LabelEffect, Transformed
from tilth.core.trial import Verdict
from tilth.loop.transform_apart import refits
from tilth.loop.transform_card import card_of
from tilth.loop.transform_choices import ChosenTransform
from tilth.loop.transform_stand import stand_on
from tilth.loop.trying import Tried
from tilth.loop.workshop import Workshop
from tilth.operators.augmenting import BoundPolicy
from tilth.operators.batch import Batch
from tilth.operators.transforming import transformed
from tilth.store.version import Version

__all__ = ["policy_cards"]

ROWS = 300
"""Train rows that a card is measured on: a glance, where `tilth transforms` measures each transform by itself."""


def policy_cards(workshop: Workshop, version: Version, tried: Sequence[Tried]) -> tuple[PolicyCard, ...]:
    """Return the card of each policy for training that was tried and not kept, in the order of the trials."""
    policies = {one.edit.edit_id: _policy_of(one.edit) for one in tried if one.trial.verdict is not Verdict.KEPT}
    waiting = {edit: policy for edit, policy in policies.items() if policy is not None}
    if not waiting:
        return ()
    workshop.progress("look", "what refused policies do to rows")
    bench, variations = workshop.bench(version), workshop.variations(version)
    again = refits(workshop.columns(version), version.schema)
    stand = stand_on(
        bench, workshop.plain_encoder(version), refit=again, rows=ROWS, tells_labels=False, tells_ids=False
    )

    def measured(policy: Policy) -> TransformCard:
        whole = _WholePolicy(bound=variations.bind(policy.to_text()))
        return card_of(stand, ChosenTransform(name="policy", transform=whole, severity=None))

    alone = {edit: Policy(sequences=policy.sequences) for edit, policy in waiting.items()}
    cards = {policy: measured(policy) for policy in dict.fromkeys(alone.values())}
    return tuple(_card(edit, cards[alone[edit]], policy) for edit, policy in waiting.items())


def _card(edit: str, measured: TransformCard, policy: Policy) -> PolicyCard:
    """Return the card of a policy's sequences as that of an edit: mixing takes two rows, and the figures are of one."""
    card = PolicyCard.of(edit, measured)
    if policy.mix == "none":
        return card
    return replace(card, note="; ".join(part for part in (card.note, f"{policy.mix} is not in these figures") if part))


def _policy_of(edit: Edit) -> Policy | None:
    """Return the policy that an edit gives its rows; None where it gives none, or one that changes nothing."""
    if AUGMENT not in edit.set:
        return None
    policy = Policy.from_text(edit.set[AUGMENT]["value"][0].as_py())
    return policy if policy.transforms else None


@dataclass(frozen=True, kw_only=True, eq=False)
class _WholePolicy:
    """A policy as one transform: each row by the sequence that it draws."""

    bound: BoundPolicy
    name: str = "policy"

    accepts: ClassVar[frozenset[ColumnType]] = frozenset(ColumnType)
    label: ClassVar[LabelEffect] = "keep"

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that its transforms are handed."""
        return tuple(dict.fromkeys(name for names in self.bound.columns.values() for name in names))

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the batch after the policy."""
        changed: dict[str, Any] = dict(self.bound.apply(batch, draw))
        return transformed(batch, {name: _whole(changed[name]) for name in batch.columns})


def _whole(cells: pa.Array | pa.ChunkedArray) -> pa.Array:
    return cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
