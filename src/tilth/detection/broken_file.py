"""Broken files: rows whose file could not be read.

    flagged: every train or pool row that the source names as broken
    severity = 1 for a broken row, 0 for another

There is no finding without such a row: a file of which no row was made, and rows of dev and test, are named in the
source's warnings.

Source: Abedjan, Golab, Naumann (2015), Profiling relational data: a survey, VLDB Journal 24 (what cannot be
parsed is a finding).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tilth.core.errors import NotApplicable
from tilth.core.names import Split
from tilth.detection._shared import named, share_of, texts

if TYPE_CHECKING:
    from tilth.core.finding import Finding
    from tilth.operators.view import Scope, View

__all__ = ["BrokenFile", "broken_reasons"]

PREFIX = "broken_"


def broken_reasons(facts: Mapping[str, Any], ids: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return why each broken row is broken, by row id, and the broken files of which no row was made.

    Every fact whose name begins with `broken_` counts: a mapping of row id to reason, or a sequence of row
    ids or of (row, path, reason), where the row is an id, a position in the source, or None. Positions are
    used only while the source's rows are the view's. O(broken rows).

    Parameters
    ----------
    facts : mapping
        Facts about the source, such as {"broken_images": {"row-7": "truncated"}, "rows": 100}.
    ids : sequence of str, (n,)
        Row ids in storage order.

    Returns
    -------
    reasons : dict
        Row id -> reason; the fact's name in words where no reason is given.
    others : list of str
        Paths of broken files without a row.

    Randomness
    ----------
    None.

    Source
    ------
    Abedjan, Golab, Naumann (2015), VLDB Journal 24.

    Examples
    --------
    >>> broken_reasons({"broken_images": [(1, "b.png", "cut short")], "rows": 2}, ["r0", "r1"])
    ({'r1': 'cut short'}, [])
    """
    reasons: dict[str, str] = {}
    others: list[str] = []
    in_place = facts.get("rows") == len(ids)
    for name in sorted(name for name in facts if name.startswith(PREFIX)):
        plain = name.replace("_", " ").removesuffix("s")
        for row, path, why in _entries(facts[name]):
            if isinstance(row, int) and in_place:
                reasons[ids[row]] = why or plain
            elif isinstance(row, str):
                reasons[row] = why or plain
            else:
                others.append(path)
    return reasons, others


def _entries(fact: Any) -> list[tuple[int | str | None, str, str]]:
    """Bring a fact about broken files to (row, path, reason)."""
    if isinstance(fact, Mapping):
        return [(row, "", str(why)) for row, why in fact.items()]
    return [(entry, "", "") if isinstance(entry, str) else tuple(entry) for entry in fact]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenFile:
    """Flag rows whose image or other file was unreadable when the source was read.

    Broken rows of dev and test, and files of which no row was made, are counted in the summary and not flagged: no
    edit may touch the former, and the latter have no row. Where there is nothing else, nothing is reported.

    Raises
    ------
    NotApplicable
        The source keeps no facts about files.

    Randomness
    ----------
    None.

    Source
    ------
    Abedjan, Golab, Naumann (2015), VLDB Journal 24.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"source", "splits"})
    scope: ClassVar[Scope] = "all"
    revision: ClassVar[int] = 2

    def find(self, view: View) -> Sequence[Finding]:
        """Return one finding about the rows, or none when the file of every train and pool row was read."""
        if not view.has("source") or not any(name.startswith(PREFIX) for name in view.source):
            raise NotApplicable("the source holds no files")
        ids = view.ids.to_pylist()
        reasons, others = broken_reasons(view.source, ids)
        broken = np.array([row in reasons for row in ids], dtype=bool)
        flagged = broken & np.isin(view.splits.astype(str), [str(Split.TRAIN), str(Split.POOL)])
        if not flagged.any():
            return []
        text = f"The files of {share_of(int(broken.sum()), len(view))} could not be read."
        if (elsewhere := int((broken & ~flagged).sum())) > 0:
            text += f" {elsewhere:,} of these rows stand outside train and pool."
        if others:
            text += f" No row was made of {len(others):,} broken files: {named(others, 3)}."
        return [
            view.finding(
                "broken_file",
                broken.astype(np.float64),
                flagged=flagged,
                summary=text,
                threshold="the file is missing, cut short, or not of a kind that can be decoded",
                suggestion="bring the files again; until then the rows are learnt from without them",
                evidence={"reason": texts((reasons.get(row, "") for row in ids), broken)},
            )
        ]
