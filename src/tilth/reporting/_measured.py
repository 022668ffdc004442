"""What the page says of trials and slices: figures with their intervals, drawings, and why."""

from __future__ import annotations

from typing import Any

from tilth.core.estimate import Estimate
from tilth.core.summary import RunSummary, SliceLine
from tilth.core.trial import Trial
from tilth.reporting.charts import Mark, axis_of, axis_svg, intervals_svg
from tilth.reporting.clean import brief, listed
from tilth.reporting.figures import Scale, p_text, span
from tilth.reporting.wording import CORRECTION, card_words, ordered, said_of, worst_slices

__all__ = ["slices_of", "standing_of", "trials_of"]

MOST_TRIALS, MOST_GUARDS, MOST_SLICES, MOST_STANDING = 16, 8, 60, 20


def trials_of(summary: RunSummary, scale: Scale) -> dict[str, Any]:
    """Return what the page's template shows of the trials: one view each, their common axis, and how many are left out."""
    trials = ordered(summary.trials)[:MOST_TRIALS]
    if not trials:
        return {"trials": [], "trials_axis": "", "trials_left_out": 0}
    axis = axis_of((scale.gain_of(e) for t in trials for e in (t.gain, t.over_placebo)), with_zero=True)
    views = []
    for trial in trials:
        gain, over = scale.gain(trial.gain), scale.gain(trial.over_placebo)
        marks = [Mark(scale.gain_of(trial.gain), "nothing"), Mark(scale.gain_of(trial.over_placebo), "placebo")]
        label = f"gain against doing nothing {gain}, against its placebo {over}"
        views.append(
            {
                "name": brief(f"{trial.verb} · {trial.operator}", 120),
                "goal": brief(trial.goal, 100),
                "rows": trial.rows,
                "gain": gain,
                "over_placebo": over,
                "drawing": intervals_svg(axis, marks, label, with_zero=True),
                "verdict": str(trial.verdict),
                "why": brief(said_of(summary, trial, scale)),
                "details": _details(trial, scale, card_words(summary, trial)),
                "guards": _guards(trial, scale),
            }
        )
    left_out = len(summary.trials) - len(trials)
    return {"trials": views, "trials_axis": axis_svg(axis, scale, signed=True), "trials_left_out": left_out}


def _details(trial: Trial, scale: Scale, card: str) -> list[tuple[str, str]]:
    details = [
        ("Forecast", f"{scale.forecast(trial.forecast)}, by screening inside train (a forecast has no interval)")
    ]
    if trial.gain_given_kept is not None:
        settled = scale.gain(trial.gain_given_kept, unit=True)
        details.append(("Gain, given kept", f"{settled} on dev; the luck that being kept takes is out"))
    if trial.corrected_gain is not None:
        corrected = scale.gain(trial.corrected_gain, unit=True)
        details.append(("Gain, corrected", f"{corrected} on dev, {CORRECTION}; selected, and not what decided"))
    if card:
        details.append(("Card of the policy", brief(card)))
    if trial.slopes is not None:
        steep = (scale.gain(one, unit=True) for one in (trial.slopes.before, trial.slopes.after))
        details.append(
            (
                "Learning curve",
                "the last doubling of train rows brought {} on dev; with the made rows {}".format(*steep),
            )
        )
    if trial.goal:
        details.append(("Goal", f"all gains are those of the slice {brief(trial.goal, 100)}; the average is guarded"))
    placebo = f"{scale.forecast(trial.placebo)} over doing nothing, mean of its draws"
    p_values = (p_text(p) for p in (trial.p_nothing, trial.p_placebo, trial.p_adjusted, trial.alpha))
    details += [
        ("Placebo", f"{placebo}; the edit over it {scale.gain(trial.over_placebo, unit=True)}"),
        ("p-values", "against nothing {}, against placebo {}; the larger, corrected, {} to meet {}".format(*p_values)),
        ("Judged by", brief(trial.judge)),
        ("Disagreement", f"the models before and after decide differently on {trial.disagreeing:,} dev rows"),
    ]
    if trial.answers_needed:
        details.append(("Answers", f"about {trial.answers_needed:,} on those rows would decide"))
    if trial.base:
        details.append(("On top of", listed(trial.base, 6)))
    details.append(
        ("Edit", f"{brief(trial.edit, 40)} on {brief(trial.parent, 40)} · seed {trial.seed} · {span(trial.seconds)}")
    )
    return details


