"""The Python door: init, open, and one-off calls on any dataframe or file."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tilth.core.finding import Finding
from tilth.core.progress import Progress, silent
from tilth.loop.project import Project, init_project, open_project

__all__ = ["find", "init", "open"]


def init(source: Any, *, label: str | None = None, folder: str | Path = ".", **options: Any) -> Project:
    """Write tilth.yaml for a source and return the project.

    Parameters
    ----------
    source : a path or URL, a list of them, a mapping from split to path, or a dataframe (pandas, polars, Arrow)
    label : the column to learn
    folder : where the project is made
    options : id, split, text, group, time, embedding, pred_probs, classes: as `tilth init` takes them
    """
    return init_project(source, folder=folder, label=label, **options)


def open(folder: str | Path = ".") -> Project:  # noqa: A001 - tilth.open
    """Return the project in a folder."""
    return open_project(folder)


def find(
    source: Any,
    *,
    label: str,
    embedding: Sequence[str] = (),
    pred_probs: Sequence[str] = (),
    progress: Progress = silent,
    **options: Any,
) -> tuple[Finding, ...]:
    """Return what is wrong with a table, without a project: the same code on a store that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="tilth-") as folder:
        project = init_project(
            source, folder=folder, label=label, embedding=embedding, pred_probs=pred_probs, **options
        )
        return project.find(progress=progress).findings
