"""Taxonomies: versions, ids, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given

from tilth.core.errors import TaxonomyError
from tilth.core.migration import Change, Migration
from tilth.core.taxonomy import Taxonomy
from tilth.testing.label_sets import FIRST, merge, rename, split, taxonomies


def test_version_one_is_the_source():
    taxonomy = Taxonomy(FIRST)
    assert (taxonomy.version, taxonomy.names) == (1, FIRST)
    assert [one.id for one in taxonomy.classes] == ["c1", "c2", "c3"]


def test_a_renamed_class_keeps_its_id_and_its_place():
    taxonomy = Taxonomy(FIRST, (rename("truck", "lorry"),))
    assert taxonomy.names == ("car", "lorry", "bike")
    assert [one.id for one in taxonomy.classes] == ["c1", "c2", "c3"]
    assert taxonomy.names_of(1) == FIRST


def test_merged_and_split_classes_are_new_and_say_what_they_are_made_of():
    taxonomy = Taxonomy(FIRST, (merge("car", "truck", into="motor"), split("motor", "car", "van", "lorry")))
    assert taxonomy.names == ("car", "van", "lorry", "bike")
    assert [(one.id, one.origin, one.since) for one in taxonomy.classes] == [
        ("c5", ("c4",), 3),
        ("c6", ("c4",), 3),
        ("c7", ("c4",), 3),
        ("c3", (), 1),
    ]
    assert taxonomy.every_name == ("car", "truck", "bike", "motor", "van", "lorry")
    assert taxonomy.first_version_of("car") == 1
    assert taxonomy.first_version_of("van") == 3


def test_add_stands_last_retire_leaves_redefine_is_a_new_class_of_the_old_name():
    steps = (
        Migration(change=Change.ADD, classes=("bike",), into=("scooter",)),
        Migration(change=Change.RETIRE, classes=("truck",), into=("car",)),
        Migration(change=Change.REDEFINE, classes=("car", "bike"), guideline="2"),
    )
    taxonomy = Taxonomy(FIRST, steps)
    assert taxonomy.names == ("car", "bike", "scooter")
    assert [one.id for one in taxonomy.classes] == ["c5", "c3", "c4"]


@pytest.mark.parametrize(
    ("migration", "said"),
    [
        (rename("lorry", "truck"), "there is no class 'lorry'"),
        (rename("trck", "lorry"), "Did you mean 'truck'"),
        (rename("car", "truck"), "'truck' is a class already"),
        (rename("car", "car"), "it is called so already"),
        (merge("car", into="motor"), "name two classes or more"),
        (merge("car", "car", into="motor"), "'car' is named twice"),
        (merge("car", "truck", into="bike"), "'bike' is a class already"),
        (merge("car", "truck", "bike", into="motor"), "leaves 1 class"),
        (split("car", "van"), "two or more"),
        (split("car", "van", "bike"), "'bike' is a class already"),
        (split("car", "van", "limo", vann="doors > 4"), "rule for 'vann'"),
        (split("car", "van", "limo", van="otherwise", limo="otherwise"), "two rules say 'otherwise'"),
        (Migration(change=Change.ADD, classes=(), into=("car",)), "'car' is a class already"),
        (Migration(change=Change.ADD, classes=(), into=(" ",)), "no name for a class"),
        (Migration(change=Change.RETIRE, classes=("car",), into=("van",)), "'van' is no class that is left"),
        (Migration(change=Change.REDEFINE, classes=("car",)), "no guideline is named"),
    ],
)
def test_what_does_not_fit_is_refused(migration, said):
    with pytest.raises(TaxonomyError, match=said):
        Taxonomy(FIRST, (migration,))


def test_a_later_migration_is_checked_against_the_classes_of_its_time():
    with pytest.raises(TaxonomyError, match="no class 'car' then"):
        Taxonomy(FIRST, (rename("car", "auto"), split("car", "van", "limo")))


def test_common_with_is_the_last_shared_version():
    one = Taxonomy(FIRST, (rename("car", "auto"), rename("bike", "cycle")))
    other = Taxonomy(FIRST, (rename("car", "auto"), rename("truck", "lorry")))
    assert one.common_with(other) == 2
    assert one.common_with(Taxonomy(FIRST)) == 1
    assert one.common_with(one) == 3
    assert one.common_with(Taxonomy(("a", "b"))) == 0


@given(taxonomies())
def test_ids_are_never_used_twice_and_dicts_round_trip(taxonomy):
    of_class = {}
    for number in range(1, taxonomy.version + 1):
        for one in taxonomy._versions[number - 1]:
            assert of_class.setdefault(one.id, (one.since, one.origin)) == (one.since, one.origin)
    assert len({one.id for one in taxonomy.classes}) == len(taxonomy.classes) == len(set(taxonomy.names))
    assert Taxonomy.from_dict(taxonomy.to_dict()) == taxonomy
