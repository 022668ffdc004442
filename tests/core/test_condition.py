"""condition: the grammar, and errors that show their place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.core.condition import Term, parse_condition
from tilth.core.errors import ConfigError


def only(text):
    (clause,) = parse_condition(text).clauses
    return clause


def test_by_hand():
    found = parse_condition("n - o > 0.02 +/- 0.01 and d < 0.1 ± 1% at 0.999")
    first, second = found.clauses
    assert first.terms == (Term(factor=1.0, model="n"), Term(factor=-1.0, model="o"))
    assert (first.above, first.threshold, first.tolerance, first.text) == (True, 0.02, 0.01, "n - o > 0.02 +/- 0.01")
    assert (second.above, second.threshold, second.tolerance) == (False, 0.1, 0.01)
    assert (found.reliability, found.most_changed, found.needs_old) == (0.999, 0.1, True)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("n > 0.8", (Term(factor=1.0, model="n"),)),
        ("-1 * o + 1.1*n >= -.5", (Term(factor=-1.0, model="o"), Term(factor=1.1, model="n"))),
        ("n[women] > 0.8", (Term(factor=1.0, model="n", where="women"),)),
        ("f1(n) ≥ 0.5", (Term(factor=1.0, model="n", metric="f1"),)),
        (
            "recall(n[age < 25], '>50K') > 80%",
            (Term(factor=1.0, model="n", metric="recall", of=">50K", where="age < 25"),),
        ),
        ("recall(o, very good) <= 1", (Term(factor=1.0, model="o", metric="recall", of="very good"),)),
        ("n[a = 'x]y'] > 0", (Term(factor=1.0, model="n", where="a = 'x]y'"),)),
    ],
)
def test_variables(text, terms):
    assert only(text).terms == terms


@pytest.mark.parametrize(
    ("text", "what", "sign"),
    [
        ("", "a variable is missing", 1),
        ("n", "a comparison is missing", 2),
        ("n >", "a number to compare with is missing", 4),
        ("x > 1", "'x' is no variable", 1),
        ("n - > 1", "a variable is missing", 5),
        ("2 n > 1", "'*' and a variable are missing", 3),
        ("f1(d) > 1", "names a model", 4),
        ("f1(n > 1", "')' is missing", 6),
        ("f1(n,) > 1", "the name of a class is missing", 6),
        ("n[] > 1", "the slice is empty", 3),
        ("n[age > 1", "']' is missing", 10),
        ("n > 1 +/-", "a tolerance, such as 0.01 is missing", 10),
        ("n > 1 +/- 0", "a tolerance is greater than 0", 12),
        ("n > 1 at 2", "a reliability lies between", 10),
        ("n > 1 o", "'o' stands where the condition should end", 7),
        ("n > 1 or d < 1", "'or' stands where", 7),
        ("n == 1", "a comparison is missing", 3),
    ],
)
def test_what_cannot_be_read_shows_the_place(text, what, sign):
    with pytest.raises(ConfigError) as caught:
        parse_condition(text)
    assert what in caught.value.what
    assert caught.value.where.startswith(f"sign {sign} of ")
    assert "⟨here⟩" in caught.value.where


@given(st.text(alphabet="nod[]()+-*/><=.,0123456789' atfm", max_size=25))
def test_any_text_is_read_or_refused(text):
    try:
        parse_condition(text)
    except ConfigError as error:
        place = error.where
    else:
        place = "⟨here⟩"
    assert "⟨here⟩" in place
