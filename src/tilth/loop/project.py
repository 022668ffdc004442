"""The project: a folder with tilth.yaml and its store; every door calls these methods.

A method imports what it needs when it is called: who looks back (`tilth log`) does not wait for what fits models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tilth.core.errors import ConfigError, ProjectNotFoundError
from tilth.core.progress import Progress, silent
from tilth.engine.threads import one_thread
from tilth.loop._project_looks import ProjectLooks
from tilth.loop.locations import FILE, STORE
from tilth.loop.project_file import parse
from tilth.store.objects import machine_error
from tilth.store.repository import Repository
from tilth.store.version import Version

if TYPE_CHECKING:
    import pyarrow as pa

    from tilth.core.answered import Answered
    from tilth.core.migration import Migration
    from tilth.core.migration_plan import MigrationPlan, TaxonomyState
    from tilth.core.people_report import PeopleReport
    from tilth.core.project_slice import ProjectSlice
    from tilth.core.summary import Exhibit, RunSummary
    from tilth.loop.found import Found
    from tilth.loop.predict import Predicted
    from tilth.loop.project_labels import LabelledProject
    from tilth.loop.working import Ready

__all__ = ["FILE", "STORE", "Project", "open_project"]


def open_project(folder: str | Path = ".") -> Project:
    """Return the project in a folder; raises ProjectNotFoundError where there is no tilth.yaml."""
    home = Path(folder)
    path = home / FILE
    if not path.is_file():
        raise ProjectNotFoundError(
            f"no {FILE} here",
            where=str(home.resolve()),
            next_step="tilth init SOURCE --label COLUMN starts a project; --dir names the folder of another",
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{FILE} is not UTF-8: {error.reason}", where=str(path), next_step="save it as UTF-8"
        ) from error
    except OSError as error:
        raise machine_error(error, str(path)) from error
    return Project(home, replace(parse(text, str(path)), home=home))


class Project(ProjectLooks):
    """One project: run it, ask, answer, look back, export, predict."""

    # -- the loop ------------------------------------------------------------------------------------------------------

    def run(
        self,
        *,
        budget: str | None = None,
        seed: int | None = None,
        only: Sequence[str] = (),
        dry_run: bool = False,
        refit: bool = False,
        again: bool = False,
        progress: Progress = silent,
    ) -> RunSummary:
        """Read, fit, find, propose, try, keep; returns the summary that the screen shows."""
        from tilth.loop.working import run_all, run_options

        options = run_options(self.file, budget=budget, seed=seed, only=only, dry_run=dry_run, again=again or refit)
        repository = self.repository(make=True)
        with repository.lease, one_thread():
            return run_all(self._ready(repository, options.seed, progress, refit=refit), options, progress)

    def find(self, *, progress: Progress = silent) -> Found:
        """Read, fit and find; nothing is tried or changed."""
        from tilth.loop.working import find_all

        repository = self.repository(make=True)
        with repository.lease, one_thread():
            return find_all(self._ready(repository, self.file.seed, progress), progress)

    def label(self, *, model: str = "auto", progress: Progress = silent) -> LabelledProject:
        """Run the project's labelers on the newest version, and label its rows; nothing is changed."""
        from tilth.loop.project_labels import label_project

        repository = self.repository(make=True)
        with repository.lease, one_thread():
            return label_project(self.file, self.folder, repository, model=model, cut=self._cut, progress=progress)

    def declare_slice(self, name: str, *, as_: str | None = None, progress: Progress = silent) -> ProjectSlice:
        """Make a slice that the last run discovered a declared one: it is written into tilth.yaml, under its name or another.

        Raises UsageError where there is no such slice, or the name is taken.
        """
        from tilth.loop.declaring import declare_slice

        repository = self.repository()
        with repository.lease:
            told, self.file = declare_slice(self.folder, self.file, repository, name, as_=as_, progress=progress)
        return told

    def _ready(self, repository: Repository, seed: int, progress: Progress, *, refit: bool = False) -> Ready:
        from tilth.loop.working import ready

        return ready(self.file, self.folder, repository, seed=seed, progress=progress, cut=self._cut, refit=refit)

    # -- the label set -------------------------------------------------------------------------------------------------

    def taxonomy(self) -> TaxonomyState:
        """Return where the label set stands: its classes, how it changed, what waits for an answer, how good its rules are."""
        from tilth.loop.migrating import state_of

        repository = self.repository()
        return state_of(self.file, repository, self._latest(repository))

    def migrate(self, migration: Migration, *, dry_run: bool = False, progress: Progress = silent) -> MigrationPlan:
        """Change the label set, or say what the change would do; the labels, and the recipe with its answers, are carried over."""
        from tilth.loop.migrating import migrate

        repository = self.repository(make=True)
        with repository.lease:
            plan, self.file = migrate(
                self.folder, self.file, repository, migration, dry_run=dry_run, cut=self._cut, progress=progress
            )
        return plan

    def take_back_migration(self, *, progress: Progress = silent) -> MigrationPlan:
        """Take the last migration back; what was answered since is carried back where it means one class there."""
        from tilth.loop.migrating import take_back

        repository = self.repository(make=True)
        with repository.lease:
            plan, self.file = take_back(self.folder, self.file, repository, cut=self._cut, progress=progress)
        return plan

    # -- people --------------------------------------------------------------------------------------------------------

    def ask(
        self,
        *,
        top: int = 30,
        split: str | None = None,
        people: Sequence[str] = (),
        each: int | None = None,
        gold: int = 0,
        notes: list[str] | None = None,
        progress: Progress = silent,
    ) -> pa.Table:
        """Return the rows whose answers are worth most, as a table with an empty column `answer`.

        With `people` each row is given to the one whose answer is expected to tell most, at most `each` rows a person; `gold` rows
        whose label is known are mixed in. What is to be said of the sheet is appended to `notes`.
        """
        from tilth.loop.sheets import SheetPlan
        from tilth.loop.working import questions, split_named

        wanted = None if split is None else split_named(split)
        plan = SheetPlan(people=tuple(people), each=each, gold=gold)
        repository = self.repository(make=True)
        with repository.lease, one_thread():
            ready = self._ready(repository, self.file.seed, progress)
            table, said = questions(ready, top, wanted, progress, plan)
        if notes is not None:
            notes += said
        return table

    def answer(
        self,
        path: str | Path,
        *,
        annotator: str | None = None,
        adjudicate: bool = False,
        columns: Sequence[str] = (),
    ) -> Answered:
        """Take the answers of a file in: recorded person by person, and trusted labels where they agree well enough.

        `annotator` is who answered where the file does not say; with `adjudicate` every answer is the last word on its row.
        """
        from tilth.loop.answer_lines import read_lines
        from tilth.loop.reading import read_source
        from tilth.loop.taking import take_answers

        task = self.file.schema.task.label
        lines = read_lines(Path(path), columns=columns, taken=self.file.schema.names, task=task)
        repository = self.repository(make=True)
        with repository.lease:
            version, _ = read_source(repository, self.file, self.folder, silent, cut=self._cut)
            return take_answers(repository, version, lines, self.file, annotator=annotator, adjudicate=adjudicate)

    def people(self) -> PeopleReport:
        """Return the report card of those who answered: how good they are, how they err, who agrees with whom."""
        from tilth.loop.people_cards import card_of_project

        repository = self.repository()
        return card_of_project(repository, self._version(repository, "latest"))

    def adopt(self, edit_id: str) -> Version:
        """Keep an edit on a person's word, whatever its verdict; the ledger says so."""
        from tilth.loop.overruling import adopt

        repository = self.repository()
        with repository.lease:
            return adopt(self.file, repository, self._latest(repository), edit_id)

    def veto(self, edit_id: str) -> Version:
        """Refuse an edit on a person's word: it is taken back if it was kept, and never proposed again."""
        from tilth.loop.overruling import veto

        repository = self.repository()
        with repository.lease:
            return veto(repository, self._latest(repository), edit_id)

    def predict(self, table: Any, *, version: str = "latest", progress: Progress = silent) -> Predicted:
        """Predict new rows with the very code that trained; nothing is written to the store, unless tilth.yaml names another model."""
        from tilth.loop.declaring import told_slices
        from tilth.loop.held import reading_workshop
        from tilth.loop.predict import predict
        from tilth.sources import open_source

        repository = self.repository()
        found = self._version(repository, version)
        if not repository.records("held"):
            raise self._not_run()
        slices, notes = told_slices(self.file, self.folder, repository)
        with reading_workshop(self.file, repository, found, progress=progress, slices=slices) as workshop:
            return predict(workshop, found, open_source(table).table, notes)

    def exhibits(self, found: Found) -> tuple[Exhibit, ...]:
        """Return the worst rows of each finding, as far as visibility allows."""
        from tilth.loop.exhibits import exhibits_of

        return exhibits_of(found)
