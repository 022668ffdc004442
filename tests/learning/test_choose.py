from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.schema import Column, ColumnType, Schema, Task, TaskType
from tilth.core.target import Target
from tilth.learning._choose import Choice, choose, default_learners
from tilth.learning._crossfit import fold_numbers
from tilth.learning.boosting import Boosting
from tilth.learning.linear import Linear
from tilth.learning.ridge import Ridge
from tilth.operators.view import View
from tilth.testing.views import view_of

N = 300
ALL = np.ones(N, dtype=bool)


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """Gives the right class a probability of its own choosing; the grid walks through them."""

    needs: ClassVar[frozenset[str]] = frozenset({"embeddings"})
    right: float = 0.5
    ladder: tuple[float, ...] = ()

    def grid(self) -> tuple[Fixed, ...]:
        return tuple(Fixed(right=right) for right in self.ladder)

    def prepare(self, view: Any) -> None:
        return None

    def fit(self, view: Any, target: Target, *, prepared: Any = None, start: Any = None) -> None:
        return None

    def predict_proba(self, view: Any, model: None) -> np.ndarray:
        """A share of the rows is right; calibration turns that share into confidence."""
        truth = view.embeddings[:, 0].astype(int)
        hit = (view.embeddings[:, 1] + 7.3 * self.right) % 1.0 < self.right
        return np.where(np.eye(2)[np.where(hit, truth, 1 - truth)] > 0, 0.9, 0.1)


def world(n: int = N) -> tuple[View, Target]:
    truth = np.arange(n) % 2
    features = np.column_stack([truth, np.arange(n) * 37 % 100 / 100]).astype(np.float32)
    return view_of(Fixed(), embeddings=features), Target.classes(truth, np.ones(n, dtype=bool), 2)


def chosen(*learners: Any, view: View | None = None, target: Target | None = None, **limits: int) -> Choice:
    if view is None or target is None:
        view, target = world()
    return choose(learners, view, target, fold_numbers(view.ids, target), **limits)


def test_the_best_wins_and_the_table_says_so() -> None:
    choice = chosen(Fixed(ladder=(0.6, 0.9, 0.7)))
    assert choice.learner == Fixed(right=0.9)
    assert [tried.chosen for tried in choice.tried] == [False, True, False]
    assert choice.tried[1].score == pytest.approx(0.9, abs=0.05)
    assert choice.tried[1].behind == 0 < choice.tried[0].behind
    assert choice.tried[1].to_dict()["learner"]["parameters"]["right"] == 0.9


def test_a_simpler_setting_within_one_standard_error_wins() -> None:
    assert chosen(Fixed(ladder=(0.84, 0.85))).learner == Fixed(right=0.84)
    assert chosen(Fixed(ladder=(0.6, 0.84)), Fixed(ladder=(0.85,))).learner == Fixed(right=0.84)
    assert chosen(Fixed(ladder=(0.6,)), Fixed(ladder=(0.85,))).learner == Fixed(right=0.85)


@dataclass(frozen=True, kw_only=True)
class Timid:
    """Knows the rare class as well as the other setting does, or a little better, but never says so: both stand above one half."""

    needs: ClassVar[frozenset[str]] = frozenset({"embeddings"})
    decides: bool = False

    def grid(self) -> tuple[Timid, ...]:
        return (Timid(), Timid(decides=True))

    def prepare(self, view: Any) -> None:
        return None

    def fit(self, view: Any, target: Target, *, prepared: Any = None, start: Any = None) -> None:
        return None

    def predict_proba(self, view: Any, model: None) -> np.ndarray:
        rare = view.embeddings[:, 0] > 0.5
        likely = np.where(rare, 0.505 if self.decides else 0.495, 0.1)
        return np.column_stack([1 - likely, likely])


def test_a_setting_that_decides_clearly_worse_does_not_win_by_its_loss() -> None:
    group = np.arange(1000) % 4 == 0
    labels = np.where(group, np.arange(1000) % 12 != 0, False).astype(np.intp)
    view = view_of(Timid(), embeddings=group[:, None].astype(np.float32))
    choice = chosen(Timid(), view=view, target=Target.classes(labels, np.ones(1000, dtype=bool), 2))
    assert choice.learner == Timid(decides=True)
    assert choice.tried[0].behind > 1 >= choice.tried[1].behind


