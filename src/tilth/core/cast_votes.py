"""CastVotes: what the labelers of a project said of a version's rows."""

from __future__ import annotations

from dataclasses import dataclass

from tilth.core.arrays import IntVector
from tilth.core.said import Failure
from tilth.core.votes import Votes

__all__ = ["CastVotes", "LabelerRun"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelerRun:
    """One labeler's part.

    Parameters
    ----------
    name : its name
    where : the file and the line in which it is written
    columns : what it reads
    cast : on how many rows it voted now, rather than being remembered
    failures : rows on which it failed, and abstains
    unseen : why its votes are not remembered, or empty
    former : names of earlier label sets that it said on the rows that it voted on now, each with what it counts as today
    """

    name: str
    where: str
    columns: tuple[str, ...]
    cast: int
    failures: tuple[Failure, ...] = ()
    unseen: str = ""
    former: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CastVotes:
    """Votes of a version.

    Parameters
    ----------
    votes : over the rows that were voted on, in storage order
    positions : (n,) where these rows stand in the version
    runs : one entry per labeler, in the order of the votes
    """

    votes: Votes
    positions: IntVector
    runs: tuple[LabelerRun, ...]
