"""Small projects whose rows several people answer, with known errors."""

from __future__ import annotations

import csv

import numpy as np
import pyarrow as pa

from tilth.loop.project import open_project
from tilth.loop.starting import init_project

N = 240
CLASSES = ("cat", "dog", "owl")
ERRORS = {"anna": 0.03, "ben": 0.1, "cem": 0.15, "dora": 0.35}
"""How often each person says something else than the truth."""


def truth_of(seed=0):
    rng = np.random.default_rng(seed)
    return {f"r{i:03d}": CLASSES[c] for i, c in enumerate(rng.integers(0, 3, N))}


def made(folder):
    """A project: 120 train, 40 dev, 20 test rows with labels of which a fifth is wrong in train, and 60 pool rows without."""
    truth = truth_of()
    rng = np.random.default_rng(1)
    codes = np.array([CLASSES.index(name) for name in truth.values()])
    split = np.repeat(["train", "dev", "test", "train"], [120, 40, 20, 60])
    wrong = (rng.random(N) < 0.2) & (np.arange(N) < 120)
    labels = [None if i >= 180 else CLASSES[(c + wrong[i]) % 3] for i, c in enumerate(codes)]
    x = rng.normal(size=(N, 4)) + 2.0 * np.eye(4)[codes]
    columns = {"id": list(truth), **{f"x{j}": x[:, j] for j in range(4)}, "user": [f"u{i}" for i in range(N)]}
    table = pa.table({**columns, "split": split.tolist(), "label": pa.array(labels, pa.string())})
    init_project(table, folder=folder, label="label", id="id", split="split")
    path = folder / "tilth.yaml"
    path.write_text(path.read_text().replace("learner: auto ", "learner: linear "))
    return open_project(folder), truth


def said_of(rows, truth, people=ERRORS, seed=2, share=0.75):
    """Lines (row, who, answer): each person answers a share of the rows, and errs as often as is known of them."""
    rng = np.random.default_rng(seed)
    lines = []
    for row in rows:
        for who, error in people.items():
            others = [name for name in CLASSES if name != truth[row]]
            answer = str(rng.choice(others)) if rng.random() < error else truth[row]
            if rng.random() < share:
                lines.append((row, who, answer))
    return lines


def write(path, lines, header=("row_id", "annotator", "answer")):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *lines])
    return path


def take(project, lines, header=("row_id", "annotator", "answer"), **options):
    return project.answer(write(project.folder / "lines.csv", lines, header), **options)


def cells(project, column, rows):
    dataset = project.dataset()
    return dataset.read(column).column(0).take(pa.array(dataset.positions(pa.array(rows)))).to_pylist()
