"""The contracts of operators: what every plug-in must hold, as checks that name what was broken and how to mend it.

    @pytest.mark.parametrize("contract", contracts_for(MyDetector), ids=str)
    def test_contract(contract):
        contract()

A contract that is broken raises ContractError; what an operator itself raises comes through with its traceback.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tilth.operators.registry import Listing, listings, operator_class
from tilth.testing._behaviour import BEHAVIOUR
from tilth.testing._cell_laws import ENCODING, EVALUATION, SOURCES
from tilth.testing._edit_laws import EDITING
from tilth.testing._finding_laws import DETECTION, SELECTION, speaks_in
from tilth.testing._fit_laws import LEARNING
from tilth.testing._form import FORM
from tilth.testing._label_laws import LABELING
from tilth.testing._measure_laws import MEASURES
from tilth.testing._monitor_laws import ESTIMATING, OUTLYING
from tilth.testing._slice_laws import SLICING
from tilth.testing._subject import Check, Subject, strict
from tilth.testing._transform_laws import TRANSFORMING
from tilth.testing._value_laws import VALUATION
from tilth.testing._vote_laws import VOTING

__all__ = ["LAWS", "Contract", "contracts_for", "laws_of", "registry_contracts", "speaks_in_worlds"]

LAWS: Mapping[str, tuple[Check, ...]] = {
    "sources": (*FORM, *SOURCES),
    "encoding": (*FORM, *ENCODING),
    "learning": (*FORM, *BEHAVIOUR, *LEARNING),
    "labeling": (*FORM, *LABELING),
    "labeling.vote": (*FORM, *VOTING),
    "detection": (*FORM, *BEHAVIOUR, *DETECTION),
    "slicing": (*FORM, *BEHAVIOUR, *SLICING),
    "valuation": (*FORM, *BEHAVIOUR, *VALUATION),
    "editing": (*FORM, *BEHAVIOUR, *EDITING),
    "editing.apply": (*FORM, *TRANSFORMING),
    "selection": (*FORM, *BEHAVIOUR, *SELECTION),
    "evaluation": (*FORM, *EVALUATION),
    "evaluation.linearise": (*FORM, *MEASURES),
    "monitoring": (*FORM, *ESTIMATING),
    "monitoring.outlying": (*FORM, *OUTLYING),
}
"""Room (or room.verb, for a second verb) -> the checks that its operators must pass, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One check on one operator; call it to run it.

    Parameters
    ----------
    room, name : the operator
    check : what is checked; its docstring says it in words
    load : gives the operator class with what the check needs to know of it; called when the contract is
    """

    room: str
    name: str
    check: Check
    load: Callable[[], Subject]

    def __call__(self) -> None:
        """Run the check with warnings as errors; raises ContractError when the operator breaks it."""
        with strict():
            self.check(self.load())

    def __str__(self) -> str:
        """`room/operator:check`, which test runners show."""
        return f"{self.room}/{self.name}:{getattr(self.check, '__name__', 'check')}"


def laws_of(room: str, verb: str) -> tuple[Check, ...]:
    """Return the checks that operators of a room with a verb must pass."""
    return LAWS.get(f"{room}.{verb}", LAWS[room])


def contracts_for(kind: Any, *, tests: Path | None = None) -> tuple[Contract, ...]:
    """Return the contracts that an operator class must hold.

    Parameters
    ----------
    kind : the class; it need not be registered
    tests : folder below which test_<name>.py must lie; None leaves that out
    """
    subject = Subject.of(kind, tests)
    return tuple(
        Contract(room=subject.room, name=subject.name, check=check, load=lambda: subject)
        for check in laws_of(subject.room, subject.verb)
    )


def registry_contracts(room: str | None = None, *, tests: Path | None = None) -> tuple[Contract, ...]:
    """Return the contracts of every operator in the registry, third parties' included; nothing is imported yet."""
    return tuple(
        Contract(room=listing.room, name=listing.name, check=check, load=partial(_registered, listing, tests))
        for listing in listings(room)
        for check in laws_of(listing.room, listing.verb)
    )


def _registered(listing: Listing, tests: Path | None) -> Subject:
    return Subject(kind=operator_class(listing.room, listing.name), room=listing.room, name=listing.name, tests=tests)


def speaks_in_worlds(kind: Any) -> tuple[str, ...]:
    """Return the names of the planted worlds whose fault a detector finds (see `plants.PLANTED`)."""
    with strict():
        return speaks_in(Subject.of(kind))
