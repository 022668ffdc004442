"""What every use of Lance needs: safe column names, key filters, one tree of errors."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.errors import (
    DuplicateIdError,
    InputError,
    StoreCorruptError,
    StoreLockedError,
    TilthError,
    first_three,
)
from tilth.store.objects import machine_error

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "ORDER",
    "as_key_array",
    "check_keys",
    "key_filter",
    "lance_errors",
    "stored_field",
    "stored_name",
    "user_name",
]

# Lance writes warnings of its own to stderr, beside the progress; it reads this when it is imported, which is later.
os.environ.setdefault("LANCE_LOG", "error")

ORDER = "_tilth_order"
"""The hidden column that holds the storage order of rows: an update moves rows inside Lance."""

_UNSAFE = re.compile(r"""[.`"%]|^_(?=row|tilth)|^$""")
_CONFLICT = re.compile(r"commit conflict|concurrent writers|preempted by|Commit conflict", re.IGNORECASE)
_BROKEN = re.compile(r"not found|failed to fill|corrupt|magic|invalid range|unexpected end", re.IGNORECASE)


def stored_name(name: str) -> str:
    """Return the column name that Lance accepts: dots, quotes and reserved beginnings are written as %xx."""
    return _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}" if found[0] else "%", name)


def stored_field(name: str, kind: pa.DataType) -> pa.Field:
    """Return a field that may be missing; texts of few different words are stored as codes, were they a letter long."""
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return pa.field(stored_name(name), kind, metadata={"lance-encoding:dict-size-ratio": "1.0"} if is_text else None)


def user_name(name: str) -> str:
    """Return the column name that `stored_name` was given."""
    return re.sub(r"%([0-9A-F]{2})?", lambda found: chr(int(found[1], 16)) if found[1] else "", name)


def as_key_array(keys: object, kind: pa.DataType) -> pa.Array:
    """Return keys (a sequence or Arrow array) as one Arrow array of the key column's type."""
    if isinstance(keys, pa.ChunkedArray):
        keys = keys.combine_chunks()
    return keys.cast(kind) if isinstance(keys, pa.Array) else pa.array(keys, kind)


def check_keys(keys: pa.Array | pa.ChunkedArray, column: str) -> None:
    """Refuse keys that are missing, double, or of a type that cannot identify."""
    kind = keys.type
    if not (pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise InputError(f"ids must be text or whole numbers, not {kind}", where=f"column {column!r}")
    if keys.null_count:
        raise InputError(f"{keys.null_count:,} rows have no id", where=f"column {column!r}")
    if pc.count_distinct(keys).as_py() < len(keys):
        counts = pc.value_counts(keys)
        double = counts.filter(pc.greater(counts.field(1), 1)).field(0)
        raise DuplicateIdError(
            f"ids must be unique; twice or more: {first_three(double.to_pylist())}",
            where=f"column {column!r}",
            next_step="name another id column, or none",
        )


def key_filter(name: str, keys: pa.Array) -> str:
    """Return the SQL condition that the stored column is one of the keys."""
    values = keys.to_pylist()
    if not pa.types.is_integer(keys.type):
        values = ["'" + value.replace("'", "''") + "'" for value in values]
    return f"`{name}` IN ({','.join(map(str, values))})"


@contextmanager
def lance_errors(uri: str) -> Iterator[None]:
    """Turn what Lance raises, all of it OSError or ValueError, into refusals that say what to do."""
    try:
        yield
    except TilthError:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        text = str(error)
        if _CONFLICT.search(text):
            raise StoreLockedError(
                "another writer changed the table in the meantime",
                where=uri,
                next_step="run again: the work goes on from the newest version",
            ) from error
        if "os error" not in text and _BROKEN.search(text):
            raise StoreCorruptError(
                f"the table does not hold together: {text.splitlines()[0][:300]}",
                where=uri,
                next_step="put the folder back from a copy, or run `tilth doctor`",
            ) from error
        if isinstance(error, OSError) and "Invalid user input" not in text:
            raise machine_error(error, uri) from error
        raise
