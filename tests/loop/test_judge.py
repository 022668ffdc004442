"""The judge: answers, trusted rows and given labels, on paper and against known truths."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from loop_worlds import gaussian_world, schema_of, table_of, world_of

from tilth.core.names import Split
from tilth.loop.answered import answers_for, counting_draws, random_trusted
from tilth.loop.foretelling import Foretold
from tilth.loop.judge import TRUSTED_ENOUGH, Answers, Evidence, Outcome, judge
from tilth.loop.ledger import Draw
from tilth.loop.sensitivity import answers_needed, least_detectable
from tilth.numerics.detectability import answers_to_decide, least_detectable_gain
from tilth.numerics.noise import noise_transition
from tilth.numerics.paired_tests import exact_binomial


def bench_of(n, labels=None, metric="accuracy", k=2):
    labels = np.arange(n) % k if labels is None else labels
    schema = schema_of(1, k, metric)
    x = np.zeros((n + 4, 1))
    table = table_of(x, np.r_[[0, 1, 0, 1], labels], ["train"] * 4 + ["dev"] * n, schema)
    return world_of(table, schema, np.r_[[0, 1, 0, 1], labels]).bench


def outcome_of(before, after, placebos=None, decided=None):
    before, after = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    placebos = np.tile(before, (5, 1)) if placebos is None else np.asarray(placebos, dtype=float)
    decided = (before, after) if decided is None else decided
    return Outcome(
        before=before,
        after=after,
        placebos=placebos,
        decided_before=np.asarray(decided[0]),
        decided_after=np.asarray(decided[1]),
    )


def judged_by(bench, outcome, **options):
    return judge(bench, bench.judged(Split.DEV), outcome, **options)


def wins_and_losses(n, wins, losses):
    before, after = np.zeros(n), np.zeros(n)
    after[:wins] = 1
    before[wins : wins + losses] = 1
    return outcome_of(before, after)


# given labels, by hand


def test_wins_and_losses_by_hand():
    found = judged_by(bench_of(100), wins_and_losses(100, 9, 1))
    assert found.nothing.gain == pytest.approx(0.08)
    assert found.nothing.p_value == pytest.approx(11 / 1024)
    assert found.nothing.p_value == exact_binomial(9, 1)
    assert found.n_disagreeing == 10
    assert found.n_rows == 100
    assert found.evidence is Evidence.LABELS
    assert found.placebo_gain == 0.0


def test_no_difference_is_no_evidence():
    found = judged_by(bench_of(50), wins_and_losses(50, 0, 0))
    assert found.nothing.p_value == 1.0
    assert found.placebo.p_value > 0.5
    assert found.nothing.gain == 0.0


def test_the_placebo_is_the_mean_of_its_draws():
    before, after = np.zeros(100), np.zeros(100)
    after[:20] = 1
    placebos = np.zeros((5, 100))
    for draw in range(5):
        placebos[draw, : 4 + 2 * draw] = 1  # .04 … .12, mean .08
    found = judged_by(bench_of(100), outcome_of(before, after, placebos))
    assert found.placebo_gain == pytest.approx(0.08)
    assert found.placebo.gain == pytest.approx(0.12)
    assert found.nothing.gain == pytest.approx(0.2)
    assert found.placebo.p_value > found.nothing.p_value


def test_balanced_accuracy_is_the_mean_of_class_means():
    labels = np.r_[np.zeros(90), np.ones(10)].astype(int)
    bench = bench_of(100, labels, "balanced_accuracy")
    before, after = np.zeros(100), np.zeros(100)
    after[90:95] = 1  # half of the rare class
    after[:9] = 1  # a tenth of the common one
    placebos = np.tile(before, (5, 1))
    placebos[:, 90] = 1
    found = judged_by(bench, outcome_of(before, after, placebos))
    assert found.nothing.gain == pytest.approx((0.5 + 0.1) / 2)
    assert found.placebo_gain == pytest.approx((0.1 + 0) / 2)
    assert found.placebo.gain == pytest.approx((0.4 + 0.1) / 2)


def test_groups_widen_the_interval():
    world = gaussian_world(n_train=10, n_dev=120, n_test=0)
    bench = replace(world.bench, groups=np.arange(130) // 10)
    outcome = wins_and_losses(120, 30, 0)
    alone, grouped = judged_by(world.bench, outcome), judged_by(bench, outcome)
    assert grouped.nothing.gain == alone.nothing.gain
    assert grouped.nothing.standard_error > 1.5 * alone.nothing.standard_error
    assert grouped.nothing.p_value > alone.nothing.p_value


def test_the_draw_of_signs_depends_on_the_step_and_on_nothing_else():
    labels = np.r_[np.zeros(90), np.ones(10)].astype(int)
    bench = bench_of(100, labels, "balanced_accuracy")
    outcome = wins_and_losses(100, 12, 3)
    first, again = (judged_by(bench, outcome, step=("e1",)) for _ in range(2))
    assert first.nothing == again.nothing
    assert first.placebo == again.placebo


# the corrected gain


def test_the_corrected_gain_undoes_symmetric_noise_by_hand():
    # T keeps a label with .8: accuracy on noisy labels is .2 + .6 a, so a gain is .6 of the true one
    bench = bench_of(1000)
    outcome = wins_and_losses(1000, 60, 0)
    labels = bench.judged(Split.DEV).labels
    decided = (
        np.where(outcome.before > 0, labels, 1 - labels),
        np.where(outcome.after > 0, labels, 1 - labels),
    )
    joint = np.array([[0.4, 0.1], [0.1, 0.4]])
    found = judged_by(bench, replace(outcome, decided_before=decided[0], decided_after=decided[1]), joint=joint)
    assert noise_transition(joint)[0, 0] == pytest.approx(0.8)
    assert found.corrected is not None
    assert found.corrected.value == pytest.approx(0.06 / 0.6, rel=0.02)


def test_clean_labels_are_not_corrected():
    outcome = wins_and_losses(1000, 60, 0)
    assert judged_by(bench_of(1000), outcome, joint=np.diag([0.5, 0.5])).corrected is None
    assert judged_by(bench_of(1000), outcome).corrected is None


# trusted rows


def test_enough_trusted_rows_of_a_random_draw_judge_alone():
    n = 400
    outcome = wins_and_losses(n, 100, 0)
    trusted = np.arange(n) >= n - TRUSTED_ENOUGH
    found = judged_by(bench_of(n), outcome, random_trusted=trusted)
    assert found.evidence is Evidence.TRUSTED
    assert found.nothing.gain == 0.0
    assert found.n_rows == TRUSTED_ENOUGH
    fewer = trusted & (np.arange(n) > n - TRUSTED_ENOUGH)
    assert judged_by(bench_of(n), outcome, random_trusted=fewer).evidence is Evidence.LABELS


# answers


def test_answers_by_hand():
    n = 1000
    outcome = outcome_of(np.zeros(n), np.zeros(n), decided=(np.zeros(n), np.r_[np.ones(200), np.zeros(n - 200)]))
    before, after = outcome.before.copy(), outcome.after.copy()
    after[:9], before[9] = 1, 1  # ten answers: nine for the edit, one against it
    answers = Answers(answered=np.arange(n) < 10, n_disagreeing=200)
    found = judged_by(bench_of(n), replace(outcome, before=before, after=after), answers=answers)
    assert found.evidence is Evidence.ANSWERS
    assert found.nothing.gain == pytest.approx(0.2 * 0.8)
    assert found.nothing.p_value == pytest.approx(11 / 1024)
    assert found.corrected is None
    assert found.n_disagreeing == 200
    assert found.n_rows == n


def test_answers_of_three_where_neither_is_right_count_as_no_difference():
    n = 300
    outcome = outcome_of(np.zeros(n), np.zeros(n), decided=(np.zeros(n), np.ones(n)))
    found = judged_by(bench_of(n), outcome, answers=Answers(answered=np.arange(n) < 30, n_disagreeing=n))
    assert found.nothing.gain == 0.0
    assert found.nothing.p_value == 1.0


def noisy_world(rng, n=2000, metric="accuracy"):
    """Two models that differ on rows whose labels are noisy in the edit's favour; the true gain is known."""
    truth = (rng.random(n) < (0.5 if metric == "accuracy" else 0.2)).astype(int)
    before = np.where(rng.random(n) < 0.75, truth, 1 - truth)
    after = np.where(rng.random(n) < 0.1, 1 - before, before)
    differ = before != after
    given = np.where(rng.random(n) < np.where(differ, 0.4, 0.1), after, truth)  # wrong labels agree with the edit
    return truth, before, after, given


