"""Stress tests on a bench in memory: shares by hand, slices, curves by severity, what fails is set aside."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from loop_worlds import gaussian_world

import tilth
from tilth.core.names import ROW_ID, Split
from tilth.editing.jitter import Jitter
from tilth.loop.stress import outcome_of, share_of, stress
from tilth.loop.stress_stand import Stand
from tilth.loop.stress_suite import StressTest
from tilth.numerics.intervals import wilson


@pytest.fixture(scope="module")
def stand() -> Stand:
    """300 dev rows of two classes, told by their first two numbers; slice `right` has those with x0 > 1."""
    world = gaussian_world(shift=1.0)
    bench, judged = world.bench, world.bench.judged(Split.DEV)
    table = world.dataset.read(ROW_ID, *(f"x{j}" for j in range(5)))
    dev = table.take(pa.array(judged.positions))
    before = bench.predict(bench.baseline, judged.positions)
    return Stand(
        bench=bench,
        judged=judged,
        table=dev,
        train=table.take(pa.array(world.rows(Split.TRAIN))),
        before=before,
        scores=bench.scores(before, judged),
        slices={"right": np.asarray(dev.column("x0")) > 1, "few": np.arange(len(judged)) < 5},
        predict=lambda rows: bench.learner.predict_proba(bench.view(rows, bench.reencode(rows)), bench.baseline),
        tells_ids=True,
        tells_labels=True,
        seed=0,
    )


def made(stand, *tests):
    version = SimpleNamespace(version="v-1", schema=stand.bench.schema)
    return stress(stand, version, tests, len(stand.judged))


@tilth.transform(columns=["x0", "x1"])
def turned(row):
    """Change the two telling numbers over: every row becomes one of the other class."""
    return {"x0": row.x1, "x1": row.x0} if row.x0 > 1 else None


def case(transform, **more):
    return StressTest(name=getattr(transform, "name", "t"), transform=transform, severity=None, **more)


def test_shares_by_hand(stand):
    summary = made(stand, case(turned), case(turned, expect="flips"), case(turned, expect="down no"))
    same, flips, down = summary.lines
    x = np.column_stack([np.asarray(stand.table.column(f"x{j}")) for j in range(5)]).astype(np.float32)
    rows = x[:, 0] > 1
    swapped = x.copy()
    swapped[:, [0, 1]] = x[:, [1, 0]]
    table = stand.table.set_column(1, "x0", pa.array(swapped[:, 0])).set_column(2, "x1", pa.array(swapped[:, 1]))
    after = stand.predict(table)
    turns = (after.argmax(1) != stand.before.argmax(1))[rows]
    assert (same.rows, same.tried) == (rows.sum(), 300)
    assert same.failing == wilson(turns.sum(), rows.sum())
    assert flips.failing == wilson((~turns).sum(), rows.sum())
    assert down.failing == wilson((after[:, 0] >= stand.before[:, 0])[rows].sum(), rows.sum())
    assert same.flips == flips.flips == same.failing
    right = np.where(rows, after.argmax(1), stand.before.argmax(1)) == stand.judged.labels
    assert same.score.value == pytest.approx(right.mean())
    assert same.change.value == pytest.approx(right.mean() - stand.scores.mean())
    assert flips.score is None, "the label need not be right any more"


def test_slices_and_examples(stand):
    (line,) = made(stand, case(turned)).lines
    assert [(one.name, one.rows) for one in line.slices] == [("right", line.rows)], "few rows are no slice"
    assert line.worst == line.slices[0]
    assert len(line.examples) == 5
    assert all(one.before != one.after for one in line.examples)
    ids = stand.table.column(ROW_ID).to_pylist()
    assert {one.row_id for one in line.examples} <= set(ids)


def test_curves_by_severity(stand):
    tests = [StressTest(name="jitter", transform=Jitter(severity=s), severity=s) for s in (5, 1, 3)]
    summary = made(stand, *tests, case(turned))
    (curve,) = summary.corruptions
    assert curve.severities == (1, 3, 5)
    by_severity = {line.severity: line.score for line in summary.lines}
    assert curve.scores == tuple(by_severity[s] for s in (1, 3, 5))
    falls = [summary.clean.value - score.value for score in curve.scores]
    assert curve.drop.value == pytest.approx(np.mean(falls))
    assert summary.mean_drop.value == pytest.approx(curve.drop.value)
    assert falls[2] >= falls[0]


def test_a_bound_is_held_as_surely_as_the_interval_says():
    assert outcome_of(wilson(1, 1000), 0.01) == "passed"
    assert outcome_of(wilson(100, 1000), 0.01) == "failed"
    assert outcome_of(wilson(8, 1000), 0.01) == "undecided"
    assert outcome_of(wilson(8, 1000), None) == "measured"


def test_what_fails_is_set_aside_and_the_others_go_on(stand, caplog):
    broken = tilth.transform(name="broken", columns=["x0"])(lambda row: "text")
    bad = SimpleNamespace(name="bad", columns=(), accepts=frozenset(), label="keep")
    wild = SimpleNamespace(name="wild", columns=("x0",), accepts=turned.accepts, label="keep")
    nothing = tilth.transform(name="nothing", columns=["x0"])(lambda row: None)
    summary = made(stand, *(case(one) for one in (broken, bad, wild, nothing, turned)))
    outcomes = [line.outcome for line in summary.lines]
    assert outcomes == ["not run"] * 4 + ["measured"]
    notes = [line.note for line in summary.lines]
    assert "gave 'text' for a cell of column 'x0'" in notes[0]
    assert "the model reads none" in notes[1]
    assert notes[2].startswith("AttributeError")
    assert notes[3] == "it changes none of the rows"
    assert not summary.is_passed
    told = summary.without_messages()
    assert [line.note for line in told.lines][:3] == ["TILTH-E041", notes[1], "AttributeError"]


def test_rows_on_which_it_fails_are_counted_and_left(stand):
    @tilth.transform(columns=["x0"])
    def fails(row):
        if row.x0 > 1:
            raise ValueError("too far")
        return row.x0 + 0.1

    (line,) = made(stand, case(fails)).lines
    assert line.failures == 300 - line.rows > 0
    assert line.error == "ValueError: too far"


def test_groups_widen_the_interval(stand):
    from dataclasses import replace

    hits = np.arange(300) % 2 == 0
    alone = share_of(stand, hits, np.ones(300, dtype=bool))
    grouped = replace(stand, judged=replace(stand.judged, groups=np.arange(300) % 4))
    together = share_of(grouped, hits, np.ones(300, dtype=bool))
    assert together.value == alone.value
    assert together.high - together.low > 3 * (alone.high - alone.low)
    assert share_of(grouped, np.zeros(300, dtype=bool), np.ones(300, dtype=bool)).high > 0.4


def test_everything_is_plain_for_json(stand):
    import json

    facts = json.loads(json.dumps(made(stand, case(turned, at_most=0.9)).to_dict()))
    assert facts["lines"][0]["outcome"] in ("passed", "undecided", "failed")
    assert facts["passed"] in (True, False)
