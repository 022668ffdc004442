"""Votes to labels, one-off: read votes, fit a label model, say what is known of the labelers and how good the labels are.

The truth, where it is given, is read for metrics only: neither the label model nor the choice of one sees it. Trusted labels are
another thing: the model learns from them, and rows that have one are not scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.arrays import FloatMatrix32, IntVector, Mask, Matrix, Vector
from tilth.core.errors import InputError, UnknownOperatorError, UnknownRowError, did_you_mean
from tilth.core.estimate import Estimate
from tilth.core.label_summary import Explanation, LabelerLine, LabelMetrics, LabelSummary, VoteEffect
from tilth.core.labelling import Known, Labelling
from tilth.core.progress import Progress, silent
from tilth.core.votes import Votes
from tilth.labeling._choose import Choice, choose_label_model
from tilth.loop._vote_warnings import vote_warnings
from tilth.numerics.agreement import krippendorff_alpha
from tilth.numerics.intervals import wilson
from tilth.numerics.label_scores import label_scores
from tilth.numerics.vote_analysis import polarity, tallies, vote_shares
from tilth.operators.protocols import LabelModel
from tilth.operators.registry import make, names
from tilth.sources._row_classes import RowClasses
from tilth.sources._votes import ReadVotes, VoteReading, read_votes

__all__ = [
    "AUTO",
    "BASELINE",
    "Labelled",
    "by_rows_nearby",
    "fitted_model",
    "known_of_rows",
    "label_read",
    "label_votes",
    "labelled_by",
    "refuse_unknown_model",
]

AUTO = "auto"
"""The model's name where the votes choose it."""
BASELINE = "majority"
SIMPLEST_FIRST = (BASELINE, "weighted_majority", "triplets", "one_coin", "dawid_skene", "near_votes")
"""Label models by the number of figures that they learn per labeler."""
_TIE = 1e-9


class Labelled:
    """Votes that were labelled: the summary, and what it takes to explain a row.

    Parameters
    ----------
    summary : what is shown
    votes : the votes
    choice : the label model and what it learnt
    embeddings : (n, d) where the rows lie, where that is known
    """

    __slots__ = ("choice", "embeddings", "summary", "votes")

    def __init__(
        self, summary: LabelSummary, votes: Votes, choice: Choice, embeddings: FloatMatrix32 | None = None
    ) -> None:
        self.summary, self.votes, self.choice, self.embeddings = summary, votes, choice, embeddings

    def explain(self, row: str) -> Explanation:
        """Return what each vote on a row did for its label; raises UnknownRowError where there is no such row.

        The row is labelled again without each of its votes, as if that labeler had abstained: no model is approximated.
        """
        place = self._place(row)
        inside = np.flatnonzero(self.votes.rows == place)
        kept = [inside, *(np.delete(inside, one) for one in range(len(inside)))]
        where = None if self.embeddings is None else np.repeat(self.embeddings[place, None], len(kept), axis=0)
        variants = _variants(self.votes, place, kept)
        probs = self.choice.model.predict(variants, self.choice.labelling, Known(embeddings=where))
        label = int(best_class(probs[:1], self.choice.labelling.prior)[0])
        effects = [
            VoteEffect(labeler=self.votes.labelers[source], said=self.votes.classes[said], without=float(without))
            for source, said, without in zip(
                self.votes.sources[inside], self.votes.said[inside], probs[1:, label], strict=True
            )
        ]
        return Explanation(
            row=row,
            label=self.votes.classes[label],
            probability=float(probs[0, label]),
            before=float(self.choice.labelling.prior[label]),
            votes=tuple(sorted(effects, key=lambda one: (one.without, one.labeler))),
        )

    def _place(self, row: str) -> int:
        place = self.votes.row_ids.index(pa.scalar(row, self.votes.row_ids.type)).as_py()
        if place < 0:
            close = did_you_mean(row, self.votes.row_ids[:10_000].to_pylist())
            raise UnknownRowError(
                f"no row {row!r} among the votes.{close}", next_step="name a row as the votes name it"
            )
        return int(place)


def label_votes(
    source: Any,
    *,
    truth: Any = None,
    trusted: Any = None,
    model: str = AUTO,
    reading: VoteReading | None = None,
    progress: Progress = silent,
) -> Labelled:
    """Return the labels that votes come to.

    Parameters
    ----------
    source, truth, trusted, reading : as `read_votes` takes them
    model : "auto", or the name of a label model
    progress : told what is being done

    Raises
    ------
    SourceError, UnknownColumnError, DuplicateIdError, LabelError
        What cannot be read as votes or as truth.
    UnknownOperatorError
        No label model of that name.
    NotApplicable
        The label model that was named is not for these votes.
    """
    refuse_unknown_model(model)
    progress("reading votes")
    return label_read(read_votes(source, truth=truth, trusted=trusted, reading=reading), model, progress)


