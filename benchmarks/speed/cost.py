"""What tilth costs: CPU seconds and peak memory of runs by stage, of growth, of a changed source, of relabelling, of starting.

    python -m benchmarks cost [sets] [scale] [rerun] [relabel] [start] [--sets NAME …] [--rows N …] [--steps SHARE]

Every figure is of a fresh process: CPU seconds (user and system) and peak resident memory as the kernel counts them for it alone.
Stages are what passes between two calls of the progress callback, in CPU seconds; a stage's memory is the peak up to its end.
One BLAS thread.

sets     `init` and `run` on public sets, as `all_sets` makes them into projects; cifar10 comes with fixed embeddings (256
         principal components of EfficientNet-lite0) in the place of its images, cifar10_images with its images.
scale    `init` and `run` on a synthetic table (seed 0): 12 numbers, 8 categories, two classes, 5 % of the labels turned.
rerun    the run again after one number changed in 1 % of the rows of that table.
relabel  the commit of 1 % new labels in 1,000,000 rows that hold a 384-d embedding, and the bytes that it adds to the store.
start    `import tilth` and `tilth --help`, best of five.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks._process import spent

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
AIMS = {"sets": (120.0, 2_000.0), "scale": (1_200.0, 4_000.0)}
SETS = ("banking77", "adult", "cifar10", "cifar10_images")
STAGES = ("init", "read", "commit", "encode", "fit", "find", "propose", "screen", "try", "look")


def main(arguments: list[str]) -> int:
    """Print the tables that are asked for, or all of them."""
    parts = {"sets": sets, "scale": scale, "rerun": rerun, "relabel": relabel, "start": start}
    parser = argparse.ArgumentParser(prog="python -m benchmarks cost")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(parts))
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--rows", nargs="+", type=int, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--steps", type=float, default=0.05, help="show steps that take this share of the CPU time")
    options = parser.parse_args(arguments)
    unknown = set(options.parts) - parts.keys()
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(parts)}")
    print(f"tilth on Python {sys.version.split()[0]}, {platform.machine()}, seed 0", flush=True)
    for name in options.parts or parts:
        print(f"\n## {name}\n", flush=True)
        parts[name](options)
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What a process took, and the figures that it left."""

    cpu: float
    wall: float
    memory: float
    figures: dict[str, Any]


