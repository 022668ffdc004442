"""Near-duplicates and neighbour checks beside their peers: CPU seconds, peak memory, what is found of what is there.

    python -m benchmarks near [texts] [images] [checks] [--rows N] [--vectors N …] [--repeats N] [--limit S]

Every arm runs in a fresh process: CPU seconds (user and system) and peak resident memory as the kernel counts them for it alone,
starting and importing included; medians of the repeats, one run of what takes more than 20 CPU s and of the checks. One BLAS
thread. Seed 0 makes the data. The peers come by `uv sync --group peers`; the arms of those that are missing are left out.

texts    sms_spam, and 100,000 made texts: walks along the word pairs of the shared texts, a fifth of them with up to one word in
         twelve changed. The truth is every pair of distinct texts (case and white space folded, as all arms do first) whose sets
         of five-character shingles have a Jaccard similarity of at least 0.8: by all pairs for sms_spam, by an exact prefix
         filter for the rest. Peers propose; *verified* adds the exact similarity of what they propose, by Python sets.
images   roman_numerals, and of 300 of its images four copies each. *Apart*: pairs of two different originals with different
         labels, which can be no copies; the other pairs of different originals are not known to be either.
checks   vectors of 384 numbers, ten classes, as a table with an embedding column. 1 % outliers, 1 % near copies, 5 % of the labels
         turned. `tilth.find` reads the file, tunes and fits its learner out of sample, and runs all its other checks as well; the
         step that asks for the neighbours first pays for the search. Datalab is given the vectors and labels, within a limit of
         CPU seconds. Rows wrongly flagged are counted as false; a near copy and its original count once.

The data lies beside the repository, in ../shared/data.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, SIGXCPU
from statistics import median
from typing import Any

from benchmarks._process import spent

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
MOST_CPU, MOST_MEMORY = 60.0, 1_000.0
LONG = 20.0
"""CPU seconds from which on a run is not repeated."""
LIBRARIES = ("rensa", "datasketch", "imagehash", "cleanlab")
Arm = tuple[str, str, dict[str, object]]
"""What it is called, the piece that runs, and its settings."""


def main(arguments: list[str]) -> int:
    """Print the tables that are asked for, or all of them."""
    parts = {"texts": texts, "images": images, "checks": checks}
    parser = argparse.ArgumentParser(prog="python -m benchmarks near")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(parts))
    parser.add_argument("--rows", type=int, default=100_000, help="made texts")
    parser.add_argument("--vectors", type=int, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--limit", type=int, default=120, help="CPU seconds that Datalab gets")
    options = parser.parse_args(arguments)
    unknown = set(options.parts) - parts.keys()
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(parts)}")
    if not DATA.exists():
        print("The data is not here: ../shared/data.")
        return 0
    told = ", ".join(f"{name} {_version(name)}" for name in ("numpy", "pyarrow", *LIBRARIES))
    print(f"Python {sys.version.split()[0]}, {told}; seed 0, {options.repeats} repeats", flush=True)
    for name in options.parts or parts:
        print(f"\n## {name}\n", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            parts[name](options, Path(folder))
    return 0


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What a process took, and the figures that it left; None of them where it was stopped for its CPU time."""

    cpu: float
    memory: float
    figures: dict[str, Any] | None


