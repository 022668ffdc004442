"""The demo's truth: what was found, what was changed, and what it brought, against what was planted.

Everything of tilth is read through the doors that a user has (findings, the exported list of changes, predictions); only the
model on perfectly mended data, as the upper limit, is fitted on the bench.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tilth.cli._demo_data import World
from tilth.core.estimate import Estimate
from tilth.core.names import Split

if TYPE_CHECKING:
    from tilth.core.arrays import Mask
    from tilth.core.finding import Finding
    from tilth.core.summary import RunSummary
    from tilth.loop.project import Project

__all__ = ["DETECTED_AS", "Detected", "Gained", "Mended", "detected", "gained", "mended", "share"]

DETECTED_AS = {
    "wrong label": "label_error",
    "exact copy": "exact_duplicate",
    "near copy": "near_duplicate",
    "leak": "leakage",
    "junk": "outlier",
}
"""Kind of planted row -> kind of finding that should name it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """One kind of planted fault: how many rows were planted, how many were flagged, and how many of these were planted ones."""

    planted: str
    finding: str
    n_planted: int
    n_flagged: int
    n_found: int

    @property
    def recall(self) -> Estimate:
        """Share of the planted rows that were flagged."""
        return share(self.n_found, self.n_planted)

    @property
    def precision(self) -> Estimate:
        """Share of the flagged rows that were planted as this kind."""
        return share(self.n_found, self.n_flagged)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What the changes to train rows did, against the truth; `answered` counts labels of any split.

    A softened label is a distribution over the digits; it says the digit that has most of it.
    """

    dropped: int
    dropped_wrong: int
    dropped_planted: int
    relabelled: int
    set_right: int
    set_wrong: int
    softened: int
    turned_right: int
    turned_wrong: int
    answered: int

    @property
    def right_of_changed(self) -> float:
        """Share of the dropped and changed rows for which the truth agrees."""
        agreed = self.dropped_wrong + self.dropped_planted + self.set_right + self.turned_right
        return agreed / max(1, self.dropped + self.relabelled + self.turned_right + self.turned_wrong)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gained:
    """One step: the share of test rows that its model gets right by true labels, its gain over the first, and what tilth reported."""

    name: str
    accuracy: Estimate
    gain: Estimate | None
    summary: RunSummary | None


def share(part: int, whole: int) -> Estimate:
    """Return a share with its 95 % interval."""
    from tilth.numerics.intervals import wilson

    return wilson(part, max(whole, 1))


def detected(findings: Sequence[Finding], world: World) -> tuple[Detected, ...]:
    """Compare the flagged train rows of each kind with the planted ones; of a copy and its original either may be flagged."""
    flagged: dict[str, frozenset[str]] = {f.kind: frozenset(f.flagged_ids.to_pylist()) for f in findings}
    splits = dict(zip(world.table["row_id"].to_pylist(), world.table["split"].to_pylist(), strict=True))
    rows = []
    for planted, kind in DETECTED_AS.items():
        mine = {row for row in flagged.get(kind, ()) if splits[row] == Split.TRAIN}
        there = world.planted(planted)
        copy_of = {world.copied[row]: row for row in there if row in world.copied}
        mine = {copy_of.get(row, row) for row in mine}
        rows.append(
            Detected(
                planted=planted, finding=kind, n_planted=len(there), n_flagged=len(mine), n_found=len(mine & there)
            )
        )
    return tuple(rows)


def mended(changes: pa.Table, world: World, label: str = "digit") -> Mended:
    """Compare the exported list of changes with the truth; only answers count outside of train."""
    splits = dict(zip(world.table["row_id"].to_pylist(), world.table["split"].to_pylist(), strict=True))
    lines = [line for line in changes.to_pylist() if splits[line["row_id"]] == Split.TRAIN]
    wrong = world.wrong[Split.TRAIN]
    dropped = {line["row_id"] for line in lines if line["new"] == "dropped"}
    last = {line["row_id"]: line["new"] for line in lines if line["column"] == label and line["old"] != line["new"]}
    kept = {row: new for row, new in last.items() if row not in dropped}
    set_right = {row for row, new in kept.items() if row in wrong and new == world.truth[row]}
    targets = {
        line["row_id"]: line["new"] for line in lines if line["column"] == "target" and line["row_id"] not in dropped
    }
    soft = {row: _said(target) for row, target in targets.items() if target}  # an answer takes the soft label away
    turned = {row for row, digit in soft.items() if (digit != world.truth[row]) != (row in wrong)} - world.kinds.keys()
    return Mended(
        dropped=len(dropped),
        dropped_wrong=len(dropped & wrong),
        dropped_planted=len((dropped - wrong) & world.kinds.keys()),
        relabelled=len(kept),
        set_right=len(set_right),
        set_wrong=sum(row not in wrong and row not in world.kinds for row in kept),
        softened=len(soft),
        turned_right=len(turned & wrong),
        turned_wrong=len(turned - wrong),
        answered=changes["column"].to_pylist().count("trusted"),
    )


def _said(soft: str) -> str:
    """Return the digit with most of a soft label, as the list of changes writes it."""
    return str(np.argmax([float(part) for part in soft.split()]))


def gained(project: Project, world: World, steps: Sequence[tuple[str, RunSummary | None, str]]) -> list[Gained]:
    """Return how versions do on the true labels of test, the first being where gains start, and a perfectly mended one at last.

    Parameters
    ----------
    steps : name of the step, the run that reported it, and its version
    """
    rights = [(name, summary, _right_on_test(project, world, version)) for name, summary, version in steps]
    rights.append(("mended by hand, all of it", None, _right_by_hand(project, world, steps[0][2])))
    start = rights[0][2]
    return [
        Gained(
            name=name,
            accuracy=share(int(right.sum()), len(right)),
            gain=None if right is start else _gain_between(start, right),
            summary=summary,
        )
        for name, summary, right in rights
    ]


def _right_on_test(project: Project, world: World, version: str) -> Mask:
    """Return which test rows a version's model gets right by their true labels, in the order of the source."""
    test = world.table.filter(pa.compute.equal(world.table["split"], str(Split.TEST)))
    said = project.predict(test.select(["image"]), version=version).table["prediction"].to_pylist()
    return np.array([one == world.truth[row] for one, row in zip(said, test["row_id"].to_pylist(), strict=True)])


