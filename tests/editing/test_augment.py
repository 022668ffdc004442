"""Vary all rows: which policy is proposed, and when nothing is."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.names import AUGMENT
from tilth.core.policy import Policy, Repertoire, Variation
from tilth.editing.augment import Augment
from tilth.operators.view import View
from tilth.testing.views import view_of

CHANGES = {
    "rotate": Variation(kinds=frozenset({"image"}), severities=(1, 3)),
    "flip": Variation(kinds=frozenset({"image"})),
}
OWN = {"shout": Variation(kinds=frozenset({"text"}), is_own=True)}
WRITTEN = {"mine.yaml": Policy.identity(salt=4)}


def view(known: Repertoire, editor: Augment | None = None) -> View:
    labels, labelled = np.array([0, 1, 1, 0]), np.array([True, True, True, False])
    return view_of(editor or Augment(), labels=labels, labelled=labelled, transforms=known)


def policy_in(editor: Augment, known: Repertoire) -> Policy:
    edit = editor.propose(view(known, editor))
    texts = set(edit.set[AUGMENT]["value"].to_pylist())
    assert len(texts) == 1
    assert edit.set[AUGMENT]["_tilth_id"].to_pylist() == ["r0", "r1", "r2"]
    return Policy.from_text(texts.pop())


def test_one_transform_at_a_time_with_its_severities() -> None:
    policy = policy_in(Augment(), Repertoire(changes=CHANGES, learns=True))
    assert policy.transforms == ("flip", "rotate")
    assert [str(one) for one in policy.sequences[0].steps[0].changes] == ["as_it_is", "flip", "rotate 1-3"]


def test_two_at_a_time_at_one_severity() -> None:
    (sequence,) = policy_in(Augment(by="rand"), Repertoire(changes=CHANGES, learns=True)).sequences
    assert len(sequence.steps) == 2
    assert str(sequence.steps[0].changes[2]) == "rotate 2"


def test_labels_are_mixed_only_where_rows_pass_in_batches() -> None:
    mixed = Augment(mix="mixup")
    assert policy_in(mixed, Repertoire(changes=CHANGES, learns=True, mixes=True)).mix == "mixup"
    with pytest.raises(NotApplicable, match="cannot learn from mixed"):
        mixed.propose(view(Repertoire(changes=OWN, learns=False), mixed))


def test_on_frozen_features_it_is_proposed_only_where_a_person_asked() -> None:
    with pytest.raises(NotApplicable, match="frozen features"):
        Augment().propose(view(Repertoire(changes=CHANGES)))
    assert policy_in(Augment(), Repertoire(changes=OWN)).transforms == ("shout",)


def test_written_policies_are_proposed_as_they_are() -> None:
    known = Repertoire(changes=CHANGES, policies=WRITTEN, learns=True)
    assert policy_in(Augment(by="written"), known) == WRITTEN["mine.yaml"]
    with pytest.raises(NotApplicable, match="no further policy"):
        Augment(by="written", number=2).propose(view(known))


def test_where_nothing_may_vary_it_refuses() -> None:
    with pytest.raises(NotApplicable, match="no transform"):
        Augment().propose(view(Repertoire(changes={}, learns=True)))


def test_numbers_are_not_its_business() -> None:
    known = Repertoire(changes=CHANGES, learns=True)
    numbers = view_of(Augment(), classes=(), numbers=np.array([1.0, 2.0]), transforms=known)
    with pytest.raises(NotApplicable, match="number"):
        Augment().propose(numbers)


def test_every_strength_is_another_edit() -> None:
    known = Repertoire(changes=CHANGES, policies=WRITTEN, learns=True, mixes=True)
    made = [one for one in Augment().strengths() if not (one.by == "written" and one.number > 1)]
    assert len({one.propose(view(known, one)).edit_id for one in made}) == len(made)
