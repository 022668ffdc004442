"""The page docs/benchmarks.md: one section per benchmark, between marks, put there by `python -m benchmarks --write NAME`."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import TextIO

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"


class _Both(io.TextIOBase):
    """Writes to the screen and keeps a copy."""

    def __init__(self, screen: TextIO) -> None:
        self._screen, self.kept = screen, io.StringIO()

    def write(self, text: str) -> int:
        self._screen.write(text)
        return self.kept.write(text)

    def flush(self) -> None:
        self._screen.flush()


def written(name: str, arguments: list[str], summary: str, run: Callable[[list[str]], int]) -> int:
    """Run a benchmark and put what it prints into its section of the page."""
    both = _Both(sys.stdout)
    with redirect_stdout(both):
        code = run(arguments)
    if code == 0:
        put(name, arguments, summary, both.kept.getvalue())
    return code


def put(name: str, arguments: list[str], summary: str, text: str) -> None:
    """Replace a section of the page, or add it at the end; headings inside move one level down."""
    command = " ".join(["python -m benchmarks", name, *arguments])
    inside = re.sub(r"^#+ ", "### ", text.strip(), flags=re.MULTILINE)
    section = f"<!-- {name} -->\n## {name}\n\n{summary}\n\n`{command}`\n\n{inside}\n<!-- /{name} -->\n"
    page = PAGE.read_text(encoding="utf-8")
    found = re.compile(rf"<!-- {name} -->\n.*?<!-- /{name} -->\n", re.DOTALL)
    page = found.sub(lambda _: section, page) if found.search(page) else f"{page.rstrip()}\n\n{section}"
    PAGE.write_text(page, encoding="utf-8")
