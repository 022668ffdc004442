"""By how much the dev score changed from one version to another: selected, as dev chose what was kept."""

from __future__ import annotations

import numpy as np

from tilth.core.estimate import Estimate
from tilth.core.names import Split
from tilth.loop.held import reading_workshop
from tilth.loop.project_file import ProjectFile
from tilth.loop.unlabelled import is_too_bare
from tilth.numerics.paired_tests import beats_nothing
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["dev_delta"]


def dev_delta(file: ProjectFile, repository: Repository, before: Version, after: Version) -> Estimate | None:
    """Return the change on the dev rows of the later version; None where there is no model, or none that fits both."""
    if before.schema != after.schema or not repository.records("held"):
        return None
    if is_too_bare(repository, before) or is_too_bare(repository, after):
        return None
    with reading_workshop(file, repository, after) as workshop:
        bench = workshop.bench(after)
        judged = bench.judged(Split.DEV)
        if not len(judged):
            return None
        scores = [
            bench.scores(bench.predict(workshop.bench(v).baseline, judged.positions), judged) for v in (before, after)
        ]
        rng = np.random.default_rng(workshop.seed)
        return beats_nothing(scores[1], scores[0], judged.groups, bench.strata(judged), rng=rng).estimate
