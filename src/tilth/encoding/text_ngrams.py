"""Text as hashed word and character n-grams, weighted and projected to a few hundred dense numbers.

    weight of n-gram g in text x = (1 + log count(g, x)) · (1 + log((1 + n) / (1 + texts with g)))
    words and characters are brought to equal length per text; x = normalised(weights · V S^-1/2)

V and S are the leading right singular vectors and values of a sample of train texts (latent semantic analysis); S^-1/2 keeps
a few common topics from drowning the rest.

Source: Deerwester et al. (1990), JASIS 41 (latent semantic analysis); Weinberger et al. (2009), ICML (feature hashing);
Joachims (1998), ECML (tf-idf for linear classifiers).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_array, hstack

from tilth.core.arrays import FloatMatrix32, IntVector, Vector
from tilth.core.rng import generator
from tilth.core.schema import ColumnType
from tilth.encoding import _sample
from tilth.encoding._cells import missing_of, texts_of
from tilth.encoding._ngrams import Counts, ngram_counts
from tilth.encoding._sample import Sample
from tilth.encoding._svd import truncated_svd
from tilth.operators.batch import Batch
from tilth.operators.protocols import State

__all__ = ["TextNgrams"]

_BITS = 20
"""2^20 buckets: about one n-gram in twenty shares its bucket with another in a vocabulary of 50,000."""
_WORDS, _CHARACTERS = (1, 2), (3, 5)
_MOST_ENTRIES = 5_000_000
"""Counted n-grams of the sample that the projection is fitted on; bounds its cost for long texts (3,000 pages)."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the fold keeps: texts that are there, texts per bucket (sparse), and a sample of texts."""

    n_texts: int
    words: tuple[IntVector, IntVector]
    characters: tuple[IntVector, IntVector]
    sample: Sample


@dataclass(frozen=True, kw_only=True)
class TextNgrams:
    """Words, word pairs and character 3- to 5-grams of a text, as `dimension` dense numbers of length 1.

    Frequencies count all train texts; the projection is fitted on a bottom-k sample of them. Needs no language, no download and no
    word list. A missing text is the zero vector with indicator 1, a text without a known n-gram the zero vector. Cost:
    O(characters) to count, O(n-grams × dimension) to project, about 1 CPU second per million characters.

    Parameters
    ----------
    dimension : dense numbers per text, at least 1; fewer where the texts span fewer
    words : word n-grams (1 and 2 words long) that are kept, the most frequent first
    characters : character n-grams that are kept, the most frequent first
    min_texts : texts that an n-gram must occur in
    sample : texts that the projection is fitted on
    longest : characters of a text that are read; what comes after is left out

    Randomness: draws keyed by row id and a fixed stream for the projection; the run's seed plays no part.

    Source: Deerwester et al. (1990), JASIS 41; Weinberger et al. (2009), ICML.
    """

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.TEXT})
    revision: ClassVar[int] = 1

    dimension: int = 512
    words: int = 15_000
    characters: int = 25_000
    min_texts: int = 2
    sample: int = 20_000
    longest: int = 50_000

    def start(self) -> _Seen:
        """Return nothing seen."""
        none = (np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp))
        return _Seen(0, none, none, _sample.empty(pa.array([], pa.large_string())))

    def fold(self, state: _Seen, batch: Batch) -> _Seen:
        """Return what was seen with the block's texts taken in."""
        texts = self._texts(batch)
        rows = np.flatnonzero(~missing_of(texts))
        words, characters = self._counts(texts)
        return _Seen(
            state.n_texts + len(rows),
            _add(state.words, _texts_per_bucket(words)),
            _add(state.characters, _texts_per_bucket(characters)),
            _sample.take_in(
                state.sample, batch.digests, rows, lambda kept: texts.take(pa.array(kept)), self.sample, "text_ngrams"
            ),
        )

    def merge(self, left: _Seen, right: _Seen) -> _Seen:
        """Return what both have seen."""
        return _Seen(
            left.n_texts + right.n_texts,
            _add(left.words, right.words),
            _add(left.characters, right.characters),
            _sample.merge(left.sample, right.sample, self.sample),
        )

    def finish(self, state: _Seen) -> State:
        """Return the n-grams that are kept (buckets), their weights, and the projection."""
        words = _vocabulary(state.words, state.n_texts, self.min_texts, self.words)
        characters = _vocabulary(state.characters, state.n_texts, self.min_texts, self.characters)
        kept = {"words": words[0], "word_idf": words[1], "characters": characters[0], "character_idf": characters[1]}
        weighted = self._weights(state.sample.values, kept)
        return kept | {"projection": _projection(weighted, self.dimension)}

    def encode(self, batch: Batch, state: State) -> FloatMatrix32:
        """Return (n, dimension + 1) features: the projected text, missing."""
        texts = self._texts(batch)
        dense = self._weights(texts, state) @ state["projection"].astype(np.float32)
        lengths = np.sqrt(np.einsum("ij,ij->i", dense, dense, dtype=np.float64))[:, None]
        unit = dense / np.where(lengths > 0, lengths, 1.0)
        return np.hstack([unit, missing_of(texts)[:, None]]).astype(np.float32)

    def _texts(self, batch: Batch) -> pa.Array:
        return pc.utf8_slice_codeunits(texts_of(batch), 0, self.longest)

    def _counts(self, texts: pa.Array) -> tuple[Counts, Counts]:
        return ngram_counts(texts, words=_WORDS, characters=_CHARACTERS, bits=_BITS)

    def _weights(self, texts: pa.Array, kept: State) -> csr_array:
        """Return the (n, words + characters) sparse weights; rows of length 1, less where a text has one kind only."""
        words, characters = self._counts(texts)
        parts = [
            _unit_weights(words, kept["words"], kept["word_idf"]),
            _unit_weights(characters, kept["characters"], kept["character_idf"]),
        ]
        return csr_array(hstack(parts, format="csr"))


