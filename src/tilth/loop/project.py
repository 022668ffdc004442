"""The project: a folder with tilth.yaml and its store; every door calls these methods."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tilth.core.dataset import Dataset
from tilth.core.edit import Verb
from tilth.core.errors import ConfigError, ProjectNotFoundError, SourceError, UsageError, did_you_mean
from tilth.core.estimate import Estimate
from tilth.core.names import ROW_ID, SPLIT, Split
from tilth.core.progress import Progress, silent
from tilth.core.recipe import Replay
from tilth.core.schema import Role
from tilth.core.summary import Exhibit, RunSummary
from tilth.core.trial import Verdict
from tilth.engine.threads import one_thread
from tilth.loop import history, people
from tilth.loop.exhibits import exhibits_of
from tilth.loop.export import Exported, export
from tilth.loop.ingest import fingerprint, ingest
from tilth.loop.ledger import Ledger
from tilth.loop.predict import Predicted, predict
from tilth.loop.project_file import ProjectFile, budget_seconds, parse, write
from tilth.loop.run import Found, RunOptions, find_faults, run
from tilth.loop.splits import SplitPlan
from tilth.loop.workshop import Workshop
from tilth.numerics.paired_tests import beats_nothing
from tilth.sources import infer_schema, open_source
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["FILE", "STORE", "Project", "init_project", "open_project"]

FILE = "tilth.yaml"
STORE = ".tilth"


def init_project(
    source: Any,
    *,
    folder: str | Path = ".",
    label: str | None = None,
    classes: Sequence[str] = (),
    id: str | None = None,  # noqa: A002 - the name of the option
    split: str | None = None,
    text: Sequence[str] = (),
    group: str | None = None,
    time: str | None = None,
    embedding: Sequence[str] = (),
    pred_probs: Sequence[str] = (),
) -> Project:
    """Write a commented tilth.yaml for a source into a folder and return the project.

    A dataframe is written beside it as source.parquet. Refuses a folder that holds a project already.
    """
    home = Path(folder)
    if (home / FILE).exists():
        raise UsageError(
            f"there is a {FILE} already", where=str(home), next_step="edit it, or name another folder: --dir"
        )
    raw = open_source(source, may_lack=(label,) if label else ())
    found = infer_schema(
        raw.table,
        label=label,
        id=id,
        split=split,
        text=text,
        group=group,
        time=None if time == "ROW_ORDER" else time,
        embedding=embedding,
        pred_probs=pred_probs,
        classes=classes,
    )
    home.mkdir(parents=True, exist_ok=True)
    location = raw.location
    if location is None:
        location = "source.parquet"
        pq.write_table(raw.table, home / location)
    plan = SplitPlan(column=found.schema.first(Role.SPLIT), time=time)
    file = ProjectFile(source=_relative(location, home), schema=found.schema, splits=plan)
    (home / FILE).write_text(write(file, found.notes), encoding="utf-8")
    return Project(home, file)


def open_project(folder: str | Path = ".") -> Project:
    """Return the project in a folder; raises ProjectNotFoundError where there is no tilth.yaml."""
    home = Path(folder)
    path = home / FILE
    if not path.is_file():
        raise ProjectNotFoundError(
            f"no {FILE} here", where=str(home.resolve()), next_step="tilth init SOURCE --label COLUMN starts a project"
        )
    return Project(home, parse(path.read_text(encoding="utf-8"), str(path)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """A project that was read up to the newest source: its store, workshop, version and warnings."""

    repository: Repository
    workshop: Workshop
    version: Version
    warnings: tuple[str, ...]


class Project:
    """One project: run it, ask, answer, look back, export, predict."""

    def __init__(self, folder: Path, file: ProjectFile) -> None:
        self.folder, self.file = folder, file

    def __repr__(self) -> str:
        """Show where the project is and what it learns."""
        return f"Project({str(self.folder)!r}, label={self.file.schema.task.label!r})"

    def repository(self, *, make: bool = False) -> Repository:
        """Return the project's store."""
        return Repository(self.folder / STORE, make=make)

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
        options = RunOptions(
            seed=self.file.seed if seed is None else seed,
            budget_seconds=budget_seconds(budget or self.file.budget),
            verbs=_verbs(only),
            dry_run=dry_run,
            finalists=self.file.finalists,
            again=again or refit,
        )
        repository = self.repository(make=True)
        with repository.lease, one_thread():
            ready = self._ready(repository, options.seed, progress, refit=refit)
            return run(ready.workshop, ready.version, options, ready.warnings, progress)

    def find(self, *, progress: Progress = silent) -> Found:
        """Read, fit and find; nothing is tried or changed."""
        repository = self.repository(make=True)
        with repository.lease, one_thread():
            ready = self._ready(repository, self.file.seed, progress)
            return find_faults(ready.workshop, ready.version, ready.warnings, progress)

    def _ready(self, repository: Repository, seed: int, progress: Progress, *, refit: bool = False) -> _Ready:
        version, warnings = self._read(repository, progress)
        workshop = Workshop(self.file, repository, seed=seed, progress=progress, refit=refit)
        return _Ready(repository=repository, workshop=workshop, version=version, warnings=warnings)

    def _read(self, repository: Repository, progress: Progress) -> tuple[Version, tuple[str, ...]]:
        """Commit the source if it is new, replay the recipe on it, and return the version to work on."""
        progress("read", str(self.file.source))
        raw = open_source(
            _absolute(self.file.source, self.folder), project=self.folder, may_lack=(self.file.schema.task.label,)
        )
        latest = repository.latest
        mark = fingerprint(raw, self.file.schema, self.file.splits, self.file.seed)
        if latest is not None and latest.source.get("fingerprint") == mark:
            return latest, tuple(latest.source.get("warnings", ()))
        previous, day_first = None, None
        if latest is not None:
            previous = repository.dataset(repository.version(latest.base)).read(ROW_ID, SPLIT)
            day_first = latest.source.get("day_first")
        found = ingest(raw, self.file.schema, self.file.splits, self.file.seed, previous, day_first)
        facts = _plain(found.facts) | {"name": _source_name(self.file.source), "warnings": list(found.warnings)}
        progress("commit", "the source")
        base = repository.commit_source(found.table, self.file.schema, facts)
        if latest is None or not latest.recipe:
            return base, found.warnings
        return self._replay(repository, latest, base, found.warnings, progress)

    def _replay(
        self, repository: Repository, latest: Version, base: Version, warnings: Sequence[str], progress: Progress
    ) -> tuple[Version, tuple[str, ...]]:
        progress("replay", f"{len(latest.recipe)} edits")
        replay: Replay = repository.recipe(latest).replay(repository.dataset(base).read())
        version = base
        notes = list(warnings)
        for edit, skipped in zip(replay.edits, replay.skipped, strict=True):
            if edit.n_rows:
                version = repository.commit_edit(version, edit, origin="replay")
            if skipped:
                notes.append(
                    f"replay of {edit.operator}: {skipped:,} rows are gone or changed since, and were left alone"
                )
        return version, tuple(notes)

    # -- people --------------------------------------------------------------------------------------------------------

    def ask(self, *, top: int = 30, split: str | None = None, progress: Progress = silent) -> pa.Table:
        """Return the rows whose answers are worth most, as a table with an empty column `answer`."""
        repository = self.repository(make=True)
        with repository.lease, one_thread():
            ready = self._ready(repository, self.file.seed, progress)
            found = find_faults(ready.workshop, ready.version, ready.warnings, progress)
            questions = people.ask(found, top, None if split is None else Split(split))
            return people.question_table(found, questions)

    def answer(self, path: str | Path, *, annotator: str = "person") -> people.Answered:
        """Take the answers of a CSV file in: trusted labels, versioned like any edit."""
        answers = people.read_answers(Path(path))
        repository = self.repository(make=True)
        with repository.lease:
            version, _ = self._read(repository, silent)
            return self._take_answers(repository, version, answers, annotator)

    def _take_answers(
        self, repository: Repository, version: Version, answers: Sequence[tuple[str, str]], annotator: str
    ) -> people.Answered:
        edits, annotations = people.answers_as_edits(repository, version, answers)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        if annotations:
            body = [a.to_dict() | {"annotator": annotator, "answered": now} for a in annotations]
            repository.record("annotations", {"answers": body, "version": version.version})
        before = repository.dataset(version)
        changed, by_split = 0, dict.fromkeys((str(s) for s in Split), 0)
        for edit in edits:
            changed += _n_changed(edit, version.schema.task.label)
            for name in before.splits[before.positions(edit.touched)]:
                by_split[str(name)] += 1
            version = repository.commit_edit(version, edit)
        return people.Answered(
            answers=len(annotations),
            confirmed=len(annotations) - changed,
            changed=changed,
            skipped=len(answers) - len(annotations),
            by_split={name: n for name, n in by_split.items() if n},
            version=version.version,
        )

    def adopt(self, edit_id: str) -> Version:
        """Keep an edit on a person's word, whatever its verdict; the ledger says so."""
        repository = self.repository()
        with repository.lease:
            version = self._latest(repository)
            edit = history.find_edit(repository, edit_id)
            if edit.edit_id in version.recipe:
                raise UsageError(f"{edit.edit_id} is in the recipe already")
            Ledger(repository).overrule(edit.edit_id, Verdict.ADOPTED)
            workshop = Workshop(self.file, repository, seed=self.file.seed)
            return repository.commit_edit(version, workshop.fitted(version, edit), origin="adopted")

    def veto(self, edit_id: str) -> Version:
        """Refuse an edit on a person's word: it is taken back if it was kept, and never proposed again."""
        repository = self.repository()
        with repository.lease:
            version = self._latest(repository)
            edit = history.find_edit(repository, edit_id)
            Ledger(repository).overrule(edit.edit_id, Verdict.VETOED)
            return history.revert(repository, edit.edit_id) if edit.edit_id in version.recipe else version

    # -- history -------------------------------------------------------------------------------------------------------

    def dataset(self, version: str = "latest") -> Dataset:
        """Return the rows of a version."""
        repository = self.repository()
        return repository.dataset(repository.version(version))

    def diff(self, before: str, after: str, *, with_metric: bool = True) -> history.VersionDiff:
        """Return what takes one version to another, and the change of the dev score (selected) where it can be measured."""
        repository = self.repository()
        old, new = repository.version(before), repository.version(after)
        delta = self._dev_delta(repository, old, new) if with_metric else None
        return history.diff(repository, old, new, delta)

    def _dev_delta(self, repository: Repository, before: Version, after: Version) -> Estimate | None:
        if before.schema != after.schema or not repository.records("held"):
            return None
        workshop = Workshop(self.file, repository, seed=self.file.seed)
        bench = workshop.bench(after)
        judged = bench.judged(Split.DEV)
        if not len(judged):
            return None
        scores = [
            bench.scores(bench.predict(workshop.bench(v).baseline, judged.positions), judged) for v in (before, after)
        ]
        rng = np.random.default_rng(self.file.seed)
        return beats_nothing(scores[1], scores[0], judged.groups, bench.strata(judged), rng=rng).estimate

    def blame(self, row_id: str, version: str = "latest") -> history.Blame:
        """Return every edit that touched a row, with its reason and its trial."""
        repository = self.repository()
        return history.blame(repository, row_id, repository.version(version))

    def revert(self, edit_id: str) -> Version:
        """Make a version that is the current one without an edit."""
        repository = self.repository()
        with repository.lease:
            self._latest(repository)
            return history.revert(repository, history.find_edit(repository, edit_id).edit_id)

    def tag(self, name: str, version: str = "latest") -> Version:
        """Give a version a name."""
        repository = self.repository()
        if not name or name == "latest" or name.startswith("v-"):
            raise UsageError(f"{name!r} cannot be a tag", next_step="choose a name that is not latest or a version id")
        with repository.lease:
            found = repository.version(version)
            repository.record("tag", {"name": name, "version": found.version})
            return found

    def export(self, version: str, path: str | Path) -> Exported:
        """Write a version's data, and the list of what changed and why beside it."""
        repository = self.repository()
        return export(repository, repository.version(version), Path(path))

    def predict(self, table: Any, *, version: str = "latest", progress: Progress = silent) -> Predicted:
        """Predict new rows with the very code that trained."""
        repository = self.repository()
        found = repository.version(version)
        workshop = Workshop(self.file, repository, seed=self.file.seed, progress=progress)
        with one_thread():
            return predict(workshop, found, open_source(table).table)

    def last_summary(self) -> Mapping[str, Any] | None:
        """Return the recorded summary of the last run."""
        runs = self.repository().records("run")
        return runs[-1] if runs else None

    def exhibits(self, found: Found) -> tuple[Exhibit, ...]:
        """Return the worst rows of each finding, as far as visibility allows."""
        return exhibits_of(found)

    def _latest(self, repository: Repository) -> Version:
        version = repository.latest
        if version is None:
            raise ConfigError("this project has not run yet", where=str(self.folder), next_step="tilth run")
        return version


