"""The report card of people: by hand, and planted people who are recovered within their intervals."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pytest
from people_worlds import made
from rich.console import Console

from tilth.core.errors import UsageError
from tilth.core.labelling import Known
from tilth.core.votes import Votes
from tilth.loop.people_report import people_report
from tilth.reporting.people import people_html, people_screen

CLASSES = ("cat", "dog", "owl")


def planted(seed=0, n=600, copied=True):
    """Two good people, one who takes a third of the dogs for cats, a coin, one class only, and a copy of the first."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    said = {name: truth.copy() for name in ("anna", "ben", "cem", "copy", "dora", "emil")}
    for name, error in (("anna", 0.15), ("ben", 0.1), ("dora", 0.12)):
        wrong = rng.random(n) < error
        said[name][wrong] = (truth[wrong] + rng.integers(1, 3, int(wrong.sum()))) % 3
    said["cem"][(truth == 1) & (rng.random(n) < 1 / 3)] = 0
    said["coin"] = rng.integers(0, 3, n)
    said["only"] = np.full(n, 2)
    said["copy"] = np.where(rng.random(n) < 0.02, rng.integers(0, 3, n), said["anna"])
    wrong = rng.random(n) < 0.2
    said["emil"][wrong] = (truth[wrong] + 1) % 3
    names = tuple(sorted(name for name in said if copied or name != "copy"))
    answered = rng.random((n, len(names))) < 0.7
    matrix = np.where(answered, np.stack([said[name] for name in names], axis=1), -1)
    return truth, Votes.of_matrix(matrix, classes=CLASSES, labelers=names)


def report_of(votes, truth=None, known=None, **more):
    n = len(votes)
    truth = np.zeros(n, dtype=np.intp) if truth is None else truth
    known = np.zeros(n, dtype=bool) if known is None else known
    return people_report(votes, source="here", truth=truth, known=known, taught=Known(), sure=0.9, **more)


@pytest.fixture(scope="module")
def card():
    truth, votes = planted()
    known = np.arange(len(truth)) % 4 == 0
    return truth, votes, report_of(votes, truth, known)


def test_by_hand():
    matrix = np.array([[0, 0, 1], [1, 1, 1], [0, 1, -1], [1, -1, -1]])
    votes = Votes.of_matrix(matrix, classes=("no", "yes"), labelers=("a", "b", "c"))
    report = report_of(votes, np.array([0, 1, 0, 0]), np.array([True, True, True, False]))
    assert (report.rows, report.answers, report.paired, report.truths) == (4, 9, 3, 3)
    lines = {line.name: line for line in report.people}
    assert [line.name for line in report.people] == ["a", "b", "c"]
    assert lines["a"].answers == 4
    assert lines["a"].says == {"no": 2, "yes": 2}
    assert (lines["a"].measured.value, lines["a"].measured_on) == (1.0, 3)
    assert (lines["b"].measured.value, lines["b"].measured_on) == (pytest.approx(2 / 3), 3)
    assert (lines["a"].agreement.value, lines["a"].agreed_on) == (pytest.approx((0.5 + 1 + 0) / 3), 3)
    assert lines["c"].agreement.value == pytest.approx(0.5)
    assert [(one.said, one.truth, one.count, one.of) for one in lines["b"].confusions] == [("yes", "no", 1, 2)]
    assert report.pairs == ()
    assert "pairs are not compared" in shown(report)


def shown(report):
    console = Console(width=110, file=io.StringIO())
    with console.capture() as captured:
        console.print(people_screen(report))
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def test_planted_people_are_recovered():
    truth, votes = planted(copied=False)
    report = report_of(votes, truth, np.arange(len(truth)) % 4 == 0)
    lines = {line.name: line for line in report.people}
    rights = {}
    for j, name in enumerate(votes.labelers):
        mine = votes.sources == j
        rights[name] = float((votes.said[mine] == truth[votes.rows[mine]]).mean())
    assert sum(lines[name].measured.low <= rights[name] <= lines[name].measured.high for name in rights) >= 6
    assert sum(lines[name].estimated.low <= rights[name] <= lines[name].estimated.high for name in rights) >= 6
    worst = lines["cem"].confusions[0]
    assert (worst.said, worst.truth) == ("cat", "dog")
    assert 0.2 < worst.count / worst.of < 0.45


def test_what_is_odd_is_named(card):
    _, _, report = card
    remarks = {line.name: " ".join(line.remarks) for line in report.people}
    assert remarks["coin"] == "answers like a coin"
    assert remarks["only"] == "says owl only"
    assert "perhaps copied" in remarks["copy"]
    assert "as copy on" in remarks["anna"]
    assert [remarks[name] for name in ("ben", "cem", "dora", "emil")] == [""] * 4


def test_pairs_and_agreement(card):
    _, _, report = card
    assert {report.pairs[-1].first, report.pairs[-1].second} == {"anna", "copy"}
    assert {"coin", "only"} & {report.pairs[0].first, report.pairs[0].second}
    assert report.alpha.low < report.alpha.value < report.alpha.high
    assert report.fleiss.value == pytest.approx(report.alpha.value, abs=0.02)


def test_neither_the_order_of_rows_nor_of_people_matters(card):
    truth, votes, report = card
    order = np.random.default_rng(3).permutation(len(votes))
    place = np.argsort(order)[votes.rows]
    by_row = np.lexsort((votes.sources, place))
    other = Votes(
        row_ids=votes.row_ids.take(pa.array(order)),
        labelers=votes.labelers,
        classes=votes.classes,
        rows=place[by_row],
        sources=votes.sources[by_row],
        said=votes.said[by_row],
    )
    again = report_of(other, truth[order], (np.arange(len(truth)) % 4 == 0)[order])
    for one, two in zip(report.people, again.people, strict=True):
        assert (one.name, one.answers, one.measured) == (two.name, two.answers, two.measured)
        assert one.agreement.value == pytest.approx(two.agreement.value)
        assert one.kappa.value == pytest.approx(two.kappa.value) if one.kappa else two.kappa is None
    assert again.alpha.value == pytest.approx(report.alpha.value)


def test_the_screen_and_the_page_say_it(card):
    _, _, report = card
    text = shown(report)
    for words in (
        "Krippendorff's α",
        "Fleiss' κ",
        "coin: answers like a coin",
        "cem says cat where it is dog: ",
        "Odd",
    ):
        assert words in text
    assert max(map(len, text.splitlines())) <= 100
    assert "<script" not in people_html(report)
    told = report.to_dict()
    assert [one["name"] for one in told["people"]] == [line.name for line in report.people]
    assert told["alpha"]["interval"] == report.alpha.as_list()


def test_a_hidden_label_is_not_told_person_by_person():
    _, votes = planted(n=120)
    report = report_of(votes, tells_labels=False)
    assert all(not line.says and not line.confusions for line in report.people)
    assert all("owl" not in remark for line in report.people for remark in line.remarks)


def test_nobody_has_answered(tmp_path):
    project = made(tmp_path / "p")[0]
    project.find()
    with pytest.raises(UsageError, match="nobody has answered yet"):
        project.people()