def answered_gain(bench, world, rng, share, metric, *, helped=False):
    truth, before, after, given = world
    differ = np.flatnonzero(before != after)
    asked = rng.permutation(differ)[: round(share * len(differ))]
    labels = given.copy()
    labels[asked] = truth[asked]
    answered = np.zeros(len(truth), dtype=bool)
    answered[asked] = True
    outcome = Outcome(
        before=(before == labels).astype(float),
        after=(after == labels).astype(float),
        placebos=np.tile((before == labels).astype(float), (5, 1)),
        decided_before=before,
        decided_after=after,
    )
    judged = replace(bench.judged(Split.DEV), labels=labels if metric == "accuracy" else truth)
    likely = np.full((len(truth), 2), 0.1)
    likely[np.arange(len(truth)), given] = 0.9
    foretold = Foretold(came=given, truth=likely) if helped else None
    answers = Answers(answered=answered, n_disagreeing=len(differ))
    found = judge(bench, judged, outcome, answers=answers, foretold=foretold)
    gain = (after == truth).astype(float) - (before == truth)
    if metric == "accuracy":
        return found.nothing, gain.mean()
    return found.nothing, np.mean([gain[truth == c].mean() for c in (0, 1)])


@pytest.mark.parametrize(("metric", "helped"), [("accuracy", False), ("accuracy", True), ("balanced_accuracy", True)])
def test_answers_are_unbiased_however_the_other_labels_lie(metric, helped):
    rng = np.random.default_rng(8)
    bench = bench_of(2000, metric=metric)
    errors, inside = [], 0
    for _ in range(150):
        found, true_gain = answered_gain(bench, noisy_world(rng, metric=metric), rng, 0.4, metric, helped=helped)
        errors.append(found.gain - true_gain)
        inside += found.low <= true_gain <= found.high
    assert abs(np.mean(errors)) < 4 * np.std(errors) / np.sqrt(len(errors))
    assert inside >= 140


