"""What the log keeps: trials, summaries, specs and annotations come back as they were."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest

from tilth.core.annotation import Annotation
from tilth.core.estimate import WIDEST, Estimate
from tilth.core.spec import Spec
from tilth.core.summary import FailedStep, FindingLine, HistoryLine, RunSummary, SliceLine, TestLook
from tilth.core.trial import Guard, Trial, Verdict

GAIN = Estimate(value=0.01, low=-0.002, high=0.02, standard_error=0.005)
UNKNOWN = Estimate(value=0.0, low=-WIDEST, high=WIDEST, standard_error=WIDEST)
SPEC = Spec(room="editing", name="remove", parameters={"share": 0.1, "kinds": ["outlier"], "seed": None}, revision=2)
BARE = Trial(
    edit="e-1",
    verb="remove",
    operator=SPEC,
    rows=12,
    parent="v-1",
    forecast=0.02,
    gain=GAIN,
    over_placebo=UNKNOWN,
    placebo=-0.001,
    p_nothing=0.01,
    p_placebo=0.03,
    p_adjusted=0.06,
    alpha=0.0125,
    verdict=Verdict.UNDECIDED,
    reason="the interval holds zero",
    judge="given labels",
    disagreeing=31,
    answers_needed=None,
    least_detectable_gain=0.008,
    seconds=1.5,
    seed=7,
)
FULL = replace(
    BARE,
    verdict=Verdict.REFUSED,
    answers_needed=60,
    corrected_gain=GAIN,
    guards=(Guard(slice="site=A", rows=120, change=GAIN, p_worse=0.4, violated=False),),
    base=("e-0", "e-9"),
)
EMPTY = RunSummary(
    source="reviews.csv",
    rows=0,
    splits={},
    task_type="binary",
    label="sentiment",
    classes=(),
    metric="accuracy",
    learner="linear",
    encoders={},
    version_before="v-1",
    version_after="v-1",
    baseline=GAIN,
    ceiling=None,
    ceiling_method="",
    least_detectable_gain=0.01,
    findings=(),
    trials=(),
    refusals={},
    test=None,
    slices=(),
    alpha_left=0.05,
    questions=0,
    seed=0,
    seconds=0.1,
    warnings=(),
)
LOOK = TestLook(before=GAIN, after=GAIN, gain=UNKNOWN, corrected_gain=GAIN, looks=1)
RICH = replace(
    EMPTY,
    splits={"train": 60, "dev": 20, "test": 20, "unused": 0, "pool": 0},
    classes=("no", "yes"),
    encoders={"text": "text_ngrams"},
    ceiling=UNKNOWN,
    findings=(
        FindingLine(
            kind="constant_column",
            rows=0,
            severity=0.5,
            operator="column_quality",
            summary="one column",
            threshold="all equal",
            suggestion="leave it out",
            columns=("a", "b"),
        ),
    ),
    trials=(BARE, FULL),
    refusals={"propose balance_classes": "classes are of similar size"},
    test=LOOK,
    slices=(SliceLine(name="site=A", rows=9, before=0.5, after=0.6, change=GAIN),),
    warnings=("no dev split",),
    failures=(FailedStep(step="find x", error="ValueError: no", traceback="…"),),
)


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value, allow_nan=False))


@pytest.mark.parametrize("trial", [BARE, FULL, replace(FULL, verdict=Verdict.VETOED)], ids=["bare", "full", "vetoed"])
def test_a_trial_survives_json(trial):
    again = Trial.from_dict(through_json(trial.to_dict()))
    assert again == trial
    assert all(type(getattr(again, f.name)) is type(getattr(trial, f.name)) for f in fields(Trial))


def test_the_p_value_is_the_larger_of_the_two():
    assert BARE.p_value == 0.03
    assert replace(BARE, p_nothing=0.2).to_dict()["p_value"] == 0.2


@pytest.mark.parametrize("summary", [EMPTY, RICH, replace(RICH, test=replace(LOOK, corrected_gain=None))])
def test_a_summary_survives_json(summary):
    again = RunSummary.from_record(through_json(summary.to_record()))
    assert again == summary
    assert again.to_dict() == summary.to_dict()


def test_what_a_run_prints_is_json_with_every_promised_key():
    printed = through_json(RICH.to_dict())
    assert printed.keys() >= {"dataset", "task", "version", "baseline", "findings", "trials", "test", "slices"}
    assert printed.keys() >= {"alpha_left", "questions", "seed", "seconds", "warnings"}
    assert printed["dataset"].keys() >= {"rows", "source", "splits"}
    assert printed["task"].keys() >= {"type", "label", "classes", "metric"}
    assert printed["version"].keys() >= {"before", "after"}
    assert printed["baseline"]["dev"] == {"value": 0.01, "interval": [-0.002, 0.02]}
    assert printed["baseline"]["ceiling"].keys() >= {"value", "interval", "method"}
    assert printed["findings"][0].keys() >= {"kind", "rows", "severity", "operator"}
    promised = {"edit", "verb", "operator", "rows", "forecast", "gain", "interval", "placebo", "p_value", "verdict"}
    assert all(trial.keys() >= promised | {"seconds"} for trial in printed["trials"])
    look = {"before", "before_interval", "after", "after_interval", "gain", "interval", "corrected_gain", "looks"}
    assert printed["test"].keys() >= look
    assert printed["slices"][0].keys() >= {"name", "rows", "before", "after", "interval"}


def test_what_is_not_known_is_null():
    printed = through_json(EMPTY.to_dict())
    assert printed["test"] is None
    assert printed["baseline"]["ceiling"] == {"value": None, "interval": None, "method": ""}


def test_a_spec_survives_json_and_hashes_by_content():
    again = Spec.from_dict(through_json(SPEC.to_dict()))
    assert (again, hash(again), again.digest) == (SPEC, hash(SPEC), SPEC.digest)


def test_specs_that_differ_have_other_digests():
    others = [
        replace(SPEC, room="selection"),
        replace(SPEC, name="keep"),
        replace(SPEC, parameters={"share": 0.2}),
        replace(SPEC, revision=3),
    ]
    assert len({SPEC, *others}) == 5


def test_specs_are_written_as_in_the_project_file():
    assert str(Spec(room="editing", name="remove", parameters={"share": 0.1, "k": 3})) == "remove(k=3, share=0.1)"
    assert str(Spec(room="editing", name="remove")) == "remove"


def test_annotations_and_history_are_plain():
    answer = Annotation(row_id="a", task="label", value="yes", certainty=0.5)
    assert Annotation(**through_json(answer.to_dict())) == answer
    line = HistoryLine(version="v-2", parent="v-1", origin="edit", edit="e-1", verb="remove", rows=3, verdict="kept")
    assert HistoryLine(**through_json(line.to_dict())) == line
