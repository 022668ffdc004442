"""Edits under their ids: the facts as JSON, the cells and rows as Arrow streams; the facts are written last."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tilth.core.edit import Edit
from tilth.core.errors import StoreCorruptError, UnknownVersionError
from tilth.store.evidence import load_table, save_table

if TYPE_CHECKING:
    import pyarrow as pa

    from tilth.store.objects import ObjectStore

__all__ = ["EditShelf"]


class EditShelf:
    """Keep and give back edits; what comes back has the id that it was asked by."""

    def __init__(self, store: ObjectStore, prefix: str = "edits") -> None:
        self._store, self._prefix = store, prefix

    def ids(self) -> list[str]:
        """Return the ids of all edits that are kept, whole or not, in the order of the ids."""
        depth = self._prefix.count("/") + 1
        return sorted({one.path.split("/")[depth] for one in self._store.entries(self._prefix)})

    def save(self, edit: Edit) -> None:
        """Keep an edit; one that is there whole stays as it is, and a damaged one is mended."""
        if self._is_whole(edit.edit_id):
            return
        tables = edit.to_tables()
        for number, table in enumerate(tables.values()):
            save_table(self._store, self._table_path(edit.edit_id, number), table)
        facts = edit.describe() | {"tables": list(tables)}
        self._store.put(self._facts_path(edit.edit_id), json.dumps(facts, allow_nan=False).encode())

    def load(self, edit_id: str) -> Edit:
        """Return an edit.

        Raises
        ------
        UnknownVersionError
            There is none of that id.
        StoreCorruptError
            It is there but cannot be read back, or is not what was kept under this id.
        """
        try:
            raw = self._store.get(self._facts_path(edit_id))
        except FileNotFoundError:
            raise UnknownVersionError(f"no edit {edit_id!r}", next_step="tilth log lists edits") from None
        try:
            facts = json.loads(raw)
            tables = {name: self._table(edit_id, number) for number, name in enumerate(facts["tables"])}
            edit = Edit.from_parts(facts, tables)
            is_same = edit.edit_id == edit_id
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._corrupt(edit_id, "cannot be read") from error
        if not is_same:
            raise self._corrupt(edit_id, "is not what was kept under this id")
        return edit

    def delete(self, edit_id: str) -> int:
        """Forget an edit, its facts first, and return the bytes that it took."""
        files = self._store.entries(f"{self._prefix}/{edit_id}")
        self._store.delete(self._facts_path(edit_id))
        for file in files:
            self._store.delete(file.path)
        return sum(file.size for file in files)

    def _is_whole(self, edit_id: str) -> bool:
        try:
            self.load(edit_id)
        except (UnknownVersionError, StoreCorruptError):
            return False
        return True

    def _table(self, edit_id: str, number: int) -> pa.Table:
        table = load_table(self._store, self._table_path(edit_id, number))
        if table is None:
            raise self._corrupt(edit_id, f"has lost its table {number}")
        return table

    def _facts_path(self, edit_id: str) -> str:
        return f"{self._prefix}/{edit_id}/edit.json"

    def _table_path(self, edit_id: str, number: int) -> str:
        return f"{self._prefix}/{edit_id}/{number}.arrows"

    def _corrupt(self, edit_id: str, what: str) -> StoreCorruptError:
        return StoreCorruptError(
            f"edit {edit_id} {what}; the versions themselves are kept apart from it",
            where=self._store.uri(f"{self._prefix}/{edit_id}"),
            next_step="put this folder back from a copy, or see with `tilth doctor` what else is damaged",
        )
