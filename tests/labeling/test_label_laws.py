"""The laws of label models catch models that break one each, and a sound one passes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from tilth.core.errors import ContractError
from tilth.core.labelling import Known
from tilth.labeling.majority import Majority as Sound
from tilth.testing._label_laws import LABELING, planted_votes, taken
from tilth.testing._subject import Subject, room_of, strict

LAWS = {law.__name__: law for law in LABELING}
NOTHING = Known()


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The majority, until a subclass breaks it."""

    revision: ClassVar[int] = 1

    def fit(self, votes, known=NOTHING):
        return replace(Sound().fit(votes, known), model=type(self).__name__.lower())

    def predict(self, votes, labelling, known=NOTHING):
        return Sound().predict(votes, labelling, known)


class Unnormalised(Broken):
    def predict(self, votes, labelling, known=NOTHING):
        return 2 * Sound().predict(votes, labelling, known)


class Inverted(Broken):
    def predict(self, votes, labelling, known=NOTHING):
        answer = Sound().predict(votes, labelling, known)
        return np.roll(answer, 1, axis=1)


class Even(Broken):
    def predict(self, votes, labelling, known=NOTHING):
        answer = Sound().predict(votes, labelling, known)
        answer[~votes.covered] = 1.0 / votes.n_classes
        return answer


class Deaf(Broken):
    def predict(self, votes, labelling, known=NOTHING):
        return Sound().predict(votes, labelling)


class First(Broken):
    """The first labeler counts twice."""

    def predict(self, votes, labelling, known=NOTHING):
        answer = Sound().predict(votes, labelling, known)
        matrix, abstained = votes.dense()
        heard = np.flatnonzero(~abstained[:, 0])
        answer[heard] *= 0.5
        answer[heard, matrix[heard, 0]] += 0.5
        return answer


class Neighbourly(Broken):
    def predict(self, votes, labelling, known=NOTHING):
        answer = Sound().predict(votes, labelling, known)
        mixed = 0.9 * answer + 0.1 * answer.mean(axis=0)
        mixed[~votes.covered] = labelling.prior
        return mixed


class Gambling(Broken):
    def predict(self, votes, labelling, known=NOTHING):
        answer = Sound().predict(votes, labelling, known)
        mixed = 0.99 * answer + 0.01 * np.random.default_rng().dirichlet(np.ones(votes.n_classes))
        mixed[~votes.covered] = labelling.prior
        return mixed


class Anonymous(Broken):
    def fit(self, votes, known=NOTHING):
        return Sound().fit(votes, known)


@pytest.mark.parametrize(
    ("kind", "law"),
    [
        (Unnormalised, "gives_distributions"),
        (Anonymous, "gives_distributions"),
        (Inverted, "labels_better_than_chance"),
        (Even, "silence_gives_the_prior"),
        (Deaf, "trusted_rows_keep_their_truth"),
        (First, "asks_nothing_of_order"),
        (Neighbourly, "answers_row_by_row"),
        (Gambling, "repeats_and_leaves_alone"),
        (Unnormalised, "bears_odd_votes"),
    ],
)
def test_a_broken_law_is_caught(kind, law):
    with pytest.raises(ContractError), strict():
        LAWS[law](Subject.of(kind))


@pytest.mark.parametrize("law", LABELING, ids=lambda law: law.__name__)
def test_a_sound_model_passes(law):
    law(Subject.of(Broken))


def test_models_that_fit_and_predict_belong_to_labeling():
    assert room_of(Broken) == "labeling"


def test_taken_votes_are_those_of_their_rows():
    votes, _ = planted_votes(rows=40)
    rows = np.array([39, 3, 3, 17])
    for part, whole in zip(taken(votes, rows).dense(), votes.dense(), strict=True):
        assert (part == whole[rows]).all()
