"""What a label model learnt of the batches so far, kept in a file, so that the next batch teaches it without the earlier files.

    early   up to 100,000 rows the votes themselves are kept: the model is chosen and fitted on all of them at once, as one fit would
    later   what was learnt is kept as sums; the model is held, and takes new rows in where it can

A state knows which batches it holds: the same one is not counted twice.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa

from tilth.core.errors import SourceError, UsageError, first_three
from tilth.core.labelling import Known, Labelling
from tilth.core.votes import Votes
from tilth.loop.locations import writing
from tilth.sources._vote_words import ABSTAIN

__all__ = [
    "LabelState",
    "batch_digest",
    "load_state",
    "refuse_other",
    "refuse_other_reading",
    "save_state",
]

KIND, VERSION = "tilth label state", 1
_FACTS = "facts"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelState:
    """What is kept between batches of votes.

    Parameters
    ----------
    asked : the label model that was asked for, "auto" or a name
    abstain : the word for no vote in the batches
    labelling : what the model learnt of all batches
    rows : how many rows they had
    batches : digests of the batches
    votes, known : all votes, and what was known of their rows; None once they are too many to keep
    """

    asked: str
    abstain: str
    labelling: Labelling
    rows: int
    batches: tuple[str, ...]
    votes: Votes | None = None
    known: Known = field(default_factory=Known)


def batch_digest(votes: Votes) -> str:
    """Return a digest of the votes of a batch and the ids of its rows."""
    seen = blake2b(digest_size=12)
    for name in (*votes.classes, *votes.labelers):
        seen.update(name.encode() + b"\0")
    seen.update("\0".join(map(str, votes.row_ids.to_pylist())).encode())
    for numbers in (votes.rows, votes.sources, votes.said):
        seen.update(np.ascontiguousarray(numbers, dtype=np.int64).tobytes())
    return seen.hexdigest()


def save_state(state: LabelState, path: Path) -> None:
    """Write a state; what was there stays whole until all of it is written."""
    one = state.labelling
    facts: dict[str, Any] = {
        "kind": KIND,
        "version": VERSION,
        "asked": state.asked,
        "abstain": state.abstain,
        "rows": state.rows,
        "batches": list(state.batches),
        "model": one.model,
        "why": one.why,
        "labelers": list(one.labelers),
        "classes": list(one.classes),
    }
    arrays: dict[str, Any] = {name: getattr(one, name) for name in ("prior", "coverage", "accuracy", "interval")}
    own = {
        name: values for name, values in one.parameters.items() if not name.startswith("early")
    }  # kept once, as votes
    arrays |= {f"learnt_{name}": np.asarray(values) for name, values in own.items()}
    arrays |= _of_votes(state.votes, state.known)
    arrays[_FACTS] = np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            np.savez_compressed(file, **arrays)
        beside.replace(path)


def _of_votes(votes: Votes | None, known: Known) -> dict[str, np.ndarray]:
    if votes is None:
        return {}
    kept: dict[str, np.ndarray] = {"votes": np.stack([votes.rows, votes.sources, votes.said]).astype(np.int32)}
    if known.truth is not None and known.trusted is not None:
        rows = np.flatnonzero(known.trusted)
        kept |= {"trusted": rows, "truth": known.truth[rows]}
    return kept


def load_state(path: Path) -> LabelState:
    """Return a state that was kept.

    Raises
    ------
    SourceError
        There is none, it is no state, or another release of tilth wrote it in another form.
    """
    if not path.is_file():
        raise SourceError(
            "there is no such file", where=str(path), next_step=f"tilth label VOTES --keep {path} begins one"
        )
    try:
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        facts = json.loads(arrays[_FACTS].tobytes().decode())
        if facts["kind"] != KIND:
            raise ValueError(facts["kind"])
    except (ValueError, KeyError, TypeError, OSError, EOFError, AttributeError, BadZipFile) as problem:
        raise SourceError(
            "is no state of a label model", where=str(path), next_step="name a file that --keep wrote"
        ) from problem
    if facts["version"] != VERSION:
        raise SourceError(
            f"is a state of form {facts['version']}, and this release reads form {VERSION}",
            where=str(path),
            next_step="fit anew on all votes with --keep",
        )
    return _state_of(facts, arrays)


def _state_of(facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> LabelState:
    labelers, classes = tuple(facts["labelers"]), tuple(facts["classes"])
    labelling = Labelling(
        model=facts["model"],
        labelers=labelers,
        classes=classes,
        prior=arrays["prior"],
        coverage=arrays["coverage"],
        accuracy=arrays["accuracy"],
        interval=arrays["interval"],
        parameters={
            name.removeprefix("learnt_"): values for name, values in arrays.items() if name.startswith("learnt_")
        },
        why=facts["why"],
    )
    state = LabelState(
        asked=facts["asked"],
        abstain=facts["abstain"],
        labelling=labelling,
        rows=facts["rows"],
        batches=tuple(facts["batches"]),
    )
    if "votes" not in arrays:
        return state
    rows, sources, said = arrays["votes"].astype(np.intp)
    n = state.rows
    votes = Votes(
        row_ids=pa.nulls(n, pa.string()), labelers=labelers, classes=classes, rows=rows, sources=sources, said=said
    )
    if "truth" not in arrays:
        return replace(state, votes=votes)
    truth, trusted = np.zeros((n, len(classes))), np.zeros(n, dtype=bool)
    truth[arrays["trusted"]], trusted[arrays["trusted"]] = arrays["truth"], True
    return replace(state, votes=votes, known=Known(truth=truth, trusted=trusted))


def refuse_other(state: LabelState, votes: Votes, form: str, batch: str, where: str) -> None:
    """Refuse a batch that the state holds already, or whose labelers are others; in a long table people may come and go.

    Raises
    ------
    UsageError
    """
    if batch in state.batches:
        raise UsageError("these votes are in the state already", where=where, next_step="give the votes on other rows")
    if form in ("long", "Label Studio"):
        return
    new = [name for name in votes.labelers if name not in set(state.labelling.labelers)]
    gone = [name for name in state.labelling.labelers if name not in set(votes.labelers)]
    if new or gone:
        said = [
            f"new: {first_three(map(repr, new))}" if new else "",
            f"missing: {first_three(map(repr, gone))}" if gone else "",
        ]
        raise UsageError(
            f"the labelers are not those of the state ({'; '.join(part for part in said if part)})",
            where=where,
            next_step="name the columns as in the first batch, leave others out with --ignore, or fit anew with --keep",
        )


def refuse_other_reading(state: LabelState, classes: tuple[str, ...], abstain: str, where: str) -> None:
    """Refuse class names that are not the state's, and another word for abstaining.

    Raises
    ------
    UsageError
    """
    if classes and classes != state.labelling.classes:
        raise UsageError(
            f"the classes of the state are {', '.join(state.labelling.classes)}, and others are named",
            where=where,
            next_step="leave --classes out, or fit anew with --keep",
        )
    if abstain not in (ABSTAIN, state.abstain):
        raise UsageError(
            f"{state.abstain!r} abstains in the state, and here {abstain!r}",
            where=where,
            next_step="leave --abstain out, or fit anew with --keep",
        )
