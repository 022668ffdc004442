"""Who says no to what: people who tick, rules that can only say yes, and classes that a labeler plainly never names."""

from __future__ import annotations

import numpy as np

from tilth.labeling._spoken import spoken_of


def answers(*told, k):
    """(row, labeler, classes) of each answer as arrays."""
    rows, sources = (np.array([one[place] for one in told], dtype=np.intp) for place in (0, 1))
    named = np.zeros((len(told), k), dtype=bool)
    for place, (_, _, classes) in enumerate(told):
        named[place, list(classes)] = True
    return rows, sources, named


def test_who_names_several_classes_says_no_to_the_others():
    told = answers((0, 0, {0}), (3, 0, {1}), (5, 0, {0, 2}), k=3)
    assert spoken_of(*told, 50, 1).all()


def test_who_always_names_one_class_says_nothing_of_the_others():
    told = answers((0, 0, {0}), (1, 0, {0}), (2, 1, {0, 1}), (9, 1, {1}), k=2)
    assert spoken_of(*told, 50, 2).tolist() == [[True, False], [True, False], [True, True], [True, True]]


def test_who_answers_with_no_class_can_say_no():
    told = answers((0, 0, {0}), (1, 0, {0}), (2, 0, set()), (2, 1, {1}), (7, 1, {0}), k=2)
    assert spoken_of(*told, 50, 2)[:3].all()


def test_people_with_few_answers_say_no_where_rows_are_handed_out():
    rng = np.random.default_rng(0)
    told = answers(
        *((row, int(rng.integers(60)), {0} if row % 2 else {1}) for row in range(120) for _ in range(2)), k=2
    )
    rows, sources, named = told
    keep = np.unique(rows * 60 + sources, return_index=True)[1]
    assert spoken_of(rows[keep], sources[keep], named[keep], 120, 60).all()


def test_a_class_that_is_never_named_in_many_answers_cannot_be_named():
    rng = np.random.default_rng(1)
    rule = [(int(row), 0, {int(rng.integers(2))}) for row in np.sort(rng.choice(400, 150, replace=False))]
    person = [(int(row), 1, {int(rng.integers(3))}) for row in np.sort(rng.choice(400, 200, replace=False))]
    rows, sources, named = answers(*sorted([*rule, *person]), k=3)
    spoken = spoken_of(rows, sources, named, 400, 2)
    assert spoken[:, :2].all()
    assert spoken[sources == 1, 2].all()
    assert not spoken[sources == 0, 2].any()


def test_no_answer():
    assert spoken_of(np.zeros(0, int), np.zeros(0, int), np.zeros((0, 2), bool), 3, 1).shape == (0, 2)
