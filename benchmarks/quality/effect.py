"""Effect: points of clean test accuracy that each recipe gains where labels are wrong, beside doing nothing and clean labels.

People's wrong labels (cifar10 by fixed embeddings and by tilth's image encoder, roman_numerals) and planted ones (banking77,
sms_spam, adult at 0, 10 and 30 %); train, dev and test labels are equally dirty, the truth is measured on clean labels. One encoder
and one learner per setting and seed, chosen by cross-validation on the noisy labels by the run itself and held for all arms.
`tilth` is what a run keeps; `tilth, asked` goes on for three rounds of at most 60 answers, given by the truth of the rows it asks about,
and ends with a run. The other arms see the train rows alone and take what they propose without a trial. `tuning the model` spends
the CPU seconds of the run on more settings of the learner, chosen by cross-validated accuracy.
`as seen` is the gain on the test split's own noisy labels, `corrected` the same with their class-dependent noise undone.

    python -m benchmarks effect [SETTING …] [--seeds N] [--asked N] [--tuned N] [--keep FILE [--show]]

Each finished arm is added to FILE at once; settings and seeds that stand there are not run again.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import tilth
from benchmarks.quality import _data as data
from benchmarks.quality._effect_worlds import ID, LABEL, SPLIT, World, settings
from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.names import ROW_ID, Split
from tilth.core.target import Target
from tilth.editing.relabel_through_noise import explained
from tilth.encoding._blocks import encode_blocks
from tilth.learning._crossfit import fold_numbers, out_of_sample
from tilth.learning.boosting import Boosting
from tilth.learning.linear import Linear
from tilth.loop.bench import Bench
from tilth.loop.held import reading_workshop
from tilth.loop.look import corrected_gain
from tilth.loop.project import Project
from tilth.numerics import softmax_regression
from tilth.numerics.denoising import denoise
from tilth.numerics.noise import confident_joint, noise_transition, truth_posterior
from tilth.operators.batch import batches
from tilth.operators.protocols import Learner
from tilth.operators.view import View
from tilth.sources import normalise

ROUNDS, ANSWERS = 3, 60
TILTH, ASKED, CLEAN, NOTHING = "tilth", "tilth, asked", "clean labels", "nothing"
LAST = "placebo: random drops"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One arm of one setting and seed; gains are over doing nothing, with their standard errors."""

    setting: str
    seed: int
    arm: str
    accuracy: float
    gain: float
    error: float
    seen: float | None = None
    corrected: float | None = None
    answers: int = 0
    kept: int | None = None
    seconds: float = 0.0
    learner: str = ""


