"""One writer at a time: a lease that ends by itself.

A lease is a row of numbered records, `lease/<n>.json`, and the one with the highest number holds. Taking,
renewing and giving back a lease all create the next number, which only one of two writers can do:
put-if-absent is the only thing that a store must offer (a local folder has no compare-and-swap). A record
is removed only after a higher one exists; therefore whoever has created a number, and then sees none above
it, holds the lease.

Clocks of different machines need not agree for the data to be safe: the commit log refuses a writer that
was overtaken. They only decide how long one waits for a machine that died. On the same machine nobody
waits: a dead process is seen.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import socket
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tilth.core.errors import MachineError, StoreLockedError
from tilth.store.objects import ObjectExistsError, ObjectStore
from tilth.store.write_points import reach

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["Holder", "Lease"]

_LOG = logging.getLogger(__name__)
_NAME = re.compile(r"(?:.*/)?(\d{20})\.json")
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lease, and until when (seconds since 1970).

    `machine` tells this boot and process namespace from any other; `started` tells a process from a later
    one that was given the same number.
    """

    host: str
    machine: str
    pid: int
    started: str
    token: str
    deadline: float

    @classmethod
    def here(cls, deadline: float) -> Holder:
        """Return this process as a holder, under a fresh token."""
        pid, token = os.getpid(), secrets.token_hex(16)
        return cls(socket.gethostname(), _machine(), pid, _started(pid), token, deadline)

    def has_died(self) -> bool:
        """Say whether the process is known to be gone; False where that cannot be known from here."""
        if self.machine != _machine() or os.name != "posix":
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return _started(self.pid) != self.started

    def __str__(self) -> str:
        until = datetime.fromtimestamp(self.deadline, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"process {self.pid} on {self.host}, until {until}"


class Lease:
    """The right to write to a project, as a context manager.

    Parameters
    ----------
    store : where the project is
    seconds : how long the lease lasts without a renewal; a thread renews it three times as often
    clock : seconds since 1970
    renews : whether that thread runs
    """

    def __init__(
        self,
        store: ObjectStore,
        *,
        seconds: float = 60.0,
        clock: Callable[[], float] = time.time,
        renews: bool = True,
        prefix: str = "lease",
    ) -> None:
        self._store, self._prefix = store, prefix
        self._seconds, self._clock, self._renews = seconds, clock, renews
        self._mine: Holder | None = None
        self._was_lost = False
        self._guard = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def holder(self) -> Holder | None:
        """Return who holds the lease now, whoever it is, or None."""
        holder = self._newest()[1]
        return None if holder is None or self._is_over(holder) else holder

    def acquire(self) -> None:
        """Take the lease; refuse while another living process holds it."""
        with self._guard:
            number, holder = self._newest()
            if holder is not None and not self._is_over(holder):
                raise self._held_by(holder)
            self._claim(number + 1, Holder.here(self._clock() + self._seconds))
        if self._renews:
            self._stop.clear()
            self._thread = threading.Thread(target=self._keep, name="tilth-lease", daemon=True)
            self._thread.start()

    def renew(self) -> None:
        """Move the deadline on; refuse where the lease was lost to another."""
        with self._guard:
            mine = self._require()
            newest, holder = self._newest()
            if holder is None or holder.token != mine.token:
                self._mine, self._was_lost = None, True
                raise self._lost(holder)
            self._claim(newest + 1, replace(mine, deadline=self._clock() + self._seconds))

    def check(self) -> None:
        """Refuse to write where the lease was not taken, has run out or was lost, and say who holds it; else costs no request."""
        mine = self._require()
        if self._clock() >= mine.deadline:
            raise self._ran_out(mine)

    def release(self) -> None:
        """Give the lease back; where it was lost already, do nothing."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._guard:
            if self._mine is None:
                return
            mine, self._mine, self._was_lost = self._mine, None, False
            newest, holder = self._newest()
            if holder is not None and holder.token == mine.token and self._create(newest + 1, None):
                self._forget_below(newest + 1)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _require(self) -> Holder:
        if self._mine is None:
            holder = self.holder()
            if self._was_lost:
                raise self._lost(holder)
            raise self._not_taken() if holder is None else self._held_by(holder)
        return self._mine

    def _claim(self, number: int, holder: Holder) -> None:
        reach("lease.before_claim")
        created = self._create(number, holder)
        newest, other = self._newest()
        if not created or newest != number:
            self._mine, self._was_lost = None, self._mine is not None
            raise self._held_by(other) if other is not None else self._lost(None)
        self._mine, self._was_lost = holder, False
        reach("lease.after_claim")
        self._forget_below(number)

    def _create(self, number: int, holder: Holder | None) -> bool:
        record = {"format": _FORMAT, "holder": asdict(holder) if holder else None}
        data = json.dumps(record, sort_keys=True).encode()
        try:
            self._store.create(self._path(number), data)
        except ObjectExistsError:
            # A request sent again after a lost answer meets its own record: the token tells.
            return holder is not None and self._store.exists(self._path(number)) and self._read(number) == holder
        return True

    def _newest(self) -> tuple[int, Holder | None]:
        while numbers := self._numbers():
            with suppress(FileNotFoundError):  # overtaken between the listing and the reading: look again
                return numbers[-1], self._read(numbers[-1])
        return 0, None

    def _numbers(self) -> list[int]:
        listed = self._store.entries(self._prefix)
        return [int(found[1]) for one in listed if (found := _NAME.fullmatch(one.path))]

    def _read(self, number: int) -> Holder | None:
        try:
            record: Any = json.loads(self._store.get(self._path(number)))
            return None if record["holder"] is None else Holder(**record["holder"])
        except (ValueError, TypeError, KeyError):
            # Only a crash of the whole machine leaves such a record, and no writer survives that.
            _LOG.warning("lease record %d cannot be read; taken as free", number)
            return None

    def _is_over(self, holder: Holder) -> bool:
        return self._clock() >= holder.deadline or holder.has_died()

    def _forget_below(self, number: int) -> None:
        for old in self._numbers():
            if old < number:
                self._store.delete(self._path(old))

    def _path(self, number: int) -> str:
        return f"{self._prefix}/{number:020d}.json"

    def _keep(self) -> None:
        while not self._stop.wait(self._seconds / 3):
            try:
                self.renew()
            except StoreLockedError as error:
                _LOG.warning("the lease is lost: %s", error)
                return
            except MachineError as error:  # the next try may succeed; until then `check` watches the deadline
                _LOG.warning("the lease could not be renewed: %s", error)

    def _held_by(self, holder: Holder) -> StoreLockedError:
        return StoreLockedError(
            f"another writer holds this project: {_named(holder)}",
            where=self._store.root,
            next_step="wait until it has finished; a writer that died is replaced when its time is over",
        )

    def _lost(self, holder: Holder | None) -> StoreLockedError:
        to = f" to {_named(holder)}" if holder is not None else ""
        return StoreLockedError(
            f"the right to write was lost{to}; what was committed before is whole",
            where=self._store.root,
            next_step="run again: the work goes on from the newest version",
        )

    def _ran_out(self, mine: Holder) -> StoreLockedError:
        other = self.holder()
        if other is not None and other.token != mine.token:
            return self._lost(other)
        return StoreLockedError(
            "the right to write ran out, as it was not renewed in time; what was committed before is whole",
            where=self._store.root,
            next_step="run again: the work goes on from the newest version",
        )

    def _not_taken(self) -> StoreLockedError:
        return StoreLockedError(
            "the right to write was not taken, and nobody holds it",
            where=self._store.root,
            next_step="write inside `with repository.lease:`; the methods of a project do",
        )


def _named(holder: Holder) -> str:
    here = holder.pid == os.getpid() and holder.machine == _machine()
    return f"{'this very process, ' if here else ''}{holder}"


def _machine() -> str:
    """Digest of the boot and of the process namespace: where process numbers mean the same."""
    parts = [socket.gethostname(), f"{uuid.getnode():x}"]
    boot, namespace = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    if boot.exists():
        parts = [boot.read_text().strip()]
    if namespace.is_symlink():
        parts.append(str(namespace.readlink()))
    return blake2b("|".join(parts).encode(), digest_size=8).hexdigest()


def _started(pid: int) -> str:
    """When a process began, in the kernel's ticks, or "dead"; empty where the system does not say."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "dead" if state in "ZX" else rest[18]
    except (OSError, ValueError, IndexError):
        return ""
