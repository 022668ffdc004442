"""Neighbours as evidence: what was kept of an earlier version saves work and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from loop_worlds import gaussian_world

from tilth.core.arrays import Arrays
from tilth.loop.evidence import EvidenceBase
from tilth.numerics import near_lists


class Shelf:
    """What `renew` keeps, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Arrays] = {}

    def renew(self, name: str, compute: Callable[[Arrays | None], Arrays]) -> Arrays:
        self.kept[name] = compute(self.kept.get(name))
        return self.kept[name]


def neighbours_of(evidence: EvidenceBase, **changes: Any) -> tuple[bytes, bytes]:
    fresh = replace(evidence, remember=lambda name, columns, compute: compute(), _cache={}, **changes)
    rows = fresh.labelled_train()
    found = fresh._neighbours("train", rows)
    return np.asarray(found.positions).tobytes(), np.asarray(found.distances).tobytes()


@pytest.fixture(scope="module")
def evidence() -> EvidenceBase:
    return gaussian_world(n_train=1_500, n_dev=60, d=4).evidence


def test_lists_of_an_earlier_version_change_nothing(evidence: EvidenceBase, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf()
    assert neighbours_of(evidence, renew=shelf.renew) == neighbours_of(evidence)
    edited = evidence.features.copy()
    edited[evidence.labelled_train()[::100]] += 0.5
    alone = neighbours_of(evidence, features=edited)
    asked: list[int] = []
    search = near_lists.k_nearest
    monkeypatch.setattr(
        near_lists,
        "k_nearest",
        lambda rows, k, **how: asked.append(len(how.get("queries", rows))) or search(rows, k, **how),
    )
    assert neighbours_of(evidence, features=edited, renew=shelf.renew) == alone
    assert asked == [15]


def test_lists_of_another_width_are_made_anew(evidence: EvidenceBase, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf()
    neighbours_of(evidence, renew=shelf.renew)
    shelf.kept = {name: arrays | {"positions": arrays["positions"][:, :9]} for name, arrays in shelf.kept.items()}
    assert neighbours_of(evidence, renew=shelf.renew) == neighbours_of(evidence)