def _texts_per_bucket(counts: Counts) -> tuple[IntVector, IntVector]:
    buckets, texts = np.unique(counts.buckets, return_counts=True)
    return buckets.astype(np.intp), texts.astype(np.intp)


def _add(left: tuple[IntVector, IntVector], right: tuple[IntVector, IntVector]) -> tuple[IntVector, IntVector]:
    """Add two sparse vectors of counts; keys stay sorted."""
    keys, where = np.unique(np.concatenate([left[0], right[0]]), return_inverse=True)
    sums = np.zeros(len(keys), dtype=np.intp)
    np.add.at(sums, where, np.concatenate([left[1], right[1]]))
    return keys, sums


def _vocabulary(
    seen: tuple[IntVector, IntVector], n_texts: int, min_texts: int, limit: int
) -> tuple[IntVector, Vector]:
    """Return the buckets that are kept, ascending, and their inverse document frequency."""
    buckets, texts = seen
    enough = np.flatnonzero(texts >= min_texts)
    best = np.sort(enough[np.lexsort((buckets[enough], -texts[enough]))[:limit]])
    return buckets[best], 1.0 + np.log((1 + n_texts) / (1 + texts[best]))


def _unit_weights(counts: Counts, buckets: IntVector, idf: Vector) -> csr_array:
    where = np.full(1 << _BITS, -1, dtype=np.int32)
    where[buckets] = np.arange(len(buckets), dtype=np.int32)
    columns = where[counts.buckets]
    known = np.flatnonzero(columns >= 0)
    rows, columns = counts.rows[known], columns[known]
    weights = (1.0 + np.log(counts.times[known])) * idf[columns]
    lengths = np.sqrt(np.bincount(rows, weights=weights**2, minlength=counts.n_rows))
    scaled = (weights / (np.sqrt(2.0) * lengths[rows])).astype(np.float32)
    return csr_array((scaled, (rows, columns)), shape=(counts.n_rows, len(buckets)))


def _projection(weighted: csr_array, dimension: int) -> np.ndarray:
    """Return V S^-1/2 (v, d) as float16, fitted to as many rows, in their order, as the work budget allows."""
    if 0 in weighted.shape or not weighted.nnz:
        return np.zeros((weighted.shape[1], 0), dtype=np.float16)
    n_rows = max(1, int(np.searchsorted(weighted.indptr, _MOST_ENTRIES, side="right")) - 1)
    values, vectors = truncated_svd(weighted[:n_rows], dimension, generator(0, "encoding", "text_ngrams"))
    return np.asarray(vectors * np.sqrt(values[0] / values), dtype=np.float16)
