"""The size of the page: images go first, then rows, worst rows stay longest, and the page says so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tilth.core.summary import Exhibit, ExhibitRow, FailedStep, HistoryLine, RunSummary
from tilth.reporting._exhibits import fit, image_uri
from tilth.reporting.html import report

PNG = b"\x89PNG\r\n\x1a\n"


def exhibit(kind: str, n: int, image: int = 0, cell: int = 20) -> Exhibit:
    rng = np.random.default_rng(0)
    rows = [
        ExhibitRow(
            row_id=f"{kind}-{i:03d}",
            split="train",
            severity=1 - i / n,
            cells={"text": "<" * cell},
            images={"photo": PNG + rng.bytes(image)} if image else {},
        )
        for i in range(n)
    ]
    return Exhibit(kind=kind, rows=tuple(rows))


def test_everything_stays_where_there_is_room() -> None:
    exhibits = (exhibit("label_error", 5, image=100), exhibit("outlier", 3))
    fitted = fit(exhibits, 1_000_000)
    assert fitted.exhibits == exhibits
    assert (fitted.images, fitted.rows) == (0, 0)


def test_images_go_before_rows_and_the_worst_rows_keep_theirs() -> None:
    fitted = fit((exhibit("label_error", 10, image=30_000),), 150_000)
    (kept,) = fitted.exhibits
    assert len(kept.rows) == 10
    pictured = [bool(row.images) for row in kept.rows]
    assert pictured == [True] * 3 + [False] * 7
    assert (fitted.images, fitted.rows) == (7, 0)


def test_rows_go_from_the_least_severe_of_every_finding() -> None:
    fitted = fit((exhibit("label_error", 10), exhibit("outlier", 10)), 12_000)
    counts = [len(one.rows) for one in fitted.exhibits]
    assert 0 < counts[1] <= counts[0] <= counts[1] + 1
    assert fitted.rows == 20 - sum(counts)
    assert fitted.exhibits[0].rows == exhibit("label_error", 10).rows[: counts[0]]


def test_no_room_at_all() -> None:
    fitted = fit((exhibit("label_error", 4, image=10),), 0)
    assert (fitted.images, fitted.rows) == (4, 4)


def test_a_heavy_page_stays_below_two_megabytes_and_says_what_it_left_out(typical: RunSummary) -> None:
    kinds = [finding.kind for finding in typical.findings[:4]]
    page = report(typical, [exhibit(kind, 60, image=40_000) for kind in kinds], ())
    assert 1_500_000 < len(page.encode()) < 2_000_000
    assert "To keep this file below 2 MB, " in page
    assert "label_error-059" in page


def test_a_tight_page_leaves_out_rows(typical: RunSummary) -> None:
    page = report(typical, [exhibit("label_error", 200, image=500, cell=400)], (), largest=120_000)
    assert len(page.encode()) < 120_000
    assert " rows were left out" in page
    assert "label_error-000" in page


def test_a_run_of_endless_texts_still_fits(typical: RunSummary) -> None:
    long = "'" * 100_000
    failure = FailedStep(step=long, error=long, traceback="\n".join([long] * 9))
    line = HistoryLine(version=long, parent=long, origin=long, edit=long, verb=long, operator=long, reason=long)
    trial = replace(typical.trials[0], reason=long, judge=long, guards=typical.trials[0].guards * 400)
    summary = replace(
        typical,
        source=long,
        classes=tuple(long for _ in range(3)),
        encoders={f"{long}{i}": long for i in range(3)},
        findings=tuple(replace(f, summary=long, threshold=long, suggestion=long, kind=long) for f in typical.findings)
        * 200,
        trials=(trial,) * 100,
        slices=typical.slices * 500,
        warnings=(long,) * 300,
        refusals={f"{i}{long}": long for i in range(100)},
        failures=(failure,) * 100,
    )
    history = [replace(line, version=f"v{i}", parent=f"v{i - 1}") for i in range(1000, 0, -1)]
    assert len(report(summary, (), history).encode()) < 2_000_000


def test_only_kinds_of_images_that_run_nothing() -> None:
    assert image_uri(PNG + b"abc").startswith("data:image/png;base64,")
    assert image_uri(b"\xff\xd8\xff\xe0").startswith("data:image/jpeg;base64,")
    assert image_uri(b"<svg onload=alert(1)>") == ""
    assert image_uri(b"") == ""
