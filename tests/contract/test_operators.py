"""Every operator in the registry holds the contracts of its room."""

from __future__ import annotations

from pathlib import Path

import pytest

from tilth.core.errors import MissingExtraError
from tilth.operators.registry import names, operator_class
from tilth.testing.contracts import Contract, registry_contracts, speaks_in_worlds
from tilth.testing.plants import PLANTED

TESTS = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("contract", registry_contracts(tests=TESTS), ids=str)
def test_contract(contract: Contract) -> None:
    try:
        contract()
    except MissingExtraError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", names("detection"))
def test_every_detector_finds_a_planted_fault(name: str) -> None:
    assert speaks_in_worlds(operator_class("detection", name))


@pytest.mark.parametrize("world", PLANTED)
def test_every_planted_fault_is_found(world: str) -> None:
    """Three kinds of wrong labels, copies, leaks, outliers, gaps …: some detector speaks of each."""
    assert any(world in speaks_in_worlds(operator_class("detection", name)) for name in names("detection"))
