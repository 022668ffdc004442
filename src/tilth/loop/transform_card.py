"""The report card of a transform: how often it applies, whether its rows pass for real ones, keep their label, and what it costs.

Everything is measured on train rows: labels by models that did not see the row, realism against other real rows. One transform that
breaks loses its own card only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.arrays import FloatMatrix32, IntVector, Matrix
from tilth.core.errors import MachineError, NotApplicable, TilthError
from tilth.core.estimate import Estimate
from tilth.core.names import ROW_ID
from tilth.core.progress import Progress, silent
from tilth.core.said import Failure
from tilth.core.schema import Role
from tilth.core.transform_card import DoubtfulRow, TransformCard, TransformReport
from tilth.core.transformed import LabelEffect
from tilth.loop._expectations import USUAL_MOVE, flipped, movement
from tilth.loop.quarantine import Quarantine
from tilth.loop.transform_apart import refits
from tilth.loop.transform_choices import ChosenTransform, chosen_transforms
from tilth.loop.transform_realism import discriminator_of, realism_of
from tilth.loop.transform_stand import TransformStand, stand_on
from tilth.loop.varying import LOOKED_AT, Varied, changed_columns, learnt, vary
from tilth.loop.workshop import Workshop
from tilth.numerics.intervals import mean_interval, wilson
from tilth.numerics.transform_measures import confident_flips, draw_distances, label_drift, number_drift
from tilth.operators.transforming import draw_of
from tilth.store.version import Version

__all__ = ["MOST_DOUBTFUL", "card_of", "cards_of_project", "report_of"]

MOST_DOUBTFUL = 10
MOST_ERRORS = 3
_MILLISECONDS = 1_000.0


@dataclass(frozen=True, kw_only=True, eq=False)
class _Changed:
    """The rows that a transform changed: their places among those tried, and their features after it."""

    stand: TransformStand
    rows: IntVector
    table: pa.Table
    features: FloatMatrix32

    @property
    def groups(self) -> IntVector | None:
        """Codes of rows that belong together."""
        groups = self.stand.groups
        return None if groups is None else np.unique(groups[self.rows], return_inverse=True)[1]


def cards_of_project(
    workshop: Workshop,
    version: Version,
    *,
    transforms: Sequence[Any] = (),
    severity: int | None = None,
    columns: Sequence[str] = (),
    rows: int | None = None,
    progress: Progress = silent,
    folder: Path,
) -> TransformReport:
    """Return the report cards of a project's transforms; see `Project.transforms`."""
    schema, bench = version.schema, workshop.bench(version)
    chosen = chosen_transforms(transforms, workshop.file, folder, schema, severity=severity, columns=columns)
    id_column = schema.first(Role.ID)
    stand = stand_on(
        bench,
        workshop.plain_encoder(version),
        refit=refits(workshop.columns(version), schema),
        rows=rows,
        tells_ids=id_column is None or schema.may_show(id_column),
        tells_labels=schema.may_show(schema.task.label),
    )
    return report_of(stand, version.version, chosen, progress)


def report_of(
    stand: TransformStand, version: str, chosen: Sequence[ChosenTransform], progress: Progress = silent
) -> TransformReport:
    """Return the cards of some transforms; one that fails says so on its own card."""
    cards = []
    for place, one in enumerate(chosen):
        progress("transforms", f"{one.name} {one.severity or ''}".strip(), place, len(chosen))
        cards.append(card_of(stand, one))
    return TransformReport(
        version=version,
        seed=stand.seed,
        rows=len(stand),
        of_rows=stand.of_rows,
        told_by=discriminator_of(stand.bench.schema),
        is_regression=stand.bench.schema.task.is_regression,
        cards=tuple(cards),
    )


def card_of(stand: TransformStand, chosen: ChosenTransform) -> TransformCard:
    """Return the card of one transform; what it breaks, or refuses, is told on the card."""
    quarantine, name = Quarantine(), chosen.name
    label: LabelEffect = getattr(chosen.transform, "label", "keep")
    card = TransformCard(name=name, severity=chosen.severity, label=label, tried=len(stand))
    found = quarantine.run(f"card of {name}", lambda: _measured_or_told(stand, chosen, card))
    return found or replace(card, note=quarantine.failures[0].error, is_broken=True)


def _measured_or_told(stand: TransformStand, chosen: ChosenTransform, card: TransformCard) -> TransformCard:
    """Return the card, which says what was refused: a refusal needs no traceback."""
    try:
        return _measured(stand, chosen, card)
    except MachineError:
        raise
    except NotApplicable as refusal:
        return replace(card, note=refusal.what)
    except TilthError as refusal:
        return replace(card, note=refusal.message, is_broken=True)


def _measured(stand: TransformStand, chosen: ChosenTransform, card: TransformCard) -> TransformCard:
    columns = changed_columns(chosen.transform, stand.bench.schema)
    transform = learnt(chosen.transform, stand.learnt_from, columns, stand.learnt_labels)
    draw = draw_of(transform, stand.seed)
    first, cost = _timed(lambda: vary(transform, stand.table, columns, draw), len(stand))
    second, again = _timed(lambda: vary(transform, stand.table, columns, draw.child("again")), len(stand))
    card = replace(
        card,
        columns=columns,
        rows=int(first.applied.sum()),
        failures=len(first.failures),
        errors=_first_errors(first.failures),
        cost_ms=min(cost, again),
        training_ms=stand.training_ms,
    )
    if not card.rows:
        return replace(card, note="it changes none of the rows")
    card = replace(card, applies=_share(first.applied, stand.groups))
    return _with_figures(stand, card, first, second)


