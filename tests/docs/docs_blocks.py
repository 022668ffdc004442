"""Code blocks of the documentation: which there are, and what of them can be run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "Block", "blocks_of", "commands_of", "documents"]

ROOT = Path(__file__).resolve().parents[2]
MARK = re.compile(r"^<!-- not run: (?P<why>.+) -->$")
RUNNABLE = ("console", "python")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block: its language, its lines, where it starts, and why it is not run (empty: it is)."""

    language: str
    text: str
    line: int
    not_run: str

    @property
    def is_code(self) -> bool:
        return self.language in RUNNABLE


def documents() -> list[Path]:
    """Every page that people read, without the generated reference."""
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md"]
    for folder in ("tutorial", "how-to", "explanation", "adr"):
        pages += sorted((ROOT / "docs" / folder).glob("*.md"))
    return pages


def blocks_of(page: Path) -> list[Block]:
    """The fenced blocks of a page in order."""
    found: list[Block] = []
    language, start, inside, mark = "", 0, [], ""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.startswith("```"):
            if language:
                inside.append(line)
            elif line.strip():
                said = MARK.match(line)
                mark = said["why"] if said else ""
        elif language:
            found.append(Block(language=language, text="\n".join(inside), line=start, not_run=mark))
            language, inside, mark = "", [], ""
        else:
            language, start = line.removeprefix("```").strip() or "text", number
    assert not language, f"{page}: the block from line {start} has no end"
    return found


def commands_of(block: Block) -> list[str]:
    """The commands of a console block: lines after `$ `, with those that a backslash carries on."""
    commands: list[str] = []
    goes_on = False
    for line in block.text.splitlines():
        if goes_on:
            commands[-1] = commands[-1].removesuffix("\\") + line.strip()
        elif line.startswith("$ "):
            commands.append(line.removeprefix("$ ").split("  # ")[0].rstrip())
        else:
            continue
        goes_on = commands[-1].endswith("\\")
    return commands
