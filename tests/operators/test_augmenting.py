"""Policies on rows: draws by row, sequences in order, shares, decoded images, functions of people, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import tilth
from tilth.core.draw import Draw
from tilth.core.errors import ContractError
from tilth.core.policy import Change, Policy, Sequence, Step
from tilth.operators.augmenting import Augmentation, BoundPolicy
from tilth.operators.batch import Batch
from tilth.operators.image_cells import encoded, pixels_in, pixels_of, tensor_cells
from tilth.operators.registry import make

DRAW = Draw(seed=0, step=("test",))


def bound(policy: Policy, transforms: dict[str, Any], columns: tuple[str, ...] = ("text",)) -> BoundPolicy:
    keys = {
        (change.transform, severity)
        for sequence in policy.sequences
        for step in sequence.steps
        for change in step.changes
        for severity in (range(change.severities[0], change.severities[1] + 1) if change.severities else (None,))
    }
    made = {key: transforms[key[0]] for key in keys if key[0] in transforms}
    made |= {
        key: make("editing", key[0], **({} if key[1] is None else {"severity": key[1]}))
        for key in keys
        if key[0] not in transforms and key[0] != "as_it_is"
    }
    return BoundPolicy(policy=policy, transforms=made, columns=dict.fromkeys(made, columns))


def marks(letter: str) -> Any:
    return tilth.transform(name=f"mark_{letter}", columns=["text"])(lambda row: row.text + letter)


def batch(n: int) -> Batch:
    return Batch(ids=pa.array([f"r{i}" for i in range(n)]), columns={"text": pa.array(["x"] * n)})


def test_steps_are_made_in_their_order() -> None:
    policy = Policy(sequences=(Sequence((Step((Change("a"),)), Step((Change("b"),)))),))
    after = bound(policy, {"a": marks("a"), "b": marks("b")}).apply(batch(5), DRAW)
    assert after["text"].to_pylist() == ["xab"] * 5


def test_sequences_are_drawn_by_weight_and_steps_by_chance() -> None:
    policy = Policy(
        sequences=(
            Sequence((Step((Change("a"),), chance=0.5),), weight=3.0),
            Sequence((Step((Change("b"),)),), weight=1.0),
        )
    )
    after = bound(policy, {"a": marks("a"), "b": marks("b")}).apply(batch(4000), DRAW)
    texts = np.array(after["text"].to_pylist())
    assert (texts == "xb").mean() == pytest.approx(0.25, abs=0.03)
    assert (texts == "xa").mean() == pytest.approx(0.375, abs=0.03)
    assert (texts == "x").mean() == pytest.approx(0.375, abs=0.03)


def test_a_row_draws_the_same_in_other_company() -> None:
    policy = Policy.trivial([Change.read("typo 1-5"), Change("a")])
    both = bound(policy, {"a": marks("a")})
    ids = [f"r{i}" for i in range(60)]
    texts = [f"some words of row {i} that may be mistyped" for i in range(60)]
    whole = Batch(ids=pa.array(ids), columns={"text": pa.array(texts)})
    part = Batch(ids=pa.array(ids[::-3]), columns={"text": pa.array(texts[::-3])})
    after = both.apply(whole, DRAW)["text"].to_pylist()
    assert both.apply(part, DRAW)["text"].to_pylist() == after[::-3]
    assert len(set(after)) > 40
    assert after != texts


def pictures(n: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 12, 10, 3)).astype(np.uint8)


def test_decoded_images_become_what_encoded_ones_become() -> None:
    policy = Policy.rand([Change.read("rotate 1-3"), Change.read("brightness 1-3"), Change("flip")], 2, 2)
    one = bound(policy, {}, ("image",))
    pixels, ids = pictures(40), pa.array([f"r{i}" for i in range(40)])
    opened = one.apply(Batch(ids=ids, columns={"image": tensor_cells(pixels)}), DRAW)["image"]
    cells = pa.array([encoded(image) for image in pixels], pa.binary())
    closed = one.apply(Batch(ids=ids, columns={"image": cells}), DRAW)["image"]
    again = np.stack([pixels_of(cell) for cell in closed.to_pylist()])
    assert np.array_equal(pixels_in(opened), again)
    assert (again != pixels).any(axis=(1, 2, 3)).mean() > 0.4


def test_a_sequence_that_leaves_nothing_to_draw_is_one_pass_with_the_same_result() -> None:
    steps = [Change.read(text) for text in ("brightness 2", "solarize 3", "rotate 1", "contrast 2", "posterize 2")]
    fixed = bound(Policy(sequences=(Sequence(tuple(Step((one,)) for one in steps)),)), {}, ("image",))
    drawn = bound(Policy(sequences=(Sequence(tuple(Step((one, one)) for one in steps)),)), {}, ("image",))
    rows = Batch(ids=pa.array([f"r{i}" for i in range(20)]), columns={"image": tensor_cells(pictures(20))})
    one, other = (pixels_in(policy.apply(rows, DRAW)["image"]) for policy in (fixed, drawn))
    assert np.array_equal(one, other)
    assert (one != pictures(20)).any()


def test_a_persons_function_reads_images_as_bytes() -> None:
    @tilth.transform(columns=["image"])
    def negative(row: Any) -> bytes:
        return encoded(255 - pixels_of(row.image))

    policy = Policy(sequences=(Sequence((Step((Change("negative"),)),)),))
    pixels = pictures(3)
    rows = Batch(ids=pa.array(["a", "b", "c"]), columns={"image": tensor_cells(pixels)})
    after = bound(policy, {"negative": negative}, ("image",)).apply(rows, DRAW)
    assert np.array_equal(pixels_in(after["image"]), 255 - pixels)


def test_an_image_of_another_size_is_refused() -> None:
    @tilth.transform(columns=["image"])
    def half(row: Any) -> bytes:
        return encoded(pixels_of(row.image)[::2])

    policy = Policy(sequences=(Sequence((Step((Change("half"),)),)),))
    rows = Batch(ids=pa.array(["a", "b"]), columns={"image": tensor_cells(pictures(2))})
    with pytest.raises(ContractError, match="size of an image"):
        bound(policy, {"half": half}, ("image",)).apply(rows, DRAW)


def test_a_function_that_fails_on_some_rows_leaves_them() -> None:
    @tilth.transform(columns=["text"])
    def picky(row: Any) -> str:
        if row.text == "bad":
            raise ValueError("no such word")
        return row.text.upper()

    policy = Policy(sequences=(Sequence((Step((Change("picky"),)),)),))
    rows = Batch(ids=pa.array(["a", "b"]), columns={"text": pa.array(["bad", "good"])})
    one = bound(policy, {"picky": picky})
    after = one.apply(rows, DRAW)
    assert after["text"].to_pylist() == ["bad", "GOOD"]
    assert one.failed["picky"].row_id == "a"
    assert "no such word" in one.failed["picky"].error


class TestAugmentation:
    """Rows of several policies, and rows without one."""

    def made(self, which: list[int]) -> Augmentation:
        policies = [
            bound(Policy(sequences=(Sequence((Step((Change("a"),)),)),)), {"a": marks("a")}),
            bound(Policy.identity(salt=7), {}),
        ]
        ids = pa.array([f"r{i}" for i in range(len(which))])
        return Augmentation(policies=policies, which=np.array(which), ids=ids, seed=0)

    def test_each_row_goes_by_its_own_policy(self) -> None:
        made = self.made([0, -1, 1, 0])
        assert made.changed({"text": pa.array(["p", "q", "r", "s"])}, 0)["text"].to_pylist() == ["pa", "q", "r", "sa"]
        assert made.changes.tolist() == [True, False, False, True]
        assert made.salt == (0, 7)

    def test_some_rows_and_more_rows(self) -> None:
        made = self.made([0, -1, 1])
        assert made.take(np.array([2, 0])).which.tolist() == [1, 0]
        wide = made.among(pa.array(["z", "r0", "r1", "y", "r2"]), np.array([1, 2, 4]))
        assert wide.which.tolist() == [-1, 0, -1, -1, 1]

    def test_another_pass_draws_anew(self) -> None:
        one = bound(Policy.trivial([Change.read("typo 1-5")]), {})
        ids, texts = pa.array([f"r{i}" for i in range(50)]), pa.array([f"many words to mistype {i}" for i in range(50)])
        made = Augmentation(policies=[one], which=np.zeros(50, dtype=np.intp), ids=ids, seed=0)
        first, again, other = (made.changed({"text": texts}, epoch)["text"].to_pylist() for epoch in (0, 0, 1))
        assert first == again != other
