"""Run benchmarks by name; without a name, list them."""

from __future__ import annotations

import sys
from importlib import import_module

BENCHMARKS = {"all_sets": "benchmarks.quality.all_sets"}


def main(arguments: list[str]) -> int:
    """Run the benchmarks that are named, or list what there is."""
    if not arguments:
        for name, module in BENCHMARKS.items():
            print(f"{name:12} {(import_module(module).__doc__ or '').splitlines()[0]}")
        return 0
    name, *rest = arguments
    return int(import_module(BENCHMARKS[name]).main(rest))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
