"""What `near` searches: texts, images and vectors with planted copies, and the exact truth about the texts."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageEnhance
from scipy.sparse import csr_array

THRESHOLD, SIZE = 0.8, 5
COPIED = 0.2
WIDTH, N_CLASSES = 384, 10
OUTLIERS, NEAR, FLIPPED = 0.01, 0.01, 0.05
KINDS = ("JPEG at quality 80", "resized to 75 %", "2 % cropped at each side", "brightness × 1.15")


# -- texts -------------------------------------------------------------------------------------------------------------


def shared_texts(data: Path) -> list[list[str]]:
    """Return the words of all texts of the shared sets."""
    files = ("banking77/train", "banking77/test", "ag_news_test/test", "sms_spam/sms_spam")
    words = []
    for file in files:
        table = pq.ParquetFile(data / f"{file}.parquet").read()
        for name in ("text", "description"):
            if name in table.column_names:
                words += [text.split() for text in table.column(name).to_pylist() if text and text.strip()]
    return words


def made_texts(data: Path, rows: int, seed: int = 0) -> list[str]:
    """Return texts of which a fifth are edited copies of others.

    An original begins with the first word of a shared text and has its length; each next word is drawn from those that
    follow the last one somewhere in the shared texts. A copy has a word, or up to one in twelve, replaced, left out, put in or
    swapped.
    """
    rng = np.random.default_rng([seed, rows])
    known = shared_texts(data)
    n_copies = int(COPIED * rows)
    originals = _walks(known, rows - n_copies, rng)
    every = sorted({word for text in known for word in text})
    sources = rng.integers(len(originals), size=n_copies)
    texts = [*originals, *(_edited(originals[source], every, rng) for source in sources)]
    return [" ".join(texts[place]) for place in rng.permutation(rows)]


def _walks(known: list[list[str]], rows: int, rng: np.random.Generator) -> list[list[str]]:
    names, codes = np.unique([word for text in known for word in text], return_inverse=True)
    lengths = np.array([len(text) for text in known])
    ends = np.cumsum(lengths)
    inside = np.setdiff1d(np.arange(len(codes) - 1), ends - 1)
    order = inside[np.argsort(codes[inside], kind="stable")]
    after = codes[order + 1]
    counts = np.bincount(codes[inside], minlength=len(names))
    starts = np.cumsum(counts) - counts
    drawn = rng.integers(len(known), size=rows)
    word, length = codes[(ends - lengths)[drawn]], lengths[drawn]
    steps = np.empty((rows, int(length.max())), dtype=np.int32)
    for place in range(steps.shape[1]):
        steps[:, place] = word
        dead = counts[word] == 0
        step = after[np.minimum(starts[word] + (rng.random(rows) * counts[word]).astype(np.intp), len(after) - 1)]
        word = np.where(dead, codes[rng.integers(len(codes), size=rows)], step)
    vocabulary = names.tolist()
    return [[vocabulary[w] for w in row[:n]] for row, n in zip(steps.tolist(), length.tolist(), strict=True)]


def _edited(text: list[str], every: list[str], rng: np.random.Generator) -> list[str]:
    words = [*text]
    for _ in range(rng.integers(1, max(2, len(text) // 12 + 1))):
        place, kind = int(rng.integers(len(words))), rng.integers(4)
        if kind == 0:
            words[place] = every[rng.integers(len(every))]
        elif kind == 1 and len(words) > 1:
            del words[place]
        elif kind == 2:
            words.insert(place, every[rng.integers(len(every))])
        else:
            words[place - 1], words[place] = words[place], words[place - 1]
    return words


def true_pairs(texts: list[str]) -> np.ndarray:
    """Return every pair i < j of distinct normalised texts whose Jaccard similarity is at least 0.8; (m, 2).

    Exact, with no hash: a shingle is the number that its five characters spell. Two sets as similar as that share one of the
    rarest n - ceil(0.8 n) + 1 shingles of each (n: its size), which proposes the pairs; sparse products measure them.
    """
    sets = shingle_sets(texts)
    low, high = _proposed(sets)
    sizes = np.diff(sets.indptr)
    kept = []
    for part in range(0, len(low), 100_000):
        i, j = low[part : part + 100_000], high[part : part + 100_000]
        shared = np.asarray(sets[i].multiply(sets[j]).sum(axis=1)).ravel()
        kept.append(shared >= THRESHOLD * (sizes[i] + sizes[j] - shared) - 1e-9)
    near = np.concatenate([np.empty(0, dtype=bool), *kept])
    return np.stack([low[near], high[near]], axis=1)


def pairs_by_product(texts: list[str]) -> np.ndarray:
    """Return the same pairs by comparing all texts with all."""
    sets = shingle_sets(texts)
    sizes = np.diff(sets.indptr)
    shared = (sets @ sets.T).tocoo()
    near = shared.data >= THRESHOLD * (sizes[shared.row] + sizes[shared.col] - shared.data) - 1e-9
    near &= shared.row < shared.col
    pairs = np.stack([shared.row[near], shared.col[near]], axis=1).astype(np.intp)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def shingle_sets(texts: list[str]) -> csr_array:
    """Return the sets of shingles as rows of ones, columns from the rarest shingle to the commonest."""
    letters = {letter: code for code, letter in enumerate(sorted(set("".join(texts))), start=1)}
    if len(letters) >= 1 << 12:
        raise ValueError("more than 4,095 letters")
    held, rows = [], []
    for row, text in enumerate(texts):
        codes = np.array([letters[letter] for letter in text] + [0] * max(0, SIZE - len(text)), dtype=np.int64)
        windows = np.lib.stride_tricks.sliding_window_view(codes, SIZE)
        held.append(np.unique(windows @ (np.int64(1) << np.arange(0, 12 * SIZE, 12))))
        rows.append(np.full(len(held[-1]), row))
    _, column, counts = np.unique(np.concatenate(held), return_inverse=True, return_counts=True)
    rank = np.argsort(np.argsort(counts, kind="stable"))
    cells = (np.ones(len(column), dtype=np.int32), (np.concatenate(rows), rank[column]))
    found = csr_array(cells, shape=(len(texts), len(counts)))
    found.sort_indices()
    return found


def _proposed(sets: csr_array) -> tuple[np.ndarray, np.ndarray]:
    sizes = np.diff(sets.indptr)
    prefix = sizes - np.ceil(THRESHOLD * sizes - 1e-9).astype(np.intp) + 1
    starts = np.cumsum(prefix) - prefix
    cell = np.repeat(sets.indptr[:-1] - starts, prefix) + np.arange(prefix.sum())
    row, column = np.repeat(np.arange(len(sizes)), prefix), sets.indices[cell]
    order = np.argsort(column, kind="stable")
    row, column = row[order], column[order]
    keys, step = [np.empty(0, dtype=np.int64)], 1
    while step < len(row) and (same := np.flatnonzero(column[step:] == column[:-step])).size:
        low, high = row[same], row[same + step]
        fits = np.minimum(sizes[low], sizes[high]) >= THRESHOLD * np.maximum(sizes[low], sizes[high]) - 1e-9
        keys.append(np.unique(low[fits].astype(np.int64) * len(sizes) + high[fits]))
        step += 1
    low, high = np.divmod(np.unique(np.concatenate(keys)), len(sizes))
    return low, high


# -- images ------------------------------------------------------------------------------------------------------------


def planted_images(data: Path, copies: int, seed: int = 0) -> Iterator[tuple[bytes, str, int, int]]:
    """Yield images as bytes, with their label, the number of the original, and the kind of copy (-1: an original).

    The originals are all images of the set; of so many drawn ones follow a copy of each kind.
    """
    table = pq.ParquetFile(data / "roman_numerals" / "roman_numerals.parquet").read(columns=["label", "png"])
    labels, files = table.column("label").to_pylist(), table.column("png").to_pylist()
    for number, (label, file) in enumerate(zip(labels, files, strict=True)):
        yield file, label, number, -1
    for number in np.random.default_rng(seed).choice(len(files), copies, replace=False).tolist():
        for kind in range(len(KINDS)):
            yield _copied(files[number], kind), labels[number], number, kind


def _copied(file: bytes, kind: int) -> bytes:
    image = Image.open(io.BytesIO(file)).convert("RGB")
    width, height = image.size
    if kind == 1:
        image = image.resize((max(1, 3 * width // 4), max(1, 3 * height // 4)), Image.Resampling.BICUBIC)
    elif kind == 2:
        left, top = max(1, round(0.02 * width)), max(1, round(0.02 * height))
        image = image.crop((left, top, width - left, height - top))
    elif kind == 3:
        image = ImageEnhance.Brightness(image).enhance(1.15)
    target = io.BytesIO()
    image.save(target, *(("JPEG",) if kind == 0 else ("PNG",)), **({"quality": 80} if kind == 0 else {}))
    return target.getvalue()


# -- vectors -----------------------------------------------------------------------------------------------------------


def planted_vectors(rows: int, seed: int = 0) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return vectors and what they are: `label` as given, `truth`, and masks `outlier`, `copy`, `flipped`; `of`: the original.

    Each of ten classes is four Gaussians of 24 dimensions in the space of 384, with a little noise in all of them. Outliers are
    of the same length in directions of their own; a copy stands a hundredth of the noise from its original.
    """
    rng = np.random.default_rng([seed, rows])
    truth = rng.integers(N_CLASSES, size=rows)
    part = truth * 4 + rng.integers(4, size=rows)
    centres = rng.standard_normal((4 * N_CLASSES, WIDTH), dtype=np.float32)
    axes = rng.standard_normal((4 * N_CLASSES, 24, WIDTH), dtype=np.float32) / np.float32(np.sqrt(24))
    vectors = 0.3 * rng.standard_normal((rows, WIDTH), dtype=np.float32)
    for number in range(4 * N_CLASSES):
        own = np.flatnonzero(part == number)
        vectors[own] += centres[number] + rng.standard_normal((len(own), 24), dtype=np.float32) @ axes[number]
    places = rng.permutation(rows)
    n_out, n_near, n_flip = (int(share * rows) for share in (OUTLIERS, NEAR, FLIPPED))
    out, near, of, flip = np.split(places[: n_out + 2 * n_near + n_flip], np.cumsum([n_out, n_near, n_near]))
    vectors[out] = 2 * rng.standard_normal((n_out, WIDTH), dtype=np.float32)
    vectors[near] = vectors[of] + 0.003 * rng.standard_normal((n_near, WIDTH), dtype=np.float32)
    truth[near] = truth[of]
    label = truth.copy()
    label[flip] = (truth[flip] + rng.integers(1, N_CLASSES, size=n_flip)) % N_CLASSES
    facts = {"label": label, "truth": truth, "of": np.arange(rows)}
    facts["of"][near] = of
    for name, some in (("outlier", out), ("copy", near), ("flipped", flip)):
        facts[name] = np.isin(np.arange(rows), some)
    return vectors, facts


def vector_table(vectors: np.ndarray, label: np.ndarray, split: np.ndarray) -> pa.Table:
    """Return the vectors as a table that a user would hold."""
    cells = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])
    names = pa.array([f"class{c}" for c in range(N_CLASSES)])
    return pa.table({"vector": cells, "label": names.take(pa.array(label)), "split": pa.array(split)})
