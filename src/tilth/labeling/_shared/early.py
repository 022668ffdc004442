"""The votes of early rows, kept beside what was learnt of them, so that the next batch is learnt together with them.

Sums of rows that were split over the classes by a poor first guess stay poor. As long as there are few rows, their votes are small:
they are kept, and a batch is learnt by a fit to all of them, which is what one fit to all rows is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from tilth.core.labelling import Known, Labelling
from tilth.core.votes import Votes

__all__ = ["EARLY", "early", "joined_known", "keeping"]

EARLY = 100_000
"""Rows up to which votes are kept: half a second to fit with twenty labelers, and a few megabytes."""


def keeping(labelling: Labelling, votes: Votes, known: Known) -> Labelling:
    """Return a labelling with the votes that it was learnt of, while they are few."""
    if len(votes) > EARLY:
        return labelling
    kept: dict[str, np.ndarray] = {"early": np.stack([votes.rows, votes.sources, votes.said]).astype(np.int32)}
    if known.truth is not None and known.trusted is not None:
        rows = np.flatnonzero(known.trusted)
        kept |= {"early_trusted": rows, "early_truth": known.truth[rows]}
    return replace(labelling, parameters={**labelling.parameters, **kept})


def early(labelling: Labelling) -> tuple[Votes, Known] | None:
    """Return the votes that a labelling keeps, and what was known of their rows; None where it keeps none."""
    kept = labelling.parameters
    if "early" not in kept:
        return None
    n = int(kept["rows"][0])
    rows, sources, said = kept["early"].astype(np.intp)
    votes = Votes(
        row_ids=pa.nulls(n, pa.string()),
        labelers=labelling.labelers,
        classes=labelling.classes,
        rows=rows,
        sources=sources,
        said=said,
    )
    if "early_truth" not in kept:
        return votes, Known()
    truth, trusted = np.zeros((n, votes.n_classes)), np.zeros(n, dtype=bool)
    truth[kept["early_trusted"]], trusted[kept["early_trusted"]] = kept["early_truth"], True
    return votes, Known(truth=truth, trusted=trusted)


def joined_known(first: tuple[int, Known], later: tuple[int, Known], n_classes: int) -> Known:
    """Return what is known of the rows of two batches, by their numbers of rows; shares and confusions are those of the later."""
    if all(known.truth is None or known.trusted is None for _, known in (first, later)):
        return later[1]
    truth = [np.zeros((n, n_classes)) if known.truth is None else known.truth for n, known in (first, later)]
    trusted = [np.zeros(n, dtype=bool) if known.trusted is None else known.trusted for n, known in (first, later)]
    return replace(later[1], truth=np.concatenate(truth), trusted=np.concatenate(trusted))
