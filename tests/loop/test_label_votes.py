"""Votes to labels: the truth chooses nothing, trusted labels are learnt from and not scored, warnings name what is odd."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core.errors import TilthError, UnknownOperatorError, UnknownRowError
from tilth.core.votes import Votes
from tilth.loop.label_votes import best_class, label_read, label_votes
from tilth.operators.registry import names
from tilth.sources._votes import ReadVotes, VoteReading

WITHOUT_PLACES = tuple(name for name in names("labeling", "predict") if name != "near_votes")
"""Label models that need to know nothing of where rows lie."""
ACCURACIES = (0.9, 0.8, 0.75, 0.7, 0.65, 0.6)


def world(n=600, seed=0, coverage=0.5):
    rng = np.random.default_rng(seed)
    truth = (rng.random(n) < 0.4).astype(int)
    right = rng.random((n, len(ACCURACIES))) < ACCURACIES
    votes = np.where(right, truth[:, None], 1 - truth[:, None])
    return np.where(rng.random(votes.shape) < coverage, votes, -1), truth


@pytest.fixture(scope="module")
def labelled():
    votes, truth = world()
    return label_votes(votes, truth=truth), votes, truth


def test_what_it_says_of_the_rows(labelled):
    summary, votes, truth = labelled[0].summary, *labelled[1:]
    covered = (votes >= 0).any(axis=1)
    assert summary.covered.tolist() == covered.tolist()
    assert summary.pred_probs.shape == (600, 2)
    np.testing.assert_allclose(summary.pred_probs.sum(axis=1), 1)
    assert summary.metrics.rows == covered.sum()
    assert summary.metrics.accuracy.value == pytest.approx((summary.labels == truth)[covered].mean())
    assert summary.metrics.accuracy.value > 0.7
    assert summary.paired == ((votes >= 0).sum(axis=1) > 1).sum()


def test_what_it_says_of_the_labelers(labelled):
    summary, votes, truth = labelled[0].summary, *labelled[1:]
    for j, line in enumerate(summary.labelers):
        voted = votes[:, j] >= 0
        assert line.votes == voted.sum()
        assert line.coverage == pytest.approx(voted.mean())
        assert line.measured.value == pytest.approx((votes[voted, j] == truth[voted]).mean())
        assert line.accuracy.low <= line.accuracy.value <= line.accuracy.high
        assert set(line.says) == {"0", "1"}


@pytest.mark.parametrize("model", ["auto", *WITHOUT_PLACES])
def test_the_truth_chooses_and_teaches_nothing(model):
    votes, truth = world(n=200)
    blind = label_votes(votes, model=model).summary
    told = label_votes(votes, model=model, truth=truth).summary
    lied = label_votes(votes, model=model, truth=1 - truth).summary
    for other in (told, lied):
        assert other.model == blind.model
        assert other.why == blind.why
        assert other.pred_probs.tolist() == blind.pred_probs.tolist()
        assert other.warnings == blind.warnings


def test_trusted_rows_keep_their_label_and_are_not_scored():
    votes, truth = world(n=300)
    some = np.where(np.arange(300) < 100, truth, -1)
    summary = label_votes(votes, truth=truth, trusted=some).summary
    assert (summary.labels == truth)[:100].all()
    assert summary.labelled[:100].all()
    scored = (votes >= 0).any(axis=1) & (np.arange(300) >= 100)
    assert summary.metrics.rows == scored.sum()
    assert summary.metrics.accuracy.value == pytest.approx((summary.labels == truth)[scored].mean())
    line = summary.labelers[0]
    voted = (votes[:, 0] >= 0) & (np.arange(300) >= 100)
    assert line.measured.value == pytest.approx((votes[voted, 0] == truth[voted]).mean())


def test_all_truth_trusted_leaves_nothing_to_measure():
    votes, truth = world(n=100)
    summary = label_votes(votes, truth=truth, trusted=truth).summary
    assert summary.metrics is None
    assert any("nothing is measured" in said for said in summary.warnings)


def test_majority_is_beside_every_other_model_and_is_the_same_as_by_its_name():
    votes, truth = world()
    plain = label_votes(votes, truth=truth, model="majority").summary
    assert plain.majority is None
    assert plain.differing == 0
    for model in set(WITHOUT_PLACES) - {"majority"}:
        summary = label_votes(votes, truth=truth, model=model).summary
        assert summary.majority.to_dict() == plain.metrics.to_dict()
        assert summary.tied == plain.tied


def test_the_table_has_no_label_where_nobody_votes():
    votes = np.array([[0, 0, 1], [-1, -1, -1], [1, 1, 1]])
    summary = label_votes(votes, model="majority").summary
    table = summary.to_table()
    assert table.column_names == ["row", "label", "p_0", "p_1"]
    assert table["label"].to_pylist() == ["0", None, "1"]
    assert table["p_0"][1].as_py() == pytest.approx(summary.prior[0])


def test_rows_in_another_order_get_the_same_labels():
    votes, _ = world(n=200)
    order = np.random.default_rng(1).permutation(200)
    ids = np.array([f"r{i}" for i in range(200)])

    def table(places):
        columns = {f"l{j}": pa.array(votes[places, j]) for j in range(votes.shape[1])}
        return pa.table({"row_id": pa.array(ids[places]), **columns})

    one, other = (label_votes(table(places)).summary for places in (np.arange(200), order))
    assert one.model == other.model
    np.testing.assert_allclose(one.pred_probs[order], other.pred_probs, atol=1e-7)


def test_json_has_the_keys_that_are_promised(labelled):
    facts = labelled[0].summary.to_dict()
    assert list(facts) == ["rows", "covered", "classes", "model", "prior", "labelers", "metrics", "warnings"]
    assert list(facts["labelers"][0]) == ["name", "coverage", "accuracy", "interval"]
    assert list(facts["metrics"]) == ["accuracy", "f1", "nll"]
    assert facts["rows"] == 600
    assert sum(facts["prior"]) == pytest.approx(1)


def test_ties_go_to_the_commoner_class():
    probs = np.array([[0.5, 0.5], [0.4, 0.6], [0.5, 0.5]])
    assert best_class(probs, np.array([0.3, 0.7])).tolist() == [1, 1, 1]
    assert best_class(probs, np.array([0.7, 0.3])).tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("matrix", "says"),
    [
        ([[0, 1], [1, 1], [0, 0]], "2 labelers vote: which of them is right cannot be told"),
        ([[0, 1, 1], [1, 1, 0], [0, 0, 1]], "3 rows are too few"),
        ([[0, 1, -1], [1, 1, -1], [0, 0, -1]], "never vote: 'labeler2'"),
        ([[0, 1, 1], [1, 1, 1], [0, 0, 1]], "'labeler2' (1)"),
        ([[0, -1, -1], [-1, 1, -1], [-1, -1, 0]], "no row has the votes of two labelers"),
        ([[0, 1, 1]], "there is one row"),
    ],
)
def test_warnings_name_what_is_odd(matrix, says):
    summary = label_votes(np.array(matrix), model="majority").summary
    assert any(says in said for said in summary.warnings), summary.warnings


def test_a_class_that_nobody_votes_for_is_named():
    votes, _ = world(n=50)
    summary = label_votes(votes, model="majority", reading=VoteReading(classes=("no", "yes", "maybe"))).summary
    assert "no labeler ever votes for 'maybe'" in summary.warnings
    assert len(summary.prior) == 3


def test_a_copy_is_named():
    votes, _ = world(n=800)
    summary = label_votes(np.column_stack([votes, votes[:, 3]])).summary
    assert any("'labeler3'" in said and "'labeler6'" in said for said in summary.warnings)
    plain = label_votes(np.column_stack([votes, votes[:, 3]]), model="majority").summary
    assert any("'labeler3' and 'labeler6' agree on 100%" in said for said in plain.warnings)
    assert not any("alike" in said for said in label_votes(votes).summary.warnings)


def test_an_explanation_takes_each_vote_away(labelled):
    result, votes, _ = labelled
    row = int(np.flatnonzero((votes >= 0).sum(axis=1) >= 3)[0])
    explanation = result.explain(str(row))
    said = {f"labeler{j}": str(votes[row, j]) for j in range(votes.shape[1]) if votes[row, j] >= 0}
    assert {vote.labeler: vote.said for vote in explanation.votes} == said
    assert explanation.probability == pytest.approx(result.summary.pred_probs[row].max(), abs=1e-9)
    for vote in explanation.votes:
        agrees = vote.said == explanation.label
        assert (vote.without <= explanation.probability + 1e-9) == agrees


def test_a_row_that_is_not_there_cannot_be_explained(labelled):
    with pytest.raises(UnknownRowError, match="no row 'x'"):
        labelled[0].explain("x")


def test_a_row_without_votes_has_the_share_of_its_class():
    result = label_votes(np.array([[0, 0, 1], [-1, -1, -1], [1, 0, 0]]), model="majority")
    explanation = result.explain("1")
    assert explanation.votes == ()
    assert explanation.probability == pytest.approx(explanation.before)


def test_a_model_that_there_is_not_is_refused():
    with pytest.raises(UnknownOperatorError, match="Did you mean 'majority'"):
        label_votes(np.array([[0, 1]]), model="majorty")


def test_progress_is_told():
    stages = []
    label_votes(world(n=50)[0], progress=lambda stage, *_, **__: stages.append(stage))
    assert stages == ["reading votes", "fitting", "analysing"]


def test_many_labelers_need_no_matrix(monkeypatch):
    monkeypatch.delattr(Votes, "dense")
    rng = np.random.default_rng(2)
    long = pa.table(
        {
            "task": rng.integers(0, 300, 2_000),
            "worker": pa.array([f"w{worker}" for worker in rng.integers(0, 500, 2_000)]),
            "answer": rng.integers(0, 4, 2_000),
        }
    )
    summary = label_votes(long).summary
    assert len(summary.labelers) == len(set(long["worker"].to_pylist()))
    assert summary.pred_probs.shape == (len(summary), 4)


CELLS = st.sampled_from(["0", "1", "2", "-1", "", "ham", "spam", "1.0", "True", "-2", "0.5", "inf", None])


@settings(max_examples=60)
@given(st.integers(1, 4).flatmap(lambda m: st.lists(st.tuples(*[CELLS] * m), min_size=1, max_size=8)), st.booleans())
def test_any_table_is_labelled_or_refused(rows, has_truth):
    """Never a traceback: a TilthError with a code, or labels whose probabilities sum to one."""
    columns = list(zip(*rows, strict=True))
    table = pa.table({f"l{j}": pa.array(column, pa.string()) for j, column in enumerate(columns)})
    try:
        summary = label_votes(table, truth=list(columns[0]) if has_truth else None).summary
    except TilthError:
        return
    np.testing.assert_allclose(summary.pred_probs.sum(axis=1), 1)
    assert summary.to_table().num_rows == len(rows)
    assert summary.to_dict()["covered"] == int(summary.covered.sum())


def lying_apart(n=600, coverage=0.3):
    """Votes, and where their rows lie: the two classes in two clouds."""
    votes, truth = world(n, coverage=coverage)
    rng = np.random.default_rng(3)
    places = rng.normal(size=(n, 4)) + 4.0 * truth[:, None] * np.eye(4)[0]
    matrix = Votes.of_matrix(votes, classes=("ham", "spam"))
    return ReadVotes(votes=matrix, name="six labelers"), truth, places.astype(np.float32)


def test_rows_without_a_vote_are_labelled_by_those_nearby_and_counted():
    read, truth, places = lying_apart()
    found = label_read(read, embeddings=places)
    summary, silent = found.summary, ~read.votes.covered
    reached = silent & summary.labelled
    assert summary.model == "near_votes"
    assert reached.sum() > 0.7 * silent.sum() > 20
    assert f"{reached.sum():,} rows without a vote are labelled by those nearby" in summary.notes
    assert (summary.labels == truth)[reached].mean() > 0.9
    assert summary.to_dict()["covered"] == read.votes.covered.sum()
    labels = summary.to_table().column("label")
    assert labels.null_count == (~summary.labelled).sum()
    assert not label_read(read).summary.labelled[silent].any()


def test_a_row_is_explained_where_it_lies():
    read, _, places = lying_apart()
    found = label_read(read, embeddings=places)
    voted, silent = int(np.flatnonzero(read.votes.covered)[0]), int(np.flatnonzero(~read.votes.covered)[0])
    for row in (voted, silent):
        told = found.explain(str(row))
        assert told.probability == pytest.approx(found.summary.pred_probs[row].max(), abs=1e-9)
        assert len(told.votes) == (read.votes.rows == row).sum()
