"""What more labelled rows are likely to bring to a project: its learning curve, forecast and bounded, kept as evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tilth.core.dataset import Dataset
from tilth.core.errors import LabelError, NotApplicable
from tilth.core.estimate import Estimate
from tilth.core.ids import digest_of
from tilth.core.learning_curve import CurveForecast, CurvePoint, LearningCurve, NeighbourBound
from tilth.core.names import ROW_ID, SPLIT, TARGET, WEIGHT, Split
from tilth.core.progress import Progress
from tilth.core.schema import ColumnType, Role
from tilth.loop.bench import Bench
from tilth.loop.curve import Bound, Measured, bound_of, learning_curve_of
from tilth.loop.frames import class_codes, numeric_labels
from tilth.loop.held import reading_workshop
from tilth.loop.workshop import Workshop
from tilth.numerics.learning_curve import FittedCurve
from tilth.operators.batch import Batch, batches
from tilth.reporting.curve import curve_sentences, pool_sentence
from tilth.store.version import Version

if TYPE_CHECKING:
    from tilth.loop.project import Project

__all__ = ["FACTORS", "curve_of", "fitted_curve_of", "worth_of_pool"]

FACTORS = (1.25, 2.0, 4.0)
"""How many times the labelled rows a forecast is made for."""
REVISION = 1
"""Raised when the figures change that are kept."""
_WIDE = frozenset({ColumnType.TEXT, ColumnType.IMAGE, ColumnType.EMBEDDING})
"""Columns whose features alone may tell classes apart."""


def curve_of(workshop: Workshop, version: Version) -> LearningCurve:
    """Return the learning curve of a version; what was measured of this content before is not measured again."""
    kept = workshop.remember_arrays(_key(workshop, version), lambda: _measured(workshop, version))
    return _told(workshop, version, kept)


def worth_of_pool(project: Project) -> str | None:
    """Return what labels of the pool may be worth in one sentence, where the curve of the current version is kept."""
    repository = project.repository()
    version = repository.latest
    if version is None or not repository.dataset(version).mask(Split.POOL).any() or not repository.records("held"):
        return None
    with reading_workshop(project.file, repository, version) as workshop:
        kept = repository.evidence.get_arrays(_key(workshop, version))
        return None if kept is None else pool_sentence(_told(workshop, version, kept))


def fitted_curve_of(workshop: Workshop, version: Version, *, most: int) -> tuple[FittedCurve, int]:
    """Return the curve of a version's labels, and how many there are; NotApplicable where there are more than `most`."""
    labelled = _labelled(workshop.dataset(version))
    if labelled > most:
        raise NotApplicable(f"{labelled:,} labelled rows are too many to measure a learning curve within a run")
    kept = workshop.remember_arrays(_key(workshop, version), lambda: _measured(workshop, version))
    curve = _of_kept(kept, version).curve
    return curve, max(labelled, int(curve.largest))


def _key(workshop: Workshop, version: Version) -> str:
    """Return the digest of all that was measured from."""
    schema = version.schema
    groups = [column.name for column in schema.with_role(Role.GROUP)]
    columns = (ROW_ID, SPLIT, TARGET, WEIGHT, schema.task.label, *groups, *(c.name for c in schema.features))
    content = workshop.dataset(version).content_of(columns)
    metric = schema.task.metric
    return digest_of(["learning curve", REVISION, content, metric, workshop.model_key(version), workshop.seed])


def _measured(workshop: Workshop, version: Version) -> dict[str, np.ndarray]:
    bench = workshop.bench(version)
    found = learning_curve_of(bench, workshop.progress)
    kept = {
        "sizes": found.sizes,
        "scores": found.scores,
        "covariance": found.covariance,
        "drawn": np.array(found.drawn),
    }
    for bound in _bounds_where_they_can_be(bench, _encodings(workshop, version), workshop.progress):
        kept[f"bound {bound.encoding}"] = np.array(
            [[s.value, s.low, s.high, s.standard_error] for s in bound.scores], dtype=np.float64
        )
    return {name: np.asarray(array) for name, array in kept.items()}


