"""What `near` measures, each piece in a process of its own: it runs, and leaves its figures in a JSON file.

python -m benchmarks.speed._near_work FIGURES.json PIECE KEY=VALUE …
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks._process import resident_peak

Figures = dict[str, Any]
Pairs = np.ndarray
THRESHOLD, SIZE = 0.8, 5


def so_far() -> Figures:
    """CPU seconds and the peak of memory of this process up to now."""
    return {"cpu": process_time(), "memory": resident_peak()}


def save(path: str, pairs: Iterable[tuple[int, int]]) -> None:
    """Write pairs i < j, each once."""
    found = np.array(sorted({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]}), dtype=np.intp)
    np.save(path, found.reshape(-1, 2))


# -- texts -------------------------------------------------------------------------------------------------------------


def make_texts(path: str, truth: str, data: str, rows: str) -> Figures:
    """Write the texts (sms_spam where rows is 0) and the truth about them; by all pairs as well, where they are few."""
    from benchmarks.speed._near_data import made_texts, pairs_by_product, true_pairs

    few = rows == "0"
    source = Path(data, "sms_spam", "sms_spam.parquet")
    texts = pq.ParquetFile(source).read().column("text").to_pylist() if few else made_texts(Path(data), int(rows))
    pq.write_table(pa.table({"text": pa.array(texts)}), path)
    distinct, _ = folded(normalised(texts))
    pairs = true_pairs(distinct)
    if few and not np.array_equal(pairs, pairs_by_product(distinct)):
        raise RuntimeError("the search for the truth has missed pairs")
    np.save(truth, pairs)
    lengths = [len(text) for text in texts]
    return {
        "rows": len(texts),
        "distinct": len(distinct),
        "characters": int(np.median(lengths)),
        "pairs": len(pairs),
        "near": len(np.unique(pairs)),
    }


def normalised(texts: list[str | None]) -> list[str]:
    """Fold case and white space: what every arm takes for one text."""
    return [" ".join((text or "").casefold().split()) for text in texts]


def folded(texts: list[str]) -> tuple[list[str], np.ndarray]:
    """Return the distinct texts that are not blank, and the number of each text among them, -1 for a blank one."""
    numbers: dict[str, int] = {}
    place = [numbers.setdefault(text, len(numbers)) if text else -1 for text in texts]
    return list(numbers), np.array(place, dtype=np.intp)


def load(path: str, pairs: str) -> Figures:
    """Read the texts, and nothing else."""
    pq.ParquetFile(path).read().column("text")
    np.save(pairs, np.empty((0, 2), dtype=np.intp))
    return {}


def tilth(path: str, pairs: str) -> Figures:
    """Search by tilth."""
    from tilth.numerics.minhash import near_duplicate_texts

    np.save(pairs, near_duplicate_texts(pq.ParquetFile(path).read().column("text"), THRESHOLD)[0])
    return {}


def rensa_in_tilth(path: str, pairs: str) -> Figures:
    """Search by tilth with signatures by rensa in the place of its own."""
    import rensa

    from tilth.numerics import _texts

    class Signatures:
        def __init__(self, seed: int) -> None:
            self.seed = seed

        def of(self, found: Any) -> np.ndarray:
            ends = np.concatenate([[0], np.cumsum(found.counts)])
            made = rensa.RMinHash.digest_matrix_from_flat_token_hashes(
                found.hashes, ends.astype(np.uint64), 128, self.seed
            )
            return np.array(made.to_rows(), dtype=np.uint32)

    _texts.Minima = Signatures  # type: ignore[assignment,misc]
    return tilth(path, pairs)


def read_folded(path: str) -> list[str]:
    """Return the distinct texts, as a user of a library that knows sets only would make them."""
    return folded(normalised(pq.ParquetFile(path).read().column("text").to_pylist()))[0]


def shingled(text: str) -> list[str]:
    """Return all runs of five characters, with repeats; a shorter text as a whole."""
    return [text[at : at + SIZE] for at in range(max(1, len(text) - SIZE + 1))]


def rensa(path: str, pairs: str, minima: str, bands: str, unit: str = "characters") -> Figures:
    """Propose by rensa, then verify."""
    from rensa import RMinHash, RMinHashLSH

    texts = read_folded(path)
    cut = str.split if unit == "words" else shingled
    sketches = RMinHash.from_token_sets((cut(text) for text in texts), int(minima), 42)
    index = RMinHashLSH(THRESHOLD, int(minima), int(bands))
    index.insert_many(sketches)
    found = index.query_all(sketches)
    del sketches, index
    return _proposed(texts, ((i, j) for i, near in enumerate(found) for j in near if j < i), pairs)


def datasketch(path: str, pairs: str, minima: str, bands: str = "0", hashing: str = "sha1") -> Figures:
    """Propose by datasketch with bands of its own choice (0) or the given number, then verify."""
    from zlib import crc32

    from datasketch import MinHash, MinHashLSH
    from datasketch.hashfunc import sha1_hash32

    texts, count = read_folded(path), int(minima)
    params = (int(bands), count // int(bands)) if int(bands) else None
    index = MinHashLSH(threshold=THRESHOLD, num_perm=count, params=params)
    sets = ([token.encode() for token in set(shingled(text))] for text in texts)
    hashed = crc32 if hashing == "crc32" else sha1_hash32
    found: list[tuple[int, int]] = []
    for number, sketch in enumerate(MinHash.generator(sets, num_perm=count, hashfunc=hashed)):
        found += [(number, other) for other in index.query(sketch)]
        index.insert(number, sketch, check_duplication=False)
    facts = {"bands": f"{index.b} × {index.r}"}
    del index
    return _proposed(texts, found, pairs) | facts


def _proposed(texts: list[str], candidates: Iterable[tuple[int, int]], pairs: str) -> Figures:
    """Keep what was proposed, and what of it is similar enough; the figures are those before verifying."""
    candidates = list(candidates)
    before = so_far()
    save(pairs.replace(".npy", "_proposed.npy"), candidates)
    sets: dict[int, set[str]] = {}

    def members(number: int) -> set[str]:
        if number not in sets:
            sets[number] = set(shingled(texts[number]))
        return sets[number]

    def similar() -> Iterator[tuple[int, int]]:
        for one, two in candidates:
            left, right = members(one), members(two)
            shared = len(left & right)
            if shared >= THRESHOLD * (len(left) + len(right) - shared) - 1e-9:
                yield one, two

    save(pairs, similar())
    return {"proposed": before}


def score_texts(path: str, truth: str, pairs: str, numbers: str) -> Figures:
    """Recall of the true pairs, and of the texts that have a near copy; precision. `numbers`: of rows, or of distinct texts."""
    near, found = np.load(truth), np.load(pairs)
    if numbers == "rows":
        place = folded(normalised(pq.ParquetFile(path).read().column("text").to_pylist()))[1]
        found = np.sort(place[found], axis=1)
    found = np.unique(found[found[:, 0] < found[:, 1]], axis=0)
    right = found[np.isin(_keys(found), _keys(near))]
    return {
        "found": len(found),
        "recall": len(right) / max(1, len(near)),
        "texts": len(np.unique(right)) / max(1, len(np.unique(near))),
        "precision": len(right) / len(found) if len(found) else None,
    }


def _keys(pairs: Pairs) -> np.ndarray:
    return pairs[:, 0] << np.intp(32) | pairs[:, 1]


# -- images ------------------------------------------------------------------------------------------------------------


def make_images(path: str, data: str, copies: str) -> Figures:
    """Write the images and their planted copies."""
    from benchmarks.speed._near_data import KINDS, planted_images

    files, labels, numbers, kinds = zip(*planted_images(Path(data), int(copies)), strict=True)
    cells = {"image": pa.array(files, pa.binary()), "label": labels, "number": numbers, "kind": kinds}
    pq.write_table(pa.table(cells), path)
    return {"rows": len(files), "kinds": KINDS}


def decode(path: str, pairs: str) -> Figures:
    """Decode the images, and nothing else."""
    for image in _decoded(path):
        image.load()
    np.save(pairs, np.empty((0, 2), dtype=np.intp))
    return {}


def tilth_images(path: str, pairs: str) -> Figures:
    """Search by tilth as its detectors do."""
    from tilth.detection._shared.images import thumbnails
    from tilth.numerics.image_pairs import near_duplicate_images

    place, small = thumbnails(pq.ParquetFile(path).read(columns=["image"]).column("image"))
    np.save(pairs, place[near_duplicate_images(small)[0]])
    return {}


def hashed_images(path: str, pairs: str, kind: str, bits: str) -> Figures:
    """Search by imagehash: pairs whose hashes differ in at most so many of 64 bits."""
    import imagehash

    made = [getattr(imagehash, kind)(image).hash.ravel() for image in _decoded(path)]
    words = np.packbits(np.array(made), axis=1).view(np.uint64).ravel()
    found = [np.empty((0, 2), dtype=np.intp)]
    for first in range(0, len(words), 512):
        apart = np.bitwise_count(words[first : first + 512, None] ^ words)
        left, right = np.nonzero(apart <= int(bits))
        left += first
        found.append(np.stack([left, right], axis=1)[left < right])
    np.save(pairs, np.concatenate(found))
    return {}


def _decoded(path: str) -> Iterator[Any]:
    from io import BytesIO

    from PIL import Image

    for cell in pq.ParquetFile(path).read(columns=["image"]).column("image"):
        yield Image.open(BytesIO(cell.as_py()))


def score_images(path: str, pairs: str) -> Figures:
    """Recall of (original, copy) by the kind of copy; of the pairs found, which are known to be right, and which cannot be."""
    table = pq.ParquetFile(path).read(columns=["label", "number", "kind"])
    label, number, kind = (np.asarray(table.column(name)) for name in ("label", "number", "kind"))
    same = _same_pixels(path)
    found = np.sort(np.load(pairs), axis=1)
    left, right = found[:, 0], found[:, 1]
    met = np.zeros(len(label), dtype=bool)
    met[right[(number[left] == number[right]) & (kind[left] == -1)]] = True
    first = same[number]
    family = first[left] == first[right]
    return {
        "recall": [float(met[kind == one].mean()) for one in range(int(kind.max()) + 1)],
        "all": float(met[kind >= 0].mean()),
        "found": len(found),
        "family": int(family.sum()),
        "apart": int((~family & (label[left] != label[right])).sum()),
    }


def _same_pixels(path: str) -> np.ndarray:
    """Number of the first image with the same pixels, for each image."""
    first: dict[bytes, int] = {}
    return np.array(
        [
            first.setdefault(bytes(str(i.size), "ascii") + i.convert("RGB").tobytes(), n)
            for n, i in enumerate(_decoded(path))
        ]
    )


def pieces() -> dict[str, Callable[..., Figures]]:
    """Return what can be run, by name."""
    from benchmarks.speed import _near_checks

    own = (make_texts, load, tilth, rensa_in_tilth, rensa, datasketch, score_texts)
    images = (make_images, decode, tilth_images, hashed_images, score_images)
    return {piece.__name__: piece for piece in (*own, *images)} | _near_checks.PIECES


if __name__ == "__main__":
    target, name, *given = sys.argv[1:]
    facts = pieces()[name](**dict(argument.split("=", 1) for argument in given))
    Path(target).write_text(json.dumps(facts | {"end": so_far()}), encoding="utf-8")
