"""Effect: points of clean test accuracy that each recipe gains on people's wrong labels, beside doing nothing and clean labels.

cifar10 by fixed embeddings: 14,000 train, 4,000 dev and 2,000 test rows with the labels that people gave; the truth is 10,000 other
images with clean labels. One linear learner, chosen by cross-validation on the noisy labels by the run itself and held for all arms.
`tilth` is what a run keeps; `tilth, asked` goes on for three rounds of at most 60 answers, given by the true labels of the rows it asks
about, and ends with a run. The other arms see the train rows alone and take what they propose without a trial.

    python -m benchmarks effect [LABELS …] [--seeds N]
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import tilth
from benchmarks.quality import _data as data
from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.learning.linear import Linear
from tilth.loop.project import Project
from tilth.numerics import softmax_regression
from tilth.numerics.denoising import denoise
from tilth.numerics.noise import confident_joint, noise_transition, truth_posterior

N_TRAIN, N_DEV = 14_000, 4_000
ROUNDS, ANSWERS = 3, 60
K = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """Rows with given and true labels, and clean rows to measure on."""

    features: np.ndarray
    given: IntVector
    truth: IntVector
    clean: np.ndarray
    clean_truth: IntVector
    splits: np.ndarray

    @property
    def train(self) -> np.ndarray:
        return self.splits == "train"


def main(arguments: list[str]) -> int:
    """Run all arms on the named label sets."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks effect")
    parser.add_argument("labels", nargs="*", default=["worse_label", "random_label1", "aggre_label"])
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args(arguments)
    try:
        rows, people = data.cifar10()
        clean = _clean_test()
    except data.AbsentError as absent:
        print(absent)
        return 0
    print("| labels | seed | arm | clean test accuracy | gain, 95 % | share of the gap | answers | CPU s |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for name in options.labels:
        for seed in range(options.seeds):
            _run(name, seed, _world(rows, people[name], clean, seed))
    return 0


def _clean_test() -> tuple[np.ndarray, IntVector]:
    table = pq.read_table(data.DATA / "cifar10" / "test_10k.parquet", columns=["label"])
    vectors = np.load(data.DATA / "embeddings" / "cifar10_test_10k_efficientnet_lite0_pca256.npy")
    return vectors.astype(np.float32), np.asarray(table.column("label")).astype(np.intp)


def _world(rows: data.Rows, given: IntVector, clean: tuple[np.ndarray, IntVector], seed: int) -> World:
    vectors = np.load(data.DATA / "embeddings" / "cifar10_train_20k_efficientnet_lite0_pca256.npy").astype(np.float32)
    order = np.random.default_rng([seed, 3]).permutation(len(rows))
    splits = np.full(len(rows), "test", dtype="<U5")
    splits[order[:N_TRAIN]], splits[order[N_TRAIN : N_TRAIN + N_DEV]] = "train", "dev"
    return World(features=vectors, given=given, truth=rows.truth, clean=clean[0], clean_truth=clean[1], splits=splits)


def _run(name: str, seed: int, world: World) -> None:
    with tempfile.TemporaryDirectory() as folder:
        project, started = _project(world, Path(folder), seed), time.process_time()
        project.run()
        before = project.repository().versions()[0].version
        base = _right(project, before, world)
        held = project.repository().records("held")[-1]["learner"]["parameters"]
        offline = _Offline(world, Linear(**held))
        clean = offline.right(np.eye(K)[world.truth[world.train]])
        show = _Show(name, seed, base, clean)
        show("nothing", base)
        show("clean labels", clean)
        show(f"tilth (held: penalty {held.get('penalty')})", _right(project, "latest", world), 0, started)
        n_answers = sum(_answer(project, world, Path(folder) / f"{r}.csv") for r in range(ROUNDS))
        show("tilth, asked", _right(project, "latest", world), n_answers, started)
    for arm, recipe in offline.recipes().items():
        started = time.process_time()
        show(arm, recipe(), 0, started)


class _Show:
    def __init__(self, name: str, seed: int, base: Vector, clean: Vector) -> None:
        self._name, self._seed, self._base, self._gap = name, seed, base, float(clean.mean() - base.mean())

    def __call__(self, arm: str, right: Vector, answers: int = 0, started: float | None = None) -> None:
        gains = right - self._base
        error = 1.96 * gains.std() / np.sqrt(len(gains))
        share = f"{gains.mean() / self._gap:.2f}" if self._gap > 0 else "-"
        seconds = "" if started is None else f"{time.process_time() - started:.0f}"
        print(
            f"| {self._name} | {self._seed} | {arm} | {right.mean():.4f} | {gains.mean():+.4f} ± {error:.4f} | {share} "
            f"| {answers} | {seconds} |",
            flush=True,
        )


def _project(world: World, folder: Path, seed: int) -> Project:
    flat = pa.array(world.features.ravel())
    table = pa.table(
        {
            "row_id": [f"r{i:05d}" for i in range(len(world.given))],
            "vector": pa.FixedSizeListArray.from_arrays(flat, world.features.shape[1]),
            "split": world.splits.tolist(),
            "label": [f"class{c}" for c in world.given],
        }
    )
    project = tilth.init(table, label="label", id="row_id", split="split", embedding=["vector"], folder=folder)
    path = folder / "tilth.yaml"
    text = path.read_text().replace("metric: balanced_accuracy", "metric: accuracy").replace("seed: 0", f"seed: {seed}")
    path.write_text(text)
    del project
    return tilth.open(folder)


def _answer(project: Project, world: World, path: Path) -> int:
    """Ask, answer by the truth, and run again; returns how many answers were given."""
    questions = project.ask(top=ANSWERS).to_pylist()
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["row_id", "answer"])
        writer.writeheader()
        for question in questions:
            truth = world.truth[int(question["row_id"][1:])]
            writer.writerow({"row_id": question["row_id"], "answer": f"class{truth}"})
    project.answer(path)
    project.run()
    return len(questions)


