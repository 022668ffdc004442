"""Vectors of rows by the digest of what they were computed from: editing 1 % of the rows recomputes 1 %.

Each file holds vectors sorted by digest. After an addition, neighbouring sizes that differ by less than a
factor of two are merged, so that n rows lie in at most about log2(n) files and each was copied as often at
most. A vector that a killed merge left twice is the same in both places.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tilth.core.errors import ContractError
from tilth.core.partitions import BLOCK_ROWS
from tilth.store.evidence import load_table, save_table

if TYPE_CHECKING:
    from tilth.core.arrays import Bits, FloatMatrix32, IntVector, Mask
    from tilth.core.ids import Digests
    from tilth.store.objects import ObjectStore

__all__ = ["RowEvidence"]


@dataclass(frozen=True, slots=True)
class _Part:
    """One file: digests in ascending order and their vectors."""

    path: str
    high: Bits
    low: Bits
    matrix: FloatMatrix32

    def places(self, digests: Digests) -> IntVector:
        """Return where each digest lies in this part, and -1 for those that do not."""
        places = np.full(len(digests), -1, dtype=np.intp)
        at = np.searchsorted(self.high, digests[:, 0])
        open_ = np.arange(len(digests))
        while open_.size:  # more than one turn only where two digests share their first 64 bits
            open_ = open_[at[open_] < len(self.high)]
            open_ = open_[self.high[at[open_]] == digests[open_, 0]]
            is_same = self.low[at[open_]] == digests[open_, 1]
            places[open_[is_same]] = at[open_[is_same]]
            open_ = open_[~is_same]
            at[open_] += 1
        return places


class RowEvidence:
    """float32 vectors of one width by 128-bit digest, for one operator spec.

    Parameters
    ----------
    store : where the project is
    key : digest of spec, revision and fitted state
    """

    def __init__(self, store: ObjectStore, key: str, prefix: str = "evidence/rows") -> None:
        self._store, self._folder = store, f"{prefix}/{key}"
        self._loaded: list[_Part] | None = None

    def __len__(self) -> int:
        """Return the number of vectors kept (one that a killed merge left twice counts twice)."""
        return sum(len(part.high) for part in self._parts())

    def lookup(self, digests: Digests) -> tuple[Mask, FloatMatrix32]:
        """Return a mask (n,) of the known among (n, 2) digests, and their vectors (n_known, d) in order."""
        part_of, places = self._locate(digests)
        is_known = places >= 0
        chosen = np.flatnonzero(is_known)
        width = self._parts()[0].matrix.shape[1] if self._parts() else 0
        found = np.empty((len(chosen), width), dtype=np.float32)
        for number, part in enumerate(self._parts()):
            here = np.flatnonzero(part_of[chosen] == number)
            for start in range(0, len(here), BLOCK_ROWS):  # no copy of what may be gigabytes
                some = here[start : start + BLOCK_ROWS]
                found[some] = part.matrix[places[chosen[some]]]
        return is_known, found

    def add(self, digests: Digests, matrix: FloatMatrix32) -> None:
        """Keep the (n, d) vectors of n digests; those that are known already are left as they are."""
        matrix = np.asarray(matrix, dtype=np.float32)
        if digests.shape != (len(matrix), 2) or matrix.ndim != 2:
            raise ContractError(f"{digests.shape} digests do not fit vectors of shape {matrix.shape}")
        parts = self._parts()
        if parts and parts[0].matrix.shape[1] != matrix.shape[1]:
            raise ContractError(f"vectors of width {matrix.shape[1]} beside others of {parts[0].matrix.shape[1]}")
        new = np.flatnonzero(self._locate(digests)[1] < 0)
        if not new.size:
            return
        fresh = matrix if len(new) == len(matrix) else matrix[new]
        parts.append(self._save(digests[new, 0], digests[new, 1], fresh))
        self._merge(parts)

    def _locate(self, digests: Digests) -> tuple[IntVector, IntVector]:
        part_of = np.zeros(len(digests), dtype=np.intp)
        places = np.full(len(digests), -1, dtype=np.intp)
        for number, part in enumerate(self._parts()):
            rest = np.flatnonzero(places < 0)
            places[rest] = part.places(digests[rest])
            part_of[rest] = number
        return part_of, places

    def _parts(self) -> list[_Part]:
        if self._loaded is None:
            paths = [one.path for one in self._store.entries(self._folder)]
            parts = [part for path in paths if (part := _load(self._store, path)) is not None]
            self._loaded = sorted(parts, key=lambda part: len(part.high), reverse=True)
        return self._loaded

    def _save(self, high: Bits, low: Bits, matrix: FloatMatrix32) -> _Part:
        if not _ascends(high, low):
            order = np.lexsort((low, high))
            high, low = high[order], low[order]
            is_first = np.ones(len(high), dtype=np.bool_)
            is_first[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
            high, low, matrix = high[is_first], low[is_first], matrix[order[is_first]]
        name = blake2b(high.tobytes() + low.tobytes(), digest_size=12).hexdigest()
        path = f"{self._folder}/{name}.arrows"
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), matrix.shape[1])
        save_table(self._store, path, pa.table({"high": high, "low": low, "vector": vectors}))
        return _Part(path, high, low, matrix)

    def _merge(self, parts: list[_Part]) -> None:
        """Merge the two smallest files as long as they are about as large as each other."""
        parts.sort(key=lambda part: len(part.high), reverse=True)
        while len(parts) > 1 and len(parts[-2].high) <= 2 * len(parts[-1].high):
            pair = [parts.pop(), parts.pop()]
            columns = [np.concatenate(arrays) for arrays in zip(*[(p.high, p.low) for p in pair], strict=True)]
            merged = self._save(columns[0], columns[1], np.concatenate([part.matrix for part in pair]))
            for part in pair:
                if part.path != merged.path:
                    self._store.delete(part.path)
            parts.append(merged)
            parts.sort(key=lambda part: len(part.high), reverse=True)


def _ascends(high: Bits, low: Bits) -> bool:
    """Whether digests stand in ascending order and none twice: then nothing is moved."""
    return bool(((high[1:] > high[:-1]) | ((high[1:] == high[:-1]) & (low[1:] > low[:-1]))).all())


def _load(store: ObjectStore, path: str) -> _Part | None:
    table = load_table(store, path)
    if table is None or not table.num_rows:
        return None
    high, low, vectors = (table.column(name).combine_chunks() for name in ("high", "low", "vector"))
    matrix = vectors.flatten().to_numpy(zero_copy_only=False).reshape(-1, vectors.type.list_size)
    return _Part(path, high.to_numpy(), low.to_numpy(), matrix)
