"""The tree of errors: codes, texts, and that the drawing agrees with the classes."""

from __future__ import annotations

import re

import pytest

from tilth.core import errors
from tilth.core.errors import StoreLockedError, TilthError, UnknownColumnError, did_you_mean, first_three

LINE = re.compile(r"^ {4}(?P<stem>[│ ]*)[├└]── (?P<name>\w+)\s.*?(?:\bE(?P<code>\d{3}))?(?:\s+exit (?P<exit>\d))?$")


def classes() -> list[type[TilthError]]:
    found, waiting = [], [TilthError]
    while waiting:
        found.append(waiting.pop())
        waiting += [c for c in found[-1].__subclasses__() if c.__module__ == errors.__name__]
    return found


def drawn() -> dict[str, tuple[str, str | None, str | None]]:
    """Name -> (parent, code, exit status), as the module's docstring draws them."""
    tree, above = {}, {-1: "TilthError"}
    for line in (errors.__doc__ or "").splitlines():
        if match := LINE.match(line):
            depth = len(match["stem"]) // 4
            above[depth] = match["name"]
            tree[match["name"]] = (above[depth - 1], match["code"], match["exit"])
    return tree


def test_the_drawing_agrees_with_the_classes():
    real = {c.__name__: c for c in classes() if c is not TilthError}
    tree = drawn()
    assert tree.keys() == real.keys()
    for name, (parent, code, status) in tree.items():
        assert issubclass(real[name], getattr(errors, parent)), name
        assert code is None or real[name].code == f"TILTH-E{code}", name
        assert status is None or real[name].exit_status == int(status), name


def test_every_class_has_a_code_of_its_own_and_is_public():
    codes = [c.code for c in classes()]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"TILTH-E\d{3}", code) for code in codes)
    assert {c.__name__ for c in classes()} <= set(errors.__all__)
    assert all((c.__doc__ or "").strip().endswith(".") or c is TilthError for c in classes())


def test_leaves_are_drawn_with_their_codes():
    inner = {parent for parent, _, _ in drawn().values()}
    assert all(code is not None for name, (_, code, _) in drawn().items() if name not in inner)


@pytest.mark.parametrize("kind", [LookupError, ValueError, OSError, TypeError, AttributeError])
def test_some_can_be_caught_as_what_python_calls_them(kind):
    assert any(issubclass(c, kind) for c in classes())


def test_a_message_says_what_where_and_what_next():
    error = TilthError("two rows carry one id", where="rows a, b", next_step="tilth init --id KEY")
    assert str(error) == "TILTH-E000 two rows carry one id [rows a, b] → tilth init --id KEY"
    assert (error.what, error.where, error.next_step) == ("two rows carry one id", "rows a, b", "tilth init --id KEY")
    assert str(TilthError("nothing")) == "TILTH-E000 nothing"
    assert str(StoreLockedError("held")).startswith("TILTH-E050 held")  # OSError would put its own text


def test_words_for_what_is_near():
    assert did_you_mean("Lable", ["text", "Label"]) == " Did you mean 'Label'?"
    assert did_you_mean("zzz", ["text"]) == ""
    assert did_you_mean("x", []) == ""
    error = UnknownColumnError.among("txt", ["text", *(f"c{i}" for i in range(20))])
    assert "Did you mean 'text'?" in str(error)
    assert str(error).count("c1") == 2  # c1 and c10: twelve names at most
    assert first_three("abc") == "a, b, c"
    assert first_three(range(1_000)) == "0, 1, 2 … (1,000 in all)"
