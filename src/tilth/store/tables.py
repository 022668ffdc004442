"""A keyed table of rows in Lance, every write of which makes a numbered version.

A row is found by its key, never by its place. A write may start from any version (`base`); where that is
not the newest, the newest is first set back to it. Left alone, Lance merges a stale writer's rows into what
another wrote meanwhile, or keeps trying until the last writer has won; here nothing is tried twice, and a
write whose number is not the one after its base is refused. Such a version is an orphan: no record names
it, and the next write sets it back.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.errors import (
    DuplicateIdError,
    InputError,
    StoreCorruptError,
    StoreLockedError,
    UnknownColumnError,
    UnknownRowError,
    first_three,
)
from tilth.store._lance import ORDER, as_key_array, check_keys, lance_errors, stored_field, stored_name
from tilth.store.table_version import Keys, TableVersion
from tilth.store.write_points import reach

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

__all__ = ["ROWS_PER_FRAGMENT", "RowTable"]

ROWS_PER_FRAGMENT = 262_144
"""Rows of one Lance file: a changed column is written anew for every file that it touches."""
_ROW_REWRITE_COST = 8
"""Rewritten rows leave holes and files that compaction must mend: they must save so many times the bytes."""


class RowTable:
    """A keyed table, every write of which returns its version; a handle costs nothing until it is used.

    Parameters
    ----------
    uri : a folder or URL of its own (see `ObjectStore.uri`)
    key : the column that identifies rows: text or whole numbers, never missing, never twice
    options : store options as Lance names them (see `ObjectStore.options`)
    """

    def __init__(self, uri: str, key: str, options: Mapping[str, str] | None = None) -> None:
        self.uri, self.key = uri, key
        self._stored_key = stored_name(key)
        self._options = dict(options or {})

    def at(self, version: int | None = None) -> TableVersion:
        """Return one version, or the newest."""
        return TableVersion(self._open(version), self.key, self.uri)

    def read(self, version: int, columns: Sequence[str] | None = None, keys: Keys | None = None) -> pa.Table:
        """Return rows of a version in storage order: see `TableVersion.read`."""
        return self.at(version).read(columns, keys)

    def versions(self) -> list[int]:
        """Return the numbers of the versions that are there, oldest first."""
        with lance_errors(self.uri):
            return sorted(int(one["version"]) for one in self._open().versions())

    def create(self, data: pa.Table | pa.RecordBatchReader) -> int:
        """Write a whole table as a new version; what stood here before stays readable by its number."""
        import lance

        if self.key not in data.schema.names:
            raise UnknownColumnError.among(self.key, data.schema.names)
        is_table = isinstance(data, pa.Table)
        if is_table:
            check_keys(data.column(self.key), self.key)
        before = self._newest_number()
        reach("table.before_write")
        with lance_errors(self.uri):
            made = lance.write_dataset(
                _with_order(data.unify_dictionaries().to_reader() if is_table else data),
                self.uri,
                mode="overwrite" if before else "create",
                max_rows_per_file=ROWS_PER_FRAGMENT,
                enable_stable_row_ids=True,
                storage_options=self._options,
            )
        if not is_table:
            check_keys(TableVersion(made, self.key, self.uri).read([self.key]).column(0), self.key)
        reach("table.before_index")
        with lance_errors(self.uri):
            made.create_scalar_index(self._stored_key, "BTREE")
        self._check_number(made, before + 2)  # the rows are one version, their index the next
        reach("table.after_write")
        return before + 2

    def update(self, changes: pa.Table, base: int | None = None) -> int:
        """Set cells from a table of the key and the changed columns; unknown rows and columns are refused."""
        before = self.at(base)
        fitted = self._fitted(changes, before)
        self._check_known(fitted.column(self._stored_key), before)
        names = [name for name in changes.column_names if name != self.key]
        if not names or not changes.num_rows:
            return before.number
        mode = _write_mode(before, names, changes.num_rows)

        def write(dataset: Any) -> None:
            merge = dataset.merge_insert(self._stored_key).when_matched_update_all()
            merge.write_mode(mode).conflict_retries(0).execute(fitted)

        return self._commit(before, write)

    def delete(self, keys: Keys, base: int | None = None) -> int:
        """Remove rows by key; unknown ones are refused."""
        before = self.at(base)
        gone = as_key_array(keys, before.key_type)
        check_keys(gone, self.key)
        self._check_known(gone, before)
        if not len(gone):
            return before.number

        def write(dataset: Any) -> None:
            merge = dataset.merge_insert(self._stored_key).when_matched_delete()
            merge.conflict_retries(0).execute(pa.table({self._stored_key: gone}))

        return self._commit(before, write)

    def append(self, rows: pa.Table, base: int | None = None) -> int:
        """Add rows at the end of the storage order; a column that is not given is missing in them."""
        import lance

        before = self.at(base)
        fitted = self._fitted(rows, before)
        keys = fitted.column(self._stored_key)
        is_known = before.has(keys)
        if is_known.any():
            twice = first_three(keys.filter(pa.array(is_known)).to_pylist())
            raise DuplicateIdError(f"rows are there already: {twice}", where=f"column {self.key!r}")
        if not rows.num_rows:
            return before.number
        start = before.next_order()
        new = fitted.append_column(ORDER, pa.array(np.arange(start, start + rows.num_rows)))
        return self._commit(before, lambda dataset: lance.write_dataset(new, dataset, mode="append"))

    def add_columns(self, data: pa.Table, base: int | None = None) -> int:
        """Add columns from a table of the key and the new columns; other rows get missing cells."""
        before = self.at(base)
        new = [name for name in data.column_names if name != self.key]
        taken = [name for name in new if name in before.schema.names]
        if taken:
            raise InputError(f"columns are there already: {first_three(taken)}", next_step="use another name")
        keys = self._fitted(data.select([self.key]), before).column(0)
        self._check_known(keys, before)
        if not new:
            return before.number
        cells = data.select(new).rename_columns([stored_name(name) for name in new])

        def write(dataset: Any) -> None:
            here = dataset.to_table(columns=[self._stored_key], scan_in_order=True).column(0)
            places = pc.index_in(here, keys)
            dataset.add_columns(cells.take(places).combine_chunks().to_reader())

        return self._commit(before, write)

    def drop_columns(self, names: Sequence[str], base: int | None = None) -> int:
        """Take columns away; the key stays."""
        before = self.at(base)
        for name in names:
            if name == self.key or name not in before.schema.names:
                known = [one for one in before.schema.names if one != self.key]
                raise UnknownColumnError.among(name, known, where=self.uri)
        stored = [stored_name(name) for name in names]
        return self._commit(before, lambda dataset: dataset.drop_columns(stored)) if stored else before.number

    def restore(self, version: int) -> int:
        """Make the newest version equal to an older one; return its number."""
        newest = self._open()
        if int(newest.version) == version:
            return version
        dataset = self._open(version)
        with lance_errors(self.uri):
            dataset.restore()
        self._check_number(dataset, int(newest.version) + 1)
        return int(dataset.version)

    def compact(self, base: int | None = None) -> int:
        """Join small files and fill holes, without touching whole ones; the rows stay what they are."""
        before = self.at(base)
        self.restore(before.number)
        dataset = self._open()
        with lance_errors(self.uri):
            dataset.optimize.optimize_indices()  # first: indexed and other files are never joined
            dataset.optimize.compact_files(target_rows_per_fragment=ROWS_PER_FRAGMENT)
        return int(dataset.version)

    def cleanup(self, keep: Iterable[int]) -> int:
        """Remove every version but the kept ones, and what killed writes left; return the bytes.

        Only the one writer may call it: files of a write that is under way would be taken for remains.
        """
        kept = set(keep)
        if not kept:
            raise InputError("at least one version must be kept", where=self.uri)
        if self.versions()[-1] not in kept:  # Lance never removes the newest: put a kept one in its place
            kept.add(self.restore(max(kept)))
        gone = [version for version in self.versions() if version not in kept]
        dataset = self._open()
        freed = 0
        with lance_errors(self.uri):
            if gone:
                freed += int(dataset.cleanup_old_versions(versions=gone).bytes_removed)
            # "Older than the oldest age" names no version: this pass takes only files that no version names.
            remains = dataset.cleanup_old_versions(older_than=timedelta(days=365_000), delete_unverified=True)
        return freed + int(remains.bytes_removed)

    def _open(self, version: int | None = None) -> Any:
        import lance

        with lance_errors(self.uri):
            return lance.dataset(self.uri, version=version, storage_options=self._options)

    def _newest_number(self) -> int:
        """Return the newest version's number; 0 where nothing was ever written."""
        import lance

        try:
            return int(lance.dataset(self.uri, storage_options=self._options).version)
        except ValueError as error:
            if "was not found" in str(error):
                return 0
            raise StoreCorruptError(f"the table cannot be opened: {error}", where=self.uri) from error

    def _commit(self, before: TableVersion, write: Callable[[Any], Any]) -> int:
        self.restore(before.number)
        dataset = self._open()
        expected = int(dataset.version) + 1
        reach("table.before_write")
        with lance_errors(self.uri):
            written = write(dataset) or dataset
        self._check_number(written, expected)
        reach("table.after_write")
        return expected

    def _check_number(self, dataset: Any, expected: int) -> None:
        if int(dataset.version) != expected:
            raise StoreLockedError(
                f"another writer changed the table: this became version {dataset.version}, not {expected}",
                where=self.uri,
                next_step="run again: the work goes on from the newest version",
            )

    def _fitted(self, data: pa.Table, version: TableVersion) -> pa.Table:
        """Return data with stored names and the table's types, its keys checked."""
        known = version.schema
        for name in (self.key, *data.column_names):
            if name not in data.column_names or name not in known.names:
                raise UnknownColumnError.among(name, known.names, where=self.uri)
        check_keys(data.column(self.key), self.key)
        columns = {}
        for name in data.column_names:
            kind = known.field(name).type
            try:
                columns[stored_name(name)] = data.column(name).cast(kind)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                what = f"cells of {data.column(name).type} do not fit a column of {kind}: {error}"
                raise InputError(what, where=f"column {name!r}") from error
        return pa.table(columns)

    def _check_known(self, keys: pa.Array | pa.ChunkedArray, version: TableVersion) -> None:
        is_known = version.has(keys)
        if not is_known.all():
            unknown = keys.filter(pa.array(~is_known)).to_pylist()
            raise UnknownRowError(f"no such rows: {first_three(unknown)}", where=self.uri)


def _with_order(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """Return the rows under stored names, each with its place in the storage order."""
    given = [stored_field(field.name, field.type) for field in reader.schema]
    schema = pa.schema([*given, pa.field(ORDER, pa.int64())])

    def batches() -> Iterator[pa.RecordBatch]:
        start = 0
        for batch in reader:
            places = pa.array(np.arange(start, start + batch.num_rows, dtype=np.int64))
            yield pa.RecordBatch.from_arrays([*batch.columns, places], schema=schema)
            start += batch.num_rows

    return pa.RecordBatchReader.from_batches(schema, batches())


def _write_mode(
    version: TableVersion, names: Sequence[str], n_changed: int
) -> Literal["rewrite_rows", "rewrite_columns"]:
    """Choose what is cheaper to write: the changed rows as a whole, or the changed columns of whole files."""
    share_of_rows = n_changed / max(version.n_rows, 1)
    share_of_bytes = version.row_bytes(names) / max(version.row_bytes(), 1.0)
    return "rewrite_rows" if share_of_rows * _ROW_REWRITE_COST < share_of_bytes else "rewrite_columns"
