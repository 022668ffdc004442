"""What commands share that read answers: lists of columns, and the manifest of what was read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tilth.core.errors import UsageError

if TYPE_CHECKING:
    from tilth.core.manifest import Manifest

__all__ = ["listed", "manifest_path", "write_manifest"]


def listed(names: str | None) -> tuple[str, ...]:
    """Return names that stand between commas."""
    return tuple(name.strip() for name in names.split(",") if name.strip()) if names else ()


def manifest_path(path: Path, read: str | Path) -> Path:
    """Return the path of a manifest; raises UsageError where it is the very file that is read."""
    if path.exists() and Path(read).exists() and path.samefile(read):
        raise UsageError(f"{str(path)!r} is read, and is never overwritten", next_step="name another file: --manifest")
    return path


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write what was read, taken and dropped as JSON."""
    from tilth.loop.locations import writing

    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(manifest.to_dict(), indent=2, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")
