"""Candidates: what the editors propose, screened inside train; the best go on to be tried on dev.

A forecast (loop/forecast) chooses who is tried, and is kept beside the measured gain, so that forecasts can be scored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tilth.core.apply import fit_to
from tilth.core.arrays import Mask
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.names import AUGMENT
from tilth.loop.bench import Bench
from tilth.loop.evidence import EvidenceBase
from tilth.loop.forecast import FITS_PER_FORECAST, screening_of
from tilth.loop.protection import refuse_forged, refuse_protected, spare_trusted, without_judges
from tilth.loop.quarantine import Quarantine
from tilth.operators.protocols import Editor
from tilth.operators.registry import make, names, spec_of
from tilth.operators.view import View

__all__ = ["Candidate", "finalists", "fits_of_forecasts", "proposals", "screen"]


CURES_OF_ONE, MOST_CURES = 2, 3
"""Finalists that may aim at one slice, and at slices at all."""
FIRST_FOLDS, MOST_RACING = 2, 16
"""Folds of five on which all candidates are forecast where there are many, and how many of them race on over the others."""


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
    aims: Sequence[str] = (),
    tell: Callable[[str, int, int], None] = lambda *_: None,
) -> list[Candidate]:
    """Return what the editors propose, each edit once; edits that are in the recipe or vetoed are left out.

    `asked` are edits that people were asked about: they are tried again as they were, so that the answers can decide them. `aims` are
    slices to mend: an editor that mends one proposes for each. `tell` hears of each editor before it proposes.
    An edit that touches what is not an operator's to touch is a failed step, and so is an editor that breaks down.
    """
    found: dict[str, Candidate] = {}
    editors = _editors(quarantine, aims)
    for done, editor in enumerate(editors):
        tell(spec_of(editor).name, done, len(editors))
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


def _editors(quarantine: Quarantine, aims: Sequence[str]) -> list[Editor]:
    """Return every editor in each of its strengths; one that cannot even be made is a failed step."""
    editors: list[Editor] = []
    for name in names("editing", "propose"):
        editors += quarantine.run(f"make {name}", partial(_strengths, name, aims)) or ()
    return editors


def _strengths(name: str, aims: Sequence[str]) -> Sequence[Editor]:
    """Return an editor's strengths; one that mends a slice has them for each slice."""
    editor: Any = make("editing", name)
    if not hasattr(editor, "slice"):
        return tuple(editor.strengths())
    if not aims:
        raise NotApplicable("no slice is worse than the rest beyond chance, with enough train and dev rows to mend it")
    mended = aims[:1] if getattr(editor, "mends_all", False) else aims
    return tuple(one for aim in mended for one in replace(editor, slice=aim).strengths())


def _proposal(editor: Editor, evidence: EvidenceBase) -> Candidate:
    view = evidence.view(editor)
    edit = without_judges(refuse_forged(editor.propose(view), editor), evidence.dataset)
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
    goals: Mapping[str, Mask] | None = None,
) -> list[Candidate]:
    """Return the candidates with forecasts, best forecast first; ties by edit id.

    `goals` are the rows (n,) of the slices that some aim at: their forecasts are those of the slice. Many candidates race for few
    places: who would be no finalist of several times as many by the first folds is left out (Jamieson, Talwalkar 2016, AISTATS).
    """
    if not candidates:
        return []
    screening = screening_of(bench)

    def forecast(runners: Sequence[Candidate], n_folds: int | None = None) -> list[Candidate]:
        found = []
        for done, candidate in enumerate(runners):
            tell(done, len(runners))
            rows = (goals or {}).get(candidate.edit.goal)
            asked = partial(screening.forecast, candidate.edit, candidate.editor, candidate.view, rows, n_folds)
            gain = quarantine.run(f"screen {candidate.edit.operator}", asked)
            if gain is not None:
                found.append(replace(candidate, forecast=gain))
        return sorted(found, key=lambda c: (-c.forecast, c.edit.edit_id))

    if len(candidates) <= MOST_RACING:
        return forecast(candidates)
    return forecast(finalists(forecast(candidates, FIRST_FOLDS), MOST_RACING))


def fits_of_forecasts(n_candidates: int) -> int:
    """Return how many fits the forecasts of so many candidates take, beside those that all share."""
    if n_candidates <= MOST_RACING:
        return FITS_PER_FORECAST * n_candidates
    return FIRST_FOLDS * n_candidates + (FITS_PER_FORECAST - FIRST_FOLDS) * MOST_RACING


def finalists(screened: Sequence[Candidate], most: int) -> list[Candidate]:
    """Return who is tried on dev: the best strength of each operator first, then the others by forecast.

    What acts on another kind of finding, or goes by another model, is no strength of the same: it has a place of its own. Of cures, two
    operators for one slice have a place, and three in all: the others are for the average. What is
    tried by one model is tried by its rival too, so that the two are seen side by side. Whatever their forecasts, one way to vary all rows
    has a place, for it pays late in a training, so that what is cheap to measure says little of it; and so has each operator that a person
    asked for.
    """
    varied = [c for c in screened if AUGMENT in c.edit.set and not c.edit.goal][:1]
    asked = {c.edit.operator.name: c for c in reversed(screened) if getattr(c.editor, "asked", False)}
    placed = [*varied, *(c for c in screened if asked.get(c.edit.operator.name) is c)]
    firsts, others = list(placed), list[Candidate]()
    seen: set[tuple[str, object, object, str]] = set()
    cures: Counter[str] = Counter()
    for candidate in (c for c in screened if not any(c is one for one in placed)):
        said, goal = candidate.edit.operator.parameters, candidate.edit.goal
        key = (candidate.edit.operator.name, said.get("kind"), said.get("by"), goal)
        full = goal and (cures[goal] >= CURES_OF_ONE or cures.total() >= MOST_CURES)
        if key in seen or full:
            others.append(candidate)
        else:
            firsts.append(candidate)
            cures.update([goal] if goal else [])
        seen.add(key)
    return _with_rivals(firsts + others, most)


def _with_rivals(ranked: Sequence[Candidate], most: int) -> list[Candidate]:
    """Return the first candidates; where one goes by a model, its rival takes the place of the last that has none."""
    chosen, rest = list(ranked[:most]), ranked[most:]
    pairs = {c.edit.operator.name for c in chosen if "by" in c.edit.operator.parameters}
    for rival in (c for c in rest if c.edit.operator.name in pairs):
        single = [place for place, c in enumerate(chosen) if c.edit.operator.name not in pairs]
        if single:
            del chosen[single[-1]]
            chosen.append(rival)
    return chosen
