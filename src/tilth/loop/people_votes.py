"""Answers of people as votes: one labeler per annotator, and what is known of the rows besides.

Known are rows with a last word, and gold questions. Who made a truth is not measured by it: the answers of whoever had the last
word, and those that made a label trusted before it was asked as a gold question, are no votes there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tilth.core.annotation import Annotation
from tilth.core.arrays import IntVector, Mask
from tilth.core.labelling import Known
from tilth.core.votes import Votes
from tilth.loop.annotation_log import AnnotationLog

__all__ = ["PeopleVotes", "people_votes"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PeopleVotes:
    """Votes of people.

    Parameters
    ----------
    votes : n rows in the order of their ids, one labeler per annotator by name; each votes once on a row at most
    truth : (n,) class numbers of rows whose truth is known; others hold 0
    known : (n,) rows whose truth is known
    """

    votes: Votes
    truth: IntVector
    known: Mask

    def told(self) -> Known:
        """Return what label models may learn from besides the votes."""
        if not self.known.any():
            return Known()
        return Known(truth=np.eye(self.votes.n_classes)[self.truth], trusted=self.known)


def people_votes(log: AnnotationLog, classes: Sequence[str]) -> PeopleVotes:
    """Return the newest answers as votes; answers that are no class any more are left out."""
    places = {name: number for number, name in enumerate(classes)}
    rows = log.rows
    truths = [_truth(log, row) for row in rows]
    counted = [_counted(log, row, truth) for row, truth in zip(rows, truths, strict=True)]
    people = sorted({name for said in counted for name in said})
    number = {name: at for at, name in enumerate(people)}
    triples = [
        (at, number[name], places[one.value])
        for at, said in enumerate(counted)
        for name, one in said.items()
        if one.value in places
    ]
    cast = np.array(triples, dtype=np.intp).reshape(-1, 3)
    known = np.array([truth is not None and truth in places for truth in truths], dtype=bool)
    return PeopleVotes(
        votes=Votes(
            row_ids=pa.array(rows, pa.string()),
            labelers=tuple(people),
            classes=tuple(classes),
            rows=cast[:, 0],
            sources=cast[:, 1],
            said=cast[:, 2],
        ),
        truth=np.array([places.get(truth or "", 0) for truth in truths], dtype=np.intp),
        known=known,
    )


def _truth(log: AnnotationLog, row: str) -> str | None:
    final, gold = log.last_word(row), log.gold_of(row)
    return final.value if final is not None else gold[0] if gold is not None else None


def _counted(log: AnnotationLog, row: str, truth: str | None) -> Mapping[str, Annotation]:
    """Return the answers to a row that count as votes, by annotator."""
    final = log.last_word(row)
    if final is not None:
        return {name: one for name, one in log.newest(row).items() if name != final.annotator}
    if truth is None:
        return log.newest(row)
    made_it = log.made_gold(row)
    return {name: one for name, one in log.blind(row).items() if name not in made_it}
