"""knn_shapley: by hand, brute force over all sets and all orders of arrival, ties, blocks, planted flips, folds, refusals."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core.errors import InputError, NotApplicable, UsageError
from tilth.testing.views import view_of
from tilth.valuation import knn_shapley as module
from tilth.valuation.knn_shapley import KnnShapley, knn_shapley

LINE = np.array([[0.0], [1.0], [3.0]])


def worth_of_sets(features, labels, reference, label, k) -> np.ndarray:
    """Worth of each of the 2^n sets by its definition; nearest by exact squares, then by position."""
    order = np.lexsort((np.arange(len(labels)), np.square(features - reference).sum(axis=1)))
    worth = np.zeros(2 ** len(labels))
    for members in range(len(worth)):
        nearest = [row for row in order if members >> row & 1][:k]
        worth[members] = sum(labels[row] == label for row in nearest) / k
    return worth


def shapley_by_sets(features, labels, references, reference_labels, k) -> np.ndarray:
    """Shapley's formula: weighted gains of each row over all sets without it; (n,), a value per reference (m, n)."""
    n = len(labels)
    sizes = np.array([members.bit_count() for members in range(2**n)])
    choices = np.array([np.prod([(n - 1 - i) / (i + 1) for i in range(size)]) for size in range(n)])
    values = np.zeros((len(references), n))
    for t, (reference, label) in enumerate(zip(references, reference_labels, strict=True)):
        worth = worth_of_sets(features, labels, reference, label, k)
        for row in range(n):
            without = np.flatnonzero(~(np.arange(2**n) >> row) & 1)
            values[t, row] = ((worth[without | 1 << row] - worth[without]) / (n * choices[sizes[without]])).sum()
    return values


def test_by_hand():
    """Nearest of 0.2 is row 0: alone it wins; row 1 wins where it comes before row 0; row 2 has another label."""
    values, errors = knn_shapley(LINE, np.array([0, 0, 1]), np.array([[0.2]]), np.array([0]), k=1)
    # orders of arrival: 012 021 -> row 0 gains 1; 102 120 -> row 1; 201 -> row 0; 210 -> row 1
    assert values == pytest.approx([1 / 2, 1 / 2, 0])
    assert errors.tolist() == [1.0, 1.0, 1.0]
    values, _ = knn_shapley(LINE, np.array([1, 0, 1]), np.array([[0.2]]), np.array([0]), k=1)
    # row 1 is right and second: it gains 1 when row 0 is not there yet, and row 0 takes that away when it comes
    assert values == pytest.approx([-1 / 2, 1 / 2, 0])


def test_the_brute_force_is_the_mean_over_orders_of_arrival():
    features, labels = np.array([[2.0], [0.0], [1.0], [1.0]]), np.array([1, 0, 1, 0])
    worth = worth_of_sets(features, labels, np.array([0.0]), 1, 2)
    gains = np.zeros((24, 4))
    for turn, order in enumerate(permutations(range(4))):
        members = 0
        for row in order:
            gains[turn, row] = worth[members | 1 << row] - worth[members]
            members |= 1 << row
    assert shapley_by_sets(features, labels, np.array([[0.0]]), [1], 2)[0] == pytest.approx(gains.mean(axis=0))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_equals_the_brute_force_with_ties_in_row_order(data):
    n, m, k = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 3)), data.draw(st.integers(1, 5))
    cells, classes = st.integers(-2, 2), st.integers(0, 2)
    features = np.array(data.draw(st.lists(st.tuples(cells, cells), min_size=n, max_size=n)), dtype=np.float32)
    references = np.array(data.draw(st.lists(st.tuples(cells, cells), min_size=m, max_size=m)), dtype=np.float32)
    labels = np.array(data.draw(st.lists(classes, min_size=n, max_size=n)))
    wanted = np.array(data.draw(st.lists(classes, min_size=m, max_size=m)))
    per_reference = shapley_by_sets(features, labels, references, wanted, k)
    values, errors = knn_shapley(features, labels, references, wanted, k=k)
    assert values == pytest.approx(per_reference.mean(axis=0), abs=1e-12)
    expected = per_reference.std(axis=0, ddof=1) / np.sqrt(m) if m > 1 else np.full(n, 1 / k)
    assert errors == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("k", [1, 3, 10, 40])
