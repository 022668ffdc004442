"""What rows are worth, through the Python door: wrong labels are worth least."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import tilth
from tilth.core.errors import TilthError
from tilth.operators.registry import names


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 400)
    x = rng.normal(size=(400, 3)) + 2 * truth[:, None]
    wrong = rng.random(400) < 0.1
    table = pd.DataFrame(x, columns=["a", "b", "c"]).assign(y=np.where(truth ^ wrong, "yes", "no"))
    table.insert(0, "id", [f"r{i}" for i in range(400)])
    project = tilth.init(table, label="y", id="id", folder=tmp_path_factory.mktemp("values"))
    project.run(dry_run=True)
    return project, {f"r{i}" for i in np.flatnonzero(wrong)}


@pytest.mark.parametrize("valuer", [name for name in names("valuation") if name != "influence_regression"])
def test_wrong_labels_are_worth_least(planted, valuer):
    project, wrong = planted
    values = project.values(valuer)
    worst = values.lowest(15).ids.to_pylist()
    assert len(values) == 240
    assert len(wrong & set(worst)) >= 9


def test_an_unknown_valuer_is_refused(planted):
    with pytest.raises(TilthError, match="knn_shapley"):
        planted[0].values("knn_shaply")
