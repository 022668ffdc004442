"""Twenty simple labelers over short texts: rows per CPU second, beside Snorkel's pandas applier; and edit, refit, changed rows.

    python -m benchmarks labelers [apply] [loop] [--rows N] [--peer-rows N] [--loop-rows N]

One process, one thread, CPU seconds (user and system) of the work alone: making the texts and importing are not counted. Seed 0 makes
the texts: twelve words each from a list of 2,000, one row in three with one of the words that the labelers look for.

apply    the same twenty labelers four ways: as row functions, as functions of a block, as lines of tilth.yaml, and as Snorkel's
         labeling functions under PandasLFApplier, as its users write them (snorkel on PYTHONPATH; left out where it is missing). The
         peer's time grows with the rows, so that it runs on fewer. *kept* adds what a project does around them: digests of the rows,
         and votes written to an evidence store. Votes of all ways are compared.
         Four of the row functions search a compiled expression, which is most of their time, in every way that calls them.
loop     a project of 100,000 rows whose votes are kept: one function is edited, then `label` runs again (labelers loaded, votes cast,
         label model chosen and fitted), and the rows whose label changed are counted. CPU and wall seconds, median of five edits.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import importlib.util
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from tilth.core.dataset import Dataset
from tilth.core.names import PARENTS, ROW_ID, SPLIT, TARGET, TRUSTED, WEIGHT
from tilth.core.schema import Column, ColumnType, Role, Schema, Task, TaskType
from tilth.loop.labelers import NamedLabeler, labelers_of
from tilth.loop.project import open_project
from tilth.loop.project_file import parse
from tilth.loop.voting import cast_votes
from tilth.operators.batch import batches
from tilth.store.repository import Repository

WORDS = [f"word{number}" for number in range(16)]
"""What sixteen of the labelers look for; two look at the length, two at a number."""
CLASSES = ("ham", "spam")
REPEATS = 3
"""Runs of what takes few rows; their median is told."""


def main(arguments: list[str]) -> int:
    """Print the tables that are asked for, or both."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks labelers")
    parser.add_argument("parts", nargs="*", metavar="PART", help="apply, loop")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--peer-rows", type=int, default=50_000)
    parser.add_argument("--loop-rows", type=int, default=100_000)
    options = parser.parse_args(arguments)
    told = ", ".join(f"{name} {_version(name)}" for name in ("numpy", "pyarrow", "pylance", "snorkel", "pandas"))
    print(f"Python {platform.python_version()}, {told}; seed 0", flush=True)
    if not options.parts or "apply" in options.parts:
        apply_all(options.rows, options.peer_rows)
    if not options.parts or "loop" in options.parts:
        edit_and_refit(options.loop_rows)
    return 0


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


# -- the data and the labelers -----------------------------------------------------------------------------------------


def texts(rows: int) -> pa.Table:
    """Return ids, texts of twelve words, and a number of likes."""
    rng = np.random.default_rng(0)
    known = np.array([f"plain{number}" for number in range(2_000 - len(WORDS))] + WORDS)
    picks = rng.integers(0, 2_000 - len(WORDS), size=(rows, 12))
    with_word = rng.random(rows) < 1 / 3
    picks[with_word, rng.integers(0, 12, size=int(with_word.sum()))] = (
        2_000 - 1 - rng.integers(0, len(WORDS), size=int(with_word.sum()))
    )
    joined = pa.array([" ".join(row) for row in known[picks].tolist()])
    ids = pa.array([f"r{number}" for number in range(rows)])
    return pa.table({ROW_ID: ids, "text": joined, "likes": rng.exponential(20.0, rows)})