def test_the_walk_ends_when_it_only_gets_worse() -> None:
    ladder = (0.9, 0.8, 0.7, 0.6, 0.95)
    assert len(chosen(Fixed(ladder=ladder)).tried) == 3


def test_noisy_labels_call_for_a_stronger_penalty() -> None:
    rng = np.random.default_rng(0)
    features = (rng.standard_normal((N, 40)) / 40**0.5).astype(np.float32)
    truth = (features @ np.ones(40) > 0).astype(np.intp)
    noisy = np.where(rng.random(N) < 0.35, 1 - truth, truth)
    view = view_of(Linear(), embeddings=features)
    penalties = [
        chosen(Linear(), view=view, target=Target.classes(labels, ALL, 2)).learner.penalty for labels in (truth, noisy)
    ]
    assert penalties[1] > 3 * penalties[0]


def test_a_part_of_the_rows_decides_and_order_does_not_matter() -> None:
    view, target = world(400)
    folds = fold_numbers(view.ids, target)
    order = np.random.default_rng(0).permutation(400)
    other = view_of(Fixed(), ids=[f"r{i}" for i in order], embeddings=view.embeddings[order])
    one = choose([Linear()], _linear(view), target, folds, rows=90)
    two = choose([Linear()], _linear(other), target.take(order), folds[order], rows=90)
    assert one.n_rows == two.n_rows == 90
    assert one.learner == two.learner
    assert one.tried[0].loss == pytest.approx(two.tried[0].loss, rel=1e-6)
    assert chosen(Fixed(ladder=(0.9,)), view=view, target=target, cells=100).n_rows == 50


def _linear(view: View) -> View:
    return view_of(Linear(), ids=view.ids.to_pylist(), embeddings=view.embeddings)


def test_boosting_is_chosen_where_columns_interact() -> None:
    rng = np.random.default_rng(1)
    table = pa.table({"a": rng.standard_normal(N), "b": rng.standard_normal(N)})
    features = np.column_stack([table["a"], table["b"]]).astype(np.float32)
    labels = (features.prod(axis=1) > 0).astype(np.intp)
    schema = Schema(
        columns=tuple(Column(name=name, type=ColumnType.NUMBER) for name in "ab"),
        tasks=(Task(type=TaskType.BINARY, label="y", classes=("0", "1")),),
    )
    view = View(
        ids=pa.array([f"r{i}" for i in range(N)]),
        schema=schema,
        evidence={"embeddings": features, "table": table},
        needs=frozenset({"embeddings", "table"}),
        spec=view_of(Linear(), embeddings=features).spec,
    )
    choice = chosen(*default_learners(schema), view=view, target=Target.classes(labels, ALL, 2))
    assert isinstance(choice.learner, Boosting)


@pytest.mark.parametrize(
    ("kinds", "names"),
    [
        (["number", "category"], ["Linear", "Boosting"]),
        (["number", "text"], ["Linear"]),
        (["embedding"], ["Linear"]),
        ([], ["Linear"]),
    ],
)
def test_who_competes(kinds: list[str], names: list[str]) -> None:
    columns = tuple(Column(name=f"c{i}", type=ColumnType(kind)) for i, kind in enumerate(kinds))
    schema = Schema(columns=columns, tasks=(Task(type=TaskType.BINARY, label="y", classes=("0", "1")),))
    assert [type(learner).__name__ for learner in default_learners(schema)] == names
    numbers = Schema(columns=columns, tasks=(Task(type=TaskType.REGRESSION, label="y"),))
    assert type(default_learners(numbers)[0]) is Ridge


def test_regression_is_scored_by_squared_error() -> None:
    rng = np.random.default_rng(0)
    features = rng.standard_normal((N, 3)).astype(np.float32)
    view = view_of(Ridge(), classes=(), embeddings=features)
    choice = chosen(Ridge(), view=view, target=Target.values(features[:, 0].astype(float), ALL))
    assert choice.learner.penalty < 1 and choice.tried[0].score < choice.tried[-1].score <= 0


def test_no_learner_is_refused() -> None:
    with pytest.raises(NotApplicable, match="no learner"):
        chosen()
