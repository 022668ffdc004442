"""Durability: a run is killed at random moments; the store must open whole, and the same run again come to the same result.

A small project (300 rows, three finalists; one edit is kept) runs once undisturbed. Then, as often as asked, a copy of it runs in
a process of its own and is killed by SIGKILL after a time drawn evenly over the length of the run. Whole: every check of `tilth
doctor` passes and every version can be read. Same: the log of the finished run tells the same facts, but for seconds and the
numbers that Lance gives its versions. Kills at every named write point are in the tests (`make test-slow`,
tests/journeys/test_kill.py).

    python -m benchmarks durability [--kills N] [--seed S]
"""

from __future__ import annotations

import argparse
import os
import pickle
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
from pyarrow import csv

import tilth
from tilth.store.maintenance import examine
from tilth.store.repository import Repository

UNTOLD = {"seconds", "table_version"}
"""Facts of the log that no rerun can repeat."""


def main(arguments: list[str]) -> int:
    """Kill, look, finish, compare; print how often each went as it should, and where the kills struck."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks durability")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    import tilth.loop.working  # noqa: F401 - children inherit what is imported here

    with tempfile.TemporaryDirectory() as home:
        start, calm = Path(home, "start"), Path(home, "calm")
        _inside(lambda: _plant(start))
        shutil.copytree(start, calm)
        length = _inside(lambda: _timed_run(calm))
        expected = _inside(lambda: _story(calm))
        versions = sum(kind == "version" for kind, _ in expected)
        print(
            f"Undisturbed: {len(expected)} records, {versions} versions, {length:.1f} s. Seed {options.seed}.\n",
            flush=True,
        )
        found = Counter[str]()
        rng = np.random.default_rng(options.seed)
        for number in range(options.kills):
            found += _one(start, Path(home, f"kill{number}"), float(rng.uniform(0, length)), expected)
    return _tell(found)


def _one(start: Path, folder: Path, delay: float, expected: list[Any]) -> Counter[str]:
    shutil.copytree(start, folder)
    child = _fork(lambda: _timed_run(folder), None)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    killed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    written = _inside(lambda: _story(folder))
    faults = _inside(lambda: _faults(folder))
    _inside(lambda: _timed_run(folder))
    same = _inside(lambda: _story(folder)) == expected
    sound = not _inside(lambda: _faults(folder))
    shutil.rmtree(folder)
    last = written[-1][0] if written else "nothing"
    return Counter(
        {
            "kills": 1,
            "ended before the kill": int(not killed),
            "whole after the kill": int(not faults),
            "the same after running again": int(same),
            "whole in the end": int(sound),
            f"last record: {last}": 1,
        }
    )


def _tell(found: Counter[str]) -> int:
    print("| what | runs |\n|---|---|")
    for what, runs in found.items():
        print(f"| {what} | {runs} |")
    good = all(found[name] == found["kills"] for name in ("whole after the kill", "the same after running again"))
    return 0 if good and found["whole in the end"] == found["kills"] else 1


# -- what happens in a process of its own ------------------------------------------------------------------------------


def _plant(folder: Path) -> None:
    """Write 300 rows of two classes, in train half of the labels `yes` wrongly `no`, and start a project."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    split = np.repeat(["train", "dev", "test"], [120, 170, 10])
    truth = rng.random(300) < 0.5
    near = rng.normal(np.where(truth, 1.5, -1.5))
    wrong = (split == "train") & truth & (rng.random(300) < 0.5)
    columns = {"near": near, "noise": rng.normal(size=300), "split": split, "y": np.where(truth ^ wrong, "yes", "no")}
    csv.write_csv(pa.table(columns), folder / "data.csv")
    tilth.init(str(folder / "data.csv"), label="y", split="split", folder=folder)
    settings = (folder / "tilth.yaml").read_text(encoding="utf-8")
    for said, meant in (("learner: auto ", "learner: linear "), ("finalists: 6", "finalists: 6")):
        assert said in settings
        settings = settings.replace(said, meant)
    (folder / "tilth.yaml").write_text(settings, encoding="utf-8")


def _timed_run(folder: Path) -> float:
    started = time.perf_counter()
    tilth.open(folder).run()
    return time.perf_counter() - started


def _story(folder: Path) -> list[tuple[str, Any]]:
    if not (folder / ".tilth").exists():
        return []
    return [(record.kind, _told(dict(record.body))) for record in Repository(folder / ".tilth").log.records()]


def _told(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _told(one) for key, one in value.items() if key not in UNTOLD}
    return [_told(one) for one in value] if isinstance(value, list | tuple) else value


def _faults(folder: Path) -> list[str]:
    if not (folder / ".tilth").exists():
        return []
    repository = Repository(folder / ".tilth")
    faults = [check.name for check in examine(repository) if not check.ok]
    for version in repository.versions():
        if repository.dataset(version).read().num_rows != version.rows:
            faults += [version.version]
    return faults


# -- processes ---------------------------------------------------------------------------------------------------------


def _inside(work: Callable[[], Any]) -> Any:
    """Do something in a child, so that no thread of it is alive when the next child begins; returns what it returned."""
    reading, writing = os.pipe()
    child = _fork(work, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
        raise RuntimeError("a child failed; its trace is above")
    return pickle.loads(data)


def _fork(work: Callable[[], Any], writing: int | None) -> int:
    sys.stdout.flush()
    child = os.fork()
    if not child:
        _as_child(work, writing)
    return child


def _as_child(work: Callable[[], Any], writing: int | None) -> NoReturn:
    try:
        result = work()
        if writing is not None:
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(result, pipe)
        os._exit(0)
    except BaseException:  # noqa: BLE001 - whatever it is, the child ends here
        traceback.print_exc()
        os._exit(1)
