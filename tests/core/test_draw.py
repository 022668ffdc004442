"""Random numbers of rows: by seed, step and row id, the same for every order and block."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tilth.core.draw import Draw, RowDraws
from tilth.core.ids import cell_digests
from tilth.core.rng import row_uniforms

DIGESTS = cell_digests(pa.array([f"r{i}" for i in range(2000)]))
DRAW = Draw(seed=3, step=("transform", "typo"))


def test_one_number_per_row_is_that_of_the_generator():
    assert np.array_equal(DRAW.uniforms(DIGESTS), row_uniforms(DIGESTS, 3, "transform", "typo"))


def test_several_are_uniform_and_independent():
    numbers = DRAW.several(DIGESTS, 4)
    assert numbers.shape == (2000, 4)
    assert np.abs(numbers.mean(axis=0) - 0.5).max() < 0.03
    assert np.abs(numbers.std(axis=0) - 12**-0.5).max() < 0.02
    assert np.abs(np.corrcoef(numbers.T) - np.eye(4)).max() < 0.08


def test_each_is_by_place_in_the_row_whatever_stands_before():
    counts = np.array([3, 0, 5, 1])
    flat = DRAW.each(DIGESTS[:4], counts)
    parts = np.split(flat, np.cumsum(counts)[:-1])
    wide = DRAW.several(DIGESTS[:4], 5)
    for row, part in enumerate(parts):
        assert np.array_equal(part, wide[row, : counts[row]])
    assert np.array_equal(DRAW.each(DIGESTS[2:3], counts[2:3]), parts[2])
    assert len(DRAW.each(DIGESTS[:0], counts[:0])) == 0


def test_generators_follow_the_row():
    first = [one.normal() for one in DRAW.generators(DIGESTS[:50])]
    turned = [one.normal() for one in DRAW.generators(DIGESTS[:50][::-1])]
    assert first == turned[::-1]
    assert len(set(first)) == 50


def test_seed_step_and_word_each_give_other_numbers():
    others = [DRAW.child("a"), Draw(seed=4, step=DRAW.step), Draw(seed=3, step=("transform", "crop"))]
    numbers = [one.uniforms(DIGESTS) for one in (DRAW, *others)]
    assert np.abs(np.corrcoef(numbers) - np.eye(4)).max() < 0.08
    rows = RowDraws(draw=DRAW, digests=DIGESTS)
    assert not np.array_equal(rows.uniforms(), rows.uniforms("again"))
    assert rows.generators("x")[0].random() == rows.generators("x")[0].random()