def test_equals_the_brute_force_on_ten_rows(k):
    rng = np.random.default_rng(k)
    features, labels = rng.standard_normal((10, 3)), rng.integers(3, size=10)
    references, wanted = rng.standard_normal((2, 3)), np.array([0, 2])
    expected = shapley_by_sets(features, labels, references, wanted, k).mean(axis=0)
    assert knn_shapley(features, labels, references, wanted, k=k)[0] == pytest.approx(expected, abs=1e-12)


def recursion(features, labels, references, wanted, k) -> np.ndarray:
    """Jia et al. (2019), theorem 1 as it is printed, row by row, from exact distances."""
    n, total = len(labels), np.zeros(len(labels))
    for reference, label in zip(references, wanted, strict=True):
        order = np.argsort(np.square(features - reference).sum(axis=1), kind="stable")
        right = (labels[order] == label).astype(float)
        share = right[-1] * min(k, n) / (k * n)
        total[order[-1]] += share
        for i in range(n - 1, 0, -1):
            share += (right[i - 1] - right[i]) / k * min(k, i) / i
            total[order[i - 1]] += share
    return total / len(references)


@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_equals_the_printed_recursion_in_any_blocks(monkeypatch, offset):
    """Far from the origin as well: the product is taken around a row in the middle."""
    rng = np.random.default_rng(1)
    features, labels = rng.standard_normal((300, 8)) + offset, rng.integers(4, size=300)
    references, wanted = rng.standard_normal((40, 8)) + offset, rng.integers(4, size=40)
    expected = recursion(features, labels, references, wanted, 5)
    whole = knn_shapley(features, labels, references, wanted, k=5)
    assert whole[0] == pytest.approx(expected, abs=1e-10)
    monkeypatch.setattr(module, "STRIP", 700)
    cut = knn_shapley(features, labels, references, wanted, k=5)
    assert cut[0] == pytest.approx(expected, abs=1e-10)
    assert cut[1] == pytest.approx(whole[1], abs=1e-10)


def test_copies_tie_exactly_in_row_order():
    """Copies of rows that float32 cannot hold, at all places of a block: the first always comes first."""
    rng = np.random.default_rng(2)
    base = rng.standard_normal((17, 33)) * np.pi
    features = np.concatenate([base, base[::-1], base])
    labels = rng.integers(3, size=51)
    references, wanted = rng.standard_normal((9, 33)), rng.integers(3, size=9)
    expected = recursion(features, labels, references, wanted, 2)
    assert knn_shapley(features, labels, references, wanted, k=2)[0] == pytest.approx(expected, abs=1e-12)


def test_values_sum_to_the_share_of_right_votes():
    rng = np.random.default_rng(3)
    features, labels = rng.standard_normal((50, 4)), rng.integers(2, size=50)
    references, wanted = rng.standard_normal((20, 4)), rng.integers(2, size=20)
    distances = np.square(features[None] - references[:, None]).sum(axis=2)
    nearest = np.argsort(distances, axis=1)[:, :7]
    votes = (labels[nearest] == wanted[:, None]).mean()
    assert knn_shapley(features, labels, references, wanted, k=7)[0].sum() == pytest.approx(votes)


