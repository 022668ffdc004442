"""The choice of a label model: what the votes show, what trusted rows show, and what a reader is warned of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.labelling import Known
from tilth.core.votes import Votes
from tilth.labeling import _choose
from tilth.labeling._choose import choose_label_model
from tilth.labeling._shared import foretold_votes, parted, subset
from tilth.labeling.dawid_skene import DawidSkene
from tilth.labeling.majority import Majority
from tilth.labeling.one_coin import OneCoin
from tilth.labeling.weighted_majority import WeightedMajority

ALL = (Majority(), WeightedMajority(), OneCoin(), DawidSkene())
NOTHING = Known()


def drawn(n=1_500, accuracies=(0.55, 0.6, 0.65, 0.7, 0.8, 0.9, 0.95), coverage=0.6, prior=0.5, seed=0):
    rng = np.random.default_rng(seed)
    truth = (rng.random(n) < prior).astype(int)
    matrix = np.where(rng.random((n, len(accuracies))) < accuracies, truth[:, None], 1 - truth[:, None])
    matrix[rng.random(matrix.shape) > coverage] = -1
    return Votes.of_matrix(matrix, classes=("ham", "spam")), truth


def of(*rows):
    return Votes.of_matrix(np.array(rows), classes=("ham", "spam"))


def warned(votes, word, models=ALL):
    found = [w for w in choose_label_model(models, votes, NOTHING).labelling.warnings if word in w]
    assert found, choose_label_model(models, votes, NOTHING).labelling.warnings
    return found[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stubborn:
    """Answers one class on every row; or the other way round than the majority."""

    inverted: bool = False
    revision: ClassVar[int] = 1

    def fit(self, votes, known=NOTHING):
        return replace(Majority().fit(votes, known), model="stubborn")

    def predict(self, votes, labelling, known=NOTHING):
        answer = Majority().predict(votes, labelling)
        return answer[:, ::-1] if self.inverted else np.tile([0.9, 0.1], (len(votes), 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuses:
    revision: ClassVar[int] = 1

    def fit(self, votes, known=NOTHING):
        raise NotApplicable("not for these votes")

    def predict(self, votes, labelling, known=NOTHING):
        raise AssertionError


def test_unequal_labelers_call_for_a_model_that_tells_them_apart():
    votes, _ = drawn()
    choice = choose_label_model(ALL, votes, NOTHING)
    assert choice.labelling.model in {"one_coin", "dawid_skene"}
    assert "better than majority" in choice.labelling.why


def test_majority_stays_where_nothing_can_be_learnt():
    votes, _ = drawn(n=600, accuracies=(0.5,) * 5, coverage=1.0)
    choice = choose_label_model(ALL, votes, NOTHING)
    assert choice.labelling.model == "majority"
    assert "simplest" in choice.labelling.why


def test_a_model_that_knows_nothing_foretells_worse():
    votes, _ = drawn(n=600)
    (plain, _), (stubborn, _) = (foretold_votes(model, parted(votes, NOTHING, 2)) for model in (Majority(), Stubborn()))
    assert plain.mean() > stubborn.mean() + 0.02


def test_sums_and_predictions_without_a_vote_agree():
    votes, _ = drawn(n=400, accuracies=(0.6, 0.7, 0.8, 0.9), coverage=1.0)

    class Opaque:
        """The same model, whose parameters nobody else can read."""

        revision = 1

        def fit(self, votes, known=NOTHING):
            labelling = WeightedMajority().fit(votes, known)
            parts = {("kept" if name == "saying" else name): values for name, values in labelling.parameters.items()}
            return replace(labelling, parameters=parts)

        def predict(self, votes, labelling, known=NOTHING):
            parts = {**labelling.parameters, "saying": labelling.parameters["kept"]}
            return WeightedMajority().predict(votes, replace(labelling, parameters=parts))

    (by_sums, _), (by_predicting, _) = (
        foretold_votes(model, parted(votes, NOTHING, 2)) for model in (WeightedMajority(), Opaque())
    )
    assert by_sums == pytest.approx(by_predicting, abs=1e-9)


def test_trusted_rows_decide_where_there_are_some():
    votes, truth = drawn(n=400, accuracies=(0.8,) * 5, coverage=1.0)
    known = Known(truth=np.eye(2)[1 - truth], trusted=np.arange(400) < 200)
    choice = choose_label_model((Majority(), Stubborn(inverted=True)), votes, known)
    assert choice.labelling.model == "stubborn"
    assert "trusted" in choice.labelling.why
    few = replace(known, trusted=np.arange(400) < 10)
    assert choose_label_model((Majority(), Stubborn(inverted=True)), votes, few).labelling.model == "majority"


def test_a_model_that_overrules_its_votes_is_out():
    votes, _ = drawn(n=400, accuracies=(0.8,) * 5, coverage=1.0)
    choice = choose_label_model((Stubborn(inverted=True), Majority()), votes, NOTHING)
    assert choice.labelling.model == "majority"


def test_many_rows_are_thinned_for_the_choice_and_all_are_fitted(monkeypatch):
    votes, _ = drawn()
    monkeypatch.setattr(_choose, "ROWS", 500)
    choice = choose_label_model(ALL, votes, NOTHING)
    whole = choice.model.fit(votes)
    assert choice.labelling.accuracy == pytest.approx(whole.accuracy)


def test_many_labelers_of_few_votes_are_judged_on_more_rows(monkeypatch):
    votes, _ = drawn(n=1_200, accuracies=(0.7,) * 7)
    asked = []
    monkeypatch.setattr(
        _choose, "parted", lambda part, told, folds: asked.append(len(part)) or parted(part, told, folds)
    )
    for rows, each in ((100, 0), (100, 300), (5_000, 0)):
        monkeypatch.setattr(_choose, "ROWS", rows)
        monkeypatch.setattr(_choose, "EACH", each)
        choose_label_model((Majority(), WeightedMajority()), votes, NOTHING)
    wanted = 300 * 7 * 1_200 // len(votes.rows)
    assert asked == [100, wanted, 1_200]


def test_a_subset_of_votes_is_that_of_its_rows():
    votes, truth = drawn(n=100)
    known = Known(truth=np.eye(2)[truth], trusted=np.arange(100) < 50)
    rows = np.arange(3, 100, 9)
    fewer, told = subset(votes, known, rows)
    assert fewer.row_ids.to_pylist() == [str(row) for row in rows]
    for part, whole in zip(fewer.dense(), votes.dense(), strict=True):
        assert (part == whole[rows]).all()
    assert told.truth.tolist() == np.eye(2)[truth][rows].tolist()
    assert told.trusted.tolist() == (rows < 50).tolist()


def test_models_that_refuse_are_left_out():
    votes, _ = drawn(n=100)
    assert choose_label_model((Refuses(), Majority()), votes, NOTHING).labelling.model == "majority"
    with pytest.raises(NotApplicable, match="not for these"):
        choose_label_model((Refuses(),), votes, NOTHING)
    with pytest.raises(NotApplicable, match="no label model"):
        choose_label_model((), votes, NOTHING)
    with pytest.raises(NotApplicable, match="no labeler votes"):
        choose_label_model(ALL, of([-1, -1]), NOTHING)


def test_it_warns_of_rows_labelled_against_their_votes():
    votes, _ = drawn(n=4_000, accuracies=(0.6, 0.6, 0.7, 0.8, 0.85, 0.9), coverage=0.5, prior=0.06)
    said = warned(votes, "against every vote", models=(DawidSkene(),))
    assert "'ham'" in said
    assert "accuracy is estimated" in said


def test_it_warns_of_a_collapse():
    said = warned(of(*[[0, 0, 1]] * 30, *[[1, 1, -1]] * 10), "every row", models=(Stubborn(),))
    assert "'ham'" in said


def test_it_names_labelers_worse_than_chance():
    votes, _ = drawn(n=600, accuracies=(0.85, 0.9, 0.85, 0.9, 0.15), coverage=1.0)
    assert "'labeler4'" in warned(votes, "worse than chance")


def test_it_names_copies():
    votes, _ = drawn(n=300)
    matrix, silent = votes.dense()
    matrix = np.where(silent, -1, matrix)
    doubled = Votes.of_matrix(np.concatenate([matrix, matrix[:, :1]], axis=1), classes=votes.classes)
    said = warned(doubled, "count as one", models=(DawidSkene(),))
    assert "'labeler0', 'labeler7'" in said


@pytest.mark.parametrize(
    ("votes", "word"),
    [
        (of([0, 1], [1, 1], [0, 0]), "2 labelers vote"),
        (of([0], [1], [0]), "one labeler votes"),
        (of([0, 0, 0], [0, 0, -1]), "all votes say 'ham'"),
        (of([0, -1, -1], [-1, 1, -1], [-1, -1, 0]), "no row has the votes of two"),
        (of([0, 1, 1]), "there is one row"),
    ],
)
def test_it_warns_of_votes_that_teach_little(votes, word):
    warned(votes, word)


def test_too_few_rows_leave_the_simplest():
    choice = choose_label_model(ALL, of([0, 1, 1], [1, 1, 1]), NOTHING)
    assert choice.labelling.model == "majority"
    assert "fewer than 20 rows" in choice.labelling.why
