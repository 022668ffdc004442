"""A small network trained on the roman numerals: what label edits and varied rows are worth to it, by themselves and together.

For each seed the competition's train and val images (2,880) are cut anew into train 50 %, dev 25 % and test 25 %; labels are as they came,
in test too. `tilth run` tries and keeps on dev; all scores are of the test part, which no run reads for a choice. "TrivialAugment without a
trial" takes the policy as it is, "another training" is the same rows with another draw: what chance alone does. Intervals are 95 % t
intervals over seeds of paired differences to nothing. The data lies beside the repository, in ../shared/data.

    python -m benchmarks augment_roman [--seeds N] [--first N] [--trials N] [--keep FILE]

Trials, a quarter of an hour each seed, are run with the first N seeds. Finished seeds are read from FILE and added to it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy import stats

import tilth
from tilth.core.edit import Edit
from tilth.core.names import ROW_ID, Split
from tilth.core.policy import Policy
from tilth.core.spec import Spec
from tilth.engine.threads import one_thread
from tilth.loop.project import Project, open_project
from tilth.loop.workshop import Workshop
from tilth.operators.policies import usual_policy
from tilth.store.version import Version

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SEEDS = 5
LABELS, VARIED = "11m", "6m"
"""Budgets of runs, which are counted in work: two edits of labels, and one policy, with their placebos."""
ARMS = ("another training", "TrivialAugment, no trial", "label edits", "varied rows", "both")
_BY = Spec(room="editing", name="augment")


def main(arguments: list[str]) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="augment_roman")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--first", type=int, default=0, help="the first seed that is measured; earlier ones are read")
    parser.add_argument("--trials", type=int, default=SEEDS, help="seeds with which edits are tried too")
    parser.add_argument("--keep", type=Path, default=None)
    options = parser.parse_args(arguments)
    source = DATA / "roman_numerals" / "roman_numerals.parquet"
    if not source.is_file():
        print("roman_numerals is not there: nothing is measured")
        return 0
    rows = pq.read_table(source)
    rows = rows.filter(pc.is_in(rows["split"], pa.array(["train", "val"]))).drop_columns(["split"])
    done = _kept(options.keep)
    for seed in range(options.first, options.seeds):
        if seed not in done:
            done[seed] = _of_seed(rows, seed, tries=seed < options.trials)
            if options.keep is not None:
                with options.keep.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(done[seed]) + "\n")
    _print([done[seed] for seed in sorted(done)])
    return 0


def _kept(path: Path | None) -> dict[int, dict[str, Any]]:
    if path is None or not path.is_file():
        return {}
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {int(line["seed"]): line for line in lines}


def _of_seed(rows: pa.Table, seed: int, *, tries: bool) -> dict[str, Any]:
    """Return the test score of each arm, the edits that were kept, and CPU minutes; without trials, those of what needs none."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        pq.write_table(rows, home / "rows.parquet")
        first = _project(home, seed)
        found: dict[str, Any] = {"seed": seed, "scores": {}, "kept": {}, "minutes": {}}
        start = process_time()
        first.run(budget="1s", only=["add"])  # reads, fits and finds; nothing is tried
        found["scores"]["nothing"] = _test_score(first)
        found["minutes"]["nothing"] = (process_time() - start) / 60
        for arm in ("another training", "TrivialAugment, no trial"):
            start = process_time()
            found["scores"][arm] = _test_score(first, arm)
            found["minutes"][arm] = (process_time() - start) / 60
        if not tries:
            return found
        for arm, budget, verbs in (("label edits", LABELS, ["remove", "relabel"]), ("varied rows", VARIED, ["modify"])):
            own = Project(shutil.copytree(first.folder, home / arm), first.file)
            _run(own, arm, budget, verbs, found)
        both = Project(shutil.copytree(home / "label edits", home / "both"), first.file)
        _run(both, "both", VARIED, ["modify"], found)
        found["minutes"]["both"] += found["minutes"]["label edits"]
        return found


def _project(home: Path, seed: int) -> Project:
    tilth.init(home / "rows.parquet", label="label", id="id", folder=home / "project")
    text = (home / "project" / "tilth.yaml").read_text(encoding="utf-8")
    text = text.replace("learner: auto", "learner: convnet").replace("seed: 0", f"seed: {seed}")
    text = text.replace("metric: balanced_accuracy", "metric: accuracy")
    text = text.replace("{train: 0.6, dev: 0.2, test: 0.2}", "{train: 0.5, dev: 0.25, test: 0.25}")
    text = text.replace('source: "../rows.parquet"', f'source: "{home / "rows.parquet"}"')
    (home / "project" / "tilth.yaml").write_text(text, encoding="utf-8")
    return open_project(home / "project")


def _run(project: Project, arm: str, budget: str, verbs: list[str], found: dict[str, Any]) -> None:
    start = process_time()
    summary = project.run(budget=budget, only=verbs, again=True)
    found["kept"][arm] = [str(trial.operator) for trial in summary.trials if trial.verdict == "kept"]
    found["minutes"][arm] = (process_time() - start) / 60
    found["scores"][arm] = _test_score(project)


def _test_score(project: Project, arm: str = "") -> float:
    """Return the accuracy on test rows of the latest version's model, or of an arm that no run makes."""
    repository = project.repository()
    with one_thread():
        workshop = Workshop(project.file, repository, seed=project.file.seed)
        version = repository.latest
        assert version is not None, "the project was run"
        bench = workshop.bench(version)
        model = bench.baseline if not arm else bench.fit_edited(_edit(workshop, version, arm))
        judged = bench.judged(Split.TEST)
        return float(bench.scores(bench.predict(model, judged.positions), judged).mean())


def _edit(workshop: Workshop, version: Version, arm: str) -> Edit:
    policy = Policy.identity(salt=1)
    if arm != "another training":
        policy = usual_policy(workshop.variations(version).facts, "trivial")
    ids = workshop.bench(version).train.column(ROW_ID).combine_chunks()
    return Edit.augmenting(ids, policy.to_text(), operator=_BY, reason="benchmark")


def _print(lines: list[dict[str, Any]]) -> None:
    print("| arm | seeds | test accuracy, % | points over nothing [95 %] | CPU minutes | kept, by seed |")
    print("|---|---|---|---|---|---|")
    for arm in ("nothing", *ARMS):
        mine = [line for line in lines if arm in line["scores"]]
        if not mine:
            continue
        scores, nothing = (np.array([line["scores"][name] for line in mine]) for name in (arm, "nothing"))
        minutes = float(np.mean([line["minutes"][arm] for line in mine]))
        kept = "; ".join(", ".join(line["kept"][arm]) or "–" for line in mine) if arm in mine[0]["kept"] else ""
        print(
            f"| {arm} | {len(mine)} | {100 * scores.mean():.1f} | {_gain(scores - nothing)} | {minutes:.1f} | {kept} |"
        )


def _gain(differences: np.ndarray) -> str:
    mean = 100 * differences.mean()
    if not differences.any():
        return "0"
    if len(differences) < 2:
        return f"{mean:+.1f}"
    half = 100 * stats.t.ppf(0.975, len(differences) - 1) * differences.std(ddof=1) / len(differences) ** 0.5
    return f"{mean:+.1f} [{mean - half:+.1f}, {mean + half:+.1f}]"
