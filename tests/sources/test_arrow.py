"""Arrow: files and streams."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.feather as feather
import pytest

from tilth.core.errors import SourceError
from tilth.sources.arrow import Arrow

TABLE = pa.table({"a": [1, 2], "b": ["x", None]})


@pytest.mark.parametrize("compression", ["lz4", "zstd", "uncompressed"])
def test_feather(tmp_path, compression):
    feather.write_feather(TABLE, str(tmp_path / "t.feather"), compression=compression)
    assert Arrow(path=str(tmp_path / "t.feather")).read().equals(TABLE)


@pytest.mark.parametrize("make", [pa.ipc.new_file, pa.ipc.new_stream])
def test_ipc_file_and_stream(tmp_path, make):
    with make(str(tmp_path / "t.arrow"), TABLE.schema) as writer:
        writer.write_table(TABLE)
    assert Arrow(path=str(tmp_path / "t.arrow")).read().equals(TABLE)


@pytest.mark.parametrize("content", [b"nonsense", b"ARROW1\x00\x00cut", b"\x01"])
def test_no_arrow_is_refused(tmp_path, content):
    (tmp_path / "t.arrow").write_bytes(content)
    with pytest.raises(SourceError, match=r"cannot be read as Arrow"):
        Arrow(path=str(tmp_path / "t.arrow")).read()
