"""Memory that is free but not given back: Arrow keeps what its tables took, for tables to come."""

from __future__ import annotations

import pyarrow as pa

__all__ = ["release_unused"]


def release_unused() -> None:
    """Give the pages that no Arrow table uses back to the system, so that arrays of numbers can have them."""
    pa.default_memory_pool().release_unused()