def main(arguments: list[str]) -> int:
    """Run all arms in the named settings, then sum up."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks effect")
    known = settings()
    parser.add_argument("settings", nargs="*", metavar="SETTING", default=list(known))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--asked", type=int, default=1, help="seeds in which questions are asked too")
    parser.add_argument("--tuned", type=int, default=5, help="seeds in which the model is tuned too")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--show", action="store_true", help="run nothing: show what FILE holds")
    options = parser.parse_args(arguments)
    lines = _kept(options.keep)
    there = {(line.setting, line.seed) for line in lines if line.arm == LAST}
    for seed in () if options.show else range(options.first, options.seeds):
        for name in options.settings:
            if (name, seed) in there:
                continue
            try:
                world = known[name](seed)
            except data.AbsentError as absent:
                print(absent)
                continue
            lines = [line for line in lines if (line.setting, line.seed) != (name, seed)]
            for line in _arms(name, seed, world, asked=seed < options.asked, tuned=seed < options.tuned):
                lines.append(line)
                _keep(options.keep, line)
    whole = {(line.setting, line.seed) for line in lines if line.arm == LAST}
    _show([line for line in lines if line.setting in options.settings and (line.setting, line.seed) in whole])
    return 0


def _kept(path: Path | None) -> list[Line]:
    if path is None or not path.exists():
        return []
    found = [Line(**json.loads(text)) for text in path.read_text().splitlines()]
    return list({(line.setting, line.seed, line.arm): line for line in found}.values())


def _keep(path: Path | None, line: Line) -> None:
    if path is not None:
        with path.open("a") as file:
            file.write(json.dumps(asdict(line)) + "\n")


# -- the arms of one setting and seed ----------------------------------------------------------------------------------


def _arms(name: str, seed: int, world: World, *, asked: bool, tuned: bool) -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as folder:
        project = _project(world, Path(folder), seed)
        started = time.process_time()
        project.run()
        seconds = time.process_time() - started
        before = project.repository().versions()[0].version
        with reading_workshop(project.file, project.repository(), project.repository().version(before)) as workshop:
            version = project.repository().version(before)
            bench = workshop.bench(version)
            typed, _ = normalise(world.clean, version.schema, serving=True, day_first=version.source.get("day_first"))
            fitted = workshop.columns(version)
            rows = typed.append_column(ROW_ID, pa.array([str(i) for i in range(typed.num_rows)], pa.string()))
            clean = bench.view(
                rows, encode_blocks(fitted, batches(rows, [column.name for column in fitted]), rows.num_rows)
            )
            offline = _Offline(bench, clean, world, seed)
            base = offline.fitted(offline.given)
            line = _Measure(name, seed, offline, base)
            yield line(NOTHING, base)
            yield line(CLEAN, offline.clean())
            yield line(TILTH, _of_version(project, offline), seconds=seconds, kept=_n_kept(project))
            if asked:
                n = sum(_answer(project, world, Path(folder) / f"{r}.csv") for r in range(ROUNDS))
                yield line(ASKED, _of_version(project, offline), answers=n, kept=_n_kept(project))
            if tuned:
                yield line("tuning the model", offline.tuned(seconds), seconds=seconds)
            for arm, recipe in offline.recipes().items():
                began = time.process_time()
                predict = recipe()
                yield line(arm, predict, seconds=time.process_time() - began)


Predict = Callable[[View], Matrix]


class _Measure:
    """Scores what an arm learnt on the clean rows, and on the test split as its user would."""

    def __init__(self, setting: str, seed: int, offline: _Offline, base: Predict) -> None:
        self._setting, self._seed, self._offline = setting, seed, offline
        self._base, self._base_test = offline.right(base), base(offline.test)

    def __call__(
        self, arm: str, predict: Predict, *, answers: int = 0, kept: int | None = None, seconds: float = 0.0
    ) -> Line:
        right, test = self._offline.right(predict), predict(self._offline.test)
        gains = right - self._base
        judged, bench = self._offline.judged, self._offline.bench
        seen = bench.scores(test, judged) - bench.scores(self._base_test, judged)
        corrected = corrected_gain(bench, judged, self._base_test, test)
        return Line(
            setting=self._setting,
            seed=self._seed,
            arm=arm,
            accuracy=float(right.mean()),
            gain=float(gains.mean()),
            error=float(gains.std() / np.sqrt(len(gains))),
            seen=float(seen.mean()),
            corrected=None if corrected is None else corrected.value,
            answers=answers,
            kept=kept,
            seconds=round(seconds, 1),
            learner=str(bench.learner),
        )


def _project(world: World, folder: Path, seed: int) -> Project:
    tilth.init(world.table, label=LABEL, id=ID, split=SPLIT, folder=folder, **world.kinds)
    path = folder / "tilth.yaml"
    text = path.read_text().replace("metric: balanced_accuracy", "metric: accuracy").replace("seed: 0", f"seed: {seed}")
    path.write_text(text)
    return tilth.open(folder)


def _n_kept(project: Project) -> int:
    return sum(trial["verdict"] == "kept" for trial in project.repository().records("run")[-1]["summary"]["trials"])


def _answer(project: Project, world: World, path: Path) -> int:
    """Ask, answer by the truth where it is known, and run again; returns how many answers were given."""
    questions = [question["row_id"] for question in project.ask(top=ANSWERS).to_pylist()]
    answers = [
        (row, truth) for row, truth in zip(questions, world.truth_of(questions), strict=True) if truth is not None
    ]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("row_id", "answer"), *answers])
    project.answer(path)
    project.run()
    return len(answers)


def _of_version(project: Project, offline: _Offline) -> Predict:
    """Return the model of the project's latest version, by the encoders and the learner that are held."""
    repository = project.repository()
    version = repository.version(repository.versions()[-1].version)
    with reading_workshop(project.file, repository, version) as workshop:
        bench = workshop.bench(version)
        model = bench.baseline
    return lambda view: offline.bench.learner.predict_proba(view, model)


