"""Run benchmarks by name; without a name, list them."""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks._page import written

BENCHMARKS = {
    "all_sets": "benchmarks.quality.all_sets",
    "augment_cifar": "benchmarks.quality.augment_cifar",
    "augment_roman": "benchmarks.quality.augment_roman",
    "asking": "benchmarks.quality.asking",
    "augment_text": "benchmarks.quality.augment_text",
    "by_eye": "benchmarks.quality.by_eye",
    "cells": "benchmarks.speed.cells",
    "composition": "benchmarks.quality.composition",
    "conditions": "benchmarks.quality.conditions",
    "consensus": "benchmarks.quality.consensus",
    "cost": "benchmarks.speed.cost",
    "curve": "benchmarks.quality.curve",
    "durability": "benchmarks.quality.durability",
    "effect": "benchmarks.quality.effect",
    "forecasts": "benchmarks.quality.forecasts",
    "honesty": "benchmarks.quality.honesty",
    "image_transforms": "benchmarks.speed.image_transforms",
    "judge": "benchmarks.quality.judge",
    "kept_gains": "benchmarks.quality.kept_gains",
    "label_errors": "benchmarks.quality.label_errors",
    "label_models": "benchmarks.quality.label_models",
    "label_worlds": "benchmarks.quality.label_worlds",
    "labelers": "benchmarks.speed.labelers",
    "labels_or_hands": "benchmarks.quality.labels_or_hands",
    "large_votes": "benchmarks.quality.large_votes",
    "lattice": "benchmarks.speed.lattice",
    "migrations": "benchmarks.quality.migrations",
    "near": "benchmarks.speed.near",
    "planted_slices": "benchmarks.quality.planted_slices",
    "power": "benchmarks.quality.power",
    "rare_class": "benchmarks.quality.rare_class",
    "slice_alarms": "benchmarks.quality.slice_alarms",
    "stress": "benchmarks.quality.stress",
    "unlabelled_scores": "benchmarks.quality.unlabelled_scores",
    "values": "benchmarks.speed.values",
    "who_answers": "benchmarks.quality.who_answers",
    "worst_group": "benchmarks.quality.worst_group",
}

SCREEN_ONLY = ("by_eye",)
"""Quote rows of data that may not be passed on: never written into a page."""


def main(arguments: list[str]) -> int:
    """Run the benchmark that is named, or list what there is; `--write NAME …` puts its table into docs/benchmarks.md."""
    if not arguments:
        for name, module in BENCHMARKS.items():
            print(f"{name:12} {_summary(module)}")
        return 0
    if arguments[0] == "--write":
        name, *rest = arguments[1:]
        if name in SCREEN_ONLY:
            print(f"{name} quotes rows of data and is not written into a page; run it without --write")
            return 2
        return written(name, rest, _summary(BENCHMARKS[name]), import_module(BENCHMARKS[name]).main)
    name, *rest = arguments
    return int(import_module(BENCHMARKS[name]).main(rest))


def _summary(module: str) -> str:
    return (import_module(module).__doc__ or "").splitlines()[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