def _guards(trial: Trial, scale: Scale) -> list[str]:
    guards = sorted(trial.guards, key=lambda guard: (not guard.violated, guard.change.value))
    lines = [
        f"{brief(guard.slice, 80)}, {guard.rows:,} rows: {scale.gain(guard.change, unit=True)}"
        f"{', violated' if guard.violated else ''} (p of being worse {p_text(guard.p_worse)})"
        for guard in guards[:MOST_GUARDS]
    ]
    left_out = len(guards) - MOST_GUARDS
    return [*lines, f"{left_out} more, none of them worse than these"] if left_out > 0 else lines


def standing_of(summary: RunSummary, scale: Scale) -> dict[str, Any]:
    """Return what the page's template shows of the declared and discovered slices before these edits, the worst first."""
    lines = worst_slices(summary, MOST_STANDING)
    if not lines:
        return {"standing": [], "standing_axis": "", "standing_left_out": 0}
    scores = [line.score for line in lines if line.score is not None]
    axis = axis_of([scale.score_of(score) for score in (*scores, summary.baseline)], with_zero=False)
    views = [
        {
            "name": brief(line.name, 100),
            "who": brief(line.words or line.rule, 200),
            "rows": line.rows,
            "score": scale.score(score),
            "how": _how_known(line),
            "drawing": intervals_svg(
                axis, [Mark(scale.score_of(score), "nothing")], f"score {scale.score(score)}", with_zero=False
            ),
        }
        for line, score in zip(lines, scores, strict=True)
    ]
    left_out = sum(line.score is not None for line in summary.slices) - len(lines)
    axis_drawn = axis_svg(axis, scale, signed=False)
    return {"standing": views, "standing_axis": axis_drawn, "standing_left_out": left_out}


def _how_known(line: SliceLine) -> str:
    how = "declared" if line.q_value is None else f"discovered in train, q {line.q_value:.2g}"
    return f"{how}; edits were tried that aim at it" if line.aimed else how


def slices_of(summary: RunSummary, scale: Scale) -> dict[str, Any]:
    """Return what the page's template shows of the guarded slices, the most harmed first, on one axis."""
    lines = sorted(summary.slices, key=lambda line: (line.change.value, line.name))[:MOST_SLICES]
    if not lines:
        return {"slices": [], "slices_axis": "", "slices_left_out": 0, "slices_measure": ""}
    axis = axis_of((scale.gain_of(line.change) for line in lines), with_zero=True)
    views = [
        {
            "name": brief(line.name, 100),
            "rows": line.rows,
            "change": scale.gain(line.change),
            "scores": f"{scale.slice_score(line.before)} → {scale.slice_score(line.after)}",
            "look": _side(line.change),
            "drawing": intervals_svg(
                axis, [Mark(scale.gain_of(line.change), "change")], f"change {scale.gain(line.change)}", with_zero=True
            ),
        }
        for line in lines
    ]
    left_out = len(summary.slices) - len(lines)
    measure = f"of F1 by class and of {scale.name} by other slice" if summary.classes else f"of {scale.name} by slice"
    axis_drawn = axis_svg(axis, scale, signed=True)
    return {"slices": views, "slices_axis": axis_drawn, "slices_left_out": left_out, "slices_measure": measure}


def _side(change: Estimate) -> str:
    if change.low > 0:
        return "is-better"
    return "is-worse" if change.high < 0 else "is-open"
