"""mix_rows: targets as mixed as the cells, two parents, images by their pixels, refusals."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from tilth.core.errors import ConfigError, NotApplicable
from tilth.core.names import PARENTS, TARGET
from tilth.editing.mix_rows import MixRows
from tilth.operators.image_cells import pixels_of
from tilth.testing.views import view_of

N = 120
RNG = np.random.default_rng(0)
Y = np.arange(N) % 2
A = RNG.normal(size=N) + 3 * Y
TABLE = pa.table({"a": A, "b": RNG.normal(size=N)})


def encode(table):
    return np.column_stack([table.column(name).to_numpy() for name in ("a", "b")]).astype(np.float32)


def view(editor, **more):
    facts = {"labels": Y, "table": TABLE, "embeddings": encode(TABLE), "made": np.zeros(N, bool)}
    return view_of(editor, **(facts | {"encode": lambda: encode} | more))


def test_targets_are_as_mixed_as_the_cells():
    editor = MixRows(times=1.0, alpha=1.0)
    made = editor.propose(view(editor)).add
    assert made.column("label").null_count == made.num_rows > 40
    mixed = 0
    for row in made.to_pylist():
        i, j = (int(name[1:]) for name in row[PARENTS])
        share = (row["a"] - A[j]) / (A[i] - A[j])
        expected = share * np.eye(2)[Y[i]] + (1 - share) * np.eye(2)[Y[j]]
        np.testing.assert_allclose(row[TARGET], expected, atol=1e-5)
        mixed += Y[i] != Y[j]
    assert mixed > 10


def test_images_are_mixed_by_their_pixels():
    def png(value, size=4):
        sink = io.BytesIO()
        Image.fromarray(np.full((size, size, 3), value, np.uint8)).save(sink, format="PNG")
        return sink.getvalue()

    values = RNG.permutation(N) * 2
    cells = [png(int(v)) if i else png(int(v), size=5) for i, v in enumerate(values)]
    table = pa.table({"image": pa.array(cells, pa.binary())})
    means = {cell: float(pixels_of(cell).mean()) for cell in cells}

    def by_mean(rows):
        found = [pixels_of(cell) for cell in rows.column("image").to_pylist()]
        return np.array([[0.0 if one is None else one.mean(), 0.0] for one in found], np.float32)

    editor = MixRows(times=1.0, alpha=1.0)
    edit = editor.propose(view(editor, table=table, embeddings=by_mean(table), encode=lambda: by_mean))
    assert "two sizes" in edit.reason
    for row in edit.add.to_pylist():
        ends = [means[cells[int(name[1:])]] for name in row[PARENTS]]
        assert min(ends) - 1 <= pixels_of(row["image"]).mean() <= max(ends) + 1


def test_refusals():
    editor = MixRows()
    with pytest.raises(NotApplicable, match="cells of type text"):
        editor.propose(view(editor, table=pa.table({"t": pa.array(["x"] * N, pa.large_string())})))
    with pytest.raises(NotApplicable, match="fewer than two classes"):
        editor.propose(view(editor, labels=np.zeros(N, int)))
    with pytest.raises(ConfigError):
        MixRows(alpha=0.0)
