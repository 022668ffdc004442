"""Candidates: proposals, their screening, and what no proposal may do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from loop_worlds import Liar, candidate, dropping, gaussian_world, lying, relabelling, told, with_trusted, world_of

from tilth.core.edit import PERSON, Edit, Verb
from tilth.core.errors import ContractError, ProtectedRowError, UndeclaredNeedError
from tilth.core.names import PARENTS, ROW_ID, SPLIT, TARGET, TRUSTED, Split
from tilth.core.policy import Policy
from tilth.core.spec import Spec
from tilth.editing.augment_rows import AugmentRows
from tilth.editing.generated_rows import GeneratedRows
from tilth.editing.relabel_hard import RelabelHard
from tilth.loop import candidates
from tilth.loop.candidates import Candidate, finalists, fits_of_forecasts, proposals, screen
from tilth.loop.forecast import Screening, screening_of
from tilth.loop.protection import refuse_forged, refuse_protected, spare_trusted, without_judges
from tilth.loop.quarantine import Quarantine
from tilth.operators import registry


@pytest.fixture(scope="module")
def world():
    return gaussian_world(n_train=200, n_dev=80, n_test=40, noise=0.25, seed=1)


@pytest.fixture
def only(monkeypatch):
    """Let the room of editors hold these and no others."""

    def use(*editors):
        by_name = {f"liar_{number}": editor for number, editor in enumerate(editors)}

        class Maker:
            def __init__(self, editor):
                self.editor = editor

            def strengths(self):
                if isinstance(self.editor, Exception):
                    raise self.editor
                return (self.editor,)

        def make(room, name, **parameters):
            return Maker(by_name[name]) if name in by_name else registry.make(room, name, **parameters)

        monkeypatch.setattr(candidates, "names", lambda room, verb=None: tuple(by_name))
        monkeypatch.setattr(candidates, "make", make)

    return use


def proposed(world, **options):
    quarantine = Quarantine()
    found = proposals(world.evidence, quarantine, **{"verbs": None, "known": frozenset(), **options})
    return found, quarantine


def removing(*ids):
    def rule(view, rows):
        return Edit.removing(pa.array(ids, pa.string()), operator=view.spec, reason="so it is")

    return lying(f"remove {ids}", rule)


# what is proposed


def test_each_strength_proposes_and_refusals_carry_their_reason(world):
    found, quarantine = proposed(world)
    assert not quarantine.failures
    assert {c.edit.operator.name for c in found} >= {"relabel_hard", "relabel_soft", "remove_label_errors"}
    assert "the label is a class" in quarantine.refusals["propose relabel_numbers(cutoff=6.0)"]
    assert len({c.edit.edit_id for c in found}) == len(found)
    rows = set(world.ids[world.rows(Split.TRAIN)])
    made = [set() if c.edit.add is None else set(c.edit.add.column(ROW_ID).to_pylist()) for c in found]
    assert all(set(c.edit.touched.to_pylist()) - mine <= rows for c, mine in zip(found, made, strict=True))
    assert not any(mine & set(world.ids) for mine in made)


def test_verbs_and_known_edits_are_left_out(world):
    everything, _ = proposed(world)
    removals, _ = proposed(world, verbs=frozenset({"remove"}))
    assert {str(c.edit.verb) for c in removals} == {"remove"}
    first = everything[0].edit.edit_id
    assert first not in {c.edit.edit_id for c in proposed(world, known=frozenset({first}))[0]}


def test_two_operators_that_remove_the_same_rows_are_one_candidate(world, only):
    only(removing("r00003", "r00001"), removing("r00001", "r00003"))
    found, _ = proposed(world)
    assert len(found) == 1


def test_an_edit_without_rows_is_a_refusal(world, only):
    only(removing())
    found, quarantine = proposed(world)
    assert not found
    assert list(quarantine.refusals.values()) == ["it would change no row"]


def test_an_edit_that_people_were_asked_about_is_proposed_again(world, only):
    edit = RelabelHard(certainty=0.6).propose(world.evidence.view(RelabelHard(certainty=0.6)))
    only()
    (again,), quarantine = proposed(world, asked=[edit])
    assert not quarantine.failures
    assert again.edit.edit_id == edit.edit_id
    assert again.editor == RelabelHard(certainty=0.6)
    assert proposed(world, asked=[edit], known=frozenset({edit.edit_id}))[0] == []
    confirmed = world.dataset.positions(edit.touched.slice(0, 3))
    trusting = with_trusted(world, confirmed)
    (fewer,), quarantine = proposed(trusting, asked=[edit])
    assert not quarantine.failures
    assert fewer.edit.n_rows == edit.n_rows - 3


# failures


def test_an_editor_that_breaks_down_is_one_failed_step(world, only):
    def explode(view, rows):
        raise RuntimeError("a bug")

    only(
        lying("bug", explode),
        ValueError("cannot be made"),
        lying("no edit", lambda view, rows: None),
        removing("r00001"),
    )
    found, quarantine = proposed(world)
    assert [c.edit.drop.to_pylist() for c in found] == [["r00001"]]
    errors = [failure.error for failure in quarantine.failures]
    assert errors[0] == "ValueError: cannot be made"
    assert "RuntimeError: a bug" in errors
    assert any("proposed a NoneType, not an Edit" in error for error in errors)
    assert len(errors) == 3
    assert not quarantine.refusals


@pytest.mark.parametrize("need", ["labels", "pred_probs", "trusted", "embeddings"])
def test_an_editor_that_writes_into_its_inputs_fails_and_changes_nothing(world, only, need):
    before = np.array(getattr(world.evidence.view(dropping(0.1)), need))

    def scribble(view, rows):
        array = getattr(view, need)
        array[...] = 0
        return Edit.removing(view.ids, operator=view.spec, reason="so it is")

    only(lying(f"scribble {need}", scribble))
    found, quarantine = proposed(world)
    assert not found
    assert "read-only" in quarantine.failures[0].error
    assert np.array_equal(getattr(world.evidence.view(dropping(0.1)), need), before)


def test_an_edit_that_cannot_be_fitted_is_a_failed_step_of_the_screening(world, only):
    def rule(view, rows):
        cells = pa.table({ROW_ID: pa.array(["r00001"]), "value": pa.array([1.0])})
        return Edit(verb=Verb.MODIFY, operator=view.spec, reason="", author=view.spec.name, set={"no such": cells})

    only(lying("no such column", rule), removing("r00001"))
    found, quarantine = proposed(world)
    screened = screen(world.bench, found, quarantine, told)
    assert len(found) == 2
    assert len(screened) == 1
    assert "no such" in quarantine.failures[0].error


# what a view shows


def test_a_proposer_cannot_read_dev_labels():
    world = gaussian_world(n_train=30, n_dev=20, n_test=10)
    wide = type("Wide", (Liar,), {"scope": "all", "needs": frozenset({"labels", "splits", "table"})})()
    view = world.evidence.view(wide)
    assert len(view) == 60
    judges = np.isin(view.splits.astype(str), ["dev", "test"])
    assert judges.sum() == 30
    assert not view.labelled[judges].any()
    assert not view.labels[judges].any()
    assert "label" not in view.table.column_names
    narrow = world.evidence.view(type("Narrow", (Liar,), {"needs": frozenset({"embeddings"})})())
    for need in ("labels", "labelled", "splits", "table", "findings"):
        with pytest.raises(UndeclaredNeedError, match="without declaring"):
            getattr(narrow, need)


# protected rows


def refused(world, edit, match):
    with pytest.raises(ProtectedRowError, match=match) as caught:
        refuse_protected(edit, world.dataset)
    return caught.value


def view_of(world):
    return world.evidence.view(dropping(0.1))


def cells(ids, values):
    return pa.table({ROW_ID: pa.array(ids, pa.string()), "value": values})


def edit_of(world, verb=Verb.MODIFY, **parts):
    return Edit(verb=verb, operator=view_of(world).spec, reason="so it is", author="liar", **parts)


def copies_of(world, rows, *, split="train", names=("new-0", "new-1")):
    """New rows with the features and labels of other rows."""
    table = world.dataset.read().take(pa.array(rows))
    n = len(rows)
    for name, values in ((ROW_ID, pa.array(list(names)[:n], pa.string())), (SPLIT, pa.array([split] * n, pa.string()))):
        table = table.set_column(table.column_names.index(name), name, values)
    return table


def test_an_edit_may_not_touch_dev_or_test_rows(world):
    for split, first in ((Split.DEV, "r00200"), (Split.TEST, "r00280")):
        row = world.ids[world.rows(split)[0]]
        assert row == first
        error = refused(world, edit_of(world, Verb.REMOVE, drop=pa.array([row, "r00001"])), "1 rows that are not train")
        assert row in str(error)
        refused(world, edit_of(world, set={"label": cells([row], pa.array(["no"]))}), "1 rows that are not train")


def test_made_rows_that_came_out_as_dev_or_test_rows_are_left_out(world):
    own = copies_of(world, [world.rows(Split.DEV)[0], world.rows(Split.TRAIN)[0]])
    edit = edit_of(world, Verb.SYNTHESIZE, add=own)
    kept = without_judges(edit, world.dataset)
    assert kept.add.column(ROW_ID).to_pylist() == ["new-1"]
    refuse_protected(kept, world.dataset)
    assert without_judges(kept, world.dataset) is kept
    assert without_judges(replace(edit, add=own.slice(0, 1)), world.dataset).n_rows == 0


def test_an_edit_may_not_add_copies_of_dev_or_test_rows(world):
    for split in (Split.DEV, Split.TEST):
        error = refused(world, edit_of(world, Verb.ADD, add=copies_of(world, world.rows(split)[:2])), "very features")
        assert "new-0, new-1" in str(error)
    refuse_protected(edit_of(world, Verb.ADD, add=copies_of(world, world.rows(Split.TRAIN)[:2])), world.dataset)


def test_a_copy_is_a_copy_whatever_its_label_and_whatever_type_its_numbers_have(world):
    copy = copies_of(world, world.rows(Split.DEV)[:1])
    copy = copy.set_column(copy.column_names.index("label"), "label", pa.array(["no"]))
    whole = gaussian_world(n_train=20, n_dev=20, n_test=0)
    table = whole.dataset.read()
    rounded = table.set_column(0, "x0", pa.array(np.round(np.asarray(table.column("x0")))))
    for j in range(1, 5):
        rounded = rounded.set_column(j, f"x{j}", pa.array(np.zeros(40)))
    whole = world_of(rounded, whole.dataset.schema, whole.truth)
    as_integers = copies_of(whole, whole.rows(Split.DEV)[:1])
    as_integers = as_integers.set_column(0, "x0", as_integers.column("x0").cast(pa.int64()))
    refused(world, edit_of(world, Verb.ADD, add=copy), "very features")
    refused(whole, edit_of(whole, Verb.ADD, add=as_integers), "very features")


def test_an_edit_may_not_turn_train_rows_into_dev_rows(world):
    dev = world.dataset.read().take(pa.array(world.rows(Split.DEV)[:2]))
    names = [f"x{j}" for j in range(5)]
    sets = {name: cells(["r00004", "r00005"], dev.column(name).combine_chunks()) for name in names}
    error = refused(world, edit_of(world, set=sets), "2 rows with the very features")
    assert "r00004, r00005" in str(error)
    refuse_protected(edit_of(world, set={name: sets[name] for name in names[1:]}), world.dataset)


def test_an_edit_may_not_make_judges(world):
    own = copies_of(world, world.rows(Split.TRAIN)[:2], split="dev")
    refused(world, edit_of(world, Verb.ADD, add=own), "adds 2 rows outside")
    refused(world, edit_of(world, set={SPLIT: cells(["r00001"], pa.array(["dev"]))}), "moves 1 rows out")


def test_an_edit_may_not_relabel_what_a_person_confirmed(world):
    trusting = with_trusted(world, np.array([3, 4]))
    both = ["r00003", "r00009"]
    hard = edit_of(world, Verb.RELABEL, set={"label": cells(both, pa.array(["no", "no"]))})
    soft = Edit.softening(pa.array(both), np.full((2, 2), 0.5), operator=view_of(world).spec, reason="so it is")
    for edit in (hard, soft):
        assert "r00003" in str(refused(trusting, edit, "1 rows whose label a person confirmed"))
        spared = spare_trusted(edit, trusting.dataset)
        assert spared.touched.to_pylist() == ["r00009"]
        refuse_protected(spared, trusting.dataset)
    refuse_protected(edit_of(world, Verb.REMOVE, drop=pa.array(both)), trusting.dataset)


@pytest.mark.parametrize("column", [ROW_ID, TRUSTED, PARENTS])
def test_an_edit_may_not_set_what_is_not_an_operators(world, column):
    with pytest.raises(ContractError, match="not an operator's to set"):
        refuse_protected(edit_of(world, set={column: cells(["r00001"], pa.array(["x"]))}), world.dataset)


def test_an_edit_may_not_be_signed_by_another(world):
    editor = dropping(0.1)
    view = world.evidence.view(editor)
    own = editor.propose(view)
    assert refuse_forged(own, editor) is own
    for forged in (
        Edit.removing(view.ids, operator=view.spec, reason="", author=PERSON),
        Edit.relabelling(
            "label", view.ids[:1], pa.array(["no"]), pa.array(["no"]), operator=view.spec, reason="", evaluation=True
        ),
        Edit.removing(view.ids, operator=RelabelHard().propose(world.evidence.view(RelabelHard())).operator, reason=""),
    ):
        with pytest.raises(ContractError, match="signed its edit as"):
            refuse_forged(forged, editor)


def test_a_forged_edit_of_dev_labels_is_a_failed_step(world, only):
    dev = world.ids[world.rows(Split.DEV)]

    def rule(view, rows):
        ids = pa.array(dev, pa.string())
        labels = pa.array(["no"] * len(dev))
        return Edit.relabelling(
            "label", ids, labels, labels, operator=view.spec, reason="", author=PERSON, trusted=True, evaluation=True
        )

    only(lying("forged", rule))
    found, quarantine = proposed(world)
    assert not found
    assert "ContractError" in quarantine.failures[0].error


# screening


def test_many_candidates_race_over_the_first_folds_and_few_are_forecast_to_the_end(world, monkeypatch):
    """Those that lead on two folds have the forecasts that they would have without a race."""
    shares = np.linspace(0.02, 0.6, 20)
    many = [candidate(world, dropping(float(share), seed)) for seed, share in enumerate(shares)]
    whole = [screen(world.bench, [one], Quarantine(), told)[0] for one in many]
    folds = []
    measured = Screening._measured
    monkeypatch.setattr(
        Screening, "_measured", lambda self, fold, edit: folds.append(fold) or measured(self, fold, edit)
    )
    raced = screen(world.bench, many, Quarantine(), told)
    assert len(raced) == candidates.MOST_RACING
    assert len(folds) == 2 * len(many) + 3 * candidates.MOST_RACING
    alone = {one.edit.edit_id: one.forecast for one in whole}
    assert all(one.forecast == alone[one.edit.edit_id] for one in raced)
    assert [c.forecast for c in raced] == sorted((c.forecast for c in raced), reverse=True)
    screening = screening_of(world.bench)
    early = {c.edit.edit_id: screening.forecast(c.edit, c.editor, c.view, n_folds=2) for c in many}
    ahead = {one.edit.edit_id for one in raced}
    assert min(early[one] for one in ahead) >= max(early[one] for one in early.keys() - ahead)


def test_the_best_strength_of_each_operator_goes_first(world):
    def one(name, forecast):
        return Candidate(edit=candidate(world, dropping(0.1, name)).edit, editor=None, view=None, forecast=forecast)

    screened = [one(1, 0.3), one(1, 0.2), one(2, 0.1)]
    assert [c.forecast for c in finalists(screened, 2)] == [0.3, 0.2]
    found, _ = proposed(world)
    chosen = finalists(screen(world.bench, found, Quarantine(), told), 4)
    assert len({c.edit.operator.name for c in chosen}) == 4


def test_one_way_to_vary_all_rows_has_a_place_whatever_its_forecast(world):
    def one(name, forecast):
        return Candidate(edit=candidate(world, dropping(0.1, name)).edit, editor=None, view=None, forecast=forecast)

    def varied(salt, forecast):
        spec = Spec(room="editing", name="augment", parameters={"number": salt})
        text = Policy.identity(salt=salt).to_text()
        edit = Edit.augmenting(world.dataset.row_ids.slice(0, 3), text, operator=spec, reason="varied")
        return Candidate(edit=edit, editor=None, view=None, forecast=forecast)

    screened = [one(1, 0.3), one(2, 0.2), varied(1, -0.1), varied(2, -0.2)]
    assert [c.forecast for c in finalists(screened, 2)] == [-0.1, 0.3]
    assert [c.forecast for c in finalists(screened, 1)] == [-0.1]


def test_what_a_person_asked_for_has_a_place_whatever_its_forecast(world):
    def one(name, forecast, editor=None):
        edit = candidate(world, dropping(0.1, name)).edit
        return Candidate(edit=edit, editor=editor, view=None, forecast=forecast)

    screened = [one(1, 0.3), one(2, 0.2), one(3, -0.1, AugmentRows()), one(4, -0.2, AugmentRows())]
    assert [c.forecast for c in finalists(screened, 2)] == [-0.1, 0.3]
    assert [c.forecast for c in finalists(screened[:2], 2)] == [0.3, 0.2]


def test_each_operator_that_a_person_asked_for_has_a_place(world):
    def asked(name, forecast, editor):
        ids = world.dataset.row_ids.slice(0, 3)
        edit = Edit.removing(ids, operator=Spec(room="editing", name=name, parameters={}), reason=f"{forecast}")
        return Candidate(edit=edit, editor=editor, view=None, forecast=forecast)

    plain = Candidate(edit=candidate(world, dropping(0.1)).edit, editor=None, view=None, forecast=0.3)
    stored = [asked("augment_rows", forecast, AugmentRows()) for forecast in (-0.1, -0.2)]
    screened = [plain, *stored, asked("generated_rows", -0.3, GeneratedRows())]
    assert [c.forecast for c in finalists(screened, 3)] == [-0.1, -0.3, 0.3]


def test_a_forecast_is_the_gain_on_held_out_train_rows_and_reads_no_dev_label(world):
    found, _ = proposed(world)
    first = screen(world.bench, found, Quarantine(), told)
    assert [c.forecast for c in first] == sorted((c.forecast for c in first), reverse=True)
    table = world.dataset.read()
    shuffled = np.asarray(table.column("label").to_pylist(), dtype=object)
    rows = np.r_[world.rows(Split.DEV), world.rows(Split.TEST)]
    shuffled[rows] = np.random.default_rng(0).permutation(shuffled[rows])
    other = world_of(
        table.set_column(table.column_names.index("label"), "label", pa.array(shuffled, pa.string())),
        world.dataset.schema,
        world.truth,
        seed=world.bench.seed,
    )
    again = screen(other.bench, proposed(other)[0], Quarantine(), told)
    assert [(c.edit.edit_id, c.forecast) for c in again] == [(c.edit.edit_id, c.forecast) for c in first]


def test_nothing_to_screen():
    assert screen(None, [], Quarantine(), told) == []


def test_soft_targets_are_known_as_targets(world):
    found, _ = proposed(world)
    soft = [c for c in found if c.edit.operator.name == "relabel_soft"]
    assert soft
    assert all(set(c.edit.set) == {TARGET} for c in soft)
    assert relabelling(view_of(world), np.array([0]), np.array([1])).n_rows == 1


def test_each_editor_is_told_before_it_proposes(world, only):
    told_of = []
    only(removing("r00001"), removing("r00002"))
    proposed(world, tell=lambda *step: told_of.append(step))
    assert [step[1:] for step in told_of] == [(0, 2), (1, 2)]


@pytest.mark.parametrize(("n", "fits"), [(0, 0), (16, 80), (17, 2 * 17 + 3 * 16), (52, 152)])
def test_fits_of_forecasts_count_the_race(n, fits):
    assert fits_of_forecasts(n) == fits
