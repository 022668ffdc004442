"""Cards of policies: kept in a record and made again, with what is missing."""

from __future__ import annotations

import json
from dataclasses import asdict

from tilth.core.estimate import Estimate
from tilth.core.policy_card import PolicyCard
from tilth.core.transform_card import TransformCard

HALF = Estimate(value=0.5, low=0.4, high=0.6, standard_error=0.05)


def test_a_card_survives_its_record():
    whole = TransformCard(
        name="policy", severity=None, label="keep", tried=300, applies=HALF, drift=HALF, notes=("a", "b")
    )
    card = PolicyCard.of("e-1", whole)
    assert (card.rows, card.applies, card.realism, card.note) == (300, HALF, None, "a; b")
    assert PolicyCard.from_record(json.loads(json.dumps(asdict(card)))) == card


def test_json_has_each_figure_with_its_interval():
    card = PolicyCard(edit="e-1", rows=20, applies=HALF, note="too few rows")
    assert card.to_dict()["applies"] == {"value": 0.5, "interval": [0.4, 0.6]}
    assert card.to_dict()["realism"] is None
    assert card.to_dict()["note"] == "too few rows"
