"""Laws of label models: rows, labelers and class names may come in any order; silence gives the prior; trusted rows keep their truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Matrix
from tilth.core.errors import NotApplicable
from tilth.core.labelling import Known, Labelling
from tilth.core.rng import generator
from tilth.core.votes import Votes
from tilth.testing._behaviour import global_state, same_state
from tilth.testing._subject import Check, Subject

__all__ = ["LABELING", "planted_votes", "taken"]

TOLERANCE = 1e-4
"""Fits that iterate may differ by this much in probability when sums come in another order."""
PLACES = 1_000
"""Places that rows may have, by their ids."""
LEAST_RIGHT = 0.8
"""Least share of right rows on the planted votes: eight labelers that are right three times in four give 0.87 and more."""


def planted_votes(seed: int = 0, *, rows: int = 600, classes: int = 2, labelers: int = 8) -> tuple[Votes, IntVector]:
    """Return votes of independent labelers (right three times in four, speaking on three rows in five), and the truth; (n,).

    The last twelve rows get no vote.
    """
    rng = generator(seed, "votes", classes)
    truth = rng.integers(classes, size=rows)
    wrong = (truth[:, None] + rng.integers(1, classes, size=(rows, labelers))) % classes
    matrix = np.where(rng.random((rows, labelers)) < 0.75, truth[:, None], wrong)
    matrix[rng.random((rows, labelers)) > 0.6] = -1
    matrix[-12:] = -1
    return Votes.of_matrix(matrix, classes=tuple(f"class {c}" for c in range(classes))), truth


def taken(votes: Votes, rows: IntVector) -> Votes:
    """Return the votes of some rows, in their order; (r,)."""
    starts = np.searchsorted(votes.rows, np.arange(len(votes) + 1))
    lengths = starts[rows + 1] - starts[rows]
    places = np.repeat(starts[rows] - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
    return replace(
        votes,
        row_ids=votes.row_ids.take(pa.array(rows)),
        rows=np.repeat(np.arange(len(rows)), lengths),
        sources=votes.sources[places],
        said=votes.said[places],
    )


def gives_distributions(subject: Subject) -> None:
    """One row of probabilities per row of votes; prior, coverage, accuracy and interval have their shapes and ranges."""
    for name, votes in _worlds().items():
        labelling, answer = _answered(subject, votes)
        n, m, k = len(votes), len(votes.labelers), votes.n_classes
        if answer.shape != (n, k) or answer.dtype != np.float64:
            raise subject.breach(
                f"on {name}, it answers {answer.dtype} of shape {answer.shape}, not float64 ({n}, {k})"
            )
        if not (np.isfinite(answer).all() and (answer >= 0).all() and np.allclose(answer.sum(axis=1), 1.0, atol=1e-9)):
            raise subject.breach(f"on {name}, rows do not sum to 1", "normalise over classes")
        shapes = (labelling.prior.shape, labelling.coverage.shape, labelling.accuracy.shape, labelling.interval.shape)
        if shapes != ((k,), (m,), (m,), (m, 2)):
            raise subject.breach(f"on {name}, prior, coverage, accuracy and interval have the shapes {shapes}")
        low, high = labelling.interval[:, 0], labelling.interval[:, 1]
        if not ((low <= labelling.accuracy + 1e-9) & (labelling.accuracy <= high + 1e-9)).all():
            raise subject.breach(f"on {name}, an accuracy lies outside its interval")
        if labelling.model != subject.name:
            raise subject.breach(f"its labelling names the model {labelling.model!r}", f"name it {subject.name!r}")


def labels_better_than_chance(subject: Subject) -> None:
    """On planted votes of independent labelers, most rows get their true class."""
    for classes in (2, 3):
        votes, truth = planted_votes(classes=classes)
        _, answer = _answered(subject, votes)
        heard = votes.covered
        right = (answer.argmax(axis=1) == truth)[heard].mean()
        if right < LEAST_RIGHT:
            raise subject.breach(f"of the planted rows with {classes} classes it labels {right:.0%} rightly")


def silence_gives_the_prior(subject: Subject) -> None:
    """A row on which nobody votes gets the prior."""
    votes, _ = planted_votes()
    labelling, answer = _answered(subject, votes)
    if not np.allclose(answer[~votes.covered], labelling.prior, atol=1e-9):
        raise subject.breach("a row without a vote does not get the prior", "return the prior where nobody votes")


def trusted_rows_keep_their_truth(subject: Subject) -> None:
    """Trusted rows answer what people said of them, and a known prior is held."""
    votes, truth = planted_votes()
    known = Known(truth=np.eye(2)[1 - truth], trusted=np.arange(len(votes)) < 20, prior=np.array([0.7, 0.3]))
    labelling, answer = _answered(subject, votes, known)
    if not np.allclose(answer[:20], np.eye(2)[1 - truth[:20]]):
        raise subject.breach("a trusted row does not keep its truth", "return the truth of trusted rows")
    if not np.allclose(labelling.prior, [0.7, 0.3]):
        raise subject.breach("it gives up the prior that it was told", "hold known.prior")


def asks_nothing_of_order(subject: Subject) -> None:
    """Rows, labelers or class names in another order give the same answers."""
    votes, _ = planted_votes(classes=3)
    _, answer = _answered(subject, votes)
    rng = generator(7, "order")
    rows, labelers, classes = (rng.permutation(size) for size in (len(votes), len(votes.labelers), votes.n_classes))
    by_rows = answer[rows]
    by_classes = answer[:, classes]
    tries: Mapping[str, tuple[Votes, Matrix]] = {
        "rows": (taken(votes, rows), by_rows),
        "labelers": (_relabelled(votes, labelers), answer),
        "classes": (_renamed(votes, classes), by_classes),
    }
    for what, (other, wanted) in tries.items():
        _, got = _answered(subject, other)
        if (gap := float(np.abs(got - wanted).max())) > TOLERANCE:
            raise subject.breach(f"with the {what} in another order, a probability differs by {gap:.2g}")


def answers_row_by_row(subject: Subject) -> None:
    """Given what was learnt, a row's answer does not depend on the rows beside it."""
    votes, _ = planted_votes()
    model = subject.make()
    labelling, answer = _answered(subject, votes)
    rows = np.arange(5, len(votes), 7)
    few = taken(votes, rows)
    part = model.predict(few, labelling, _placed(few, Known()))
    if not np.allclose(part, answer[rows], atol=1e-12):
        raise subject.breach(
            "a row's answer depends on the other rows that it predicts", "learn in fit, map in predict"
        )


