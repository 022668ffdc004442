"""The kit catches transforms that break one law each, and lets one that holds them all pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tilth.core.errors import ContractError
from tilth.core.said import Failure
from tilth.core.schema import ColumnType
from tilth.core.transformed import Transformed
from tilth.editing.typo import Typo
from tilth.operators.batch import Batch
from tilth.operators.image_cells import holds_pixels
from tilth.operators.transforming import change_images, transformed
from tilth.testing._transform_laws import TRANSFORMING, transform_rows
from tilth.testing.contracts import LAWS, contracts_for


@dataclass(frozen=True, kw_only=True)
class Sound:
    """Moves numbers by a number of their row."""

    columns: tuple[str, ...] = ()
    accepts: ClassVar[Any] = frozenset({ColumnType.NUMBER})
    label: ClassVar[Any] = "keep"
    revision: ClassVar[int] = 1

    def steps(self, batch: Batch, draw: Any) -> np.ndarray:
        return draw.uniforms(batch.digests) + 0.1

    def apply(self, batch: Batch, draw: Any) -> Transformed:
        steps = pa.array(self.steps(batch, draw))
        return transformed(batch, {name: pc.add(cells, steps) for name, cells in batch.columns.items()})


@dataclass(frozen=True, kw_only=True)
class Gambles(Sound):
    def steps(self, batch, draw):
        return np.random.rand(len(batch)) + 1  # noqa: NPY002 - the fault


@dataclass(frozen=True, kw_only=True)
class Counts(Sound):
    def steps(self, batch, draw):
        return np.arange(len(batch)) + 1.0


@dataclass(frozen=True, kw_only=True)
class Averages(Sound):
    def steps(self, batch, draw):
        return np.full(len(batch), pc.mean(batch.cells).as_py() or 0.0) + draw.uniforms(batch.digests)


@dataclass(frozen=True, kw_only=True)
class Casts(Sound):
    def apply(self, batch, draw):
        changed = {name: cells.cast(pa.string()) for name, cells in batch.columns.items()}
        return Transformed(columns=changed, applied=np.zeros(len(batch), dtype=bool))


@dataclass(frozen=True, kw_only=True)
class Loses(Sound):
    def apply(self, batch, draw):
        return Transformed(columns={}, applied=np.zeros(len(batch), dtype=bool))


@dataclass(frozen=True, kw_only=True)
class Boasts(Sound):
    def apply(self, batch, draw):
        return Transformed(columns=super().apply(batch, draw).columns, applied=np.ones(len(batch), dtype=bool))


@dataclass(frozen=True, kw_only=True)
class Idles(Sound):
    def steps(self, batch, draw):
        return np.zeros(len(batch))


@dataclass(frozen=True, kw_only=True)
class Fills(Sound):
    def apply(self, batch, draw):
        return transformed(batch, {name: pc.fill_null(cells, 0.0) for name, cells in batch.columns.items()})


@dataclass(frozen=True, kw_only=True)
class Lies(Sound):
    def apply(self, batch, draw):
        after = super().apply(batch, draw)
        failures = tuple(Failure(row_id=str(row), error="no") for row in batch.ids.to_pylist()[:1])
        return Transformed(columns=after.columns, applied=after.applied, failures=failures)


@dataclass(frozen=True, kw_only=True)
class Accepts(Sound):
    accepts: ClassVar[Any] = {"number"}


@dataclass(frozen=True, kw_only=True)
class Labels(Sound):
    label: ClassVar[Any] = "flip"


@dataclass(frozen=True, kw_only=True)
class Remembers(Sound):
    first: Any = field(default=0.0)

    def learn(self, train):
        return Remembers(first=train.cells[0].as_py() if len(train) else 0.0)


@dataclass(frozen=True, kw_only=True)
class Mirrors(Sound):
    accepts: ClassVar[Any] = frozenset({ColumnType.IMAGE})

    def apply(self, batch, draw):
        return change_images(batch, tuple(batch.columns), lambda images, _: images[:, :, ::-1])


@dataclass(frozen=True, kw_only=True)
class DoubtsPixels(Mirrors):
    def apply(self, batch, draw):
        if any(holds_pixels(cells.type) for cells in batch.columns.values()):
            return Transformed(columns=batch.columns, applied=np.zeros(len(batch), dtype=bool))
        return super().apply(batch, draw)


def broken(kind) -> str:
    found = []
    for contract in contracts_for(kind):
        if contract.check in TRANSFORMING:
            try:
                contract()
            except ContractError:
                found.append(contract.check.__name__)
    return " ".join(found)


@pytest.mark.parametrize(
    ("kind", "law"),
    [
        (Sound, ""),
        (Gambles, "draws_by_row_id draws_by_seed_only"),
        (Counts, "draws_by_row_id"),
        (Averages, "draws_by_row_id"),
        (Casts, "keeps_rows_types_and_shapes"),
        (Loses, "keeps_rows_types_and_shapes"),
        (Boasts, "says_which_rows_it_changed"),
        (Idles, "says_which_rows_it_changed"),
        (Fills, "leaves_missing_cells"),
        (Lies, "says_which_rows_it_changed"),
        (Labels, "says_what_it_changes"),
        (Remembers, "learns_whatever_the_order"),
        (Mirrors, ""),
        (DoubtsPixels, "changes_decoded_images_alike"),
    ],
)
def test_each_is_caught_by_its_law(kind, law):
    assert set(law.split()) <= set(broken(kind).split())
    assert bool(law) == bool(broken(kind))


def test_a_set_of_words_is_no_set_of_types():
    (contract,) = [one for one in contracts_for(Accepts) if one.check.__name__ == "says_what_it_changes"]
    with pytest.raises(ContractError, match="it accepts"):
        contract()


def test_a_transform_is_held_to_its_laws_and_those_of_form():
    contracts = contracts_for(Typo)
    assert [one.check for one in contracts] == list(LAWS["editing.apply"])
    assert {one.room for one in contracts} == {"editing"}


def test_the_rows_hold_every_type_with_gaps():
    rows = transform_rows(frozenset(ColumnType))
    assert set(rows.columns) == {f"a_{kind}" for kind in ColumnType}
    assert len(transform_rows(frozenset(ColumnType), 0)) == 0
