"""near_duplicate: by hand, planted near-copies of text, vectors, tables and images, guards, parity with brute force."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tilth.core.errors import NotApplicable
from tilth.core.schema import ColumnType
from tilth.detection._shared import chance_share, vector_pairs
from tilth.detection.near_duplicate import NearDuplicate, similarity_to_leader
from tilth.numerics.neighbours import k_nearest

TEXT = {"text": ColumnType.TEXT}
LONG = "the parcel has not arrived although it was sent a week ago, please look into it and tell me where it is"


def near_of(features, k=10):
    return k_nearest(np.asarray(features), k, metric="euclidean", exclude_self=True)


def test_similarity_to_leader_by_hand():
    leader = np.array([1, 1, 1, 3])
    pairs, alike = np.array([[0, 1], [1, 2], [2, 3]]), np.array([0.9, 0.8, 0.95])
    assert similarity_to_leader(leader, pairs, alike).tolist() == [0.9, 0.0, 0.8, 0.0]


def test_texts_by_hand(view_of):
    texts = [LONG, LONG + "!", LONG, "something else entirely", "and now a third thing, quite apart from these"]
    detector = NearDuplicate()
    view = view_of(detector, columns=TEXT, table={"text": texts}, labels=np.array([0, 1, 0, 0, 1]), n=5)
    (finding,) = detector.find(view)
    assert finding.flagged.sum() == 1, "row 2 is an exact copy of row 0 and left to exact duplicates"
    (row,) = np.flatnonzero(finding.flagged)
    other = {0: "r1", 1: "r0"}[int(row)]
    assert finding.evidence["near_to"][row] == other
    shingles = len(LONG) - 4
    assert finding.evidence["similarity"][row] == pytest.approx(shingles / (shingles + 1))
    assert finding.severity[row] == pytest.approx(shingles / (shingles + 1)), "labels differ: full severity"


def test_short_texts_need_their_other_cells_to_agree(view_of):
    rows = {"text": ["Jane Miller", "jane miller", "Bob Stone", "Ann Field"], "born": ["1970", "1981", "1990", "2001"]}
    detector = NearDuplicate()
    columns = TEXT | {"born": ColumnType.CATEGORY}
    assert detector.find(view_of(detector, columns=columns, table=rows, labels=np.zeros(4, int), n=4)) == []
    rows["born"][1] = "1970"
    (finding,) = detector.find(view_of(detector, columns=columns, table=rows, labels=np.zeros(4, int), n=4))
    assert finding.n_flagged == 1


def test_no_blind_closure(view_of):
    # a ~ b ~ c, but a and c are apart: the star around b flags a and c against b, and b is kept
    words = [f"word{i:03d}" for i in range(60)]
    a, b, c = words[:50], words[4:54], words[8:58]
    detector = NearDuplicate()
    texts = [" ".join(part) for part in (a, b, c)] + ["an unrelated text that stands alone here"]
    (finding,) = detector.find(view_of(detector, columns=TEXT, table={"text": texts}, labels=np.zeros(4, int), n=4))
    assert finding.flagged.tolist() == [True, False, True, False]
    assert finding.evidence["near_to"] == ["r1", "", "r1", ""]


def test_planted_near_copies_of_table_rows(view_of):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(1500, 6))
    values[1400:] = values[:100] + rng.normal(size=(100, 6)) * 0.002
    columns = {f"c{i}": ColumnType.NUMBER for i in range(6)}
    table = {f"c{i}": values[:, i] for i in range(6)}
    detector = NearDuplicate()
    view = view_of(
        detector, columns=columns, table=table, labels=np.zeros(1500, int), neighbours=near_of(values), n=1500
    )
    (finding,) = detector.find(view)
    flagged = set(np.flatnonzero(finding.flagged))
    found = sum((i in flagged) != (i + 1400 in flagged) for i in range(100))
    assert found >= 98
    assert finding.n_flagged <= 102


def mixed(rng, n, kinds):
    """A table of categories and of numbers, its columns and a simple encoding of it."""
    categories = {f"k{i}": rng.choice(list("abc"), n, p=[0.8, 0.15, 0.05]) for i in range(5)}
    numbers = {f"x{i}": rng.normal(size=n) for i in range(kinds)}
    return categories, numbers


def encoded_table(categories, numbers):
    hot = [(values[:, None] == np.array(list("abc"))).astype(float) for values in categories.values()]
    return np.column_stack([*hot, *numbers.values()])


def columns_of(categories, numbers):
    return dict.fromkeys(categories, ColumnType.CATEGORY) | dict.fromkeys(numbers, ColumnType.NUMBER)


def test_rows_of_categories_with_one_measured_column_meet_by_nature(view_of):
    parts = mixed(np.random.default_rng(6), 3000, kinds=1)
    detector = NearDuplicate()
    table = {name: values for part in parts for name, values in part.items()}
    near = near_of(encoded_table(*parts), 20)
    view = view_of(
        detector, columns=columns_of(*parts), table=table, labels=np.zeros(3000, int), neighbours=near, n=3000
    )
    assert chance_share(view) > 0.8
    assert detector.find(view) == []


def test_planted_near_copies_in_a_mixed_table(view_of):
    rng = np.random.default_rng(7)
    categories, numbers = mixed(rng, 2000, kinds=6)
    for values in categories.values():
        values[1950:] = values[:50]
    for values in numbers.values():
        values[1950:] = values[:50] + rng.normal(size=50) * 0.005
    table = categories | numbers
    detector = NearDuplicate()
    near = near_of(encoded_table(categories, numbers), 20)
    columns = columns_of(categories, numbers)
    view = view_of(detector, columns=columns, table=table, labels=np.zeros(2000, int), neighbours=near, n=2000)
    assert chance_share(view) < 0.1
    (finding,) = detector.find(view)
    assert 48 <= finding.n_flagged <= 52


@pytest.mark.parametrize("d", [2, 8, 40])
def test_null_worlds_of_vectors_are_left_alone(view_of, d):
    rng = np.random.default_rng(d)
    vectors = rng.normal(size=(2000, d)) * rng.uniform(0.5, 3, size=(2000, 1))
    detector = NearDuplicate()
    table = pa.table({"v": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), d)})
    view = view_of(
        detector,
        columns={"v": ColumnType.EMBEDDING},
        table=table,
        labels=np.zeros(2000, int),
        neighbours=near_of(vectors),
        n=2000,
    )
    assert sum(finding.n_flagged for finding in detector.find(view)) <= 4


def test_vector_pairs_do_not_depend_on_blocks(monkeypatch):
    rows = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    rows[30:40] = rows[:10] + 1e-4
    near = k_nearest(rows, 5, metric="euclidean", exclude_self=True)
    whole = vector_pairs(near.positions, near.distances, 0.01)
    monkeypatch.setattr("tilth.detection._shared.near.BLOCK_ROWS", 7)
    cut = vector_pairs(near.positions, near.distances, 0.01)
    assert len(whole[0]) >= 10
    assert np.array_equal(whole[0], cut[0]) and np.array_equal(whole[1], cut[1])


def test_vector_pairs_must_be_close_from_both_sides():
    # a lone row far out is near to nobody; two rows of a dense spot are no copies of each other
    rng = np.random.default_rng(3)
    rows = np.concatenate([rng.normal(size=(300, 2)), rng.normal(size=(300, 2)) * 0.001 + 50, [[9.0, 9.0]]])
    near = near_of(rows)
    pairs, _ = vector_pairs(near.positions, near.distances, 0.01)
    assert len(pairs) <= 2


def test_identical_vectors_are_pairs():
    rows = np.random.default_rng(4).normal(size=(60, 3))
    rows[7] = rows[3]
    near = near_of(rows, 5)
    pairs, alike = vector_pairs(near.positions, near.distances, 0.01)
    assert pairs.tolist() == [[3, 7]]
    assert alike.tolist() == [1.0]


def photo(rng, side=48):
    base = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
    return base.resize((side, side), Image.Resampling.BICUBIC)


def encoded(image, kind, **options):
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def test_images_encoded_again_are_near_duplicates(view_of):
    rng = np.random.default_rng(5)
    images = [photo(rng) for _ in range(30)]
    cells = [encoded(image, "PNG") for image in images]
    cells += [encoded(image.resize((40, 40)), "JPEG", quality=80) for image in images[:5]]
    cells += [None, b"not an image"]
    table = pa.table({"image": pa.array(cells, pa.large_binary())})
    detector = NearDuplicate()
    view = view_of(detector, columns={"image": ColumnType.IMAGE}, table=table, labels=np.zeros(37, int), n=37)
    (finding,) = detector.find(view)
    groups = {frozenset((f"r{i}", finding.evidence["near_to"][i])) for i in np.flatnonzero(finding.flagged)}
    assert groups == {frozenset((f"r{i}", f"r{30 + i}")) for i in range(5)}


def test_many_alike_rows_are_said_to_be_templates(view_of):
    texts = [f"{LONG}, your order is number {i}" for i in range(20)]
    detector = NearDuplicate()
    (finding,) = detector.find(view_of(detector, columns=TEXT, table={"text": texts}, labels=np.zeros(20, int), n=20))
    assert "templates" in finding.summary
    assert finding.severity.max() < 0.3


def test_trusted_rows_are_not_flagged(view_of):
    detector = NearDuplicate()
    view = view_of(
        detector, columns=TEXT, table={"text": [LONG, LONG + "!", "x", "y"]}, labels=np.zeros(4, int), n=4,
        trusted=np.ones(4, bool),
    )  # fmt: skip
    assert detector.find(view)[0].n_flagged == 0


def test_refusals(view_of):
    detector = NearDuplicate()
    with pytest.raises(NotApplicable, match="fewer"):
        detector.find(view_of(detector, columns=TEXT, table={"text": ["a"]}, labels=np.zeros(1, int), n=1))
    with pytest.raises(NotApplicable, match="no feature columns"):
        detector.find(view_of(detector, table={}, labels=np.zeros(9, int), n=9))


def test_roman_numerals(view_of, shared):
    rows = pq.read_table(shared / "roman_numerals" / "roman_numerals.parquet")
    images = rows.select(["png"]).rename_columns(["image"]).slice(0, 400)
    detector = NearDuplicate()
    view = view_of(detector, columns={"image": ColumnType.IMAGE}, table=images, labels=np.zeros(400, int), n=400)
    for finding in detector.find(view):
        assert finding.flagged.mean() < 0.1
