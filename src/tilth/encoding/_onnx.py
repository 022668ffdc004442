"""ONNX models from a local folder: opened once per process and named by the digest of their files."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from tilth.core.errors import ConfigError, ContractError, MissingExtraError, SchemaChangedError
from tilth.operators.protocols import State

__all__ = ["OnnxFold", "check_same", "digest_files", "extra", "find_file", "session"]


class OnnxFold:
    """The fold of an encoder that learns nothing from rows: it only notes which model will encode them."""

    folder: str

    def start(self) -> None:
        """Return no state."""

    def fold(self, state: None, batch: object) -> None:
        """Return no state: a pretrained encoder learns nothing from rows."""

    def merge(self, left: None, right: None) -> None:
        """Return no state."""

    def finish(self, state: None) -> State:  # noqa: ARG002 - the protocol of folds
        """Return the digest of the model's files, so that another model means another state."""
        return {"model": digest_files(self.files())}

    def files(self) -> tuple[Path, ...]:
        """Return the files that decide the encoding; every encoder says its own, else ContractError."""
        raise ContractError(
            f"{type(self).__name__} does not say which files its model is",
            next_step="define files(), which returns their paths",
        )


def extra(module: str) -> Any:
    """Import a module of the extra `onnx`; raises MissingExtraError with what to type."""
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"pretrained encoders need {module}, which is not installed", next_step="pip install 'tilth[onnx]'"
        ) from error


def find_file(folder: str, names: tuple[str, ...]) -> Path:
    """Return the first of the named files that a model's folder holds, there or in its `onnx` folder."""
    for name in names:
        for path in (Path(folder) / name, Path(folder) / "onnx" / name):
            if folder and path.is_file():
                return path
    raise ConfigError(
        f"no {' or '.join(names)} in {folder!r}" if folder else "a pretrained encoder needs the folder of its model",
        where="tilth.yaml, encoders, folder",
        next_step=f"name a local folder that holds {names[0]}",
    )


def session(path: Path) -> Any:
    """Return the open model; the same object for the same unchanged file."""
    facts = path.stat()
    return _open(str(path), facts.st_mtime_ns, facts.st_size)


def digest_files(paths: tuple[Path, ...]) -> np.ndarray:
    """Return the (2,) uint64 digest of the content of some files."""
    whole = b"".join(_digest(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in paths)
    return np.frombuffer(blake2b(whole, digest_size=16).digest(), dtype=np.uint64)


def check_same(state: State, paths: tuple[Path, ...]) -> None:
    """Refuse to encode with another model than the one that the state names."""
    if not np.array_equal(state["model"], digest_files(paths)):
        raise SchemaChangedError(
            "the model's files are not those that encoded the train rows",
            where=str(paths[0].parent),
            next_step="put the old files back, or run tilth run --refit",
        )


@lru_cache(maxsize=4)
def _open(path: str, changed: int, size: int) -> Any:
    del changed, size
    runtime = extra("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    return runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


@lru_cache(maxsize=16)
def _digest(path: str, changed: int, size: int) -> bytes:
    del changed, size
    state = blake2b(digest_size=16)
    with Path(path).open("rb") as file:
        while piece := file.read(1 << 20):
            state.update(piece)
    return state.digest()
