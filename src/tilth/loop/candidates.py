"""Candidates: what the editors propose, screened inside train; the best go on to be tried on dev.

A forecast is the gain over three folds of train, measured on the given labels of the held-out fold; it chooses who is
tried and is kept beside the measured gain, so that forecasts can be scored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.apply import apply, fit_to
from tilth.core.arrays import IntVector
from tilth.core.edit import Edit
from tilth.core.ids import cell_digests
from tilth.core.names import ROW_ID
from tilth.core.rng import row_uniforms
from tilth.loop.bench import Bench, Judged, refuse_empty
from tilth.loop.evidence import EvidenceBase
from tilth.loop.protection import refuse_forged, refuse_protected, spare_trusted
from tilth.loop.quarantine import Quarantine
from tilth.operators.protocols import Editor
from tilth.operators.registry import make, names, spec_of
from tilth.operators.view import View

__all__ = ["SCREENING_FOLDS", "Candidate", "finalists", "proposals", "screen"]

SCREENING_FOLDS = 3
SCREENING_ROWS = 6_000
"""Labelled train rows on which candidates are screened at most, chosen by the digest of their ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A proposal with the operator that made it and its forecast gain."""

    edit: Edit
    editor: Editor
    view: View
    forecast: float = 0.0


def proposals(
    evidence: EvidenceBase,
    quarantine: Quarantine,
    *,
    verbs: frozenset[str] | None,
    known: frozenset[str],
    asked: Sequence[Edit] = (),
) -> list[Candidate]:
    """Return what the editors propose, each edit once; edits that are in the recipe or vetoed are left out.

    `asked` are edits that people were asked about: they are tried again as they were, so that the answers can decide them.
    An edit that touches what is not an operator's to touch is a failed step, and so is an editor that breaks down.
    """
    found: dict[str, Candidate] = {}
    for editor in _editors(quarantine):
        step = f"propose {spec_of(editor)}"
        failed = len(quarantine.failures)
        candidate = quarantine.run(step, partial(_proposal, editor, evidence))
        if candidate is None or not candidate.edit.n_rows:
            if len(quarantine.failures) == failed:
                quarantine.refusals.setdefault(step, "it would change no row")
        elif candidate.edit.edit_id not in known and (verbs is None or str(candidate.edit.verb) in verbs):
            found.setdefault(_content_key(candidate.edit), candidate)
    for edit in asked:
        step = f"propose {edit.operator} again"
        again = None if edit.edit_id in known else quarantine.run(step, partial(_again, edit, evidence))
        if again is not None and again.edit.n_rows and (verbs is None or str(again.edit.verb) in verbs):
            found.setdefault(_content_key(again.edit), again)
    return list(found.values())


def _editors(quarantine: Quarantine) -> list[Editor]:
    """Return every editor in each of its strengths; one that cannot even be made is a failed step."""
    editors: list[Editor] = []
    for name in names("editing"):
        editors += quarantine.run(f"make {name}", partial(_strengths, name)) or ()
    return editors


def _strengths(name: str) -> Sequence[Editor]:
    editor: Editor = make("editing", name)
    return editor.strengths()


def _proposal(editor: Editor, evidence: EvidenceBase) -> Candidate:
    view = evidence.view(editor)
    edit = refuse_forged(editor.propose(view), editor)
    refuse_protected(edit, evidence.dataset)
    assert edit.edit_id  # computed here, where an edit that cannot be hashed is a failed step
    return Candidate(edit=edit, editor=editor, view=view)


def _again(edit: Edit, evidence: EvidenceBase) -> Candidate:
    """Return an earlier proposal as a candidate on this version, without the rows that no longer fit."""
    spec = edit.operator
    parameters = {name: tuple(v) if isinstance(v, list) else v for name, v in spec.parameters.items()}
    editor: Editor = make(spec.room, spec.name, **parameters)
    fitted = refuse_forged(spare_trusted(fit_to(evidence.dataset.read(), edit)[0], evidence.dataset), editor)
    refuse_protected(fitted, evidence.dataset)
    return Candidate(edit=fitted, editor=editor, view=evidence.view(editor))


def _content_key(edit: Edit) -> str:
    """Two operators that propose the very same change are one candidate."""
    if len(edit.drop) and not edit.set and edit.add is None:
        return "drop:" + "|".join(sorted(edit.drop.to_pylist()))
    return edit.edit_id


def screen(
    bench: Bench,
    candidates: Sequence[Candidate],
    quarantine: Quarantine,
    tell: Callable[[int, int], None],
) -> list[Candidate]:
    """Return the candidates with forecasts, best forecast first; ties by edit id."""
    if not candidates:
        return []
    folds = _folds(bench)
    baseline = [_fold_scores(bench, fold, ()) for fold in folds]
    forecast = []
    for done, candidate in enumerate(candidates):
        tell(done, len(candidates))
        step = f"screen {candidate.edit.operator}"
        gain = quarantine.run(step, partial(_forecast, bench, folds, baseline, candidate.edit))
        if gain is not None:
            forecast.append(replace(candidate, forecast=gain))
    return sorted(forecast, key=lambda c: (-c.forecast, c.edit.edit_id))


def finalists(screened: Sequence[Candidate], most: int) -> list[Candidate]:
    """Return who is tried on dev: the best strength of each operator first, then the others by forecast."""
    firsts: list[Candidate] = []
    others: list[Candidate] = []
    seen: set[tuple[str, object]] = set()
    for candidate in screened:
        key = (candidate.edit.operator.name, candidate.edit.operator.parameters.get("kind"))
        (others if key in seen else firsts).append(candidate)
        seen.add(key)
    return (firsts + others)[:most]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fold:
    """One fold: the train table without it, and its rows as judging rows."""

    inside: pa.Table
    held_out: Judged


def _folds(bench: Bench) -> list[_Fold]:
    labels, labelled = bench.labels(bench.train)
    digests = cell_digests(bench.train.column(ROW_ID))
    order = row_uniforms(digests, bench.seed, "screening")
    rows = np.flatnonzero(labelled)
    rows = np.sort(rows[np.argsort(order[rows], kind="stable")][:SCREENING_ROWS])
    fold_of = (row_uniforms(digests[rows], bench.seed, "screening folds") * SCREENING_FOLDS).astype(np.intp)
    at = np.asarray(pc.index_in(bench.train.column(ROW_ID), value_set=bench.table.column(ROW_ID).combine_chunks()))
    return [_fold(bench, rows[fold_of != f], rows[fold_of == f], labels, at) for f in range(SCREENING_FOLDS)]


def _fold(bench: Bench, inside: IntVector, outside: IntVector, labels: np.ndarray, at: IntVector) -> _Fold:
    held_out = Judged(
        positions=at[outside].astype(np.intp),
        labels=labels[outside],
        trusted=np.zeros(len(outside), dtype=bool),
        groups=None,
    )
    return _Fold(inside=bench.train.take(pa.array(inside)), held_out=held_out)


def _fold_scores(bench: Bench, fold: _Fold, edits: tuple[Edit, ...]) -> np.ndarray:
    train = fold.inside
    for edit in edits:
        train = apply(train, fit_to(train, edit)[0])
    refuse_empty(bench, train)
    features = bench.features_of(train, edits)
    model = bench.fit(train, features, start=bench.baseline)
    return bench.scores(bench.predict(model, fold.held_out.positions), fold.held_out)


def _forecast(bench: Bench, folds: Sequence[_Fold], baseline: Sequence[np.ndarray], edit: Edit) -> float:
    gains = [_fold_scores(bench, fold, (edit,)) - before for fold, before in zip(folds, baseline, strict=True)]
    if not bench.metric.stratified:
        return float(np.concatenate(gains).mean())
    labels = np.concatenate([fold.held_out.labels for fold in folds])
    together = np.concatenate(gains)
    return float(np.mean([together[labels == c].mean() for c in np.unique(labels)]))
