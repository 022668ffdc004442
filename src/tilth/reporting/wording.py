"""Wording: the sentences that screen, page and notebook share, so that all doors say one thing."""

from __future__ import annotations

from typing import NamedTuple

from tilth.core.finding import Finding
from tilth.core.names import Split
from tilth.core.summary import FindingLine, RunSummary, SliceLine, TestLook
from tilth.core.trial import Trial, Verdict
from tilth.reporting.clean import brief, listed
from tilth.reporting.figures import Scale, p_text

__all__ = [
    "CORRECTION",
    "Step",
    "as_line",
    "budget_left",
    "card_words",
    "edit_line",
    "least_detectable",
    "model_line",
    "next_steps",
    "ordered",
    "outcome",
    "said_of",
    "shown_error",
    "splits_line",
    "tally",
    "task_line",
    "why",
    "worst_slices",
]

CORRECTION = "if a wrong label depends on the true class alone"
"""What a corrected gain assumes."""

_ORDER = (Verdict.KEPT, Verdict.ADOPTED, Verdict.UNDECIDED, Verdict.REFUSED, Verdict.VETOED)
_IN_FORCE = frozenset({Verdict.KEPT, Verdict.ADOPTED})
_MOST_QUESTIONS = 60
_SHARE, _PLAIN = Scale("accuracy"), Scale("auroc")
_LITTLE_ALPHA = 0.005
"""Error budget below which a dev split decides hardly anything any more."""


class Step(NamedTuple):
    """What to type next, and what for."""

    command: str
    purpose: str


def as_line(finding: Finding | FindingLine) -> FindingLine:
    """Return a finding in short."""
    if isinstance(finding, FindingLine):
        return finding
    return FindingLine(
        kind=finding.kind,
        rows=finding.n_flagged,
        severity=finding.overall,
        operator=str(finding.operator),
        summary=finding.summary,
        threshold=finding.threshold,
        suggestion=finding.suggestion,
        columns=finding.columns,
    )


def ordered(trials: tuple[Trial, ...]) -> list[Trial]:
    """Return trials by verdict (kept first), within one verdict the largest gain first."""
    return sorted(trials, key=lambda t: (_ORDER.index(t.verdict), -t.gain.value, t.edit))


def tally(trials: tuple[Trial, ...]) -> str:
    """Count verdicts: "1 kept, 2 undecided, 1 refused"."""
    counts = {verdict: sum(t.verdict is verdict for t in trials) for verdict in _ORDER}
    return ", ".join(f"{n} {verdict}" for verdict, n in counts.items() if n) or "no edit was tried"


def why(trial: Trial, scale: Scale) -> str:
    """Return why an edit got its verdict, with figures in the unit of the page."""
    violated = [guard for guard in trial.guards if guard.violated]
    if trial.verdict is Verdict.REFUSED and violated:
        worst = min(violated, key=lambda guard: guard.change.value)
        change = scale.gain(worst.change, unit=True)
        others = f", and {len(violated) - 1} more guards" if len(violated) > 1 else ""
        return f"harms the guarded slice {brief(worst.slice, 80)}: {change} on {worst.rows:,} dev rows{others}"
    if trial.verdict is Verdict.REFUSED and trial.gain.high <= 0:
        return "even the upper end of the interval is no gain"
    return brief(trial.reason)


def said_of(summary: RunSummary, trial: Trial, scale: Scale) -> str:
    """Return why a trial ended as it did, and how many labels by hand would have been as good, where that was reckoned."""
    return "; ".join(part for part in (why(trial, scale), _by_hand(summary, trial)) if part)


def card_words(summary: RunSummary, trial: Trial) -> str:
    """Return what the policy of a trial does to rows; "" where no card was made."""
    card = summary.card_of(trial)
    if card is None:
        return ""
    lost = _PLAIN if summary.task_type == "regression" else _SHARE
    figures = (
        ("changes {} of rows", _SHARE, card.applies),
        ("told from real ones with AUROC {}", _PLAIN, card.realism),
        ("two draws {} apart", _PLAIN, card.diversity),
        ("the model predicts the same of {}", _SHARE, card.unchanged),
    )
    said = [words.format(scale.score(one)) for words, scale, one in figures if one is not None]
    drift = [] if card.drift is None else [f"agreement with labels lost: {lost.gain(card.drift)}"]
    parts = [*said[:2], *drift, *said[2:], *([card.note] if card.note else [])]
    return f"on {card.rows:,} train rows: {', '.join(parts)}"


def _by_hand(summary: RunSummary, trial: Trial) -> str:
    found = next((one for one in summary.by_hand if one.edit == trial.edit), None)
    if found is None:
        return ""
    ends = f"at least {found.low or 0:,}" if found.high is None else f"{found.low or 0:,} to {found.high:,}"
    if found.rows is None:
        return f"no number of labels by hand up to 64 times those of now is likely to be as good ({ends})"
    return f"about {found.rows:,} more labels by hand would be as good ({ends})"


def edit_line(trial: Trial) -> str:
    """Return verb, operator and the values of its parameters: "remove · remove_flagged(outlier)"; and the slice that it is to mend."""
    said = {name: value for name, value in trial.operator.parameters.items() if name != "slice" or not trial.goal}
    values = listed((str(value) for value in said.values()), 6)
    aim = f" for slice {brief(trial.goal, 60)}" if trial.goal else ""
    return f"{trial.verb} · {brief(trial.operator.name, 80)}{f'({values})' if values else ''}{aim}"


def worst_slices(summary: RunSummary, most: int) -> list[SliceLine]:
    """Return the declared and discovered slices with the lowest dev scores before these edits, lowest first."""
    known = [line for line in summary.slices if line.score is not None]
    return sorted(known, key=lambda line: (line.before, line.name))[:most]


