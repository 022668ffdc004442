"""`tilth label` in a project: run the labelers on the newest version, label its rows, hold each labeler against what is known.

A label model learns from votes and from trusted labels of train and pool rows. Labels of dev rows measure, and nothing else;
labels of test rows are not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector, Mask
from tilth.core.cast_votes import CastVotes
from tilth.core.dataset import Dataset
from tilth.core.errors import UsageError, did_you_mean, first_three
from tilth.core.label_summary import Explanation
from tilth.core.names import ROW_ID, SPLIT, TRUSTED, Split
from tilth.core.progress import Progress, silent
from tilth.core.project_labels import LabelerCheck, Place, ProjectLabels, WrongRow
from tilth.core.schema import ColumnType
from tilth.labeling.near_votes import LEAST_LABELERS
from tilth.loop._former_names import former_text
from tilth.loop.frames import class_codes, trusted_of
from tilth.loop.label_places import places_of
from tilth.loop.label_votes import AUTO, Labelled, label_read
from tilth.loop.labelers import labelers_of
from tilth.loop.near_labelers import near_labelers
from tilth.loop.next_labelers import next_places
from tilth.loop.project_file import ProjectFile
from tilth.loop.reading import read_source
from tilth.loop.visibility import HIDDEN, may_quote, may_tell
from tilth.loop.voting import cast_votes
from tilth.sources._row_classes import RowClasses
from tilth.sources._votes import ReadVotes
from tilth.store.repository import Repository

__all__ = ["LabelledProject", "label_project"]

NEARBY = "near_votes"
MOST_PLACED = 20_000
"""Rows up to which `auto` heeds rows nearby: about a second, after which an edited labeler should have been seen."""
LONGEST = 200
"""Signs of a cell that are listed."""


class LabelledProject:
    """A project whose labelers have voted: the summary, and what it takes to look further.

    Parameters
    ----------
    summary : what is shown
    labelled : the labels, and what explains a row
    dataset : the version's rows
    cast : the votes
    """

    __slots__ = ("_known", "cast", "dataset", "labelled", "summary")

    def __init__(self, summary: ProjectLabels, labelled: Labelled, dataset: Dataset, cast: CastVotes) -> None:
        self.summary, self.labelled, self.dataset, self.cast = summary, labelled, dataset, cast
        self._known = _KnownLabels(dataset, cast.positions)

    def wrong(self, labeler: str) -> tuple[WrongRow, ...]:
        """Return the train and pool rows whose label is not what a labeler says, trusted ones first.

        Raises
        ------
        UsageError
            No labeler of that name, or its rows would tell cells that may not be shown.
        """
        names = self.cast.votes.labelers
        if labeler not in names:
            raise UsageError(
                f"no labeler is called {labeler!r}.{did_you_mean(labeler, names)}",
                next_step=f"the labelers are {', '.join(names)}",
            )
        self._refuse_hidden(labeler)
        votes, known = self.cast.votes, self._known
        mine = votes.sources == names.index(labeler)
        rows, said = votes.rows[mine], votes.said[mine]
        wrong = known.listed[rows] & (known.codes[rows] != said)
        rows, said = rows[wrong], said[wrong]
        order = np.argsort(~known.trusted[rows], kind="stable")
        return self._described(rows[order], said[order])

    def explain(self, row: str) -> Explanation:
        """Return what each vote on a row did for its label; what a labeler of hidden columns says stays hidden."""
        told = self.labelled.explain(row)
        hidden = {run.name for run in self.cast.runs if self._hidden_of(run.name)}
        votes = tuple(replace(vote, said=HIDDEN) if vote.labeler in hidden else vote for vote in told.votes)
        return replace(told, votes=votes)

    def _hidden_of(self, labeler: str) -> list[str]:
        """Return the columns of a labeler whose cells may not be shown, which its votes would tell."""
        (run,) = (run for run in self.cast.runs if run.name == labeler)
        return [name for name in run.columns if not may_tell(self.dataset.schema, name)]

    def _refuse_hidden(self, labeler: str) -> None:
        label = self.dataset.schema.task.label
        hidden = [*self._hidden_of(labeler), *([] if may_tell(self.dataset.schema, label) else [label])]
        if hidden:
            raise UsageError(
                f"rows are not listed: they would tell cells of {hidden[0]!r}, which may not be shown",
                next_step="its errors are counted on the screen; tilth.yaml says what may be shown, under visibility",
            )

    def next_places(self) -> tuple[Place, ...]:
        """Return the rows at which the next labeler should look: those without a vote, and those of conflict."""
        labels = self._known.codes, self._known.listed
        return next_places(self.dataset, self.cast, labels)

    def _described(self, rows: IntVector, said: IntVector) -> tuple[WrongRow, ...]:
        schema, known, classes = self.dataset.schema, self._known, self.cast.votes.classes
        unshown = (ColumnType.IMAGE, ColumnType.EMBEDDING)
        shown = [c.name for c in schema.columns if schema.may_show(c.name) and c.type not in unshown]
        shown = [name for name in shown if name != schema.task.label]
        at = pa.array(self.cast.positions[rows])
        table = self.dataset.read(ROW_ID, SPLIT, *shown).take(at)
        cells = {name: pc.utf8_slice_codeunits(table.column(name).cast(pa.string()), 0, LONGEST) for name in shown}
        texts = {name: column.to_pylist() for name, column in cells.items()}
        return tuple(
            WrongRow(
                row_id=str(row_id),
                split=split,
                says=classes[said[place]],
                label=classes[known.codes[rows[place]]],
                is_trusted=bool(known.trusted[rows[place]]),
                cells={name: column[place] or "" for name, column in texts.items()},
            )
            for place, (row_id, split) in enumerate(
                zip(table.column(ROW_ID).to_pylist(), table.column(SPLIT).to_pylist(), strict=True)
            )
        )


def label_project(
    file: ProjectFile,
    folder: Path,
    repository: Repository,
    *,
    model: str = AUTO,
    cut: bool = True,
    progress: Progress = silent,
) -> LabelledProject:
    """Read the source, run the labelers, label; the caller holds the lease.

    Parameters
    ----------
    file : what tilth.yaml says
    folder : where the project lies
    repository : its store
    model : "auto", or the name of a label model
    cut : whether missing splits are cut
    progress : told what is done

    Raises
    ------
    ConfigError, UnknownColumnError, LabelError, ContractError
        Labelers that cannot be run, or that say what is no class.
    NotApplicable
        No labeler votes on any row, or the label model that was named is not for these votes.
    """
    labelers, said = labelers_of(file, folder)
    version, warnings = read_source(repository, file, folder, progress, cut=cut)
    dataset = repository.dataset(version)
    labelers = near_labelers(labelers, file, repository, dataset, progress)
    cast = cast_votes(labelers, dataset, repository.row_evidence, progress=progress)
    known = _KnownLabels(dataset, cast.positions)
    read = ReadVotes(
        votes=cast.votes,
        name=f"{len(labelers):,} labelers",
        truth=RowClasses(classes=known.codes, known=known.judging) if known.judging.any() else None,
        trusted=RowClasses(classes=known.codes, known=known.learning) if known.learning.any() else None,
        notes=(_note(len(cast.votes), known),),
    )
    places, unplaced = None, tuple[str, ...]()
    if model in (AUTO, NEARBY) and len(labelers) >= LEAST_LABELERS:
        if model == AUTO and len(cast.positions) > MOST_PLACED:
            unplaced = (
                f"{len(cast.positions):,} rows are too many to heed rows nearby at once: --model {NEARBY} does",
            )
        else:
            places, unplaced = places_of(file, repository, dataset, cast.positions, progress)
    labelled = label_read(read, model, progress, places)
    summary = ProjectLabels(
        version=version.version,
        labels=labelled.summary,
        checks=_checks(cast, known),
        warnings=tuple(dict.fromkeys((*warnings, *said, *unplaced, *_of_runs(cast)))),
        messages=may_quote(dataset.schema),
    )
    return LabelledProject(summary, labelled, dataset, cast)


class _KnownLabels:
    """Labels of the rows that were voted on: (n,) class numbers, and which of them may be used for what.

    `learning` are trusted labels that a model may learn from, `judging` labels of dev rows, `listed` labels of train and pool rows
    that labelers are held against row by row.
    """

    def __init__(self, dataset: Dataset, positions: IntVector) -> None:
        schema = dataset.schema
        table = dataset.read(SPLIT, TRUSTED, schema.task.label).take(pa.array(positions))
        split = np.asarray(table.column(SPLIT).to_pylist(), dtype=str)
        self.codes, labelled = class_codes(table, schema)
        self.trusted: Mask = trusted_of(table) & labelled
        is_dev = split == str(Split.DEV)
        self.learning: Mask = self.trusted & ~is_dev
        self.judging: Mask = labelled & is_dev
        self.listed: Mask = labelled & ~is_dev


def _note(rows: int, known: _KnownLabels) -> str:
    parts = [f"on {rows:,} rows of train, pool and dev"]
    if known.learning.any():
        parts.append(f"{int(known.learning.sum()):,} trusted labels teach the model")
    if known.judging.any():
        parts.append(f"{int(known.judging.sum()):,} labels of dev measure")
    return "; ".join(parts)


def _checks(cast: CastVotes, known: _KnownLabels) -> tuple[LabelerCheck, ...]:
    votes, m = cast.votes, len(cast.votes.labelers)
    wrong = known.codes[votes.rows] != votes.said

    def counted(rows: Mask) -> tuple[Sequence[int], Sequence[int]]:
        met = rows[votes.rows]
        found = np.bincount(votes.sources[met & wrong], minlength=m), np.bincount(votes.sources[met], minlength=m)
        return found[0].tolist(), found[1].tolist()

    trusted, of_trusted = counted(known.learning)
    given, of_given = counted(known.listed & ~known.trusted)
    return tuple(
        LabelerCheck(run=run, trusted=trusted[j], of_trusted=of_trusted[j], given=given[j], of_given=of_given[j])
        for j, run in enumerate(cast.runs)
    )


def _of_runs(cast: CastVotes) -> list[str]:
    votes, n_votes = cast.votes, np.bincount(cast.votes.sources, minlength=len(cast.runs))
    first = first_three(votes.row_ids.slice(0, 3).to_pylist())
    strange = [
        run.name for run, count in zip(cast.runs, n_votes, strict=True) if run.columns == (ROW_ID,) and not count
    ]
    said = [
        f"labeler {name!r} names no row of this version: votes of files join by row id, and ids are such as {first}"
        for name in strange
    ]
    said += [former_text(run.name, name, today) for run in cast.runs for name, today in run.former]
    return said + [
        f"labeler {run.name!r} votes anew in each run: {run.unseen}, which cannot be compared from run to run"
        for run in cast.runs
        if run.unseen
    ]
