"""The manifest of votes that were read: what of a file are votes, and what is not."""

from __future__ import annotations

from pathlib import Path

from tilth.core.manifest import Manifest
from tilth.sources._content import fetch, is_url, local_path
from tilth.sources._hf_disk import is_saved_dataset, read_saved_dataset
from tilth.sources._multi_votes import ReadMultiVotes
from tilth.sources._votes import ReadVotes

__all__ = ["vote_manifest"]

UNITS = {"long": "lines", "Label Studio": "annotations"}


def vote_manifest(read: ReadVotes | ReadMultiVotes, source: str) -> Manifest:
    """Return what was read of a file of votes, what was taken and what was dropped."""
    return Manifest(
        file=source,
        format=read.form,
        digest=_digest(source),
        unit=UNITS.get(read.form, "cells"),
        read=read.read,
        taken=len(read.votes.rows),
        dropped=read.dropped,
        notes=(*read.notes, *read.warnings),
    )


def _digest(source: str) -> str:
    """Return BLAKE2b of a file's bytes, or of the files of a saved dataset."""
    folder = Path() if is_url(source) else local_path(source)
    if not is_url(source) and is_saved_dataset(folder):
        return read_saved_dataset(folder, source).digest
    return fetch(source).digest
