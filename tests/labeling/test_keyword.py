"""Whole words in any case and any script, phrases with any spaces; missing cells abstain."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tilth.core.errors import ConfigError
from tilth.labeling.keyword import Keyword
from tilth.operators.batch import Batch


def rows(**columns: list[str | None]) -> Batch:
    n = len(next(iter(columns.values())))
    cells = {name: pa.array(values, pa.string()) for name, values in columns.items()}
    return Batch(ids=pa.array([f"r{i}" for i in range(n)]), columns=cells)


def hits(labeler: Keyword, *texts: str | None) -> list[bool]:
    return [name is not None for name in labeler.vote(rows(text=list(texts))).names.to_pylist()]


def test_by_hand():
    begs = Keyword(words=("subscribe", "check out"), says="spam")
    texts = ("Please SUBSCRIBE!", "subscribed", "check  out", "checkout", "check\nout", None, "")
    assert hits(begs, *texts) == [True, False, True, False, True, False, False]
    assert begs.vote(rows(text=["subscribe"])).names.to_pylist() == ["spam"]


def test_words_of_any_script_have_ends():
    assert hits(Keyword(words=("öl",), says="x"), "Öl und Gas", "Erdöl", "ölig", "öl") == [True, False, False, True]


def test_signs_stand_for_themselves():
    labeler = Keyword(words=("$$$", "c++", "a.b"), says="x")
    assert hits(labeler, "win $$$now", "c++ rocks", "acb", "a.b") == [True, True, False, True]


def test_every_text_column_is_looked_into_and_no_other():
    batch = rows(title=["free", "no"], text=["x", "free"])
    more = Batch(ids=batch.ids, columns={**batch.columns, "n": pa.array([1, 2])})
    assert Keyword(words=("free",), says="spam").vote(more).names.to_pylist() == ["spam", "spam"]


@pytest.mark.parametrize("words", [(), (" ",), ("a", "")])
def test_no_word_is_refused(words):
    with pytest.raises(ConfigError, match="needs words"):
        Keyword(words=words, says="x")
