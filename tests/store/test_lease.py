"""One writer at a time: who is refused, who takes over, and that exactly one of many wins."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tilth.core.errors import StoreLockedError
from tilth.store.lease import Holder, Lease
from tilth.store.objects import ObjectStore


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def lease(store: ObjectStore, clock: Clock) -> Lease:
    return Lease(store, seconds=60, clock=clock, renews=False)


def plant(store: ObjectStore, holder: Holder, number: int = 5) -> None:
    store.put(f"lease/{number:020d}.json", json.dumps({"format": 1, "holder": asdict(holder)}).encode())


def test_the_second_writer_is_told_who_holds_it_and_until_when(store: ObjectStore, clock: Clock) -> None:
    with lease(store, clock), pytest.raises(StoreLockedError) as refusal:
        lease(store, clock).acquire()
    assert f"process {os.getpid()}" in refusal.value.what
    assert "until 1970-01-12 13:47:40 UTC" in refusal.value.what  # 1,000,060 s
    assert refusal.value.where == store.root


def test_a_lease_given_back_is_free_at_once(store: ObjectStore, clock: Clock) -> None:
    first = lease(store, clock)
    with first:
        assert first.holder() is not None
    assert first.holder() is None
    with lease(store, clock):
        pass
    assert len(store.entries("lease")) == 1


def test_an_expired_lease_is_taken_over_and_its_holder_told(store: ObjectStore, clock: Clock) -> None:
    slept, awake = lease(store, clock), lease(store, clock)
    slept.acquire()
    clock.now += 59
    slept.check()
    with pytest.raises(StoreLockedError):
        awake.acquire()
    clock.now += 1
    awake.acquire()
    for act in (slept.check, slept.renew, slept.check):
        with pytest.raises(StoreLockedError, match="lost"):
            act()
    slept.release()  # does not take the other's lease away
    awake.check()
    holder = awake.holder()
    assert holder is not None
    assert holder.deadline == clock.now + 60


def test_who_writes_without_the_lease_is_told_who_holds_it_and_what_to_do(store: ObjectStore, clock: Clock) -> None:
    bare, held = lease(store, clock), lease(store, clock)
    with pytest.raises(
        StoreLockedError, match=r"right to write was not taken, and nobody holds it.*→ .*with repository.lease"
    ):
        bare.check()
    held.acquire()
    mine = f"process {os.getpid()} on {socket.gethostname()}, until "
    with pytest.raises(StoreLockedError, match=rf"this very process, {re.escape(mine)}.*→ wait until it has finished"):
        bare.check()
    clock.now += 61
    with pytest.raises(StoreLockedError, match=r"the right to write ran out.*whole.*→ run again"):
        held.check()
    bare.acquire()
    with pytest.raises(StoreLockedError, match=rf"right to write was lost to this very process, {re.escape(mine)}"):
        held.check()
    held.release()
    with pytest.raises(StoreLockedError, match="another writer holds this project"):
        held.check()


def test_renewal_moves_the_deadline(store: ObjectStore, clock: Clock) -> None:
    held = lease(store, clock)
    held.acquire()
    for _ in range(5):
        clock.now += 50
        held.renew()
    held.check()
    with pytest.raises(StoreLockedError):
        lease(store, clock).acquire()
    assert len(store.entries("lease")) == 1


def test_a_lease_that_ran_out_untaken_may_be_renewed(store: ObjectStore, clock: Clock) -> None:
    held = lease(store, clock)
    held.acquire()
    clock.now += 100
    with pytest.raises(StoreLockedError):
        held.check()
    held.renew()
    held.check()


def test_a_dead_process_on_this_machine_blocks_nobody(store: ObjectStore, clock: Clock) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    here = Holder.here(clock.now + 60)
    holder = replace(Holder.here(clock.now + 60), pid=child.pid, token="other")
    alive = replace(holder, started=_start_of(child.pid) or here.started)
    plant(store, alive)
    with pytest.raises(StoreLockedError, match=f"process {child.pid}"):
        lease(store, clock).acquire()
    child.send_signal(signal.SIGKILL)
    while _start_of(child.pid) != "dead":  # killed, but not yet waited for
        pass
    assert alive.has_died()
    assert child.stdin is not None
    child.stdin.close()
    child.wait()
    assert alive.has_died()
    lease(store, clock).acquire()


def _start_of(pid: int) -> str:
    from tilth.store.lease import _started

    if not Path("/proc/self/stat").exists():
        pytest.skip("needs /proc")
    return _started(pid)


def test_a_process_number_used_again_blocks_nobody(store: ObjectStore, clock: Clock) -> None:
    _start_of(os.getpid())
    plant(store, replace(Holder.here(clock.now + 60), started="1", token="other"))
    lease(store, clock).acquire()


def test_a_process_of_another_machine_is_waited_for(store: ObjectStore, clock: Clock) -> None:
    plant(store, Holder("far", "other-machine", 2**22 + 1, "1", "t", clock.now + 60))
    with pytest.raises(StoreLockedError, match="on far"):
        lease(store, clock).acquire()
    clock.now += 60
    lease(store, clock).acquire()


def test_an_unreadable_record_is_free(store: ObjectStore, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    store.put(f"lease/{3:020d}.json", b"")
    lease(store, clock).acquire()
    assert "cannot be read" in caplog.text
    assert [one.path for one in store.entries("lease")] == [f"lease/{4:020d}.json"]


def test_whoever_creates_a_number_below_the_highest_has_lost(store: ObjectStore, clock: Clock) -> None:
    """A contender read 5 and slept; the holder went on to 7 and removed 6, which is now created in vain."""
    plant(store, Holder("far", "m", 1, "1", "t", clock.now + 60), number=7)
    contender = lease(store, clock)
    with pytest.raises(StoreLockedError, match="on far"):
        contender._claim(6, Holder.here(clock.now + 60))
    with pytest.raises(StoreLockedError):
        contender.check()


def test_of_many_contenders_one_wins(store: ObjectStore, clock: Clock) -> None:
    leases = [lease(store, clock) for _ in range(8)]
    barrier = threading.Barrier(len(leases))
    outcomes: list[bool] = []

    def contend(one: Lease) -> None:
        barrier.wait()
        try:
            one.acquire()
        except StoreLockedError:
            outcomes.append(False)
        else:
            outcomes.append(True)

    for _ in range(5):
        outcomes.clear()
        threads = [threading.Thread(target=contend, args=(one,)) for one in leases]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(outcomes) == 1
        for one in leases:
            one.release()


def test_an_error_inside_gives_the_lease_back(store: ObjectStore, clock: Clock) -> None:
    with pytest.raises(KeyError), lease(store, clock):
        raise KeyError
    lease(store, clock).acquire()


def test_the_thread_renews_and_stops(store: ObjectStore, clock: Clock) -> None:
    held = Lease(store, seconds=0.03, clock=clock)
    with held:
        while "3.json" not in "".join(one.path for one in store.entries("lease")):
            pass
        held.check()
        assert "tilth-lease" in {thread.name for thread in threading.enumerate()}
    assert "tilth-lease" not in {thread.name for thread in threading.enumerate()}
    assert held.holder() is None


def test_the_thread_of_a_lost_lease_ends(store: ObjectStore, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    held = Lease(store, seconds=0.03, clock=clock)
    held.acquire()
    plant(store, Holder("far", "m", 1, "1", "t", clock.now + 60), number=1000)
    while "tilth-lease" in {thread.name for thread in threading.enumerate()}:
        pass
    with pytest.raises(StoreLockedError, match="lost"):
        held.check()
    assert "on far" in caplog.text
    held.release()
