"""What `cost` measures, each piece in a process of its own: it runs, and leaves its figures in a JSON file.

python -m benchmarks.speed._cost_work FIGURES.json PIECE KEY=VALUE …
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks._process import resident_peak

SEED = 0
N_NUMBERS, N_CATEGORIES, NOISE = 12, 8, 0.05
WIDTH = 384
Figures = dict[str, Any]


# -- stages ------------------------------------------------------------------------------------------------------------


class Clock:
    """A progress callback that adds up CPU seconds and the peak of memory from one call to the next."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.peaks: dict[str, float] = {}
        self.order: list[str] = []
        self._step, self._since = "start", process_time()

    def __call__(self, stage: str, detail: str = "", done: int = 0, total: int = 0) -> None:
        del done, total
        self.stop()
        named = "" if stage in ("read", "propose", "try", "replay") or detail.endswith(" rows") else detail
        self._step = f"{stage}: {named}" if named else stage

    def stop(self) -> None:
        """Book what has passed to the step that ran."""
        now = process_time()
        self.seconds[self._step] = self.seconds.get(self._step, 0.0) + now - self._since
        self.peaks[self._step] = max(self.peaks.get(self._step, 0.0), resident_peak())
        self._since = now

    def figures(self) -> list[list[Any]]:
        """Return [step, CPU s, peak MB up to its end] in order of first call."""
        return [[step, self.seconds[step], self.peaks[step]] for step in self.seconds]


# -- pieces ------------------------------------------------------------------------------------------------------------


def run(folder: str, source: str = "", options: str = "{}") -> Figures:
    """Make a project where a source is named, and run it."""
    clock = Clock()
    import tilth

    if source:
        clock("init")
        project = tilth.init(json.loads(source), folder=folder, **json.loads(options))
    else:
        project = tilth.open(folder)
    summary = project.run(progress=clock)
    clock.stop()
    record = summary.to_record()
    facts = {"rows": summary.rows, "learner": summary.learner, "verdicts": [str(one.verdict) for one in summary.trials]}
    return facts | {"steps": clock.figures(), "mark": _mark(record), "failures": len(summary.failures)}


def _mark(record: Any) -> str:
    """Return a digest of all that a run says but its seconds: what is made quicker must not change it."""
    from tilth.core.ids import digest_of

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plain(one) for name, one in value.items() if name not in ("seconds", "source")}
        if isinstance(value, list | tuple):
            return [plain(one) for one in value]
        return round(value, 9) if isinstance(value, float) else value

    return digest_of(plain(record))[:8]


def relabel(folder: str, rows: str) -> Figures:
    """Relabel 1 % of the rows of a version that holds a 384-d embedding; the version is made outside the clock."""
    from tilth.core.edit import Edit, Verb
    from tilth.core.names import ROW_ID
    from tilth.core.schema import Column, ColumnType, Role, Schema, Task, TaskType
    from tilth.core.spec import Spec
    from tilth.store.repository import Repository

    repository, rng = Repository(folder, make=True), np.random.default_rng(SEED)
    with repository.lease:
        columns = (
            Column(name="vector", type=ColumnType.EMBEDDING, role=Role.FEATURE),
            Column(name="label", type=ColumnType.CATEGORY, role=Role.LABEL),
        )
        task = Task(type=TaskType.MULTICLASS, label="label", classes=("a", "b", "c"), metric="accuracy")
        schema = Schema(columns=columns, tasks=(task,))
        version = repository.commit_source(_vectors(int(rows), rng), schema, {"fingerprint": "synthetic"})
        before = _files(Path(folder))
        some = np.sort(rng.choice(int(rows), int(rows) // 100, replace=False))
        ids = repository.dataset(version).row_ids.take(pa.array(some))
        given = repository.dataset(version).read("label").column(0).take(pa.array(some)).to_pylist()
        cells = pa.table({ROW_ID: ids, "value": pa.array([{"a": "b", "b": "c", "c": "a"}[one] for one in given])})
        edit = Edit(
            verb=Verb.RELABEL,
            set={"label": cells},
            reason="benchmark",
            author="cost",
            operator=Spec(room="editing", name="cost"),
        )
        cpu, wall = process_time(), perf_counter()
        repository.commit_edit(version, edit)
        cpu, wall = process_time() - cpu, perf_counter() - wall
    after = _files(Path(folder))
    written = sum(size for path, size in after.items() if before.get(path) != size)
    return {"cpu": cpu, "wall": wall, "written": written / 1e6, "files": len(after.keys() - before.keys())}


def embedded(path: str, data: str) -> Figures:
    """Write cifar10 with fixed embeddings in the place of its images."""
    table = pq.read_table(Path(data, "cifar10", "train_20k.parquet"), columns=["worse_label"])
    vectors = np.load(Path(data, "embeddings", "cifar10_train_20k_efficientnet_lite0_pca256.npy")).astype(np.float32)
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])
    pq.write_table(table.append_column("vector", column), path)
    return {}


