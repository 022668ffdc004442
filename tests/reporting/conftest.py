"""Runs made by hand: a typical one, a null result, a regression, and one with failures and noisy test labels."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from tilth.core.estimate import Estimate
from tilth.core.spec import Spec
from tilth.core.summary import (
    Exhibit,
    ExhibitRow,
    FailedStep,
    FindingLine,
    HistoryLine,
    RunSummary,
    SliceLine,
    TestLook,
)
from tilth.core.trial import Guard, Trial, Verdict


def est(value: float, half: float) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half, standard_error=half / 1.96)


def make_trial(
    verb: str, name: str, gain: Estimate, over: Estimate, verdict: Verdict, reason: str, **more: Any
) -> Trial:
    facts: dict[str, Any] = {
        "edit": f"e-{name[:6]}",
        "verb": verb,
        "operator": Spec(room="editing", name=name, parameters=more.pop("parameters", {})),
        "rows": 212,
        "parent": "v-1a2b3c4d",
        "forecast": 0.015,
        "gain": gain,
        "over_placebo": over,
        "placebo": gain.value - over.value,
        "p_nothing": 0.0006,
        "p_placebo": 0.0002,
        "p_adjusted": 0.0024,
        "alpha": 0.0228,
        "verdict": verdict,
        "reason": reason,
        "judge": "given labels: a wrong dev label agrees with the edited model no more often than with the other",
        "disagreeing": 131,
        "answers_needed": None,
        "least_detectable_gain": 0.009,
        "seconds": 3.21,
        "seed": 7,
    }
    return Trial(**(facts | more))


def finding(kind: str, rows: int, severity: float, summary: str, **more: Any) -> FindingLine:
    facts: dict[str, Any] = {
        "kind": kind,
        "rows": rows,
        "severity": severity,
        "operator": kind,
        "summary": summary,
        "threshold": "the label is wrong with a probability above 0.5, by out-of-sample predictions",
        "suggestion": "have the worst confirmed by a person; relabelling, softening and removing them are tried",
    }
    return FindingLine(**(facts | more))


FINDINGS = (
    finding(
        "label_error",
        412,
        0.81,
        "412 of 7,440 rows (5.5 %) carry a label that is more likely wrong than right; 334 are to be expected so.",
    ),
    finding(
        "near_duplicate",
        96,
        0.64,
        "96 of 7,440 rows (1.3 %) say nearly the same as another row; 11 pairs disagree in their label.",
    ),
    finding("leakage", 23, 0.6, "23 train rows stand in test as well."),
    finding(
        "outlier",
        37,
        0.44,
        "37 rows stand apart: the most isolated is 6.2 times as far from its 20 nearest rows as these are from theirs.",
    ),
    finding(
        "constant_column",
        0,
        0.3,
        "Column 'source' holds one and the same value in all 7,440 train rows.",
        columns=("source",),
    ),
)

TRIALS = (
    make_trial(
        "relabel",
        "relabel_hard",
        est(0.019, 0.012),
        est(0.0204, 0.0121),
        Verdict.KEPT,
        "better than nothing and than its placebo (corrected p 0.0024 ≤ 0.023)",
        parameters={"share": 0.5},
        corrected_gain=est(0.0231, 0.0142),
        guards=(
            Guard(slice="sentiment = negative", rows=1202, change=est(0.011, 0.013), p_worse=1.0, violated=False),
            Guard(slice="sentiment = positive", rows=1278, change=est(0.026, 0.015), p_worse=1.0, violated=False),
        ),
    ),
    make_trial(
        "remove",
        "remove_flagged",
        est(0.004, 0.0061),
        est(0.0032, 0.0066),
        Verdict.UNDECIDED,
        "not told apart from its placebo (corrected p 0.41 > 0.023); about 58 answers would decide: tilth ask",
        answers_needed=58,
        p_nothing=0.11,
        p_placebo=0.21,
        p_adjusted=0.41,
        parameters={"kind": "near_duplicate"},
    ),
    make_trial(
        "modify",
        "reweight_doubt",
        est(0.0013, 0.0052),
        est(-0.0003, 0.0049),
        Verdict.UNDECIDED,
        "not told apart from its placebo (corrected p 0.9 > 0.023)",
        p_nothing=0.31,
        p_placebo=0.6,
        p_adjusted=0.9,
    ),
    make_trial(
        "remove",
        "remove_label_errors",
        est(0.006, 0.009),
        est(0.005, 0.0092),
        Verdict.REFUSED,
        "guard 'sentiment = negative' fell by 0.0310 on 1,202 dev rows",
        guards=(
            Guard(slice="sentiment = negative", rows=1202, change=est(-0.031, 0.012), p_worse=0.0004, violated=True),
        ),
    ),
    make_trial(
        "modify",
        "balance_classes",
        est(-0.011, 0.0071),
        est(-0.0098, 0.0075),
        Verdict.REFUSED,
        "even the upper end of its gain, -0.0039, is not above 0",
        p_nothing=0.99,
        p_placebo=0.98,
        p_adjusted=1.0,
    ),
)


def make_typical() -> RunSummary:
    return RunSummary(
        source="reviews.csv",
        rows=12400,
        splits={"train": 7440, "dev": 2480, "test": 2480, "unused": 0, "pool": 0},
        task_type="binary",
        label="sentiment",
        classes=("negative", "positive"),
        metric="accuracy",
        learner="linear(penalty=0.01)",
        encoders={"text": "text_ngrams", "stars": "number", "votes": "number", "shop": "category"},
        version_before="v-1a2b3c4d",
        version_after="v-9f8e7d6c",
        baseline=est(0.869, 0.0134),
        ceiling=est(0.941, 0.009),
        ceiling_method="Cover–Hart bound from the nearest neighbour's error",
        least_detectable_gain=0.009,
        findings=FINDINGS,
        trials=TRIALS,
        refusals={"find label_error_regression": "it reads numeric labels, and the label is a class"},
        test=TestLook(
            before=est(0.8726, 0.0132),
            after=est(0.8907, 0.0124),
            gain=est(0.0181, 0.0118),
            corrected_gain=None,
            looks=1,
        ),
        slices=(
            SliceLine(name="sentiment = negative", rows=1202, before=0.861, after=0.872, change=est(0.011, 0.013)),
            SliceLine(name="sentiment = positive", rows=1278, before=0.877, after=0.903, change=est(0.026, 0.015)),
            SliceLine(name="shop = books", rows=640, before=0.9, after=0.891, change=est(-0.009, 0.017)),
            SliceLine(name="shop = garden", rows=88, before=0.83, after=0.852, change=est(0.022, 0.051)),
        ),
        alpha_left=0.0196,
        questions=470,
        seed=7,
        seconds=41.2,
        warnings=("split 'holdout' is neither train, dev nor test and is left unused",),
    )


def make_null() -> RunSummary:
    undecided = [t for t in TRIALS if t.verdict is not Verdict.KEPT]
    same = est(0.8726, 0.0132)
    nothing = Estimate(value=0.0, low=0.0, high=0.0, standard_error=0.0)
    return replace(
        make_typical(),
        version_after="v-1a2b3c4d",
        trials=tuple(undecided),
        test=TestLook(before=same, after=same, gain=nothing, corrected_gain=None, looks=1),
        slices=(),
        warnings=(),
    )


def make_regression() -> RunSummary:
    trial = make_trial(
        "relabel",
        "relabel_numbers",
        est(412.3, 196.0),
        est(398.0, 201.0),
        Verdict.KEPT,
        "better than nothing and than its placebo (corrected p 0.001 ≤ 0.034)",
        forecast=380.0,
        answers_needed=None,
    )
    worse = make_trial(
        "remove",
        "remove_flagged",
        est(-150.0, 120.0),
        est(-140.0, 121.0),
        Verdict.REFUSED,
        "even the upper end of its gain, -30.0000, is not above 0",
        forecast=12.0,
    )
    return replace(
        make_typical(),
        source="houses.parquet",
        task_type="regression",
        label="price",
        classes=(),
        metric="mae",
        learner="boosting_regression(trees=300)",
        baseline=est(-18432.0, 611.0),
        ceiling=est(-9211.0, 420.0),
        ceiling_method="noise of the label between nearest neighbours",
        least_detectable_gain=215.0,
        trials=(trial, worse),
        findings=(
            finding("label_error_regression", 61, 0.7, "61 of 7,440 rows carry a number far from its prediction."),
        ),
        test=TestLook(
            before=est(-18521.0, 640.0),
            after=est(-18102.0, 633.0),
            gain=est(419.0, 230.0),
            corrected_gain=None,
            looks=2,
        ),
        slices=(SliceLine(name="city = Graz", rows=301, before=-17000.0, after=-16500.0, change=est(500.0, 390.0)),),
    )


def make_troubled() -> RunSummary:
    trace = (
        "Traceback (most recent call last):\n"
        '  File "quarantine.py", line 31, in run\n    return function()\n'
        '  File "outlier.py", line 88, in find\n    raise ValueError(secret)\n'
        "ValueError: cannot read 'Jane Doe, 555-0100'\n"
    )
    return replace(
        make_typical(),
        test=TestLook(
            before=est(0.742, 0.02),
            after=est(0.747, 0.0199),
            gain=est(0.005, 0.011),
            corrected_gain=est(0.0112, 0.0155),
            looks=3,
        ),
        failures=(
            FailedStep(step="find outlier", error="ValueError: cannot read 'Jane Doe, 555-0100'", traceback=trace),
            FailedStep(step="propose relabel_soft", error="MemoryError", traceback="Traceback …\nMemoryError\n"),
        ),
        warnings=tuple(f"warning number {i} says something of length about a column" for i in range(7)),
        alpha_left=0.002,
        least_detectable_gain=1.0,
    )


HISTORY = (
    HistoryLine(version="v-1a2b3c4d", parent="", origin="source"),
    HistoryLine(
        version="v-9f8e7d6c",
        parent="v-1a2b3c4d",
        origin="edit",
        edit="e-relabe",
        verb="relabel",
        operator="relabel_hard(share=0.5)",
        rows=212,
        verdict="kept",
        reason="labels that are more likely wrong than right",
    ),
    HistoryLine(
        version="v-77aa88bb",
        parent="v-9f8e7d6c",
        origin="adopted",
        edit="e-remove",
        verb="remove",
        operator="remove_flagged(kind=near_duplicate)",
        rows=96,
        verdict="adopted",
        reason="rows that repeat another",
    ),
    HistoryLine(
        version="",
        parent="v-77aa88bb",
        origin="",
        edit="e-balanc",
        verb="modify",
        operator="balance_classes",
        rows=7440,
        verdict="vetoed",
        reason="weights so that classes count alike",
    ),
    HistoryLine(
        version="v-00cc11dd",
        parent="v-9f8e7d6c",
        origin="revert",
        edit="e-remove",
        verb="modify",
        operator="revert",
        rows=96,
        verdict="a person's word",
        reason="takes back e-remove",
    ),
)


def picture(colour: tuple[int, int, int], side: int = 64) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(out, format="PNG")
    return out.getvalue()


def make_exhibits() -> tuple[Exhibit, ...]:
    reviews = (
        "Arrived broken and nobody answered my mail. I want my money back, this is the worst shop I know.",
        "Lovely little lamp, warm light, my daughter will not sleep without it any more. Would buy it again at once.",
        "It does what it says.",
    )
    errors = tuple(
        ExhibitRow(
            row_id=f"r-{i:04d}",
            split="train",
            severity=0.97 - i / 50,
            cells={"text": text, "sentiment": given, "stars": str(5 - i), "shop": "books"},
            facts={"given": given, "suggested": other, "p_wrong": f"{0.97 - i / 50:.2f}"},
        )
        for i, (text, given, other) in enumerate(
            zip(reviews, ("positive", "negative", "negative"), ("negative", "positive", "positive"), strict=True)
        )
    )
    outliers = tuple(
        ExhibitRow(
            row_id=f"r-9{i}",
            split="dev",
            severity=0.8 - i / 10,
            cells={"stars": str(i), "votes": "12000", "shop": "garden", "sentiment": "positive"},
            facts={"isolation_ratio": f"{6.2 - i:.1f}"},
        )
        for i in range(4)
    )
    images = tuple(
        ExhibitRow(
            row_id=f"img/{i}.png",
            split="train",
            severity=0.6,
            cells={"sentiment": "positive"},
            images={"photo": picture((40 * i, 120, 90))},
            facts={"partner": f"img/{i + 1}.png"},
        )
        for i in range(5)
    )
    return (
        Exhibit(kind="label_error", rows=errors),
        Exhibit(kind="near_duplicate", rows=images),
        Exhibit(kind="outlier", rows=outliers),
    )


@pytest.fixture
def typical() -> RunSummary:
    return make_typical()


@pytest.fixture
def null() -> RunSummary:
    return make_null()


@pytest.fixture
def regression() -> RunSummary:
    return make_regression()


@pytest.fixture
def troubled() -> RunSummary:
    return make_troubled()


@pytest.fixture
def exhibits() -> tuple[Exhibit, ...]:
    return make_exhibits()


@pytest.fixture
def history() -> tuple[HistoryLine, ...]:
    return HISTORY[::-1]
