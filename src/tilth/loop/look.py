"""The look at the sealed test split: once per pair of versions, kept in the ledger; a rerun shows the recorded figures."""

from __future__ import annotations

from typing import Any

from tilth.core.errors import NotApplicable
from tilth.core.estimate import Estimate
from tilth.core.ids import digest_of
from tilth.core.names import Split
from tilth.core.rng import generator
from tilth.core.summary import TestLook
from tilth.loop.bench import Bench, Judged
from tilth.loop.judge import CLEAN_ENOUGH
from tilth.loop.ledger import Ledger, dev_key, estimates
from tilth.loop.lineage import beginning
from tilth.loop.scoring import split_score
from tilth.loop.workshop import Workshop
from tilth.numerics.intervals import mean_interval
from tilth.numerics.noise import backward_accuracy, confident_joint, noise_rate, noise_transition
from tilth.numerics.paired_tests import beats_nothing
from tilth.store.version import Version

__all__ = ["corrected_gain", "look_at_test"]


def look_at_test(workshop: Workshop, after: Version) -> TestLook | None:
    """Return the scores of the source and of a version on test, looked at once; None where no test row has a label."""
    before = beginning(workshop.repository, after)
    ledger = Ledger(workshop.repository)
    bench = workshop.bench(after)
    judged = bench.judged(Split.TEST)
    if not len(judged):
        return None
    ids = bench.table.column("_tilth_id").take(judged.positions).combine_chunks()
    test = dev_key(ids)
    key = digest_of([before.version, after.version, workshop.model_key(after), test, _labels_key(judged)])
    body = ledger.look(key)
    if body is None:
        body = ledger.record_look(key, test, _figures(workshop, before, after, judged))
    names = ("before", "after", "gain", "corrected_gain")
    first, second, gain, corrected = estimates(body["figures"], names)
    assert first is not None
    assert second is not None
    assert gain is not None
    return TestLook(before=first, after=second, gain=gain, corrected_gain=corrected, looks=int(body["looks"]))


def _labels_key(judged: Judged) -> str:
    return digest_of([float(value) for value in judged.labels], size=8)


def _figures(workshop: Workshop, before: Version, after: Version, judged: Judged) -> dict[str, Estimate | None]:
    """Score the source's model and the version's model on the version's test rows."""
    bench = workshop.bench(after)
    model_before = workshop.bench(before).baseline
    old, new = (bench.predict(model, judged.positions) for model in (model_before, bench.baseline))
    old_scores, new_scores = bench.scores(old, judged), bench.scores(new, judged)
    rng = generator(workshop.seed, "look", before.version, after.version)
    result = beats_nothing(new_scores, old_scores, judged.groups, bench.strata(judged), rng=rng)
    return {
        "before": split_score(bench, judged, old_scores),
        "after": split_score(bench, judged, new_scores),
        "gain": result.estimate,
        "corrected_gain": corrected_gain(bench, judged, old, new),
    }


def corrected_gain(bench: Bench, judged: Judged, old: Any, new: Any) -> Estimate | None:
    """Return the gain in accuracy with class-dependent noise of the test labels undone, where they look noisy."""
    if bench.schema.task.is_regression or bench.metric.stratified:
        return None
    joint = confident_joint(judged.labels, old)
    if noise_rate(joint) <= CLEAN_ENOUGH:
        return None
    transition = noise_transition(joint)
    try:
        after = backward_accuracy(bench.decisions(new), judged.labels, transition)
        before = backward_accuracy(bench.decisions(old), judged.labels, transition)
    except NotApplicable:
        return None
    return mean_interval(after - before, groups=judged.groups)
