"""The learner that a project holds: the one that tilth.yaml names, else the best of the commodity ones on unedited train rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.arrays import FloatMatrix32, IntVector
from tilth.core.dataset import Dataset
from tilth.core.names import Split
from tilth.core.spec import Spec
from tilth.learning._choose import choose, default_learners
from tilth.learning._crossfit import fold_numbers
from tilth.loop.frames import frame_columns, target_of
from tilth.operators.protocols import Learner
from tilth.operators.view import View

__all__ = ["choose_learner", "is_dear"]


def choose_learner(
    dataset: Dataset, features: FloatMatrix32, together: Callable[[IntVector], IntVector], seed: int
) -> tuple[Learner, list[dict[str, Any]]]:
    """Return the best commodity learner by cross-validation on labelled train rows, and what was compared.

    Parameters
    ----------
    dataset : the source's rows
    features : (n, d) of all of them
    together : storage positions -> codes of rows that must stand in one fold
    seed : of the folds and of the learners
    """
    schema = dataset.schema
    target = target_of(dataset.read(*frame_columns(schema)), schema)
    rows = np.flatnonzero(dataset.mask(Split.TRAIN) & target.mask)
    mine, ids = target.take(rows), dataset.row_ids.take(pa.array(rows))
    table = dataset.read(*(column.name for column in schema.features)).take(pa.array(rows))
    view = View(
        ids=ids,
        schema=schema,
        evidence={"embeddings": features[rows], "table": table},
        needs=frozenset({"embeddings", "table"}),
        spec=Spec(room="learning", name="choice"),
        seed=seed,
    )
    folds = fold_numbers(ids, mine, groups=together(rows), seed=seed)
    choice = choose(default_learners(schema), view, mine, folds)
    return choice.learner, [tried.to_dict() for tried in choice.tried]


def is_dear(learner: Any) -> bool:
    """Whether one fit takes so long that it is counted: the learner says what it costs (`work`)."""
    return hasattr(learner, "work")
