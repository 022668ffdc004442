"""Labelers that say names of earlier label sets: counted as today's class, silent where that may be several."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tilth.core.errors import LabelError, TaxonomyError
from tilth.core.migration import Change, Migration
from tilth.core.taxonomy import Taxonomy
from tilth.loop._former_names import former_names
from tilth.loop.project import open_project
from tilth.testing.label_sets import FIRST, merge, rename, split, taxonomies

YAML = """\
source: rows.csv
label: class
task: multiclass
classes: [bike, car, truck]
columns:
  id: {type: category, role: id}
  text: {type: text}
  class: {type: category}
migrations:
  - {rename: bike, to: cycle}
  - {split: car, into: [van, limo], rules: {van: "text LIKE '%doors%'", limo: otherwise}}
python: labelers.py
labelers:
  - {name: wheels, keyword: {words: [two wheels], says: bike}}
  - {name: motors, keyword: {words: [motor], says: car}}
  - {name: known, lookup: {column: text, entries: {a load: truck, a pedal: bike}, match: words}}
"""
FUNCTIONS = """\
import tilth


@tilth.labeler(columns=["text"])
def old_words(row):
    return {"load": "truck", "pedal": "bike", "motor": "car"}.get(row.text.split()[1])
"""
TEXTS = ("two wheels and a pedal", "a motor with doors", "a load on wheels", "a pedal")
KINDS = ("bike", "car", "truck", "bike")


@pytest.fixture
def folder(tmp_path):
    lines = [f"r{i},{TEXTS[i % 4]} {i},{KINDS[i % 4]}" for i in range(120)]
    (tmp_path / "rows.csv").write_text("\n".join(["id,text,class", *lines]))
    (tmp_path / "labelers.py").write_text(FUNCTIONS)
    (tmp_path / "tilth.yaml").write_text(YAML)
    return tmp_path


def test_by_hand():
    taxonomy = Taxonomy(
        FIRST, (rename("bike", "cycle"), split("car", "van", "limo"), merge("van", "cycle", into="small"))
    )
    assert set(taxonomy.names) == {"small", "limo", "truck"}
    assert taxonomy.meanings_of("bike") == ("small",)
    assert set(taxonomy.meanings_of("car")) == {"small", "limo"}
    assert taxonomy.meanings_of("truck") == ("truck",)
    assert former_names(taxonomy) == {"car": None, "bike": "small", "cycle": "small", "van": "small"}
    with pytest.raises(TaxonomyError, match="no version"):
        taxonomy.meanings_of("boat")


def test_a_rule_decides_nothing_without_a_row():
    taxonomy = Taxonomy(FIRST, (split("car", "van", "limo", van="doors > 4", limo="otherwise"),))
    assert taxonomy.meanings_of("car") == ("van", "limo")
    assert former_names(taxonomy) == {"car": None}


def test_a_retired_class_is_what_its_heirs_are():
    gone = Migration(change=Change.RETIRE, classes=("car",))
    left = Migration(change=Change.RETIRE, classes=("car",), into=("truck",))
    assert former_names(Taxonomy(FIRST, (gone,))) == {"car": None}
    assert former_names(Taxonomy(FIRST, (left,))) == {"car": "truck"}


@given(taxonomies())
@settings(max_examples=50, deadline=None)
def test_every_earlier_name_means_classes_of_today(taxonomy):
    for name in taxonomy.every_name:
        meant = taxonomy.meanings_of(name)
        assert meant and set(meant) <= set(taxonomy.names)
    assert not set(former_names(taxonomy)) & set(taxonomy.names)


def test_labelers_go_on_after_a_migration(folder):
    found = open_project(folder).label()
    votes = found.cast.votes
    said = {
        name: {votes.classes[code] for code in votes.said[votes.sources == number]}
        for number, name in enumerate(votes.labelers)
    }
    assert said == {"wheels": {"cycle"}, "motors": set(), "known": {"truck", "cycle"}, "old_words": {"truck", "cycle"}}
    warnings = "\n".join(found.summary.warnings)
    assert "labeler 'wheels' says 'bike', which is called 'cycle' since, and is counted as that" in warnings
    assert "labeler 'motors' says 'car', which may be several classes since: it abstains there" in warnings
    assert "labeler 'old_words' says 'bike'" in warnings
    again = open_project(folder).label()
    assert [run.cast for run in again.cast.runs] == [0, 0, 0, 0]
    assert again.cast.votes.said.tolist() == votes.said.tolist()


def test_what_no_label_set_has_is_refused_still(folder):
    (folder / "labelers.py").write_text(FUNCTIONS.replace('"truck"', '"boat"'))
    with pytest.raises(LabelError, match="'boat', which is no class"):
        open_project(folder).label()