def label_read(
    read: ReadVotes, model: str = AUTO, progress: Progress = silent, embeddings: FloatMatrix32 | None = None
) -> Labelled:
    """Return the labels that votes come to which were read already, or cast by the labelers of a project.

    `embeddings`, (n, d), say where the rows lie, for the label models that heed rows nearby.
    """
    refuse_unknown_model(model)
    known = replace(known_of_rows(read), embeddings=embeddings)
    progress("fitting", f"{model}: {len(read.votes.rows):,} votes of {len(read.votes.labelers):,} labelers")
    choice = fitted_model(model, read.votes, known)
    progress("analysing")
    return labelled_by(choice, read, known)


def labelled_by(choice: Choice, read: ReadVotes, known: Known) -> Labelled:
    """Return the labels of rows by a model that is fitted; the votes' labelers are those of the fit, in its order."""
    pred_probs = choice.model.predict(read.votes, choice.labelling, known)
    return Labelled(_summary(read, choice, pred_probs, known), read.votes, choice, known.embeddings)


def by_rows_nearby(votes: Votes, pred_probs: Matrix, prior: Vector) -> Mask:
    """Return the rows without a vote that got more than the prior: votes on rows nearby label them; (n, k), (k,) -> (n,)."""
    return np.asarray(~votes.covered & (np.abs(pred_probs - prior).max(axis=1) > _TIE))


def best_class(pred_probs: Matrix, prior: Vector) -> IntVector:
    """Return the most probable class of each row; a tie goes to the class that is commoner overall; (n, k), (k,) -> (n,)."""
    tied = pred_probs >= pred_probs.max(axis=1, keepdims=True) - _TIE
    return np.asarray(np.where(tied, prior, -1.0).argmax(axis=1), dtype=np.intp)


def refuse_unknown_model(model: str) -> None:
    """Raise UnknownOperatorError for a name that no label model has."""
    known = (AUTO, *names("labeling", "predict"))
    if model not in known:
        raise UnknownOperatorError(
            f"no label model is called {model!r}.{did_you_mean(model, known)}",
            next_step=f"--model takes one of {', '.join(known)}",
        )


def known_of_rows(read: ReadVotes) -> Known:
    """Return the trusted classes that came with votes, as label models take them."""
    if read.trusted is None:
        return Known()
    truth = np.zeros((len(read.votes), read.votes.n_classes))
    rows = np.flatnonzero(read.trusted.known)
    truth[rows, read.trusted.classes[rows]] = 1.0
    return Known(truth=truth, trusted=read.trusted.known)


def fitted_model(model: str, votes: Votes, known: Known) -> Choice:
    """Return the model that is named, or that the votes choose, fitted, with its warnings."""
    wanted = sorted(names("labeling", "predict"), key=_simplicity) if model == AUTO else [model]
    return choose_label_model([make("labeling", name) for name in wanted], votes, known)


def _simplicity(name: str) -> tuple[int, str]:
    """Simplest first: a tie between models goes to the simpler; models that are not known here come last."""
    return (SIMPLEST_FIRST.index(name) if name in SIMPLEST_FIRST else len(SIMPLEST_FIRST), name)


