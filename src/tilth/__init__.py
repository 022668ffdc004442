"""tilth: improve a model by improving its data, and show whether it did.

`tilth.init("reviews.csv", label="sentiment").run()` reads, fits, finds, proposes, tries, keeps and reports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tilth._api import find as find
    from tilth._api import init as init
    from tilth._api import label as label
    from tilth._api import open as open  # noqa: A004 - tilth.open reads as it should
    from tilth._api import slices as slices
    from tilth.core.dataset import Dataset as Dataset
    from tilth.core.edit import Edit as Edit
    from tilth.core.errors import NotApplicable as NotApplicable
    from tilth.core.errors import TilthError as TilthError
    from tilth.core.finding import Finding as Finding
    from tilth.core.label_summary import LabelSummary as LabelSummary
    from tilth.core.recipe import Recipe as Recipe
    from tilth.core.rowset import RowSet as RowSet
    from tilth.core.schema import Column as Column
    from tilth.core.schema import Schema as Schema
    from tilth.core.schema import Task as Task
    from tilth.core.slice import Slice as Slice
    from tilth.core.slice_summary import SliceSummary as SliceSummary
    from tilth.core.summary import RunSummary as RunSummary
    from tilth.core.target import Target as Target
    from tilth.core.trial import Trial as Trial
    from tilth.core.trial import Verdict as Verdict
    from tilth.operators.generators import generator as generator
    from tilth.operators.labelers import labeler as labeler
    from tilth.operators.rules import check as check
    from tilth.operators.rules import slice as slice  # noqa: A004 - tilth.slice reads as it should
    from tilth.operators.transforms import transform as transform
    from tilth.operators.view import View as View

__version__ = "0.1.0"

_HOMES = {
    "Column": "tilth.core.schema",
    "Dataset": "tilth.core.dataset",
    "Edit": "tilth.core.edit",
    "Finding": "tilth.core.finding",
    "LabelSummary": "tilth.core.label_summary",
    "NotApplicable": "tilth.core.errors",
    "Recipe": "tilth.core.recipe",
    "RowSet": "tilth.core.rowset",
    "RunSummary": "tilth.core.summary",
    "Schema": "tilth.core.schema",
    "Slice": "tilth.core.slice",
    "SliceSummary": "tilth.core.slice_summary",
    "Target": "tilth.core.target",
    "Task": "tilth.core.schema",
    "TilthError": "tilth.core.errors",
    "Trial": "tilth.core.trial",
    "Verdict": "tilth.core.trial",
    "View": "tilth.operators.view",
    "check": "tilth.operators.rules",
    "find": "tilth._api",
    "generator": "tilth.operators.generators",
    "init": "tilth._api",
    "label": "tilth._api",
    "labeler": "tilth.operators.labelers",
    "open": "tilth._api",
    "slice": "tilth.operators.rules",
    "slices": "tilth._api",
    "transform": "tilth.operators.transforms",
}

__all__ = [  # noqa: RUF022 - functions first
    "check",
    "find",
    "generator",
    "init",
    "label",
    "labeler",
    "open",
    "slice",
    "slices",
    "transform",
    "Column",
    "Dataset",
    "Edit",
    "Finding",
    "LabelSummary",
    "NotApplicable",
    "Recipe",
    "RowSet",
    "RunSummary",
    "Schema",
    "Slice",
    "SliceSummary",
    "Target",
    "Task",
    "TilthError",
    "Trial",
    "Verdict",
    "View",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name in _HOMES:
        from importlib import import_module

        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'tilth' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
