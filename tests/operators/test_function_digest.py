"""Two functions have one digest where they would do the same: code, defaults, closures, globals, helpers; comments aside."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

import tilth
from tilth.operators.function_digest import Unseen, function_digest

BASE = """
import re
WORDS = ("a", "b")
LIMITS = {"x": 1}
KNOWN = {"p", "q"}
PATTERN = re.compile("x")

def helper(text):
    return text in WORDS

class Kind:
    limit = 3
    def big(self, n):
        return n > self.limit

def make(word):
    def inner(row):
        return word in row.text
    return inner

def f(row, least=1):
    # a comment
    return helper(row.text) or PATTERN.search(row.text) or LIMITS["x"] > least or row.text in KNOWN or Kind().big(3)

closed = make("one")
"""


def digest(source: str = BASE, name: str = "f", home: Path | None = None) -> str:
    space: dict[str, object] = {}
    exec(compile(textwrap.dedent(source), "<here>", "exec"), space)
    return function_digest(space[name], home)


def test_it_is_the_same_each_time_and_for_other_comments():
    assert digest() == digest()
    assert digest(BASE.replace("# a comment", "# another\n    # one")) == digest()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('("a", "b")', '("a", "c")'),
        ('{"x": 1}', '{"x": 2}'),
        ('{"p", "q"}', '{"p", "r"}'),
        ('re.compile("x")', 're.compile("x", re.I)'),
        ("text in WORDS", "text not in WORDS"),
        ("least=1", "least=2"),
        ("limit = 3", "limit = 4"),
        ("n > self.limit", "n >= self.limit"),
        ("> least", ">= least"),
    ],
)
def test_every_part_counts(old, new):
    assert digest(BASE.replace(old, new)) != digest()


def test_what_is_closed_over_counts():
    assert digest(name="closed") != digest(BASE.replace('make("one")', 'make("two")'), "closed")


def test_what_it_does_not_name_does_not_count():
    assert digest(BASE + "\nOTHER = 1\n") == digest(BASE + "\nOTHER = 2\n") == digest()


def test_the_order_of_sets_does_not_count():
    assert digest(BASE.replace('{"p", "q"}', '{"q", "p"}')) == digest()


def test_rings_end_and_labelers_are_followed():
    ring = "def f(row):\n    return g(row)\n\ndef g(row):\n    return f(row)\n"
    assert digest(ring) == digest(ring) != digest(ring.replace("g(row)\n\n", "g(1)\n\n"))
    one, two = (tilth.labeler(name="x")(eval(code)) for code in ("lambda row: 1", "lambda row: 2"))
    assert function_digest(one) != function_digest(two)


def test_a_value_that_cannot_be_compared_is_named():
    with pytest.raises(Unseen, match="MODEL is a object"):
        digest("MODEL = object()\ndef f(row):\n    return MODEL\n")


def test_modules_of_the_project_count_by_their_text_and_libraries_by_version(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "planted_helper_words.py"
    path.write_text("WORDS = 1\n")
    source = "import planted_helper_words, numpy\ndef f(row):\n    return planted_helper_words.WORDS, numpy.nan\n"
    before = digest(source, home=tmp_path)
    path.write_text("WORDS = 2\n")
    assert digest(source, home=tmp_path) != before
    import numpy

    after = digest(source, home=tmp_path)
    monkeypatch.setattr(numpy, "__version__", "0")
    assert digest(source, home=tmp_path) != after
