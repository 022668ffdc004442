"""Scores of a split with their intervals, the best score that the labels allow, and what a run could detect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tilth.core.arrays import Matrix, Vector
from tilth.core.estimate import Estimate
from tilth.core.names import Split
from tilth.loop.bench import Bench, Judged
from tilth.loop.guards import Standing, standing_of
from tilth.loop.ledger import dev_key
from tilth.loop.verdicts import COMPOSITION_SHARE
from tilth.numerics.detectability import least_detectable_difference, least_detectable_gain
from tilth.numerics.error_budget import alpha_of_run
from tilth.numerics.intervals import balanced_accuracy_interval, mean_interval, wilson
from tilth.numerics.neighbour_bound import mae_bound, share_bound
from tilth.numerics.neighbours import k_nearest
from tilth.numerics.noise import confident_joint

if TYPE_CHECKING:
    from tilth.loop.arena import Arena
    from tilth.loop.workshop import Workshop
    from tilth.store.version import Version

__all__ = ["best_possible", "confident_dev_joint", "expected_sensitivity", "split_score", "standing_of_version"]

PLAUSIBLE_DISAGREEMENT = 0.05
"""Share of dev rows on which an edit changes decisions, assumed where nothing was tried."""
LARGEST_CEILING_SAMPLE = 20_000


def split_score(bench: Bench, judged: Judged, scores: Vector) -> Estimate:
    """Return a split's score with its 95 % interval; groups are respected where the data has them."""
    if bench.metric.stratified:
        return balanced_accuracy_interval(scores > 0, judged.labels, bench.schema.task.n_classes, groups=judged.groups)
    if bench.schema.task.is_regression:
        return mean_interval(scores, groups=judged.groups)
    if judged.groups is not None:
        return mean_interval(scores, groups=judged.groups, bounds=(0.0, 1.0))
    return wilson(float(scores.sum()), len(scores))


def confident_dev_joint(bench: Bench, judged: Judged) -> Matrix | None:
    """Return the (k, k) confident joint of dev labels under the baseline model; None for regression."""
    if bench.schema.task.is_regression:
        return None
    return confident_joint(judged.labels, bench.predict(bench.baseline, judged.positions))


def expected_sensitivity(arena: Arena, before: Vector) -> float:
    """Return the least gain that a trial could have detected, where no finalist was tried."""
    run = arena.ledger.runs_spent(dev_key(arena.dev_ids)) + 1
    alpha = alpha_of_run(run, arena.settings.alpha) * (1 - COMPOSITION_SHARE)
    if arena.bench.schema.task.is_regression:
        spread = float(np.std(before)) * PLAUSIBLE_DISAGREEMENT**0.5
        return least_detectable_difference(spread, len(before), alpha)
    return least_detectable_gain(PLAUSIBLE_DISAGREEMENT, len(before), alpha)


def standing_of_version(workshop: Workshop, arena: Arena, version: Version) -> Standing:
    """Return how a version's model stands on the judged rows."""
    if version.version == arena.parent:
        return arena.before
    return standing_of(arena.bench, workshop.bench(version).baseline, arena.judged)


def best_possible(workshop: Workshop, version: Version, arena: Arena, after: Vector) -> tuple[Estimate, str]:
    """Return an estimate of the best score that these labels and features allow, and how it was made.

    The nearest neighbours' bound holds for many rows with labels as good as the judged ones; where it lies below what the model
    reaches, before or after the kept edits (`after`: scores of the judged rows), the model is the better bound.
    """
    bound, method = _neighbour_bound(workshop, version, arena)
    before, later = (split_score(arena.bench, arena.judged, scores) for scores in (arena.before.scores, after))
    if bound.value >= max(before.value, later.value):
        return bound, method
    if later.value > before.value:
        return later, "the model after these edits; the neighbours' bound is lower"
    return before, "the model itself; the neighbours' bound is lower"


def _neighbour_bound(workshop: Workshop, version: Version, arena: Arena) -> tuple[Estimate, str]:
    """Return the best score that any model could reach on these labels and features (see numerics/neighbour_bound)."""
    bench, judged = arena.bench, arena.judged
    train = np.flatnonzero(workshop.dataset(version).mask(Split.TRAIN))
    labels, labelled = bench.labels(bench.table)
    train = train[labelled[train]][:LARGEST_CEILING_SAMPLE]
    nearest = k_nearest(
        bench.features[train], 1, queries=bench.features[judged.positions], metric="euclidean", exclude_self=False
    )
    partner = labels[train][np.asarray(nearest.positions)[:, 0]]
    if bench.schema.task.is_regression:
        return mae_bound(partner, judged.labels), "noise of the label between nearest neighbours"
    wrong = int((partner != judged.labels).sum())
    bound = share_bound(wrong, len(judged), bench.schema.task.n_classes)
    return bound, "Cover–Hart bound from the nearest neighbour's error"
