"""Votes of a version: by hand, for every block size; what is remembered is not cast again; what is wrong names its rows."""

from __future__ import annotations

import numpy as np
import pytest
from labeler_worlds import Counted, dataset_of, store

from tilth.core.errors import ContractError, LabelError, UsageError
from tilth.core.names import Split
from tilth.loop.voting import cast_votes

TEXTS = [f"{'free' if i % 3 else 'song'} {i}" for i in range(100)]


def free(row):
    return "spam" if "free" in row.text else None


def song(row):
    return "ham" if "song" in row.text else None


def high(row):
    return "spam" if row.n > 50 else "ham"


def test_by_hand_and_for_every_block_size(tmp_path):
    dataset, world = dataset_of(TEXTS), Counted()
    labelers = [world.named("free", free), world.named("high", high, ("n",)), world.named("song", song)]
    for block_rows in (1, 7, 65_536):
        cast = cast_votes(labelers, dataset, store(tmp_path).row_evidence, block_rows=block_rows)
        matrix, abstained = cast.votes.dense()
        voted = [i for i in range(100) if i % 5 < 3]
        assert cast.positions.tolist() == voted
        assert cast.votes.row_ids.to_pylist() == [f"r{i}" for i in voted]
        expected = [[1 if i % 3 else -1, int(i > 50), -1 if i % 3 else 0] for i in voted]
        assert np.where(abstained, -1, matrix).tolist() == expected
        assert cast.votes.labelers == ("free", "high", "song")


def test_test_rows_are_never_voted_on(tmp_path):
    with pytest.raises(UsageError, match="test rows are not voted on"):
        cast_votes([Counted().named("free", free)], dataset_of(TEXTS), store(tmp_path).row_evidence, splits=list(Split))


def test_votes_are_remembered(tmp_path):
    """Editing one function calls one function; editing 1 % of the rows calls each on 1 %."""
    world, dataset = Counted(), dataset_of(TEXTS)
    labelers = [world.named("free", free, key="aa" * 8), world.named("high", high, ("n",), key="bb" * 8)]
    first = cast_votes(labelers, dataset, store(tmp_path).row_evidence)
    assert world.calls == {"free": 60, "high": 60}
    again = cast_votes(labelers, dataset, store(tmp_path).row_evidence)
    assert world.calls == {"free": 60, "high": 60}, "nothing is called again, by another process either"
    assert [run.cast for run in again.runs] == [0, 0]
    assert again.votes.said.tolist() == first.votes.said.tolist()

    edited = [world.named("free", free, key="cc" * 8), labelers[1]]
    cast_votes(edited, dataset, store(tmp_path).row_evidence)
    assert world.calls == {"free": 120, "high": 60}, "one function is edited"

    changed = dataset_of([*TEXTS[:5], "free at last", *TEXTS[6:]])
    cast = cast_votes(edited, changed, store(tmp_path).row_evidence)
    assert world.calls == {"free": 121, "high": 60}, "one text is edited"
    assert cast.votes.said[(cast.votes.rows == 3) & (cast.votes.sources == 0)].tolist() == [1]


def test_rows_in_another_order_are_the_same_rows(tmp_path):
    world = Counted()
    labelers = [world.named("free", free, key="aa" * 8)]
    cast_votes(labelers, dataset_of(TEXTS), store(tmp_path).row_evidence, splits=[Split.TRAIN])
    turned = dataset_of(TEXTS[::-1], _tilth_split=["train" if i % 5 == 4 else "unused" for i in range(100)])
    cast = cast_votes(labelers, turned, store(tmp_path).row_evidence, splits=[Split.TRAIN])
    assert world.calls == {"free": 20}
    said = dict(zip(cast.votes.rows.tolist(), cast.votes.said.tolist(), strict=True))
    texts = [TEXTS[::-1][i] for i in cast.positions]
    assert [said.get(i) for i in range(20)] == [1 if "free" in text else None for text in texts]


def test_without_a_key_nothing_is_remembered(tmp_path):
    world = Counted()
    for _ in range(2):
        cast_votes([world.named("free", free)], dataset_of(TEXTS), store(tmp_path).row_evidence)
    assert world.calls == {"free": 120}


def test_failures_are_abstentions_and_are_tried_again(tmp_path):
    world = Counted()

    def fails(row):
        return "spam" if 1 / (row.n % 10) else "ham"

    labelers = [world.named("fails", fails, ("n",), key="aa" * 8)]
    for calls in (60, 70):
        cast = cast_votes(labelers, dataset_of(TEXTS), store(tmp_path).row_evidence)
        assert world.calls == {"fails": calls}, "what failed is tried again, and nothing else"
        (run,) = cast.runs
        assert [failure.row_id for failure in run.failures] == [f"r{i}" for i in range(0, 100, 10)]
        assert len(cast.votes.rows) == 50


def test_what_is_no_class_names_labeler_and_rows(tmp_path):
    labeler = Counted().named("wrong", lambda row: "spma" if row.n > 10 else None, ("n",))
    with pytest.raises(
        LabelError, match=r"labeler 'wrong' says 'spma', which is no class. Did you mean 'spam'\?"
    ) as caught:
        cast_votes([labeler], dataset_of(TEXTS), store(tmp_path).row_evidence)
    assert caught.value.where == "rows r11, r12, r15 … (53 in all); here.py, line 1"


def test_nan_names_labeler_and_rows(tmp_path):
    labeler = Counted().named("wrong", lambda row: float("nan"), ("n",))
    with pytest.raises(ContractError, match=r"'wrong' answered nan, which is no class name \[rows r0, r1, r2"):
        cast_votes([labeler], dataset_of(TEXTS), store(tmp_path).row_evidence)


def test_one_row_and_no_row(tmp_path):
    labelers = [Counted().named("free", free)]
    assert len(cast_votes(labelers, dataset_of(TEXTS[1:2]), store(tmp_path).row_evidence).votes.rows) == 1
    assert len(cast_votes(labelers, dataset_of([]), store(tmp_path).row_evidence).votes) == 0
