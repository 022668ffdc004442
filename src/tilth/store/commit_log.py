"""The commit log: numbered, immutable records, the only point at which anything is committed.

Record n is the object `log/<n, 20 digits>.json`, created only if the name is free, which a local folder and
S3 alike decide for exactly one of two writers. A writer always goes on from the last record that it has
*read*: where another has written since, the number is taken and the append is refused. So a writer whose
lease was lost while it slept can never write over, or after, what it has not seen.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tilth.core.errors import ContractError, StoreCorruptError, StoreLockedError, StoreTooNewError, StoreTooOldError
from tilth.core.ids import digest_of
from tilth.store.objects import ObjectExistsError, ObjectStore
from tilth.store.write_points import reach

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FORMAT", "CommitLog", "Record"]

FORMAT: Final = 2
"""The format of a record that this code writes and reads: in 2, rows carry how they are varied in training."""

_NAME = re.compile(r"(?:.*/)?(\d{20})\.json")


@dataclass(frozen=True, slots=True)
class Record:
    """One committed fact: its number (from 1), its kind, and a JSON object for its reader."""

    number: int
    kind: str
    body: Mapping[str, Any]


class CommitLog:
    """Append to and read the records of one project."""

    def __init__(self, store: ObjectStore, prefix: str = "log") -> None:
        self._store = store
        self._prefix = prefix
        self._writer = secrets.token_hex(8)
        self._seen: int | None = None

    def records(self, since: int = 0) -> list[Record]:
        """Return the records after number `since`, in order."""
        numbers = self._numbers(since)
        raw = self._store.get_many([self._path(number) for number in numbers])
        found = [self._decode(number, data) for number, data in zip(numbers, raw, strict=True)]
        self._seen = max(since + len(found), self._seen or 0)
        return found

    def last(self) -> Record | None:
        """Return the newest record, or None where nothing was ever committed."""
        known = self._seen or 0
        newest = known + len(self._numbers(known))
        self._seen = newest
        return self._decode(newest, self._store.get(self._path(newest))) if newest else None

    def append(self, kind: str, body: Mapping[str, Any]) -> Record:
        """Commit a record under the number after the last one read; refuse if another writer was faster."""
        if self._seen is None:
            self.last()
        number = (self._seen or 0) + 1
        data = self._encode(number, kind, body)
        reach("log.before_record")
        try:
            self._store.create(self._path(number), data)
        except ObjectExistsError as error:
            # A request sent again after a lost answer meets its own record: the writer's token tells.
            if self._store.get(self._path(number)) != data:
                raise StoreLockedError(
                    f"another writer has committed record {number} in the meantime",
                    where=self._store.uri(self._path(number)),
                    next_step="run again: the work goes on from the newest version",
                ) from error
        self._seen = number
        reach("log.after_record")
        return self._decode(number, data)

    def _path(self, number: int) -> str:
        return f"{self._prefix}/{number:020d}.json"

    def _numbers(self, since: int) -> list[int]:
        listed = self._store.entries(self._prefix, after=self._path(since) if since else None)
        numbers = [int(found[1]) for one in listed if (found := _NAME.fullmatch(one.path))]
        for expected, number in enumerate(numbers, since + 1):
            if number != expected:
                raise self._corrupt(expected, "is missing while a later record is there")
        return numbers

    def _encode(self, number: int, kind: str, body: Mapping[str, Any]) -> bytes:
        plain = dict(body)
        try:
            check = digest_of([number, kind, plain], size=8)
            record = {"number": number, "kind": kind, "format": FORMAT, "body": plain, "check": check}
            data = _canonical(record | {"writer": self._writer})
            same = json.loads(data)["body"] == plain
        except (TypeError, ValueError) as error:
            raise ContractError(f"a {kind!r} record cannot be written as JSON: {error}") from error
        if not same:
            raise ContractError(f"a {kind!r} record would be read back changed: tuples or keys that are not text")
        return data

    def _decode(self, number: int, data: bytes) -> Record:
        try:
            raw = json.loads(data)
            version = raw["format"]
            if type(version) is int and version > FORMAT:
                raise StoreTooNewError(
                    f"record {number} has format {version}; this tilth reads up to {FORMAT}",
                    where=self._store.uri(self._path(number)),
                    next_step="pip install --upgrade tilth",
                )
            if type(version) is int and 0 < version < FORMAT:
                raise StoreTooOldError(
                    f"record {number} has format {version}, of an earlier tilth; this one reads format {FORMAT}",
                    where=self._store.uri(self._path(number)),
                    next_step="export it with the tilth that wrote it, and start anew with tilth init in another folder",
                )
            kind, body = raw["kind"], raw["body"]
            intact = raw["number"] == number and raw["check"] == digest_of([number, kind, body], size=8)
        except (ValueError, KeyError, TypeError) as error:
            raise self._corrupt(number, "cannot be read") from error
        if not intact or version != FORMAT:
            raise self._corrupt(number, "is not what was written")
        return Record(number, kind, body)

    def _corrupt(self, number: int, what: str) -> StoreCorruptError:
        return StoreCorruptError(
            f"record {number} of the commit log {what}",
            where=self._store.uri(self._path(number)),
            next_step="put this file back from a copy, or run `tilth doctor`",
        )


def _canonical(record: Mapping[str, Any]) -> bytes:
    text = json.dumps(record, sort_keys=True, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    return text.encode()