def test_inputs_that_do_not_fit_are_refused():
    labels = np.array([0, 0, 1])
    with pytest.raises(UsageError, match="k is 0"):
        knn_shapley(LINE, labels, LINE, labels, k=0)
    with pytest.raises(InputError, match="references have 2 columns"):
        knn_shapley(LINE, labels, np.zeros((3, 2)), labels)
    with pytest.raises(InputError, match="do not fit"):
        knn_shapley(LINE, labels[:2], LINE, labels)
    with pytest.raises(InputError, match="missing or infinite"):
        knn_shapley(LINE, labels, np.full((1, 1), np.nan), labels[:1])


def blobs(n: int, seed: int, share: float = 0.1):
    """Rows of two classes four standard deviations apart, and which of their labels were turned."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=n)
    features = (rng.standard_normal((n, 4)) + 4.0 * truth[:, None] * np.eye(4)[0]).astype(np.float32)
    wrong = rng.permutation(n) < share * n
    return features, np.where(wrong, 1 - truth, truth), wrong


def test_planted_flips_are_worth_least():
    features, labels, wrong = blobs(300, seed=4)
    valuer = KnnShapley()
    values = valuer.value(view_of(valuer, labels=labels, embeddings=features))
    assert values.ids.to_pylist() == [f"r{i}" for i in range(300)]
    lowest = values.lowest(30).ids.to_pylist()
    assert np.isin([int(name[1:]) for name in lowest], np.flatnonzero(wrong)).mean() > 0.85
    assert (values.values[wrong] < 0).mean() > 0.85
    assert values.standard_errors is not None
    assert 0 < values.standard_errors.max() < 0.01


def test_fewer_references_stay_within_the_standard_errors():
    features, labels, _ = blobs(400, seed=5)
    whole, part = (
        valuer.value(view_of(valuer, labels=labels, embeddings=features))
        for valuer in (KnnShapley(), KnnShapley(references=100))
    )
    gap = np.abs(part.values - whole.values) / part.standard_errors
    assert (gap < 2).mean() > 0.9


def test_a_row_is_not_valued_by_its_own_copies_or_group():
    """Two wrong copies in another class's midst: each alone in its group, they confirm each other from other folds."""
    features, labels, _ = blobs(100, seed=6, share=0.0)
    features, labels = np.concatenate([features, features[:1]]), np.append(labels, 1 - labels[0])
    labels[0] = labels[-1]
    valuer = KnnShapley(k=1)

    def worth(**groups) -> np.ndarray:
        return valuer.value(view_of(valuer, labels=labels, embeddings=features, **groups)).values[[0, -1]]

    alone = worth(groups=np.arange(101))
    together = worth(groups=np.append(np.arange(100), 0))
    assert (worth() < 0).all()
    assert (together < 0).all()
    assert (alone > together + 0.005).all()


def test_rows_without_a_label_have_no_value():
    features, labels, _ = blobs(40, seed=7)
    labelled = np.arange(40) % 3 > 0
    valuer = KnnShapley()
    values = valuer.value(view_of(valuer, labels=labels, embeddings=features, labelled=labelled))
    assert values.ids.to_pylist() == [f"r{i}" for i in np.flatnonzero(labelled)]


@pytest.mark.parametrize(
    ("labels", "features", "folds", "refusal"),
    [
        ([0, 0, 0], [[0.0], [1.0], [2.0]], 5, "one class"),
        ([0, 1, 0], [[1.0], [1.0], [1.0]], 5, "two groups"),
        ([0, 1, 0], [[0.0], [1.0], [2.0]], 1, "1 folds"),
    ],
)
def test_what_cannot_be_valued_is_refused(labels, features, folds, refusal):
    valuer = KnnShapley(folds=folds)
    with pytest.raises((NotApplicable, UsageError), match=refusal):
        valuer.value(view_of(valuer, labels=labels, embeddings=np.array(features, dtype=np.float32)))


def test_numbers_are_refused():
    valuer = KnnShapley()
    with pytest.raises(NotApplicable, match="number"):
        valuer.value(view_of(valuer, classes=(), numbers=[1.0, 2.0], embeddings=LINE[:2]))
