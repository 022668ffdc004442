"""Synonyms: from the list that comes with tilth, or from the user's."""

from __future__ import annotations

from transform_rows import changed

from tilth.editing.synonym import GROUPS, Synonym, lexicon
from tilth.operators.transforming import draw_of


def test_by_hand():
    assert changed(Synonym(severity=5, groups=("cat, dog",)), "Cat and DOG, catalogue") == "Dog and CAT, catalogue"


def test_the_list_leads_back():
    others = lexicon(())
    assert others == {}
    found = lexicon(GROUPS)
    assert all(word in found[other] for word, those in found.items() for other in those)
    assert changed(Synonym(severity=5), "buy a car") == "purchase a automobile"
    assert draw_of(Synonym(), 0).seed == 0
