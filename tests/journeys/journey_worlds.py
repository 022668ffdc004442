"""Small sources for journeys, and the command line as a function."""

from __future__ import annotations

import csv
import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from PIL import Image

from tilth.cli import main

GOOD = ["good", "great", "fine", "lovely", "superb", "happy", "bright", "warm"]
BAD = ["bad", "awful", "poor", "sad", "grim", "cold", "dull", "harsh"]
OTHER = [f"word{i}" for i in range(40)]


@dataclass(frozen=True)
class Done:
    """What a command left: exit status, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def tilth(*args: object) -> Done:
    """Run the command line in this process, as the console script does."""
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with mock.patch.object(sys, "argv", ["tilth", *map(str, args)]), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code
    assert "Traceback" not in err.getvalue(), err.getvalue()
    return Done(0 if code is None else int(str(code)), out.getvalue(), err.getvalue())


def done(*args: object) -> Done:
    """Run a command that must succeed."""
    result = tilth(*args)
    assert result.code == 0, result.err
    return result


def sentiment(words: str) -> str:
    """Return the truth of a review: the sum of its good and bad words."""
    return "pos" if sum((word in GOOD) - (word in BAD) for word in words.split()) > 0 else "neg"


def reviews(n: int = 160, noise: float = 0.12, seed: int = 0) -> dict[str, list[str]]:
    """Return reviews with their sentiment, a share of it turned around."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(n):
        is_good = rng.random() < 0.5
        words = [*rng.choice(GOOD if is_good else BAD, 2), *rng.choice(OTHER, 4)]
        rng.shuffle(words)
        texts.append(" ".join(words))
        labels.append("pos" if is_good ^ (rng.random() < noise) else "neg")
    return {"review": texts, "sentiment": labels}


def write_csv(path: Path, columns: dict[str, list[Any]]) -> Path:
    pacsv.write_csv(pa.table(columns), path)
    return path


def people(n: int = 160, seed: int = 1) -> dict[str, list[Any]]:
    """Return a table with an id, a group, given splits, numbers, a category and a noisy class."""
    rng = np.random.default_rng(seed)
    age = rng.normal(40, 10, n)
    truth = age + rng.normal(0, 5, n) > 40
    part = ["train"] * (n // 2) + ["val"] * (n // 4) + ["test"] * (n - n // 2 - n // 4)
    houses = [f"h{number // 2:03d}" for number in range(n)]
    return {
        "pid": [f"p{number:04d}" for number in range(n)],
        "house": houses,
        "part": part,
        "age": age.round(2).tolist(),
        "city": rng.choice(["berlin", "oslo", "rome"], n).tolist(),
        "outcome": np.where(truth ^ (rng.random(n) < 0.1), "yes", "no").tolist(),
    }


def prices(n: int = 160, seed: int = 2) -> dict[str, list[Any]]:
    """Return a regression table."""
    rng = np.random.default_rng(seed)
    size = rng.normal(size=n)
    return {
        "size": size.round(4).tolist(),
        "kind": rng.choice(["flat", "house"], n).tolist(),
        "price": (3 * size + 10 + rng.normal(0, 0.5, n)).round(3).tolist(),
    }


def write_images(folder: Path, n: int = 30, seed: int = 3) -> Path:
    """Write red and blue images into class folders."""
    rng = np.random.default_rng(seed)
    for name, colour in (("red", (200, 60, 60)), ("blue", (60, 60, 200))):
        (folder / name).mkdir(parents=True)
        for number in range(n):
            pixels = np.clip(rng.normal(size=(10, 10, 3)) * 40 + np.array(colour), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def make_quick(folder: Path) -> None:
    """Have a project try two edits with the linear learner only: journeys are about doors, not about models."""
    path = folder / "tilth.yaml"
    text = path.read_text(encoding="utf-8").replace("finalists: 6", "finalists: 2")
    learner = "ridge" if "task: regression" in text else "linear"
    path.write_text(text.replace("learner: auto", f"learner: {learner}"), encoding="utf-8")


def made(folder: Path, source: object, *options: object) -> Path:
    """Make a quick project through the command line and return its folder."""
    sources = source if isinstance(source, list) else [source]
    done("init", *sources, *options, "--dir", folder)
    make_quick(folder)
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def answered(questions: Path, answer: Any, n: int | None = None) -> Path:
    """Fill in the first n answers of a file of questions by a function of its row; returns the filled file."""
    rows = rows_of(questions)
    for row in rows[:n]:
        row["answer"] = answer(row)
    path = questions.with_name("answers.csv")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a project's log and edits: what a refused command must not change."""
    store = folder / ".tilth"
    files = [path for part in ("log", "edits") for path in sorted((store / part).rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def write_parquet(path: Path, columns: dict[str, list[Any]]) -> Path:
    pq.write_table(pa.table(columns), path)
    return path
