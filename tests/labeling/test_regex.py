"""Expressions of RE2: found anywhere, by case or not; what RE2 cannot read is refused with what to do."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import ConfigError
from tilth.labeling.regex import Regex
from tilth.operators.batch import Batch


def said(labeler: Regex, texts: list[str | None]) -> list[str | None]:
    batch = Batch(ids=pa.array([str(i) for i in range(len(texts))]), columns={"text": pa.array(texts, pa.string())})
    return labeler.vote(batch).names.to_pylist()


def test_by_hand():
    assert said(Regex(expression="https?://", says="spam"), ["see http://x", "HTTP://x", None]) == ["spam", None, None]
    assert said(Regex(expression="http", says="spam", ignore_case=True), ["HTTP"]) == ["spam"]


def test_parity_with_python_on_what_both_read():
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("ab1 .-"), 12)) for _ in range(300)]
    for expression in (r"a+b", r"^a.*1$", r"[ab]{3}\.", r"(?:1|-)\s"):
        expected = [bool(re.search(expression, text)) for text in texts]
        assert [name == "x" for name in said(Regex(expression=expression, says="x"), texts)] == expected


@pytest.mark.parametrize("expression", ["(", "a(?=b)", r"(a)\1", "[z-a]"])
def test_what_re2_cannot_read_is_refused(expression):
    with pytest.raises(ConfigError, match=r"cannot be read: .*RE2"):
        Regex(expression=expression, says="x")
