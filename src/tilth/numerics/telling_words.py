"""Words that tell some texts from others: log odds with an informative prior.

    d_w = log (y1_w + a_w)/(n1 + a_0 - y1_w - a_w) - log (y2_w + a_w)/(n2 + a_0 - y2_w - a_w)
    z_w = d_w / sqrt(1/(y1_w + a_w) + 1/(y2_w + a_w))

The prior a is all texts' own counts, scaled to a_0 words: rare words need more to count, and words that all texts share tell
nothing. A term is one word or two that follow one another; a term of nothing but stop words is none.

Source: Monroe, Colaresi, Quinn (2008), Fightin' words: lexical feature selection and evaluation for identifying the content of
political conflict, Political Analysis 16, equations 15, 16, 22.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from tilth.core.arrays import Mask, Matrix, Vector

__all__ = ["STOP_WORDS", "log_odds", "telling_terms"]

PRIOR_WORDS = 1_000.0
"""Words that the prior is worth."""
LEAST_TEXTS = 3
"""Texts inside that hold a term, at least."""
MOST_SIGNS = 2_000
"""Signs of a text that are read."""
LEAST_Z = 2.0
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
STOP_WORDS = frozenset(
    word
    for line in (
        "a about after all also am an and any are as at be because been before being but by can cannot could",
        "did do does doing don't down during each few for from had has have having he her here hers him his",
        "how i i'd i'll i'm i've if in into is isn't it it's its just me more most my no nor not of off on",
        "once only or other our out over own same she should so some such than that that's the their them",
        "then there these they this those through to too under until up very was we were what when where",
        "which while who why will with would you your br s t der die das und ist nicht ein eine le la les un",
        "une et est pas el los las y en de que",
    )
    for word in line.split()
)


def log_odds(inside: Vector, outside: Vector, prior: Vector) -> Vector:
    """Return how surely each term is used more inside than outside, as a z-score. O(t).

    Parameters
    ----------
    inside, outside : Vector, (t,)
        Counts of each term.
    prior : Vector, (t,)
        Pseudo-counts > 0, the same for both.

    Returns
    -------
    Vector, (t,)
        Positive where used more inside.

    Randomness
    ----------
    None.

    Source
    ------
    Monroe, Colaresi, Quinn (2008), Political Analysis 16, equations 16 and 22.

    Examples
    --------
    >>> log_odds(np.array([9.0, 5.0]), np.array([1.0, 9.0]), np.ones(2)).round(2).tolist()
    [2.74, -4.11]
    """
    (y1, y2), total = (inside + prior, outside + prior), float(prior.sum())
    n1, n2 = float(inside.sum()) + total, float(outside.sum()) + total
    with np.errstate(divide="ignore"):
        difference = np.log(y1 / np.maximum(n1 - y1, 1e-9)) - np.log(y2 / np.maximum(n2 - y2, 1e-9))
    return np.asarray(difference / np.sqrt(1 / y1 + 1 / y2))


def telling_terms(texts: Sequence[str | None], inside: Mask, most: int = 5) -> list[str]:
    """Return the terms that tell the texts inside from the others, most telling first; O(words).

    Each text counts once per term. Of two terms that share a word the more telling one is kept.

    Parameters
    ----------
    texts : (n,) None where missing; the first 2,000 signs of each are read
    inside : Mask, (n,)
    most : terms at most

    Returns
    -------
    list of str
        In small letters; empty where nothing tells them apart.

    Randomness
    ----------
    None; a tie goes to the term that comes first in the alphabet.

    Source
    ------
    Monroe, Colaresi, Quinn (2008), Political Analysis 16.

    Examples
    --------
    >>> said = ["my card was lost"] * 30 + ["when is my salary due"] * 30
    >>> telling_terms(said, np.arange(60) < 30, most=2)
    ['card', 'lost']
    """
    here, there = Counter[str](), Counter[str]()
    for text, is_in in zip(texts, inside, strict=True):
        if text:
            (here if is_in else there).update(_terms(text[:MOST_SIGNS].lower()))
    names = sorted(term for term, count in here.items() if count >= LEAST_TEXTS)
    if not names:
        return []
    counts: Matrix = np.array([[here[term], there[term]] for term in names], dtype=np.float64)
    z = _against_the_rest(counts, float(sum(here.values())), float(sum(there.values())))
    return _apart([names[i] for i in np.argsort(-z, kind="stable") if z[i] >= LEAST_Z], most)


def _against_the_rest(counts: Matrix, n_here: float, n_there: float) -> Vector:
    """Score terms beside one more that stands for all terms that are not looked at."""
    rest = np.maximum([n_here, n_there] - counts.sum(axis=0), 1.0)
    table = np.vstack([counts, rest])
    both = table.sum(axis=1)
    return log_odds(table[:, 0], table[:, 1], PRIOR_WORDS * both / both.sum())[:-1]


def _terms(text: str) -> set[str]:
    words = _WORD.findall(text)
    pairs = {f"{a} {b}" for a, b in pairwise(words) if not (a in STOP_WORDS or b in STOP_WORDS)}
    return pairs | {word for word in words if word not in STOP_WORDS and len(word) > 1}


def _apart(terms: Sequence[str], most: int) -> list[str]:
    kept: list[str] = []
    for term in terms:
        if len(kept) < most and not any(set(term.split()) & set(other.split()) for other in kept):
            kept.append(term)
    return kept
