"""The page: whole, of one piece, readable by people and screen readers, and deaf to what cells say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from tilth.core.spec import Spec
from tilth.core.summary import Exhibit, ExhibitRow, HistoryLine, RunSummary
from tilth.core.trial import Guard
from tilth.reporting.html import report

VOID = {"meta", "br", "img", "circle", "path", "line", "rect"}
EVIL = "</p><script>alert(1)</script><img src=x onerror=alert(1)>\"' onmouseover='x' {{ 7*7 }} javascript:alert(1)"


class Reader(HTMLParser):
    """Collects tags, ids, links and text, and holds the tags to be closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "svg"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


@pytest.fixture(params=["typical", "null", "regression", "troubled"])
def run(request: pytest.FixtureRequest) -> RunSummary:
    summary: RunSummary = request.getfixturevalue(request.param)
    return summary


@pytest.fixture
def page(run: RunSummary, exhibits: Sequence[Exhibit], history: Sequence[HistoryLine]) -> str:
    return report(run, exhibits, history)


def test_nothing_comes_from_outside_and_nothing_runs(page: str) -> None:
    reader = read(page)
    assert not {"script", "link", "iframe", "object", "embed", "form", "base"} & {tag for tag, _ in reader.tags}
    for _, attrs in reader.tags:
        for name, value in attrs.items():
            assert not name.startswith("on")
            if name in {"src", "href", "xlink:href", "action", "data"}:
                assert (value or "").startswith(("#", "data:image/png;base64,"))
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_it_is_small_and_whole(page: str) -> None:
    assert len(page.encode()) < 100_000
    assert page.startswith("<!doctype html>")


