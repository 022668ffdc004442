"""One immutable version of a keyed table: rows by key or as a whole, in storage order.

Lance moves a row when it is rewritten, so the storage order is a hidden column that a row is given once;
what is read comes back sorted by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.errors import UnknownColumnError
from tilth.core.partitions import BLOCK_ROWS
from tilth.store._lance import ORDER, as_key_array, key_filter, lance_errors, stored_name, user_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tilth.core.arrays import Mask

__all__ = ["Keys", "TableVersion"]

Keys: TypeAlias = "pa.Array | pa.ChunkedArray | Sequence[str] | Sequence[int]"

_KEYS_PER_FILTER = 1_000
_FEW_KEYS = 20_000
"""An index look-up costs about 10 µs a key, reading a row of a scan some twentieth of that."""
_ROWS_PER_KEY = 20
_FEW_RUNS = 256


class TableVersion:
    """One version of a table (a `Partitions`)."""

    def __init__(self, dataset: Any, key: str, uri: str) -> None:
        self._lance, self._key, self._uri = dataset, key, uri

    @property
    def number(self) -> int:
        """The version's number."""
        return int(self._lance.version)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        with lance_errors(self._uri):
            return int(self._lance.count_rows())

    @property
    def schema(self) -> pa.Schema:
        """The columns as they were given, without the hidden one."""
        fields = [field for field in self._lance.schema if field.name != ORDER]
        return pa.schema([pa.field(user_name(field.name), field.type) for field in fields])

    @property
    def key_type(self) -> pa.DataType:
        """The type of the key column."""
        return self.schema.field(self._key).type

    def read(self, columns: Sequence[str] | None = None, keys: Keys | None = None) -> pa.Table:
        """Return the named columns of all rows, or of those of the keys that exist, in storage order."""
        names = self._stored(columns)
        with lance_errors(self._uri):
            if keys is None:
                table = self._lance.to_table(columns=[*names, ORDER])
            else:
                table = self._pick(names, pc.unique(as_key_array(keys, self.key_type)))
        return _as_given(_in_order(table))

    def blocks(self, columns: Sequence[str] | None = None, block_rows: int = BLOCK_ROWS) -> Iterator[pa.Table]:
        """Yield the named columns block by block, in storage order; one empty block for no rows."""
        names = self._stored(columns)
        with lance_errors(self._uri):
            order = self._lance.to_table(columns=[ORDER]).column(0)
            sort = {} if _ascends(order) else {"order_by": [ORDER]}
            scan = self._lance.scanner(columns=[*names, ORDER], scan_in_order=True, **sort)
            for table in _recut(scan.to_batches(), scan.projected_schema, block_rows):
                yield _as_given(table)

    def has(self, keys: Keys) -> Mask:
        """Return a mask (n,): which of the keys are rows of this version."""
        wanted = as_key_array(keys, self.key_type)
        return np.asarray(pc.is_in(wanted, self.read([self._key], wanted).column(0)), dtype=np.bool_)

    def next_order(self) -> int:
        """Return the place in the storage order that the next new row takes."""
        with lance_errors(self._uri):
            last = pc.max(self._lance.to_table(columns=[ORDER]).column(0)).as_py()
        return 0 if last is None else int(last) + 1

    def row_bytes(self, columns: Sequence[str] | None = None, sample: int = 64) -> float:
        """Return the mean size of a row in memory over the named columns, from the first rows."""
        with lance_errors(self._uri):
            table = self._lance.to_table(columns=self._stored(columns), limit=sample)
        return float(table.nbytes / max(table.num_rows, 1))

    def _stored(self, columns: Sequence[str] | None) -> list[str]:
        known = self.schema.names
        for name in columns or ():
            if name not in known:
                raise UnknownColumnError.among(name, known, where=self._uri)
        return [stored_name(name) for name in (known if columns is None else columns)]

    def _pick(self, names: Sequence[str], keys: pa.Array) -> pa.Table:
        key = stored_name(self._key)
        is_few = len(keys) <= _FEW_KEYS and len(keys) * _ROWS_PER_KEY <= self._lance.count_rows()
        if len(keys) and (is_few or len(keys) <= _KEYS_PER_FILTER):
            starts = range(0, len(keys), _KEYS_PER_FILTER)
            filters = [key_filter(key, keys.slice(start, _KEYS_PER_FILTER)) for start in starts]
            return pa.concat_tables(
                self._lance.to_table(columns=[*names, ORDER], filter=condition) for condition in filters
            )
        scan = self._lance.scanner(columns=list(dict.fromkeys([*names, key, ORDER])))
        batches = [batch.filter(pc.is_in(batch.column(key), keys)) for batch in scan.to_batches()]
        return pa.Table.from_batches(batches, scan.projected_schema).select([*names, ORDER])


def _recut(batches: Iterable[pa.RecordBatch], schema: pa.Schema, n_rows: int) -> Iterator[pa.Table]:
    """Yield the same rows in tables of n_rows; the last may be shorter, and there is at least one."""
    held = schema.empty_table()
    is_first = True
    for batch in batches:
        held = pa.concat_tables([held, pa.Table.from_batches([batch])])
        while held.num_rows >= n_rows:
            yield held.slice(0, n_rows)
            held, is_first = held.slice(n_rows), False
    if held.num_rows or is_first:
        yield held


def _ascends(order: pa.ChunkedArray) -> bool:
    return bool(np.all(np.diff(order.to_numpy()) > 0))


def _in_order(table: pa.Table) -> pa.Table:
    places = np.argsort(table.column(ORDER).to_numpy())
    cuts = np.flatnonzero(np.diff(places) != 1) + 1
    if len(cuts) > _FEW_RUNS:
        return table.take(pa.array(places))
    runs = np.split(places, cuts)  # a few moved rows: what lies between them is not copied
    return pa.concat_tables([table.slice(run[0], len(run)) for run in runs if len(run)] or [table])


def _as_given(table: pa.Table) -> pa.Table:
    """Return the columns under the names that they were given, without what tells Lance how to store them."""
    kept = table.drop_columns([ORDER])
    return pa.Table.from_arrays(kept.columns, names=[user_name(name) for name in kept.column_names])
