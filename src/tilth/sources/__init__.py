"""Bring in: files and dataframes become a table, a schema and the facts about where they came from."""

from __future__ import annotations

from tilth.sources._cells import is_day_first
from tilth.sources._inference import Inferred, infer_schema
from tilth.sources._normalise import normalise
from tilth.sources._open import RawSource, open_source

__all__ = ["Inferred", "RawSource", "infer_schema", "is_day_first", "normalise", "open_source"]
