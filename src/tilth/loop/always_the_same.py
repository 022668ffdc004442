"""Always the same: a model that does no better than saying one thing of every row has learnt nothing, and no edit of it can gain much.

Where only the metric does not tell the two apart, as where nearly all rows are of one class, it is the metric that is to be changed.
"""

from __future__ import annotations

import numpy as np

from tilth.core.arrays import Matrix, Vector
from tilth.core.errors import first_three
from tilth.core.estimate import WIDEST
from tilth.core.rng import generator
from tilth.loop.arena import Arena
from tilth.loop.bench import Bench
from tilth.loop.frames import target_of
from tilth.numerics.paired_tests import PairedResult, beats_nothing

__all__ = ["no_better_than_always_the_same"]

SURE = 0.05
"""p-value above which the model is not told from one that always says the same."""
LEAST_PROB = 1e-6


def no_better_than_always_the_same(arena: Arena) -> str:
    """Return a sentence where the model does not measurably beat on dev what always says the same, else "".

    What is always said are the shares of the classes in train, of which the greatest is decided for; of numbers the median. A model of
    classes that the metric does not tell from it is compared by the log of its probabilities too.

    Randomness: the run's seed decides the sign flips of the tests.
    """
    bench, judged = arena.bench, arena.judged
    said, words = _always(bench)
    always = np.repeat(said[None, :], len(judged), axis=0)
    gain = _gain(arena, arena.before.scores, bench.scores(always, judged))
    if gain.p_value <= SURE:
        return ""
    beaten, task = f"the model does not beat always saying {words} on dev ({_figures(bench, gain)})", bench.schema.task
    if not task.is_regression and _tells_by_probabilities(arena, always):
        advice = (
            "judge by metric: balanced_accuracy"
            if task.metric == "accuracy"
            else "the rarer ones need more rows, or weight"
        )
        return f"by {task.metric} {beaten}, though its probabilities tell the classes apart: {advice}"
    columns = first_three(f"{column.name!r}" for column in bench.schema.features)
    return (
        f"{beaten}: either {columns} tell little of {task.label!r} as they are encoded, or {len(judged):,} dev rows are too few to show "
        "it. No edit helps much before the model learns something: look at columns, encoders and learner in tilth.yaml"
    )


def _tells_by_probabilities(arena: Arena, always: Matrix) -> bool:
    predicted = arena.bench.predict(arena.bench.baseline, arena.judged.positions)
    labels = arena.judged.labels
    return _gain(arena, _log(predicted, labels), _log(always, labels)).p_value <= SURE


def _gain(arena: Arena, model: Vector, always: Vector) -> PairedResult:
    rng = generator(arena.settings.seed, "always the same")
    return beats_nothing(model, always, arena.judged.groups, arena.bench.strata(arena.judged), rng=rng)


def _log(probs: Matrix, labels: np.ndarray) -> Vector:
    return np.log(np.maximum(probs[np.arange(len(probs)), labels.astype(np.intp)], LEAST_PROB))


def _always(bench: Bench) -> tuple[Vector, str]:
    """Return what is said of every row, (k,) shares or (1,) number, and it in words."""
    target = target_of(bench.train, bench.schema)
    weights = target.weights * target.mask
    if target.numbers is not None:
        order = np.argsort(target.numbers)
        reached = np.cumsum(weights[order])
        middle = float(target.numbers[order][np.searchsorted(reached, reached[-1] / 2)])
        return np.array([middle]), f"{middle:.4g}, the median of train,"
    assert target.distribution is not None
    shares = weights @ target.distribution
    return shares / shares.sum(), repr(bench.schema.task.classes[int(shares.argmax())])


def _figures(bench: Bench, gain: PairedResult) -> str:
    regression = bench.schema.task.is_regression
    times, digits, unit = (1, ".3g", " less error") if regression else (100, ".1f", " points")

    def shown(value: float) -> str:
        text = "∞" if abs(value) >= WIDEST else f"{abs(value) * times:{digits}}"
        return ("−" if value < 0 else "+") + text

    return f"{shown(gain.gain)}{unit} [{shown(gain.low)}, {shown(gain.high)}]"
