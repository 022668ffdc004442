"""What looks at a project: it measures, estimates and reports, and changes nothing.

A method imports what it needs when it is called: who looks back (`tilth log`) does not wait for what fits models.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tilth.core.progress import Progress, silent
from tilth.core.values import Values
from tilth.loop._project_home import ProjectHome
from tilth.operators.registry import make
from tilth.store.version import Version

if TYPE_CHECKING:
    from tilth.core.collection_brief import CollectionBrief
    from tilth.core.gate_summary import GateSummary
    from tilth.core.learning_curve import LearningCurve
    from tilth.core.policy_report import PolicyReport
    from tilth.core.project_slice import ProjectSlice
    from tilth.core.rows_plan import RowsPlan
    from tilth.core.stress_summary import StressSummary
    from tilth.core.transform_card import TransformReport
    from tilth.loop.found import Found
    from tilth.loop.stress_stand import Slices
    from tilth.loop.unlabelled_score import UnlabelledScore

__all__ = ["ProjectLooks"]


class ProjectLooks(ProjectHome):
    """A project whose versions are looked at; what changes them is in `Project`."""

    def findings_of(self, version: Version, *, seed: int | None = None, progress: Progress = silent) -> Found:
        """Find again what a run found in a version; the source is not read, and no writer is kept waiting."""
        from tilth.loop.found import find_faults
        from tilth.loop.held import reading_workshop

        number = self.file.seed if seed is None else seed
        with reading_workshop(self.file, self.repository(), version, seed=number, progress=progress) as workshop:
            return find_faults(workshop, version, tuple(version.source.get("warnings", ())), progress)

    def values(
        self,
        valuer: str = "self_confidence",
        *,
        version: str = "latest",
        progress: Progress = silent,
        **parameters: Any,
    ) -> Values:
        """Return what each labelled train row of a version is worth, by one operator of the room `valuation`."""
        from tilth.loop.held import reading_workshop

        repository = self.repository()
        found, operator = self._version(repository, version), make("valuation", valuer, **parameters)
        with reading_workshop(self.file, repository, found, seed=self.file.seed, progress=progress) as workshop:
            return operator.value(workshop.evidence(found).view(operator))  # type: ignore[no-any-return]

    def learning_curve(self, *, version: str = "latest", progress: Progress = silent) -> LearningCurve:
        """Return the model's score at fewer train rows, and what more labelled rows are likely to bring; dev and test are not read."""
        from tilth.loop.held import reading_workshop
        from tilth.loop.more_rows import curve_of

        repository = self.repository()
        found = self._version(repository, version)
        with reading_workshop(self.file, repository, found, progress=progress) as workshop:
            return curve_of(workshop, found)

    def stress(
        self,
        *,
        version: str = "latest",
        transforms: Sequence[Any] = (),
        severity: int | None = None,
        expect: str = "",
        pairs: str | None = None,
        rows: int | None = None,
        slices: Slices | None = None,
        progress: Progress = silent,
    ) -> StressSummary:
        """Return how a version's model bears dev rows that are varied, and counterfactual pairs; nothing is changed, test is not read.

        Parameters
        ----------
        version : whose model is tried
        transforms : names, or transforms themselves, in place of the tests that tilth.yaml lists (the usual ones where it lists none)
        severity, expect : of transforms that are named: 1 to 5; "same", "flips", "up CLASS", "down CLASS"
        pairs : a column or a file that names the partner of each row
        rows : how many dev rows are tried at most; 2,000 usually, 500 with images
        slices : rows and positions -> slice -> mask; without it classes and guarded columns
        """
        from tilth.loop.held import reading_workshop
        from tilth.loop.slices import declared_slices
        from tilth.loop.stressing import stress_project

        repository = self.repository()
        found = self._version(repository, version)
        if not repository.records("held"):
            raise self._not_run()
        declared = declared_slices(self.file, self.folder)
        with reading_workshop(self.file, repository, found, progress=progress, slices=declared) as workshop:
            return stress_project(
                workshop,
                found,
                self.folder,
                transforms=transforms,
                severity=severity,
                expect=expect,
                pairs=pairs,
                rows=rows,
                slices=slices,
                progress=progress,
            )

    def transforms(
        self,
        *transforms: Any,
        version: str = "latest",
        severity: int | None = None,
        columns: Sequence[str] = (),
        rows: int | None = None,
        progress: Progress = silent,
    ) -> TransformReport:
        """Return the report cards of transforms, measured on train rows; nothing is changed, dev and test are not read.

        Parameters
        ----------
        transforms : names, or transforms themselves; without any, all of tilth's that suit the features and those of the Python file
        version : whose rows and model
        severity : 1 to 5; each one's own where none is given
        columns : what they change; () for all that each accepts
        rows : how many train rows are tried at most; 2,000 usually, 500 with images
        """
        from tilth.loop.held import reading_workshop
        from tilth.loop.transform_card import cards_of_project

        repository = self.repository()
        found = self._version(repository, version)
        if not repository.records("held"):
            raise self._not_run()
        with reading_workshop(self.file, repository, found, progress=progress) as workshop:
            return cards_of_project(
                workshop,
                found,
                transforms=transforms,
                severity=severity,
                columns=columns,
                rows=rows,
                progress=progress,
                folder=self.folder,
            )

    def policy(
        self,
        how: str = "trivial",
        *,
        version: str = "latest",
        arms: int | None = None,
        progress: Progress = silent,
    ) -> PolicyReport:
        """Return a policy by which rows may be varied in training; nothing is changed, dev and test are not read.

        Parameters
        ----------
        how : "trivial" and "rand" are the usual ones; "search" by short trainings, "compose" by realism and agreement; or an edit's id
        version : whose rows and model
        arms : how many sequences compete in a search; 12 usually
        """
        from tilth.loop.finding_policies import WAYS, policy_found, policy_of_edit
        from tilth.loop.held import reading_workshop

        repository = self.repository()
        if how not in WAYS:
            return policy_of_edit(repository, how)
        found = self._version(repository, version)
        if not repository.records("held"):
            raise self._not_run()
        with reading_workshop(self.file, repository, found, progress=progress) as workshop:
            return policy_found(workshop, found, how, arms=arms, progress=progress)

    def slices(self) -> tuple[ProjectSlice, ...]:
        """Return the declared slices, then those that the last run discovered, with the figures of that run."""
        from tilth.loop.declaring import project_slices

        return project_slices(self.file, self.folder, self.repository())

    def brief(
        self, name: str, *, gain: float = 0.02, version: str = "latest", progress: Progress = silent
    ) -> CollectionBrief:
        """Return what to gather for a slice: which rows, and how many for which expected gain; dev and test are not read.

        Parameters
        ----------
        name : of a declared slice, or of one that the last run discovered
        gain : of the slice's score, for which a number of rows is sought
        version : whose train rows are learnt from
        progress : told of each fit
        """
        from tilth.loop.briefing import brief_of

        repository = self.repository()
        found = self._version(repository, version)
        return brief_of(self.file, self.folder, repository, found, name, wanted=gain, progress=progress)

    def test(self, *, against: str | None = None, progress: Progress = silent) -> GateSummary:
        """Return whether the newest version passes what `tests:` in tilth.yaml asks, against the version before or a named one."""
        from tilth.loop.checks import written_checks
        from tilth.loop.gate import run_gate
        from tilth.loop.gate_pair import version_before
        from tilth.loop.slices import declared_slices

        repository = self.repository()
        version = self._version(repository, "latest")
        if not repository.records("held"):
            raise self._not_run()
        before = version_before(repository, version) if against is None else self._version(repository, against)
        path = None if self.file.python is None else self.folder / self.file.python
        written = () if path is None else written_checks(path, self.file.schema)
        declared = declared_slices(self.file, self.folder)
        return run_gate(self.file, repository, version, before, progress, written, declared, self.folder)

    def plan_test(self) -> RowsPlan:
        """Return how many test rows, and labels, each condition needs for its tolerance; no test row is asked."""
        from tilth.loop.gate_rows import rows_plan

        return rows_plan(self.file)

    def estimate(self, table: Any, *, version: str = "latest", progress: Progress = silent) -> UnlabelledScore:
        """Return the score to be expected on new rows without labels, how foreign they are, and their predictions.

        Raises NotApplicable where fewer than 100 dev rows have a label to go by.
        """
        from tilth.loop.declaring import told_slices
        from tilth.loop.held import reading_workshop
        from tilth.loop.unlabelled_score import estimated_score
        from tilth.sources import open_source

        repository = self.repository()
        found = self._version(repository, version)
        if not repository.records("held"):
            raise self._not_run()
        slices, notes = told_slices(self.file, self.folder, repository)
        with reading_workshop(self.file, repository, found, progress=progress, slices=slices) as workshop:
            return estimated_score(workshop, found, open_source(table).table, notes)