class _Offline:
    """Recipes that take what they propose: the same features and learner, train rows alone."""

    def __init__(self, bench: Bench, clean: View, world: World, seed: int) -> None:
        self.bench, self._clean = bench, clean
        classes = np.asarray(bench.schema.task.classes, dtype=object)
        codes = {name: code for code, name in enumerate(classes)}
        self._clean_truth = np.array([codes[name] for name in world.clean_truth])
        ids = bench.train.column(ROW_ID).to_pylist()
        self._labels = bench.labels(bench.train)[0].astype(np.intp)
        self._truth = np.array([codes.get(name, -1) for name in world.truth_of(ids)])
        self._seed, self._k = seed, len(classes)
        self.judged = bench.judged(Split.TEST)

    @cached_property
    def test(self) -> View:
        """The test split as its user has it."""
        at = self.judged.positions
        return self.bench.view(self.bench.table.take(pa.array(at)), self.bench.features[at])

    @cached_property
    def _view(self) -> View:
        return self.bench.view(self.bench.train, self.bench.train_features)

    @property
    def given(self) -> Matrix:
        """The given labels, one-hot."""
        return np.asarray(np.eye(self._k)[self._labels])

    def right(self, predict: Predict) -> Vector:
        """Return which clean rows are predicted right."""
        return np.asarray(predict(self._clean).argmax(axis=1) == self._clean_truth, dtype=float)

    def clean(self) -> Predict:
        """Return the model of the true labels; rows without a truth are left out."""
        known = self._truth >= 0
        return self.fitted(np.eye(self._k)[np.maximum(self._truth, 0)], known.astype(float))

    def fitted(self, targets: Matrix, weights: Vector | None = None, learner: Learner | None = None) -> Predict:
        """Return the model fitted to these targets."""
        learner = learner or self.bench.learner
        weights = np.ones(len(targets)) if weights is None else weights
        target = Target.soft(targets, weights > 0, weights)
        prepared = self.bench.prepared if learner == self.bench.learner else None
        model = learner.fit(self._view, target, prepared=prepared)
        return lambda view: learner.predict_proba(view, model)

    def _through(self, transition: Matrix) -> Predict:
        """Return the linear model of the truth fitted through a transition."""
        learner, ready = self.bench.learner, self.bench.prepared
        design = replace(ready.design, l2=learner.penalty / len(self._labels))
        weights = np.ones(len(self._labels))
        found = softmax_regression.fit(ready.projected, self.given, weights, design, transition=transition)
        coefficients, intercepts = softmax_regression.feature_coefficients(design, found)
        return lambda view: view.embeddings @ coefficients + intercepts

    def _explained(self, transition: Matrix, penalty: float) -> Predict:
        """Return the model of the targets that `relabel_through_noise` gives, for all rows."""
        return self.fitted(explained(self.bench.train_features, self._labels, transition, penalty))

    def recipes(self) -> dict[str, Callable[[], Predict]]:
        """Return the arms by name."""
        given, own = self._labels, np.arange(len(self._labels))
        probs = self._pred_probs(self.bench.learner)
        counted = truth_posterior(given, probs)
        held = self.bench.learner.penalty if isinstance(self.bench.learner, Linear) else 1.0
        confirmed = denoise(self.bench.train_features, given, self._folds, self._k, held)
        dropped = np.ones(len(given))
        n_doubted = int((counted[own, given] <= 0.5).sum())
        dropped[np.random.default_rng(1).choice(len(given), n_doubted, replace=False)] = 0.0
        arms: dict[str, Callable[[], Predict]] = {
            "prune, counted noise": lambda: self.fitted(self.given, (counted[own, given] > 0.5).astype(float)),
            "prune, confirmed noise": lambda: self.fitted(
                self.given, (confirmed.truth[own, given] > 0.5).astype(float)
            ),
            "soft labels, counted noise": lambda: self.fitted(counted),
            "soft labels, confirmed noise": lambda: self.fitted(confirmed.truth),
        }
        if isinstance(self.bench.learner, Linear):
            counted_transition = noise_transition(confident_joint(given, probs))
            arms["forward correction, counted noise"] = lambda: self._through(counted_transition)
            arms["forward correction, confirmed noise"] = lambda: self._through(confirmed.transition)
            for penalty in (1.0, 0.3):
                arms[f"posterior through counted noise, penalty {penalty:g}"] = partial(
                    self._explained, counted_transition, penalty
                )
        return arms | self._cleanlab(probs) | {LAST: lambda: self.fitted(self.given, dropped)}

    @cached_property
    def _folds(self) -> IntVector:
        return fold_numbers(self._view.ids, self._target, seed=self._seed)

    @cached_property
    def _target(self) -> Target:
        return Target.classes(self._labels, np.ones(len(self._labels), dtype=bool), self._k)

    def _pred_probs(self, learner: Learner) -> Matrix:
        return np.asarray(out_of_sample(learner, self._view, self._target, self._folds))

    def _cleanlab(self, probs: Matrix) -> dict[str, Callable[[], Predict]]:
        try:
            from cleanlab.filter import find_label_issues
        except ImportError:
            return {}
        issues = find_label_issues(self._labels, probs, n_jobs=1)
        relabelled = np.where(issues[:, None], np.eye(self._k)[probs.argmax(axis=1)], self.given)
        return {
            "cleanlab, pruned": lambda: self.fitted(self.given, (~issues).astype(float)),
            "cleanlab, relabelled": lambda: self.fitted(relabelled),
        }

    def tuned(self, seconds: float) -> Predict:
        """Draw settings of the learner for so many CPU seconds; the best by cross-validated accuracy on the given labels."""
        rng, held = np.random.default_rng([self._seed, 7]), self.bench.learner
        best, best_score, started = held, self._score(held), time.process_time()
        while time.process_time() - started < seconds:
            drawn = _near(held, rng)
            score = self._score(drawn)
            if score > best_score:
                best, best_score = drawn, score
        return self.fitted(self.given, learner=best)

    def _score(self, learner: Learner) -> float:
        return float((self._pred_probs(learner).argmax(axis=1) == self._labels).mean())


