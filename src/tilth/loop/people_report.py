"""The report card of people: how good each annotator is, where they err, who agrees with whom, who answers like a coin.

Nobody is held against a consensus in which his own answer has a part, but for the commonest errors, which need a label per row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tilth.core.arrays import IntVector, Mask, Matrix, Vector
from tilth.core.errors import InputError
from tilth.core.estimate import Estimate
from tilth.core.labelling import Known, Labelling
from tilth.core.people_report import Confusion, PairLine, PeopleReport, PersonLine
from tilth.core.votes import Votes
from tilth.loop.label_votes import AUTO, BASELINE, best_class, fitted_model
from tilth.numerics.agreement import cohen_kappa, fleiss_kappa, krippendorff_alpha
from tilth.numerics.annotators import pair_kappas, shares_of_others
from tilth.numerics.intervals import wilson
from tilth.numerics.vote_analysis import alike_pairs, polarity, tallies
from tilth.operators.registry import make

__all__ = ["LEAST_SHARED", "people_report"]

LEAST_SHARED = 20
"""Rows that two annotators must share, and that one must share with others, before it is said how they agree."""
COIN = 0.4
"""Upper end of the interval of kappa below which answers that may be a coin's are called so."""
ONE_CLASS = 0.9
"""Who says one class only is right to do so where others say it on this share of the rows."""
MOST_ERRORS = 3


def people_report(
    votes: Votes,
    *,
    source: str,
    truth: IntVector,
    known: Mask,
    taught: Known,
    sure: float,
    tells_labels: bool = True,
    warnings: Sequence[str] = (),
    **more: Any,
) -> PeopleReport:
    """Return the report card of the annotators who cast votes.

    Parameters
    ----------
    votes : one labeler per annotator
    source : what they were read from
    truth, known : (n,) class numbers, and the rows whose truth is known: they measure
    taught : what the label model may learn from
    sure : the least probability of a label that is not disputed
    tells_labels : whether classes may be named person by person
    warnings : what is to be said besides
    """
    votes = _once(votes)
    choice = fitted_model(AUTO, votes, taught)
    probs = choice.model.predict(votes, choice.labelling, taught)
    labels = np.where(known, truth, best_class(probs, choice.labelling.prior))
    counts = tallies(votes.rows, votes.said, len(votes), votes.n_classes)
    shape = {"n_rows": len(votes), "n_annotators": len(votes.labelers), "n_classes": votes.n_classes}
    pairs = pair_kappas(votes.rows, votes.sources, votes.said, **shape, least=LEAST_SHARED)
    is_torn = (counts.max(axis=1) < counts.sum(axis=1)) & (probs.max(axis=1) < sure) & ~known
    name = votes.labelers
    return PeopleReport(
        source=source,
        rows=int(votes.covered.sum()),
        answers=len(votes.rows),
        paired=int((counts.sum(axis=1) > 1).sum()),
        classes=votes.classes,
        model=choice.labelling.model,
        why=choice.labelling.why,
        truths=int((known & votes.covered).sum()),
        alpha=_agreed(krippendorff_alpha, counts),
        fleiss=_agreed(fleiss_kappa, counts),
        people=_lines(votes, choice.labelling, labels, known, tells_labels=tells_labels),
        pairs=tuple(
            PairLine(first=name[pair.first], second=name[pair.second], shared=pair.shared, kappa=pair.kappa)
            for pair in pairs
        ),
        least_shared=LEAST_SHARED,
        disputed=int(is_torn.sum()),
        warnings=tuple(dict.fromkeys((*warnings, *choice.labelling.warnings))),
        **more,
    )


def _once(votes: Votes) -> Votes:
    """Return the votes with one answer of each annotator to a row, the first: a long table may hold more."""
    pair = votes.rows * max(len(votes.labelers), 1) + votes.sources
    first = np.sort(np.unique(pair, return_index=True)[1])
    if len(first) == len(pair):
        return votes
    return Votes(
        row_ids=votes.row_ids,
        labelers=votes.labelers,
        classes=votes.classes,
        rows=votes.rows[first],
        sources=votes.sources[first],
        said=votes.said[first],
    )


def _agreed(measure: Any, counts: Matrix) -> Estimate | None:
    try:
        found: Estimate = measure(counts)
    except InputError:
        return None
    return found