def by_rows() -> str:
    """Return the labelers as row functions, as their authors would write them."""
    parts = ["import re\n\nimport tilth\n"]
    for number, word in enumerate(WORDS):
        says = CLASSES[number % 2]
        if number % 4 == 3:
            test = f"PATTERN{number}.search(row.text)"
            parts.append(f'PATTERN{number} = re.compile(r"\\b{word}\\b", re.I)\n')
        else:
            test = f'"{word} " in row.text.lower() + " "'
        parts.append(_function("row", f"at{number}", "text", f'return "{says}" if {test} else None'))
    parts.append(_function("row", "short", "text", 'return "ham" if len(row.text) < 107 else None'))
    parts.append(_function("row", "long", "text", 'return "spam" if len(row.text) > 115 else None'))
    parts.append(_function("row", "liked", "likes", 'return "spam" if row.likes > 60 else None'))
    parts.append(_function("row", "unliked", "likes", 'return "ham" if row.likes < 1 else None'))
    return "\n\n".join(parts)


def by_blocks() -> str:
    """Return the same labelers as functions of Arrow columns."""
    parts = ["import numpy as np\nimport pyarrow.compute as pc\n\nimport tilth\n"]
    parts.append("def votes(hits, says):\n    return np.where(np.asarray(hits), says, None)")
    for number, word in enumerate(WORDS):
        hits = f'pc.match_substring_regex(columns.text, r"\\b{word}\\b", ignore_case=True)'
        parts.append(_function("columns", f"at{number}", "text", f'return votes({hits}, "{CLASSES[number % 2]}")'))
    length = "pc.utf8_length(columns.text)"
    parts.append(_function("columns", "short", "text", f'return votes(pc.less({length}, 107), "ham")'))
    parts.append(_function("columns", "long", "text", f'return votes(pc.greater({length}, 115), "spam")'))
    parts.append(_function("columns", "liked", "likes", 'return votes(pc.greater(columns.likes, 60), "spam")'))
    parts.append(_function("columns", "unliked", "likes", 'return votes(pc.less(columns.likes, 1), "ham")'))
    return "\n\n".join(parts)


def _function(argument: str, name: str, column: str, body: str) -> str:
    batch = ", batch=True" if argument == "columns" else ""
    return f'@tilth.labeler(columns=["{column}"]{batch})\ndef {name}({argument}):\n    {body}\n'


def declared() -> str:
    """Return the same labelers as lines of tilth.yaml."""
    lines = ["labelers:"]
    for number, word in enumerate(WORDS):
        inner = f"keyword: {{words: [{word}], says: {CLASSES[number % 2]}, columns: [text]}}"
        lines.append(f"  - {{name: at{number}, {inner}}}")
    lines.append('  - {name: short, sql: {where: "length(text) < 107", says: ham}}')
    lines.append('  - {name: long, sql: {where: "length(text) > 115", says: spam}}')
    lines.append("  - {name: liked, threshold: {column: likes, above: 60, says: spam}}")
    lines.append("  - {name: unliked, threshold: {column: likes, below: 1, says: ham}}")
    return "\n".join(lines)


HEAD = """\
source: rows.csv
label: class
task: binary
classes: [ham, spam]
columns:
  text: {type: text}
  likes: {type: number}
  class: {type: category}
"""


def named(folder: Path, python: str = "", yaml: str = "") -> tuple[NamedLabeler, ...]:
    """Return the labelers of a Python file or of lines of tilth.yaml."""
    if python:
        (folder / "labelers.py").write_text(python, encoding="utf-8")
        yaml = "python: labelers.py"
    return labelers_of(parse(f"{HEAD}{yaml}\n"), folder)[0]


# -- twenty labelers over all rows -------------------------------------------------------------------------------------


