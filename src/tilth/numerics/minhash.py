"""Near-duplicate texts: candidates by MinHash, every one of them verified by its exact Jaccard similarity.

    J(A, B) = |A and B| / |A or B|        A, B: the sets of shingles of two texts

Case is folded and white space made uniform; a shingle is a run of five characters by default. Texts that
are then identical are folded together first. Each text gets 128 minima from one pass over its hashed
shingles; texts that agree in a whole band of minima become candidates.

Short texts that differ in one number or word ("order 17", "order 18") are as similar as their shingles say
and no more: the similarity is returned with each pair, and what it means is for the caller to decide.

Source: Broder (1997), On the resemblance and containment of documents; Li, Owen, Zhang (2012), One
permutation hashing, NeurIPS; Shrivastava (2017), Optimal densification for fast and accurate minwise
hashing, ICML; Leskovec, Rajaraman, Ullman (2020), Mining of Massive Datasets, chapter 3 (bands).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import InputError, UsageError
from tilth.numerics._bands import N_MINIMA, WINDOW, Minima, band_pairs, rows_per_band
from tilth.numerics._pairs import Pairs, first_of_equals, link_copies, no_pairs, split_keys
from tilth.numerics._shingles import ShingleUnit, shingles
from tilth.numerics._texts import Sketch, Texts, marks_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from tilth.core.arrays import Bits, IntVector, Vector

__all__ = ["identical_texts", "jaccard", "minhash_signatures", "near_duplicate_texts"]

SURE = 0.995
"""Chance that a pair at the threshold shares a band."""
PATIENCE = 256
"""Comparisons after which a text is no more looked for in large buckets."""


def near_duplicate_texts(
    texts: Sequence[str | None] | pa.Array | pa.ChunkedArray,
    threshold: float = 0.8,
    seed: int = 0,
    *,
    unit: ShingleUnit = "character",
    size: int = 5,
) -> tuple[Pairs, Vector]:
    """Find pairs of texts whose sets of shingles have a Jaccard similarity of at least `threshold`.

    Every pair returned is verified. A pair at the threshold is missed with a chance of about half a percent,
    a closer one with less. No number of alike texts makes the square of their number in pairs:

    - of more than 17 texts that share a band, each is compared with the 16 likest by the next band and with
      the first, until 16 pairs or 256 comparisons are behind it;
    - of identical texts, each is paired with the first, and with the first ones that that one is near to.

    `clusters.star_groups` needs no more. Missing and blank texts have no pairs.

    Time O(characters + candidates). Memory: 8 bytes per text and band (21 bands at 0.8), the pairs, and about
    100 MB of work space beyond the longest text.

    Parameters
    ----------
    texts : Arrow array or sequence of str, (n,)
        None is a missing text.
    threshold : float
        Least similarity, in (0, 1]; at 0.8 texts of a few sentences are copies with small changes.
    seed : int
        Decides which candidates the minima propose; >= 0.
    unit : {"character", "word"}
        What a shingle is made of. Characters need no idea of words and forgive misspellings.
    size : int
        Units per shingle, >= 1: 5 characters; 2 or 3 suit words. A shorter text is one shingle as a whole.

    Returns
    -------
    pairs : array, (m, 2)
        Positions i < j, each pair once, in rising order.
    similarity : Vector, (m,)
        Jaccard similarity in [threshold, 1]. Sets are compared by 48-bit hashes: two shingles of a pair of
        texts of 1,000 shingles each are taken for one with a chance of 4e-9.

    Raises
    ------
    UsageError
        When the threshold is outside (0, 1], the seed is negative, or the shingles cannot be made.
    InputError
        When the column does not hold text.

    Randomness
    ----------
    The seed decides; the same seed gives the same pairs on any machine.

    Source
    ------
    Broder (1997), On the resemblance and containment of documents; Li, Owen, Zhang (2012), One permutation
    hashing, NeurIPS; Shrivastava (2017), Optimal densification for fast and accurate minwise hashing, ICML.

    Examples
    --------
    >>> near_duplicate_texts(["Where is my order 17?", "where  is my order 17?", "Thank you"], 0.8)
    (array([[0, 1]]), array([1.]))
    """
    if not 0 < threshold <= 1:
        raise UsageError(f"threshold is {threshold}", next_step="give a similarity in (0, 1]")
    column = Texts(texts)
    sketch = Sketch.of(column, rows_per_band(threshold, N_MINIMA, SURE), seed, unit, size)
    first = np.where(sketch.blank, np.arange(len(column)), first_of_equals(sketch.marks))
    kept = np.flatnonzero((first == np.arange(len(column))) & ~sketch.blank)
    pairs, similarity = _verified_pairs(column, kept, sketch.keys[kept], threshold, unit, size)
    return link_copies(first, pairs, similarity, same=1.0)


def _verified_pairs(
    column: Texts, kept: IntVector, keys: Bits, threshold: float, unit: ShingleUnit, size: int
) -> tuple[Pairs, Vector]:
    """Measure candidates band by band; a text with enough pairs, or enough tries, leaves large buckets."""
    n = len(kept)
    seen = np.empty(0, dtype=np.uint64)
    links, tries = np.zeros(n, dtype=np.intp), np.zeros(n, dtype=np.intp)
    found = [no_pairs()]
    for band in range(keys.shape[1]):
        settled = (links >= WINDOW) | (tries >= PATIENCE)
        new = np.setdiff1d(band_pairs(keys, band, settled), seen, assume_unique=True)
        seen = np.sort(np.concatenate([seen, new]))
        pairs = split_keys(new, n)
        similarity = column.jaccard(kept[pairs], unit, size)
        near = similarity >= threshold
        tries += np.bincount(pairs.ravel(), minlength=n)
        links += np.bincount(pairs[near].ravel(), minlength=n)
        found.append((kept[pairs[near]], similarity[near]))
    return np.concatenate([pairs for pairs, _ in found]), np.concatenate([values for _, values in found])


def minhash_signatures(
    texts: Sequence[str | None] | pa.Array | pa.ChunkedArray,
    seed: int = 0,
    *,
    unit: ShingleUnit = "character",
    size: int = 5,
) -> NDArray[np.uint32]:
    """128 minima per text; the share of equal minima estimates the Jaccard similarity of two texts.

    Time O(characters); memory 512 bytes per text.

    Parameters
    ----------
    texts, seed, unit, size
        As in `near_duplicate_texts`.

    Returns
    -------
    array of uint32, (n, 128)
        The estimate from two rows has a standard error of about sqrt(J (1 - J) / 128), more for texts of
        fewer than some hundred shingles. Rows of blank texts hold the largest number throughout.

    Raises
    ------
    UsageError
        When the seed is negative or the shingles cannot be made.
    InputError
        When the column does not hold text.

    Randomness
    ----------
    The seed decides.

    Source
    ------
    Li, Owen, Zhang (2012), One permutation hashing, NeurIPS; Shrivastava (2017), Optimal densification, ICML.

    Examples
    --------
    >>> one, two = minhash_signatures(["a white cat", "A  white cat"])
    >>> bool((one == two).all())
    True
    """
    column = Texts(texts)
    minima = Minima(seed)
    signatures = np.empty((len(column), N_MINIMA), dtype=np.uint32)
    for some, batch in column.batches(np.arange(len(column))):
        signatures[some] = minima.of(shingles(batch, unit, size))
    return signatures


def jaccard(
    texts: Sequence[str | None] | pa.Array | pa.ChunkedArray,
    pairs: Pairs,
    *,
    unit: ShingleUnit = "character",
    size: int = 5,
) -> Vector:
    """Jaccard similarity of the sets of shingles of given pairs; 0 with a blank text. Memory as above.

    Parameters
    ----------
    texts, unit, size
        As in `near_duplicate_texts`.
    pairs : array, (m, 2)
        Positions.

    Returns
    -------
    Vector, (m,)
        In [0, 1], in the order of the pairs.

    Raises
    ------
    InputError
        When the column does not hold text, or pairs are not two positions each.

    Randomness
    ----------
    None.

    Source
    ------
    Broder (1997), On the resemblance and containment of documents.

    Examples
    --------
    >>> import numpy as np
    >>> jaccard(["abcdef", "abcdeg"], np.array([[0, 1]]))
    array([0.33333333])
    """
    column = Texts(texts)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or (pairs.size and (pairs.min() < 0 or pairs.max() >= len(column))):
        raise InputError(
            f"pairs must be two positions below {len(column)} each", next_step="give an array of shape (m, 2)"
        )
    return column.jaccard(pairs, unit, size)


def identical_texts(texts: Sequence[str | None] | pa.Array | pa.ChunkedArray) -> IntVector:
    """Position of the first text that is the same but for case and white space.

    Time O(characters), memory 16 bytes per text.

    Parameters
    ----------
    texts : Arrow array or sequence of str, (n,)
        None is a missing text.

    Returns
    -------
    IntVector, (n,)
        At most the text's own position. A missing or blank text is the same as no other.

    Raises
    ------
    InputError
        When the column does not hold text.

    Randomness
    ----------
    None. Texts are compared by 128-bit digests.

    Source
    ------
    Aumasson, Neves, Wilcox-O'Hearn, Winnerlein (2013), BLAKE2: simpler, smaller, fast as MD5, ACNS.

    Examples
    --------
    >>> identical_texts(["Yes", "no", " YES ", "", ""])
    array([0, 1, 0, 3, 4])
    """
    column = Texts(texts)
    marks = np.empty((len(column), 2), dtype=np.uint64)
    blank = np.empty(len(column), dtype=np.bool_)
    for some, batch in column.batches(np.arange(len(column))):
        marks[some] = marks_of(batch)
        blank[some] = [not text for text in batch]
    return np.where(blank, np.arange(len(column)), first_of_equals(marks))
