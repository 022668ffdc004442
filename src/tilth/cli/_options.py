"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["HERE", "Dir", "Json", "Output"]

Dir = Annotated[Path, typer.Option("--dir", help="The project's folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="Write here instead of stdout.")]
HERE = Path()
