"""Slices on one screen and in a notebook: what, how bad, how sure, the rules; nothing by strangers obeyed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tilth.core.estimate import Estimate
from tilth.core.slice_summary import SliceLine, SliceSummary
from tilth.reporting.slices import slices_html, slices_screen
from tilth.reporting.text import as_text

LINE = SliceLine(
    name="sex is F and age is under 25",
    rule="sex = 'F' AND age < 25",
    rows=120,
    value=Estimate(value=0.6, low=0.5, high=0.7, standard_error=0.05),
    elsewhere=0.9,
    loss_share=0.3,
    q_value=0.00123,
    alike=("gender = 'f' AND age < 25",),
    members=np.ones(3, dtype=bool),
)
SUMMARY = SliceSummary(
    source="people.csv",
    metric="accuracy",
    label="hired, 2 classes",
    prediction="said, a class",
    rows=1000,
    scored=990,
    overall=Estimate(value=0.88, low=0.86, high=0.9, standard_error=0.01),
    slices=(LINE,),
    columns=("sex", "age"),
    left_out={"p": "decides the prediction"},
    warnings=("10 of 1,000 rows lack a label",),
)


def test_the_screen_says_what_how_bad_and_how_sure():
    text = as_text(slices_screen(SUMMARY))
    for said in (
        "people.csv · 1,000 rows, 990 with a score",
        "accuracy 88.0 % [86.0, 90.0]",
        "p (decides the prediction)",
        "warning: 10 of 1,000 rows lack a label",
        "1 slice on which predictions are worse",
        "0.0012",
        "30.0 %",
        "sex = 'F' AND age < 25",
        "nearly the same rows: gender = 'f' AND age < 25",
    ):
        assert said in text
    assert "60.0 % [50.0, 70.0]" in text.replace("\u00a0", " ")


def test_errors_are_written_without_their_minus():
    error = Estimate(value=-3.0, low=-3.5, high=-2.5, standard_error=0.2)
    summary = replace(SUMMARY, metric="mae", overall=error, slices=(replace(LINE, value=error, elsewhere=-1.0),))
    text = as_text(slices_screen(summary)).replace("\u00a0", " ")
    assert "mean absolute error 3.00 [2.50, 3.50]" in text
    assert "−3" not in text
    assert "of loss" in text


def test_no_slice():
    assert "No slice is surely worse" in as_text(slices_screen(replace(SUMMARY, slices=())))
    assert "No slice is surely worse" in slices_html(replace(SUMMARY, slices=()))


def test_words_of_strangers_are_not_obeyed():
    bad = replace(LINE, name="x is \x1b[2J<script>alert(1)</script>", rule="x = '\x1b[2J'")
    summary = replace(SUMMARY, slices=(bad,), source="<b>a\x1b</b>")
    assert "\x1b" not in as_text(slices_screen(summary))
    html = slices_html(summary)
    assert "<script>" not in html
    assert "<b>a" not in html
