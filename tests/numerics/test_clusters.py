"""Star groups: by hand and as laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.core.errors import InputError
from tilth.numerics.clusters import star_groups

NO_PAIRS = np.empty((0, 2), dtype=np.intp)


def groups_of(n, links):
    """Group links given as (i, j, similarity)."""
    pairs = np.array([link[:2] for link in links], dtype=np.intp).reshape(-1, 2)
    return star_groups(n, pairs, np.array([link[2] for link in links], dtype=np.float64))


@st.composite
def graphs(draw):
    n = draw(st.integers(1, 14))
    ends = st.integers(0, n - 1)
    links = draw(st.lists(st.tuples(ends, ends, st.sampled_from([0.8, 0.9, 1.0])), max_size=40))
    return n, links


def test_rows_without_links_lead_themselves():
    assert star_groups(3, NO_PAIRS, np.empty(0)).tolist() == [0, 1, 2]
    assert star_groups(0, NO_PAIRS, np.empty(0)).tolist() == []


def test_a_chain_is_not_one_group():
    assert groups_of(4, [(0, 1, 0.9), (1, 2, 0.9), (2, 3, 0.9)]).tolist() == [1, 1, 1, 3]


def test_the_most_linked_row_leads_and_the_lower_position_wins_ties():
    assert groups_of(4, [(3, 0, 0.9), (3, 1, 0.9), (3, 2, 0.9), (0, 1, 0.9)]).tolist() == [3, 3, 3, 3]
    assert groups_of(2, [(1, 0, 0.9)]).tolist() == [0, 0]


def test_a_row_between_two_leaders_joins_the_likest():
    """0 leads {1, 2, 3}, 6 leads {5, 4}; row 3 is linked to both."""
    links = [(0, 1, 0.9), (0, 2, 0.9), (0, 3, 0.8), (6, 3, 0.95), (6, 5, 0.9), (6, 4, 0.9)]
    assert groups_of(7, links).tolist() == [0, 0, 0, 6, 6, 6, 6]
    tied = [(i, j, 0.9) for i, j, _ in links]
    assert groups_of(7, tied).tolist() == [0, 0, 0, 0, 6, 6, 6]


def test_repeats_count_once_with_their_greatest_similarity():
    links = [(0, 1, 0.9), (0, 2, 0.8), (2, 0, 0.99), (2, 3, 0.95), (3, 4, 0.9), (3, 5, 0.9), (3, 3, 1.0)]
    assert groups_of(6, links).tolist() == groups_of(6, [*links, *links]).tolist()
    assert groups_of(6, links)[2] == 0


@given(graph=graphs())
def test_law_every_member_is_linked_to_its_leader(graph):
    n, links = graph
    groups = groups_of(n, links)
    linked = {frozenset((i, j)) for i, j, _ in links}
    for row in range(n):
        assert groups[row] == row or frozenset((row, int(groups[row]))) in linked
        assert groups[groups[row]] == groups[row]


@given(graph=graphs())
def test_law_leaders_are_never_linked_and_no_linked_row_could_lead_more(graph):
    n, links = graph
    groups = groups_of(n, links)
    leads = groups == np.arange(n)
    assert not any(leads[i] and leads[j] for i, j, _ in links if i != j)


@given(graph=graphs(), data=st.data())
def test_law_order_and_direction_of_pairs_change_nothing(graph, data):
    n, links = graph
    shuffled = data.draw(st.permutations(links))
    turned = [(j, i, s) if data.draw(st.booleans()) else (i, j, s) for i, j, s in shuffled]
    assert groups_of(n, turned).tolist() == groups_of(n, links).tolist()


@given(n=st.integers(3, 40))
def test_law_a_chain_falls_into_groups_of_at_most_three(n):
    groups = groups_of(n, [(i, i + 1, 0.9) for i in range(n - 1)])
    assert np.bincount(groups).max() <= 3


def test_inputs_are_left_alone():
    pairs, similarity = np.array([[1, 0], [2, 1]]), np.array([0.9, 0.8])
    pairs.flags.writeable = similarity.flags.writeable = False
    star_groups(3, pairs, similarity)


@pytest.mark.parametrize(
    ("pairs", "similarity", "message"),
    [
        (np.array([[0, 3]]), np.array([1.0]), "outside"),
        (np.array([[-1, 0]]), np.array([1.0]), "outside"),
        (np.array([[0, 1]]), np.array([np.nan]), "finite"),
        (np.array([[0, 1]]), np.array([1.0, 1.0]), "belong"),
        (np.array([0, 1]), np.array([1.0, 1.0]), "belong"),
    ],
)
def test_refusals(pairs, similarity, message):
    with pytest.raises(InputError, match=message):
        star_groups(3, pairs, similarity)
