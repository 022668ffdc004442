"""Image transforms at 224 px beside Albumentations and Pillow: images per CPU second, one thread.

    python -m benchmarks image_transforms [--images N] [--repeats N] [--only NAME …]

128 images of 224 x 224 pixels: parts of scikit-learn's two photographs (seed 0), decoded already. Every arm changes all of
them and keeps the results, in turns; a figure is the median over the repeats, the ratio the median of the ratios within a
repeat, with the least and the greatest. tilth's arm is `apply` on a batch of decoded pixels, draws and the comparison that says
which rows it changed included; Albumentations' is `Compose` of one or more transforms that always apply, image by image; Pillow's
goes from array to image and back. Strengths are alike where the libraries allow it.

The chain is brightness, contrast, solarize, posterize: in tilth contrast moves values about the image's mean, which
Albumentations' ColorJitter does too; its RandomBrightnessContrast, which is faster, multiplies and adds only. Fused by
`apply_chain` it is one lookup, whatever its length; one by one it is a lookup for each.

The peer: `pip install --target DIR albumentations==2.0.8`, DIR in PYTHONPATH; without it its columns are empty.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Callable
from functools import partial
from io import BytesIO
from statistics import median
from time import process_time
from typing import Any

import numpy as np
import PIL
import pyarrow as pa
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
from sklearn.datasets import load_sample_images
from threadpoolctl import threadpool_limits

from tilth.operators.batch import Batch
from tilth.operators.chains import apply_chain
from tilth.operators.image_cells import tensor_cells
from tilth.operators.registry import make
from tilth.operators.transforming import draw_of

SIDE = 224
CHAIN = ("brightness", "contrast", "solarize", "posterize")
SEVERITY = 2
BILINEAR, AFFINE = Image.Resampling.BILINEAR, Image.Transform.AFFINE
Arm = Callable[[np.ndarray], Any]


def main(arguments: list[str]) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks image_transforms")
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--only", nargs="*", default=())
    options = parser.parse_args(arguments)
    theirs = albumentations_arms()
    print(f"numpy {np.__version__}, Pillow {PIL.__version__}, {_peer()}, Python {sys.version.split()[0]}", flush=True)
    print(f"{options.images} images of {SIDE} px, {options.repeats} repeats, severity {SEVERITY}, seed 0.\n")
    print("| change | tilth, images per CPU s | Albumentations | Pillow | tilth / Albumentations | tilth / Pillow |")
    print("|---|---|---|---|---|---|")
    images, pillow = pictures(options.images), pillow_arms()
    with threadpool_limits(1):
        for name, arm in tilth_arms().items():
            if options.only and name not in options.only:
                continue
            key = name.split(" (")[0]
            arms = {"tilth": arm, "Albumentations": theirs.get(name, theirs.get(key)), "Pillow": pillow.get(key)}
            print(_line(name, {who: one for who, one in arms.items() if one}, images, options.repeats), flush=True)
    return 0


def pictures(count: int) -> np.ndarray:
    """Parts of photographs at places drawn at random; (count, 224, 224, 3)."""
    rng = np.random.default_rng(0)
    photographs = load_sample_images().images
    made = []
    for place in range(count):
        whole = photographs[place % len(photographs)]
        top, left = (int(rng.integers(side - SIDE + 1)) for side in whole.shape[:2])
        made.append(whole[top : top + SIDE, left : left + SIDE])
    return np.stack(made)


def _line(name: str, arms: dict[str, Arm], images: np.ndarray, repeats: int) -> str:
    seconds: dict[str, list[float]] = {who: [] for who in arms}
    for _ in range(repeats + 1):
        for who, arm in arms.items():
            start = process_time()
            kept = arm(images)
            seconds[who].append(process_time() - start)
            del kept
    timed = {who: found[1:] for who, found in seconds.items()}  # the first warms up
    rates = {who: f"{len(images) / median(found):,.0f}" for who, found in timed.items()}
    ratios = {who: _ratio(found, timed["tilth"]) for who, found in timed.items()}
    cells = [rates.get(who, "") for who in ("tilth", "Albumentations", "Pillow")]
    return "| " + " | ".join([name, *cells, ratios.get("Albumentations", ""), ratios.get("Pillow", "")]) + " |"


def _ratio(theirs: list[float], ours: list[float]) -> str:
    found = [one / other for one, other in zip(theirs, ours, strict=True)]
    return f"{median(found):.2f} [{min(found):.2f}, {max(found):.2f}]"


def tilth_arms() -> dict[str, Arm]:
    """Each transform alone, and the chain fused and step by step."""
    chain, steps = f"chain of {', '.join(CHAIN)}", [_made(name) for name in CHAIN]
    arms: dict[str, Arm] = {
        f"{chain} (RandomBrightnessContrast)": partial(_fused, steps),
        f"{chain} (ColorJitter)": partial(_fused, steps),
        f"{chain} (one by one)": partial(_one_by_one, steps),
        f"twice the {chain}": partial(_fused, [*steps, *steps]),
    }
    singles = (*CHAIN, "autocontrast", "equalize", "colour", "sharpness", "blur", "gaussian_noise", "jpeg_quality")
    for name in (*singles, "flip", "cutout", "translate", "crop", "rotate", "shear", "perspective", "elastic"):
        arms[name] = partial(_one_by_one, [_made(name)])
    return arms


def _made(name: str) -> Any:
    return make("editing", name, **({} if name == "flip" else {"severity": SEVERITY}))


def _batch(images: np.ndarray) -> Batch:
    ids = pa.array([f"r{row}" for row in range(len(images))])
    return Batch(ids=ids, columns={"image": tensor_cells(images)})


def _fused(chain: list[Any], images: np.ndarray) -> Any:
    return apply_chain(chain, _batch(images), [draw_of(one, 0) for one in chain])


def _one_by_one(chain: list[Any], images: np.ndarray) -> Any:
    batch = _batch(images)
    for one in chain:
        batch = Batch(ids=batch.ids, columns=one.apply(batch, draw_of(one, 0)).columns)
    return batch


def pillow_arms() -> dict[str, Arm]:
    """The same by Pillow, where it has it."""
    size = (SIDE, SIDE)
    changes: dict[str, Callable[[Image.Image], Image.Image]] = {
        "brightness": lambda image: ImageEnhance.Brightness(image).enhance(1.2),
        "contrast": lambda image: ImageEnhance.Contrast(image).enhance(0.75),
        "solarize": lambda image: ImageOps.solarize(image, 192),
        "posterize": lambda image: ImageOps.posterize(image, 5),
        "autocontrast": lambda image: ImageOps.autocontrast(image, 1),
        "equalize": ImageOps.equalize,
        "colour": lambda image: ImageEnhance.Color(image).enhance(1.4),
        "sharpness": lambda image: ImageEnhance.Sharpness(image).enhance(1.4),
        "blur": lambda image: image.filter(ImageFilter.GaussianBlur(0.015 * SIDE)),
        "jpeg_quality": _through_jpeg,
        "flip": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        "crop": lambda image: image.resize(size, BILINEAR, box=(10, 10, 211, 211)),
        "rotate": lambda image: image.rotate(10, BILINEAR),
        "shear": lambda image: image.transform(size, AFFINE, (1, 0.1, -11, 0, 1, 0), BILINEAR),
        "translate": lambda image: image.transform(size, AFFINE, (1, 0, 22, 0, 1, 0)),
        "perspective": lambda image: image.transform(
            size, Image.Transform.PERSPECTIVE, (0.95, 0.02, 4, 0.02, 0.95, 4, 1e-4, 1e-4), BILINEAR
        ),
    }

    def enhance(image: Image.Image) -> Image.Image:
        for name in CHAIN:
            image = changes[name](image)
        return image

    changes[f"chain of {', '.join(CHAIN)}"] = enhance
    return {name: _by_pillow(change) for name, change in changes.items()}


def _by_pillow(change: Callable[[Image.Image], Image.Image]) -> Arm:
    return lambda images: [np.asarray(change(Image.fromarray(image))) for image in images]


def _through_jpeg(image: Image.Image) -> Image.Image:
    sink = BytesIO()
    image.save(sink, format="JPEG", quality=50)
    return Image.open(sink).convert("RGB")


def _peer() -> str:
    if importlib.util.find_spec("albumentations") is None:
        return "no Albumentations"
    versions = (f"{name} {importlib.metadata.version(name)}" for name in ("albumentations", "opencv-python-headless"))
    return ", ".join(versions)


def albumentations_arms() -> dict[str, Arm]:
    """The same by Albumentations, each always applied; none where it is not installed."""
    if importlib.util.find_spec("albumentations") is None:
        return {}
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    import albumentations as al
    import cv2

    cv2.setNumThreads(1)
    always: dict[str, Any] = {"p": 1.0}
    mirrored = {**always, "border_mode": cv2.BORDER_REFLECT}
    solarize = al.Solarize(threshold_range=(0.75, 0.75), **always)
    posterize = al.Posterize(num_bits=5, **always)
    quick = [
        al.RandomBrightnessContrast((0.2, 0.2), (0, 0), **always),
        al.RandomBrightnessContrast((0, 0), (-0.25, -0.25), **always),
    ]
    one = (1, 1)
    jitter = [
        al.ColorJitter((1.2, 1.2), one, one, (0, 0), **always),
        al.ColorJitter(one, (0.75, 0.75), one, (0, 0), **always),
    ]
    changes: dict[str, list[Any]] = {
        f"chain of {', '.join(CHAIN)}": [*quick, solarize, posterize],
        f"chain of {', '.join(CHAIN)} (ColorJitter)": [*jitter, solarize, posterize],
        f"twice the chain of {', '.join(CHAIN)}": [*quick, solarize, posterize, *quick, solarize, posterize],
        "brightness": quick[:1],
        "contrast": jitter[1:],
        "solarize": [solarize],
        "posterize": [posterize],
        "autocontrast": [al.AutoContrast(cutoff=1, **always)],
        "equalize": [al.Equalize(by_channels=True, **always)],
        "colour": [al.ColorJitter(one, one, (1.4, 1.4), (0, 0), **always)],
        "sharpness": [al.Sharpen((0.4, 0.4), (1, 1), **always)],
        "blur": [al.GaussianBlur((0, 0), (0.015 * SIDE, 0.015 * SIDE), **always)],
        "gaussian_noise": [al.GaussNoise((10 / 255, 10 / 255), **always)],
        "jpeg_quality": [al.ImageCompression("jpeg", (50, 50), **always)],
        "flip": [al.HorizontalFlip(**always)],
        "cutout": [al.CoarseDropout((1, 1), (0.2, 0.2), (0.2, 0.2), fill=128, **always)],
        "translate": [al.Affine(translate_percent={"x": (0.1, 0.1), "y": (0, 0)}, **mirrored)],
        "crop": [al.RandomResizedCrop((SIDE, SIDE), (0.81, 0.81), (1, 1), **always)],
        "rotate": [al.Rotate((10, 10), **mirrored)],
        "shear": [al.Affine(shear={"x": (5.7, 5.7), "y": (0, 0)}, **mirrored)],
        "perspective": [al.Perspective((0.05, 0.05), **mirrored)],
        "elastic": [al.ElasticTransform(alpha=60, sigma=9, **mirrored)],
    }
    return {name: _by_albumentations(al.Compose(steps, seed=0)) for name, steps in changes.items()}


def _by_albumentations(compose: Any) -> Arm:
    return lambda images: [compose(image=image)["image"] for image in images]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
