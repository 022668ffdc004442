"""Labels on one screen and in a notebook: what is known with its interval, majority beside, nothing by strangers obeyed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.estimate import WIDEST, Estimate
from tilth.core.label_summary import Explanation, LabelerLine, LabelMetrics, LabelSummary, VoteEffect
from tilth.reporting.labels import explanation_screen, labels_html, labels_screen
from tilth.reporting.text import as_text


def estimate(value, half):
    return Estimate(value=value, low=value - half, high=value + half, standard_error=half / 1.96)


def metrics(model, accuracy):
    return LabelMetrics(
        model=model, rows=3, accuracy=estimate(accuracy, 0.05), f1=estimate(0.8, 0.04), nll=estimate(0.31, 0.02)
    )


def line(name, coverage, **more):
    facts = {
        "votes": 3,
        "says": ("ham", "spam"),
        "overlap": coverage / 2,
        "conflict": coverage / 4,
        "accuracy": estimate(0.75, 0.1),
    }
    return LabelerLine(name=name, coverage=coverage, **(facts | more))


def summary_with(**more):
    facts = {
        "source": "votes.csv",
        "notes": ("a matrix of 4 rows and 2 labelers",),
        "model": "dawid_skene",
        "why": "held-out votes are likelier",
        "classes": ("ham", "spam"),
        "prior": (0.7, 0.3),
        "row_ids": pa.array(["a", "b", "c", "d"]),
        "labels": np.array([0, 1, 0, 0]),
        "pred_probs": np.array([[0.9, 0.1], [0.2, 0.8], [0.55, 0.45], [0.7, 0.3]]),
        "covered": np.array([True, True, True, False]),
        "labelled": np.array([True, True, True, False]),
        "labelers": (line("first", 0.75), line("second", 0.5)),
        "metrics": None,
        "majority": None,
        "agreement": estimate(0.41, 0.1),
        "paired": 2,
        "differing": 1,
        "tied": 1,
        "warnings": (),
    }
    return LabelSummary(**(facts | more))


def screen(summary, **more):
    return as_text(labels_screen(summary, **more))


def test_facts_stand_with_their_intervals():
    text = screen(summary_with())
    for words in (
        "votes.csv · a matrix of 4 rows and 2 labelers",
        "ham 70.0 % · spam 30.0 %",
        "3 of 4 have a vote (75.0 %), 2 have two or more; 1 get no label",
        "Krippendorff's α 0.41 [0.31, 0.51]",
        "dawid_skene: held-out votes are likelier",
        "says otherwise on 1 of 3 rows with a vote; of 1 ties the model decides",
        "75.0 [65.0, 85.0]",
    ):
        assert words in text


def test_a_reason_that_names_the_model_stands_alone():
    assert "dawid_skene: dawid" not in screen(summary_with(why="dawid_skene foretells best"))
    assert "model      dawid_skene\n" in screen(summary_with(why=""))


def test_scores_stand_beside_those_of_the_majority():
    text = screen(summary_with(metrics=metrics("dawid_skene", 0.9), majority=metrics("majority", 0.8)))
    assert "Against the truth of 3 rows with a vote, which no model saw" in text
    assert "F1 of spam" in text
    assert "90.0 % [85.0, 95.0]" in text
    assert "80.0 % [75.0, 85.0]" in text
    assert "--truth" not in text


def test_f1_of_many_classes_is_a_mean():
    summary = summary_with(
        classes=("a", "b", "c"), prior=(0.5, 0.3, 0.2), pred_probs=np.full((4, 3), 1 / 3), metrics=metrics("m", 0.9)
    )
    assert "F1, mean of the classes" in screen(summary)


def test_an_interval_that_is_not_known_says_so():
    nll = Estimate(value=0.3, low=0.0, high=WIDEST, standard_error=WIDEST)
    assert "0.300 [not known]" in screen(summary_with(metrics=replace(metrics("m", 0.9), nll=nll)))


def test_next_steps_are_those_that_are_left():
    assert "-o labels.csv" in screen(summary_with())
    assert "-o labels.csv" not in screen(summary_with(), is_written=True)
    assert "--explain c" in screen(summary_with())
    assert "--explain" not in screen(summary_with(covered=np.zeros(4, dtype=bool)))


def test_majority_needs_no_line_about_itself():
    assert "says otherwise" not in screen(summary_with(model="majority"))


def test_many_labelers_are_cut_and_counted():
    lines = tuple(line(f"labeler{j}", (100 - j) / 100) for j in range(40))
    text = screen(summary_with(labelers=lines))
    assert "labeler14" in text
    assert "labeler15" not in text
    assert "… and 25 more that cover less" in text


def test_labelers_whose_estimate_the_truth_contradicts_are_named():
    lines = (line("first", 0.75, measured=estimate(0.95, 0.02)), line("second", 0.5, measured=estimate(0.7, 0.1)))
    text = screen(summary_with(labelers=lines, metrics=metrics("m", 0.9)))
    assert "measured outside of what was estimated: first\n" in text


def test_a_labeler_that_never_votes_has_no_figures():
    text = screen(summary_with(labelers=(line("mute", 0.0, says=(), accuracy=None),)))
    assert any(words.split()[:2] == ["mute", "nothing"] and words.endswith("–") for words in text.splitlines())


def test_what_strangers_wrote_is_made_visible():
    evil = "\x1b[31mred<script>"
    summary = summary_with(labelers=(line(evil, 0.5),), warnings=(evil,), source=evil, classes=("ham", evil))
    assert "\x1b" not in screen(summary)
    page = labels_html(summary)
    assert "<script>" not in page
    assert "\x1b" not in page


def test_a_notebook_shows_scores_and_labelers():
    page = labels_html(summary_with(metrics=metrics("dawid_skene", 0.9), majority=metrics("majority", 0.8)))
    for words in ("labels from votes", "first", "90.0 %", "majority", "Krippendorff"):
        assert words in page


@pytest.mark.parametrize(
    ("without", "says"), [(0.5, "for spam, 0.300"), (0.9, "against spam, 0.100"), (0.8, "nothing")]
)
def test_an_explanation_says_what_a_vote_did(without, says):
    vote = VoteEffect(labeler="first", said="spam", without=without)
    explanation = Explanation(row="b", label="spam", probability=0.8, before=0.3, votes=(vote,))
    text = as_text(explanation_screen(explanation))
    assert "row b: spam with probability 0.800" in text
    assert says in text


def test_a_row_without_votes_has_nothing_to_explain():
    text = as_text(explanation_screen(Explanation(row="d", label="ham", probability=0.7, before=0.7, votes=())))
    assert "no labeler votes on it" in text
