"""Near-duplicate texts: by hand, planted, against brute force, and worlds that break naive banding."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core.errors import InputError, UsageError
from tilth.numerics import _bands, _texts, minhash
from tilth.numerics._bands import EMPTY, N_MINIMA, Minima, band_pairs, rows_per_band
from tilth.numerics._shingles import normalised, shingles
from tilth.numerics.clusters import star_groups
from tilth.numerics.minhash import identical_texts, jaccard, minhash_signatures, near_duplicate_texts

words = st.text(alphabet="ab ß\u0130\U0001f600", max_size=12)


def shingle_set(text, unit="character", size=5):
    units = normalised(text) if unit == "character" else normalised(text).split()
    if not units:
        return set()
    return {tuple(units[i : i + size]) for i in range(max(len(units) - size + 1, 1))}


def brute_jaccard(one, two, unit="character", size=5):
    one, two = shingle_set(one, unit, size), shingle_set(two, unit, size)
    return len(one & two) / max(len(one | two), 1)


def random_texts(rng, n, n_words):
    vocabulary = ["".join(rng.choice(list("abcdefghijklmnop"), size=6)) for _ in range(2_000)]
    return [" ".join(rng.choice(vocabulary, size=n_words)) for _ in range(n)]


def reworded(rng, text, changes):
    parts = text.split()
    for place in rng.choice(len(parts), size=changes, replace=False):
        parts[place] = "".join(rng.choice(list("qrstuvwxyz"), size=6))
    return " ".join(parts)


# by hand


def test_normalised_folds_case_and_white_space():
    assert normalised("  Stra\u00dfe\t\n EINS ") == "strasse eins"
    assert normalised(None) == ""


def test_shingles_are_counted_by_hand():
    found = shingles(["abcdef", "ab", "", "abcdefg"], "character", 5)
    assert found.counts.tolist() == [2, 1, 0, 3]
    assert found.hashes[0] == found.hashes[3] and found.hashes[1] == found.hashes[4]
    assert len(set(found.hashes.tolist())) == 4


def test_word_shingles_are_counted_by_hand():
    found = shingles(["one two three", "two three", "three two", ""], "word", 2)
    assert found.counts.tolist() == [2, 1, 1, 0]
    assert found.hashes[1] == found.hashes[2] != found.hashes[3]


def test_jaccard_by_hand():
    """{abcde, bcdef} and {abcde, bcdeg} share one of three."""
    assert jaccard(["abcdef", "abcdeg"], np.array([[0, 1]])).tolist() == [1 / 3]
    assert jaccard(["a b c", "a b d"], np.array([[0, 1], [1, 1]]), unit="word", size=1).tolist() == [0.5, 1]
    assert jaccard([None, " ", "x"], np.array([[0, 1], [1, 2]])).tolist() == [0, 0]


def test_numbers_in_short_texts_keep_their_weight():
    """order 17 / order 18: {order, rder_, der_1, er_17} and {…, er_18} share three of five."""
    texts = ["order 17", "order 18", "Order  17"]
    assert jaccard(texts, np.array([[0, 1]])).tolist() == [0.6]
    pairs, similarity = near_duplicate_texts(texts, 0.8)
    assert pairs.tolist() == [[0, 2]] and similarity.tolist() == [1.0]
    assert near_duplicate_texts(texts, 0.5)[0].tolist() == [[0, 1], [0, 2], [1, 2]]


def test_missing_and_blank_texts_have_no_pairs():
    texts = [None, "", "  ", None, "a", "A"]
    assert near_duplicate_texts(texts)[0].tolist() == [[4, 5]]
    assert identical_texts(texts).tolist() == [0, 1, 2, 3, 4, 4]


@pytest.mark.parametrize("texts", [[], [None], ["one"], ["", ""]])
def test_nothing_to_pair(texts):
    pairs, similarity = near_duplicate_texts(texts)
    assert pairs.shape == (0, 2) and similarity.shape == (0,)
    assert identical_texts(texts).tolist() == list(range(len(texts)))


def test_texts_shorter_than_a_shingle_are_compared_whole():
    assert near_duplicate_texts(["ab", "AB", "abc", "ba"], 0.1)[0].tolist() == [[0, 1]]


# doors


def test_every_kind_of_text_column_gives_the_same():
    texts = ["the cat sat on the mat", None, "The cat sat on the mat!", "another thing entirely"]
    wanted = near_duplicate_texts(texts, 0.7)
    columns = [
        pa.array(texts),
        pa.array(texts, pa.large_string()),
        pa.array(texts).dictionary_encode(),
        pa.chunked_array([texts[:2], texts[2:]]),
        pa.array(["x", *texts])[1:],
        tuple(texts),
    ]
    for column in columns:
        pairs, similarity = near_duplicate_texts(column, 0.7)
        assert pairs.tolist() == wanted[0].tolist() == [[0, 2]]
        assert similarity.tolist() == wanted[1].tolist()


def test_refusals():
    with pytest.raises(InputError, match="int64, not text"):
        near_duplicate_texts(pa.array([1, 2]))
    with pytest.raises(InputError, match="not every text"):
        near_duplicate_texts(["a", 1])
    with pytest.raises(InputError, match="not every text"):
        near_duplicate_texts(["\ud800"])
    with pytest.raises(InputError, match="positions below 2"):
        jaccard(["a", "b"], np.array([[0, 2]]))
    for threshold in (0, 1.1, float("nan")):
        with pytest.raises(UsageError, match="threshold"):
            near_duplicate_texts(["a"], threshold)
    with pytest.raises(UsageError, match="shingles of 0"):
        near_duplicate_texts(["a"], size=0)
    with pytest.raises(UsageError, match="'byte'"):
        near_duplicate_texts(["a"], unit="byte")
    with pytest.raises(UsageError, match="seed"):
        near_duplicate_texts(["a"], seed=-1)


# parity


@settings(max_examples=80, deadline=None)
@given(
    texts=st.lists(words, min_size=2, max_size=8),
    unit=st.sampled_from(["character", "word"]),
    size=st.integers(1, 3),
)
def test_law_jaccard_agrees_with_sets(texts, unit, size):
    pairs = np.argwhere(np.triu(np.ones((len(texts), len(texts))), 1))
    wanted = [brute_jaccard(texts[i], texts[j], unit, size) for i, j in pairs]
    assert jaccard(texts, pairs, unit=unit, size=size) == pytest.approx(wanted, abs=1e-15)


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(words, max_size=10), batch=st.integers(1, 30))
def test_law_batches_change_nothing(texts, batch):
    whole = near_duplicate_texts(texts, 0.4, size=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_texts, "CHARACTERS", batch)
        patch.setattr(_texts, "PAIRED_CHARACTERS", batch * 10)
        batched = near_duplicate_texts(texts, 0.4, size=2)
    assert np.array_equal(whole[0], batched[0]) and np.array_equal(whole[1], batched[1])


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(words, max_size=10), threshold=st.sampled_from([0.3, 0.8, 1.0]))
def test_law_every_pair_is_truly_similar(texts, threshold):
    pairs, similarity = near_duplicate_texts(texts, threshold, size=2)
    for (i, j), value in zip(pairs.tolist(), similarity.tolist(), strict=True):
        assert i < j
        assert value == pytest.approx(brute_jaccard(texts[i], texts[j], size=2))
        assert value >= threshold


def test_signatures_estimate_jaccard():
    rng = np.random.default_rng(0)
    texts = random_texts(rng, 40, 60)
    texts += [reworded(rng, text, 8) for text in texts]
    signatures = minhash_signatures(texts, seed=3)
    true = [brute_jaccard(texts[i], texts[i + 40]) for i in range(40)]
    estimate = (signatures[:40] == signatures[40:]).mean(axis=1)
    assert np.abs(estimate - true).max() < 0.16
    assert abs(float(np.mean(estimate - true))) < 0.02


def test_signatures_of_short_texts_are_filled_and_unbiased():
    """Sets of about 12 shingles fill 12 of 128 bins; the borrowed rest must keep the estimate honest."""
    rng = np.random.default_rng(1)
    texts = random_texts(rng, 600, 3)
    texts += [text[:-1] + "z" for text in texts]
    signatures = minhash_signatures(texts)
    true = np.mean([brute_jaccard(texts[i], texts[i + 600]) for i in range(600)])
    assert not (signatures == np.uint32(0xFFFFFFFF)).any()
    assert float((signatures[:600] == signatures[600:]).mean()) == pytest.approx(true, abs=0.015)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 1.0])
def test_empty_bins_borrow_from_the_first_filled_lender(share):
    """Each bin asks the others in its own order; a text without any shingle has nobody to ask."""
    rng = np.random.default_rng(6)
    minima = np.full((20, N_MINIMA), EMPTY, dtype=np.uint32)
    own = rng.random(minima.shape) < share
    minima[own] = rng.integers(EMPTY, size=int(own.sum()))
    maker = Minima(3)
    wanted = minima.copy()
    for text, place in np.argwhere(~own):
        lenders = [lender for lender in maker.lenders[:, place] if own[text, lender]]
        wanted[text, place] = minima[text, lenders[0]] if lenders else EMPTY
    assert np.array_equal(maker._filled(minima), wanted)


def test_similarity_of_sliced_chunks_with_missing_texts():
    whole = pa.chunked_array(
        [pa.array(["x", None, "abcdef"]), pa.array([], pa.string()), pa.array(["abcdeg", "", None])]
    )
    assert jaccard(whole[1:], np.array([[1, 2], [0, 1], [3, 4]])).tolist() == [1 / 3, 0, 0]


# planted


@pytest.mark.parametrize(("n_words", "changes"), [(40, 2), (12, 1)])
def test_planted_rewordings_are_found(n_words, changes):
    rng = np.random.default_rng(2)
    texts = random_texts(rng, 1_000, n_words)
    texts += [reworded(rng, text, changes) for text in texts]
    planted = np.stack([np.arange(1_000), np.arange(1_000) + 1_000], axis=1)
    near = planted[jaccard(texts, planted) >= 0.8]
    pairs, similarity = near_duplicate_texts(texts, 0.8, seed=1)
    found = set(map(tuple, pairs.tolist()))
    assert len(near) > 100
    assert np.mean([tuple(pair) in found for pair in near.tolist()]) >= 0.99
    assert similarity.min() >= 0.8


def test_the_seed_decides():
    texts = random_texts(np.random.default_rng(3), 50, 10)
    assert np.array_equal(minhash_signatures(texts, 5), minhash_signatures(texts, 5))
    assert not np.array_equal(minhash_signatures(texts, 5), minhash_signatures(texts, 6))


def test_signatures_are_pinned():
    """The same seed must propose the same candidates in every release."""
    signature = minhash_signatures(["the quick brown fox jumps over the lazy dog"], seed=7)[0]
    assert signature[:3].tolist() == [854120098, 2458212697, 2523800184]


# floods


def test_copies_do_not_multiply():
    texts = ["the same text over and over again"] * 3_000 + ["the same text over and over against"] * 2_000
    pairs, _ = near_duplicate_texts(texts, 0.8)
    assert len(pairs) < 10_000
    groups = star_groups(len(texts), *near_duplicate_texts(texts, 0.8))
    assert (groups == 0).all()


def test_thousands_of_near_copies_stay_linear_and_group_together():
    rng = np.random.default_rng(4)
    base = random_texts(rng, 1, 40)[0]
    texts = [f"{base} number {i}" for i in range(2_000)]
    pairs, similarity = near_duplicate_texts(texts, 0.8)
    assert len(pairs) < 40 * len(texts)
    groups = star_groups(len(texts), pairs, similarity)
    assert np.bincount(groups).max() > 0.7 * len(texts)
    assert np.isin(np.arange(len(texts)), pairs).all()


def test_hopeless_buckets_are_given_up():
    """All texts are 0.6 to 0.75 alike: many candidates, hardly a pair; comparisons per text stay bounded."""
    rng = np.random.default_rng(5)
    base = random_texts(rng, 1, 20)[0]
    texts = [reworded(rng, base, 2) for _ in range(600)]
    compared = []
    real = minhash.Texts.jaccard

    def counted(self, pairs, unit, size):
        compared.append(len(pairs))
        return real(self, pairs, unit, size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(minhash.Texts, "jaccard", counted)
        near_duplicate_texts(texts, 0.8)
    most = minhash.PATIENCE + 2 * (_bands.WINDOW + 1)
    assert sum(compared) <= len(texts) * most


# bands


def test_rows_per_band_keep_the_promise():
    for threshold in (0.3, 0.5, 0.8, 0.9):
        rows = rows_per_band(threshold, 128, 0.995)
        assert 1 - (1 - threshold**rows) ** (128 // rows) >= 0.995
        assert 1 - (1 - threshold ** (rows + 1)) ** (128 // (rows + 1)) < 0.995
    assert rows_per_band(1.0, 128, 0.995) == 128
    assert rows_per_band(0.01, 128, 0.995) == 1


@given(st.lists(st.integers(0, 4), max_size=14))
def test_law_small_buckets_give_all_their_pairs(values):
    keys = np.array(values, dtype=np.uint64).reshape(-1, 1)
    n = len(values)
    found = band_pairs(keys, 0, np.zeros(n, dtype=np.bool_))
    wanted = [i * n + j for i in range(n) for j in range(i + 1, n) if values[i] == values[j]]
    assert found.tolist() == wanted


def test_large_buckets_link_neighbours_of_the_next_band_and_the_first_row():
    n = 200
    keys = np.zeros((n, 2), dtype=np.uint64)
    keys[:, 1] = np.arange(n)[::-1]
    found = band_pairs(keys, 0, np.zeros(n, dtype=np.bool_))
    pairs = {(int(key) // n, int(key) % n) for key in found}
    assert all((0, j) in pairs for j in range(1, n))
    assert all((i, i + step) in pairs for i in range(150) for step in range(1, _bands.WINDOW + 1))
    assert len(pairs) <= n * (_bands.WINDOW + 1)
    settled = np.ones(n, dtype=np.bool_)
    assert len(band_pairs(keys, 0, settled)) == 0
