"""Of which classes an answer that names several says no: those that it leaves out, unless its labeler never could name them.

A person who ticks classes says no to those that are left open. A rule that can only ever say "spam" says nothing of other classes. Who is
which is told by what each labeler names over all of its answers:

- it says no to a class that it leaves out where it names that class elsewhere, and to all where it ever names no class at all;
- it says nothing of a class that it plainly cannot name: where answers like those of all labelers would have named it so often
  that never to do so is no chance (5 % over all labelers and classes together);
- one that names the same single class each time says nothing of the others, unless rows were handed out to people.

Source: Elkan, Noto (2008), Learning classifiers from only positive and unlabeled data, KDD (a silence is no negative); the level over
all pairs is Bonferroni's.
"""

from __future__ import annotations

import numpy as np

from tilth.core.arrays import IntVector, Mask, Matrix

__all__ = ["spoken_of"]

LEVEL = 0.05
EVEN = 0.25
"""Rows count as handed out where the number of answers per row varies less than this part of what chance would give."""


def spoken_of(rows: IntVector, sources: IntVector, named: Mask, n_rows: int, n_labelers: int) -> Mask:
    """Return of which classes each answer says yes or no; (a,), (a,), (a, k) -> (a, k). O(a k).

    Parameters
    ----------
    rows, sources : row and labeler number of each answer; a labeler answers a row once
    named : the classes that each answer names; none at all says no to every class
    n_rows, n_labelers : how many there are

    Returns
    -------
    What is named, and what is turned down.

    Examples
    --------
    >>> named = np.array([[True, False], [False, True], [True, False], [True, False]])
    >>> rows, sources = np.arange(4), np.array([0, 0, 1, 1])  # a person, and a rule that only knows the first class
    >>> spoken_of(rows, sources, named, 90, 2).tolist()
    [[True, True], [True, True], [True, False], [True, False]]
    """
    answers = np.bincount(sources, minlength=n_labelers).astype(np.float64)
    counts = _by_labeler(sources, named, n_labelers)
    says_none = np.bincount(sources[~named.any(axis=1)], minlength=n_labelers) > 0
    can_name = (counts > 0) | says_none[:, None]
    expected = answers[:, None] * (counts.sum(axis=0) / max(answers.sum(), 1.0))
    cannot = (counts == 0) & (expected > np.log(max(counts.size, 1) / LEVEL))
    if not _is_handed_out(rows, answers, n_rows):
        repeats = (answers > 1) & ((counts == answers[:, None]).sum(axis=1) == 1) & ((counts > 0).sum(axis=1) == 1)
        cannot |= repeats[:, None]
    return np.asarray(named | (can_name | ~cannot)[sources])


def _by_labeler(sources: IntVector, named: Mask, n_labelers: int) -> Matrix:
    """Answers of each labeler that name each class; (a,), (a, k) -> (m, k)."""
    columns = [np.bincount(sources[column], minlength=n_labelers) for column in named.T]
    return np.stack(columns, axis=1).astype(np.float64) if columns else np.zeros((n_labelers, 0))


def _is_handed_out(rows: IntVector, answers: np.ndarray, n_rows: int) -> bool:
    """Whether each row was given to about the same number of labelers."""
    rates = answers / max(n_rows, 1)
    per_row = np.bincount(rows, minlength=n_rows)
    return bool(per_row.var() <= EVEN * float((rates * (1.0 - rates)).sum()))