def test_what_the_labels_foretell_narrows_the_interval():
    rng = np.random.default_rng(8)
    bench, world = bench_of(2000), noisy_world(rng)
    plain, _ = answered_gain(bench, world, np.random.default_rng(1), 0.4, "accuracy")
    helped, _ = answered_gain(bench, world, np.random.default_rng(1), 0.4, "accuracy", helped=True)
    assert helped.standard_error < plain.standard_error
    few = 29 / (world[1] != world[2]).sum()
    one, _ = answered_gain(bench, world, np.random.default_rng(1), few, "accuracy")
    other, _ = answered_gain(bench, world, np.random.default_rng(1), few, "accuracy", helped=True)
    assert one == other  # too few for a regression


def test_answers_also_judge_against_the_placebo():
    """The given labels lie against the edit where the models differ; its placebo is the model before."""
    rng = np.random.default_rng(1)
    n = 2000
    bench = bench_of(n)
    truth = rng.integers(0, 2, n)
    before = np.where(rng.random(n) < 0.8, truth, 1 - truth)
    fixed = (before != truth) & (rng.random(n) < 0.5)
    after = np.where(fixed, truth, before)
    given = np.where(fixed & (rng.random(n) < 0.5), before, truth)  # half of what it mends looks like a loss
    asked = rng.permutation(np.flatnonzero(fixed))[:60]
    labels = given.copy()
    labels[asked] = truth[asked]
    answered = np.isin(np.arange(n), asked)
    outcome = Outcome(
        before=(before == labels).astype(float),
        after=(after == labels).astype(float),
        placebos=np.tile((before == labels).astype(float), (5, 1)),
        decided_before=before,
        decided_after=after,
    )
    judged = replace(bench.judged(Split.DEV), labels=labels)
    by_label = judge(bench, judged, outcome)
    by_answer = judge(bench, judged, outcome, answers=Answers(answered=answered, n_disagreeing=int(fixed.sum())))
    assert by_answer.placebo.gain == pytest.approx(fixed.mean())
    assert by_answer.nothing.gain == pytest.approx(fixed.mean())
    assert by_label.placebo.gain < 0.7 * fixed.mean()
    assert by_answer.placebo.p_value < 1e-6


