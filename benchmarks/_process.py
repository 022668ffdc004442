"""A command in a process of its own, and what the kernel says that it took."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

__all__ = ["Spent", "resident_peak", "spent"]

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"), "1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """CPU seconds (user and system), wall seconds and peak MB of one process, its exit status, and what it printed."""

    cpu: float
    wall: float
    memory: float
    status: int
    printed: str
    errors: str


def spent(command: Sequence[str]) -> Spent:
    """Run a command with one thread; the caller should be small, for the kernel counts what it holds when it forks."""
    began = perf_counter()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, env={**os.environ, **ONE_THREAD})
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        printed, errors = ((file.seek(0), file.read().decode(errors="replace"))[1] for file in (out, err))
    return Spent(
        cpu=used.ru_utime + used.ru_stime,
        wall=perf_counter() - began,
        memory=used.ru_maxrss / 1024,
        status=process.returncode,
        printed=printed,
        errors=errors,
    )


def resident_peak() -> float:
    """Return the largest resident size of this process up to now, in MB."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
