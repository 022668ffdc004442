"""The project's Python file: loaded fresh, its labelers in order; what is wrong is told with file and line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tilth.core.errors import ConfigError
from tilth.loop.python_file import load_functions

TWO = """\
import tilth


@tilth.labeler
def first(row):
    return None


@tilth.labeler(name="second")
def other(row):
    return None
"""


def load(folder: Path, text: str) -> list[str]:
    (folder / "labelers.py").write_text(text, encoding="utf-8")
    return [one.name for one in load_functions(folder / "labelers.py")]


def test_in_their_order(tmp_path):
    assert load(tmp_path, TWO) == ["first", "second"]
    many = "\nmany = [tilth.labeler(name=f'm{i}')(lambda row: None) for i in range(2)]\n"
    by_key = "by_key = {'x': tilth.labeler(name='y')(first.function)}\n"
    assert load(tmp_path, TWO + many + by_key) == ["first", "second", "m0", "m1", "y"]
    assert load(tmp_path, "") == []


def test_it_is_loaded_fresh_with_the_modules_beside_it(tmp_path):
    helper = tmp_path / "beside_words.py"
    helper.write_text("NAME = 'one'\n")
    text = "import tilth\nimport beside_words\nlabeler = tilth.labeler(name=beside_words.NAME)(lambda row: None)\n"
    assert load(tmp_path, text) == ["one"]
    helper.write_text("NAME = 'another'\n")
    assert load(tmp_path, text) == ["another"]
    assert "beside_words" not in sys.modules
    assert str(tmp_path) not in sys.path


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        ("import tilth\nimport no_such_module_here\n", "No module named 'no_such_module_here'", 2),
        ("x = 1\n\nif x\n", "SyntaxError", 3),
        ("def f():\n    return 1 / 0\n\nf()\n", "ZeroDivisionError: division by zero", 2),
        ("import sys\nsys.exit(3)\n", "SystemExit: 3", 2),
    ],
)
def test_what_cannot_be_loaded_is_told_with_its_line(tmp_path, text, says, line):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert says in caught.value.what
    assert caught.value.where.endswith(f"labelers.py, line {line}")
    assert caught.value.next_step
    assert str(tmp_path) not in sys.path


def test_an_error_in_a_module_beside_it_names_that_file(tmp_path):
    (tmp_path / "beside_broken.py").write_text("\n1 / 0\n")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, "import beside_broken\n")
    assert caught.value.where.endswith("beside_broken.py, line 2")


def test_two_of_one_name_are_refused_though_the_second_hides_the_first(tmp_path):
    with pytest.raises(ConfigError, match=r"two labelers are called 'first' \[.*labelers.py, lines 4 and 14"):
        load(tmp_path, TWO + "\n\n@tilth.labeler\ndef first(row):\n    return None\n")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_functions(tmp_path / "labelers.py")
