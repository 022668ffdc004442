"""Report cards on a bench in memory: harmless, label-destroying, unreal and broken transforms; dev and test are not read."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from loop_worlds import gaussian_world, schema_of, table_of, world_of
from sklearn.datasets import load_digits

import tilth
from tilth.core.errors import ConfigError, NotApplicable, UnknownOperatorError
from tilth.core.names import ROW_ID, SPLIT, Split
from tilth.editing.jitter import Jitter
from tilth.loop.transform_card import card_of, report_of
from tilth.loop.transform_choices import ChosenTransform, chosen_transforms
from tilth.loop.transform_stand import stand_on
from tilth.reporting.text import as_text
from tilth.reporting.transforms import transforms_html, transforms_screen, transforms_sentences


@pytest.fixture(scope="module")
def world():
    """400 train rows of two classes, told by their first two numbers: (3, 0) and (0, 3)."""
    return gaussian_world(n_train=400, shift=3.0)


@pytest.fixture(scope="module")
def stand(world):
    return stand_on(world.bench, world.bench.reencode)


def card(stand, transform):
    return card_of(stand, ChosenTransform.of(transform))


@tilth.transform(columns=["x0", "x1"])
def turned(row):
    """Change the two telling numbers over: every row becomes one of the other class."""
    return {"x0": row.x1, "x1": row.x0}


@tilth.transform(columns=["x4"])
def redrawn(row, random):
    """Draw anew a number that tells nothing."""
    return float(random.normal())


@tilth.transform(columns=["x4"])
def far(row, random):
    return row.x4 + 50 + float(random.normal())


def test_what_keeps_labels_has_no_drift_and_passes_for_real(stand):
    found = card(stand, redrawn)
    assert found.rows == found.tried == 400
    assert found.applies.value == 1
    assert found.realism.low < 0.5 < found.realism.high
    assert found.drift.low <= 0 <= found.drift.high
    assert abs(found.drift.value) < 0.02
    assert found.unchanged.value > 0.97
    assert found.movement.value < 0.05
    assert found.diversity.low > 0.1
    assert "drifts" not in found.alarms
    assert "told_apart" not in found.alarms


def test_what_destroys_labels_is_seen_and_the_rows_are_named(stand, world):
    found = card(stand, turned)
    assert found.drift.low > 0.8
    assert found.alarms[0] == "drifts"
    assert found.realism.low < 0.7, "its rows are real: of the other class"
    assert found.unchanged.value < 0.1
    assert found.diversity.value == 0
    assert "one_copy" in found.alarms
    assert len(found.doubtful) == 10
    sure = [row.confidence for row in found.doubtful]
    assert sure == sorted(sure, reverse=True)
    assert all(row.label != row.after for row in found.doubtful)
    train = world.dataset.read(ROW_ID).column(ROW_ID).take(pa.array(world.rows(Split.TRAIN))).to_pylist()
    assert {row.row_id for row in found.doubtful} <= set(train)
    said = " ".join(transforms_sentences(report_of(stand, "v-1", [ChosenTransform.of(turned)])))
    assert "turned changes labels, or hides what tells them" in said
    assert f"Ask a person about {found.doubtful[0].row_id}" in said


def test_what_sets_the_label_is_not_blamed_for_it(stand):
    found = card(stand, tilth.transform(name="flips", columns=["x0", "x1"], label="set")(turned.function))
    assert found.drift.low > 0.8
    assert "drifts" not in found.alarms


def test_what_is_off_the_data_is_told_apart(stand):
    found = card(stand, far)
    assert found.realism.low > 0.95
    assert "told_apart" in found.alarms
    assert abs(found.drift.value) < 0.5


def test_sixes_upside_down_are_nines():
    """Hand-written 6 and 9 as 64 numbers: half a turn makes the one the other, one pixel to the side does not."""
    digits = load_digits()
    inside = np.isin(digits.target, (6, 9))
    x, y = digits.data[inside], (digits.target[inside] == 9).astype(int)
    schema = schema_of(64, 2)
    splits = ["train"] * 300 + ["dev"] * (len(x) - 300)
    bench = world_of(table_of(x, y, splits, schema), schema, y).bench
    stand = stand_on(bench, bench.reencode)
    names = [f"x{place}" for place in range(64)]

    @tilth.transform(columns=names)
    def half_a_turn(row):
        return {name: row[other] for name, other in zip(names, names[::-1], strict=True)}

    @tilth.transform(columns=names)
    def to_the_side(row):
        return {f"x{place}": row[f"x{place - 1}"] if place % 8 else 0.0 for place in range(64)}

    turned, beside = card(stand, half_a_turn), card(stand, to_the_side)
    assert turned.drift.low > 0.7
    assert turned.alarms[0] == "drifts"
    assert {(row.label, row.after) for row in turned.doubtful} <= {("no", "yes"), ("yes", "no")}
    assert beside.drift.high < 0.4 < turned.drift.low


def test_only_rows_that_it_would_change_are_compared(stand):
    @tilth.transform(columns=["x4"])
    def only_positive(row, random):
        return abs(float(random.normal())) if row.x4 > 0 else None

    found = card(stand, only_positive)
    assert 0.4 < found.applies.value < 0.6
    assert found.realism.low < 0.5 < found.realism.high, "that x4 > 0 is no sign of having been changed"


def test_the_drift_is_paired_and_out_of_sample_by_hand(stand):
    found = card(stand, turned)
    swapped = stand.table.set_column(1, "x0", stand.table.column("x1")).set_column(2, "x1", stand.table.column("x0"))
    rows = np.arange(len(stand))
    before = stand.predict_unseen(stand.table, stand.features, rows).argmax(1) == stand.labels
    after = stand.predict_unseen(swapped, stand.encode(swapped), rows).argmax(1) == stand.labels
    assert found.drift.value == pytest.approx(before.mean() - after.mean())


def test_a_model_has_not_seen_the_row_that_it_judges():
    world = gaussian_world(n_train=60, d=5, shift=0.0, seed=3)
    wide = np.random.default_rng(0).normal(size=(world.bench.table.num_rows, 200)).astype(np.float32)
    bench = replace(world.bench, features=wide, reencode=lambda table: wide[[int(i[1:]) for i in ids(table)]])
    stand = stand_on(bench, bench.reencode)
    seen = (stand.current.argmax(1) == stand.labels).mean()
    unseen = (stand.unseen.argmax(1) == stand.labels).mean()
    assert seen > 0.95
    assert unseen < 0.75


def ids(table):
    return table.column(ROW_ID).to_pylist()


def test_labels_of_dev_and_test_are_not_read(world, stand):
    label = world.bench.table.column("label").to_pylist()
    inside = world.bench.table.column(SPLIT).to_pylist()
    blind = [cell if split == "train" else None for cell, split in zip(label, inside, strict=True)]
    at = world.bench.table.column_names.index("label")
    bench = replace(world.bench, table=world.bench.table.set_column(at, "label", pa.array(blind)), _memo={})
    other = stand_on(bench, bench.reencode)
    for transform in (turned, redrawn):
        one, two = card(stand, transform), card(other, transform)
        assert replace(one, cost_ms=0, training_ms=0) == replace(two, cost_ms=0, training_ms=0)


def test_rows_are_drawn_by_id(world):
    few = stand_on(world.bench, world.bench.reencode, rows=100)
    assert len(few) == 100
    assert few.of_rows == 400
    assert 30 < few.compared.sum() < 70


def test_encoders_have_not_seen_the_rows_that_judge_realism(world):
    """An encoder that holds the rows that it saw exactly, and blurs all others, tells nothing of a harmless transform."""
    seen: list[set[str]] = []

    def refit(table):
        known = set(ids(table))
        seen.append(known)

        def encode(rows):
            exact = world.bench.reencode(rows)
            cells = {tuple(cells) for cells in world.bench.reencode(table).round(6).tolist()}
            held = np.array([tuple(one) in cells for one in exact.round(6).tolist()])
            exact[~held, 3] = 9
            return exact

        return encode

    everyone = set(ids(world.bench.train))
    naive = stand_on(world.bench, refit(world.bench.train))
    apart = stand_on(world.bench, refit(world.bench.train), refit=refit)
    few = stand_on(world.bench, refit(world.bench.train), refit=refit, rows=150)
    assert card(naive, redrawn).realism.low > 0.9, "that the encoder knows a row tells that it is real"
    assert card(apart, redrawn).realism.low < 0.5
    assert 0.4 < apart.judged.mean() < 0.6
    judging = set(np.array(ids(apart.table))[apart.judged])
    assert not judging & seen[2]
    assert judging | seen[2] == everyone
    assert few.judged.all()
    assert seen[4] == everyone - set(ids(few.table))


def test_too_few_rows():
    world = gaussian_world(n_train=15)
    with pytest.raises(NotApplicable, match="15 labelled train rows are too few"):
        stand_on(world.bench, world.bench.reencode)


def test_what_breaks_loses_its_own_card_only(stand):
    text = tilth.transform(name="text", columns=["x0"])(lambda row: "text")
    dice = tilth.transform(name="dice", columns=["x0"])(lambda row: float(np.random.default_rng().normal()))
    nothing = tilth.transform(name="nothing", columns=["x0"])(lambda row: None)
    wild = SimpleNamespace(name="wild", columns=("x0",), accepts=turned.accepts, label="keep")
    report = report_of(stand, "v-1", [ChosenTransform.of(one) for one in (text, dice, nothing, wild, redrawn)])
    kinds = [one.alarms[:1] for one in report.cards]
    assert kinds == [("broken",), ("broken",), ("idle",), ("broken",), report.cards[-1].alarms[:1]]
    notes = [one.note for one in report.cards]
    assert "gave 'text' for a cell of column 'x0'" in notes[0]
    assert "not deterministic" in notes[1]
    assert "random" in notes[1]
    assert notes[2] == "it changes none of the rows"
    assert notes[3].startswith("AttributeError")
    assert report.cards[-1].drift is not None
    said = as_text(transforms_screen(report), width=300)
    assert "text could not be used: TILTH-E041" in said
    assert "nothing was not measured: it changes none of the rows" in said
    assert "TILTH-E041" in report.without_messages().cards[0].note
    assert "gave" not in report.without_messages().cards[0].note


def test_rows_on_which_it_fails_are_counted_and_its_first_messages_told(stand):
    @tilth.transform(columns=["x4"])
    def fails(row, random):
        if row.x4 > 0:
            raise ValueError("too high" if row.x4 > 0.5 else "high")
        return row.x4 - float(random.random())

    found = card(stand, fails)
    assert found.failures == 400 - found.rows > 100
    assert set(found.errors) == {"ValueError: too high", "ValueError: high"}
    assert "fails" in found.alarms


def test_what_costs_more_than_training_says_so(stand):
    report = report_of(stand, "v-1", [ChosenTransform.of(redrawn)])
    (found,) = report.cards
    assert found.cost_ms > 0
    assert found.training_ms > 0
    slow = replace(found, cost_ms=3.0, training_ms=0.5)
    assert "slow" in slow.alarms
    assert any("slower than training" in one for one in transforms_sentences(replace(report, cards=(slow,))))
    assert "slow" not in replace(found, cost_ms=0.1, training_ms=0.01).alarms, "nobody waits for it"
    assert "slow" not in replace(found, cost_ms=3.0, training_ms=5.0).alarms


def test_few_changed_rows_have_no_realism(stand):
    @tilth.transform(columns=["x4"])
    def rare(row):
        return row.x4 + 0.1 if row.x4 > 2 else None

    found = card(stand, rare)
    assert 0 < found.rows < 40
    assert found.realism is None
    assert found.notes[0].startswith("realism: realism needs 20 changed rows")
    assert found.drift is not None


def test_numbers_are_learnt_too():
    world = regression_world()
    stand = stand_on(world.bench, world.bench.reencode)
    found = card(stand, turned)
    assert found.drift.low > 0.3
    assert found.doubtful == ()
    report = report_of(stand, "v-1", [ChosenTransform.of(turned)])
    assert "standard deviations of the label" in as_text(transforms_screen(report), width=200)


def regression_world():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(400, 5))
    y = 3 * x[:, 0] + 0.1 * rng.normal(size=400)
    schema = schema_of(5, 0)
    splits = ["train"] * 300 + ["dev"] * 60 + ["test"] * 40
    return world_of(table_of(x, y, splits, schema), schema, y)


def test_a_report_is_plain_data_and_html(stand):
    report = report_of(stand, "v-1", [ChosenTransform.of(turned), ChosenTransform.of(Jitter())])
    told = report.to_dict()
    assert told["cards"][0]["alarms"][0] == "drifts"
    assert told["cards"][1]["severity"] == 2
    assert told["told_by"] == "boosted trees"
    html = transforms_html(report)
    assert "<script" not in html
    assert "turned" in html
    assert "Ask a person about" in html


# -- which transforms --------------------------------------------------------------------------------------------------


def file_with(tmp_path, text=""):
    if text:
        (tmp_path / "functions.py").write_text(text)
    return SimpleNamespace(python="functions.py" if text else None)


OWN = "import tilth\n@tilth.transform(columns=['x0'])\ndef mine(row):\n    return row.x0 + 1\n"


def test_without_names_all_that_suit_and_the_own_ones(world, tmp_path):
    schema = world.bench.schema
    found = chosen_transforms((), file_with(tmp_path, OWN), tmp_path, schema)
    names = [one.name for one in found]
    assert {"jitter", "missingness", "mine"} <= set(names)
    assert not {"typo", "blur", "audio_gain"} & set(names)
    strong = chosen_transforms((), file_with(tmp_path, OWN), tmp_path, schema, severity=5)
    assert {one.severity for one in strong if one.name != "mine"} == {5}


def test_names_severities_and_what_is_refused(world, tmp_path):
    schema, file = world.bench.schema, file_with(tmp_path, OWN)
    first, second = chosen_transforms(("jitter", redrawn), file, tmp_path, schema, columns=["x1"])
    assert (first.transform.columns, second.transform) == (("x1",), redrawn)
    (own,) = chosen_transforms(("mine",), file, tmp_path, schema, columns=["x2"])
    assert own.transform.columns == ("x2",)
    with pytest.raises(UnknownOperatorError, match="Did you mean 'jitter'"):
        chosen_transforms(("jittr",), file, tmp_path, schema)
    with pytest.raises(ConfigError, match="has no severities"):
        chosen_transforms(("mine",), file, tmp_path, schema, severity=3)
    with pytest.raises(ConfigError, match="severity cannot be 9"):
        chosen_transforms((), file, tmp_path, schema, severity=9)
    taken = file_with(tmp_path, OWN.replace("def mine", "def jitter"))
    with pytest.raises(ConfigError, match="has the name of one of tilth's"):
        chosen_transforms((), taken, tmp_path, schema)
