"""Run every detector on a version; a detector that fails or refuses is noted, and the others go on."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from tilth.core.finding import Finding
from tilth.core.progress import Progress
from tilth.loop.evidence import EvidenceBase
from tilth.loop.quarantine import Quarantine
from tilth.operators.registry import make, names

__all__ = ["detect"]


def detect(evidence: EvidenceBase, quarantine: Quarantine, progress: Progress) -> tuple[Finding, ...]:
    """Return all findings, worst first, and leave them in the evidence for editors; ties by kind."""
    found: list[Finding] = []
    detectors = names("detection")
    for done, name in enumerate(detectors):
        progress("find", name.replace("_", " "), done, len(detectors))
        some = quarantine.run(f"find {name}", partial(_find, name, evidence))
        found += some or []
    named = [replace(finding, dataset=evidence.dataset.version_id) for finding in found]
    named.sort(key=lambda finding: (-finding.overall, finding.kind, finding.columns))
    for finding in named:
        evidence.findings.setdefault(finding.kind, finding)
    return tuple(named)


def _find(name: str, evidence: EvidenceBase) -> list[Finding]:
    detector = make("detection", name)
    return list(detector.find(evidence.view(detector)))