def outcome(summary: RunSummary) -> str:
    """Say in two or three sentences what the run brought, and what a null result means."""
    return f"{_what_was_kept(summary)} {_what_test_says(summary)}".strip()


def _what_was_kept(summary: RunSummary) -> str:
    n, kept = len(summary.trials), sum(t.verdict in _IN_FORCE for t in summary.trials)
    if not n:
        return "No edit was tried, so nothing was kept."
    edits = "1 edit" if n == 1 else f"{n} edits"
    if kept:
        return f"Of {edits} tried, {kept} {'was' if kept == 1 else 'were'} kept."
    undecided = sum(t.verdict is Verdict.UNDECIDED for t in summary.trials)
    few = f"{undecided} of them {'is' if undecided == 1 else 'are'}" if undecided < n else "All are"
    open_ones = f" {few} undecided, not refused." if undecided else ""
    return (
        f"Nothing was kept. Of {edits} tried, none did measurably better than both doing nothing and its placebo."
        f"{open_ones} The data stays as it is; that does not mean that it is clean."
    )


def _what_test_says(summary: RunSummary) -> str:
    look = summary.test
    if look is None:
        return "The sealed test was not looked at (a dry run, or no test row has a label)."
    if summary.version_before == summary.version_after:
        return "The model is the one from before, and so is its test score."
    if not any(t.verdict in _IN_FORCE for t in summary.trials):
        return f"The gain shown is that of edits kept earlier. {_sign_of(look)}"
    return _sign_of(look)


def _sign_of(look: TestLook) -> str:
    if look.gain.low > 0:
        return "On the sealed test the interval of the gain lies above zero."
    if look.gain.high < 0:
        return "On the sealed test the model became worse: look at what was kept, and veto what you doubt."
    return "On the sealed test the interval of the gain holds zero: it neither confirms nor denies what dev showed."


def least_detectable(summary: RunSummary, scale: Scale) -> str:
    """Say what gain the run could have found; a limit, not a measured figure."""
    if scale.is_share and summary.least_detectable_gain >= 1:
        return "no gain: there are too few dev rows to tell one from chance"
    least = scale.amount(summary.least_detectable_gain)
    return f"gains from {least} up; smaller true gains are likely to stay undecided"


def budget_left(summary: RunSummary) -> str:
    """Say what is left of the error budget of this dev split."""
    left = f"error budget left {p_text(summary.alpha_left)}"
    return f"{left}: bring fresh dev rows" if summary.alpha_left < _LITTLE_ALPHA else left


def splits_line(summary: RunSummary) -> str:
    """Return the rows of each split that has any: "train 7,440 · dev 2,480"."""
    order = {str(split): place for place, split in enumerate(Split)}  # a recorded run has them by name
    names = sorted(summary.splits, key=lambda name: order.get(name, len(order)))
    return " · ".join(f"{brief(name, 40)} {summary.splits[name]:,}" for name in names if summary.splits[name])


def task_line(summary: RunSummary) -> str:
    """Return what is predicted and how it is scored."""
    classes = f" ({listed(summary.classes, 6)})" if summary.classes else ""
    scale = Scale(summary.metric)
    classes += f" · label set {summary.taxonomy}" if summary.taxonomy > 1 else ""
    return f"{brief(summary.label, 80)}, {summary.task_type}{classes} · {scale.name}, {scale.score_note}"


def model_line(summary: RunSummary) -> str:
    """Return the learner and what encodes which columns, columns of one encoder together."""
    columns: dict[str, list[str]] = {}
    for column, encoder in summary.encoders.items():
        columns.setdefault(encoder, []).append(column)
    parts = [f"{listed(names, 4)} by {brief(encoder, 80)}" for encoder, names in columns.items()]
    return " · ".join([brief(summary.learner, 200), *parts])


def shown_error(error: str, *, messages: bool) -> str:
    """Return an error on one line, or only its class where messages could quote a hidden cell."""
    return brief(error) if messages else brief(error.split(":", 1)[0])


def next_steps(summary: RunSummary) -> list[Step]:
    """Return what to type next, the most useful first."""
    steps = [*_questions(summary), Step("tilth report", "everything on one page: rows, trials, slices, history")]
    if summary.version_before != summary.version_after:
        steps.append(Step("tilth export latest clean.parquet", "the data, and the list of what changed and why"))
    else:
        steps.append(Step("tilth export latest clean.parquet", "the data as it stands"))
    steps.append(Step("tilth predict new.csv -o out.csv", "the model on new rows, with the same feature code"))
    return steps


def _questions(summary: RunSummary) -> list[Step]:
    steps = []
    deciding = [t for t in summary.trials if t.verdict is Verdict.UNDECIDED and t.answers_needed]
    if deciding:
        cheapest = min(deciding, key=lambda t: (t.answers_needed or 0, t.edit))
        top = min(_MOST_QUESTIONS, cheapest.answers_needed or 0)
        edit = f"{cheapest.verb} by {brief(cheapest.operator.name, 80)}"
        what = f"about {cheapest.answers_needed:,} answers would decide {edit}"
        steps.append(Step(f"tilth ask --top {top} -o questions.csv", what))
    elif summary.questions:
        top = min(30, summary.questions)
        what = "the labels in doubt whose answers are worth most"
        steps.append(Step(f"tilth ask --top {top} -o questions.csv", what))
    if steps:
        steps.append(Step("tilth answer questions.csv && tilth run", "when the column `answer` is filled in"))
    if summary.test is not None and summary.test.corrected_gain is not None:
        steps.append(
            Step("tilth ask --split test -o test.csv", "a random sample of test to confirm: its labels look noisy")
        )
    return steps
