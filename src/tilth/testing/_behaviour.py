"""Contracts of behaviour that hold for every operator that reads a view: detectors, valuers, editors,
selectors, learners.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.names import ROW_ID, Split
from tilth.core.rng import generator
from tilth.testing._answers import Answer, answer_or_refusal, difference
from tilth.testing._subject import Check, Subject
from tilth.testing.plants import busy_world
from tilth.testing.views import Watched, watched_view
from tilth.testing.worlds import NUMBERS, World

__all__ = ["BEHAVIOUR", "busy_worlds", "global_state", "odd_worlds", "same_state"]

ROUNDING = 1e-7
"""Sums in another order may differ by this much, relatively."""
OPTIMUM = 1e-4
"""Iterated fits may differ by this much in probability."""


@lru_cache(maxsize=4)
def busy_worlds(room: str) -> Mapping[str, World]:
    """Return the worlds on which an operator of a room is tried: classes and numbers."""
    rows = 240 if room == "learning" else 900
    return {"classes": busy_world(rows=rows), "numbers": busy_world(regression=True, rows=rows)}


@lru_cache(maxsize=4)
def odd_worlds(room: str) -> Mapping[str, World]:
    """Return worlds with no row, one row, two rows, one class, one value per column, and hardly any cells."""
    odd = {}
    for name, world in busy_worlds(room).items():
        train = np.flatnonzero(world.mask(Split.TRAIN) & world.labelled)
        odd[f"{name}, no row"] = world.take([])
        odd[f"{name}, one row"] = world.take(train[:1])
        odd[f"{name}, two rows"] = world.take(train[:2])
        odd[f"{name}, one class"] = _one_class(world)
        odd[f"{name}, all rows alike"] = world.take(np.repeat(train[:1], 60)).with_cells(
            ROW_ID, pa.array([f"r{i}" for i in range(60)])
        )
        odd[f"{name}, hardly any cells"] = _without_cells(world)
        odd[f"{name}, no label"] = world.take(world.mask(Split.POOL))
    return odd


def leaves_inputs_alone(subject: Subject) -> None:
    """Whatever it was handed holds the same values afterwards."""
    for _, watched in _tried(subject):
        if changed := watched.changed():
            raise subject.breach(f"it changed {', '.join(changed)}", "work on copies: np.array(values)")


def leaves_randomness_alone(subject: Subject) -> None:
    """The global generators of NumPy and Python are as they were."""
    before = global_state()
    for _ in _tried(subject):
        pass
    if not same_state(before, global_state()):
        raise subject.breach("it drew from a global random generator", "draw from view.rng")


def repeats_itself(subject: Subject) -> None:
    """The same view gives the same answer, to the last bit."""
    for name, world in busy_worlds(subject.room).items():
        first, again = (_answer(subject, watched_view(subject.make(), world, seed=3)) for _ in range(2))
        if what := difference(first, again, tolerance=0.0, all_of_it=True):
            raise subject.breach(f"asked twice about {name}, it differs in: {what}", "draw from view.rng only")


def follows_row_ids(subject: Subject) -> None:
    """The same rows in another order get the same answer, row by row."""
    tolerance = OPTIMUM if subject.room == "learning" else ROUNDING
    for name, world in busy_worlds(subject.room).items():
        shuffled = world.take(generator(5, "shuffle").permutation(len(world)))
        first, again = (_answer(subject, watched_view(subject.make(), one, seed=3)) for one in (world, shuffled))
        if what := difference(first, again, tolerance=tolerance, all_of_it=False):
            raise subject.breach(f"with the rows of {name} in another order, it differs in: {what}", "join rows by id")


def reads_what_it_declares(subject: Subject) -> None:
    """It reads no evidence beside its needs, by whatever way."""
    for _, watched in _tried(subject):
        allowed = set(subject.kind.needs) | {"labelled"}
        if beside := sorted(watched.reads.names - allowed):
            raise subject.breach(f"it reads {', '.join(beside)} without declaring it", "add it to `needs`")


def bears_odd_inputs(subject: Subject) -> None:
    """No row, one row, one class, missing cells: an answer or a refusal, no crash and no warning."""
    for name, world in odd_worlds(subject.room).items():
        answer = _answer(subject, watched_view(subject.make(), world))
        for what, values in answer.items():
            if values.dtype.kind == "f" and not np.isfinite(values).all() and not what.startswith("aside"):
                raise subject.breach(f"on {name}, {what} holds numbers that are not finite", "raise NotApplicable")


def _tried(subject: Subject) -> Iterator[tuple[Answer, Watched]]:
    for world in busy_worlds(subject.room).values():
        watched = watched_view(subject.make(), world)
        yield _answer(subject, watched), watched


def _answer(subject: Subject, watched: Watched) -> Answer:
    return answer_or_refusal(subject.room, subject.make(), watched.view, watched.world)


def global_state() -> tuple[Any, ...]:
    """Return the state of the global generators."""
    return np.random.get_state(), random.getstate()  # noqa: NPY002 - to see that nobody used it


def same_state(before: tuple[Any, ...], after: tuple[Any, ...]) -> bool:
    """Whether two states of the global generators are equal."""
    numpy_alike = all(np.array_equal(a, b) for a, b in zip(before[0], after[0], strict=True))
    return numpy_alike and bool(before[1] == after[1])


def _one_class(world: World) -> World:
    labels = world.table.column("label").to_pylist()
    first = next(label for label in labels if label is not None)
    kind = world.table.schema.field("label").type
    alike = world.with_cells("label", pa.array([None if label is None else first for label in labels], kind))
    if world.schema.task.is_regression:
        return alike
    predicted = np.zeros_like(world.predicted)
    predicted[:, world.schema.task.classes.index(first)] = 1.0
    return replace(alike, predicted=predicted)


def _without_cells(world: World) -> World:
    for name in (*NUMBERS[1:], "colour", "day"):
        kind = world.table.schema.field(name).type
        world = world.with_cells(name, pa.nulls(len(world), kind))
    return world


BEHAVIOUR: tuple[Check, ...] = (
    leaves_inputs_alone,
    leaves_randomness_alone,
    repeats_itself,
    follows_row_ids,
    reads_what_it_declares,
    bears_odd_inputs,
)
