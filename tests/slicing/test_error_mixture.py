"""ErrorMixture: by hand, planted slices of classes and of numbers, silence by chance, order of rows, visibility, refusals."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.schema import Column, ColumnType, Role, Schema, Task, TaskType, Visibility
from tilth.numerics.region_membership import region_membership
from tilth.slicing._shared import jaccard
from tilth.slicing.error_mixture import ErrorMixture, most_surprising
from tilth.testing.views import view_of


def test_by_hand():
    belongs = np.array([[1.0, 0.0, 0.0]] * 6 + [[0.0, 0.9, 0.1]] * 6 + [[0.0, 0.1, 0.9]] * 6)
    surprise = np.array([0.1] * 6 + [1.0] * 6 + [-1.0] * 6)
    assert most_surprising(belongs, surprise).tolist() == [1, 0]


def test_finds_a_planted_slice_and_its_region_finds_it_in_new_rows(planted):
    evidence, inside = planted()
    found = ErrorMixture().discover(view_of(ErrorMixture(), **evidence))
    assert len(found) == 1
    assert jaccard(found[0].membership, inside.astype(float)) > 0.6
    assert found[0].q_value < 1e-6
    assert found[0].score.high < found[0].overall
    fresh, new = planted(seed=1)
    region = found[0].slice.region
    assert region is not None
    belongs = region_membership(region, fresh["embeddings"])
    assert new[np.argsort(-belongs)[:20]].all()
    old = region_membership(region, evidence["embeddings"])
    assert old == pytest.approx(found[0].membership)


def test_finds_it_by_scores_of_a_regression(planted):
    evidence, inside = planted()
    rng = np.random.default_rng(3)
    off = np.abs(rng.standard_normal(len(inside))) + 3.0 * inside
    view = view_of(ErrorMixture(), classes=(), embeddings=evidence["embeddings"], scores=-off)
    found = ErrorMixture().discover(view)
    assert jaccard(found[0].membership, inside.astype(float)) > 0.5


def test_silent_where_errors_fall_by_chance(planted):
    spoken = 0
    for seed in range(20):
        evidence, _ = planted(400, seed, inside_share=0.0)
        spoken += bool(ErrorMixture().discover(view_of(ErrorMixture(), **evidence)))
    assert spoken <= 4  # 5 % of 20 runs are one; five or more would be a chance of 0.3 %


def test_follows_row_ids_not_places(planted):
    evidence, _ = planted(600)
    ids = [f"id{i}" for i in range(600)]
    order = np.random.default_rng(4).permutation(600)
    first = ErrorMixture().discover(view_of(ErrorMixture(), ids=ids, **evidence))
    moved = {need: values[order] for need, values in evidence.items()}
    again = ErrorMixture().discover(view_of(ErrorMixture(), ids=[ids[i] for i in order], **moved))
    assert [one.slice.name for one in first] == [one.slice.name for one in again]
    for one, other in zip(first, again, strict=True):
        assert one.membership[order] == pytest.approx(other.membership, abs=1e-12)
        assert one.p_value == pytest.approx(other.p_value)


def described_view(planted, visibility: Visibility, **more):
    evidence, inside = planted()
    texts = ["the exchange rate was wrong" if i else "please order a card" for i in inside]
    shops = ["Ulm" if i else "Rome" if j % 2 else "Kyiv" for j, i in enumerate(inside)]
    table = pa.table({"note": pa.array(texts, pa.large_string()), "shop": shops, "price": np.where(inside, 90.0, 10.0)})
    types = (ColumnType.TEXT, ColumnType.CATEGORY, ColumnType.NUMBER)
    columns = [Column(name=n, type=t, visibility=visibility) for n, t in zip(table.column_names, types, strict=True)]
    label = Column(name="label", type=ColumnType.CATEGORY, role=Role.LABEL, visibility=visibility)
    task = Task(type=TaskType.BINARY, label="label", classes=("buy", "complain"))
    schema = Schema(columns=(*columns, label), tasks=(task,))
    slices = {"declared": inside.astype(float), "other": 1.0 - inside}
    return view_of(ErrorMixture(), schema=schema, table=table, slices=slices, **evidence, **more)


def test_described_in_words(planted):
    found = ErrorMixture().discover(described_view(planted, Visibility.SHOWN))[0]
    facts = found.slice.facts
    assert facts["terms"][:2] == ["exchange", "rate"] or "exchange rate" in facts["terms"]
    assert any("shop = Ulm" in one for one in facts["conditions"])
    assert facts["classes"][0]["given"] == "complain"
    assert facts["nearest_slice"]["name"] == "declared"
    assert len(facts["typical"]) == 5
    assert facts["held_out"]["score"] < 0.6
    assert "complain taken for buy" in found.slice.summary
    assert found.slice.rule == f"near {found.slice.name}"


@pytest.mark.parametrize("visibility", [Visibility.HIDDEN, Visibility.AGGREGATE])
def test_quotes_nothing_that_is_not_shown(planted, visibility):
    found = ErrorMixture().discover(described_view(planted, visibility))[0]
    said = f"{found.slice.name} {found.slice.summary} {found.slice.rule} {found.slice.facts}"
    for cell in ("exchange", "Ulm", "complain", "price"):
        assert cell not in said


@pytest.mark.parametrize(
    "changed",
    [
        {"scores": np.ones(1_200)},
        {"labelled": np.arange(1_200) < 30},
        {"embeddings": np.full((1_200, 2), np.nan, "f4")},
    ],
)
def test_refuses(planted, changed):
    evidence, _ = planted()
    with pytest.raises(NotApplicable):
        ErrorMixture().discover(view_of(ErrorMixture(), **(evidence | changed)))


def test_bears_rows_that_are_all_alike(planted):
    evidence, _ = planted()
    alike = evidence | {"embeddings": np.ones((1_200, 4), dtype=np.float32)}
    assert ErrorMixture().discover(view_of(ErrorMixture(), **alike)) == []
