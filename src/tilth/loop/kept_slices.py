"""The slices that the last run discovered, kept by the version that it looked into, so that a person can make one of them their own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tilth.core.errors import ConfigError
from tilth.core.ids import digest_of
from tilth.core.slice import Slice
from tilth.loop.region_files import region_facts, region_from

if TYPE_CHECKING:
    from tilth.loop.sliced import SliceRows
    from tilth.loop.workshop import Workshop
    from tilth.store.repository import Repository
    from tilth.store.version import Version

__all__ = ["KeptSlice", "keep_slices", "kept_slices", "version_of_last_run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSlice:
    """A discovered slice with its rule, and the share of false discoveries among all that are at most as doubtful."""

    slice: Slice
    q_value: float


def version_of_last_run(repository: Repository) -> Version:
    """Return the version that the last run looked into; raises ConfigError where there is no run."""
    runs = repository.records("run")
    if not runs:
        raise ConfigError("this project has not run yet, so no slice is known", next_step="tilth run")
    return repository.version(repository.records("start")[runs[-1]["start"] - 1]["version"])


def keep_slices(workshop: Workshop, version: Version, slices: Sequence[SliceRows]) -> None:
    """Keep the discovered ones among some slices in place of those that were kept of this version before."""
    facts = [_facts(one.slice, one.found.q_value) for one in slices if one.found is not None]
    text = np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8)
    workshop.repository.evidence.put_arrays(_key(version), {"slices": text})


def kept_slices(repository: Repository, version: Version) -> tuple[KeptSlice, ...] | None:
    """Return the slices that were discovered in a version; None where they were not kept."""
    arrays = repository.evidence.get_arrays(_key(version))
    if arrays is None:
        return None
    return tuple(_from(facts) for facts in json.loads(np.asarray(arrays["slices"]).tobytes().decode()))


def _key(version: Version) -> str:
    return digest_of(["found slices", version.version])


def _facts(one: Slice, q_value: float) -> dict[str, Any]:
    region = None if one.region is None else region_facts(one.region)
    return {"name": one.name, "where": one.where, "region": region, "summary": one.summary, "q_value": q_value}


def _from(facts: dict[str, Any]) -> KeptSlice:
    region = None if facts["region"] is None else region_from(facts["region"])
    found = Slice(name=facts["name"], where=facts["where"], region=region, summary=facts["summary"])
    return KeptSlice(slice=found, q_value=facts["q_value"])
