"""People's generators: which are declared, what they made of train rows, asked once per row and function, and never more often than said.

Answers are kept by the digest of the function and of the row's cells, every few calls, so that a run that was killed takes up where
it stopped. A row on which it failed is asked again in the next run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector
from tilth.core.dataset import Dataset
from tilth.core.errors import ConfigError, UnknownColumnError, did_you_mean
from tilth.core.generated import Generated
from tilth.core.ids import cell_digests, digest_of, hex_ids, row_digests
from tilth.core.names import PARENTS, ROW_ID, Split
from tilth.core.progress import Progress
from tilth.core.rng import row_uniforms
from tilth.loop.frames import class_codes, made_rows
from tilth.loop.project_file import ProjectFile
from tilth.loop.python_file import load_functions
from tilth.loop.visibility import may_tell
from tilth.operators._label_rows import rows_of
from tilth.operators.batch import Batch
from tilth.operators.function_digest import Unseen, function_digest
from tilth.operators.generators import FunctionGenerator
from tilth.store.repository import Repository

__all__ = ["DeclaredGenerator", "declared_generators", "generated_rows"]

KEPT_EVERY = 20
"""Calls after which answers are written down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredGenerator:
    """A generator that tilth.yaml names; `key` is its digest, "" where it cannot be known to be what it was."""

    function: FunctionGenerator
    key: str


def declared_generators(file: ProjectFile, folder: Path) -> tuple[DeclaredGenerator, ...]:
    """Return the generators that tilth.yaml names; none of the others is ever called.

    Raises
    ------
    ConfigError
        There is no such generator in the Python file.
    UnknownColumnError
        It declares a column that there is not.
    """
    if not file.generators:
        return ()
    functions = load_functions(folder / file.python) if file.python is not None else ()
    known = {one.name: one for one in functions if isinstance(one, FunctionGenerator)}
    found = []
    for name in file.generators:
        if name not in known:
            raise ConfigError(
                f"there is no generator {name!r} in the Python file.{did_you_mean(name, known)}",
                where="generators",
                next_step="decorate one with @tilth.generator in the file that python: names",
            )
        one = known[name]
        for column in one.columns:
            if column not in [feature.name for feature in file.schema.features]:
                raise UnknownColumnError.among(column, file.schema.names, where=f"generator {name!r}")
        try:
            key = function_digest(one.function, (folder / str(file.python)).parent)
        except Unseen:
            key = ""
        found.append(DeclaredGenerator(function=one, key=key))
    return tuple(found)


def generated_rows(
    declared: Sequence[DeclaredGenerator], dataset: Dataset, repository: Repository, seed: int, progress: Progress
) -> tuple[Mapping[str, Generated], list[str]]:
    """Return what each generator made of labelled train rows of the source, and what a reader must know."""
    found: dict[str, Generated] = {}
    notes: list[str] = []
    for one in declared:
        made = _Asking(one, dataset, repository, seed, progress).made()
        found[one.function.name] = made
        if made.failed:
            names = one.function.columns or tuple(column.name for column in dataset.schema.features)
            what = made.reason if all(may_tell(dataset.schema, name) for name in names) else "an error"
            notes.append(f"generator {one.function.name!r} failed on {made.failed:,} of {made.calls:,} rows: {what}")
    return found, notes


class _Asking:
    """One generator on the rows of one version."""

    def __init__(
        self, one: DeclaredGenerator, dataset: Dataset, repository: Repository, seed: int, progress: Progress
    ) -> None:
        self._function, self._repository, self._progress = one.function, repository, progress
        names = one.function.columns or tuple(column.name for column in dataset.schema.features)
        label = dataset.schema.task.label
        rows = _asked(dataset, seed, one.function)
        self._table = dataset.read(*dict.fromkeys([ROW_ID, *names, label])).take(pa.array(rows))
        self._names = names
        self._digests = hex_ids(row_digests(self._table, [*names, label]))
        fresh = "" if one.key else len(repository.records("run"))
        self._key = digest_of(["generated", one.function.name, one.key, fresh])

    def made(self) -> Generated:
        """Return the rows, asking of those of which nothing is kept."""
        kept = self._kept()
        n_known, failed, reason = len(kept), 0, ""
        kinds = {name: self._table.schema.field(name).type for name in self._names}
        batch = Batch(
            ids=self._table.column(ROW_ID).combine_chunks(),
            columns={name: self._table.column(name).combine_chunks() for name in self._names},
        )
        for place, (digest, row) in enumerate(zip(self._digests, rows_of(batch), strict=True)):
            if digest in kept:
                continue
            self._progress("generate", self._function.name, place, len(batch))
            try:
                kept[digest] = json.dumps(self._function.made(row, kinds))
            except Exception as error:  # noqa: BLE001 - a generator's failure on a row makes no row, and is counted
                failed += 1
                reason = reason or f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
            if len(kept) - n_known >= KEPT_EVERY:
                self._keep(kept)
                n_known = len(kept)
        self._keep(kept)
        return self._gathered(kept, kinds, failed, reason)

    def _gathered(
        self, kept: Mapping[str, str], kinds: Mapping[str, pa.DataType], failed: int, reason: str
    ) -> Generated:
        lines: dict[str, list[Any]] = {name: [] for name in self._names}
        parents: list[str] = []
        own = {name: self._table.column(name).to_pylist() for name in self._names}
        for place, (row, digest) in enumerate(zip(self._table.column(ROW_ID).to_pylist(), self._digests, strict=True)):
            for one in json.loads(kept.get(digest, "[]")):
                parents.append(row)
                for name in self._names:
                    lines[name].append(one.get(name, own[name][place]))
        cells = pa.table({name: pa.array(values, kinds[name]) for name, values in lines.items()})
        calls = len(self._digests)
        return Generated(cells=cells, parents=pa.array(parents, pa.string()), calls=calls, failed=failed, reason=reason)

    def _kept(self) -> dict[str, str]:
        table = self._repository.evidence.get(self._key)
        if table is None:
            return {}
        return dict(zip(table.column("row").to_pylist(), table.column("answer").to_pylist(), strict=True))

    def _keep(self, kept: Mapping[str, str]) -> None:
        table = pa.table(
            {"row": pa.array(list(kept), pa.string()), "answer": pa.array(list(kept.values()), pa.string())}
        )
        self._repository.evidence.put(self._key, table)


def _asked(dataset: Dataset, seed: int, function: FunctionGenerator) -> IntVector:
    """Return the storage positions of the rows that a generator is asked of: drawn by their ids, of every class in turn."""
    table = dataset.read(ROW_ID, PARENTS, dataset.schema.task.label)
    codes, labelled = class_codes(table, dataset.schema)
    rows = np.flatnonzero(dataset.mask(Split.TRAIN) & labelled & ~made_rows(table))
    draws = row_uniforms(cell_digests(table.column(ROW_ID).take(pa.array(rows))), seed, "generator", function.name)
    order = np.lexsort((draws, codes[rows]))
    turn = np.zeros(len(rows), dtype=np.intp)
    for c in np.unique(codes[rows]):
        mine = order[codes[rows][order] == c]
        turn[mine] = np.arange(len(mine))
    return np.sort(rows[np.lexsort((draws, turn))][: function.most_calls])
