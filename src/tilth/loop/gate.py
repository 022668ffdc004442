"""The gate: whether a version may pass: checks of its rows and predictions, stress tests, conditions on its model's scores on test.

The test rows are asked once for a pair of versions and a set of conditions; the ledger keeps what they said, and a rerun shows
that. How often they may be asked is a budget, by which the chance of error of each look is made smaller.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.arrays import Mask, Matrix
from tilth.core.comparison import Comparison
from tilth.core.errors import ConfigError, NotApplicable, SplitError
from tilth.core.gate_summary import Budget, CheckResult, ConditionResult, GateSummary, Passing, StressResult
from tilth.core.ids import digest_of
from tilth.core.names import ROW_ID, Split
from tilth.core.progress import Progress
from tilth.loop._gate_plan import GatePlan
from tilth.loop.bench import Bench, Judged
from tilth.loop.checks import PREDICTIONS, NamedCheck, checks_of, predicted_table, run_checks
from tilth.loop.comparing import TwoModels, compare
from tilth.loop.deciding import Court, decide, metric_named, together
from tilth.loop.declared_rows import declared_rows
from tilth.loop.gate_ledger import GateLedger, GateLook
from tilth.loop.gate_pair import refuse_other_schema
from tilth.loop.gate_slices import rows_where
from tilth.loop.gate_stress import bounded, stress_results
from tilth.loop.held import reading_workshop
from tilth.loop.ledger import dev_key, dev_sketch
from tilth.loop.project_file import ProjectFile
from tilth.loop.slices import DeclaredSlice
from tilth.loop.unlabelled import refuse_too_bare
from tilth.loop.visibility import HIDDEN, may_tell
from tilth.loop.workshop import Workshop
from tilth.numerics.sample_sizes import Adaptivity, share_of_look
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["run_gate"]

EXAMPLE = 'add lines such as tests: {conditions: ["n - o > -0.01"], checks: [{where: "age BETWEEN 0 AND 120"}]}'
OUTCOMES = 3
"""Verdicts of a look: pass, fail, undecided."""


def run_gate(
    file: ProjectFile,
    repository: Repository,
    version: Version,
    against: Version | None,
    progress: Progress,
    more_checks: Sequence[NamedCheck] = (),
    slices: Sequence[DeclaredSlice] = (),
    folder: Path | None = None,
) -> GateSummary:
    """Return whether a version passes; a look that was not made before is written into the ledger.

    Parameters
    ----------
    file : what tilth.yaml says
    repository : the project's store
    version : the version that is judged
    against : the version that it is compared with; None where there is none
    progress : told what is done
    more_checks : checks that are not written in tilth.yaml
    slices : declared slices, which conditions may name: n[NAME] > 0.8
    folder : the project's, where its Python file lies; without it no stress test is judged

    Raises
    ------
    ConfigError : tilth.yaml asks nothing, or what cannot be meant
    SplitError : there are conditions, but no test row has a label
    UsageError : the two versions have other classes or columns
    """
    started = time.perf_counter()
    plan = file.gate or GatePlan()
    checks = (*checks_of(plan.checks, version.schema), *more_checks)
    has_stress = folder is not None and bool(bounded(file))
    if not checks and not plan.conditions and not has_stress:
        raise ConfigError("tilth.yaml asks nothing of a version: there is no block tests:", next_step=EXAMPLE)
    refuse_other_schema(version, against)
    refuse_too_bare(repository, version)
    with reading_workshop(file, repository, version, progress=progress, slices=slices) as workshop:
        trial = _Hearing(workshop, version, against, plan)
        progress("test", "checks")
        results = trial.checked(checks)
        stressed = () if folder is None else stress_results(workshop, version, plan.reliability, folder, progress)
        look, recorded, warnings = None, False, list(trial.warnings)
        if plan.conditions:
            look, recorded = trial.look(progress)
        seed = workshop.seed
    if look is not None and not recorded and look.counts:
        with repository.lease:
            look = GateLedger(repository).record(look)
    seconds = time.perf_counter() - started
    return _summary(trial, results, look, recorded, seed, seconds, warnings, stressed)


@dataclass
class _Hearing:
    """One gate at work: what it reads of a pair of versions."""

    workshop: Workshop
    version: Version
    against: Version | None
    plan: GatePlan

    @cached_property
    def bench(self) -> Bench:
        """The bench of the version that is judged."""
        return self.workshop.bench(self.version)

    @cached_property
    def judged(self) -> Judged:
        """Its labelled test rows."""
        return self.bench.judged(Split.TEST)

    @property
    def warnings(self) -> list[str]:
        """What must be said of the pair of versions."""
        if self.against is not None or not any(one.needs_old for one in self.plan.conditions):
            return []
        return ["there is no version before this one: conditions on o and d stay undecided"]

    # -- checks --------------------------------------------------------------------------------------------------------

    def checked(self, checks: Sequence[NamedCheck]) -> list[CheckResult]:
        """Return how each check ends; the model is fitted where one of them is about predictions."""
        dataset = self.workshop.dataset(self.version)
        predicted = None
        if any(check.on == PREDICTIONS for check in checks):
            rows = dataset.mask(Split.TEST)
            probs = self.bench.predict(self.bench.baseline, np.flatnonzero(rows)) if rows.any() else self._none()
            predicted = predicted_table(dataset, rows, probs, self.version.schema)
        return run_checks(checks, dataset, predicted)

    def _none(self) -> Matrix:
        return np.zeros((0, max(1, self.version.schema.task.n_classes)))

    # -- conditions ----------------------------------------------------------------------------------------------------

    def look(self, progress: Progress) -> tuple[GateLook, bool]:
        """Return what the test rows say, and whether they said it before."""
        if not len(self.judged):
            raise SplitError(
                "no test row has a label, so no condition can be decided",
                next_step="tilth ask --split test draws rows to label; or give a test split in tilth.yaml",
            )
        self._refuse_what_cannot_be_meant()
        ledger = GateLedger(self.workshop.repository)
        found = ledger.look(self.key)
        if found is not None:
            return found, True
        earlier = ledger.looks(self.test, self.sketch)
        budget = Budget(looks=self.plan.looks, spent=len(earlier), adaptivity=self.plan.adaptivity)
        why = self._spent(budget, earlier)
        if why:
            return self._refused(why), False
        progress("test", f"{len(self.judged):,} test rows, look {budget.spent + 1} of {budget.looks}")
        return self._looked(budget), False

    def _looked(self, budget: Budget) -> GateLook:
        share = share_of_look(1, budget.looks, Adaptivity(budget.adaptivity), OUTCOMES)
        court = self.court
        results = tuple(
            decide(one, court, one.reliability or self.plan.reliability, share) for one in self.plan.conditions
        )
        comparison = self._comparison(court)
        return GateLook(key=self.key, test=self.test, sketch=self.sketch, conditions=results, comparison=comparison)

    def _spent(self, budget: Budget, earlier: Sequence[GateLook]) -> str:
        """Return why the test rows may not be asked again; "" where they may."""
        fresh = "bring fresh test rows"
        if budget.spent >= budget.looks:
            return f"these test rows were asked {budget.spent:,} times, as often as tests.looks allows: {fresh}"
        passed = any(together([one.verdict for one in look.conditions]) is Passing.PASS for look in earlier)
        if budget.adaptivity == Adaptivity.FIRST_CHANGE and passed:
            return f"a version has passed on these test rows, which adaptivity: first_change ends with: {fresh}"
        return ""

    def _refused(self, why: str) -> GateLook:
        """Return a look that was not made: every condition stays undecided."""
        results = tuple(
            ConditionResult(
                text=one.text,
                reliability=one.reliability or self.plan.reliability,
                verdict=Passing.UNDECIDED,
                clauses=(),
            )
            for one in self.plan.conditions
        )
        return GateLook(
            key=self.key, test=self.test, sketch=self.sketch, conditions=results, comparison=None, refused=why
        )

    @cached_property
    def court(self) -> Court:
        """What the conditions are decided on."""
        judged, bench = self.judged, self.bench
        new = bench.predict(bench.baseline, judged.positions)
        old = new
        if self.against is not None:
            old = bench.predict(self.workshop.bench(self.against).baseline, judged.positions)
        return Court(
            models=TwoModels(labels=judged.labels, old=old, new=new, groups=judged.groups),
            metric=bench.metric,
            classes=self.version.schema.task.classes,
            rows_of=self._slice,
            has_old=self.against is not None,
        )

    def _comparison(self, court: Court) -> Comparison | None:
        if not court.has_old:
            return None
        wheres = dict.fromkeys(
            term.where for one in self.plan.conditions for clause in one.clauses for term in clause.terms if term.where
        )
        task = self.version.schema.task
        shown = may_tell(self.version.schema, task.label)
        names = [name if shown else f"{HIDDEN} {i}" for i, name in enumerate(task.classes, start=1)]
        try:
            return compare(
                court.models, court.metric, classes=names, slices={where: self._slice(where) for where in wheres}
            )
        except NotApplicable:
            return None

    @cached_property
    def _declared(self) -> Mapping[str, Mask]:
        """Declared slice -> which of the judged rows belong to it."""
        found, _ = declared_rows(self.workshop, self.version)
        return {one.name: rows[self.judged.positions] for one, rows in found}

    def _slice(self, where: str) -> Mask:
        if self.workshop.slices and where in self._declared:
            return self._declared[where]
        if any(one.name == where and one.region is not None for one in self.workshop.slices):
            raise ConfigError(
                f"slice {where!r} says nothing of this version",
                where=f"slice [{where}]",
                next_step="tilth run says why; tilth slices --declare NAME declares one of today",
            )
        return rows_where(self.workshop.dataset(self.version), self.judged.positions, where)

    def _refuse_what_cannot_be_meant(self) -> None:
        """Refuse unknown metrics, classes and columns before a look is spent."""
        classes = self.version.schema.task.classes
        for one in self.plan.conditions:
            for clause in one.clauses:
                for term in clause.terms:
                    metric_named(term, self.bench.metric, classes)
                    if term.where:
                        self._slice(term.where)

    # -- what a look is known by ---------------------------------------------------------------------------------------

    @cached_property
    def _ids(self) -> pa.Array:
        return self.bench.table.column(ROW_ID).take(pa.array(self.judged.positions)).combine_chunks()

    @cached_property
    def test(self) -> str:
        """The name of the test rows."""
        return dev_key(self._ids)

    @cached_property
    def sketch(self) -> tuple[str, ...]:
        """By which test rows that share some of these are known."""
        return dev_sketch(self._ids)

    @cached_property
    def key(self) -> str:
        """What the look is known by: versions, model, test rows with their labels, conditions."""
        labels = digest_of([float(value) for value in self.judged.labels], size=8)
        asked: list[Any] = [[one.text, one.reliability or self.plan.reliability] for one in self.plan.conditions]
        before = None if self.against is None else self.against.version
        model = self.workshop.model_key(self.version)
        return digest_of([before, self.version.version, model, self.test, labels, asked, self.plan.adaptivity])


def _summary(
    hearing: _Hearing,
    checks: Sequence[CheckResult],
    look: GateLook | None,
    recorded: bool,
    seed: int,
    seconds: float,
    warnings: Sequence[str],
    stressed: Sequence[StressResult] = (),
) -> GateSummary:
    plan = hearing.plan
    conditions = () if look is None else look.conditions
    verdict = together(
        [*(one.verdict for one in checks), *(one.verdict for one in conditions), *(one.verdict for one in stressed)]
    )
    refused = "" if look is None else look.refused
    lenient = plan.undecided == "pass" and not refused
    spent = 0 if look is None else len(GateLedger(hearing.workshop.repository).looks(look.test, look.sketch))
    withheld = plan.adaptivity == Adaptivity.FULL and look is not None
    return GateSummary(
        version=hearing.version.version,
        against=None if hearing.against is None else hearing.against.version,
        metric=hearing.version.schema.task.metric,
        test_rows=len(hearing.judged),
        verdict=verdict,
        passed=verdict is Passing.PASS or (verdict is Passing.UNDECIDED and lenient),
        checks=tuple(checks),
        conditions=conditions if not withheld else tuple(one.without_figures() for one in conditions),
        comparison=None if look is None or withheld else look.comparison,
        budget=Budget(looks=plan.looks, spent=spent, adaptivity=plan.adaptivity),
        recorded=recorded,
        withheld=withheld,
        seed=seed,
        seconds=round(seconds, 2),
        warnings=(*warnings, *([refused] if refused else [])),
        stress=tuple(stressed),
    )
