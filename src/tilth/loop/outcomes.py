"""Outcomes: the models before and after an edit and after its placebos, fitted and scored on dev."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.apply import fit_to
from tilth.core.arrays import IntVector, Mask
from tilth.core.edit import Edit
from tilth.core.names import ROW_ID
from tilth.core.recipe import Recipe
from tilth.core.rng import generator
from tilth.loop.arena import FEWEST_PLACEBOS, Arena
from tilth.loop.candidates import Candidate
from tilth.loop.frames import train_rows, trusted_of, weights_of
from tilth.loop.judge import Outcome
from tilth.loop.placebo import placebo, strata_of

__all__ = ["outcome_of", "with_more_placebos"]


def outcome_of(arena: Arena, candidate: Candidate, base: tuple[Edit, ...]) -> Outcome:
    """Return scores and decisions on dev before, after, and after each placebo draw, on top of the base edits."""
    bench = arena.bench
    below = Recipe(base).replay(bench.open_to(*base, candidate.edit))
    train, base = below.table, below.edits
    models = [bench.fit_edited(*base) if base else bench.baseline]
    edit = fit_to(train, candidate.edit)[0]
    draws = range(max(FEWEST_PLACEBOS, arena.settings.placebo_draws))
    placebos = _placebos(arena, replace(candidate, edit=edit), train, candidate.edit.edit_id, draws)
    first = next(placebos)  # what has no placebo says so before anything is fitted
    models += [bench.fit_edited(*base, fit_to(train, one)[0]) for one in chain([edit, first], placebos)]
    predicted = [bench.predict(model, arena.judged.positions) for model in models]
    before, after, *drawn = [bench.scores(one, arena.judged) for one in predicted]
    return Outcome(
        before=before,
        after=after,
        placebos=np.stack(drawn),
        decided_before=bench.decisions(predicted[0]),
        decided_after=bench.decisions(predicted[1]),
    )


def with_more_placebos(
    arena: Arena, candidate: Candidate, base: tuple[Edit, ...], outcome: Outcome, n_draws: int
) -> Outcome:
    """Return the outcome with so many placebo draws in all; the first ones are those that are there."""
    bench = arena.bench
    below = Recipe(base).replay(bench.open_to(*base, candidate.edit))
    train, base = below.table, below.edits
    one = replace(candidate, edit=fit_to(train, candidate.edit)[0])
    edits = _placebos(arena, one, train, candidate.edit.edit_id, range(len(outcome.placebos), n_draws))
    models = [bench.fit_edited(*base, fit_to(train, edit)[0]) for edit in edits]
    drawn = [bench.scores(bench.predict(model, arena.judged.positions), arena.judged) for model in models]
    return replace(outcome, placebos=np.vstack([outcome.placebos, *drawn]))


def _placebos(arena: Arena, candidate: Candidate, train: pa.Table, name: str, draws: range) -> Iterator[Edit]:
    """Yield the placebo draws of a candidate on train rows as they stand before it, made one by one: all would take much room."""
    rows, strata, drawable = _drawable(arena, candidate, train)
    weights = np.ones(len(rows))
    weights[rows >= 0] = weights_of(train)[rows[rows >= 0]]
    for draw in draws:
        yield placebo(
            candidate.edit,
            candidate.editor,
            candidate.view,
            strata,
            generator(arena.settings.seed, "placebo", name, draw),
            drawable=drawable,
            weights=weights,
            train=train,
        )


def _drawable(arena: Arena, candidate: Candidate, train: pa.Table) -> tuple[IntVector, IntVector, Mask]:
    """Return for each row of a candidate's view its place in train (−1: none), its stratum, and if it may be drawn.

    Strata come from the labels themselves, whatever the operator declared to read. Only labelled train rows are drawn;
    those that a person confirmed only if the edit touches such rows too. Where rows come in from the pool, pool rows are drawn.
    """
    bench, ids = arena.bench, candidate.view.ids
    rows = np.asarray(
        pc.fill_null(pc.index_in(ids, value_set=train.column(ROW_ID).combine_chunks()), -1), dtype=np.intp
    )
    if candidate.edit.brings_rows:
        waiting = ~train_rows(train)
        return rows, np.zeros(len(rows), dtype=np.intp), (rows >= 0) & waiting[rows]
    labels, labelled = bench.labels(train)
    drawable = (rows >= 0) & labelled[rows] & train_rows(train)[rows]
    touched = np.asarray(pc.is_in(ids, value_set=candidate.edit.touched)) & drawable
    trusted = trusted_of(train)[rows]
    if not (touched & trusted).any():
        drawable &= ~trusted
    strata = np.zeros(len(rows), dtype=np.intp)
    usable = (rows >= 0) & labelled[rows]
    strata[usable] = strata_of(labels[rows[usable]], bench.schema.task.is_regression)
    return rows, strata, drawable
