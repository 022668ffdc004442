"""Randomness: named streams, and one draw per row that neither order nor blocks change."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tilth.core.ids import cell_digests
from tilth.core.rng import generator, row_uniforms

LAW = settings(max_examples=40, deadline=None)

IDS = pa.array([f"r{i}" for i in range(4_000)])


def test_a_step_has_one_stream_and_others_have_others():
    first = generator(7, "trial", 1).random(4)
    assert np.array_equal(generator(7, "trial", 1).random(4), first)
    others = [generator(8, "trial", 1), generator(7, "trial", 2), generator(7, "trial"), generator(7, "trial1")]
    assert not any(np.array_equal(other.random(4), first) for other in others)


@LAW
@given(order=st.permutations(range(30)), cut=st.integers(0, 30))
def test_law_a_row_draws_the_same_in_every_order_and_block(order, cut):
    digests = cell_digests(IDS[:30])
    whole = row_uniforms(digests, 3, "split")
    assert np.array_equal(row_uniforms(digests[list(order)], 3, "split"), whole[list(order)])
    parts = [row_uniforms(part, 3, "split") for part in (digests[:cut], digests[cut:])]
    assert np.array_equal(np.concatenate(parts), whole)


def test_draws_are_uniform_and_streams_are_apart():
    digests = cell_digests(IDS)
    one, other = row_uniforms(digests, 0, "a"), row_uniforms(digests, 0, "b")
    assert one.min() >= 0
    assert one.max() < 1
    assert stats.kstest(one, "uniform").pvalue > 0.01
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.05
    assert abs(np.corrcoef(one, row_uniforms(digests, 1, "a"))[0, 1]) < 0.05
