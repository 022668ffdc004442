"""Entity swap: what counts as an entity, and that each is swapped for one of its kind."""

from __future__ import annotations

from transform_rows import changed, texts

from tilth.editing.entity_swap import EntitySwap, entities_in
from tilth.operators.transforming import draw_of

TALK = (
    "then Anna met Bob in Paris",
    "yes, Anna and Bob went to London",
    "from London to Paris on Monday",
    "see the Zorbo, a Zorbo of old",
    "now the Quux and the Quux",
    "The the end The end",
    "pay 25 or 40 or 7",
)


def test_what_counts_as_an_entity():
    found = entities_in(TALK)
    assert found["names"] == ("Anna", "Bob")
    assert found["places"] == ("London", "Paris")
    assert found["others"] == ("Quux", "Zorbo")
    assert found["days"] == (), "seen once"
    assert found["numbers"] == ("25", "40", "7")


def test_each_for_one_of_its_kind():
    learnt = EntitySwap(severity=5).learn(texts(*TALK))
    assert changed(learnt, "Anna is in Paris for 25") == "Bob is in London for 40"
    assert changed(learnt, "for 7") == "for 7", "no other number of one digit"


def test_given_ones_are_kept_and_without_any_nothing_applies():
    assert EntitySwap(names=("Eve", "Max")).learn(texts(*TALK)).names == ("Eve", "Max")
    assert not EntitySwap().apply(texts("Anna is in Paris"), draw_of(EntitySwap(), 0)).applied.any()
