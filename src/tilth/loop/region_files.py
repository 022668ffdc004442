"""Regions of embeddings as files beside tilth.yaml: numbers that say of any row how far it belongs, and come back exactly."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tilth.core.errors import ConfigError
from tilth.core.region import Region

__all__ = ["free_path", "read_region", "region_facts", "region_from", "region_text"]

FOLDER = "slices"
ARRAYS = {"centre": 1, "directions": 2, "means": 2, "variances": 2, "log_weights": 1}
"""Fields that are arrays, and how many axes each has."""
PLAIN = ("features", "title", "least", "index")
REMEDY = "restore the file, or delete the line and declare the slice again: tilth slices --declare NAME"


def region_facts(region: Region) -> dict[str, Any]:
    """Return a region as plain values for JSON."""
    return {name: getattr(region, name) for name in PLAIN} | {name: getattr(region, name).tolist() for name in ARRAYS}


def region_from(facts: Mapping[str, Any]) -> Region:
    """Return the region of plain values; raises ValueError, KeyError or TypeError for what is none."""
    arrays = {name: np.asarray(facts[name], dtype=np.float64) for name in ARRAYS}
    if any(arrays[name].ndim != axes or not np.isfinite(arrays[name]).all() for name, axes in ARRAYS.items()):
        raise ValueError("an array has another shape, or a number that is none")
    region = Region(
        **arrays,
        index=int(facts["index"]),
        least=float(facts["least"]),
        features=str(facts["features"]),
        title=str(facts["title"]),
    )
    m, p = region.means.shape
    fits = region.directions.shape == (len(region.centre), p) and region.variances.shape == (m, p)
    if not (fits and region.log_weights.shape == (m,) and 0 <= region.index < m and (region.variances > 0).all()):
        raise ValueError("its arrays do not fit one another")
    return region


def region_text(region: Region) -> str:
    """Return the text of a region's file, one key a line."""
    lines = (f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in region_facts(region).items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def read_region(path: Path, where: str) -> tuple[Region, str]:
    """Return the region of a file and the file's text; ConfigError names the line of tilth.yaml that refers to it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        what = f"the region {str(path)!r} cannot be read: {type(error).__name__}"
        raise ConfigError(what, where=where, next_step=REMEDY) from None
    try:
        return region_from(json.loads(text)), text
    except (ValueError, KeyError, TypeError, IndexError) as error:
        what = f"the file {str(path)!r} holds no region: {error}"
        raise ConfigError(what, where=where, next_step=REMEDY) from None


def free_path(folder: Path, name: str) -> Path:
    """Return where the region of a slice can be written: slices/NAME.json in the project's folder, or with a number."""
    stem = re.sub(r"[^\w-]+", "-", name).strip("-")[:60].strip("-").lower() or "region"
    number, path = 1, folder / FOLDER / f"{stem}.json"
    while path.exists():
        number += 1
        path = folder / FOLDER / f"{stem}-{number}.json"
    return path
