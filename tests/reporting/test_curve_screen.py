"""What a learning curve comes to, in words: a gain, perhaps one, or too little known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tilth.core.estimate import Estimate
from tilth.core.learning_curve import CurveForecast, CurvePoint, LearningCurve, NeighbourBound
from tilth.loop.shown import register_all
from tilth.reporting.curve import curve_screen, curve_sentences, pool_sentence
from tilth.reporting.text import as_text


def estimate(value, low, high):
    return Estimate(value=value, low=low, high=high, standard_error=(high - low) / 4)


def curve_with(gain, *, pool=0, metric="accuracy", settled=True, above=True):
    twice = CurveForecast(what="2×", rows=800, score=estimate(0.86, 0.84, 0.88), gain=gain)
    bound = NeighbourBound(
        encoding="column 'review'",
        rows=320,
        score=estimate(0.93, 0.92, 0.94),
        is_settled=settled,
        is_above=above,
    )
    return LearningCurve(
        version="v-1",
        metric=metric,
        seed=0,
        labelled=400,
        pool=pool,
        points=(CurvePoint(rows=320, score=estimate(0.85, 0.83, 0.87)),),
        now=estimate(0.85, 0.83, 0.87),
        forecasts=(twice, replace(twice, what="pool")) if pool else (twice,),
        reachable=estimate(0.9, 0.85, 0.98),
        bounds=(bound,),
    )


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        (estimate(0.008, 0.003, 0.012), "Twice as many labelled rows would bring about +0.8 points [+0.3, +1.2]."),
        (
            estimate(0.001, -0.004, 0.006),
            "Whether more rows of this kind would help is not known: twice as many labelled rows",
        ),
        (estimate(0.03, -0.002, 0.06), "may bring +3.0 points [−0.2, +6.0]; nothing at all is possible too."),
    ],
)
def test_what_twice_the_rows_would_bring(gain, said):
    assert said in curve_sentences(curve_with(gain))[0]


def test_the_pool_is_named_where_there_is_one():
    gain = estimate(0.008, 0.003, 0.012)
    assert pool_sentence(curve_with(gain)) is None
    assert pool_sentence(curve_with(gain, pool=1200)).startswith("Labels of all 1,200 pool rows would bring about +0.8")
    assert len(curve_sentences(curve_with(gain, pool=1200))) == 4


def test_a_bound_says_what_it_is_worth():
    gain = estimate(0.008, 0.003, 0.012)
    assert curve_sentences(curve_with(gain))[-1].endswith("by nearest neighbours by column 'review'.")
    assert "it still moves" in curve_sentences(curve_with(gain, settled=False))[-1]
    assert "says nothing" in curve_sentences(curve_with(gain, above=False))[-1]


def test_a_bound_that_could_not_be_found_is_said():
    curve = curve_with(estimate(0.008, 0.003, 0.012))
    assert "the rarest has too few rows" in curve_sentences(replace(curve, bounds=()))[-1]


def test_the_screen_is_a_table_and_the_sentences():
    curve = curve_with(estimate(0.008, 0.003, 0.012))
    said = as_text(curve_screen(replace(curve, sentences=curve_sentences(curve))))
    for part in ("measured", "now", "2×", "without end", "+0.8 [+0.3, +1.2]", "Twice as many"):
        assert part in said
    errors = as_text(curve_screen(replace(curve, metric="mae")))
    assert "mean absolute error" in errors


def test_a_notebook_shows_the_forecasts_and_the_words():
    register_all()
    curve = curve_with(estimate(0.008, 0.003, 0.012))
    shown = replace(curve, sentences=curve_sentences(curve))._repr_html_()
    for part in ("learning curve of", "2×", "gain +0.8 points [+0.3, +1.2]", "Twice as many labelled rows"):
        assert part in shown
