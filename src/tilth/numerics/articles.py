"""The English article before a word: a car, an automobile, an hour, a university.

By spelling, with the usual exceptions: a silent h, and vowels that begin with the sound of "you" or "won".

Source: none; the rule of every school grammar.
"""

from __future__ import annotations

import re

__all__ = ["article_for", "articled", "takes_an"]

_BEFORE = re.compile(r"(?<![\w'’-])(an?)(\s+)$", re.IGNORECASE)
_SILENT = ("hour", "honest", "honour", "honor", "heir")
_LIKE_YOU = ("uni", "use", "usa", "usu", "uti", "ubiq", "eu", "ewe", "uk", "ura", "uto", "once", "one")
_PLAIN_UN = ("unin", "unim", "unid", "unir")
"""Begin as `_LIKE_YOU` do, and are spoken as in "under"."""


def takes_an(word: str) -> bool:
    """Whether "an" stands before a word, rather than "a".

    Examples
    --------
    >>> [takes_an(word) for word in ("car", "automobile", "hour", "university", "unimportant", "one")]
    [False, True, True, False, True, False]
    """
    lower = word.lower()
    if lower.startswith(_SILENT):
        return True
    if lower.startswith(_LIKE_YOU) and not lower.startswith(_PLAIN_UN):
        return False
    return lower[:1] in set("aeiouàáâäæèéêëìíîïòóôöœùúûü")


def article_for(article: str, word: str) -> str:
    """Return an article in the form that stands before a word, its capitals kept.

    Examples
    --------
    >>> article_for("a", "apple"), article_for("An", "car"), article_for("A", "APPLE")
    ('an', 'A', 'AN')
    """
    wanted = "an" if takes_an(word) else "a"
    if article.isupper() and len(article) + len(word) > 2 and word.isupper():
        return wanted.upper()
    return wanted.capitalize() if article[0].isupper() else wanted


def articled(text: str, at: int, old: str, new: str) -> tuple[int, int, str] | None:
    """Return the change that makes the article before a word agree with the word that takes its place; None where none is due.

    An article that did not agree before is left alone: it may be none.

    Parameters
    ----------
    text : n signs
    at : where the old word begins
    old, new : the word as it stands, and what takes its place

    Returns
    -------
    (start, stop, article) or None

    Examples
    --------
    >>> articled("buy a car", 6, "car", "automobile")
    (4, 5, 'an')
    >>> articled("buy a car", 6, "car", "van") is None
    True
    """
    found = _BEFORE.search(text[:at])
    if found is None or takes_an(old) == takes_an(new) or takes_an(old) != (len(found.group(1)) == 2):
        return None
    return found.start(1), found.end(1), article_for(found.group(1), new)
