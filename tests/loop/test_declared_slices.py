"""Declared slices: the lines of tilth.yaml, the Python file, and which rows are in each."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.dataset import Dataset
from tilth.core.errors import ConfigError, UnknownColumnError
from tilth.core.names import ROW_ID, SPLIT
from tilth.core.region import Region
from tilth.core.schema import Visibility
from tilth.loop._project import SliceChoice
from tilth.loop._slice_lines import with_slice
from tilth.loop.project_file import parse, write
from tilth.loop.region_files import free_path, region_text
from tilth.loop.slices import declared_slices, slice_rows

TEXT = """\
source: rows.csv
label: y
task: binary
classes: ["no", "yes"]
columns:
  age: {{type: number}}
  sex: {{type: category{visibility}}}
  the text: {{type: text}}
  y: {{type: category}}
{more}
"""
AGES = [10, 30, None, 70, 20, 50]
SEXES = ["f", "m", "f", None, "f", "m"]


def project(more="", visibility=""):
    return parse(TEXT.format(more=more, visibility=visibility))


class Rows(Dataset):
    """Rows by hand."""

    def __init__(self, file):
        self._table = pa.table(
            {
                ROW_ID: [f"r{i}" for i in range(6)],
                SPLIT: ["train"] * 4 + ["dev"] * 2,
                "age": pa.array(AGES, pa.float64()),
                "sex": SEXES,
                "the text": ["a", "it's", "c", "d", "e", None],
                "y": ["no", "yes", "no", "yes", "no", "yes"],
            }
        )
        self._schema = file.schema

    schema = property(lambda self: self._schema)
    n_rows = property(lambda self: self._table.num_rows)

    def read(self, *names):
        return self._table.select(list(names))


def unknown():
    raise AssertionError("nobody asked for it")


def rows_of(file, tmp_path, known=unknown):
    found, notes = slice_rows(declared_slices(file, tmp_path), Rows(file), known)
    return {one.name: rows.tolist() for one, rows in found}, notes


def test_predicates_values_and_what_is_made_of_others(tmp_path):
    file = project(
        """\
slices:
  - {name: young, where: "age < 25"}
  - {name: women, where: "sex = 'f'"}
  - {name: young women, all: [young, women]}
  - {name: either, any: [young, women]}
  - {name: not young, not: young}
  - {name: short, where: "length(\\"the text\\") = 1 AND \\"the text\\" <> 'it''s'"}
