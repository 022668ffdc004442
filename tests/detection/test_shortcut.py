"""shortcut: by hand, planted tints, words and columns; silence on features of the matter and at its promised rate."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from tilth.core.errors import NotApplicable
from tilth.core.schema import ColumnType
from tilth.detection.shortcut import Shortcut, association
from tilth.numerics.shortcuts import Lean, held_out_errors, lean_p_value, speaks_for, within_slice, without_trace
from tilth.operators.registry import spec_of


def world(n=1500, *, seed=0, rate=0.95, strength=3.0, content=1.4):
    """Features of which four tell the label, and one tells an attribute that stands beside the label."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n)
    attribute = np.where(rng.random(n) < rate, labels, 1 - labels)
    features = rng.standard_normal((n, 6))
    features[:, :4] += content / 2 * (2 * labels - 1)[:, None]
    features[:, 4] += strength * (2 * attribute - 1)
    return features.astype(np.float32), labels.astype(np.intp), attribute.astype(bool)


def found(view_of, cells, features, labels, kind, probs=None, **more):
    detector = Shortcut()
    wrong = held_out_errors(features, labels, np.arange(len(labels)) % 3) > 0
    probs = np.eye(2)[np.where(wrong, 1 - labels, labels)] if probs is None else probs
    table = {"thing": cells, "noise": np.random.default_rng(1).standard_normal(len(labels))}
    columns = {"thing": kind, "noise": ColumnType.NUMBER}
    view = view_of(
        detector,
        columns=columns,
        table=table,
        labels=labels,
        pred_probs=probs,
        embeddings=features,
        n=len(labels),
        **more,
    )
    return list(detector.find(view))


def test_association_by_hand():
    # a = 1, 1, 1, 0 beside y = 1, 1, 0, 0: cov 2/4 - 3/4 · 1/2 = 1/8, spread sqrt(3/16 · 1/4)
    assert association(np.array([1, 1, 1, 0], bool), np.array([1, 1, 0, 0]), 2) == pytest.approx(
        0.125 / np.sqrt(3 / 64)
    )
    assert association(np.ones(4, bool), np.array([1, 1, 0, 0]), 2) == 0.0


def test_speaks_for_by_hand():
    attribute, labels = np.array([1, 1, 0, 0, 0, 1], bool), np.array([1, 1, 1, 0, 0, 0])
    assert speaks_for(attribute, labels, 2).tolist() == [True, True, False, True, True, False]


def test_lean_p_value_by_hand():
    # one class, 10 rows, 5 of them against, 3 wrong, all against: excess 1.5, variance 25 · 3 · 7 / (100 · 9); (1.5 - .5) / .7638 = 1.309
    wrong, agrees = np.arange(10) < 3, np.arange(10) >= 5
    assert lean_p_value(wrong, np.zeros(10, int), agrees) == pytest.approx(0.0952, abs=1e-3)
    assert lean_p_value(np.zeros(10, bool), np.zeros(10, int), agrees) == 1.0


def test_lean_by_hand():
    labels, agrees = np.array([0, 0, 0, 0]), np.array([True, True, False, False])
    lean = Lean.of(np.array([0.0, 0, 1, 1]), np.array([1.0, 0, 0, 0]), labels, agrees)
    assert (lean.before_for, lean.before_against, lean.after_for, lean.after_against) == (0.0, 1.0, 0.5, 0.0)
    assert (lean.before, lean.after) == (0.5, 0.25)


def test_no_linear_trace_is_left():
    features, labels, attribute = world()
    clean = without_trace(features, attribute, labels)
    for c in (0, 1):
        inside = labels == c
        gap = clean[inside & attribute].mean(axis=0) - clean[inside & ~attribute].mean(axis=0)
        assert np.abs(gap).max() < 0.25
    assert held_out_errors(clean, labels, np.arange(1500) % 3).mean() < 0.12, (
        "what tells the label stays: 8 % by the law"
    )


def test_planted_column(view_of):
    features, labels, attribute = world()
    (finding,) = found(
        view_of, pa.array(np.where(attribute, "on", "off").tolist()), features, labels, ColumnType.CATEGORY
    )
    assert (finding.kind, finding.columns) == ("shortcut", ("thing",))
    assert finding.level > 0.25
    assert "thing = 'on'" in finding.summary or "thing = 'off'" in finding.summary


def test_planted_word(view_of):
    features, labels, attribute = world(seed=1)
    words = np.array(["the cat sat", "a dog ran", "some fish swam"])[np.arange(1500) % 3]
    texts = [f"{said} cheers" if a else said for said, a in zip(words, attribute, strict=True)]
    (finding,) = found(view_of, pa.array(texts), features, labels, ColumnType.TEXT)
    assert "has the word 'cheers'" in finding.summary


def test_planted_tint(view_of):
    features, labels, attribute = world(seed=2)
    rng = np.random.default_rng(0)
    images = []
    for a in attribute:
        pixels = rng.integers(60, 180, size=(8, 8, 3))
        pixels[..., 0] += 40 * int(a)
        out = BytesIO()
        Image.fromarray(pixels.astype(np.uint8)).save(out, format="PNG")
        images.append(out.getvalue())
    (finding,) = found(view_of, pa.array(images, pa.binary()), features, labels, ColumnType.IMAGE)
    assert "thing is more red than most" in finding.summary