def _lines(
    votes: Votes, labelling: Labelling, labels: IntVector, known: Mask, *, tells_labels: bool
) -> tuple[PersonLine, ...]:
    m, k = len(votes.labelers), votes.n_classes
    others = shares_of_others(votes.rows, votes.said, len(votes), k)
    says = polarity(votes.sources, votes.said, m, k)
    alike = _alike(votes)
    lines = []
    for j in np.argsort(-says.sum(axis=1), kind="stable"):
        mine = np.flatnonzero(votes.sources == j)
        if not len(mine):
            continue
        rows, said, rival = votes.rows[mine], votes.said[mine], others[mine]
        met = rival.sum(axis=1) > 0
        agreed = float(rival[met, said[met]].sum())
        kappa = _kappa(rival, said, k)
        checked = known[rows]
        right = int((labels[rows[checked]] == said[checked]).sum())
        judged = met | checked
        remarks = [*_odd(says[j], rival[met], kappa, votes.classes if tells_labels else ()), *alike.get(int(j), ())]
        lines.append(
            PersonLine(
                name=votes.labelers[j],
                answers=len(mine),
                share=len(mine) / max(int(votes.covered.sum()), 1),
                says=_by_class(says[j], votes.classes) if tells_labels else {},
                estimated=_estimate(labelling, int(j)),
                measured=wilson(right, int(checked.sum())) if checked.any() else None,
                measured_on=int(checked.sum()),
                agreement=wilson(agreed, int(met.sum())) if met.any() else None,
                agreed_on=int(met.sum()),
                kappa=kappa,
                confusions=_errors(labels[rows[judged]], said[judged], votes.classes) if tells_labels else (),
                remarks=tuple(remarks),
            )
        )
    return tuple(lines)


def _estimate(labelling: Labelling, j: int) -> Estimate | None:
    value = float(labelling.accuracy[j])
    if not np.isfinite(value):
        return None
    low, high = min(float(labelling.interval[j, 0]), value), max(float(labelling.interval[j, 1]), value)
    return Estimate(value=value, low=low, high=high, standard_error=(high - low) / 3.92)


def _by_class(counts: IntVector, classes: Sequence[str]) -> dict[str, int]:
    order = np.argsort(-counts, kind="stable")
    return {classes[c]: int(counts[c]) for c in order if counts[c]}


def _kappa(rival: Matrix, said: IntVector, k: int) -> Estimate | None:
    """Cohen's kappa with what most others say, on rows where that is one class; None on too few, or for one class only."""
    clear = rival.max(axis=1, initial=0.0) == 1.0
    if clear.sum() < LEAST_SHARED:
        return None
    try:
        return cohen_kappa(said[clear], rival[clear].argmax(axis=1), k)
    except InputError:
        return None


def _errors(truth: IntVector, said: IntVector, classes: Sequence[str]) -> tuple[Confusion, ...]:
    k = len(classes)
    counts = np.bincount(truth * k + said, minlength=k * k).reshape(k, k)
    wrong = counts * ~np.eye(k, dtype=bool)
    order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_ERRORS]
    pairs = [(int(at // k), int(at % k)) for at in order if wrong.flat[at]]
    return tuple(
        Confusion(said=classes[c], truth=classes[t], count=int(counts[t, c]), of=int(counts[t].sum())) for t, c in pairs
    )


def _odd(says: IntVector, rival: Matrix, kappa: Estimate | None, classes: Sequence[str]) -> list[str]:
    """Return what is odd of one annotator."""
    if (says > 0).sum() == 1:
        only = int(says.argmax())
        if says.sum() >= LEAST_SHARED and len(rival) and rival[:, only].mean() < ONE_CLASS:
            return [f"says {classes[only]} only" if classes else "says one class only"]
        return []
    if kappa is None:
        return []
    if kappa.high < 0:
        return ["says the contrary of the others more than by chance"]
    return ["answers like a coin"] if kappa.low <= 0 and kappa.high < COIN else []


def _alike(votes: Votes) -> dict[int, list[str]]:
    """Return who says the same as whom more than independent errors would explain, by annotator."""
    rival = make("labeling", BASELINE)
    learnt = rival.fit(votes)
    prior: Vector = learnt.prior
    plain = best_class(rival.predict(votes, learnt), prior)
    shape = {"n_labelers": len(votes.labelers), "n_classes": votes.n_classes}
    found: dict[int, list[str]] = {}
    for pair in alike_pairs(votes.rows, votes.sources, votes.said, plain, **shape):
        for one, other in ((pair.first, pair.second), (pair.second, pair.first)):
            found.setdefault(one, []).append(
                f"as {votes.labelers[other]} on {pair.agreement:.0%} of {pair.shared:,} rows"
                f" ({pair.expected:.0%} expected), perhaps copied"
            )
    return found
