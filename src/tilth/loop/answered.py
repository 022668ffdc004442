"""Answers as evidence: which dev rows people answered of a random draw, for one edit or for the whole split.

A draw counts once enough of its questions are answered: then those left empty can sway little. The largest draw that
counts is used; any beginning of a draw is a random sample too, so that more questions extend it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import Mask
from tilth.core.names import Split
from tilth.loop.bench import Judged
from tilth.loop.judge import Answers, Outcome
from tilth.loop.ledger import Draw

__all__ = ["ENOUGH_ANSWERED", "answers_for", "counting_draws", "random_trusted"]

ENOUGH_ANSWERED = 0.8
"""Share of a draw's questions that must be answered before the draw counts."""


def counting_draws(judged: Judged, dev_ids: pa.Array, draws: Sequence[Draw]) -> list[Draw]:
    """Return the draws of dev rows of which enough questions are answered."""
    of_dev = [draw for draw in draws if draw.split == str(Split.DEV)]
    return [draw for draw in of_dev if _is_enough(_drawn(dev_ids, draw) & judged.trusted, draw)]


def answers_for(
    edit_id: str, outcome: Outcome, judged: Judged, dev_ids: pa.Array, draws: Sequence[Draw]
) -> Answers | None:
    """Return the answers to the questions drawn for an edit, once enough of them are in; None before.

    A draw counts only if the models disagree on the very rows from which it was drawn: after another change of the train
    rows, or on top of other edits, it is no random sample of the disagreement any more.
    """
    n_changed = int(outcome.changed.sum())
    best: Answers | None = None
    for draw in counting_draws(judged, dev_ids, draws):
        if draw.edit != edit_id or draw.purpose != "decide" or draw.n_disagreeing != n_changed:
            continue
        drawn = _drawn(dev_ids, draw)
        answered = drawn & judged.trusted
        same = drawn.sum() == len(draw.ids) and not (drawn & ~outcome.changed).any()
        if same and (best is None or answered.sum() > best.answered.sum()):
            best = Answers(answered=answered, n_disagreeing=n_changed)
    return best


def random_trusted(judged: Judged, dev_ids: pa.Array, draws: Sequence[Draw]) -> Mask | None:
    """Return which judging rows were confirmed in random draws over dev that count; None without such a draw."""
    trusted = None
    for draw in counting_draws(judged, dev_ids, draws):
        if draw.purpose == "sample":
            answered = _drawn(dev_ids, draw) & judged.trusted
            trusted = answered if trusted is None else trusted | answered
    return trusted


def _drawn(dev_ids: pa.Array, draw: Draw) -> Mask:
    return np.asarray(pc.is_in(dev_ids, value_set=pa.array(draw.ids, pa.string())))


def _is_enough(answered: Mask, draw: Draw) -> bool:
    return bool(answered.any() and answered.sum() >= ENOUGH_ANSWERED * len(draw.ids))
