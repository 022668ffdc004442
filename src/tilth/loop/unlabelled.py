"""The first labels of a source that has none: a random sample is asked for, and the answers are cut into train, dev and test.

Only answers to rows that were drawn at random may judge: those found by a model would be the hard ones. Until there are two
classes to learn from and dev rows to choose by, nothing is fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.edit import Edit
from tilth.core.errors import LabelError
from tilth.core.ids import cell_digests
from tilth.core.names import ROW_ID, SPLIT, Split
from tilth.core.rng import generator
from tilth.loop.frames import class_codes
from tilth.loop.ledger import Draw, Ledger
from tilth.loop.question import Question
from tilth.loop.splits import FEWEST_ROWS, SplitPlan, SplitRows, assign
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["first_questions", "first_splits", "is_too_bare", "refuse_too_bare"]

JUDGED = (str(Split.TRAIN), str(Split.DEV), str(Split.TEST))


def is_too_bare(repository: Repository, version: Version) -> bool:
    """Whether a source without labels has not been given enough of them to learn and to choose."""
    if not _began_bare(repository, version):
        return False
    train, dev = (_classes_in(repository, version, split) for split in (Split.TRAIN, Split.DEV))
    return train < 2 or dev < 1


def refuse_too_bare(repository: Repository, version: Version) -> None:
    """Refuse to fit where people have to label rows first, and say how."""
    if not is_too_bare(repository, version):
        return
    dataset = repository.dataset(version)
    labelled = dataset.mask(Split.TRAIN, Split.DEV, Split.TEST)
    what = (
        f"only {labelled.sum():,} rows have a label, too few to learn from and to judge by"
        if labelled.any()
        else f"no row has a label yet: all {dataset.n_rows:,} rows are the pool"
    )
    raise LabelError(
        what,
        where=f"column {version.schema.task.label!r}",
        next_step="tilth ask --top 100 -o questions.csv, fill in its column `answer`, then "
        "tilth answer questions.csv && tilth run",
    )


def first_questions(repository: Repository, version: Version, seed: int, top: int) -> list[Question]:
    """Return a random sample of the pool, as questions without suggestions; the draw is recorded in the ledger."""
    dataset = repository.dataset(version)
    pool = np.flatnonzero(dataset.mask(Split.POOL))
    order = generator(seed, "sample", str(Split.POOL)).permutation(pool)[:top]
    ids = dataset.row_ids.take(pa.array(order)).to_pylist()
    draw = Draw(
        purpose="sample",
        edit=None,
        parent=version.version,
        split=str(Split.POOL),
        ids=tuple(ids),
        n_disagreeing=0,
        n_rows=len(pool),
    )
    Ledger(repository).record_draw(draw)
    reason = "random sample: the first labels"
    return [Question(row_id=row, split=str(Split.POOL), given=None, suggestion=None, reason=reason) for row in ids]


def first_splits(repository: Repository, version: Version, edit: Edit, plan: SplitPlan, seed: int) -> Edit:
    """Return an edit of answers with its randomly drawn pool rows cut into train, dev and test.

    Where the source has labels, or fewer than 10 such rows are answered, the edit is returned as it is: they learn.
    """
    if SPLIT not in edit.set or not _began_bare(repository, version):
        return edit
    moved = edit.set[SPLIT]
    draws = [d for d in Ledger(repository).draws() if d.purpose == "sample" and d.split == str(Split.POOL)]
    drawn = pa.array(sorted({row for draw in draws for row in draw.ids}), pa.string())
    rows = np.flatnonzero(np.asarray(pc.is_in(moved.column(ROW_ID), value_set=drawn)))
    if len(rows) < FEWEST_ROWS:
        return edit
    ids = moved.column(ROW_ID).combine_chunks()
    cut = assign(_as_rows(version, edit, ids.take(pa.array(rows))), _no_names(plan), seed).splits
    splits = np.asarray(moved.column("value").to_pylist(), dtype="<U6")
    splits[rows] = cut
    cells = pa.table({ROW_ID: ids, "value": pa.array(splits.tolist(), pa.string())})
    reason = f"{edit.reason}; those drawn at random are cut into train, dev and test"
    return replace(edit, reason=reason, set={**edit.set, SPLIT: cells}, evaluation=True)


def _as_rows(version: Version, edit: Edit, ids: pa.Array) -> SplitRows:
    label = version.schema.task.label
    answers = edit.set[label]
    at = pc.index_in(ids, value_set=answers.column(ROW_ID).combine_chunks())
    codes, labelled = class_codes(pa.table({label: answers.column("value").take(at)}), version.schema)
    return SplitRows(
        digests=cell_digests(ids), labelled=labelled, classes=codes, class_names=version.schema.task.classes
    )


def _no_names(plan: SplitPlan) -> SplitPlan:
    """The sample is cut by its shares alone: it is random, so time and names have no say."""
    return SplitPlan(shares=plan.shares)


def _began_bare(repository: Repository, version: Version) -> bool:
    """Whether no row of the source had a label."""
    if version.schema.task.is_regression:
        return False
    base = repository.dataset(repository.version(version.base))
    return not np.isin(base.splits.astype(str), JUDGED).any()


def _classes_in(repository: Repository, version: Version, split: Split) -> int:
    dataset = repository.dataset(version)
    codes, labelled = class_codes(dataset.read(version.schema.task.label), version.schema)
    found: Sequence[int] = np.unique(codes[labelled & dataset.mask(split)]).tolist()
    return len(found)
