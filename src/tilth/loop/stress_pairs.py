"""Counterfactual pairs: rows of which one was made of the other. Where the label turns, the prediction should; else it should not.

Partners are named by a column (of two rows with one value, or of the partner's row id) or by a file with two columns of row ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector
from tilth.core.dataset import Dataset
from tilth.core.errors import SourceError, TilthError, UnknownColumnError
from tilth.core.names import Split
from tilth.core.schema import Role
from tilth.core.stress_summary import PairTest
from tilth.loop._stress_lines import PairsChoice
from tilth.loop.bench import Bench, Judged
from tilth.loop.stress import MOST_EXAMPLES, outcome_of
from tilth.loop.workshop import Workshop
from tilth.numerics.intervals import wilson
from tilth.sources import open_source
from tilth.store.version import Version

__all__ = ["pair_tests", "pairs_in"]


def pair_tests(
    workshop: Workshop, version: Version, choices: Sequence[PairsChoice], folder: Path, level: float = 0.95
) -> tuple[PairTest, ...]:
    """Return what tests on pairs of dev rows come to; one whose pairs cannot be read is told with its reason."""
    return tuple(_tried(workshop, version, choice, folder, level) for choice in choices)


def _tried(workshop: Workshop, version: Version, choice: PairsChoice, folder: Path, level: float) -> PairTest:
    if version.schema.task.is_regression:
        return PairTest(
            source=choice.pairs, outcome="not run", note="pairs are compared by class, and a number is learnt"
        )
    try:
        pairs, left_out = pairs_in(workshop.dataset(version), choice.pairs, folder)
    except TilthError as error:
        return PairTest(source=choice.pairs, outcome="not run", note=error.message)
    bench = workshop.bench(version)
    judged = bench.judged(Split.DEV)
    place = {int(position): at for at, position in enumerate(judged.positions)}
    inside = [(place[a], place[b]) for a, b in pairs.tolist() if a in place and b in place]
    left_out += len(pairs) - len(inside)
    if not inside:
        note = f"no pair has both rows among the labelled dev rows; {left_out:,} have not"
        return PairTest(source=choice.pairs, outcome="not run", left_out=left_out, note=note)
    return _counted(bench, judged, np.array(inside), choice, left_out, workshop.dataset(version), level)


def _counted(
    bench: Bench,
    judged: Judged,
    pairs: IntVector,
    choice: PairsChoice,
    left_out: int,
    dataset: Dataset,
    level: float,
) -> PairTest:
    decided = bench.decisions(bench.predict(bench.baseline, judged.positions))
    right = (decided == judged.labels)[pairs]
    turns = judged.labels[pairs[:, 0]] != judged.labels[pairs[:, 1]]
    consistent = (decided[pairs[:, 0]] != decided[pairs[:, 1]]) == turns
    n = len(pairs)
    shares = [wilson(float(hits.sum()), n, level) for hits in (consistent, right.all(axis=1), right[:, 0], right[:, 1])]
    ids, id_column = dataset.row_ids, dataset.schema.first(Role.ID)
    tells_ids = id_column is None or dataset.schema.may_show(id_column)
    shown = judged.positions[pairs[~consistent][:MOST_EXAMPLES]]
    return PairTest(
        source=choice.pairs,
        outcome=outcome_of(wilson(float((~consistent).sum()), n, level), choice.at_most),
        pairs=n,
        turning=int(turns.sum()),
        left_out=left_out,
        consistent=shares[0],
        both_right=shares[1],
        first=shares[2],
        second=shares[3],
        examples=tuple((str(ids[int(a)].as_py()), str(ids[int(b)].as_py())) for a, b in shown if tells_ids),
        at_most=choice.at_most,
    )


def pairs_in(dataset: Dataset, source: str, folder: Path) -> tuple[IntVector, int]:
    """Return pairs of storage positions, (m, 2), the partner that is named or comes first in front; and what has no partner.

    Parameters
    ----------
    dataset : the rows
    source : a column, or a file in the project's folder whose first two columns are row ids
    folder : the project's folder

    Raises
    ------
    UnknownColumnError
        There is neither such a column nor such a file.
    SourceError
        The file has fewer than two columns.
    """
    if source in dataset.schema.names:
        return _of_column(dataset, source)
    path = folder / source
    if not path.is_file():
        raise UnknownColumnError.among(source, dataset.schema.names, where=f"nor is there a file {path}")
    table = open_source(str(path)).table
    if table.num_columns < 2:
        raise SourceError("pairs need two columns of row ids", where=str(path), next_step="write row,partner")
    rows, partners = (table.column(at).cast(pa.string()).to_pylist() for at in (0, 1))
    place = _places(dataset)
    known = [(place[b], place[a]) for a, b in zip(rows, partners, strict=True) if a in place and b in place and a != b]
    return _array(known), len(rows) - len(known)


def _of_column(dataset: Dataset, name: str) -> tuple[IntVector, int]:
    cells = dataset.read(name).column(0).cast(pa.string()).to_pylist()
    place, splits = _places(dataset), dataset.splits
    named = [(place[cell], at) for at, cell in enumerate(cells) if cell in place and place[cell] != at]
    by_value: dict[tuple[str, str], list[int]] = {}
    for at, cell in enumerate(cells):
        if cell is not None:
            by_value.setdefault((str(splits[at]), cell), []).append(at)
    equal = [(rows[0], rows[1]) for rows in by_value.values() if len(rows) == 2]
    if len(named) > len(equal):
        return _array(named), sum(cell is not None for cell in cells) - len(named)
    return _array(equal), sum(len(rows) for rows in by_value.values() if len(rows) != 2)


def _places(dataset: Dataset) -> dict[str, int]:
    return {str(one): at for at, one in enumerate(dataset.row_ids.to_pylist())}


def _array(pairs: Sequence[tuple[int, int]]) -> IntVector:
    return np.array(pairs, dtype=np.intp).reshape(-1, 2)
