"""Ways to fold and encode a column in one call, and the shared data where it is there."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from tilth.engine.local import fold_blocks
from tilth.testing.views import batch_of


class Fitted:
    """An encoder with the state that it learnt from some cells."""

    def __init__(self, encoder: Any, cells: Any, *, block: int = 65_536, order: Sequence[int] | None = None) -> None:
        array = cells if isinstance(cells, pa.Array) else pa.array(cells)
        ids = [f"r{i}" for i in range(len(array))]
        if order is not None:
            array, ids = array.take(pa.array(order)), [ids[i] for i in order]
        starts = range(0, max(len(array), 1), block)
        blocks = [batch_of(array.slice(start, block), ids=ids[start : start + block]) for start in starts]
        self.encoder, self.state = encoder, encoder.finish(fold_blocks(encoder, blocks))

    def __call__(self, cells: Any) -> np.ndarray:
        """Encode cells under ids that training never saw."""
        array = cells if isinstance(cells, pa.Array | pa.ChunkedArray) else pa.array(cells)
        return self.encoder.encode(batch_of(array, ids=[f"new{i}" for i in range(len(array))]), self.state)


@pytest.fixture
def fitted() -> type[Fitted]:
    return Fitted


@pytest.fixture
def same_for_all_layouts():
    """Assert that blocks of 7 rows, and rows in another order, leave the same state and features to the last bit."""

    def check(encoder: Any, cells: pa.Array, other: pa.Array | None = None) -> None:
        whole = Fitted(encoder, cells)
        order = np.random.default_rng(3).permutation(len(cells)).tolist()
        for again in (Fitted(encoder, cells, block=7), Fitted(encoder, cells, block=7, order=order)):
            assert whole.state.keys() == again.state.keys()
            for name, value in whole.state.items():
                assert not value.dtype.hasobject
                np.testing.assert_array_equal(value, again.state[name], err_msg=name)
        for rows in (cells, other) if other is not None else (cells,):
            parts = [whole(rows.slice(start, 7)) for start in range(0, len(rows), 7)]
            np.testing.assert_array_equal(np.concatenate(parts), whole(rows))

    return check


@pytest.fixture
def png():
    """Encode (h, w, 3) or (h, w) values as a file."""

    def encode(values: np.ndarray, kind: str = "PNG", **options: Any) -> bytes:
        file = io.BytesIO()
        Image.fromarray(np.asarray(values, dtype=np.uint8)).save(file, format=kind, **options)
        return file.getvalue()

    return encode


@pytest.fixture
def shared() -> Path:
    """The folder of real data beside the repository; the test is skipped where it is absent."""
    folder = Path(__file__).resolve().parents[3] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the shared data is not here")
    return folder