def _summary(read: ReadVotes, choice: Choice, pred_probs: Matrix, known: Known) -> LabelSummary:
    votes, labelling = read.votes, choice.labelling
    counts = tallies(votes.rows, votes.said, len(votes), votes.n_classes)
    labels = best_class(pred_probs, labelling.prior)
    rival: LabelModel = make("labeling", BASELINE)
    plain_learnt = rival.fit(votes)
    shares = rival.predict(votes, plain_learnt)
    plain = best_class(shares, plain_learnt.prior)
    trusted = np.zeros(len(votes), dtype=bool) if known.trusted is None else known.trusted
    covered = votes.covered
    judged = covered & ~trusted
    torn = judged & ((counts >= counts.max(axis=1, keepdims=True)).sum(axis=1) > 1)
    reached = by_rows_nearby(votes, pred_probs, labelling.prior) & ~trusted
    lines = _lines(votes, labelling, read.truth, trusted)
    warnings = vote_warnings(votes, labelling, lines, plain)
    if read.truth is not None and not (read.truth.known & judged).any():
        warnings = ("nothing is measured: no row has a vote, a known truth and no trusted label", *warnings)
    return LabelSummary(
        source=read.name,
        notes=(*read.notes, *_of_reached(int(reached.sum()))),
        model=labelling.model,
        why=labelling.why,
        classes=votes.classes,
        prior=tuple(float(share) for share in labelling.prior),
        row_ids=votes.row_ids,
        labels=labels,
        pred_probs=pred_probs,
        covered=covered,
        labelled=covered | trusted | reached,
        labelers=lines,
        metrics=_metrics(labelling.model, labels, pred_probs, read.truth, judged),
        majority=None if labelling.model == BASELINE else _metrics(BASELINE, plain, shares, read.truth, judged),
        agreement=_alpha(counts),
        paired=int((counts.sum(axis=1) > 1).sum()),
        differing=int((judged & ~torn & (plain != labels)).sum()),
        tied=int(torn.sum()),
        warnings=tuple(dict.fromkeys((*read.warnings, *labelling.warnings, *warnings))),
    )


def _of_reached(rows: int) -> tuple[str, ...]:
    return (f"{rows:,} rows without a vote are labelled by those nearby",) if rows else ()


def _lines(votes: Votes, labelling: Labelling, truth: RowClasses | None, trusted: Mask) -> tuple[LabelerLine, ...]:
    n, m, k = len(votes), len(votes.labelers), votes.n_classes
    shares = vote_shares(votes.rows, votes.sources, votes.said, n_rows=n, n_labelers=m, n_classes=k)
    said = polarity(votes.sources, votes.said, m, k)
    right, tried = _measured(votes, truth, trusted)
    return tuple(
        LabelerLine(
            name=name,
            votes=int(said[j].sum()),
            says=_says(said[j], votes.classes),
            coverage=float(shares.coverage[j]),
            overlap=float(shares.overlap[j]),
            conflict=float(shares.conflict[j]),
            accuracy=_estimate(float(labelling.accuracy[j]), labelling.interval[j]),
            measured=wilson(float(right[j]), float(tried[j])) if tried[j] else None,
        )
        for j, name in enumerate(votes.labelers)
    )


def _says(counts: IntVector, classes: Sequence[str]) -> tuple[str, ...]:
    order = np.argsort(-counts, kind="stable")
    return tuple(classes[c] for c in order if counts[c])


def _estimate(value: float, interval: Vector) -> Estimate | None:
    if not np.isfinite(value):
        return None
    low, high = min(float(interval[0]), value), max(float(interval[1]), value)
    return Estimate(value=value, low=low, high=high, standard_error=(high - low) / 3.92)


def _measured(votes: Votes, truth: RowClasses | None, trusted: Mask) -> tuple[IntVector, IntVector]:
    """Return how many votes of each labeler are right, and how many could be checked; on rows that are not trusted."""
    m = len(votes.labelers)
    if truth is None:
        return np.zeros(m, dtype=np.intp), np.zeros(m, dtype=np.intp)
    checked = (truth.known & ~trusted)[votes.rows]
    right = checked & (truth.classes[votes.rows] == votes.said)
    return np.bincount(votes.sources[right], minlength=m), np.bincount(votes.sources[checked], minlength=m)


def _metrics(
    model: str, labels: IntVector, pred_probs: Matrix, truth: RowClasses | None, judged: Mask
) -> LabelMetrics | None:
    if truth is None or not (truth.known & judged).any():
        return None
    rows = np.flatnonzero(truth.known & judged)
    scores = label_scores(labels[rows], pred_probs[rows], truth.classes[rows])
    return LabelMetrics(model=model, rows=len(rows), accuracy=scores.accuracy, f1=scores.f1, nll=scores.nll)


def _alpha(counts: Matrix) -> Estimate | None:
    try:
        return krippendorff_alpha(counts)
    except InputError:
        return None


def _variants(votes: Votes, place: int, kept: Sequence[IntVector]) -> Votes:
    """Return one row per choice of votes, each under the id of the row at a place: it is not near itself."""
    chosen = np.concatenate(list(kept))
    return Votes(
        row_ids=votes.row_ids.take(pa.array([place] * len(kept))),
        labelers=votes.labelers,
        classes=votes.classes,
        rows=np.repeat(np.arange(len(kept)), [len(one) for one in kept]),
        sources=votes.sources[chosen],
        said=votes.said[chosen],
    )