def test_people_who_do_not_see_it_can_read_it(page: str) -> None:
    reader = read(page)
    assert len(reader.all("caption")) == len(reader.all("table"))
    assert all(attrs.get("alt") for attrs in reader.all("img"))
    assert len(reader.all("h1")) == 1
    for attrs in reader.all("svg"):
        is_spot = "x" in attrs
        assert is_spot or attrs.get("aria-hidden") == "true" or (attrs.get("role") == "img" and attrs.get("aria-label"))
    levels = [int(tag[1]) for tag, _ in reader.tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = [attrs["id"] for _, attrs in reader.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [attrs["href"] for attrs in reader.all("a")]
    assert {str(link).removeprefix("#") for link in links} <= set(ids)


def test_every_figure_has_an_interval(page: str) -> None:
    text = re.sub(r"\[[^\]]*\]", "[]", read(page).text.split("What to do next")[0])
    text = re.sub(r"95 % interval of the gain: \S+ to \S+", "[]", text)
    text = re.sub(r"(Forecast|Placebo) [+−]?[\d.,]+", "", text)
    headline = r" (?:of accuracy )?(?:lower )?on the sealed test(?:, not told apart from zero)? "
    for unit, after in re.findall(r"[+−]\d[\d.,]*( points)?(.{60})", text):
        assert re.match(rf"( |{headline})\[\]", after), (unit, after)


def test_figures_are_those_of_the_json(run: RunSummary, page: str) -> None:
    facts, text = run.to_dict(), read(page).text
    points, digits = (1, 0) if run.metric == "mae" else (100, 1)

    def written(value: float) -> str:
        text = f"{points * value:+.{digits}f}".replace("-", "−")
        return text[1:] if not text.strip("+−0.") else text

    for trial in facts["trials"]:
        for value, ends in (("gain", "interval"), ("over_placebo", "over_placebo_interval")):
            figure = f"{written(trial[value])} [{', '.join(map(written, trial[ends]))}]"
            assert figure in text
        assert trial["edit"] in text
    assert f"seed {facts['seed']}" in text
    for line in facts["slices"]:
        assert line["name"] in text
    for finding in facts["findings"]:
        assert " ".join(finding["summary"].split()) in text
        assert finding["threshold"] in text
        assert finding["suggestion"] in text
    for warning in facts["warnings"]:
        assert warning in text


def test_headlines(typical: RunSummary, null: RunSummary, regression: RunSummary, troubled: RunSummary) -> None:
    headlines = [
        re.search(r"<h1[^>]*>(.*?)</h1>", report(run, (), ()))[1] for run in (typical, null, regression, troubled)
    ]  # type: ignore[index]
    assert headlines == [
        "+1.8 points of accuracy on the sealed test",
        "Nothing was kept",
        "Mean absolute error 419 lower on the sealed test",
        "+0.5 points of accuracy on the sealed test, not told apart from zero",
    ]


def test_a_worse_error_is_called_higher(regression: RunSummary) -> None:
    look = regression.test
    assert look is not None
    turned = replace(look.gain, value=-look.gain.value, low=-look.gain.high, high=-look.gain.low)
    page = report(replace(regression, test=replace(look, gain=turned)), (), ())
    assert "Mean absolute error 419 higher on the sealed test" in page
    assert "became worse" in page


def test_what_a_trial_says(typical: RunSummary) -> None:
    text = read(report(typical, (), ())).text
    for part in (
        "Forecast +1.5 points",
        "against nothing 0.0006, against placebo 0.0002; the larger, corrected, 0.0024 to meet 0.023",
        "given labels: a wrong dev label agrees with the edited model no more often",
        "about 58 on those rows would decide",
        "sentiment = negative, 1,202 rows: −3.1 points [−4.3, −1.9], violated",
        "not a certainty",
    ):
        assert part in text


def test_exhibits_show_rows_with_severity_facts_and_thumbnails(
    typical: RunSummary, exhibits: Sequence[Exhibit]
) -> None:
    reader = read(report(typical, exhibits, ()))
    for exhibit in exhibits:
        for row in exhibit.rows:
            assert f"{row.severity:.2f}" in reader.text
            for text in (row.row_id, *row.cells.values(), *row.facts.values()):
                assert text in reader.text
    assert len(reader.all("img")) == 5
    assert reader.all("img")[0]["alt"] == "photo of row img/0.png"


def test_only_what_exhibits_hold_is_shown(typical: RunSummary, exhibits: Sequence[Exhibit]) -> None:
    hidden = "Arrived broken"
    assert hidden in report(typical, exhibits, ())
    assert hidden not in report(typical, exhibits[1:], ())


def test_messages_that_could_quote_a_hidden_cell_can_be_withheld(troubled: RunSummary) -> None:
    shown, withheld = report(troubled, (), ()), report(troubled, (), (), messages=False)
    assert "Jane Doe" in shown
    assert "Jane Doe" not in withheld
    assert "secret" not in withheld
    assert "outlier.py" in withheld
    assert "ValueError" in withheld


def test_history_is_shown_newest_first_with_verdicts(typical: RunSummary, history: Sequence[HistoryLine]) -> None:
    text = read(report(typical, (), history)).text.split("History Versions")[1]
    places = [text.index(line.version) for line in history if line.version]
    assert places == sorted(places)
    for word in ("kept", "adopted", "vetoed", "no version", "takes back e-remove"):
        assert word in text


def evil_run(typical: RunSummary) -> RunSummary:
    guard = Guard(slice=EVIL, rows=3, change=typical.baseline, p_worse=0.1, violated=False)
    trial = replace(
        typical.trials[1], reason=EVIL, judge=EVIL, edit=EVIL, guards=(guard,), operator=Spec(room="x", name=EVIL)
    )
    finding = replace(
        typical.findings[0], kind=EVIL, summary=EVIL, threshold=EVIL, suggestion=EVIL, operator=EVIL, columns=(EVIL,)
    )
    return replace(
        typical,
        source=EVIL,
        label=EVIL,
        classes=(EVIL, EVIL),
        learner=EVIL,
        encoders={EVIL: EVIL},
        ceiling_method=EVIL,
        trials=(trial,),
        findings=(finding,),
        slices=(replace(typical.slices[0], name=EVIL),),
        warnings=(EVIL,),
        refusals={EVIL: EVIL},
        splits={EVIL: 3},
        version_before=EVIL,
    )


def test_what_cells_and_names_say_is_text(typical: RunSummary, exhibits: Sequence[Exhibit]) -> None:
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    rows = tuple(
        ExhibitRow(row_id=EVIL, split=EVIL, severity=0.5, cells={EVIL: text}, facts={EVIL: EVIL}, images={EVIL: svg})
        for text in (EVIL, EVIL * 9)
    )
    short = (ExhibitRow(row_id="<b>", split="<b>", severity=1.0, cells={"<b>": "<b>x"}, facts={"<i>": "<i>"}),)
    kinds = (Exhibit(kind=EVIL, rows=rows), Exhibit(kind=typical.findings[1].kind, rows=short))
    lines = [
        HistoryLine(
            version=EVIL, parent="", origin=EVIL, edit=EVIL, verb=EVIL, operator=EVIL, verdict=EVIL, reason=EVIL
        )
    ]
    summary = evil_run(typical)
    page = report(replace(summary, findings=(*summary.findings, typical.findings[1])), kinds, lines)
    reader = read(page)
    assert not {"script", "img", "b", "i"} & {tag for tag, _ in reader.tags}
    assert not any(name.startswith("on") for _, attrs in reader.tags for name in attrs)
    assert "<script>alert(1)</script>" in reader.text
    assert "{{ 7*7 }}" in reader.text


def test_control_signs_and_turns_of_direction_are_written_out(typical: RunSummary) -> None:
    row = ExhibitRow(row_id="a\x00b", split="train", severity=0.5, cells={"c": "x\x1b\u202e\ud800y"})
    page = report(typical, (Exhibit(kind="label_error", rows=(row,)),), ())
    page.encode()
    assert not set(page) & {"\x00", "\x1b", "\u202e", "\ud800"}
    assert r"x\x1b\u202e" in page


def test_the_same_run_gives_the_same_page(typical: RunSummary, exhibits: Sequence[Exhibit]) -> None:
    assert report(typical, exhibits, ()) == report(typical, exhibits, ())


def test_a_run_without_anything_is_a_page_too(typical: RunSummary) -> None:
    bare = replace(
        typical,
        test=None,
        trials=(),
        slices=(),
        findings=(),
        warnings=(),
        refusals={},
        ceiling=None,
        encoders={},
        questions=0,
    )
    text = read(report(bare, (), ())).text
    assert "No edit was tried" in text
    assert "Nothing was found" in text
    assert "Slices" not in text
