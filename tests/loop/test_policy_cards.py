"""Cards of refused policies: one measurement for policies that do the same to a row, and what a card leaves out."""

from __future__ import annotations

from types import SimpleNamespace

import pyarrow as pa
import pytest

from tilth.core.edit import Edit
from tilth.core.policy import Change, Policy
from tilth.core.spec import Spec
from tilth.core.transform_card import TransformCard
from tilth.core.trial import Verdict
from tilth.loop import policy_cards as module
from tilth.loop.policy_cards import policy_cards

FLIP, TURN = Change("flip"), Change.read("rotate 1-3")
VERSION = SimpleNamespace(schema=None)


def tried(policy, verdict=Verdict.REFUSED):
    ids = pa.array(["r1", "r2"])
    spec = Spec(room="editing", name="augment", parameters={"policy": policy.to_text()})
    edit = Edit.augmenting(ids, policy.to_text(), operator=spec, reason="varied")
    return SimpleNamespace(edit=edit, trial=SimpleNamespace(verdict=verdict))


@pytest.fixture
def measured(monkeypatch):
    """The policies that cards were measured of, as texts."""
    texts = []

    def card_of(stand, chosen):
        texts.append(chosen.transform.bound)
        return TransformCard(name="policy", severity=None, label="keep", columns=(), tried=7)

    monkeypatch.setattr(module, "card_of", card_of)
    monkeypatch.setattr(module, "stand_on", lambda *args, **options: None)
    monkeypatch.setattr(module, "refits", lambda *args: None)
    return texts


def cards(*tries):
    nothing = lambda *args: SimpleNamespace(bind=lambda text: text)  # noqa: E731
    workshop = SimpleNamespace(
        progress=nothing, bench=nothing, variations=nothing, plain_encoder=nothing, columns=nothing
    )
    return policy_cards(workshop, VERSION, tries)


def test_policies_of_the_same_sequences_are_measured_once(measured):
    plain, mixed = Policy.trivial([FLIP]), Policy.trivial([FLIP], mix="mixup")
    one, two, three = cards(tried(plain), tried(mixed), tried(Policy.trivial([TURN])))
    assert len(measured) == 2
    assert len({one.edit, two.edit, three.edit}) == 3
    assert [card.note for card in (one, two, three)] == ["", "mixup is not in these figures", ""]


def test_what_was_kept_or_changes_nothing_has_no_card(measured):
    assert cards(tried(Policy.trivial([FLIP]), Verdict.KEPT), tried(Policy.identity())) == ()
    assert not measured
