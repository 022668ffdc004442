"""What the labelers of a project say of the rows that a run may train on, for the editor that brings them in.

Labelers vote on train and pool rows only, and the label model learns from their votes and from trusted labels: labels of dev and
test rows have no part in what is proposed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from tilth.core.arrays import FloatMatrix32, IntVector
from tilth.core.cast_votes import CastVotes, LabelerRun
from tilth.core.dataset import Dataset
from tilth.core.errors import first_three
from tilth.core.labelling import Known, VotedRows
from tilth.core.names import TRUSTED, Split
from tilth.core.progress import Progress
from tilth.loop._former_names import former_text
from tilth.loop.frames import class_codes, trusted_of
from tilth.loop.label_votes import AUTO, BASELINE, by_rows_nearby, fitted_model
from tilth.loop.labelers import NamedLabeler
from tilth.loop.voting import Shelf, cast_votes
from tilth.operators.registry import make

__all__ = ["voted_rows"]


def voted_rows(
    labelers: Sequence[NamedLabeler],
    dataset: Dataset,
    shelf: Shelf,
    progress: Progress,
    features: FloatMatrix32 | None = None,
) -> tuple[VotedRows, tuple[str, ...]]:
    """Return what votes come to for all rows of a version, in storage order, and what a reader must know.

    `features`, (n, d), say where all rows lie, for the label models that heed rows nearby; they may label rows without a vote.

    Raises
    ------
    NotApplicable
        No labeler votes on any row.
    """
    cast = cast_votes(labelers, dataset, shelf, splits=(Split.TRAIN, Split.POOL), progress=progress)
    where = None if features is None else features[cast.positions]
    known = replace(_trusted(dataset, cast.positions), embeddings=where)
    choice = fitted_model(AUTO, cast.votes, known)
    rival = make("labeling", BASELINE)
    plain = rival.predict(cast.votes, rival.fit(cast.votes))
    n, k = dataset.n_rows, cast.votes.n_classes
    probs, majority, covered = np.full((n, k), 1 / k), np.full((n, k), 1 / k), np.zeros(n, dtype=bool)
    found = choice.model.predict(cast.votes, choice.labelling, Known(embeddings=where))
    probs[cast.positions], majority[cast.positions] = found, plain
    covered[cast.positions] = cast.votes.covered
    reached = np.zeros(n, dtype=bool)
    reached[cast.positions] = by_rows_nearby(cast.votes, found, choice.labelling.prior)
    voted = VotedRows(model=choice.labelling.model, probs=probs, majority=majority, covered=covered, reached=reached)
    return voted, (*(f"labels from votes: {said}" for said in choice.labelling.warnings), *_failed(cast))


def _trusted(dataset: Dataset, positions: IntVector) -> Known:
    """Return the labels that a person confirmed, among the rows that were voted on."""
    schema = dataset.schema
    table = dataset.read(TRUSTED, schema.task.label).take(pa.array(positions))
    codes, labelled = class_codes(table, schema)
    trusted = trusted_of(table) & labelled
    return Known(truth=np.eye(schema.task.n_classes)[codes], trusted=trusted) if trusted.any() else Known()


def _failed(cast: CastVotes) -> list[str]:
    former = [former_text(run.name, name, today) for run in cast.runs for name, today in run.former]
    return [*(_failure(run) for run in cast.runs if run.failures), *former]


def _failure(run: LabelerRun) -> str:
    rows = first_three([failure.row_id for failure in run.failures])
    return f"labeler {run.name!r} failed on {len(run.failures):,} rows and abstains there: rows {rows}; tilth label says why"
