"""Labelers in tilth.yaml: what is written is read again; what is wrong is told with its line and the closest word."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tilth.core.errors import ConfigError
from tilth.core.schema import Column, ColumnType, Role, Schema, Task, TaskType
from tilth.loop.project_file import LabelerChoice, ProjectFile, parse, write
from tilth.operators.registry import make, names

BASIC = """\
source: reviews.csv
label: sentiment
task: binary
classes: [neg, "1"]
columns:
  text: {type: text}
  n: {type: number, at_serving: false}
  sentiment: {type: category}
"""
WORDS = st.sampled_from(
    ["no", "y", "null", "", "2020", "1e5", "a: b", "# x", "größe €", "{", '"', "\\", "a\nb", "text"]
)


def read(labelers: str, python: str = "") -> ProjectFile:
    return parse(f"{BASIC}{python}labelers:\n{labelers}")


def test_by_hand():
    file = read(
        """\
  - keyword: {words: [good, 2020, no], says: neg, columns: [text]}
  - {name: big, threshold: {column: n, above: 3, says: 1}}
  - name: odd
    sql:
      where: "n > 3 AND text LIKE '%x'"
      says: neg
  - {name: known, lookup: {column: text, entries: {a: neg, 7: 1}}}
""",
        "python: mine.py\n",
    )
    assert file.python == "mine.py"
    assert file.labelers == (
        LabelerChoice(
            name="keyword",
            operator="keyword",
            params={"words": ("good", "2020", "no"), "says": "neg", "columns": ("text",)},
        ),
        LabelerChoice(name="big", operator="threshold", params={"column": "n", "above": 3.0, "says": "1"}),
        LabelerChoice(name="odd", operator="sql", params={"where": "n > 3 AND text LIKE '%x'", "says": "neg"}),
        LabelerChoice(name="known", operator="lookup", params={"column": "text", "entries": {"a": "neg", "7": "1"}}),
    )
    assert file.labelers[2].where == "tilth.yaml, line 13"
    for choice in file.labelers:
        make("labeling", choice.operator, **choice.params)


@pytest.mark.parametrize("line", ["labelers: []", "labelers: null", "python: null", "labelers:"])
def test_none(line):
    file = parse(f"{BASIC}{line}\n")
    assert (file.labelers, file.python) == ((), None)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("- {keyword: {words: [a], says: nog}}", "'nog' is no class. Did you mean 'neg'?"),
        ("- {keywrd: {words: [a], says: neg}}", "no labeler is called 'keywrd'. Did you mean 'keyword'?"),
        ("- {majority: {}}", "no labeler is called 'majority'"),
        ("- {keyword: {says: neg}}", "the key 'words' is missing"),
        ("- {keyword: {words: [a], says: neg, columns: [txt]}}", "no column 'txt' under columns. Did you mean 'text'?"),
        ("- {keyword: {words: a, says: neg}}", "words cannot be 'a'"),
        ("- {threshold: {column: sentiment, above: 3, says: neg}}", "'sentiment' is the label"),
        ("- {threshold: {column: n, above: x, says: neg}}", "above cannot be 'x'"),
        ("- {regex: {expression: a, says: neg, ignore_case: 1}}", "ignore_case cannot be '1'"),
        ("- {name: a, keyword: {words: [a], says: neg}, regex: {}}", "one kind; 2 are named"),
        ("- {name: a}", "one kind; 0 are named"),
        ("- begs", "labelers cannot be 'begs'"),
        ("- {keyword: {words: [a], says: neg, wrods: 2}}", "unknown key 'wrods'. Did you mean 'words'?"),
        ("- {answers: {column: n, classes: {a: pos}}}", "'pos' is no class"),
        ("- {nearest: {column: text, rows: {r1: pos}}}", "'pos' is no class"),
        ("- {nearest: {column: text, examples: {good: neg}, k: 0}}", "k cannot be '0'"),
        ("- {nearest: {column: sentiment, rows: {r1: neg}}}", "'sentiment' is the label"),
        ("- {model_votes: {probabilities: {pos: n}}}", "'pos' is no class"),
        ("- {model_votes: {probabilities: {neg: m}}}", "no column 'm'"),
        ("- {model_votes: {probabilities: {neg: sentiment}}}", "'sentiment' is the label"),
        ("- {model_votes: {file: s.csv, least_of: {pos: 0.5}}}", "'pos' is no class"),
        ("- {model_votes: {file: s.csv, least_of: {neg: high}}}", "neg cannot be 'high'"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(line, says):
    with pytest.raises(ConfigError) as caught:
        read(f"  {line}\n")
    assert says in caught.value.what
    assert caught.value.where.startswith("tilth.yaml, line 10")
    assert caught.value.next_step


def test_two_of_one_name():
    with pytest.raises(ConfigError, match=r"two labelers are called 'keyword', the first in tilth.yaml, line 10"):
        read("  - {keyword: {words: [a], says: neg}}\n" * 2)


def test_a_task_that_learns_a_number_has_none():
    text = (
        BASIC.replace("binary", "regression")
        .replace('classes: [neg, "1"]\n', "")
        .replace("sentiment: {type: category}", "sentiment: {type: number}")
    )
    with pytest.raises(ConfigError, match="learns a number"):
        parse(f"{text}labelers:\n  - {{keyword: {{words: [a], says: neg}}}}\n")
    assert "labelers" not in write(parse(text), {})


@st.composite
def labelers(draw):
    says = st.sampled_from(["neg", "1"])
    kinds = {
        "keyword": {"words": st.lists(WORDS, min_size=1).map(tuple), "says": says, "columns": st.just(("text",))},
        "regex": {"expression": WORDS, "says": says, "ignore_case": st.booleans()},
        "threshold": {"column": st.just("n"), "says": says, "above": st.none() | st.floats(-1e9, 1e9)},
        "answers": {"column": st.just("n"), "classes": st.dictionaries(WORDS, says), "abstain": st.just(())},
        "sql": {"where": WORDS, "says": says},
        "nearest": {"column": st.just("text"), "examples": st.dictionaries(WORDS, says), "k": st.integers(1, 9)},
        "model_votes": {
            "probabilities": st.dictionaries(says, st.just("n")),
            "least": st.floats(0.01, 1),
            "least_of": st.dictionaries(says, st.floats(0.01, 1)),
        },
    }
    found = []
    for name in draw(st.lists(WORDS, unique=True, max_size=4)):
        operator = draw(st.sampled_from(sorted(kinds)))
        params = {key: draw(value) for key, value in kinds[operator].items()}
        found.append(LabelerChoice(name=name, operator=operator, params=params))
    return tuple(found)


@given(labelers(), st.none() | WORDS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_written_is_read_again(choices, python):
    columns = (
        Column(name="text", type=ColumnType.TEXT),
        Column(name="n", type=ColumnType.NUMBER),
        Column(name="sentiment", type=ColumnType.CATEGORY, role=Role.LABEL),
    )
    task = Task(type=TaskType.BINARY, label="sentiment", classes=("neg", "1"))
    file = ProjectFile(source="a.csv", schema=Schema(columns=columns, tasks=(task,)), labelers=choices, python=python)
    text = write(file, {})
    assert parse(text) == file
    assert len(yaml.safe_load(text)["labelers"]) == len(choices)


def test_every_labeler_can_be_written():
    assert set(names("labeling", "vote")) == {
        *(
            "answers",
            "keyword",
            "lookup",
            "model_votes",
            "nearest",
            "pattern",
            "regex",
            "sql",
            "threshold",
            "votes_file",
        ),
    }