def _near(held: Learner, rng: np.random.Generator) -> Learner:
    """Draw a setting of a learner around the one that is held."""
    if isinstance(held, Linear):
        return Linear(penalty=float(held.penalty * 30 ** rng.uniform(-1, 1)))
    assert isinstance(held, Boosting)
    return Boosting(
        iterations=round(held.iterations * 3 ** rng.uniform(-1, 1)),
        leaves=max(2, round(held.leaves * 3 ** rng.uniform(-1, 1))),
        rate=float(held.rate * 3 ** rng.uniform(-1, 1)),
    )


# -- tables ------------------------------------------------------------------------------------------------------------


def _show(lines: Sequence[Line]) -> None:
    arms = list(dict.fromkeys(line.arm for line in lines))
    by = {(line.setting, line.seed, line.arm): line for line in lines}
    cells = list(dict.fromkeys((line.setting, line.seed) for line in lines))
    _show_pooled(by, cells, arms)
    for setting in dict.fromkeys(setting for setting, _ in cells):
        _show_setting(setting, [seed for name, seed in cells if name == setting], by, arms)


def _show_setting(setting: str, seeds: list[int], by: dict[tuple[str, int, str], Line], arms: list[str]) -> None:
    base = by[setting, seeds[0], NOTHING]
    print(f"\n### {setting}: seeds {', '.join(map(str, seeds))}; held {base.learner}\n")
    print("| arm | accuracy | gain, 95 % | share of the gap | as seen | corrected | kept | answers | CPU s |")
    print("|---|---|---|---|---|---|---|---|---|")
    gap = _mean([by[setting, seed, CLEAN] for seed in seeds], "gain")
    clear = gap > 3 * _error([by[setting, seed, CLEAN] for seed in seeds])
    for arm in arms:
        found = [by[setting, seed, arm] for seed in seeds if (setting, seed, arm) in by]
        if found:
            gain, error = _mean(found, "gain"), _error(found)
            kept = "" if found[0].kept is None else "/".join(str(line.kept) for line in found)
            share = f"{gain / gap:.2f}" if clear else ""
            print(
                f"| {arm} | {_mean(found, 'accuracy'):.4f} | {gain:+.4f} ± {1.96 * error:.4f} | {share} "
                f"| {_mean(found, 'seen'):+.4f} | {_text(_mean(found, 'corrected'))} | {kept} | {_mean(found, 'answers'):.0f} "
                f"| {_mean(found, 'seconds'):.0f} |"
            )


