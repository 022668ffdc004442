"""Transforms of which half destroy the label: how much of them is left after composition, and what each policy is worth in training.

The digits that come with scikit-learn (1,797 images of 8 x 8), cut for each seed into train 40 %, dev 20 %, test 40 %. A person's file has
six transforms: small turns, moves by a pixel and a little noise keep a digit; a turn by 180 degrees (6 and 9), a mirror and a turn
by 90 degrees make another one, or none. A uniform policy draws two of the six for each row. The share of harmful rows is how often a
row passes through at least one harmful transform. Scores are of the small network on the test part; intervals are 95 % t intervals over
seeds of paired differences to training on rows as they are.

    python -m benchmarks composition [--seeds N]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import stats
from sklearn.datasets import load_digits

import tilth
from tilth.core.edit import Edit
from tilth.core.names import ROW_ID, Split
from tilth.core.policy import Policy
from tilth.core.spec import Spec
from tilth.engine.threads import one_thread
from tilth.loop.finding_policies import policy_found
from tilth.loop.project import Project, open_project
from tilth.loop.workshop import Workshop
from tilth.operators.image_cells import encoded

SEEDS = 5
HARMFUL = ("turned_about", "mirrored", "turned_aside")
FUNCTIONS = """import io

import numpy as np
import tilth
from PIL import Image


def opened(cell):
    return Image.open(io.BytesIO(cell)).convert("RGB")


def closed(image):
    sink = io.BytesIO()
    image.save(sink, format="PNG")
    return sink.getvalue()


@tilth.transform(columns=["image"])
def turned_a_little(row, random):
    return closed(opened(row.image).rotate(float(random.uniform(-12, 12)), Image.Resampling.BILINEAR))


@tilth.transform(columns=["image"])
def moved(row, random):
    across, down = random.integers(-1, 2, 2)
    return closed(opened(row.image).transform((16, 16), Image.Transform.AFFINE, (1, 0, int(across), 0, 1, int(down))))


@tilth.transform(columns=["image"])
def noisy(row, random):
    pixels = np.asarray(opened(row.image), dtype=float)
    return closed(Image.fromarray(np.clip(pixels + random.normal(0, 12, pixels.shape[:2])[..., None], 0, 255).astype("uint8")))


@tilth.transform(columns=["image"])
def turned_about(row):
    return closed(opened(row.image).rotate(180))


@tilth.transform(columns=["image"])
def mirrored(row):
    return closed(opened(row.image).transpose(Image.Transpose.FLIP_LEFT_RIGHT))


@tilth.transform(columns=["image"])
def turned_aside(row):
    return closed(opened(row.image).rotate(90))
"""
NETWORK = "learner: {name: convnet, params: {side: 16, channels: 8, blocks: 2, epochs: 30}}"
_BY = Spec(room="editing", name="augment")


def main(arguments: list[str]) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="composition")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    options = parser.parse_args(arguments)
    _print([_of_seed(seed) for seed in range(options.seeds)])
    return 0


def project_of_digits(home: Path, seed: int) -> Project:
    """Return a project on the digits, with the person's file."""
    digits = load_digits()
    pixels = np.repeat(np.repeat((digits.images * 15.9).astype(np.uint8), 2, axis=1), 2, axis=2)
    images = [encoded(np.repeat(one[..., None], 3, axis=2)) for one in pixels]
    rows = {"id": [f"d{i}" for i in range(len(images))], "image": pa.array(images, pa.binary())}
    pq.write_table(pa.table({**rows, "digit": pa.array(digits.target.astype(str))}), home / "digits.parquet")
    tilth.init(home / "digits.parquet", label="digit", id="id", folder=home / "project")
    text = (home / "project" / "tilth.yaml").read_text(encoding="utf-8")
    text = text.replace("learner: auto", NETWORK).replace("seed: 0", f"seed: {seed}")
    text = text.replace("python: null", "python: functions.py").replace("balanced_accuracy", "accuracy", 1)
    text = text.replace("{train: 0.6, dev: 0.2, test: 0.2}", "{train: 0.4, dev: 0.2, test: 0.4}")
    names = [line.split()[1].split("(")[0] for line in FUNCTIONS.splitlines() if line.startswith("def ")][2:]
    (home / "project" / "functions.py").write_text(FUNCTIONS, encoding="utf-8")
    (home / "project" / "tilth.yaml").write_text(
        text + f"\naugment: {{transforms: [{', '.join(names)}]}}\n", encoding="utf-8"
    )
    return open_project(home / "project")


def harmful_share(policy: Policy) -> float:
    """Return how often a row passes through at least one transform that destroys its label."""
    total = sum(one.weight for one in policy.sequences)
    unharmed = 0.0
    for one in policy.sequences:
        passes = 1.0
        for step in one.steps:
            passes *= 1 - step.chance * np.mean([change.transform in HARMFUL for change in step.changes])
        unharmed += one.weight / total * passes
    return float(1 - unharmed)


def _of_seed(seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name, one_thread():
        project = project_of_digits(Path(name), seed)
        project.run(budget="1s", only=["add"])
        version = project.repository().latest
        assert version is not None, "the project was run"
        workshop = Workshop(project.file, project.repository(), seed=seed)
        found: dict[str, Any] = {"policies": {}, "minutes": {}}
        for how in ("rand", "search", "compose"):
            start = process_time()
            found["policies"][how] = policy_found(workshop, version, how).policy
            found["minutes"][how] = (process_time() - start) / 60
        bench = workshop.bench(version)
        judged, ids = bench.judged(Split.TEST), bench.train.column(ROW_ID).combine_chunks()
        found["scores"] = {
            "as they are": float(bench.scores(bench.predict(bench.baseline, judged.positions), judged).mean())
        }
        for how, policy in found["policies"].items():
            edit = Edit.augmenting(ids, policy.to_text(), operator=_BY, reason="benchmark")
            predicted = bench.predict(bench.fit_edited(edit), judged.positions)
            found["scores"][how] = float(bench.scores(predicted, judged).mean())
        return found


def _print(lines: list[dict[str, Any]]) -> None:
    names = {"rand": "uniform, two of six", "search": "searched by short trainings", "compose": "composed"}
    plain = np.array([line["scores"]["as they are"] for line in lines])
    print("| policy | harmful rows | test accuracy, % | points over rows as they are [95 %] | CPU minutes to find |")
    print("|---|---|---|---|---|")
    print(f"| rows as they are | 0 % | {100 * plain.mean():.1f} | | |")
    for how, said in names.items():
        share = np.mean([harmful_share(line["policies"][how]) for line in lines])
        scores = np.array([line["scores"][how] for line in lines])
        minutes = np.mean([line["minutes"][how] for line in lines])
        print(f"| {said} | {100 * share:.0f} % | {100 * scores.mean():.1f} | {_gain(scores - plain)} | {minutes:.1f} |")
    print(f"\n{len(lines)} seeds.")


def _gain(differences: np.ndarray) -> str:
    mean = 100 * differences.mean()
    if len(differences) < 2:
        return f"{mean:+.1f}"
    half = 100 * stats.t.ppf(0.975, len(differences) - 1) * differences.std(ddof=1) / len(differences) ** 0.5
    return f"{mean:+.1f} [{mean - half:+.1f}, {mean + half:+.1f}]"
