"""Estimators together, and the record that pseudo-shifts of the reference leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.estimate import Estimate
from tilth.monitoring._ensemble import ensemble, record_of
from tilth.monitoring._shared import WHAT_IT_CANNOT_KNOW, Mistakes, labels_for, labels_worth_as_much, pseudo_shifts
from tilth.operators.needs import NEEDS
from tilth.operators.registry import make, names
from tilth.operators.view import View
from tilth.testing.views import view_of


@dataclass(frozen=True, kw_only=True)
class Everything:
    """Asks for all there is: what the loop hands to the ensemble."""

    needs: ClassVar[frozenset[str]] = frozenset(NEEDS)
    revision: ClassVar[int] = 1


@dataclass(frozen=True, kw_only=True)
class Says(Everything):
    """Says the truth of the reference, off by so much."""

    off: float = 0.0

    def estimate(self, reference: View, current: View) -> Estimate:
        del current
        value = min(max(float(reference.scores.mean()) + self.off, 0.0), 1.0)
        return Estimate(value=value, low=0.0, high=1.0, standard_error=0.01)


@dataclass(frozen=True, kw_only=True)
class Refuses(Everything):
    """Always refuses."""

    def estimate(self, reference: View, current: View) -> Estimate:
        raise NotApplicable("it will not")


def parts(*which: str):
    return {name: make("monitoring", name) for name in which or names("monitoring", "estimate")}


QUICK = ("cbpe", "doc", "mandoline")


def views(reference, current):
    new = {name: values for name, values in current.items() if name in ("embeddings", "pred_probs")}
    ids = [f"c{i}" for i in range(len(current["scores"]))]
    return view_of(Everything(), **reference), view_of(Everything(), ids=ids, **new)


def test_half_width_by_hand():
    """Within reach errors grow with distance; beyond, the worst error is added by the square of it."""
    record = Mistakes(slope=0.1, reach=2.0, worst=0.3, square=0.01)
    assert record.half_width(0.0, 1.0, 0.95) == pytest.approx(0.1)
    assert record.half_width(0.1, 1.0, 0.95) == pytest.approx(np.hypot(0.196, 0.1), abs=1e-4)
    assert record.half_width(0.0, 4.0, 0.95) == pytest.approx(np.hypot(0.2, 0.9))


def test_the_truth_is_held_where_nothing_changed_and_under_shifts_of_features(drawn):
    held, widths = [], []
    for seed in range(2):
        reference = drawn(seed, 500)
        record = record_of(parts(*QUICK), views(reference, reference)[0])
        for number, moved in enumerate((0.0, 0.0, -1.0, -0.5, 0.5, 1.0)):
            current = drawn(100 + 10 * seed + number, 400, moved=moved)
            found = ensemble(parts(*QUICK), *views(reference, current), record=record).estimate
            held.append(found.low <= current["scores"].mean() <= found.high)
            widths.append(found.high - found.low)
    assert sum(held) >= 11
    assert np.mean(widths[:2]) < 0.15


def test_who_was_wrong_on_pseudo_shifts_weighs_less(drawn):
    known, new = views(drawn(0, 400), drawn(1, 200))
    found = ensemble({"near": Says(off=0.02), "far": Says(off=-0.3)}, known, new)
    near, far = found.parts["near"].value, found.parts["far"].value
    assert abs(found.estimate.value - near) < 0.25 * abs(near - far)
    assert found.parts["far"].high - found.parts["far"].low > found.parts["near"].high - found.parts["near"].low


def test_rows_beyond_all_pseudo_shifts_are_said_to_be(drawn):
    reference = drawn(0, 400)
    known, new = views(reference, drawn(1, 200, moved=9.0))
    found = ensemble(parts(), known, new)
    assert found.is_beyond
    assert found.estimate.high - found.estimate.low > 0.4
    known, new = views(reference, drawn(2, 200))
    assert not ensemble(parts(*QUICK), known, new).is_beyond


def test_refusals_are_told_and_all_refusing_is_refused(drawn):
    known, new = views(drawn(0, 300), drawn(1, 100))
    found = ensemble({"says": Says(), "refuses": Refuses()}, known, new)
    assert dict(found.refused) == {"refuses": "it will not"}
    with pytest.raises(NotApplicable, match="only 0 pseudo-shifts"):
        ensemble({"refuses": Refuses()}, known, new)


def test_the_order_of_rows_and_a_record_made_before_change_nothing(drawn):
    reference, current = drawn(0, 300), drawn(1, 150)
    known, new = views(reference, current)
    whole = ensemble(parts("cbpe", "domain_weights"), known, new)
    again = ensemble(
        parts("cbpe", "domain_weights"), known, new, record=record_of(parts("cbpe", "domain_weights"), known)
    )
    assert again.estimate == whole.estimate
    order = np.random.default_rng(0).permutation(300)
    mixed = view_of(
        Everything(), ids=[f"r{i}" for i in order], **{name: values[order] for name, values in reference.items()}
    )
    shuffled = ensemble(parts("cbpe", "domain_weights"), mixed, new).estimate
    assert shuffled.as_list() == pytest.approx(whole.estimate.as_list(), abs=1e-7)


def test_too_few_labelled_rows_are_refused(drawn):
    known, new = views(drawn(0, 99), drawn(1, 50))
    with pytest.raises(NotApplicable, match="99 labelled rows are too few"):
        ensemble(parts(), known, new)


def test_numbers_go_by_embeddings_alone():
    rng = np.random.default_rng(0)

    def rows(n):
        x = rng.standard_normal((n, 3))
        spread = 0.5 + (x[:, 0] > 0)
        return {"embeddings": x.astype(np.float32), "scores": -np.abs(spread * rng.standard_normal(n))}

    reference, current = rows(600), rows(400)
    known = view_of(Everything(), classes=(), **reference)
    new = view_of(Everything(), classes=(), ids=[f"c{i}" for i in range(400)], embeddings=current["embeddings"])
    found = ensemble(parts(), known, new)
    assert set(found.parts) == {"domain_weights", "mandoline"}
    assert found.estimate.low <= current["scores"].mean() <= found.estimate.high <= 0.0


def test_pseudo_shifts_are_parted(drawn):
    evidence = drawn(0, 200)
    made = list(pseudo_shifts(evidence, evidence["embeddings"].astype(float), np.random.default_rng(0)))
    assert len(made) == 32
    assert all(not np.intersect1d(one.reference, one.current).size for one in made)
    low = next(one for one in made if one.name == "low confidence")
    sure = evidence["pred_probs"].max(axis=1)
    assert sure[low.current].max() <= sure[low.reference].min()


def test_how_many_labels_are_worth_as_much():
    """A half-width of 5 points at 80 %: 1.96² · 0.16 / 0.05² = 245.9."""
    assert labels_for(0.05, 0.16) == 246
    found = Estimate(value=0.8, low=0.75, high=0.85, standard_error=0.0255)
    assert labels_worth_as_much(found, np.array([0.0, 1.0])) == labels_for(0.05, 0.75 * 0.25) == 289
    assert "Only labels" in WHAT_IT_CANNOT_KNOW