def measured(piece: str, **values: object) -> Used:
    """Run a piece in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "figures.json")
        given = [f"{name}={value}" for name, value in values.items()]
        code = [sys.executable, "-m", "benchmarks.speed._cost_work", str(target), piece, *given]
        took = spent([sys.executable, "-c", str(values["code"])] if piece == "start" else code)
        if took.status:
            raise RuntimeError(f"{piece} {values}: exit {took.status}\n{took.errors[-3000:]}")
        figures = json.loads(target.read_text()) if target.exists() else {}
    return Used(cpu=took.cpu, wall=took.wall, memory=took.memory, figures=figures)


# -- tables ------------------------------------------------------------------------------------------------------------


def sets(options: argparse.Namespace) -> None:
    """Runs on public sets."""
    if not DATA.exists():
        print("The data is not here: ../shared/data.")
        return
    found = {}
    for name in options.sets:
        with tempfile.TemporaryDirectory() as folder:
            source, how = _source(name, Path(folder))
            found[name] = measured(
                "run", folder=Path(folder, "project"), source=json.dumps(source), options=json.dumps(how)
            )
    _runs(found, *AIMS["sets"], options.steps)


def scale(options: argparse.Namespace) -> None:
    """Runs on the synthetic table, larger and larger."""
    found: dict[str, Used] = {}
    for rows in options.rows:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "table.parquet")
            measured("make", path=path, rows=rows)
            found[f"{rows:,} rows"] = _synthetic(Path(folder), path)
    _runs(found, *AIMS["scale"], options.steps)
    _growth(options.rows, found)


def rerun(options: argparse.Namespace) -> None:
    """The run again after 1 % of the rows changed."""
    print("| rows | run | encode and find, CPU s | share of the first | all, CPU s | MB |\n|---|---|---|---|---|---|")
    for rows in options.rows:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "table.parquet")
            measured("make", path=path, rows=rows)
            first = _synthetic(Path(folder), path)
            measured("change", path=path)
            second = measured("run", folder=Path(folder, "project"))
        base = _encode_and_find(first)
        for name, used in (("first", first), ("after 1 % changed", second)):
            part = _encode_and_find(used)
            share = f"{part / base:.2f} (aim 0.20)" if used is second else ""
            print(f"| {rows:,} | {name} | {part:.1f} | {share} | {used.cpu:.1f} | {used.memory:.0f} |", flush=True)
        print()
        _steps({f"{rows:,} first": first, f"{rows:,} again": second}, options.steps)


def relabel(options: argparse.Namespace) -> None:
    """The commit of a relabelling."""
    print("| rows | relabelled | CPU s | wall s | MB written | aim |\n|---|---|---|---|---|---|")
    rows = max(options.rows)
    with tempfile.TemporaryDirectory() as folder:
        used = measured("relabel", folder=Path(folder, "store"), rows=rows).figures
    print(
        f"| {rows:,} × {384} | {rows // 100:,} | {used['cpu']:.2f} | {used['wall']:.2f} | {used['written']:.2f} "
        f"in {used['files']} files | ≤ 1 s, ≤ 4 MB |"
    )


def start(options: argparse.Namespace) -> None:
    """Importing, and asking for help."""
    del options
    print("| what | CPU s | wall s | MB | aim |\n|---|---|---|---|---|")
    helped = "import sys; sys.argv = ['tilth', '--help']; from tilth.cli import main; main()"
    for name, code in (("python", "pass"), ("import tilth", "import tilth"), ("tilth --help", helped)):
        best = min((measured("start", code=code) for _ in range(5)), key=lambda used: used.cpu)
        print(
            f"| {name} | {best.cpu:.3f} | {best.wall:.3f} | {best.memory:.0f} | {'' if name == 'python' else '≤ 0.2 s'} |"
        )


# -- parts -------------------------------------------------------------------------------------------------------------


def _source(name: str, folder: Path) -> tuple[Any, dict[str, Any]]:
    """Return a set as `init` takes it."""
    if name == "cifar10":
        path = folder / "cifar10.parquet"
        measured("embedded", path=path, data=DATA)
        return str(path), {"label": "worse_label", "embedding": ["vector"]}
    if name == "cifar10_images":
        return str(DATA / "cifar10" / "train_20k.parquet"), {"label": "worse_label"}
    if name == "banking77":
        return {split: str(DATA / "banking77" / f"{split}.parquet") for split in ("train", "test")}, {
            "label": "category"
        }
    return str(DATA / "adult" / "adult.parquet"), {"label": "income"}


def _synthetic(folder: Path, path: Path) -> Used:
    how = json.dumps({"label": "label"})
    return measured("run", folder=folder / "project", source=json.dumps(str(path)), options=how)


def _runs(found: dict[str, Used], most_cpu: float, most_memory: float, share: float) -> None:
    """Print the whole of each run, its stages, and its longest steps."""
    print(
        "| run | rows | learner | trials | CPU s | aim | peak MB | aim | digest of the summary |\n|---|---|---|---|---|---|---|---|---|"
    )
    for name, used in found.items():
        facts = used.figures
        print(
            f"| {name} | {facts['rows']:,} | {facts['learner']} | {len(facts['verdicts'])} | {used.cpu:.1f} | ≤ {most_cpu:.0f} "
            f"| {used.memory:.0f} | ≤ {most_memory:.0f} | {facts['mark']} |"
        )
    print("\nStages, CPU s / peak MB up to there:\n")
    stages = {name: _by_stage(used) for name, used in found.items()}
    known = [stage for stage in (*STAGES, "other") if any(stage in one for one in stages.values())]
    print(f"| run | {' | '.join(known)} |\n|{'---|' * (len(known) + 1)}")
    for name, one in stages.items():
        cells = [f"{one[stage][0]:.1f} / {one[stage][1]:.0f}" if stage in one else "" for stage in known]
        print(f"| {name} | {' | '.join(cells)} |")
    print()
    _steps(found, share)


def _by_stage(used: Used) -> dict[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}
    for step, seconds, peak in used.figures["steps"]:
        stage = step.split(":")[0]
        stage = stage if stage in STAGES else "other"
        before = found.get(stage, (0.0, 0.0))
        found[stage] = (before[0] + seconds, max(before[1], peak))
    return found


def _encode_and_find(used: Used) -> float:
    """Return the CPU seconds of encoding and finding, out-of-sample predictions among it; the learner is chosen but once."""
    counted = ("encode", "find", "fit: out-of-sample")
    return sum(seconds for step, seconds, _ in used.figures["steps"] if step.startswith(counted))


def _steps(found: dict[str, Used], share: float) -> None:
    """Print the steps that take more than a share of the CPU time."""
    print("| run | step | CPU s | peak MB up to there |\n|---|---|---|---|")
    for name, used in found.items():
        for step, seconds, peak in used.figures["steps"]:
            if seconds >= share * used.cpu:
                print(f"| {name} | {step} | {seconds:.1f} | {peak:.0f} |", flush=True)


def _growth(rows: list[int], found: dict[str, Used]) -> None:
    """Print how CPU time grows with the rows: an exponent of 1 is linear."""
    from math import log

    used = list(found.values())
    for before, after, few, many in zip(used, used[1:], rows, rows[1:], strict=False):
        power = log(after.cpu / before.cpu) / log(many / few)
        print(
            f"\nFrom {few:,} to {many:,} rows CPU time grows as n^{power:.2f}, memory {before.memory:.0f} → {after.memory:.0f} MB."
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
