"""The conformance kit for authors of operators: contracts, planted worlds, views by hand, strategies.

from tilth.testing.contracts import contracts_for

@pytest.mark.parametrize("contract", contracts_for(MyDetector), ids=str)
def test_contract(contract):
    contract()
"""
