"""Names by which people call their splits."""

from __future__ import annotations

import re

__all__ = ["is_split_name", "split_of_file"]

_WORDS = """
    train training trn dev devel development val valid validation eval evaluation test testing tst holdout
    pool unlabeled unlabelled unused
"""
_NAMES = frozenset(_WORDS.split())
_FILE = re.compile(r"^([A-Za-z]+)(?:[-_.\d].*)?$")
_IN_FILES = _NAMES - {"eval", "pool", "unused", "development"}


def is_split_name(word: str) -> bool:
    """Whether a word is a common name of a split."""
    return word.strip().lower() in _NAMES


def split_of_file(stem: str) -> str | None:
    """Return the split that a file's name begins with, such as train in `train-00000-of-00001`."""
    match = _FILE.match(stem)
    return match[1].lower() if match and match[1].lower() in _IN_FILES else None
