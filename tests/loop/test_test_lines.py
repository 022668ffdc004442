"""_test_lines: the block `tests:` is read, refused with its place, and written back."""

from __future__ import annotations

import pytest

from tilth.core.errors import ConfigError
from tilth.loop._gate_plan import CheckChoice, GatePlan
from tilth.loop._test_lines import gate_lines, gate_of
from tilth.loop._yaml_nodes import read

BLOCK = """\
tests:
  conditions:
    - n - o > 0.02 +/- 0.01 at 0.999
    - "n[city = 'a: b'] > 0.5"
  checks:
    - {name: human, where: age BETWEEN 0 AND 120}
    - {where: "city <> 'x'", at_least: 0.9, on: test}
  reliability: 0.99
  looks: 4
  adaptivity: full
  undecided: pass
"""


def parsed(text):
    return gate_of(read(text, "tilth.yaml").fields(("tests",))["tests"])


def test_by_hand():
    found = parsed(BLOCK)
    assert [one.text for one in found.conditions] == ["n - o > 0.02 +/- 0.01 at 0.999", "n[city = 'a: b'] > 0.5"]
    assert found.checks == (
        CheckChoice(name="human", where="age BETWEEN 0 AND 120"),
        CheckChoice(name="city <> 'x'", where="city <> 'x'", at_least=0.9, on="test"),
    )
    assert found.checks[0].place == "tilth.yaml, line 6"
    assert (found.reliability, found.looks, found.adaptivity, found.undecided) == (0.99, 4, "full", "pass")


@pytest.mark.parametrize("plan", [parsed(BLOCK), GatePlan(), GatePlan(looks=2)])
def test_what_is_written_is_read_again(plan):
    assert parsed("\n".join(gate_lines(plan)) + "\n") == plan


def test_an_empty_block_asks_nothing():
    assert parsed("tests:\n") is None
    assert parsed("tests: {conditions: , checks: }\n") == GatePlan()


@pytest.mark.parametrize(
    ("block", "what", "line"),
    [
        ("tests:\n  conditions:\n    - n > 1\n    - n ? 1\n", "the condition cannot be read", "line 4"),
        ("tests:\n  condition: [n > 1]\n", "Did you mean 'conditions'", "line 2"),
        ("tests:\n  checks:\n    - {name: a}\n", "'where' is missing", "line 3"),
        ("tests:\n  adaptivity: ful\n", "Did you mean 'full'", "line 2"),
        ("tests:\n  reliability: 1.0\n", "cannot be '1.0'", "line 2"),
        ("tests: yes\n", "cannot be 'yes'", "line 1"),
    ],
)
def test_what_is_wrong_has_its_line(block, what, line):
    with pytest.raises(ConfigError) as caught:
        parsed(block)
    assert what in caught.value.message and line in caught.value.where
