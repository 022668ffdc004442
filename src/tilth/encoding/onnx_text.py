"""A pretrained text encoder in ONNX format, from a local folder.

    x = normalised(mean over tokens of the last hidden layer)

Source: Reimers, Gurevych (2019), EMNLP, section 3 (mean pooling of token vectors).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from tilth.core.arrays import FloatMatrix32
from tilth.core.schema import ColumnType
from tilth.encoding._cells import missing_of, texts_of
from tilth.encoding._onnx import OnnxFold, check_same, extra, find_file, session
from tilth.operators.batch import Batch
from tilth.operators.protocols import State

__all__ = ["OnnxText", "mean_pool"]


@dataclass(frozen=True, kw_only=True)
class OnnxText(OnnxFold):
    """Mean of a transformer's token vectors, brought to length 1; the model comes from a local folder.

    The folder holds `model.onnx` (inputs `input_ids` and `attention_mask`, `token_type_ids` if the graph asks for them; first
    output (batch, tokens, width)) and `tokenizer.json`. Texts of like length share a pass, so that little is
    padded. A missing text is the zero vector with indicator 1. Nothing is downloaded.

    Parameters
    ----------
    folder : where model and tokenizer lie
    tokens : tokens of a text that are read; what comes after is left out
    rows : texts in one pass; bounds memory

    Raises
    ------
    MissingExtraError : onnxruntime or tokenizers is not installed; pip install 'tilth[onnx]'
    ConfigError : the folder lacks a file
    SchemaChangedError : the files changed since the train rows were encoded

    Randomness: none; texts in other company may differ in the last bits (1e-6).

    Source: Reimers, Gurevych (2019), EMNLP, section 3.
    """

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.TEXT})
    revision: ClassVar[int] = 1

    folder: str = ""
    tokens: int = 128
    rows: int = 32

    def files(self) -> tuple[Path, ...]:
        """Return model and tokenizer."""
        return find_file(self.folder, ("model.onnx",)), find_file(self.folder, ("tokenizer.json",))

    def encode(self, batch: Batch, state: State) -> FloatMatrix32:
        """Return (n, width + 1) features: the text's vector, missing."""
        model, words = self.files()
        check_same(state, (model, words))
        texts = texts_of(batch)
        missing = missing_of(texts)
        present = np.flatnonzero(~missing)
        run = session(model)
        encoded = _tokenizer(str(words), self.tokens).encode_batch(texts.take(pa.array(present)).to_pylist())
        vectors = np.zeros((len(texts), int(run.get_outputs()[0].shape[-1])), dtype=np.float32)
        order = sorted(range(len(present)), key=lambda row: len(encoded[row].ids))
        for first in range(0, len(order), self.rows):
            some = order[first : first + self.rows]
            vectors[present[some]] = _run(run, [encoded[row].ids for row in some])
        return np.hstack([vectors, missing[:, None]]).astype(np.float32)


def mean_pool(hidden: np.ndarray, mask: np.ndarray) -> FloatMatrix32:
    """Return the (n, d) unit vectors of hidden states (n, t, d) averaged where the mask (n, t) is 1."""
    weights = mask[:, :, None].astype(np.float32)
    means = (hidden * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1.0)
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    return np.asarray(means / np.where(lengths > 0, lengths, 1.0), dtype=np.float32)


def _run(model: Any, ids: Sequence[Sequence[int]]) -> FloatMatrix32:
    longest = max(len(row) for row in ids)
    tokens, mask = np.zeros((2, len(ids), longest), dtype=np.int64)
    for row, values in enumerate(ids):
        tokens[row, : len(values)], mask[row, : len(values)] = values, 1
    given = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(tokens)}
    asked = {node.name: given[node.name] for node in model.get_inputs()}
    return mean_pool(model.run(None, asked)[0], mask)


@lru_cache(maxsize=4)
def _tokenizer(path: str, tokens: int) -> Any:
    found = extra("tokenizers").Tokenizer.from_file(path)
    found.no_padding()
    found.enable_truncation(tokens)
    return found
