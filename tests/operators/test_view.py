"""Views and batches: what was declared can be read, and not written; anything else is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, get_args

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import ContractError, UndeclaredNeedError
from tilth.core.ids import cell_digests
from tilth.operators.batch import Batch
from tilth.operators.needs import NEEDS, Need
from tilth.operators.view import View
from tilth.testing.views import batch_of, view_of


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Declares labels and predictions."""

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "pred_probs"})


@dataclass(frozen=True, kw_only=True)
class Greedy:
    """Declares everything."""

    needs: ClassVar[frozenset[str]] = frozenset(NEEDS)


def view(**evidence: object) -> View:
    facts = {"labels": np.array([0, 1, 1]), "pred_probs": np.full((3, 2), 0.5), "weights": np.ones(3)} | evidence
    return view_of(Reader(), **facts)


def test_every_need_is_described_and_readable():
    assert set(NEEDS) == set(get_args(Need))
    assert all(isinstance(getattr(View, need), property) for need in NEEDS)


def test_declared_needs_can_be_read():
    one = view()
    assert one.labels.tolist() == [0, 1, 1]
    assert one.pred_probs.shape == (3, 2)
    assert one.labelled.all()
    assert (len(one), one.n_classes, one.classes) == (3, 2, ("no", "yes"))


@pytest.mark.parametrize("need", sorted(set(NEEDS) - Reader.needs))
def test_undeclared_needs_are_refused(need):
    with pytest.raises(UndeclaredNeedError, match=f"reads '{need}' without declaring it"):
        getattr(view(), need)


def test_the_mask_of_labels_comes_with_the_labels_only():
    @dataclass(frozen=True, kw_only=True)
    class Blind:
        needs: ClassVar[frozenset[str]] = frozenset({"embeddings"})

    with pytest.raises(UndeclaredNeedError, match="labelled"):
        _ = view_of(Blind(), embeddings=np.zeros((2, 1))).labelled


@pytest.mark.parametrize("need", sorted(NEEDS))
def test_what_the_data_lacks_is_said(need):
    one = view_of(Greedy(), ids=["a"])
    present = need == "trusted"
    assert one.has(need) is present
    if not present:
        with pytest.raises(ContractError, match=f"no '{need}'"):
            getattr(one, need)


def test_what_was_not_declared_is_not_had():
    assert view().has("labels")
    assert not view().has("weights")


def test_arrays_refuse_writes_and_the_owner_keeps_his():
    labels = np.array([0, 1, 1])
    one = view(labels=labels)
    with pytest.raises(ValueError, match="read-only"):
        one.labels[0] = 1
    labels[0] = 1  # handed in, and still writeable for its owner


def test_evidence_is_computed_when_first_read_and_once():
    calls = []

    def compute() -> np.ndarray:
        calls.append(1)
        return np.array([1, 0, 1])

    one = view(labels=compute)
    assert not calls
    assert one.labels is one.labels
    assert calls == [1]


def test_what_is_in_common_is_computed_by_the_first_that_asks():
    common, calls = {}, []

    def compute() -> np.ndarray:
        calls.append(1)
        return np.arange(3)

    first, second = (
        View(ids=view().ids, schema=view().schema, evidence={}, needs=frozenset(), spec=view().spec, common=common)
        for _ in range(2)
    )
    assert first.in_common("places", compute) is second.in_common("places", compute)
    assert calls == [1]
    second.in_common("other places", compute)
    view().in_common("places", compute)
    assert calls == [1, 1, 1]
    with pytest.raises(ValueError, match="read-only"):
        first.in_common("places", compute)[0] = 1


def test_draws_are_the_same_whenever_asked_for():
    one = view()
    assert np.array_equal(one.rng.random(3), one.rng.random(3))
    other = view_of(Reader(), seed=1, labels=np.array([0]))
    assert not np.array_equal(one.rng.random(3), other.rng.random(3))


def test_ids_are_taken_by_position_or_mask():
    one = view()
    assert one.take_ids(np.array([2, 0])).to_pylist() == ["r2", "r0"]
    assert one.take_ids(np.array([True, False, True])).to_pylist() == ["r0", "r2"]
    assert one.take_ids(np.zeros(0, dtype=np.intp)).to_pylist() == []


def test_findings_carry_the_operator_and_rows_of_the_view():
    one = view()
    found = one.finding("label_error", np.array([-0.1, 0.5, 1.2]), flagged=np.array([0, 1, 1]), summary="two rows")
    assert found.severity.tolist() == [0.0, 0.5, 1.0]
    assert (found.flagged.dtype, found.n_flagged) == (np.bool_, 2)
    assert found.operator == one.spec
    assert found.ids.equals(one.ids)
    about = one.column_finding("constant_column", ("a",), level=0.5, summary="one column")
    assert (about.columns, about.overall, len(about.ids)) == (("a",), 0.5, 0)


def test_a_batch_holds_what_was_declared():
    batch = Batch(ids=pa.array(["a", "b"]), columns={"x": pa.array([1, 2])})
    assert (len(batch), batch.column("x").to_pylist(), batch.cells.to_pylist()) == (2, [1, 2], [1, 2])
    assert np.array_equal(batch.digests, cell_digests(pa.array(["a", "b"])))
    with pytest.raises(UndeclaredNeedError, match=r"holds \['x'\], not 'y'"):
        batch.column("y")
    assert batch_of([1.0, None]).ids.to_pylist() == ["r0", "r1"]