def make(path: str, rows: str) -> Figures:
    """Write the synthetic table."""
    pq.write_table(synthetic(int(rows)), path)
    return {}


def change(path: str) -> Figures:
    """Change one number in 1 % of the rows of the synthetic table."""
    table = pq.read_table(path)
    rng = np.random.default_rng([SEED, 1])
    numbers = table.column("n0").to_numpy().copy()
    some = rng.choice(len(numbers), len(numbers) // 100, replace=False)
    numbers[some] += rng.standard_normal(len(some))
    pq.write_table(table.set_column(table.column_names.index("n0"), "n0", pa.array(numbers)), path)
    return {}


# -- data --------------------------------------------------------------------------------------------------------------


def synthetic(rows: int, seed: int = SEED) -> pa.Table:
    """Return rows of 12 numbers (3 % missing in two of them) and 8 categories of 3 to 50 values, and a label, 5 % of it wrong."""
    rng = np.random.default_rng([seed, rows])
    numbers = rng.standard_normal((rows, N_NUMBERS))
    numbers[:, 6:9] = np.exp(numbers[:, 6:9])
    levels = [3, 4, 5, 8, 12, 20, 30, 50]
    codes = [rng.integers(level, size=rows) for level in levels]
    score = numbers[:, 0] - 0.7 * numbers[:, 1] + numbers[:, 2] * numbers[:, 3] + 0.5 * np.abs(numbers[:, 4])
    score += sum(
        np.random.default_rng([seed, 9, level]).standard_normal(level)[c]
        for level, c in zip(levels, codes, strict=True)
    )
    truth = score + 0.5 * rng.standard_normal(rows) > 0
    label = truth ^ (rng.random(rows) < NOISE)
    columns: dict[str, pa.Array] = {
        f"n{j}": _some_missing(numbers[:, j], rng, 0.03 if j in (5, 7) else 0) for j in range(N_NUMBERS)
    }
    for j, (level, c) in enumerate(zip(levels, codes, strict=True)):
        names = pa.array([f"c{j}_{v}" for v in range(level)])
        columns[f"c{j}"] = names.take(pa.array(c))
    columns["label"] = pc.if_else(pa.array(label), "yes", "no")
    return pa.table(columns)


def _some_missing(values: np.ndarray, rng: np.random.Generator, share: float) -> pa.Array:
    return pa.array(values, mask=rng.random(len(values)) < share)


def _vectors(rows: int, rng: np.random.Generator) -> pa.Table:
    """Return a version's table: ids, splits, labels, tilth's own columns, and vectors of 384 numbers."""
    from tilth.core.names import PARENTS, ROW_ID, SPLIT, TARGET, TRUSTED, WEIGHT

    flat = np.concatenate([rng.standard_normal(100_000 * WIDTH, dtype=np.float32) for _ in range(-(-rows // 100_000))])
    return pa.table(
        {
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(flat[: rows * WIDTH]), WIDTH),
            "label": pa.array(["a", "b", "c"]).take(pa.array(rng.integers(3, size=rows))),
            ROW_ID: pa.array([f"{n:016x}" for n in rng.permutation(rows)]),
            SPLIT: pa.array(["train"] * rows),
            TARGET: pa.nulls(rows, pa.list_(pa.float32(), 3)),
            WEIGHT: pa.nulls(rows, pa.float64()),
            TRUSTED: pa.array(np.zeros(rows, dtype=bool)),
            PARENTS: pa.nulls(rows, pa.list_(pa.string())),
        }
    )


def _files(folder: Path) -> dict[str, int]:
    def entries() -> Iterator[tuple[str, int]]:
        for path in folder.rglob("*"):
            if path.is_file():
                yield str(path), path.stat().st_size

    return dict(entries())


PIECES: dict[str, Callable[..., Figures]] = {piece.__name__: piece for piece in (run, relabel, embedded, make, change)}


if __name__ == "__main__":
    target, name, *given = sys.argv[1:]
    found = PIECES[name](**dict(argument.split("=", 1) for argument in given))
    Path(target).write_text(json.dumps(found), encoding="utf-8")
