"""One coin: many labelers of few votes, and errors that all share."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.votes import Votes
from tilth.labeling.dawid_skene import DawidSkene
from tilth.labeling.majority import Majority
from tilth.labeling.one_coin import OneCoin


def nll(model, votes, truth):
    answer = model.predict(votes, model.fit(votes))
    return -np.log(answer[np.arange(len(truth)), truth]).mean()


def of_few_votes(k, seed=0, workers=60, rows=400):
    """Each row gets five answers; a worker gives about 33 answers, and errs alike in all classes."""
    rng = np.random.default_rng(seed)
    truth, skill = rng.integers(k, size=rows), rng.uniform(0.35, 0.95, workers)
    matrix = np.full((rows, workers), -1)
    for row, c in enumerate(truth):
        for worker in rng.choice(workers, size=5, replace=False):
            wrong = (c + rng.integers(1, k)) % k
            matrix[row, worker] = c if rng.random() < skill[worker] else wrong
    return Votes.of_matrix(matrix, classes=tuple(f"c{c}" for c in range(k))), truth, skill


def test_it_beats_confusions_where_workers_say_little():
    votes, truth, skill = of_few_votes(k=6)
    assert nll(OneCoin(), votes, truth) < nll(DawidSkene(), votes, truth) < nll(Majority(), votes, truth)
    labelling = OneCoin().fit(votes)
    assert np.corrcoef(labelling.accuracy, skill)[0, 1] > 0.8


def test_errors_that_all_share_are_found():
    rng = np.random.default_rng(1)
    truth = (rng.random(4_000) < 0.3).astype(int)
    chance = np.where(truth[:, None] == 1, 0.6, 0.95)
    matrix = np.where(rng.random((4_000, 8)) < chance, truth[:, None], 1 - truth[:, None])
    votes = Votes.of_matrix(matrix, classes=("no", "yes"))
    labelling = OneCoin().fit(votes)
    saying = labelling.parameters["saying"]
    assert saying[:, 1, 1] == pytest.approx(0.6, abs=0.05)
    assert saying[:, 0, 0] == pytest.approx(0.95, abs=0.02)
    assert labelling.prior == pytest.approx([0.7, 0.3], abs=0.02)
