"""What a reader of labels must know of the votes themselves; what the label model makes of them it says on its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tilth.core.arrays import IntVector
from tilth.core.errors import first_three
from tilth.core.label_summary import LabelerLine
from tilth.core.labelling import Labelling
from tilth.core.votes import Votes
from tilth.numerics.vote_analysis import AlikePair, alike_pairs

__all__ = ["vote_warnings"]

_FEW_ROWS = 20
_EVERYWHERE = 1 - 1e-9


def vote_warnings(
    votes: Votes, labelling: Labelling, lines: Sequence[LabelerLine], plain: IntVector
) -> tuple[str, ...]:
    """Return warnings on the votes; `plain` are the majority's labels."""
    return (*_of_labelers(votes, lines), *_of_classes(votes), *_of_rows(votes), *_of_pairs(votes, labelling, plain))


def _of_labelers(votes: Votes, lines: Sequence[LabelerLine]) -> Iterator[str]:
    mute = [repr(line.name) for line in lines if not line.votes]
    if mute:
        yield f"never vote: {first_three(mute)}"
    constant = [line for line in lines if len(line.says) == 1 and line.coverage > _EVERYWHERE and len(votes) > 1]
    if constant:
        named = first_three(f"{line.name!r} ({line.says[0]})" for line in constant)
        yield f"say one class on every row, which tells no row from another: {named}"


def _of_classes(votes: Votes) -> Iterator[str]:
    counts = np.bincount(votes.said, minlength=votes.n_classes)
    unsaid = [repr(name) for name, count in zip(votes.classes, counts, strict=True) if not count]
    if unsaid:
        yield f"no labeler ever votes for {first_three(unsaid)}"


def _of_rows(votes: Votes) -> Iterator[str]:
    if 1 < len(votes) < _FEW_ROWS:
        yield f"{len(votes)} rows are too few to learn how good labelers are: take the probabilities for guesses"


def _of_pairs(votes: Votes, labelling: Labelling, plain: IntVector) -> Iterator[str]:
    shape = {"n_labelers": len(votes.labelers), "n_classes": votes.n_classes}
    pairs = alike_pairs(votes.rows, votes.sources, votes.said, plain, **shape)
    groups = labelling.parameters.get("copies", np.arange(len(votes.labelers)))  # what the model counts as one, it says
    pairs = [pair for pair in pairs if groups[pair.first] != groups[pair.second]]
    shown = [_of_pair(votes, pair) for pair in pairs[:3]]
    if shown:
        more = f"; and {len(pairs) - 3:,} more pairs" if len(pairs) > 3 else ""
        yield f"more alike than independent errors would be, perhaps copies: {'; '.join(shown)}{more}"


def _of_pair(votes: Votes, pair: AlikePair) -> str:
    first, second = votes.labelers[pair.first], votes.labelers[pair.second]
    return (
        f"{first!r} and {second!r} agree on {pair.agreement:.0%} of the {pair.shared:,} rows where both vote"
        f" ({pair.expected:.0%} expected)"
    )
