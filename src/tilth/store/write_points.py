"""Named points of a write, at each of which the process can be made to die.

`TILTH_KILL_AT=log.before_record` kills the process (signal 9) when it first comes to that point;
`TILTH_KILL_AT=log.before_record:3` when it comes there for the third time. Tests walk through
`WRITE_POINTS` and show that the project reopens whole after each.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

__all__ = ["KILL_AT", "WRITE_POINTS", "reach"]

KILL_AT = "TILTH_KILL_AT"
"""The environment variable that names the point."""

WRITE_POINTS = (
    "lease.before_claim",
    "lease.after_claim",
    "table.before_write",
    "table.before_index",
    "table.after_write",
    "log.before_record",
    "log.after_record",
    "evidence.before_put",
    "evidence.after_put",
)
"""Every point, in the order in which a commit passes them."""

_reached: Counter[str] = Counter()


def reach(name: str) -> None:
    """Say that the process has come to a point; it ends here if it was told to."""
    assert name in WRITE_POINTS, name
    target = os.environ.get(KILL_AT)
    if not target:
        return
    point, _, count = target.partition(":")
    if point != name:
        return
    _reached[name] += 1
    if _reached[name] >= int(count or 1):
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
