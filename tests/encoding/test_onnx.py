"""What encoders of ONNX models share: no half-made encoder, models named by their bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tilth.core.errors import ConfigError, ContractError, SchemaChangedError
from tilth.encoding._onnx import OnnxFold, check_same, digest_files, find_file
from tilth.encoding.onnx_image import OnnxImage
from tilth.encoding.onnx_text import OnnxText


def test_an_encoder_that_names_no_files_is_refused_with_what_to_write():
    with pytest.raises(ContractError, match=r"Nameless does not say which files.*→ define files\(\)"):
        type("Nameless", (OnnxFold,), {})().finish(None)
    assert all(kind.files is not OnnxFold.files for kind in (OnnxImage, OnnxText))


def test_its_state_is_the_digest_of_its_files(tmp_path):
    @dataclass(frozen=True, slots=True, kw_only=True)
    class One(OnnxFold):
        path: Path

        def files(self) -> tuple[Path, ...]:
            return (self.path,)

    path = tmp_path / "model.onnx"
    path.write_bytes(b"one")
    state = One(path=path).finish(None)
    assert np.array_equal(state["model"], digest_files((path,)))
    check_same(state, (path,))
    path.write_bytes(b"another")
    with pytest.raises(SchemaChangedError, match="not those that encoded"):
        check_same(state, (path,))


def test_models_are_found_here_or_in_a_folder_of_their_name(tmp_path):
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "model.onnx").write_bytes(b"x")
    assert find_file(str(tmp_path), ("model.onnx",)) == tmp_path / "onnx" / "model.onnx"
    with pytest.raises(ConfigError, match=r"no other\.onnx in"):
        find_file(str(tmp_path), ("other.onnx",))
    with pytest.raises(ConfigError, match="needs the folder"):
        find_file("", ("model.onnx",))
