"""Labels carried from one label set to another: by hand, and by laws."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tilth.core.migration import Change, Migration
from tilth.core.moving_labels import earlier_name, move_labels, moved_mass, names_between
from tilth.core.taxonomy import Taxonomy
from tilth.testing.label_sets import FIRST, merge, rename, split, taxonomies


def nothing(n):
    return lambda predicate: np.zeros(n, dtype=bool)


def moved(labels, *migrations, since=None, **rules):
    hits = {name: np.array(mask, dtype=bool) for name, mask in rules.items()}
    return move_labels(pa.array(labels, pa.string()), Taxonomy(FIRST, migrations), lambda rule: hits[rule], since=since)


def test_renames_and_merges_lose_nothing():
    found = moved(["car", "truck", None, "bike"], rename("bike", "cycle"), merge("car", "truck", into="motor"))
    assert found.labels.to_pylist() == ["motor", "motor", None, "cycle"]
    assert not len(found.open)


def test_a_split_leaves_a_set_and_other_classes_alone():
    found = moved(["car", "truck", None], split("car", "van", "limo"))
    assert found.labels.to_pylist() == [None, "truck", None]
    assert found.open.tolist() == [0]
    assert found.sets.tolist() == [[True, True, False, False]]
    assert found.targets().tolist() == [[0.5, 0.5, 0.0, 0.0]]


def test_rules_settle_what_one_of_them_claims():
    step = split("car", "van", "limo", van="big", limo="long")
    found = moved(["car", "car", "car", "car", "truck"], step, big=[1, 1, 0, 0, 1], long=[0, 1, 1, 0, 1])
    assert found.labels.to_pylist() == ["van", None, "limo", None, "truck"]
    assert found.open.tolist() == [1, 3]
    assert found.torn == 1
    assert found.rules == ((2, "van"), (2, "limo"))
    assert found.by_rule.tolist() == [0, -1, 1, -1, -1]


def test_otherwise_takes_the_rest():
    step = split("car", "van", "limo", van="big", limo="otherwise")
    found = moved(["car", "car", "truck"], step, big=[1, 0, 0])
    assert found.labels.to_pylist() == ["van", "limo", "truck"]


def test_names_are_read_in_the_earliest_version_that_has_them():
    steps = (split("car", "car", "van"),)
    assert moved(["car", "van"], *steps).labels.to_pylist() == [None, "van"]
    assert moved(["car", "van"], *steps, since=2).labels.to_pylist() == ["car", "van"]


def test_a_new_class_may_have_hidden_in_others():
    found = moved(["car", "bike"], Migration(change=Change.ADD, classes=("bike",), into=("scooter",)))
    assert found.labels.to_pylist() == ["car", None]
    assert found.sets.tolist() == [[False, False, True, True]]


def test_a_retired_class_without_an_heir_says_nothing():
    found = moved(["car", "bike"], Migration(change=Change.RETIRE, classes=("bike",)))
    assert found.labels.to_pylist() == ["car", None]
    assert not len(found.open)
    heir = moved(["car", "bike"], Migration(change=Change.RETIRE, classes=("bike",), into=("car",)))
    assert heir.labels.to_pylist() == ["car", "car"]


def test_a_guideline_puts_the_rows_in_doubt_that_it_is_about():
    step = Migration(change=Change.REDEFINE, classes=("car", "bike"), guideline="2", where="electric")
    found = moved(["car", "car", "bike", "truck"], step, electric=[1, 0, 1, 1])
    assert found.labels.to_pylist() == [None, "car", None, "truck"]
    assert found.sets.tolist() == [[True, False, True], [True, False, True]]


def test_a_split_of_a_split_narrows_sets_by_rules():
    steps = (split("car", "small", "large"), split("large", "van", "limo", van="big"))
    found = moved(["car", "car"], *steps, big=[1, 0])
    assert found.labels.to_pylist() == [None, None]
    names = Taxonomy(FIRST, steps).names
    assert [[n for n, is_in in zip(names, row, strict=True) if is_in] for row in found.sets] == [
        ["small", "van"],
        ["small", "van", "limo"],
    ]


def test_mass_follows_the_classes():
    taxonomy = Taxonomy(FIRST, (split("car", "van", "limo"), rename("bike", "cycle")))
    assert moved_mass(taxonomy, 1).tolist() == [[0.5, 0.5, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


def test_earlier_names():
    taxonomy = Taxonomy(
        FIRST,
        (
            rename("bike", "cycle"),
            split("car", "van", "limo"),
            merge("truck", "cycle", into="other"),
            Migration(change=Change.ADD, classes=("van",), into=("bus",)),
        ),
    )
    assert earlier_name(taxonomy, "van", 1) == "car"
    assert earlier_name(taxonomy, "other", 3) is None
    assert earlier_name(taxonomy, "bus", 4) is None
    assert earlier_name(Taxonomy(FIRST, (rename("bike", "cycle"),)), "cycle", 1) == "bike"


def test_names_between_go_back_to_what_is_common_and_on():
    one = Taxonomy(FIRST, (rename("bike", "cycle"), split("car", "van", "limo")))
    other = Taxonomy(FIRST, (rename("bike", "cycle"), merge("truck", "cycle", into="rest")))
    assert names_between(one, other) == {"van": "car", "limo": "car", "truck": "rest", "cycle": "rest"}
    assert names_between(other, one) == {}
    assert names_between(Taxonomy(FIRST), one) == {"truck": "truck", "bike": "cycle"}
    assert names_between(Taxonomy(("a", "b")), Taxonomy(("b", "c"))) == {"b": "b"}


@given(taxonomies(), st.lists(st.sampled_from((*FIRST, None)), min_size=1, max_size=8))
def test_going_step_by_step_is_going_at_once(taxonomy, labels):
    """Laws: one step after the other gives the sets of the whole way; a set is never empty and never all classes."""
    whole = move_labels(pa.array(labels, pa.string()), taxonomy, nothing(len(labels)))
    assert whole.sets.any(axis=1).all()
    assert not whole.sets.all(axis=1).any()
    for row, name in enumerate(labels):
        possible = {name} - {None}
        for number in range(2, taxonomy.version + 1):
            migration, after = taxonomy.migrations[number - 2], taxonomy.names_of(number)
            possible = set().union(*(migration.image(one, after) for one in possible))
            possible = set() if possible == set(after) else possible
        got = whole.labels[row].as_py()
        at = np.flatnonzero(whole.open == row)
        shown = {n for n, is_in in zip(taxonomy.names, whole.sets[at[0]], strict=True) if is_in} if len(at) else {got}
        assert shown - {None} == possible


@given(taxonomies())
def test_mass_is_kept(taxonomy):
    for version in range(1, taxonomy.version + 1):
        assert np.allclose(moved_mass(taxonomy, version).sum(axis=1), 1.0)


def test_without_rules_what_otherwise_takes_is_open_too():
    """A soft target, or a person's answer, of the class that was split may be either."""
    rules = {"van": "doors > 4", "limo": "otherwise"}
    parted = Migration(change=Change.SPLIT, classes=("car",), into=("van", "limo"), rules=rules)
    after = Taxonomy(("car", "bike"), (parted,))
    mass = moved_mass(after, 1)
    at = [after.names.index(name) for name in ("van", "limo", "bike")]
    assert mass[:, at].tolist() == [[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]
    assert names_between(Taxonomy(("car", "bike")), after) == {"bike": "bike"}
