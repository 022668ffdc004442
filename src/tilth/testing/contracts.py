"""The contracts of operators: what every plug-in must hold, as checks that name what was broken and how to mend it.

    @pytest.mark.parametrize("contract", contracts_for(MyDetector), ids=str)
    def test_contract(contract):
        contract()

A contract that is broken raises ContractError; what an operator itself raises comes through with its traceback.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tilth.operators.registry import listings, operator_class
from tilth.testing._behaviour import BEHAVIOUR
from tilth.testing._cell_laws import ENCODING, EVALUATION, SOURCES
from tilth.testing._form import FORM
from tilth.testing._rows_laws import DETECTION, EDITING, LEARNING, SELECTION, speaks_in
from tilth.testing._subject import Check, Subject, strict

__all__ = ["LAWS", "Contract", "contracts_for", "registry_contracts", "speaks_in_worlds"]

LAWS: Mapping[str, tuple[Check, ...]] = {
    "sources": (*FORM, *SOURCES),
    "encoding": (*FORM, *ENCODING),
    "learning": (*FORM, *BEHAVIOUR, *LEARNING),
    "detection": (*FORM, *BEHAVIOUR, *DETECTION),
    "editing": (*FORM, *BEHAVIOUR, *EDITING),
    "selection": (*FORM, *BEHAVIOUR, *SELECTION),
    "evaluation": (*FORM, *EVALUATION),
}
"""Room -> the checks that its operators must pass, in order."""


@dataclass(frozen=True, slots=True)
class Contract:
    """One check on one operator; call it to run it."""

    subject: Subject
    check: Check

    def __call__(self) -> None:
        """Run the check with warnings as errors; raises ContractError when the operator breaks it."""
        with strict():
            self.check(self.subject)

    def __str__(self) -> str:
        """`room/operator:check`, which test runners show."""
        return f"{self.subject.room}/{self.subject.name}:{getattr(self.check, '__name__', 'check')}"


def contracts_for(kind: Any, *, tests: Path | None = None) -> tuple[Contract, ...]:
    """Return the contracts that an operator class must hold.

    Parameters
    ----------
    kind : the class; it need not be registered
    tests : folder below which test_<name>.py must lie; None leaves that out
    """
    subject = Subject.of(kind, tests)
    return tuple(Contract(subject, check) for check in LAWS[subject.room])


def registry_contracts(room: str | None = None, *, tests: Path | None = None) -> tuple[Contract, ...]:
    """Return the contracts of every operator in the registry, third parties' included."""
    kinds = [operator_class(listing.room, listing.name) for listing in listings(room)]
    return tuple(contract for kind in kinds for contract in contracts_for(kind, tests=tests))


def speaks_in_worlds(kind: Any) -> tuple[str, ...]:
    """Return the names of the planted worlds whose fault a detector finds (see `plants.PLANTED`)."""
    with strict():
        return speaks_in(Subject.of(kind))
