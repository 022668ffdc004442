"""The block `stress:`: what a line may say, what it is told where it cannot be meant, and that it is written as it is read."""

from __future__ import annotations

import pytest

from tilth.core.errors import ConfigError
from tilth.loop._stress_lines import PairsChoice, StressChoice
from tilth.loop.project_file import parse, write

HEAD = """\
source: a.csv
label: y
task: binary
classes: [ham, spam]
columns:
  y: {type: category}
  text: {type: text}
  pair: {type: category, role: ignore}
"""


def choices(*lines: str, python: bool = False):
    own = "python: functions.py\n" if python else ""
    return parse(HEAD + own + "stress:\n" + "".join(f"  - {line}\n" for line in lines)).stress


def test_what_a_line_may_say():
    found = choices(
        "typo",
        "{transform: blur, severity: all, at_most: 0.1}",
        "{transform: typo, severity: [1, 3], expect: down spam, tolerance: -0.1, columns: text, name: slips}",
        "{transform: case_change, params: {to: upper}}",
        "{pairs: pair, at_most: 0.2}",
    )
    assert found == (
        StressChoice(transform="typo"),
        StressChoice(transform="blur", severities=(1, 2, 3, 4, 5), at_most=0.1),
        StressChoice(
            transform="typo", severities=(1, 3), expect="down spam", tolerance=-0.1, columns=("text",), name="slips"
        ),
        StressChoice(transform="case_change", params={"to": "upper"}),
        PairsChoice(pairs="pair", at_most=0.2),
    )
    assert found[0].where == "tilth.yaml, line 10"
    assert parse(HEAD).stress == ()
    assert parse(HEAD + "stress: []\n").stress == ()


def test_it_is_written_as_it_is_read():
    for python in (False, True):
        lines = [
            "typo",
            "{transform: blur, severity: all, at_most: 0.1}",
            "{pairs: pair}",
            "{transform: negation, expect: flips}",
        ]
        own = "python: functions.py\n" if python else ""
        file = parse(HEAD + own + "stress:\n" + "".join(f"  - {line}\n" for line in lines))
        assert parse(write(file, {})).stress == file.stress


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("typos", "no transform is called 'typos'. Did you mean 'typo'"),
        ("relabel_hard", "no transform is called 'relabel_hard'"),
        ("{severity: 2}", "the key 'transform' is missing"),
        ("{transform: typo, severity: 6}", "severity cannot be '6'"),
        ("{transform: typo, severity: 0}", "severity cannot be '0'"),
        ("{transform: typo, severity: []}", "severity cannot be a list"),
        ("{transform: flip, severity: 2}", "'flip' has no severities"),
        ("{transform: typo, expect: sometimes}", "expect cannot be 'sometimes'"),
        ("{transform: typo, expect: same spam}", "expect cannot be 'same spam'"),
        ("{transform: typo, expect: up}", "up of which class"),
        ("{transform: typo, expect: up spma}", "Did you mean 'spam'"),
        ("{transform: typo, at_most: 2}", "at_most cannot be '2'"),
        ("{transform: typo, columns: [txt]}", "Did you mean 'text'"),
        ("{transform: typo, params: {share: 1}}", "no further parameters"),
        ("{transform: case_change, params: {too: upper}}", "Did you mean 'to'"),
        ("{pairs: pair, expect: same}", "unknown key 'expect'"),
        ("[typo]", "cannot be a list"),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_line(line, says):
    with pytest.raises(ConfigError, match=r"line 10") as caught:
        choices(line)
    assert says in caught.value.message


def test_names_of_the_python_file_are_not_known_yet():
    assert choices("shout", python=True) == (StressChoice(transform="shout"),)
    with pytest.raises(ConfigError, match="is a function and has no parameters"):
        choices("{transform: shout, params: {a: 1}}", python=True)
