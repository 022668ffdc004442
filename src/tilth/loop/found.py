"""Found: what is known of a version once every detector has looked into it; nothing is tried or changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from tilth.core.dataset import Dataset
from tilth.core.finding import Finding
from tilth.core.progress import Progress, silent
from tilth.engine.memory import release_unused
from tilth.loop.declared_rows import plain_memberships
from tilth.loop.detect import detect
from tilth.loop.quarantine import Quarantine
from tilth.loop.workshop import Workshop
from tilth.store.version import Version

__all__ = ["Found", "find_faults"]


@dataclass(kw_only=True)
class Found:
    """What a run knows after finding: the workshop, the version, and the findings."""

    workshop: Workshop
    version: Version
    findings: tuple[Finding, ...]
    quarantine: Quarantine
    warnings: list[str] = field(default_factory=list)

    @property
    def dataset(self) -> Dataset:
        """The version's rows."""
        return self.workshop.dataset(self.version)


def find_faults(workshop: Workshop, version: Version, warnings: Sequence[str], progress: Progress = silent) -> Found:
    """Encode, fit and find on one version; nothing is tried or changed."""
    quarantine = Quarantine()
    evidence = workshop.evidence(version)
    if workshop.slices:
        evidence.sliced = cache(lambda: plain_memberships(workshop, version))
    release_unused()  # what reading the source took
    findings = detect(evidence, quarantine, progress)
    evidence.forget("all", "neighbours", "table")  # large, and little asked for from here on
    evidence.forget("train", "neighbours")
    release_unused()
    return Found(workshop=workshop, version=version, findings=findings, quarantine=quarantine, warnings=list(warnings))