def _with_figures(stand: TransformStand, card: TransformCard, first: Varied, second: Varied) -> TransformCard:
    """Return the card with all that is measured on changed rows; a figure that cannot be had is a note."""
    rows = np.flatnonzero(first.applied)
    table = first.table.take(pa.array(rows))
    changed = _Changed(stand=stand, rows=rows, table=table, features=stand.encode(table))
    after = stand.predict_unseen(table, changed.features, rows)
    figures: dict[str, Callable[[], Any]] = {
        "realism": partial(_realism, changed),
        "drift": partial(_drift, changed, after),
        "diversity": partial(_diversity, changed, second),
    }
    made, notes = dict[str, Any](), list[str]()
    for name, measure in figures.items():
        try:
            made[name] = measure()
        except NotApplicable as refusal:
            notes.append(f"{name}: {refusal.what}")
    unchanged, moved = _invariance(changed)
    doubtful = _doubtful(changed, after)
    return replace(card, unchanged=unchanged, movement=moved, doubtful=doubtful, notes=tuple(notes), **made)


# -- figures -----------------------------------------------------------------------------------------------------------


def _realism(changed: _Changed) -> Estimate:
    stand, rows = changed.stand, changed.rows
    mine = stand.judged[rows]
    places = rows[mine]
    if stand.apart is stand.encode:
        real, made = stand.features[places], changed.features[mine]
    else:
        real, made = stand.features_apart[places], stand.apart(changed.table.filter(pa.array(mine)))
    return realism_of(
        real,
        made,
        stand.compared[places],
        stand.folds[places],
        told_by=discriminator_of(stand.bench.schema),
        groups=None if stand.groups is None else stand.groups[places],
        seed=stand.seed,
    )


def _drift(changed: _Changed, after: Matrix) -> Estimate:
    stand, rows = changed.stand, changed.rows
    before, labels = stand.unseen[rows], stand.labels[rows]
    if stand.bench.schema.task.is_regression:
        falls = number_drift(labels, before[:, 0], after[:, 0], stand.spread)
        return mean_interval(falls, groups=changed.groups)
    return mean_interval(label_drift(labels, before, after), groups=changed.groups, bounds=(-1.0, 1.0))


def _diversity(changed: _Changed, second: Varied) -> Estimate:
    other = changed.stand.encode(second.table.take(pa.array(changed.rows)))
    gaps = draw_distances(changed.features, other, changed.stand.unit)
    found = mean_interval(gaps, groups=changed.groups)
    return replace(found, low=max(found.low, 0.0))


def _invariance(changed: _Changed) -> tuple[Estimate, Estimate]:
    """Return the share of rows that the current model predicts alike, and how far its predictions move."""
    stand, rows = changed.stand, changed.rows
    before, after = stand.current[rows], stand.predict(changed.table, changed.features)
    is_number = before.shape[1] == 1
    tolerance = USUAL_MOVE * float(stand.current[:, 0].std()) if is_number else 0.0
    moves = movement(before, after) * (2.0 if is_number else 1.0)
    moved = mean_interval(moves, groups=changed.groups, bounds=None if is_number else (0.0, 1.0))
    return _share(~flipped(before, after, tolerance), changed.groups), moved


def _doubtful(changed: _Changed, after: Matrix) -> tuple[DoubtfulRow, ...]:
    """Return rows that a person should look at, the surest flips first."""
    stand, rows = changed.stand, changed.rows
    classes = stand.bench.schema.task.classes
    if not stand.tells_ids or not classes:
        return ()
    before, labels = stand.unseen[rows], stand.labels[rows].astype(np.intp)
    ids = changed.table.column(ROW_ID)
    found = []
    for row in confident_flips(labels, before, after, MOST_DOUBTFUL):
        sure = min(float(before[row, labels[row]]), float(after[row].max()))
        words = (classes[labels[row]], classes[int(after[row].argmax())]) if stand.tells_labels else ("", "")
        found.append(
            DoubtfulRow(row_id=str(ids[int(row)].as_py()), label=words[0], after=words[1], confidence=round(sure, 4))
        )
    return tuple(found)


def _share(hits: np.ndarray, groups: IntVector | None) -> Estimate:
    """Return a share of rows with an interval that respects groups."""
    values = hits.astype(np.float64)
    if groups is None or values.min() == values.max():
        units = len(values) if groups is None else len(np.unique(groups))
        return wilson(float(values.mean()) * units, units)
    return mean_interval(values, groups=groups, bounds=(0.0, 1.0))


def _first_errors(failures: Sequence[Failure]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.error for one in failures))[:MOST_ERRORS]


def _timed(function: Callable[[], Varied], n_rows: int) -> tuple[Varied, float]:
    """Return varied rows and the CPU milliseconds that each cost, those asked twice to look for dice included."""
    start = time.process_time()
    found = function()
    return found, _MILLISECONDS * (time.process_time() - start) / (n_rows + 2 * min(n_rows, LOOKED_AT))
