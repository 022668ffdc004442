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
    assert changed(Synonym(severity=5), "buy a car") == "purchase an automobile"
    assert draw_of(Synonym(), 0).seed == 0


def test_articles_agree_and_case_stays():
    made = Synonym(severity=5, groups=("car, automobile", "old, ancient", "idea, plan"))
    assert changed(made, "A car and an old idea") == "An automobile and an ancient plan"
    assert changed(made, "AN IDEA, Car") == "A PLAN, Automobile"
    assert changed(made, "give it an car") == "give it an automobile", "what did not agree is left alone"
    assert changed(Synonym(severity=5, groups=("car, automobile",), articles=False), "a car") == "a automobile"


def test_words_of_several_meanings_are_not_in_the_list():
    found = lexicon(GROUPS)
    assert not {"present", "right", "little", "end", "show", "need", "home", "work", "hard", "get"} & set(found)