def _verbs(only: Sequence[str]) -> frozenset[str] | None:
    known = [str(verb) for verb in Verb]
    for name in only:
        if name not in known:
            raise UsageError(
                f"{name!r} is not a verb.{did_you_mean(name, known)}",
                next_step=f"--only takes some of {', '.join(known)}",
            )
    return frozenset(only) or None


def _n_changed(edit: Any, label: str) -> int:
    old = edit.expects[label].column("value").to_pylist()
    new = edit.set[label].column("value").to_pylist()
    return sum(a != b for a, b in zip(old, new, strict=True))


def _relative(location: Any, home: Path) -> Any:
    """Return paths as tilth.yaml writes them: relative to the project's folder where they are local files."""
    if isinstance(location, Mapping):
        return {name: _relative(one, home) for name, one in location.items()}
    if isinstance(location, list | tuple):
        return tuple(_relative(one, home) for one in location)
    if "://" in location:
        return location
    path = Path(location)
    path = path if path.exists() else home / path
    if not path.exists():
        raise SourceError(f"there is no {location!r}")
    try:
        return str(path.resolve().relative_to(home.resolve()))
    except ValueError:
        return os.path.relpath(path.resolve(), home.resolve())


def _absolute(source: Any, home: Path) -> Any:
    if isinstance(source, Mapping):
        return {name: _absolute(one, home) for name, one in source.items()}
    if isinstance(source, list | tuple):
        return [_absolute(one, home) for one in source]
    return source if "://" in source else str(home / source)


def _source_name(source: Any) -> str:
    if isinstance(source, Mapping):
        return ", ".join(f"{name}={one}" for name, one in source.items())
    return source if isinstance(source, str) else ", ".join(source)


def _plain(value: Any) -> Any:
    """Return facts as JSON keeps them: tuples become lists."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.item() if isinstance(value, np.generic) else value