def repeats_and_leaves_alone(subject: Subject) -> None:
    """The same votes give the same answer to the last bit; inputs and the global generators are as they were."""
    votes, truth = planted_votes()
    known = Known(truth=np.eye(2)[truth], trusted=np.arange(len(votes)) < 20)
    for array in (votes.rows, votes.sources, votes.said, known.truth, known.trusted):
        assert array is not None
        array.flags.writeable = False
    before = global_state()
    (_, first), (_, again) = (_answered(subject, votes, known) for _ in range(2))
    if not np.array_equal(first, again):
        raise subject.breach("asked twice, it answers differently", "draw nothing, or from a fixed seed")
    if not same_state(before, global_state()):
        raise subject.breach("it drew from a global random generator")


def bears_odd_votes(subject: Subject) -> None:
    """No vote, one row, one labeler, one class only, no overlap, two answers of one labeler: an answer or a refusal."""
    for name, votes in _odd_votes().items():
        try:
            _, answer = _answered(subject, votes)
        except NotApplicable:
            continue
        if not (np.isfinite(answer).all() and np.allclose(answer.sum(axis=1), 1.0)):
            raise subject.breach(f"on votes with {name}, rows do not sum to 1", "raise NotApplicable")


def _placed(votes: Votes, known: Known) -> Known:
    """Return what is known with embeddings that tell nothing of the truth: for models that will not do without."""
    places = generator(3, "places").normal(size=(PLACES, 6)).astype(np.float32)
    rows = np.array([int(row) for row in votes.row_ids.to_pylist()], dtype=np.intp)
    return replace(known, embeddings=places[rows % PLACES])


def _answered(subject: Subject, votes: Votes, known: Known | None = None) -> tuple[Labelling, Matrix]:
    model: Any = subject.make()
    told = _placed(votes, known or Known())
    labelling: Labelling = model.fit(votes, told)
    return labelling, np.asarray(model.predict(votes, labelling, told))


@lru_cache(maxsize=1)
def _worlds() -> Mapping[str, Votes]:
    return {"two classes": planted_votes()[0], "three classes": planted_votes(classes=3)[0]}


@lru_cache(maxsize=1)
def _odd_votes() -> Mapping[str, Votes]:
    makers: Mapping[str, np.ndarray] = {
        "no vote": np.full((5, 3), -1),
        "one row": np.array([[0, 1, 1]]),
        "one row, one vote": np.array([[0, -1, -1]]),
        "one labeler": np.arange(8)[:, None] % 2,
        "one class only": np.where(np.arange(24).reshape(8, 3) % 4 == 0, -1, 0),
        "no overlap": np.where(np.arange(9)[:, None] % 3 == np.arange(3), np.arange(9)[:, None] % 2, -1),
        "a silent labeler": np.stack([np.arange(8) % 2, np.arange(8) % 2, np.full(8, -1)], axis=1),
    }
    odd = {name: Votes.of_matrix(matrix, classes=("a", "b")) for name, matrix in makers.items()}
    twice = odd["one row"]
    odd["two answers of one labeler"] = replace(twice, sources=np.array([0, 0, 1]))
    return odd


def _relabelled(votes: Votes, order: IntVector) -> Votes:
    """Return the votes with the labelers in another order, each row's votes in that of their labelers."""
    sources = np.argsort(order)[votes.sources]
    places = np.lexsort((sources, votes.rows))
    names = tuple(votes.labelers[i] for i in order)
    return replace(votes, labelers=names, sources=sources[places], said=votes.said[places])


def _renamed(votes: Votes, order: IntVector) -> Votes:
    return replace(votes, classes=tuple(votes.classes[c] for c in order), said=np.argsort(order)[votes.said])


LABELING: tuple[Check, ...] = (
    gives_distributions,
    labels_better_than_chance,
    silence_gives_the_prior,
    trusted_rows_keep_their_truth,
    asks_nothing_of_order,
    answers_row_by_row,
    repeats_and_leaves_alone,
    bears_odd_votes,
)
