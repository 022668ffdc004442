"""Always the same: a model that does no better than saying one thing of every row has learnt nothing, and no edit of it can gain much."""

from __future__ import annotations

import numpy as np

from tilth.core.arrays import Matrix
from tilth.core.errors import first_three
from tilth.core.rng import generator
from tilth.loop.arena import Arena
from tilth.loop.bench import Bench
from tilth.loop.frames import target_of
from tilth.numerics.paired_tests import PairedResult, beats_nothing

__all__ = ["learns_nothing"]

SURE = 0.05
"""p-value above which the model is not told from one that always says the same."""


def learns_nothing(arena: Arena) -> list[str]:
    """Return a sentence where the model does not measurably better on dev than always saying the same, else none.

    What is always said are the shares of the classes in train, whose greatest is decided for; of numbers the median.

    Randomness: the run's seed decides the sign flips of the test.
    """
    bench, judged = arena.bench, arena.judged
    said, words = _always(bench)
    always = bench.scores(np.repeat(said[None, :], len(judged), axis=0), judged)
    rng = generator(arena.settings.seed, "always the same")
    gain = beats_nothing(arena.before.scores, always, judged.groups, bench.strata(judged), rng=rng)
    if gain.p_value <= SURE:
        return []
    task, columns = bench.schema.task, [f"{column.name!r}" for column in bench.schema.features]
    return [
        (
            f"the model does not beat always saying {words} on dev ({_figures(bench, gain)}): either "
            f"{first_three(columns)} tell little of {task.label!r} as they are encoded, or {len(judged):,} dev rows are too few to "
            "show it. No edit helps much before the model learns something: look at columns, encoders and learner in tilth.yaml"
        )
    ]


def _always(bench: Bench) -> tuple[Matrix, str]:
    """Return what is said of every row, (k,) shares or (1,) number, and it in words."""
    target = target_of(bench.train, bench.schema)
    weights = target.weights * target.mask
    if target.numbers is not None:
        middle = float(np.median(target.numbers[weights > 0]))
        return np.array([middle]), f"{middle:.4g}, the median of train"
    assert target.distribution is not None
    shares = weights @ target.distribution
    return shares / shares.sum(), repr(bench.schema.task.classes[int(shares.argmax())])


def _figures(bench: Bench, gain: PairedResult) -> str:
    if bench.schema.task.is_regression:
        return f"error lower by {gain.gain:.3g} [{gain.low:.3g}, {gain.high:.3g}]"
    return f"{100 * gain.gain:+.1f} points [{100 * gain.low:+.1f}, {100 * gain.high:+.1f}]"
