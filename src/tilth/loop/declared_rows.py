"""The rows of a version's declared slices, with what their rules read: columns, what is known of rows, regions of features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tilth.core.arrays import FloatMatrix32, Mask, Vector
from tilth.core.errors import NotApplicable
from tilth.core.region import Region
from tilth.core.slice import Slice
from tilth.engine.predicate import Predicate
from tilth.loop._slice_lines import KNOWN_OF_ROWS
from tilth.loop.held_columns import features_key
from tilth.loop.known_rows import known_of_rows
from tilth.loop.slices import DeclaredSlice, KnownOfRows, NearRegion, slice_rows
from tilth.loop.workshop import Workshop
from tilth.numerics.region_membership import region_membership
from tilth.store.version import Version

__all__ = ["declared_rows", "known_once", "near_of", "plain_memberships"]


def declared_rows(workshop: Workshop, version: Version) -> tuple[list[tuple[Slice, Mask]], list[str]]:
    """Return the declared slices with their rows (n,) in storage order, and what a reader must know."""
    known, near = known_once(workshop, version), near_of(workshop, version)
    return slice_rows(workshop.slices, workshop.dataset(version), known, near)


def plain_memberships(workshop: Workshop, version: Version) -> dict[str, Vector]:
    """Return name -> (n,) 0 or 1 for the declared slices whose rule reads neither the label nor what a model says.

    Only on these is what features tell of labels, or of errors, untouched by how the rows were chosen.
    """
    own = [one for one in workshop.slices if _is_plain(one, version.schema.task.label)]
    if not own:
        return {}
    dataset, near = workshop.dataset(version), near_of(workshop, version)
    return {one.name: rows.astype(np.float64) for one, rows in slice_rows(own, dataset, dict, near)[0]}


def _is_plain(one: DeclaredSlice, label: str) -> bool:
    if one.function is not None:  # one that declares no columns reads all of them
        names = one.function.columns or (label,)
    else:
        names = (*one.each, *(Predicate(one.where).columns if one.where else ()))
    return not {label, *KNOWN_OF_ROWS} & set(names)


def near_of(workshop: Workshop, version: Version, features: FloatMatrix32 | None = None) -> NearRegion:
    """Return what says how far rows belong to a region: all rows of a version, or others by the features (n, d) of its encoders."""

    def near(region: Region) -> Vector:
        if region.features != features_key(workshop.columns(version)):
            raise NotApplicable(
                "its region was found with other encoders, or with others of their states, and says nothing of these features"
            )
        return region_membership(region, workshop.features(version) if features is None else features)

    return near


def known_once(workshop: Workshop, version: Version) -> KnownOfRows:
    """Return what gives what is known of a version's rows, computed when it is first asked for."""
    facts: dict[str, Any] = {}

    def known() -> Mapping[str, Any]:
        if not facts:
            facts.update(known_of_rows(workshop, version))
        return facts

    return known
