"""The block `migrations:` of tilth.yaml: read, written, appended, taken away; mistakes name their line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.core.errors import ConfigError
from tilth.core.migration import Change, Migration
from tilth.core.taxonomy import Taxonomy
from tilth.loop._migration_lines import migration_lines, with_migration, without_last_migration
from tilth.loop.project_file import parse, write
from tilth.testing.label_sets import merge, rename, split, taxonomies

YAML = """# my project
source: cars.csv
label: kind   # what it is
task: multiclass
classes: [car, truck, bike]
columns:
  kind: {type: category}
  doors: {type: number}
"""
STEPS = (
    rename("bike", "cycle"),
    merge("car", "truck", into="motor"),
    split("motor", "van", "a: b", van="doors > 4 AND doors < 'x'", **{"a: b": "otherwise"}),
    Migration(change=Change.ADD, classes=("van",), into=("no",)),
    Migration(change=Change.REDEFINE, classes=("cycle", "no"), guideline="2.1", where="doors = 0"),
    Migration(change=Change.RETIRE, classes=("no",)),
)


def test_every_kind_is_read_as_it_was_written():
    text = YAML
    for step in STEPS:
        text = with_migration(text, step)
    assert text.startswith(YAML)
    found = parse(text)
    assert found.migrations == STEPS
    assert found.first_classes == ("car", "truck", "bike")
    assert found.schema.task.classes == Taxonomy(("car", "truck", "bike"), STEPS).names == ("van", "a: b", "cycle")
    assert found.schema.task.taxonomy == 7
    assert parse(write(found, {})).migrations == STEPS


def test_taking_all_away_leaves_the_file_as_it_was():
    text = YAML
    for step in STEPS:
        text = with_migration(text, step)
    for left in range(len(STEPS) - 1, -1, -1):
        text = without_last_migration(text)
        assert parse(text).migrations == STEPS[:left]
    assert text == YAML
    with pytest.raises(ConfigError, match="no migration to take back"):
        without_last_migration(text)


def test_lines_stand_between_other_keys_and_comments():
    text = with_migration(YAML, STEPS[0]) + "\n# and how it runs\nseed: 3\n"
    more = with_migration(text, STEPS[1])
    assert more.endswith("\n# and how it runs\nseed: 3\n")
    assert parse(more).migrations == STEPS[:2]
    assert without_last_migration(more) == text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{rename: bike}", "the key 'to' is missing"),
        ("{renam: bike, to: cycle}", "a migration says one change"),
        ("{rename: bike, to: cycle, merge: [a, b]}", "a migration says one change"),
        ("{rename: bke, to: cycle}", "Did you mean 'bike'"),
        ("{split: car, into: [van, bike]}", "'bike' is a class already"),
        ("{split: car, into: [van, limo], rule: {}}", "unknown key 'rule'"),
        ("rename", "a mapping such as"),
    ],
)
def test_a_mistake_names_its_line(line, said):
    with pytest.raises(ConfigError, match=said) as error:
        parse(f"{YAML}migrations:\n  - {line}\n")
    assert "line 10" in error.value.where


def test_numbers_have_no_classes():
    text = (
        YAML.replace("multiclass", "regression")
        .replace("classes: [car, truck, bike]\n", "")
        .replace("category", "number")
    )
    with pytest.raises(ConfigError, match="no classes to migrate"):
        parse(text + "migrations:\n  - {rename: a, to: b}\n")


def test_a_binary_task_that_gains_a_class_is_multiclass():
    text = YAML.replace("multiclass", "binary").replace("[car, truck, bike]", "[car, bike]")
    assert str(parse(with_migration(text, split("car", "van", "limo"))).schema.task.type) == "multiclass"
    assert str(parse(with_migration(text, rename("car", "auto"))).schema.task.type) == "binary"


@given(taxonomies(), st.booleans())
def test_any_migrations_round_trip(taxonomy, has_more):
    text = YAML + "\n".join(migration_lines(taxonomy.migrations)) + "\n" if taxonomy.migrations else YAML
    text += "seed: 1\n" if has_more else ""
    assert parse(text).migrations == taxonomy.migrations
