"""Votes to labels where a row may have several classes: one question of yes and no per class, each with its own label model.

Classes are learnt one by one: what one says of another (rows of "joy" are seldom "grief") is not used. The price is a joint
distribution that may name pairs which never go together; the gain is that no class needs more than its own votes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tilth.core.arrays import IntVector, Mask, Matrix, Vector
from tilth.core.estimate import Estimate
from tilth.core.label_summary import Explanation, LabelMetrics
from tilth.core.multi_summary import ClassLabels, MultiLabeler, MultiLabelSummary, MultiMetrics
from tilth.core.multi_votes import MultiVotes
from tilth.core.progress import Progress, silent
from tilth.core.votes import Votes
from tilth.labeling._spoken import spoken_of
from tilth.loop._multi_warnings import multi_warnings
from tilth.loop.label_votes import AUTO, BASELINE, Labelled, label_read
from tilth.numerics.intervals import wilson
from tilth.numerics.label_scores import label_scores
from tilth.numerics.multi_scores import multi_scores
from tilth.operators.registry import make
from tilth.sources._class_sets import ClassSets
from tilth.sources._multi_votes import ReadMultiVotes, read_multi_votes
from tilth.sources._row_classes import RowClasses
from tilth.sources._votes import ReadVotes, VoteReading

__all__ = ["MultiLabelled", "label_multi_read", "label_multi_votes"]

NAMED = 0.5
"""Probability from which on a row is labelled with a class."""


class MultiLabelled:
    """Votes on several classes that were labelled: the summary, and what it takes to explain a row.

    Parameters
    ----------
    summary : what is shown
    by_class : one per class, None where nobody ever names it
    """

    __slots__ = ("by_class", "summary")

    def __init__(self, summary: MultiLabelSummary, by_class: Sequence[Labelled | None]) -> None:
        self.summary, self.by_class = summary, tuple(by_class)

    def explain(self, row: str) -> tuple[Explanation, ...]:
        """Return what each vote on a row did for each class that somebody says yes or no of there, or that the row got.

        Raises UnknownRowError where there is no such row.
        """
        found = [one.explain(row) for one in self.by_class if one is not None]
        return tuple(one for one in found if one.votes or one.label in self.summary.classes)


def label_multi_votes(
    source: Any,
    *,
    truth: Any = None,
    trusted: Any = None,
    model: str = AUTO,
    reading: VoteReading,
    progress: Progress = silent,
) -> MultiLabelled:
    """Return the classes that votes come to; parameters and errors as `read_multi_votes` and `label_votes` have them."""
    progress("reading votes")
    return label_multi_read(
        read_multi_votes(source, truth=truth, trusted=trusted, reading=reading), model, progress, reading.separator
    )


def label_multi_read(
    read: ReadMultiVotes, model: str = AUTO, progress: Progress = silent, separator: str = "|"
) -> MultiLabelled:
    """Return the classes that votes come to which were read already."""
    votes = read.votes if read.says_no else _with_what_is_denied(read.votes)
    found: list[Labelled | None] = []
    for number, name in enumerate(votes.classes):
        progress("fitting", f"class {number + 1} of {len(votes.classes)}: {name}")
        found.append(_labelled(votes, number, read, model) if votes.yes[:, number].any() else None)
    return MultiLabelled(_summary(read, votes, found, separator), found)


def _with_what_is_denied(votes: MultiVotes) -> MultiVotes:
    spoken = spoken_of(votes.rows, votes.sources, votes.yes, len(votes), len(votes.labelers))
    return replace(votes, spoken=spoken)


def _labelled(votes: MultiVotes, number: int, read: ReadMultiVotes, model: str) -> Labelled:
    one = ReadVotes(
        votes=votes.of_class(number),
        name=f"{read.name}, {votes.classes[number]!r}",
        truth=_of_class(read.truth, number),
        trusted=_of_class(read.trusted, number),
    )
    return label_read(one, model)


def _of_class(sets: ClassSets | None, number: int) -> RowClasses | None:
    return None if sets is None else RowClasses(classes=sets.named[:, number].astype(np.intp), known=sets.known)


# -- probabilities -----------------------------------------------------------------------------------------------------


def _chances(votes: MultiVotes, number: int, labelled: Labelled | None) -> Vector:
    """p(class) of all rows; (n,).

    Where nobody ever says no to a class, rows on which nobody names it are taken for rows without it, as far as the model
    does not count silence itself: else the share among named rows, which is high, would be given to all others.
    """
    if labelled is None:
        return np.full(len(votes), 1.0 / (votes.covered.sum() + 2.0))
    summary = labelled.summary
    silence = bool(labelled.choice.labelling.parameters.get("silence", np.zeros(1))[0])
    says_no = bool((votes.spoken[:, number] & ~votes.yes[:, number]).any())
    return _spread(summary.pred_probs[:, 1], summary.labelled, is_one_sided=not says_no and not silence)


def _spread(chances: Vector, heard: Mask, *, is_one_sided: bool) -> Vector:
    if not is_one_sided:
        return chances
    return np.where(heard, chances, chances[heard].sum() / len(chances))


def _majority(votes: Votes, trusted: Mask) -> Vector:
    """p(class) by the majority, with the same rule for rows on which nobody speaks; (n,)."""
    rival = make("labeling", BASELINE)
    chances = rival.predict(votes, rival.fit(votes))[:, 1]
    return _spread(chances, votes.covered | trusted, is_one_sided=bool((votes.said == 1).all()))


# -- the summary -------------------------------------------------------------------------------------------------------


def _summary(
    read: ReadMultiVotes, votes: MultiVotes, found: Sequence[Labelled | None], separator: str
) -> MultiLabelSummary:
    trusted = np.zeros(len(votes), dtype=bool) if read.trusted is None else read.trusted.known
    probs = np.stack([_chances(votes, c, one) for c, one in enumerate(found)], axis=1)
    if read.trusted is not None:
        probs[trusted] = read.trusted.named[trusted]
    named = probs >= NAMED
    judged = votes.covered & ~trusted & (np.zeros(len(votes), bool) if read.truth is None else read.truth.known)
    by_class = tuple(_class_labels(votes, c, one, probs, judged, read.truth) for c, one in enumerate(found))
    return MultiLabelSummary(
        source=read.name,
        notes=read.notes,
        separator=separator,
        classes=votes.classes,
        row_ids=votes.row_ids,
        named=named,
        probs=probs,
        covered=votes.covered,
        labelled=votes.covered | trusted,
        by_class=by_class,
        labelers=_labelers(votes, found, read.truth, judged),
        metrics=_metrics("label model", probs, judged, read.truth),
        majority=_rival_metrics(votes, found, trusted, judged, read.truth),
        warnings=multi_warnings(votes, by_class, read, bool(judged.any())),
    )


def _class_labels(
    votes: MultiVotes,
    number: int,
    labelled: Labelled | None,
    probs: Matrix,
    judged: Mask,
    truth: ClassSets | None,
) -> ClassLabels:
    metrics = None
    if truth is not None and judged.any():
        p, is_true = probs[judged, number], truth.named[judged, number].astype(np.intp)
        scores = label_scores((p >= NAMED).astype(np.intp), np.stack([1.0 - p, p], axis=1), is_true)
        name = "none" if labelled is None else labelled.summary.model
        metrics = LabelMetrics(
            model=name, rows=int(judged.sum()), accuracy=scores.accuracy, f1=scores.f1, nll=scores.nll
        )
    return ClassLabels(
        name=votes.classes[number],
        summary=None if labelled is None else labelled.summary,
        share=float(probs[:, number].mean()) if len(probs) else 0.0,
        metrics=metrics,
        says_no=bool((votes.spoken[:, number] & ~votes.yes[:, number]).any()),
    )


def _metrics(model: str, probs: Matrix, judged: Mask, truth: ClassSets | None) -> MultiMetrics | None:
    if truth is None or not judged.any():
        return None
    scores = multi_scores(probs[judged] >= NAMED, probs[judged], truth.named[judged])
    return MultiMetrics(model=model, rows=int(judged.sum()), **scores._asdict())


def _rival_metrics(
    votes: MultiVotes, found: Sequence[Labelled | None], trusted: Mask, judged: Mask, truth: ClassSets | None
) -> MultiMetrics | None:
    if truth is None or not judged.any():
        return None
    chances = [
        _chances(votes, c, None) if one is None else _majority(one.votes, trusted) for c, one in enumerate(found)
    ]
    return _metrics(BASELINE, np.stack(chances, axis=1), judged, truth)


# -- labelers ----------------------------------------------------------------------------------------------------------


def _labelers(
    votes: MultiVotes, found: Sequence[Labelled | None], truth: ClassSets | None, judged: Mask
) -> tuple[MultiLabeler, ...]:
    m = len(votes.labelers)
    answers = np.bincount(votes.sources, minlength=m)
    yes, no = (_by_labeler(votes, which) for which in (votes.yes, votes.spoken & ~votes.yes))
    lines = [{line.name: line for line in one.summary.labelers} for one in found if one is not None]
    right, tried = _measured(votes, truth, judged)
    return tuple(
        MultiLabeler(
            name=name,
            answers=int(answers[j]),
            coverage=float(answers[j] / max(len(votes), 1)),
            names=tuple(votes.classes[c] for c in np.argsort(-yes[j], kind="stable") if yes[j, c]),
            denies=tuple(votes.classes[c] for c in range(len(votes.classes)) if no[j, c]),
            accuracy=_mean([(line[name].votes, line[name].accuracy) for line in lines if name in line]),
            measured=wilson(float(right[j]), float(tried[j])) if tried[j] else None,
        )
        for j, name in enumerate(votes.labelers)
    )


def _by_labeler(votes: MultiVotes, which: Mask) -> np.ndarray:
    m = len(votes.labelers)
    return np.stack([np.bincount(votes.sources[column], minlength=m) for column in which.T], axis=1)


def _measured(votes: MultiVotes, truth: ClassSets | None, judged: Mask) -> tuple[IntVector, IntVector]:
    """Return how many yes and no of each labeler are right, and how many could be checked; (m,), (m,)."""
    found = np.zeros((2, len(votes.labelers)), dtype=np.intp)
    if truth is not None:
        checked = votes.spoken & judged[votes.rows][:, None]
        right = checked & (votes.yes == truth.named[votes.rows])
        np.add.at(found[0], votes.sources, right.sum(axis=1))
        np.add.at(found[1], votes.sources, checked.sum(axis=1))
    return found[0], found[1]


def _mean(parts: Sequence[tuple[int, Estimate | None]]) -> Estimate | None:
    """Return the mean of estimates by the number of their votes; ends are meant too, as if all erred together."""
    known = [(votes, one) for votes, one in parts if one is not None and votes]
    total = sum(votes for votes, _ in known)
    if not total:
        return None
    value, low, high, error = (
        sum(votes * getattr(one, part) for votes, one in known) / total
        for part in ("value", "low", "high", "standard_error")
    )
    return Estimate(value=value, low=min(low, value), high=max(high, value), standard_error=error)
