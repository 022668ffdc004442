"""Slices, one-off: read a table of labels and predictions, and say on which of its rows the predictions are worse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.errors import ConfigError, InputError, SourceError, UnknownColumnError, UsageError
from tilth.core.estimate import Estimate
from tilth.core.found_slice import FoundSlice
from tilth.core.names import SYSTEM_COLUMNS
from tilth.core.progress import Progress, silent
from tilth.core.schema import Column, Role, Schema
from tilth.core.slice_summary import SliceLine, SliceSummary
from tilth.loop._row_scores import RowScores, given_scores, scores_of
from tilth.loop._telling_columns import why_telling
from tilth.numerics.intervals import mean_interval, wilson
from tilth.operators.registry import make, spec_of
from tilth.operators.view import View
from tilth.sources import normalise, open_source
from tilth.sources._evidence import guess

__all__ = ["slices_once"]

_ENOUGH = 60
"""Rows below which no slice of 30 has a rest of as many."""


def slices_once(
    source: Any,
    *,
    label: str,
    prediction: str | Sequence[str] = (),
    score: str | None = None,
    progress: Progress = silent,
) -> SliceSummary:
    """Return the slices of a table on which predictions are worse than elsewhere.

    Parameters
    ----------
    source : what `open_source` reads
    label : the column of true classes, or numbers
    prediction : a column of classes, numbers or probabilities of the second class; or one column of probabilities per class
    score : a column of one score per row, higher is better, in place of right or wrong
    progress : told what is being done

    Raises
    ------
    UnknownColumnError, SourceError, LabelError, InputError, ConfigError
        What cannot be read or scored.
    """
    predictions = _names(prediction)
    if not predictions and score is None:
        raise UsageError(
            "slices need predictions, or a score per row", next_step="--prediction COLUMN, or --score COLUMN"
        )
    progress("reading")
    raw = open_source(source)
    table = raw.table
    _check(table, label, predictions, score)
    scored = scores_of(table, label, predictions) if score is None else given_scores(table, score, label)
    known = np.isfinite(scored.scores)
    _refuse_few(int(known.sum()), len(known))
    used = {label, *predictions, *([] if score is None else [score])}
    schema, left_out = _schema(table, used, scored)
    typed, warnings = normalise(table.select([column.name for column in schema.columns]), schema, serving=True)
    slicer, groups = make("slicing", "lattice"), _groups(typed, schema)
    progress("searching", f"{len(schema.features)} columns, {len(known):,} rows")
    view = View(
        ids=pa.array([str(row) for row in range(len(known))]),
        schema=schema,
        evidence={"scores": scored.scores, "table": typed} | ({} if groups is None else {"groups": groups}),
        needs=slicer.needs,
        spec=spec_of(slicer),
    )
    found = slicer.discover(view)
    return SliceSummary(
        source=_source_name(raw.facts),
        metric=scored.task.metric,
        label=scored.label,
        prediction=scored.prediction,
        rows=len(known),
        scored=int(known.sum()),
        overall=_overall(scored.scores[known], None if groups is None else groups[known]),
        slices=tuple(_line(one, scored.scores, known) for one in found),
        columns=tuple(column.name for column in schema.columns if column.role in (Role.FEATURE, Role.TIME, Role.GROUP)),
        left_out=left_out,
        warnings=(*_scored_words(scored, known), *raw.facts["warnings"], *warnings),
    )


def _names(prediction: str | Sequence[str]) -> tuple[str, ...]:
    """Return column names; one text may name several, with commas between."""
    if isinstance(prediction, str):
        return tuple(name.strip() for name in prediction.split(",") if name.strip())
    return tuple(prediction)


def _check(table: pa.Table, label: str, predictions: Sequence[str], score: str | None) -> None:
    """Refuse a table without rows, columns that are not there, and one column for two things."""
    named = [label, *predictions, *([] if score is None else [score])]
    names = [name for name in table.column_names if name not in SYSTEM_COLUMNS]
    for name in named:
        if name not in names:
            raise UnknownColumnError.among(name, names)
    twice = [name for name in named if named.count(name) > 1]
    if twice:
        raise ConfigError(f"column {twice[0]!r} is named for two things", next_step="name label and prediction apart")
    if not table.num_rows:
        raise SourceError("the table has no rows", next_step="check how it was written")


def _refuse_few(scored: int, rows: int) -> None:
    if scored < 2:
        what = "the table has one row" if rows == 1 else f"{scored:,} of {rows:,} rows have a label and a prediction"
        raise InputError(f"{what}: there is no rest to compare a slice with", next_step="give more rows")


def _schema(table: pa.Table, used: set[str], scored: RowScores) -> tuple[Schema, dict[str, str]]:
    """Return the columns that slices may be made of, and why others are left out."""
    columns: list[Column] = []
    left_out: dict[str, str] = {}
    for name in table.column_names:
        if name in used or name in SYSTEM_COLUMNS:
            continue
        seen = guess(name, table.column(name))
        role = Role.FEATURE if seen.role is Role.SPLIT else seen.role
        telling = why_telling(table.column(name), scores=scored.scores, known=scored.classes)
        if telling:
            left_out[name] = telling
        elif role in (Role.FEATURE, Role.TIME, Role.GROUP):
            columns.append(Column(name=name, type=seen.type, role=role))
        else:
            left_out[name] = seen.note.removeprefix("ignored: ")
    if not columns:
        said = "; ".join(f"{name}: {why}" for name, why in list(left_out.items())[:5])
        raise InputError(
            "no column is left to make slices of", where=said, next_step="add columns that describe the rows"
        )
    return Schema(columns=tuple(columns), tasks=(scored.task,)), left_out


def _line(found: FoundSlice, scores: np.ndarray, known: np.ndarray) -> SliceLine:
    members = found.membership > 0.5
    losses = np.where(known, scores[known].max() - np.where(known, scores, 0.0), 0.0)
    facts = found.slice.facts
    return SliceLine(
        name=found.slice.name,
        rule=found.slice.where,
        rows=int((members & known).sum()),
        value=found.score,
        elsewhere=float(facts["elsewhere"]),
        loss_share=float(losses[members].sum() / losses.sum()),
        q_value=found.q_value,
        alike=tuple(facts["nearly_the_same"]),
        members=members,
    )


def _groups(table: pa.Table, schema: Schema) -> np.ndarray | None:
    """Return the group code of each row, or None without a group column; a row without a group stands alone."""
    name = schema.first(Role.GROUP)
    if name is None:
        return None
    codes = table.column(name).combine_chunks().cast(pa.string()).dictionary_encode().indices
    found = np.asarray(codes.fill_null(-1)).astype(np.intp)
    return np.where(found < 0, len(found) + np.arange(len(found)), found)


def _overall(scores: np.ndarray, groups: np.ndarray | None) -> Estimate:
    if groups is not None:
        is_share = bool(((scores >= 0) & (scores <= 1)).all())
        codes = np.unique(groups, return_inverse=True)[1]
        return mean_interval(scores, groups=codes, bounds=(0.0, 1.0) if is_share else None)
    if ((scores == 0) | (scores == 1)).all():
        return wilson(float(scores.sum()), len(scores))
    return mean_interval(scores)


def _scored_words(scored: RowScores, known: np.ndarray) -> list[str]:
    """Return what a reader must know of the scores."""
    said = []
    if not known.all():
        said.append(f"{int((~known).sum()):,} of {len(known):,} rows lack a label, a prediction or a score: left out")
    values = scored.scores[known]
    if values.min() == values.max():
        if scored.task.metric != "accuracy":
            said.append("all rows have one score: no slice is worse than another")
        elif values[0] == 1:
            said.append("every prediction is right: no slice is worse than another")
        else:
            said.append(
                "every prediction is wrong: no slice is worse than another; check that both columns mean the same classes"
            )
    elif len(values) < _ENOUGH:
        said.append(f"{len(values):,} rows are too few for a slice of 30 and a rest to compare it with")
    return said


def _source_name(facts: dict[str, Any]) -> str:
    names = [str(file["path"]) for file in facts["files"] if file.get("rows")]
    return ", ".join(names[:3]) or "a table"
