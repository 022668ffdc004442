from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_union

from tilth.encoding.text_ngrams import TextNgrams

TOPICS = (
    [
        "the plough turned the heavy soil",
        "rain soaked the field and the soil",
        "seed lay in the dry soil",
        "good soil, good harvest",
    ],
    [
        "the goalkeeper saved a penalty",
        "our striker scored a late goal",
        "a penalty decided the match",
        "the match had no goal",
    ],
)
CORPUS = [f"{text} {i % 4}" for i in range(20) for topic in TOPICS for text in topic]


def test_texts_of_one_topic_are_near(fitted) -> None:
    rows = fitted(TextNgrams(dimension=2), CORPUS)(
        ["soil after rain", "field of seed", "goal in the match", "penalty saved"]
    )
    likeness = rows @ rows.T
    assert min(likeness[0, 1], likeness[2, 3]) > max(likeness[0, 2], likeness[0, 3], likeness[1, 2], likeness[1, 3])


def test_vectors_have_length_one_or_zero(fitted) -> None:
    rows = fitted(TextNgrams(), CORPUS)(["soil", "", "qqq", None])
    np.testing.assert_allclose(np.linalg.norm(rows[:, :-1], axis=1), [1, 0, 0, 0], atol=1e-6)
    assert rows[:, -1].tolist() == [0, 0, 0, 1]


def test_layouts(same_for_all_layouts) -> None:
    cells = pa.array([*CORPUS[:70], None, "", "雨が降る", "Grüß Gott 🌱", "雨が降る"])
    same_for_all_layouts(TextNgrams(dimension=16, sample=40), cells, pa.array(["soil 🌱", None, "雨"]))


def test_what_comes_after_the_longest_is_not_read(fitted) -> None:
    known = fitted(TextNgrams(longest=9), CORPUS)
    np.testing.assert_array_equal(known(["good soil"]), known(["good soil" + " goal" * 50]))


def test_vocabulary_keeps_the_most_frequent(fitted) -> None:
    known = fitted(TextNgrams(words=3, characters=5), CORPUS)
    assert (len(known.state["words"]), len(known.state["characters"])) == (3, 5)
    assert known.state["projection"].shape[0] == 8


def test_nothing_missing_and_one_text(fitted) -> None:
    for cells in (pa.array([], pa.string()), pa.nulls(3, pa.string()), pa.nulls(2), pa.array(["alone"])):
        assert fitted(TextNgrams(), cells)(["soil", None]).tolist() == [[0], [1]]


def test_sparse_weights_are_those_of_tf_idf(fitted) -> None:
    """With an orthonormal projection the likeness of texts is that of tf-idf vectors, words and characters in equal parts."""
    known = fitted(TextNgrams(min_texts=1, words=10**6, characters=10**6), CORPUS)
    weights = known.encoder._weights(pa.array(CORPUS[:8]), known.state).toarray()
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"[^\W_]+")
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    expected = [v.fit(CORPUS).transform(CORPUS[:8]) for v in (words, letters)]
    ours = weights @ weights.T
    theirs = sum((part @ part.T).toarray() for part in expected) / 2
    np.testing.assert_allclose(ours, theirs, atol=0.02)  # char_wb also counts words that are shorter than n, once per n


def test_real_texts_lose_little_against_sparse_features(fitted, shared) -> None:
    table = pq.read_table(shared / "sms_spam" / "sms_spam.parquet").slice(0, 2_000)
    texts, labels = table["text"].combine_chunks(), np.array(table["label"].to_pylist())
    dense = fitted(TextNgrams(dimension=128), texts.slice(0, 1_400))
    ours = LogisticRegression(C=30, max_iter=500).fit(dense(texts.slice(0, 1_400)), labels[:1_400])
    union = make_union(TfidfVectorizer(ngram_range=(1, 2)), TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5)))
    sparse = union.fit_transform(texts.slice(0, 1_400).to_pylist())
    theirs = LogisticRegression(C=30, max_iter=500).fit(sparse, labels[:1_400])
    rest = texts.slice(1_400)
    reached = ours.score(dense(rest), labels[1_400:])
    assert reached >= theirs.score(union.transform(rest.to_pylist()), labels[1_400:]) - 0.01
