"""tilth slices, by the command line and by Python: every form of predictions, what it says, what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from journey_worlds import done, tilth

import tilth as python
from tilth.core.errors import TilthError

N = 1200
RNG = np.random.default_rng(0)
SITE = RNG.choice(["north", "south", "o'er"], N)
AGE = RNG.integers(20, 80, N)
TRUTH = RNG.choice(["ham", "spam"], N)
BAD = (SITE == "south") & (AGE < 40)
RIGHT = RNG.random(N) > np.where(BAD, 0.5, 0.05)
SAID = np.where(RIGHT, TRUTH, np.where(TRUTH == "ham", "spam", "ham"))
SPAM = np.where(SAID == "spam", 0.9, 0.1) + RNG.uniform(-0.09, 0.09, N)
RULE = "site = 'south' AND age < 40"


def table(**more: object) -> pa.Table:
    return pa.table({"site": SITE, "age": AGE, "truth": TRUTH, "said": SAID} | more)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("slices") / "predicted.csv"
    pacsv.write_csv(table(), path)
    return path


def test_the_object_of_the_command(file: Path):
    said = done("slices", file, "--label", "truth", "--prediction", "said", "--json").json
    assert list(said) == ["slices", "overall"]
    assert said["overall"] == pytest.approx(RIGHT.mean())
    (one,) = said["slices"]
    assert list(one) == ["name", "rule", "rows", "value", "interval", "q_value"]
    assert (one["name"], one["rule"], one["rows"]) == ("site is south and age is under 40", RULE, int(BAD.sum()))
    assert one["value"] == pytest.approx(RIGHT[BAD].mean())
    assert one["interval"][0] < one["value"] < one["interval"][1] < said["overall"]
    assert one["q_value"] < 1e-6


def test_the_screen(file: Path):
    out = done("slices", file, "--label", "truth", "--prediction", "said").out
    assert "1 slice on which predictions are worse" in out
    assert "site is south and age is under 40" in out
    assert RULE in out
    assert max(map(len, out.splitlines())) <= 100


def test_python_says_the_same(file: Path):
    found = python.slices(str(file), label="truth", prediction="said")
    assert found.to_dict() == done("slices", file, "--label", "truth", "--prediction", "said", "--json").json
    assert np.array_equal(found.slices[0].members, BAD)
    assert found.to_table().column("rule").to_pylist() == [RULE]
    html = found._repr_html_()
    assert "site is south" in html
    assert "<script" not in html


@pytest.mark.parametrize(
    ("more", "prediction"),
    [
        ({"p": SPAM}, "p"),
        ({"p_ham": 1 - SPAM, "p_spam": SPAM}, "p_ham,p_spam"),
        ({"p_ham": 1 - SPAM, "p_spam": SPAM}, ["p_spam", "p_ham"]),
        ({"a": 1 - SPAM, "b": SPAM}, "a, b"),
    ],
)
def test_probabilities(more: dict[str, np.ndarray], prediction: object):
    found = python.slices(table(**more).drop_columns(["said"]), label="truth", prediction=prediction)
    assert [one.rule for one in found.slices] == [RULE]
    assert found.overall.value == pytest.approx(RIGHT.mean())


def test_a_probability_beside_the_class_describes_no_rows():
    found = python.slices(
        table(p=SPAM, hit=RIGHT, copy=np.where(TRUTH == "ham", "h", "s")), label="truth", prediction="said"
    )
    assert [one.rule for one in found.slices] == [RULE]
    assert list(found.left_out) == ["p", "hit", "copy"]


def test_numbers():
    true = RNG.normal(size=N)
    guess = true + RNG.normal(size=N) * np.where(BAD, 3.0, 0.5)
    numbers = table(y=true, z=guess).drop_columns(["truth", "said"])
    found = python.slices(numbers, label="y", prediction="z")
    assert found.metric == "mae"
    assert [one.rule for one in found.slices] == [RULE]
    assert found.overall.value == pytest.approx(-np.abs(true - guess).mean())
    assert "mean absolute error" in found._repr_html_()


def test_scores():
    score = np.where(BAD, 0.2, 0.8) + RNG.normal(size=N) / 10
    score[:5] = np.nan
    found = python.slices(table(quality=score, loss=-score), label="truth", prediction="said", score="quality")
    assert found.metric == "quality"
    assert found.scored == N - 5
    assert [one.rule for one in found.slices] == [RULE]
    assert "5 of 1,200 rows lack" in found.warnings[0]
    assert found.left_out == {"loss": "is the score by another name"}
    assert python.slices(table(quality=score), label="truth", score="quality").slices[0].rule == RULE


def test_missing_labels_and_predictions_are_left_out():
    said = np.where(np.arange(N) % 10 == 0, None, SAID)
    found = python.slices(table().set_column(3, "said", pa.array(said.tolist())), label="truth", prediction="said")
    assert found.scored == N - N // 10
    assert [one.rule for one in found.slices] == [RULE]


@pytest.mark.parametrize(
    ("said", "warning"),
    [(TRUTH, "every prediction is right"), (np.where(TRUTH == "ham", "spam", "ham"), "every prediction is wrong")],
)
def test_no_error_and_nothing_but_errors(said: np.ndarray, warning: str):
    found = python.slices(table().set_column(3, "said", pa.array(said)), label="truth", prediction="said")
    assert len(found) == 0
    assert warning in found.warnings[0]
    assert "No slice is surely worse" in found._repr_html_()


def test_few_rows_are_said_to_be_few():
    found = python.slices(table().slice(0, 40), label="truth", prediction="said")
    assert len(found) == 0
    assert "too few" in found.warnings[0]


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda t: t, {"label": "trth", "prediction": "said"}, "Did you mean 'truth'"),
        (lambda t: t, {"label": "truth", "prediction": "sad"}, "Did you mean 'said'"),
        (lambda t: t, {"label": "truth", "prediction": "said", "score": "scor"}, "no column 'scor'"),
        (lambda t: t, {"label": "truth", "prediction": "truth"}, "named for two things"),
        (lambda t: t, {"label": "truth"}, "slices need predictions"),
        (lambda t: t, {"label": "truth", "prediction": "site"}, "no class in common"),
        (lambda t: t, {"label": "site", "prediction": "p"}, "does not say which of 3"),
        (lambda t: t, {"label": "site", "prediction": "p,age"}, "2 columns of probabilities for 3"),
        (lambda t: t.slice(0, 0), {"label": "truth", "prediction": "said"}, "no row"),
        (lambda t: t.slice(0, 1), {"label": "truth", "prediction": "said"}, "one row"),
        (lambda t: t.select(["truth", "said"]), {"label": "truth", "prediction": "said"}, "no column is left"),
        (lambda t: t, {"label": "truth", "score": "site"}, "is a number"),
        (lambda t: t, {"label": "truth", "score": "empty"}, "holds no score"),
        (lambda t: t, {"label": "empty", "prediction": "said"}, "no row has a label"),
        (lambda t: t, {"label": "truth", "prediction": "empty"}, "no row has a prediction"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(change, options: dict[str, str], message: str):
    given = change(table(p=SPAM, empty=pa.nulls(N, pa.float64())))
    with pytest.raises(TilthError, match=message) as refused:
        python.slices(given, **options)
    assert refused.value.next_step


def test_the_command_ends_with_the_message(file: Path):
    refused = tilth("slices", file, "--label", "truht", "--prediction", "said")
    assert refused.code == 2
    assert "Did you mean 'truth'" in refused.err
    assert tilth("slices", file, "--label", "truth").code == 2
    assert tilth("slices", "nowhere.csv", "--label", "a", "--prediction", "b").code == 2
