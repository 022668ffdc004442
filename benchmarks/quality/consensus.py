"""Labels that people settle by consensus: how many of those that are trusted are right, beside the probability that is stated.

    python -m benchmarks consensus

Answers of workers to duck, dog4 and product_em, as `tilth answer` weighs them: rows on which all agree, rows on which people differ and the
label model that `auto` chooses puts one class at .9 or more, and the rest, which is disputed. The truth is read for this table only.
"""

from __future__ import annotations

import numpy as np

from benchmarks.quality._data import AbsentError
from benchmarks.quality._votes import real
from tilth.core.labelling import Known
from tilth.loop.consensus import SURE
from tilth.loop.label_votes import AUTO, best_class, fitted_model

SETS = ("duck", "dog4", "product_em")


def main(arguments: list[str]) -> int:
    """Print one line per set and kind of row."""
    del arguments
    print(f"numpy {np.__version__}; settled: p ≥ {SURE:g}\n")
    print(
        "| set | rows | all agree: rows, right | settled: rows, right, mean p | disputed: rows, right if the best were taken |"
    )
    print("|---|---|---|---|---|")
    for name in SETS:
        try:
            told = real(name)
        except AbsentError as absent:
            print(f"| {name} | {absent} | | | |")
            continue
        choice = fitted_model(AUTO, told.votes, Known())
        probs = choice.model.predict(told.votes, choice.labelling, Known())
        said = best_class(probs, choice.labelling.prior)
        counts = np.zeros((len(told.votes), told.votes.n_classes))
        np.add.at(counts, (told.votes.rows, told.votes.said), 1.0)
        agreed, sure = (counts > 0).sum(axis=1) == 1, probs.max(axis=1) >= SURE
        said[agreed] = counts[agreed].argmax(axis=1)
        right, mean = said == told.truth, probs.max(axis=1)
        parts = [told.judged & part for part in (agreed, ~agreed & sure & (counts.sum(axis=1) > 0), ~agreed & ~sure)]
        cells = [f"{int(part.sum()):,}, {right[part].mean():.3f}" if part.any() else "0" for part in parts]
        stated = f", {mean[parts[1]].mean():.3f}" if parts[1].any() else ""
        print(f"| {name} | {int(told.judged.sum()):,} | {cells[0]} | {cells[1]}{stated} | {cells[2]} |")
    return 0
