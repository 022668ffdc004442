"""The command line: a door on the loop, without logic of its own."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    from tilth.cli.app import run

    run()
