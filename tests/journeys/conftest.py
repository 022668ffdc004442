"""Projects that several journeys read and none changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from journey_worlds import done, made, reviews, write_csv


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures do not depend on the number of cores."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def run_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project on reviews that has run once; to be read, not changed."""
    home = tmp_path_factory.mktemp("reviews")
    folder = made(home / "project", write_csv(home / "reviews.csv", reviews(240)), "--label", "sentiment")
    done("run", "--dir", folder)
    return folder
