"""Laws of learners: predictions are sound, a start changes nothing, and what is not labelled teaches nothing."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from tilth.core.target import Target, TargetKind
from tilth.operators.view import View
from tilth.testing._answers import suits
from tilth.testing._behaviour import OPTIMUM, busy_worlds
from tilth.testing._subject import Check, Subject
from tilth.testing.views import rows_of, target_of, world_view
from tilth.testing.worlds import World, with_rich_columns

__all__ = ["LEARNING"]


def predictions_are_sound(subject: Subject) -> None:
    """Class probabilities are (n, k), lie in [0, 1] and sum to 1; numbers are (n, 1) and finite; the model pickles."""
    for learner, view, target, _ in _fits(subject):
        model = learner.fit(view, target, prepared=learner.prepare(view))
        predicted = np.asarray(learner.predict_proba(view, pickle.loads(pickle.dumps(model))))  # noqa: S301 - our own bytes
        width = max(view.n_classes, 1)
        if predicted.shape != (len(view), width) or not np.isfinite(predicted).all():
            raise subject.breach(f"it predicts {predicted.shape}, not finite numbers of shape ({len(view)}, {width})")
        if view.n_classes and (predicted.min() < 0 or abs(predicted.sum(axis=1) - 1).max() > 1e-9):
            raise subject.breach("rows of its probabilities do not sum to 1 within 1e-9")
        if not np.array_equal(predicted, learner.predict_proba(view, model)):
            raise subject.breach("its model predicts otherwise after pickling")


def warm_is_cold(subject: Subject) -> None:
    """A start, and shared preparation, speed up and change nothing."""
    for learner, view, target, world in _fits(subject):
        ready = learner.prepare(view)
        cold = learner.predict_proba(view, learner.fit(view, target))
        elsewhere = learner.fit(view, target_of(world.take(np.roll(np.arange(len(world)), 7))), prepared=ready)
        warm = learner.predict_proba(view, learner.fit(view, target, prepared=ready, start=elsewhere))
        if (gap := float(np.abs(cold - warm).max())) > OPTIMUM:
            raise subject.breach(f"started elsewhere, its predictions differ by {gap:.1g}", "fit to one tolerance")


def unlabelled_rows_are_ignored(subject: Subject) -> None:
    """What stands outside the mask, or weighs nothing, is not learnt from."""
    for learner, view, target, _ in _fits(subject):
        inside = np.arange(len(view)) % 4 > 0
        twisted = _twisted(target, ~inside)
        mute = replace(twisted, weights=np.where(inside, twisted.weights, 0.0))
        known = learner.predict_proba(view, learner.fit(view, _masked(target, inside)))
        for other in (_masked(twisted, inside), mute):
            if float(np.abs(known - learner.predict_proba(view, learner.fit(view, other))).max()) > OPTIMUM:
                raise subject.breach("it learns from rows outside the mask or of weight 0", "filter them first")


def its_grid_is_its_own(subject: Subject) -> None:
    """There is at least one setting; all are of the same class, and all differ."""
    grid = subject.make().grid()
    if not grid or any(type(one) is not subject.kind for one in grid) or len(set(grid)) < len(grid):
        raise subject.breach("grid() gives nothing, another class, or a setting twice")


def soft_is_hard_at_the_corners(subject: Subject) -> None:
    """A distribution that is all one class teaches what the class itself teaches."""
    for learner, view, target, _ in _fits(subject):
        if TargetKind.DISTRIBUTION not in learner.accepts or target.distribution is None:
            continue
        soft = Target.soft(target.distribution, target.mask, target.weights)
        known, again = (learner.predict_proba(view, learner.fit(view, one)) for one in (target, soft))
        if float(np.abs(known - again).max()) > OPTIMUM:
            raise subject.breach("it learns otherwise from a soft target that is a class")


def _fits(subject: Subject) -> Iterator[tuple[Any, View, Target, World]]:
    for world in busy_worlds(subject.room).values():
        learner = subject.make()
        part = world.take(rows_of(world, "train"))
        if getattr(learner, "reads", frozenset()) - {column.type for column in part.schema.features}:
            part = with_rich_columns(part)
        if suits(learner, part):
            yield learner, world_view(learner, part), target_of(part), part


def _masked(target: Target, inside: np.ndarray) -> Target:
    return replace(target, mask=target.mask & inside)


def _twisted(target: Target, rows: np.ndarray) -> Target:
    """The target with other values in some rows."""
    distribution, numbers = target.distribution, target.numbers
    if distribution is not None:
        distribution = np.where(rows[:, None], np.roll(distribution, 1, axis=1), distribution)
    if numbers is not None:
        numbers = np.where(rows, numbers + 100.0, numbers)
    return replace(target, distribution=distribution, numbers=numbers)


LEARNING: tuple[Check, ...] = (
    predictions_are_sound,
    warm_is_cold,
    unlabelled_rows_are_ignored,
    soft_is_hard_at_the_corners,
    its_grid_is_its_own,
)