# which draws count


def drawn(ids, *, edit="e", n_disagreeing=10, purpose="decide", split="dev"):
    return Draw(
        purpose=purpose,
        edit=edit if purpose == "decide" else None,
        parent="v",
        split=split,
        ids=tuple(ids),
        n_disagreeing=n_disagreeing,
        n_rows=20,
    )


@pytest.fixture
def dev():
    bench = bench_of(20)
    outcome = outcome_of(np.zeros(20), np.zeros(20), decided=(np.zeros(20), np.r_[np.ones(10), np.zeros(10)]))
    ids = bench.table.column("_tilth_id").take(bench.judged(Split.DEV).positions).combine_chunks()
    return bench.judged(Split.DEV), outcome, ids, ids.to_pylist()


def trusting(judged, *rows):
    trusted = np.zeros(len(judged), dtype=bool)
    trusted[list(rows)] = True
    return replace(judged, trusted=trusted)


def test_a_draw_counts_when_four_fifths_are_answered(dev):
    judged, outcome, ids, names = dev
    draw = drawn(names[:5])
    assert answers_for("e", outcome, trusting(judged, 0, 1, 2), ids, [draw]) is None
    found = answers_for("e", outcome, trusting(judged, 0, 1, 2, 3), ids, [draw])
    assert found is not None
    assert found.answered.sum() == 4
    assert found.n_disagreeing == 10
    assert counting_draws(trusting(judged, 0, 1, 2), ids, [draw]) == []


def test_the_largest_draw_that_counts_is_used_though_a_later_one_is_still_open(dev):
    judged, outcome, ids, names = dev
    draws = [drawn(names[:2]), drawn(names[:5]), drawn(names[:10])]
    found = answers_for("e", outcome, trusting(judged, *range(5)), ids, draws)
    assert found is not None
    assert found.answered.sum() == 5


def test_a_draw_from_another_disagreement_does_not_count(dev):
    judged, outcome, ids, names = dev
    everything = trusting(judged, *range(20))
    assert answers_for("e", outcome, everything, ids, [drawn(names[:5], n_disagreeing=9)]) is None
    assert answers_for("e", outcome, everything, ids, [drawn(names[8:12])]) is None
    assert answers_for("other", outcome, everything, ids, [drawn(names[:5])]) is None
    assert answers_for("e", outcome, everything, ids, [drawn([*names[:4], "gone"])]) is None


def test_rows_answered_for_another_reason_are_no_random_sample_of_the_split(dev):
    judged, _, ids, names = dev
    sample = drawn(names, purpose="sample")
    assert random_trusted(trusting(judged, 0, 1, 2), ids, [sample]) is None  # answered because models disagree there
    trusted = random_trusted(trusting(judged, *range(16)), ids, [sample])
    assert trusted is not None
    assert trusted.sum() == 16
    assert random_trusted(trusting(judged, *range(20)), ids, [drawn(names, purpose="sample", split="test")]) is None


# sensitivity


def test_least_detectable_gain_is_that_of_the_level_which_it_has_to_meet():
    bench = bench_of(1000)
    found = judged_by(bench, wins_and_losses(1000, 60, 40))
    judged = bench.judged(Split.DEV)
    assert least_detectable(bench, judged, found, 0.01) == least_detectable_gain(0.1, 1000, 0.01)
    assert least_detectable(bench, judged, found, 0.001) > least_detectable(bench, judged, found, 0.01)


def test_answers_needed_meet_the_level_of_the_next_run():
    found = judged_by(bench_of(1000), wins_and_losses(1000, 130, 70))
    assert answers_needed(found, 0.01) == answers_to_decide(0.06, 0.2, 200, 0.01)
    needed = [answers_needed(found, level) for level in (0.05, 0.01, 0.002)]
    assert needed == sorted(needed)
    helped = replace(found, foretold=0.6, decisive=1.0)
    assert answers_needed(helped, 0.01) < needed[1]
    assert answers_needed(judged_by(bench_of(1000), wins_and_losses(1000, 70, 130)), 0.05) is None
    assert answers_needed(judged_by(bench_of(1000), wins_and_losses(1000, 0, 0)), 0.05) is None