def apply_all(rows: int, peer_rows: int) -> None:
    """Print rows per CPU second of each way."""
    table = texts(rows)
    ways = {
        "row functions": (by_rows(), ""),
        "block functions": (by_blocks(), ""),
        "lines of tilth.yaml": ("", declared()),
    }
    peer, matrix = _snorkel(table, peer_rows)
    print(f"\n## Twenty labelers over {rows:,} texts\n")
    print("| way | rows | CPU s | rows per s | of Snorkel | kept: CPU s | the same votes |")
    print("|---|---|---|---|---|---|---|")
    if peer is not None:
        print(
            f"| Snorkel, PandasLFApplier | {peer_rows:,} | {peer:.2f} | {peer_rows / peer:,.0f} | 1.0 | – | – |",
            flush=True,
        )
    alone = _functions_alone(table.slice(0, peer_rows))
    print(
        f"| the functions alone, called in a loop | {peer_rows:,} | {alone:.2f} | {peer_rows / alone:,.0f} |{_times(peer, alone)}| – | – |"
    )
    for way, (python, yaml) in ways.items():
        with tempfile.TemporaryDirectory() as name:
            labelers = named(Path(name), python, yaml)
            cast, seconds = _timed(partial(_votes, labelers, table))
            kept = _timed(partial(_kept, labelers, table, Path(name)))[1]
        ratio = "–" if peer is None else f"{rows / seconds / (peer_rows / peer):.1f}"
        same = "–" if matrix is None else f"{(cast[:peer_rows] == matrix).mean():.4%}"
        print(
            f"| {way} | {rows:,} | {seconds:.2f} | {rows / seconds:,.0f} | {ratio} | {kept:.2f} | {same} |", flush=True
        )


def _times(peer: float | None, seconds: float) -> str:
    return " – " if peer is None else f" {peer / seconds:.1f} "


def _functions_alone(table: pa.Table) -> float:
    """Return the CPU seconds of the row functions by themselves: what no way of calling them can save."""
    with tempfile.TemporaryDirectory() as name:
        labelers = [one.labeler for one in named(Path(name), by_rows())]
    rows = [SimpleNamespace(**row) for row in table.select(["text", "likes"]).to_pylist()]
    work = partial(_called, [one.function for one in labelers], rows)
    return median(_timed(work)[1] for _ in range(REPEATS))


def _called(functions: list[Any], rows: list[Any]) -> list[list[Any]]:
    return [[function(row) for function in functions] for row in rows]


def _votes(labelers: tuple[NamedLabeler, ...], table: pa.Table) -> np.ndarray:
    """Return the (n, m) matrix of class numbers, -1 for none: labelers alone, nothing kept."""
    matrix = np.full((table.num_rows, len(labelers)), -1, dtype=np.int8)
    for columns in dict.fromkeys(one.columns for one in labelers):
        start = 0
        for batch in batches(table, columns):
            for number, one in enumerate(labelers):
                if one.columns == columns:
                    said = one.labeler.vote(batch)
                    codes = pa.compute.index_in(said.names, value_set=pa.array(CLASSES))
                    matrix[start : start + len(batch), number] = np.asarray(codes.fill_null(-1))
            start += len(batch)
    return matrix


def _kept(labelers: tuple[NamedLabeler, ...], table: pa.Table, folder: Path) -> int:
    repository = Repository(str(folder / "store"), {}, make=True)
    return len(cast_votes(labelers, _dataset(table), repository.row_evidence).votes.rows)


def _dataset(table: pa.Table) -> Dataset:
    columns = (
        Column(name="text", type=ColumnType.TEXT),
        Column(name="likes", type=ColumnType.NUMBER),
        Column(name="class", type=ColumnType.CATEGORY, role=Role.LABEL),
    )
    schema = Schema(columns=columns, tasks=(Task(type=TaskType.BINARY, label="class", classes=CLASSES),))
    n = table.num_rows
    own = {
        SPLIT: pa.array(["pool"]).take(pa.array(np.zeros(n, dtype=np.int64))),
        TARGET: pa.nulls(n, pa.list_(pa.float64(), 2)),
        WEIGHT: pa.nulls(n, pa.float64()),
        TRUSTED: pa.nulls(n, pa.bool_()),
        PARENTS: pa.nulls(n, pa.list_(pa.string())),
        "class": pa.nulls(n, pa.string()),
    }
    whole = pa.table({**{name: table.column(name) for name in table.column_names}, **own})
    from tilth.core.partitions import TableRows

    return Dataset(rows=TableRows(whole), schema=schema, sums={}, version_id="v-memory")


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    found = work()
    return found, time.process_time() - began


