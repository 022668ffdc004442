"""Which tests a project has: the usual ones by the types of its features, its own, and those of its Python file."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import tilth
from tilth.core.errors import ConfigError, UnknownOperatorError
from tilth.core.schema import Column, ColumnType, Role, Schema, Task, TaskType
from tilth.loop._stress_lines import PairsChoice, StressChoice
from tilth.loop.stress_suite import choices_for, pairs_of, stress_tests, usual_choices

OWN = """\
import tilth

@tilth.transform(columns=["text"])
def shout(row):
    return row.text.upper()

@tilth.transform(label="set")
def turns(row):
    return None
"""


def schema_with(*kinds: ColumnType) -> Schema:
    columns = [Column(name=f"c{at}", type=kind) for at, kind in enumerate(kinds)]
    columns.append(Column(name="y", type=ColumnType.CATEGORY, role=Role.LABEL))
    return Schema(columns=tuple(columns), tasks=(Task(type=TaskType.BINARY, label="y", classes=("a", "b")),))


def file_of(*stress, python=None):
    return SimpleNamespace(stress=tuple(stress), python=python)


@pytest.mark.parametrize("kind", list(ColumnType))
def test_the_usual_tests_can_be_made_and_keep_the_label(kind, tmp_path):
    choices = usual_choices(schema_with(kind))
    assert bool(choices) == (kind not in (ColumnType.DATE, ColumnType.EMBEDDING))
    tests = stress_tests(choices, file_of(), tmp_path)
    assert all(test.expect == "same" and test.transform.label == "keep" for test in tests)
    assert all(kind in test.transform.accepts for test in tests)
    if kind is ColumnType.IMAGE:
        assert [test.severity for test in tests][:5] == [1, 2, 3, 4, 5]


def test_tables_get_each_test_once():
    names = [one.transform for one in usual_choices(schema_with(ColumnType.NUMBER, ColumnType.CATEGORY))]
    assert names == ["jitter", "missingness", "category_swap"]


def test_named_ones_come_before_those_of_the_file_and_these_before_the_usual():
    schema, declared = schema_with(ColumnType.TEXT), file_of(StressChoice(transform="blur"), PairsChoice(pairs="p"))
    assert choices_for(declared, schema, ["typo"], 3, "flips") == (
        StressChoice(transform="typo", severities=(3,), expect="flips"),
    )
    assert choices_for(declared, schema, [], None, "") == declared.stress
    assert pairs_of(declared.stress) == (PairsChoice(pairs="p"),)
    assert choices_for(file_of(), schema, [], None, "") == usual_choices(schema)
    own = tilth.transform(name="own")(lambda row: None)
    (test,) = choices_for(file_of(), schema, [own], None, "")
    assert (test.transform, test.name, test.expect) == (own, "own", "same")


def test_peoples_own(tmp_path):
    (tmp_path / "functions.py").write_text(OWN)
    file = file_of(python="functions.py")
    (test,) = stress_tests([StressChoice(transform="shout", columns=("title",), name="loud")], file, tmp_path)
    assert (test.name, test.title, test.transform.columns) == ("loud", "shout", ("title",))
    with pytest.raises(UnknownOperatorError, match="Did you mean 'shout'"):
        stress_tests([StressChoice(transform="shuot")], file, tmp_path)
    with pytest.raises(ConfigError, match="it has no severities"):
        stress_tests([StressChoice(transform="shout", severities=(2,))], file, tmp_path)


def test_names_of_tilths_are_taken(tmp_path):
    (tmp_path / "functions.py").write_text(OWN.replace("shout", "typo"))
    choices = [StressChoice(transform="blur")]
    with pytest.raises(ConfigError, match="'typo' has the name of one of tilth's"):
        stress_tests(choices, file_of(*choices, python="functions.py"), tmp_path)
    (tmp_path / "functions.py").write_text(OWN)
    with pytest.raises(ConfigError, match="'turns' may make the label another one"):
        stress_tests([StressChoice(transform="turns")], file_of(python="functions.py"), tmp_path)


def test_what_a_transform_refuses_is_told(tmp_path):
    with pytest.raises(ConfigError, match="'case_change': to cannot be 'camel'") as caught:
        stress_tests(
            [StressChoice(transform="case_change", params={"to": "camel"}, where="line 3")], file_of(), tmp_path
        )
    assert "line 3" in caught.value.message
    with pytest.raises(ConfigError, match="what should the prediction do"):
        stress_tests([StressChoice(transform="negation")], file_of(), tmp_path)
