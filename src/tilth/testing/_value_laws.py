"""Laws of valuers: every value belongs to a row of the view, and rows with wrong labels are worth less than right ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.errors import NotApplicable
from tilth.core.values import Values
from tilth.operators.registry import spec_of
from tilth.operators.view import View
from tilth.testing._behaviour import busy_worlds
from tilth.testing._subject import Check, Subject
from tilth.testing.plants import planted_worlds
from tilth.testing.views import rows_of, world_view

__all__ = ["VALUATION"]

LEAST_ORDER = 0.6
"""Least chance that a wrong row is worth less than a right one: chance alone gives 0.5, with these rows up to 0.58."""


def values_are_whole(subject: Subject) -> None:
    """Rows are labelled ones of the view, in its order and none twice; the operator and the unit are named."""
    for name, world in busy_worlds(subject.room).items():
        operator = subject.make()
        view = world_view(operator, world)
        values = _valued(operator, view)
        labelled = world.ids.filter(pa.array(world.labelled))
        if values is not None and (fault := _fault_of(values, view, operator, labelled)):
            raise subject.breach(f"on {name}, it {fault}")


def higher_helps(subject: Subject) -> None:
    """Rows whose label was planted wrong are worth less than others, where the valuer has anything to say."""
    spoken = False
    for name in ("uniform", "numbers"):
        world = planted_worlds()[name]
        operator = subject.make()
        values = _valued(operator, world_view(operator, world))
        if values is None:
            continue
        part = world.take(rows_of(world, getattr(operator, "scope", "train")))
        wrong = part.ids.filter(pa.array(part.faults["label_error"]))
        order = _order(np.asarray(values.values), np.asarray(pc.is_in(values.ids, value_set=wrong)))
        if order < LEAST_ORDER:
            raise subject.breach(
                f"a row with a wrong label is worth less than one with a right label {order:.0%} of the time ({name})",
                "turn the sign if higher harms; a valuer no better than chance tells nothing",
            )
        spoken = True
    if not spoken:
        raise subject.breach("it values neither rows with classes nor rows with numbers")


def _order(values: np.ndarray, wrong: np.ndarray) -> float:
    """Chance that a wrong row is worth less than a right one, ties counted half; (n,), (n,) -> in [0, 1]."""
    low, high = np.sort(values[wrong]), values[~wrong]
    below = np.searchsorted(low, high, side="left") + np.searchsorted(low, high, side="right")
    return float(below.mean() / (2 * len(low)))


def _fault_of(values: Values, view: View, operator: Any, labelled: pa.Array) -> str:
    """What is wrong with values, in words."""
    places = np.asarray(pc.fill_null(pc.index_in(values.ids, value_set=view.ids), -1))
    facts = {
        "values rows that the view does not hold": bool((places < 0).any()),
        "values rows that have no label": not bool(pc.all(pc.is_in(values.ids, value_set=labelled)).as_py()),
        "does not keep the view's order, or values a row twice": bool((np.diff(places) <= 0).any()),
        "does not name its operator": values.operator != spec_of(operator),
        "does not say what one unit is": not values.unit.strip(),
    }
    return next((what for what, wrong in facts.items() if wrong), "")


def _valued(operator: Any, view: View) -> Values | None:
    try:
        values: Values = operator.value(view)
    except NotApplicable:
        return None
    return values


VALUATION: tuple[Check, ...] = (values_are_whole, higher_helps)