def _right_by_hand(project: Project, world: World, version: str) -> Mask:
    """Return the same for the model on perfectly mended train rows: true labels, and none of the planted rows."""
    from tilth.core.edit import Edit, ids_of
    from tilth.core.names import ROW_ID
    from tilth.core.spec import Spec
    from tilth.engine.threads import one_thread
    from tilth.loop.workshop import Workshop

    repository = project.repository()
    workshop = Workshop(project.file, repository, seed=project.file.seed)
    bench = workshop.bench(repository.version(version))
    by_hand = Spec(room="people", name="by_hand")
    wrong = sorted(world.wrong[Split.TRAIN])
    given = dict(zip(world.table["row_id"].to_pylist(), world.table["digit"].to_pylist(), strict=True))
    right = Edit.relabelling(
        "digit",
        ids_of(wrong),
        pa.array([world.truth[row] for row in wrong]),
        pa.array([given[row] for row in wrong]),
        operator=by_hand,
        reason="by hand",
    )
    gone = Edit.removing(ids_of(sorted(world.kinds)), operator=by_hand, reason="by hand")
    test = bench.judged(Split.TEST)
    with one_thread():
        decided = bench.decisions(bench.predict(bench.fit_edited(right, gone), test.positions))
    classes = bench.schema.task.classes
    said = dict(zip(bench.table[ROW_ID].take(pa.array(test.positions)).to_pylist(), decided, strict=True))
    order = [row for row, split in zip(given, world.table["split"].to_pylist(), strict=True) if split == Split.TEST]
    return np.array([classes[said[row]] == world.truth[row] for row in order])


def _gain_between(before: Mask, after: Mask) -> Estimate:
    """Return by how much the share of right rows rose, with its paired 95 % interval."""
    from tilth.numerics.intervals import mean_interval

    return mean_interval(after.astype(np.float64) - before.astype(np.float64), bounds=(-1, 1))