def _show_pooled(by: dict[tuple[str, int, str], Line], cells: list[tuple[str, int]], arms: list[str]) -> None:
    """Means over settings; intervals by settings drawn with replacement, which clusters the seeds of one."""
    n_settings = len({setting for setting, _ in cells})
    print(f"\n### pooled over {n_settings} settings, {len(cells)} settings and seeds\n")
    print("| arm | gain, 95 % | tilth over it, 95 % | settings clearly below nothing / clearly above | CPU s |")
    print("|---|---|---|---|---|")
    for arm in arms:
        mine = [cell for cell in cells if (*cell, arm) in by]
        if not mine:
            continue
        gains = {cell: by[(*cell, arm)].gain for cell in mine}
        over = {cell: by[(*cell, TILTH)].gain - gains[cell] for cell in mine}
        names = dict.fromkeys(setting for setting, _ in mine)
        grouped = [[by[(*cell, arm)] for cell in mine if cell[0] == name] for name in names]
        z = [_mean(found, "gain") / max(_error(found), 1e-9) for found in grouped]
        worse, better = sum(value < -1.96 for value in z), sum(value > 1.96 for value in z)
        seconds = _mean([by[(*cell, arm)] for cell in mine], "seconds")
        print(
            f"| {arm} | {_clustered(gains)} | {_clustered(over)} | {worse} / {better} of {len(names)} | {seconds:.0f} |"
        )


def _clustered(values: dict[tuple[str, int], float]) -> str:
    names = list(dict.fromkeys(setting for setting, _ in values))
    means = np.array([np.mean([value for (setting, _), value in values.items() if setting == name]) for name in names])
    drawn = np.random.default_rng(0).integers(0, len(means), (4_000, len(means)))
    low, high = np.quantile(means[drawn].mean(axis=1), [0.025, 0.975])
    return f"{means.mean():+.4f} [{low:+.4f}, {high:+.4f}]"


def _mean(lines: Sequence[Line], field: str) -> float:
    values = [value for value in (getattr(line, field) for line in lines) if value is not None]
    return float(np.mean(values)) if values else float("nan")


def _error(lines: Sequence[Line]) -> float:
    """Return the standard error of the mean gain: of the clean rows within seeds, or of the seeds where they spread more."""
    gains = np.array([line.gain for line in lines])
    within = float(np.sqrt(np.mean([line.error**2 for line in lines]) / len(lines)))
    between = float(gains.std(ddof=1) / np.sqrt(len(gains))) if len(gains) > 1 else 0.0
    return max(within, between)


def _text(value: Any) -> str:
    return "" if np.isnan(value) else f"{value:+.4f}"
