"""The Python door: init, open, and one-off calls on any dataframe or file."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack, overload

import numpy as np

from tilth.core.errors import UsageError
from tilth.core.finding import Finding
from tilth.core.label_summary import LabelSummary
from tilth.core.multi_summary import MultiLabelSummary
from tilth.core.progress import Progress, silent
from tilth.core.slice_summary import SliceSummary
from tilth.loop.found import Found
from tilth.loop.project import Project, open_project
from tilth.loop.shown import register_all
from tilth.loop.starting import init_project

__all__ = ["Findings", "find", "find_once", "init", "label", "open", "slices"]

register_all()


class Findings(tuple[Finding, ...]):
    """Findings, worst first, that show themselves in a notebook."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        from tilth.reporting.notebook import findings_html

        return findings_html(self)


def init(source: Any, *, label: str | None = None, folder: str | Path = ".", **options: Any) -> Project:
    """Write tilth.yaml for a source and return the project.

    Parameters
    ----------
    source : a path or URL, a list of them, a mapping from split to path, or a dataframe (pandas, polars, Arrow)
    label : the column to learn
    folder : where the project is made
    options : id, split, text, group, time, embedding, pred_probs, classes, store: as `tilth init` takes them
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
    """Return what is wrong with a table, without a project: the same code on a store that is thrown away.

    All labelled rows are looked into, unless the table itself names splits: then labels of dev and test are not read. The
    evidence `position` says where in the table a row stands, from 0.
    """
    options = {"embedding": embedding, "pred_probs": pred_probs, **options}
    return find_once(source, label=label, progress=progress, **options)[0]


def find_once(source: Any, *, label: str, progress: Progress = silent, **options: Any) -> tuple[Findings, Found]:
    """Return the findings of `find`, and what a project would know after finding."""
    with tempfile.TemporaryDirectory(prefix="tilth-") as folder:
        found = init_project(source, folder=folder, label=label, cut=False, **options).find(progress=progress)
        return Findings(_with_positions(finding, found) for finding in found.findings), found


def _with_positions(finding: Finding, found: Found) -> Finding:
    if not len(finding.ids):
        return finding
    positions = np.asarray(found.dataset.positions(finding.ids))
    return replace(finding, evidence={"position": positions, **finding.evidence})


class _Reading(TypedDict, total=False):
    """What `label` takes by name, whether a row may have several classes or not."""

    trusted: Any
    abstain: str | int
    classes: Sequence[str]
    columns: Sequence[str]
    ignore: Sequence[str]
    separator: str
    keep: str | Path | None
    update: str | Path | None
    progress: Progress


@overload
def label(
    votes: Any, truth: Any = ..., model: str = ..., *, multilabel: Literal[False] = ..., **options: Unpack[_Reading]
) -> LabelSummary: ...


@overload
def label(
    votes: Any, truth: Any = ..., model: str = ..., *, multilabel: Literal[True], **options: Unpack[_Reading]
) -> MultiLabelSummary: ...


def label(
    votes: Any,
    truth: Any = None,
    model: str = "auto",
    *,
    trusted: Any = None,
    abstain: str | int = "-1",
    classes: Sequence[str] = (),
    columns: Sequence[str] = (),
    ignore: Sequence[str] = (),
    multilabel: bool = False,
    separator: str = "|",
    keep: str | Path | None = None,
    update: str | Path | None = None,
    progress: Progress = silent,
) -> LabelSummary | MultiLabelSummary:
    """Return the labels that the votes of many labelers come to, with probabilities: `tilth label` without a project.

    Parameters
    ----------
    votes : a path or URL, a NumPy matrix (rows, labelers), a dataframe (matrix, or row, worker, answer), or a WRENCH object
    truth : to measure by, never learnt from: a column of the votes, a path, FILE:COLUMN, a dataframe with row_id, a mapping from
        row id to class, or one class per row
    model : "auto", or the name of a label model
    trusted : labels that the model may learn from, given as the truth is
    abstain : the word for no vote, beside empty cells; "none" if there is none
    classes : class names in their order; votes that are numbers count them from 0
    columns : row, labeler and answer of a long table, where their names are not the usual ones
    ignore : columns that are no labelers
    multilabel : whether a row may have several classes, or none: each class is then a question of its own, and what comes back is a
        `MultiLabelSummary`. Votes may be "a|b", lists, several lines of a labeler, columns LABELER|CLASS of 0 and 1, or a block (rows,
        labelers, classes) of 1, 0 and -1
    separator : the sign between classes, with `multilabel`
    keep : a file to which what the label model learnt is written, for the next batch of votes
    update : a file that `keep` wrote: these votes are learnt together with the earlier ones, and the file is written again (or `keep`)

    Raises
    ------
    TilthError
        Votes or truth that cannot be read, or that the named model is not for.

    Examples
    --------
    >>> import numpy as np, tilth
    >>> votes = np.array([[0, 0, -1], [1, 1, 1], [1, -1, 1], [0, 1, 0]])
    >>> tilth.label(votes, model="majority").to_table()["label"].to_pylist()
    ['0', '1', '1', '0']
    """
    from tilth.loop.label_votes import label_votes
    from tilth.loop.multi_labels import label_multi_votes
    from tilth.sources._votes import VoteReading

    reading = VoteReading(
        abstain=str(abstain),
        classes=tuple(map(str, classes)),
        columns=tuple(columns),
        ignore=tuple(ignore),
        separator=separator if multilabel else "",
    )
    if multilabel:
        if keep is not None or update is not None:
            raise UsageError("multilabel and keep or update do not go together", next_step="leave one of them out")
        several = label_multi_votes(
            votes, truth=truth, trusted=trusted, model=model, reading=reading, progress=progress
        )
        return several.summary
    if keep is not None or update is not None:
        from tilth.loop.label_batches import Batches, label_batch

        batches = Batches(update=None if update is None else Path(update), keep=None if keep is None else Path(keep))
        labelled, _ = label_batch(
            votes, batches, truth=truth, trusted=trusted, model=model, reading=reading, progress=progress
        )
        return labelled.summary
    return label_votes(votes, truth=truth, trusted=trusted, model=model, reading=reading, progress=progress).summary


def slices(
    table: Any,
    *,
    label: str,
    prediction: str | Sequence[str] = (),
    score: str | None = None,
    progress: Progress = silent,
) -> SliceSummary:
    """Return the slices of a table on which predictions are worse: `tilth slices` without a project.

    Parameters
    ----------
    table : a path or URL, a list of them, or a dataframe (pandas, polars, Arrow)
    label : the column of true classes, or numbers
    prediction : a column of classes; of numbers, for a numeric label; of probabilities of the second of two classes; or one
        column of probabilities per class, as a list or with commas between
    score : a column of one score per row, higher is better, in place of right or wrong

    Raises
    ------
    TilthError
        A column that is not there, a table without rows, labels and predictions without a common class, no score.

    Examples
    --------
    >>> import numpy as np, pyarrow as pa, tilth
    >>> shop = np.repeat(["north", "south"], 100)
    >>> said = np.where((shop == "south") & (np.arange(200) % 3 > 0), "no", "yes")
    >>> found = tilth.slices(pa.table({"shop": shop, "said": said, "true": ["yes"] * 200}), label="true", prediction="said")
    >>> [(one.name, one.rows) for one in found.slices]
    [('shop is south', 100)]
    """
    from tilth.loop.slices_once import slices_once

    return slices_once(table, label=label, prediction=prediction, score=score, progress=progress)