def _snorkel(table: pa.Table, rows: int) -> tuple[float | None, np.ndarray | None]:
    """Return the CPU seconds of the peer, and its votes."""
    if not (importlib.util.find_spec("snorkel") and importlib.util.find_spec("pandas")):
        print("\nSnorkel is not here: pip install --target FOLDER snorkel==0.10.0, and FOLDER on PYTHONPATH")
        return None, None
    from snorkel.labeling import PandasLFApplier, labeling_function

    source = by_rows().replace("import tilth", "").replace("row.", "x.").replace("(row)", "(x)")
    source = (
        source.replace('return "ham"', "return 0").replace('return "spam"', "return 1").replace("else None", "else -1")
    )
    source = "\n".join("@labeling_function()" if line.startswith("@tilth") else line for line in source.splitlines())
    space: dict[str, Any] = {"labeling_function": labeling_function}
    exec(source, space)  # the same functions, in the peer's words
    order = [*(f"at{number}" for number in range(len(WORDS))), "short", "long", "liked", "unliked"]
    applier = PandasLFApplier([space[name] for name in order])
    frame = table.slice(0, rows).to_pandas()
    runs = [_timed(lambda: applier.apply(frame, progress_bar=False)) for _ in range(REPEATS)]
    return median(seconds for _, seconds in runs), np.asarray(runs[0][0])


# -- edit, refit, changed rows -----------------------------------------------------------------------------------------


def edit_and_refit(rows: int, edits: int = 5) -> None:
    """Print what an edit of one function costs until the changed rows are known."""
    with tempfile.TemporaryDirectory() as name, _one_thread():
        folder = Path(name)
        table = texts(rows)
        made = pa.table({"text": table.column("text"), "likes": table.column("likes"), "class": _labels(table)})
        pacsv.write_csv(made, folder / "rows.csv")
        (folder / "labelers.py").write_text(by_rows(), encoding="utf-8")
        (folder / "tilth.yaml").write_text(f"{HEAD}python: labelers.py\n", encoding="utf-8")
        began, cpu = time.perf_counter(), time.process_time()
        before = _labelled(folder)
        print(f"\n## Edit, refit, changed rows: {rows:,} rows, twenty row functions\n")
        print("| step | CPU s | wall s | rows voted on | labels changed |")
        print("|---|---|---|---|---|")
        first = (time.process_time() - cpu, time.perf_counter() - began)
        print(f"| the first run, with reading the source | {first[0]:.2f} | {first[1]:.2f} | – | – |", flush=True)
        spent, cast, changes = [], [], []
        for number in range(edits):
            text = by_rows().replace("row.likes > 60", f"row.likes > {50 - 5 * number}")
            (folder / "labelers.py").write_text(text, encoding="utf-8")
            began, cpu = time.perf_counter(), time.process_time()
            after = _labelled(folder)
            changes.append(int((after[0] != before[0]).sum()))
            spent.append((time.process_time() - cpu, time.perf_counter() - began))
            cast.append(after[1])
            before = after
        cpu_s, wall_s = (median(values) for values in zip(*spent, strict=True))
        print(
            f"| one function edited, median of {edits} | {cpu_s:.2f} | {wall_s:.2f} | {cast[-1]:,} | {median(changes):,.0f} |"
        )
        print(f"\n{os.cpu_count()} cores, shared; wall seconds depend on what else runs.")


def _labels(table: pa.Table) -> pa.Array:
    """Return a label for one row in ten."""
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 2, table.num_rows)
    return pa.array(CLASSES).take(pa.array(codes, mask=rng.random(table.num_rows) > 0.1))


def _labelled(folder: Path) -> tuple[np.ndarray, int]:
    found = open_project(folder).label()
    summary = found.labelled.summary
    labels = np.where(summary.labelled, summary.labels, -1)  # a first label is a change too
    return labels, sum(run.cast for run in found.cast.runs)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    pa.set_cpu_count(1)
    yield


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