def _right(project: Project, version: str, world: World) -> Vector:
    flat = pa.array(world.clean.ravel())
    table = pa.table({"vector": pa.FixedSizeListArray.from_arrays(flat, world.clean.shape[1])})
    predicted = project.predict(table, version=version).table.column("prediction").to_pylist()
    codes = np.array([int(name.removeprefix("class")) for name in predicted])
    return np.asarray(codes == world.clean_truth, dtype=float)


class _Offline:
    """Recipes that take what they propose: the same features, scaling and learner, train rows alone."""

    def __init__(self, world: World, learner: Linear) -> None:
        self._world, self._penalty = world, learner.penalty
        features = world.features[world.train]
        scale = float(np.sqrt((features.astype(np.float64) ** 2).sum(axis=1).mean()))
        self._features, self._clean = features / scale, world.clean / scale
        self._given = world.given[world.train]
        self._folds = np.random.default_rng(0).integers(0, 5, len(self._given))
        self._design = softmax_regression.prepare(self._features, learner.penalty / len(self._given))
        self._projected = self._design.project(self._features)

    def right(
        self,
        targets: Matrix,
        weights: Vector | None = None,
        transition: Matrix | None = None,
        penalty: float | None = None,
    ) -> Vector:
        """Return which clean rows a model fitted to these targets gets right."""
        fitted = self._fit(targets, np.ones(len(targets)) if weights is None else weights, transition, penalty)
        found = softmax_regression.predict_proba(self._design.project(self._clean), fitted).argmax(axis=1)
        return np.asarray(found == self._world.clean_truth, dtype=float)

    def _fit(
        self, targets: Matrix, weights: Vector, transition: Matrix | None = None, penalty: float | None = None
    ) -> softmax_regression.SoftmaxFit:
        from dataclasses import replace

        design = replace(self._design, l2=(penalty or self._penalty) / weights.sum())
        return softmax_regression.fit(self._projected, targets, weights, design, transition=transition)

    def pred_probs(self, penalty: float | None = None) -> Matrix:
        """Return five-fold out-of-sample predictions from the given labels."""
        targets, found = np.eye(K)[self._given], np.zeros((len(self._given), K))
        for fold in range(5):
            inside = (self._folds != fold).astype(float)
            fitted = self._fit(targets, inside, penalty=penalty)
            outside = np.flatnonzero(inside == 0)
            found[outside] = softmax_regression.predict_proba(self._projected[outside], fitted)
        return found

    def recipes(self) -> dict[str, Callable[[], Vector]]:
        """Return the arms by name."""
        given, own, hot = self._given, np.arange(len(self._given)), np.eye(K)[self._given]
        probs = self.pred_probs()
        transition = noise_transition(confident_joint(given, probs))
        confirmed = denoise(self._features, given, self._folds, K, self._penalty)
        counted = truth_posterior(given, probs)
        n_doubted = int((counted[own, given] <= 0.5).sum())
        dropped = np.ones(len(given))
        dropped[np.random.default_rng(1).choice(len(given), n_doubted, replace=False)] = 0.0
        return {
            "placebo: random drops": lambda: self.right(hot, dropped),
            "prune, counted noise": lambda: self.right(hot, (counted[own, given] > 0.5).astype(float)),
            "prune, confirmed noise": lambda: self.right(hot, (confirmed.truth[own, given] > 0.5).astype(float)),
            "soft labels, counted noise": lambda: self.right(counted),
            "soft labels, confirmed noise": lambda: self.right(confirmed.truth),
            "forward correction, counted noise": lambda: self.right(hot, transition=transition),
            "forward correction, confirmed noise": lambda: self.right(hot, transition=confirmed.transition),
            "tuning the model": self._tuned,
            **self._cleanlab(probs),
        }

    def _tuned(self) -> Vector:
        """A finer search of the penalty by cross-validated accuracy on the given labels."""
        penalties = self._penalty * np.geomspace(1 / 30, 30, 15)
        scores = [(self.pred_probs(p).argmax(axis=1) == self._given).mean() for p in penalties]
        return self.right(np.eye(K)[self._given], penalty=float(penalties[int(np.argmax(scores))]))

    def _cleanlab(self, probs: Matrix) -> dict[str, Callable[[], Vector]]:
        try:
            from cleanlab.filter import find_label_issues
        except ImportError:
            return {}
        issues = find_label_issues(self._given, probs, n_jobs=1)
        hot = np.eye(K)[self._given]
        relabelled = np.where(issues[:, None], np.eye(K)[probs.argmax(axis=1)], hot)
        return {
            "cleanlab, pruned": lambda: self.right(hot, (~issues).astype(float)),
            "cleanlab, relabelled": lambda: self.right(relabelled),
        }
