"""What benchmarks of varied rows share: a project that is read and fitted, policies on it, and intervals over seeds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import stats

import tilth
from tilth.core.edit import Edit
from tilth.core.names import ROW_ID, Split
from tilth.core.policy import Policy
from tilth.core.spec import Spec
from tilth.loop.bench import Bench
from tilth.loop.project import open_project
from tilth.loop.workshop import Workshop
from tilth.store.version import Version

__all__ = ["Stand", "gain_text", "stand_of"]

_BY = Spec(room="editing", name="augment")


@dataclass(frozen=True, kw_only=True)
class Stand:
    """A project that was read: its workshop, version and bench."""

    workshop: Workshop
    version: Version
    bench: Bench

    def score(self, policy: Policy | None = None, bench: Bench | None = None) -> float:
        """Return the mean score on test rows of a model whose train rows are varied by a policy."""
        bench = self.bench if bench is None else bench
        model = bench.fit_train(bench.train)
        if policy is not None:
            ids = bench.train.column(ROW_ID).combine_chunks()
            edit = Edit.augmenting(ids, policy.to_text(), operator=_BY, reason="benchmark")
            model = bench.fit_edited(edit)
        judged = bench.judged(Split.TEST)
        return float(bench.scores(bench.predict(model, judged.positions), judged).mean())


def stand_of(home: Path, table: pa.Table, label: str, learner: str, seed: int, more: str = "") -> Stand:
    """Return the stand of a table with columns `row` and `split`; `learner` and `more` are lines of tilth.yaml."""
    pq.write_table(table, home / "rows.parquet")
    tilth.init(home / "rows.parquet", label=label, id="row", split="split", folder=home / "project")
    path = home / "project" / "tilth.yaml"
    text = path.read_text(encoding="utf-8").replace("learner: auto", f"learner: {learner}")
    text = text.replace("seed: 0", f"seed: {seed}").replace("metric: balanced_accuracy", "metric: accuracy")
    path.write_text(text + more, encoding="utf-8")
    project = open_project(home / "project")
    project.run(budget="1s", only=["add"])
    repository = project.repository()
    version = repository.latest
    assert version is not None, "the project was run"
    workshop = Workshop(project.file, repository, seed=seed)
    return Stand(workshop=workshop, version=version, bench=workshop.bench(version))


def gain_text(differences: np.ndarray) -> str:
    """Return the mean of paired differences in points, with a 95 % t interval over seeds."""
    mean = 100 * float(differences.mean())
    if len(differences) < 2:
        return f"{mean:+.1f}"
    half = 100 * stats.t.ppf(0.975, len(differences) - 1) * differences.std(ddof=1) / len(differences) ** 0.5
    return f"{mean:+.1f} [{mean - half:+.1f}, {mean + half:+.1f}]"
