"""Slopes: how steep the learning curve is on dev rows, without the rows that an edit makes and with them.

    slope = score(all train rows) - score(half of them)

Half of the rows come with what was made of that half alone. A steep curve that made rows flatten is a want of rows that they met; a slope
that stays says that real rows would still bring as much. It decides nothing.

Source: Cortes, Jackel, Solla, Vapnik, Denker (1993), Learning Curves: Asymptotic Values and Rate of Convergence, NeurIPS.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tilth.core.apply import apply, fit_to
from tilth.core.arrays import Arrays, Mask, Vector
from tilth.core.edit import Edit
from tilth.core.estimate import Estimate
from tilth.core.names import PARENTS, ROW_ID
from tilth.core.trial import Slopes
from tilth.loop.arena import Arena
from tilth.loop.bench import refuse_empty
from tilth.loop.folds import together_of
from tilth.loop.frames import target_of
from tilth.loop.halves import half_of, made_of
from tilth.numerics.intervals import weighted_mean_interval

__all__ = ["half_scores", "makes_rows", "slopes_of"]


def makes_rows(edit: Edit) -> bool:
    """Whether an edit adds rows that were made of others."""
    return edit.add is not None and edit.add.num_rows > 0 and edit.add.column(PARENTS).null_count == 0


def half_scores(arena: Arena, *edits: Edit) -> Arrays:
    """Return the `scores` (n,) of the judging rows by the model of half of the train rows, after edits that make rows of these.

    Raises
    ------
    NotApplicable
        Half of the train rows leave nothing to learn from.
    """
    bench = arena.bench
    together = together_of(bench, np.arange(bench.train.num_rows))
    half = half_of(bench.train, target_of(bench.train, bench.schema), groups=together, seed=bench.seed)
    chosen = bench.train.column(ROW_ID).combine_chunks().filter(pa.array(half))
    train = bench.train
    for edit in edits:
        train = apply(train, fit_to(train, edit)[0])
    train = train.filter(pa.array(made_of(train, chosen)))
    refuse_empty(bench, train)
    model = bench.fit_train(train, edits, start=bench.baseline)
    return {"scores": bench.scores(bench.predict(model, arena.judged.positions), arena.judged)}


def slopes_of(arena: Arena, edit: Edit, whole: tuple[Vector, Vector], half: tuple[Vector, Vector]) -> Slopes:
    """Return the slopes without an edit and with it, on the rows that judge; on its goal's alone where it has one.

    `whole` and `half` are the scores (n,) of the judging rows before and after, by models of all train rows and of half of them.
    """
    rows = arena.goals[edit.goal] if edit.goal in arena.goals else np.ones(len(arena.judged), dtype=bool)
    before, after = (
        _mean(arena, all_of - half_of_them, rows) for all_of, half_of_them in zip(whole, half, strict=True)
    )
    return Slopes(before=before, after=after)


def _mean(arena: Arena, differences: Vector, rows: Mask) -> Estimate:
    bench, judged = arena.bench, arena.judged.only(rows)
    strata = bench.strata(judged)
    codes = np.zeros(len(judged), dtype=np.intp) if strata is None else strata
    return weighted_mean_interval(differences[rows], codes, groups=judged.groups)