def _bounds_where_they_can_be(bench: Bench, encodings: dict[str, slice], progress: Progress) -> tuple[Bound, ...]:
    try:
        return bound_of(bench, encodings, progress)
    except LabelError:  # classes count alike, and one has a few rows only
        return ()


def _encodings(workshop: Workshop, version: Version) -> dict[str, slice]:
    """Return the columns of all features, and of each text, image or embedding among several columns."""
    fitted = workshop.columns(version)
    names = [column.name for column in fitted]
    one = next(batches(workshop.dataset(version).read(ROW_ID, *names), names, 1))
    found, start = {"all features": slice(None)}, 0
    for column in fitted:
        cells = {column.name: one.column(column.name)}
        width = column.encode(Batch(ids=one.ids, columns=cells)).shape[1]
        if len(fitted) > 1 and version.schema.column(column.name).type in _WIDE:
            found[f"column {column.name!r}"] = slice(start, start + width)
        start += width
    return found


def _told(workshop: Workshop, version: Version, kept: dict[str, np.ndarray]) -> LearningCurve:
    """Return the noun: points, forecasts, bounds and words."""
    task, dataset = version.schema.task, workshop.dataset(version)
    measured = _of_kept(kept, version)
    labelled = _labelled(dataset)
    pool = int(dataset.mask(Split.POOL).sum())
    fitted = measured.curve
    now = fitted.forecast(max(labelled, fitted.largest))
    sizes = [int(size) for size in measured.sizes]
    curve = LearningCurve(
        version=version.version,
        metric=task.metric,
        seed=workshop.seed,
        labelled=labelled,
        pool=pool,
        points=tuple(CurvePoint(rows=n, score=s) for n, s in zip(sizes, measured.estimates(), strict=True)),
        now=now,
        forecasts=_forecasts(fitted, labelled, pool),
        reachable=fitted.reachable(),
        bounds=tuple(_bound(bound, now) for bound in _bounds(kept, measured.sizes)),
    )
    return replace(curve, sentences=curve_sentences(curve))


def _of_kept(kept: dict[str, np.ndarray], version: Version) -> Measured:
    return Measured(
        sizes=kept["sizes"],
        scores=kept["scores"],
        covariance=kept["covariance"],
        drawn=float(kept["drawn"]),
        best=0.0 if version.schema.task.is_regression else 1.0,
    )


def _labelled(dataset: Dataset) -> int:
    """Return how many train rows have a label."""
    schema = dataset.schema
    read = numeric_labels if schema.task.is_regression else class_codes
    return int((read(dataset.read(schema.task.label), schema)[1] & dataset.mask(Split.TRAIN)).sum())


def _forecasts(fitted: FittedCurve, labelled: int, pool: int) -> tuple[CurveForecast, ...]:
    wanted = [(f"{factor:g}×", round(factor * labelled)) for factor in FACTORS]
    wanted += [("pool", labelled + pool)] if pool else []
    return tuple(
        CurveForecast(what=what, rows=n, score=fitted.forecast(n), gain=fitted.gain(n, since=labelled))
        for what, n in wanted
    )


def _bounds(kept: dict[str, np.ndarray], sizes: np.ndarray) -> list[Bound]:
    found = []
    for name, array in kept.items():
        if name.startswith("bound "):
            rows = [[float(v) for v in row] for row in array]
            scores = tuple(Estimate(value=v, low=low, high=high, standard_error=e) for v, low, high, e in rows)
            found.append(Bound(encoding=name.removeprefix("bound "), sizes=sizes, scores=scores))
    return sorted(found, key=lambda bound: -bound.value.value)


def _bound(bound: Bound, now: Estimate) -> NeighbourBound:
    before = bound.scores[int(np.searchsorted(bound.sizes, bound.sizes[-1] / 2))]
    moved = abs(bound.value.value - before.value)
    return NeighbourBound(
        encoding=bound.encoding,
        rows=int(bound.sizes[-1]),
        score=bound.value,
        is_settled=moved <= bound.value.standard_error,
        is_above=bound.value.value > now.value,
    )