"""
    )
    rows, notes = rows_of(file, tmp_path)
    assert rows["young"] == [True, False, False, False, True, False]
    assert rows["women"] == [True, False, True, False, True, False]
    assert rows["young women"] == [True, False, False, False, True, False]
    assert rows["either"] == [True, False, True, False, True, False]
    assert rows["not young"] == [
        False,
        True,
        False,
        True,
        False,
        True,
    ]  # an age that is missing is not known not to be young
    assert rows["short"] == [True, False, True, True, True, False]
    assert not notes


def test_each_value_that_train_rows_have_is_a_slice(tmp_path):
    rows, _ = rows_of(project("slices:\n  - {name: by sex, each: sex}\n"), tmp_path)
    assert list(rows) == ["sex = f", "sex = None", "sex = m"]
    assert rows["sex = None"] == [False, False, False, True, False, False]
    both, _ = rows_of(project("slices:\n  - {name: b, each: [sex, y]}\n"), tmp_path)
    assert both["sex = f and y = no"] == [True, False, True, False, True, False]


def test_values_of_a_hidden_column_are_not_named(tmp_path):
    file = project("slices:\n  - {name: by sex, each: sex}\n", visibility=", visibility: hidden")
    assert file.schema.column("sex").visibility is Visibility.HIDDEN
    rows, _ = rows_of(file, tmp_path)
    assert list(rows) == ["sex = (hidden) 1", "sex = (hidden) 2", "sex = (hidden) 3"]


def test_functions_of_the_python_file_are_slices_and_their_failures_are_told(tmp_path):
    (tmp_path / "functions.py").write_text(
        "import tilth\n\n@tilth.slice(columns=['age'])\ndef old(row):\n    return row.age > 45\n"
    )
    rows, notes = rows_of(project("python: functions.py\n"), tmp_path)
    assert rows == {"old": [False, False, False, True, False, True]}
    assert len(notes) == 1
    assert "slice 'old' failed on 1 rows, which are not in it: rows r2" in notes[0]
    (tmp_path / "functions.py").write_text(
        "import tilth\n\n@tilth.slice(columns=['aeg'])\ndef old(row):\n    return True\n"
    )
    with pytest.raises(UnknownColumnError, match="aeg"):
        declared_slices(project("python: functions.py\n"), tmp_path)


def test_what_is_known_of_rows_can_be_asked(tmp_path):
    sure = {
        "tilth_confidence": pa.array([0.9, 0.5, 0.5, 0.9, 0.9, 0.9]),
        "tilth_correct": pa.array([True] * 5 + [None]),
    }
    file = project('slices:\n  - {name: unsure, where: "tilth_confidence < 0.6 AND age > 0"}\n')
    assert rows_of(file, tmp_path, lambda: sure)[0] == {"unsure": [False, True, False, False, False, False]}


def test_a_slice_without_rows_is_told(tmp_path):
    rows, notes = rows_of(project('slices:\n  - {name: ancient, where: "age > 200"}\n'), tmp_path)
    assert not np.any(rows["ancient"])
    assert notes == ["slice 'ancient' has no row"]


def test_slices_are_written_and_read_again():
    file = project(
        'slices:\n  - {name: young, where: "age < 25"}\n  - {name: old, not: young}\n  - {name: s, each: [sex, y]}\n'
    )
    assert parse(write(file, {})).slices == file.slices


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{name: a, where: "aeg < 3"}', r"no column 'aeg' under columns.*did you mean 'age'"),
        ('{name: a, where: "age <"}', r"cannot be read.*sign"),
        ('{name: a, where: "age < 3; DROP TABLE x"}', "ends the predicate"),
        ("{name: a}", "a slice has one rule; 0 are named"),
        ('{name: a, where: "age < 3", each: sex}', "a slice has one rule; 2 are named"),
        ("{name: a, each: sxe}", r"no column 'sxe'.*did you mean 'sex'"),
        ("{name: a, all: [b]}", "no slice with a predicate is called 'b' above"),
        ("{name: a, all: []}", "names no slice"),
        ('{name: a, wher: "age < 3"}', r"unknown key 'wher'.*did you mean 'where'"),
    ],
)
def test_wrong_lines_are_refused_with_their_place(line, message):
    with pytest.raises(ConfigError, match=f"(?is){message}") as refusal:
        project(f"slices:\n  - {line}\n")
    assert "tilth.yaml, line 11" in refusal.value.message


def test_two_of_one_name_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="two slices are called 'a'"):
        project('slices:\n  - {name: a, where: "age < 3"}\n  - {name: a, each: sex}\n')
    (tmp_path / "functions.py").write_text("import tilth\n\n@tilth.slice\ndef a(row):\n    return True\n")
    with pytest.raises(ConfigError, match="two slices are called 'a'"):
        declared_slices(project("slices:\n  - {name: a, each: sex}\npython: functions.py\n"), tmp_path)


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("", "\nslices:\n  - {name: few, where: x < 1}\n"),
        ("slices:\nseed: 1\n", "slices:\n  - {name: few, where: x < 1}\nseed: 1\n"),
        ("slices: []   # mine\nseed: 1\n", "slices:      # mine\n  - {name: few, where: x < 1}\nseed: 1\n"),
        (
            "slices:  # a\n- name: young\n  where: age < 25  # b\n\n# of the seed\nseed: 1\n",
            "slices:  # a\n- name: young\n  where: age < 25  # b\n- {name: few, where: x < 1}\n\n# of the seed\nseed: 1\n",
        ),
        (
            "slices:\n    - {name: a, each: sex} # c",
            "slices:\n    - {name: a, each: sex} # c\n    - {name: few, where: x < 1}\n",
        ),
    ],
)
def test_a_slice_is_written_behind_the_others_and_nothing_else_changes(block, expected):
    head = "source: rows.csv\n"
    said = with_slice(head + block, SliceChoice(name="few", where="x < 1"))
    assert said == head + expected.replace("x < 1}", '"x < 1"}')


def test_slices_on_one_line_are_left_to_the_person():
    with pytest.raises(ConfigError, match="stands on one line"):
        with_slice("slices: [{name: a, each: sex}]\n", SliceChoice(name="few", where="x < 1"))


REGION = Region(
    centre=np.array([0.1, 1 / 3]),
    directions=np.array([[1.0], [0.0]]),
    means=np.array([[1.0], [-1.0]]),
    variances=np.full((2, 1), 0.5),
    log_weights=np.log([0.3, 0.7]),
    index=0,
    features="f",
    title="ships",
)


def test_a_region_of_a_file_is_a_slice(tmp_path):
    (tmp_path / "ships.json").write_text(region_text(REGION))
    file = project("slices:\n  - {name: at sea, region: ships.json}\n")
    assert "- {name: at sea, region: ships.json}" in write(file, {})
    (one,) = declared_slices(file, tmp_path)
    assert one.region is not None
    for name in ("centre", "directions", "means", "variances", "log_weights"):
        assert np.array_equal(getattr(one.region, name), getattr(REGION, name))
    far = np.array([0.9, 0.1, 0.5, 0.4, 0.6, 0.0])
    found, notes = slice_rows([one], Rows(file), unknown, lambda region: far * (region.index == 0))
    assert found[0][1].tolist() == [True, False, True, False, True, False]
    assert not notes
    assert found[0][0].rule == "near ships"
    (tmp_path / "ships.json").write_text(region_text(REGION).replace("0.5", "0.6"))
    assert declared_slices(file, tmp_path)[0].key != one.key


def test_a_region_that_says_nothing_of_these_features_is_left_out(tmp_path):
    (tmp_path / "ships.json").write_text(region_text(REGION))
    file = project("slices:\n  - {name: at sea, region: ships.json}\n")
    found, notes = slice_rows(declared_slices(file, tmp_path), Rows(file), unknown)
    assert not found
    assert "slice 'at sea' is left out" in notes[0]


@pytest.mark.parametrize(
    "text", [None, "{}", "[", '{"centre": "x"}', region_text(REGION).replace('"index": 0', '"index": 7')]
)
def test_a_file_that_is_no_region_is_refused_with_its_line(tmp_path, text):
    if text is not None:
        (tmp_path / "ships.json").write_text(text)
    with pytest.raises(ConfigError) as refused:
        declared_slices(project("slices:\n  - {name: at sea, region: ships.json}\n"), tmp_path)
    assert "line 11" in str(refused.value)


def test_files_of_regions_have_names_of_their_own(tmp_path):
    assert free_path(tmp_path, "Ships, at sea!").name == "ships-at-sea.json"
    assert free_path(tmp_path, "§").name == "region.json"
    (tmp_path / "slices").mkdir()
    (tmp_path / "slices" / "a.json").write_text("")
    assert free_path(tmp_path, "a").name == "a-2.json"