def measured(piece: str, **values: object) -> Used:
    """Run a piece in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "figures.json")
        given = [f"{name}={value}" for name, value in values.items()]
        took = spent([sys.executable, "-m", "benchmarks.speed._near_work", str(target), piece, *given])
        ran_out = "limit" in values and took.cpu > 0.9 * float(str(values["limit"]))
        stopped = ran_out and took.status in (-SIGXCPU, -SIGKILL)
        if took.status and not stopped:
            raise RuntimeError(f"{piece} {values}: exit {took.status}\n{took.errors[-3000:]}")
        figures = None if stopped else json.loads(target.read_text())
    return Used(cpu=took.cpu, memory=took.memory, figures=figures)


def figures_of(piece: str, **values: object) -> dict[str, Any]:
    """Return the figures of a piece that is not timed."""
    return measured(piece, **values).figures or {}


def repeated(piece: str, repeats: int, **values: object) -> Used:
    """Return medians over some runs, one where it is long; figures are those of the last."""
    runs = [measured(piece, **values)]
    while len(runs) < repeats and runs[0].cpu < LONG:
        runs.append(measured(piece, **values))
    figures = dict(runs[-1].figures or {})
    if "proposed" in figures:
        told = [(run.figures or {})["proposed"] for run in runs]
        figures["proposed"] = {name: median(one[name] for one in told) for name in told[0]}
    return Used(cpu=median(r.cpu for r in runs), memory=median(r.memory for r in runs), figures=figures)


def present(arms: list[Arm]) -> list[Arm]:
    """Return the arms whose libraries can be imported; say which cannot."""
    absent = {name for name in LIBRARIES if importlib.util.find_spec(name) is None}
    for name in sorted({arm[2]["library"] for arm in arms} & absent, key=str):
        print(f"{name} is not installed: its arms are left out (see the first lines of this module).\n")
    return [
        (name, piece, {key: value for key, value in settings.items() if key != "library"})
        for name, piece, settings in arms
        if settings["library"] not in absent
    ]


# -- texts -------------------------------------------------------------------------------------------------------------


def text_arms() -> list[Arm]:
    """Return all ways to search texts."""
    arms: list[Arm] = [
        ("reading the texts, no search", "load", {"library": ""}),
        ("tilth", "tilth", {"library": ""}),
        ("tilth with signatures by rensa", "rensa_in_tilth", {"library": "rensa"}),
    ]
    for minima, bands in ((64, 8), (64, 16), (128, 16), (128, 32), (256, 32)):
        name = f"rensa, {minima} minima in {bands} bands"
        arms.append((name, "rensa", {"library": "rensa", "minima": minima, "bands": bands}))
    words = {"library": "rensa", "minima": 128, "bands": 16, "unit": "words"}
    arms.append(("rensa of words, 128 minima in 16 bands", "rensa", words))
    chosen = ({"library": "datasketch", "minima": minima} for minima in (64, 128, 256))
    arms += [(f"datasketch, {one['minima']} minima", "datasketch", one) for one in chosen]
    quick = {"library": "datasketch", "minima": 128, "bands": 25, "hashing": "crc32"}
    arms.append(("datasketch, 128 minima in 25 bands, CRC-32 for SHA-1", "datasketch", quick))
    return arms


def texts(options: argparse.Namespace, folder: Path) -> None:
    """Texts: tilth, rensa, datasketch."""
    arms = present(text_arms())
    for name, rows in (("sms_spam", 0), (f"{options.rows:,} made texts", options.rows)):
        paths = {"path": folder / f"{rows}.parquet", "truth": folder / f"{rows}.npy"}
        about = figures_of("make_texts", data=DATA, rows=rows, **paths)
        print(
            f"{name}: {about['rows']:,} texts, {about['distinct']:,} of them distinct, half of them longer than "
            f"{about['characters']} characters; {about['pairs']:,} pairs are near, of {about['near']:,} texts.\n"
        )
        print(
            "| arm | CPU s | peak MB | pairs | recall of pairs | of texts | precision |\n|---|---|---|---|---|---|---|"
        )
        for arm in arms:
            _text_lines(arm, paths, options.repeats, folder / "pairs.npy")
        print()


def _text_lines(arm: Arm, paths: dict[str, Path], repeats: int, pairs: Path) -> None:
    name, piece, settings = arm
    used = repeated(piece, repeats, path=paths["path"], pairs=pairs, **settings)
    figures = used.figures or {}
    numbers = "distinct" if "proposed" in figures else "rows"
    if "bands" in figures:
        name += f" (bands × rows: {figures['bands']})"
    if "proposed" in figures:
        before, proposed = figures["proposed"], pairs.with_name("pairs_proposed.npy")
        scored = figures_of("score_texts", pairs=proposed, numbers=numbers, **paths)
        print(f"| {name} | {before['cpu']:.2f} | {before['memory']:.0f} | {_scores(scored)}")
        name += ", verified"
    scored = {} if piece == "load" else figures_of("score_texts", pairs=pairs, numbers=numbers, **paths)
    print(f"| {name} | {used.cpu:.2f} | {used.memory:.0f} | {_scores(scored) if scored else '| | | |'}", flush=True)


def _scores(scored: dict[str, Any]) -> str:
    precision = "–" if scored["precision"] is None else f"{scored['precision']:.3f}"
    return f"{scored['found']:,} | {scored['recall']:.4f} | {scored['texts']:.4f} | {precision} |"


# -- images ------------------------------------------------------------------------------------------------------------


def images(options: argparse.Namespace, folder: Path) -> None:
    """Images: tilth, and perceptual hashes by imagehash."""
    if not (DATA / "roman_numerals").exists():
        print("roman_numerals is not here.")
        return
    path, pairs = folder / "images.parquet", folder / "pairs.npy"
    about = figures_of("make_images", path=path, data=DATA, copies=300)
    kinds = about["kinds"]
    print(f"roman_numerals with 300 × {len(kinds)} planted copies: {about['rows']:,} images.\n")
    arms: list[Arm] = [("decoding, no search", "decode", {"library": ""}), ("tilth", "tilth_images", {"library": ""})]
    for kind in ("phash", "dhash"):
        for bits in (2, 4, 8):
            settings = {"library": "imagehash", "kind": kind, "bits": bits}
            arms.append((f"imagehash {kind}, at most {bits} of 64 bits apart", "hashed_images", settings))
    print(f"| arm | CPU s | peak MB | recall | {' | '.join(kinds)} | pairs | of one original | apart |")
    print(f"|{'---|' * (7 + len(kinds))}")
    for name, piece, settings in present(arms):
        used = repeated(piece, options.repeats, path=path, pairs=pairs, **settings)
        cells = "| " * (4 + len(kinds)) + "|"
        if piece != "decode":
            facts = figures_of("score_images", path=path, pairs=pairs)
            each = " | ".join(f"{one:.3f}" for one in facts["recall"])
            cells = f"{facts['all']:.3f} | {each} | {facts['found']:,} | {facts['family']:,} | {facts['apart']:,} |"
        print(f"| {name} | {used.cpu:.2f} | {used.memory:.0f} | {cells}", flush=True)


# -- checks ------------------------------------------------------------------------------------------------------------


def checks(options: argparse.Namespace, folder: Path) -> None:
    """Checks by neighbours: tilth.find, and Datalab within a limit."""
    base: Arm = ("reading the table", "read_vectors", {"library": ""})
    ours: list[Arm] = [
        ("tilth.find", "find", {"library": "", "splits": 0}),
        ("tilth.find, the table names splits", "find", {"library": "", "splits": 1}),
    ]
    limited = {"library": "cleanlab", "limit": options.limit}
    theirs: list[Arm] = [
        ("Datalab: outlier, near_duplicate, label", "datalab", {**limited, "which": "three"}),
        ("Datalab: all its checks", "datalab", {**limited, "which": "all"}),
    ]
    arms = present([base, *ours, *theirs])
    for rows in options.vectors:
        path, facts = folder / f"{rows}.parquet", folder / f"{rows}.npz"
        figures_of("make_vectors", path=path, facts=facts, rows=rows)
        print(f"{rows:,} × 384\n")
        print("| run | CPU s | aim | peak MB | aim | found of what is planted, false |\n|---|---|---|---|---|---|")
        stopped = False
        for name, piece, settings in arms:
            if stopped:
                print(f"| {name} | | | | | not run: fewer checks were not finished in {options.limit} CPU s |")
                continue
            known = {} if piece == "read_vectors" else {"facts": facts}
            used = measured(piece, path=path, **known, **settings)
            stopped = used.figures is None
            _check_lines(name, piece, used, options.limit)
        print()


def _check_lines(name: str, piece: str, used: Used, limit: int) -> None:
    aims = (f"≤ {MOST_CPU:.0f}", f"≤ {MOST_MEMORY:,.0f}") if piece == "find" else ("", "")
    told = ", ".join(_found(kind, one) for kind, one in (used.figures or {}).get("checks", {}).items())
    if used.figures is None:
        told = f"not finished: stopped at its limit of {limit} CPU s"
    print(f"| {name} | {used.cpu:.1f} | {aims[0]} | {used.memory:,.0f} | {aims[1]} | {told} |", flush=True)
    steps = (used.figures or {}).get("steps", [])
    if steps:
        alone = sum(seconds for step, seconds, _ in steps if step.startswith("find:"))
        print(f"| – its checks alone (`find:`) | {alone:.1f} | {aims[0]} | | | |")
    for group in _steps(steps):
        print(f"| – {group[0]} | {group[1]:.1f} | | {group[2]:,.0f} | | |")


def _found(kind: str, counts: list[int | None]) -> str:
    flagged, right, planted, *rows = counts
    if planted is None:
        return f"{kind} {flagged:,} flagged"
    return f"{kind} {right:,} of {planted:,}, {(flagged or 0) - (rows[0] or 0):,} false"


def _steps(steps: list[list[Any]]) -> list[tuple[str, float, float]]:
    """Return the steps that take at least half a CPU second, and the rest as one."""
    long = [(step, seconds, peak) for step, seconds, peak in steps if seconds >= 0.5]
    rest = sum(seconds for _, seconds, _ in steps if seconds < 0.5)
    return [*long, ("all others", rest, max(peak for *_, peak in steps))] if steps else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
