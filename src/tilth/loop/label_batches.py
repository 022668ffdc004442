"""Votes that come in batches: each teaches the label model that the earlier ones taught, and its own rows are labelled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tilth.core.errors import UsageError
from tilth.core.labelling import Known
from tilth.core.progress import Progress, silent
from tilth.core.votes import Votes
from tilth.labeling._choose import Choice, updated_choice
from tilth.labeling._shared import EARLY, joined_known
from tilth.loop.label_state import (
    LabelState,
    batch_digest,
    load_state,
    refuse_other,
    refuse_other_reading,
    save_state,
)
from tilth.loop.label_votes import AUTO, Labelled, fitted_model, known_of_rows, labelled_by, refuse_unknown_model
from tilth.operators.registry import make
from tilth.sources._votes import ReadVotes, VoteReading, read_votes

__all__ = ["Batches", "label_batch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """Where the state is read from, and where it goes; one of them is given.

    Parameters
    ----------
    update : a state that is read, and written again where `keep` names no other file
    keep : where the state is written
    """

    update: Path | None = None
    keep: Path | None = None

    @property
    def target(self) -> Path:
        """Where the state is written."""
        target = self.keep or self.update
        assert target is not None
        return target


def label_batch(
    source: Any,
    batches: Batches,
    *,
    truth: Any = None,
    trusted: Any = None,
    model: str = AUTO,
    reading: VoteReading | None = None,
    progress: Progress = silent,
) -> tuple[Labelled, ReadVotes]:
    """Return the labels of a batch's rows by all that was learnt so far and of it, with the votes as they were read.

    Parameters
    ----------
    source, truth, trusted, reading : as `read_votes` takes them
    batches : where the state of the label model is
    model : "auto", or the name of a label model; of an update that of the state
    progress : told what is being done

    Raises
    ------
    UsageError
        The state holds these votes already, or they have other classes, labelers or another model.
    SourceError
        The state cannot be read.
    """
    refuse_unknown_model(model)
    reading = reading or VoteReading()
    state = None if batches.update is None else load_state(batches.update)
    if state is not None:
        where = str(batches.update)
        refuse_other_reading(state, reading.classes, reading.abstain, where)
        reading = replace(reading, classes=state.labelling.classes, abstain=state.abstain)
    progress("reading votes")
    read = read_votes(source, truth=truth, trusted=trusted, reading=reading)
    progress("fitting", f"{len(read.votes.rows):,} votes of {len(read.votes.labelers):,} labelers")
    labelled, kept = _begun(read, model, reading) if state is None else _continued(read, model, state, batches)
    save_state(kept, batches.target)
    return labelled, read


def _begun(read: ReadVotes, model: str, reading: VoteReading) -> tuple[Labelled, LabelState]:
    known = known_of_rows(read)
    choice = fitted_model(model, read.votes, known)
    state = LabelState(
        asked=model,
        abstain=reading.abstain,
        labelling=choice.labelling,
        rows=len(read.votes),
        batches=(batch_digest(read.votes),),
        votes=read.votes if len(read.votes) <= EARLY else None,
        known=known,
    )
    return labelled_by(choice, read, known), state


def _continued(read: ReadVotes, model: str, state: LabelState, batches: Batches) -> tuple[Labelled, LabelState]:
    where, batch = str(batches.update), batch_digest(read.votes)
    refuse_other(state, read.votes, read.form, batch, where)
    if model not in (AUTO, state.asked, state.labelling.model):
        raise UsageError(
            f"the state is of {state.labelling.model}, and {model} is asked for",
            where=where,
            next_step="leave --model out, or fit anew with --keep",
        )
    known = known_of_rows(read)
    choice, votes, told = _learnt(read.votes, known, state)
    rows = state.rows + len(read.votes)
    kept = LabelState(
        asked=state.asked,
        abstain=state.abstain,
        labelling=choice.labelling,
        rows=rows,
        batches=(*state.batches, batch),
        votes=votes if rows <= EARLY else None,
        known=told if rows <= EARLY else Known(),
    )
    note = f"batch {len(kept.batches)}: learnt together with {state.rows:,} earlier rows"
    own = replace(read, votes=read.votes.among(choice.labelling.labelers), notes=(*read.notes, note))
    return labelled_by(choice, own, known), kept


def _learnt(votes: Votes, known: Known, state: LabelState) -> tuple[Choice, Votes | None, Known]:
    """Return what is learnt with a batch, and all votes where the earlier ones are kept."""
    if state.votes is not None:
        joined = state.votes.followed_by(votes)
        told = joined_known((state.rows, state.known), (len(votes), known), votes.n_classes)
        return fitted_model(state.asked, joined, told), joined, told
    model = make("labeling", state.labelling.model)
    return updated_choice(model, state.labelling, votes, known), None, Known()