def test_a_fact_of_the_matter_is_no_shortcut(view_of):
    """The attribute is what tells the label best, and nothing else could tell it as well."""
    features, labels, attribute = world(rate=0.8, content=0.5)
    assert (
        found(view_of, pa.array(np.where(attribute, "on", "off").tolist()), features, labels, ColumnType.CATEGORY) == []
    )


def test_an_attribute_that_the_model_does_not_see_is_named_at_its_promised_rate():
    """40 attributes beside the label, and errors that do not depend on them: Holm keeps 5 % of runs."""
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(400):
        labels = rng.integers(2, size=300)
        wrong = rng.random(300) < 0.1 + 0.1 * labels
        sides = [speaks_for(np.where(rng.random(300) < 0.8, labels, 1 - labels) > 0, labels, 2) for _ in range(10)]
        alarms += min(lean_p_value(wrong, labels, side) for side in sides) * 10 <= 0.05
    assert alarms <= 400 * 0.05 + 2.3 * np.sqrt(400 * 0.05 * 0.95)


def test_adult_as_it_is_raises_no_alarm(shared):
    data = pytest.importorskip("benchmarks.quality._data")
    rows = data.table("adult", "adult/adult.parquet", "income", rows=1_500, leave=["split"])
    folds = np.arange(len(rows)) % 3
    wrong = held_out_errors(rows.features, rows.truth, folds) > 0
    detector = Shortcut()
    probs = np.eye(2)[np.where(wrong, 1 - rows.truth, rows.truth)]
    labelled = np.ones(len(rows), dtype=bool)
    view = rows.view(spec_of(detector), detector.needs, 0, labels=rows.truth, labelled=labelled, pred_probs=probs)
    assert list(detector.find(view)) == []


def test_refusals(view_of):
    detector = Shortcut()
    with pytest.raises(NotApplicable, match="the label is a number"):
        detector.find(view_of(detector, classes=(), labels=np.zeros(300), n=300))
    with pytest.raises(NotApplicable, match="fewer than the 200"):
        detector.find(view_of(detector, labels=np.arange(100) % 2, n=100))


def broken(seed=3, n=3000):
    """An attribute that nothing stands in for, and that says nothing in a fifth of the rows, the slice."""
    features, labels, attribute = world(n, seed=seed, rate=0.85, content=0.5)
    rng = np.random.default_rng(seed)
    inside = rng.random(n) < 0.2
    attribute = np.where(inside, rng.random(n) < 0.5, attribute)
    features[:, 4] = 3 * (2.0 * attribute - 1) + rng.standard_normal(n)
    return features, labels, attribute, inside


def test_within_a_slice_by_hand():
    # inside: 5 with and 5 without, of each 3 of the class; outside: 10 and 10, all of those with and none of those without
    attribute = np.array([1] * 5 + [0] * 5 + [1] * 10 + [0] * 10, bool)
    is_class = np.array([1, 1, 1, 0, 0] * 2 + [1] * 10 + [0] * 10, bool)
    inside = np.arange(30) < 10
    got = within_slice(attribute, is_class, inside)
    assert got.inside == (0.6, 0.6)
    assert got.outside == (1.0, 0.0)
    # log odds 0 with variance 2/3.5 + 2/2.5; 2 log 21 with 2/10.5 + 2/.5: z = log 21 / sqrt(1.371 + 4.190 / 4) = 1.957
    assert got.p_value == pytest.approx(0.0252, abs=1e-3)
    turned = within_slice(~attribute, is_class, inside)
    assert turned.p_value == pytest.approx(got.p_value)
    assert within_slice(attribute, is_class, attribute).p_value == 1.0  # inside it always holds


def test_what_breaks_within_a_slice_is_named_with_it(view_of):
    features, labels, attribute, inside = broken()
    cells = pa.array(np.where(attribute, "on", "off").tolist())
    assert found(view_of, cells, features, labels, ColumnType.CATEGORY) == []
    slices = {"by day": ~inside * 1.0 * (np.arange(len(inside)) % 2), "at night": inside * 1.0}
    (finding,) = found(view_of, cells, features, labels, ColumnType.CATEGORY, slices=slices)
    assert finding.columns == ("thing",)
    assert "Within slice 'at night' it hardly tells the label" in finding.summary
    assert "within a declared slice" in finding.threshold


def test_a_slice_in_which_only_the_classes_are_others_shares_breaks_nothing(view_of):
    features, labels, attribute = world(3000, seed=5, rate=0.8, content=0.5)
    rng = np.random.default_rng(5)
    inside = rng.random(3000) < np.where(labels == 1, 0.4, 0.05)
    cells = pa.array(np.where(attribute, "on", "off").tolist())
    some = found(view_of, cells, features, labels, ColumnType.CATEGORY, slices={"more of one": inside * 1.0})
    assert not any("Within slice" in finding.summary for finding in some)


def test_slices_within_which_nothing_breaks_are_named_at_their_promised_rate():
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(1000):
        labels = rng.random(600) < 0.4
        attribute = np.where(rng.random(600) < 0.75, labels, ~labels)
        alarms += within_slice(attribute, labels, rng.random(600) < 0.2, kept=1.0).p_value <= 0.05
    assert alarms <= 1000 * 0.05 + 2.6 * np.sqrt(1000 * 0.05 * 0.95)
