"""The kit catches what it promises to catch: operators that break one contract each, and one that holds them all."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.edit import Edit, Verb
from tilth.core.errors import ContractError, NotApplicable, TilthError, UndeclaredNeedError, UsageError
from tilth.core.finding import Finding
from tilth.core.names import ROW_ID
from tilth.core.rowset import RowSet
from tilth.core.schema import ColumnType, TaskType
from tilth.core.target import TargetKind
from tilth.core.values import Values
from tilth.operators import registry
from tilth.operators.registry import listings, make, spec_of
from tilth.operators.view import Scope, View
from tilth.testing.contracts import LAWS, contracts_for, registry_contracts

SOUND = '''
"""Rows far from the middle.

    severity_i = min(1, |x_i - mean| / 100)

Source: Nobody (2020), Nowhere, section 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import FloatMatrix32, Vector
from tilth.core.errors import NotApplicable

__all__ = ["FarOut", "remoteness"]


def remoteness(features: FloatMatrix32) -> Vector:
    """Return how far each row lies from the middle; (n, d) -> (n,) in [0, 1]."""
    middle = np.median(features, axis=0)
    return np.minimum(1.0, np.linalg.norm(features - middle, axis=1) / 100.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FarOut:
    """Flag rows far from the middle."""

    least: float = 0.25

    needs: ClassVar[frozenset[str]] = frozenset({"embeddings"})
    scope: ClassVar[str] = "train"
    revision: ClassVar[int] = 1

    def find(self, view):
        """Return one finding, or none."""
        if not len(view):
            raise NotApplicable("there are no rows")
        severity = remoteness(view.embeddings)
        flagged = severity > self.least
        if not flagged.any():
            return []
        return [view.finding("outlier", severity, flagged=flagged, summary=f"{flagged.sum()} rows lie far out.")]
'''


@pytest.fixture
def far_out(tmp_path, monkeypatch):
    """A third party's module on the path, announced by an entry point, as an installed package would."""
    folder = tmp_path / "planted_plugin"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "far_out.py").write_text(SOUND, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    point = EntryPoint(name="detection.far_out", value="planted_plugin.far_out:FarOut", group=registry.GROUP)
    monkeypatch.setattr(registry, "_third_party", lambda: (point,))
    registry._room_listings.cache_clear()
    yield tmp_path
    registry._room_listings.cache_clear()
    for name in ("planted_plugin", "planted_plugin.far_out"):
        sys.modules.pop(name, None)


def test_a_third_partys_operator_holds_every_contract(far_out):
    assert "far_out" in [listing.name for listing in listings("detection")]
    (far_out / "test_far_out.py").touch()
    mine = [c for c in registry_contracts("detection", tests=far_out) if c.name == "far_out"]
    assert len(mine) == len(LAWS["detection"])
    for contract in mine:
        contract()
    assert spec_of(make("detection", "far_out")).room == "detection"


def test_a_missing_test_is_missed(far_out):
    (contract,) = [
        c for c in registry_contracts("detection", tests=far_out) if str(c) == "detection/far_out:has_a_test"
    ]
    with pytest.raises(ContractError, match="test_far_out"):
        contract()


# -- operators that break one rule ---------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Finder:
    """A detector that holds its contracts; others are made from it by breaking one."""

    needs: ClassVar[frozenset[str]] = frozenset({"embeddings"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def severity(self, view: View) -> np.ndarray:
        return np.minimum(np.abs(view.embeddings[:, 0].astype(np.float64)) / 100, 1.0)

    def find(self, view: View) -> Sequence[Finding]:
        if not len(view):
            raise NotApplicable("there are no rows")
        severity = self.severity(view)
        return [view.finding("strange_row", severity, flagged=severity > 0.9, summary="Some rows are strange.")]


@dataclass(frozen=True, kw_only=True)
class Changes(Finder):
    needs: ClassVar[frozenset[str]] = frozenset({"embeddings", "neighbours"})

    def severity(self, view: View) -> np.ndarray:
        view.neighbours.distances[:] = 0.0
        return super().severity(view)


@dataclass(frozen=True, kw_only=True)
class Gambles(Finder):
    def severity(self, view: View) -> np.ndarray:
        return np.random.rand(len(view)) / 100  # noqa: NPY002 - the fault


@dataclass(frozen=True, kw_only=True)
class Forgets(Finder):
    def severity(self, view: View) -> np.ndarray:
        return np.random.default_rng().random(len(view)) / 100


@dataclass(frozen=True, kw_only=True)
class Counts(Finder):
    def severity(self, view: View) -> np.ndarray:
        return np.arange(len(view)) / 1e6


@dataclass(frozen=True, kw_only=True)
class Peeks(Finder):
    def severity(self, view: View) -> np.ndarray:
        return super().severity(view) + 0 * len(view._evidence["splits"])


@dataclass(frozen=True, kw_only=True)
class Asks(Finder):
    def severity(self, view: View) -> np.ndarray:
        return super().severity(view) + 0 * view.weights


@dataclass(frozen=True, kw_only=True)
class Stumbles(Finder):
    def find(self, view: View) -> Sequence[Finding]:
        return [view.finding("strange_row", self.severity(view), flagged=view.embeddings[0] > 9, summary="Strange.")]


@dataclass(frozen=True, kw_only=True)
class Warns(Finder):
    def severity(self, view: View) -> np.ndarray:
        return np.clip(super().severity(view) + 0 * np.float64(1) / (len(view) - 1), 0, 1)


@dataclass(frozen=True, kw_only=True)
class Cries(Finder):
    def find(self, view: View) -> Sequence[Finding]:
        flagged = np.ones(len(view), dtype=bool)
        return [view.finding("strange_row", flagged, flagged=flagged, summary="All rows are strange.")]


@dataclass(frozen=True, kw_only=True)
class Misses(Finder):
    def find(self, view: View) -> Sequence[Finding]:
        flagged = view.embeddings[:, 0] > 3
        return [view.finding("outlier", flagged * 0.5, flagged=flagged, summary="Wrong rows.")]


@dataclass(frozen=True, kw_only=True)
class Outlier(Finder):
    """Named like a planted kind, and silent."""

    def find(self, view: View) -> Sequence[Finding]:
        return []


@dataclass(frozen=True, kw_only=True)
class Judges(Finder):
    scope: ClassVar[Scope] = "all"

    def find(self, view: View) -> Sequence[Finding]:
        flagged = np.arange(len(view)) < 30
        return [view.finding("strange_row", flagged * 0.1, flagged=flagged, summary="The first rows.")]


@dataclass(frozen=True, kw_only=True)
class Shouts(Finder):
    def find(self, view: View) -> Sequence[Finding]:
        return [replace(found, kind="Strange Row!") for found in super().find(view)]


@dataclass(frozen=True)
class Loose(Finder):
    share: float = 0.1


@dataclass(kw_only=True)
class Thawed:
    revision: ClassVar[int] = 1
    needs: ClassVar[frozenset[str]] = frozenset()
    scope: ClassVar[Scope] = "train"
    share: float = 0.1

    def find(self, view: View) -> Sequence[Finding]:
        return []


@dataclass(frozen=True, kw_only=True)
class Needy(Finder):
    least: float


@dataclass(frozen=True, kw_only=True)
class Unwritten(Finder):
    rule: Any = len


@dataclass(frozen=True, kw_only=True)
class Vague(Finder):
    needs: ClassVar[frozenset[str]] = frozenset({"everything"})


@dataclass(frozen=True, kw_only=True)
class Unnumbered(Finder):
    revision: ClassVar[int] = 0


@dataclass(frozen=True, kw_only=True)
class Editor:
    """Drops the rows with the largest first feature."""

    needs: ClassVar[frozenset[str]] = frozenset({"embeddings"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def strengths(self) -> Sequence[Any]:
        return (self,)

    def rows(self, view: View) -> np.ndarray:
        if len(view) < 10:
            raise NotApplicable("too few rows")
        ids = np.array(view.ids.to_pylist())
        return np.lexsort((ids, -view.embeddings[:, 0]))[:5]

    def choose(self, view: View) -> RowSet:
        return RowSet(ids=view.take_ids(self.rows(view)))

    def propose(self, view: View, rows: np.ndarray | None = None) -> Edit:
        ids = view.take_ids(self.rows(view) if rows is None else rows)
        return Edit.removing(ids, operator=view.spec, reason="large")


@dataclass(frozen=True, kw_only=True)
class Oversteps(Editor):
    scope: ClassVar[Scope] = "all"


@dataclass(frozen=True, kw_only=True)
class IgnoresPlacebo(Editor):
    def propose(self, view: View, rows: np.ndarray | None = None) -> Edit:
        return super().propose(view, None)


@dataclass(frozen=True, kw_only=True)
class Doubts(Editor):
    needs: ClassVar[frozenset[str]] = frozenset({"embeddings", "labels", "numbers", "trusted"})

    def propose(self, view: View, rows: np.ndarray | None = None) -> Edit:
        if view.schema.task.is_regression:
            raise NotApplicable("classes only")
        ids = view.take_ids(self.rows(view) if rows is None else rows)
        first = pa.array([view.classes[0]] * len(ids))
        return Edit.relabelling("label", ids, first, first, operator=view.spec, reason="first is best")


@dataclass(frozen=True, kw_only=True)
class Idles(Editor):
    def propose(self, view: View, rows: np.ndarray | None = None) -> Edit:
        ids = view.take_ids(self.rows(view) if rows is None else rows)
        cells = {"_tilth_weight": pa.table({ROW_ID: ids, "value": pa.nulls(len(ids), pa.float64())})}
        return Edit(verb=Verb.MODIFY, operator=view.spec, reason="none", author=view.spec.name, set=cells)


@dataclass(frozen=True, kw_only=True)
class Anonymous(Editor):
    def propose(self, view: View, rows: np.ndarray | None = None) -> Edit:
        return replace(super().propose(view, rows), author="somebody")


@dataclass(frozen=True, kw_only=True)
class ChoosesOthers(Editor):
    def choose(self, view: View) -> RowSet:
        return RowSet(ids=view.ids.slice(0, 1))


@dataclass(frozen=True, kw_only=True)
class Strengthless(Editor):
    def strengths(self) -> Sequence[Any]:
        return ()


@dataclass(frozen=True, kw_only=True)
class Selects:
    """Selects the rows with the largest first feature."""

    needs: ClassVar[frozenset[str]] = frozenset({"embeddings"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def select(self, view: View, budget: int) -> RowSet:
        order = np.argsort(-view.embeddings[:, 0], kind="stable")[:budget]
        return RowSet(ids=view.take_ids(order), scores=view.embeddings[order, 0].astype(np.float64))


@dataclass(frozen=True, kw_only=True)
class Overspends(Selects):
    def select(self, view: View, budget: int) -> RowSet:
        return super().select(view, budget + 1)


@dataclass(frozen=True, kw_only=True)
class Repeats(Selects):
    def select(self, view: View, budget: int) -> RowSet:
        return RowSet(ids=view.ids.take(pa.array([0] * min(budget, len(view)), pa.int64())))


@dataclass(frozen=True, kw_only=True)
class WorstFirst(Selects):
    def select(self, view: View, budget: int) -> RowSet:
        chosen = super().select(view, budget)
        assert chosen.scores is not None
        return RowSet(ids=chosen.ids.take(pa.array(np.arange(len(chosen))[::-1])), scores=chosen.scores[::-1])


@dataclass(frozen=True, kw_only=True)
class Weighs:
    """Values rows by the probability of their own label."""

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "pred_probs"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def worth(self, view: View) -> np.ndarray:
        return view.pred_probs[np.arange(len(view)), view.labels]

    def value(self, view: View) -> Values:
        if view.schema.task.is_regression:
            raise NotApplicable("classes only")
        return Values(operator=view.spec, ids=view.ids, values=self.worth(view), unit="probability of the label")


@dataclass(frozen=True, kw_only=True)
class Inverts(Weighs):
    def worth(self, view: View) -> np.ndarray:
        return -super().worth(view)


@dataclass(frozen=True, kw_only=True)
class Shrugs(Weighs):
    def worth(self, view: View) -> np.ndarray:
        return np.zeros(len(view))


@dataclass(frozen=True, kw_only=True)
class KeepsQuiet(Weighs):
    def value(self, view: View) -> Values:
        raise NotApplicable("no comment")


@dataclass(frozen=True, kw_only=True)
class Reverses(Weighs):
    def value(self, view: View) -> Values:
        values = super().value(view)
        return replace(values, ids=values.ids.take(pa.array(np.arange(len(values))[::-1])))


@dataclass(frozen=True, kw_only=True)
class Invents(Weighs):
    def value(self, view: View) -> Values:
        return replace(super().value(view), ids=pa.array([f"other{i}" for i in range(len(view))]))


@dataclass(frozen=True, kw_only=True)
class Unitless(Weighs):
    def value(self, view: View) -> Values:
        return replace(super().value(view), unit=" ")


@dataclass(frozen=True, kw_only=True)
class Ghostwrites(Weighs):
    def value(self, view: View) -> Values:
        return replace(super().value(view), operator=replace(view.spec, name="somebody"))


@dataclass(frozen=True, kw_only=True)
class Rolls(Weighs):
    def worth(self, view: View) -> np.ndarray:
        return super().worth(view) + np.arange(len(view)) / 1e6


@dataclass(frozen=True, kw_only=True)
class Encodes:
    """Centres a number on the mean of a fold of exact counts."""

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.NUMBER})
    revision: ClassVar[int] = 1

    def start(self) -> Any:
        return {}

    def fold(self, state: Any, batch: Any) -> Any:
        counts = dict(state)
        for value in batch.cells.to_pylist():
            counts[value] = counts.get(value, 0) + 1
        return counts

    def merge(self, left: Any, right: Any) -> Any:
        return {value: left.get(value, 0) + right.get(value, 0) for value in {**left, **right}}

    def finish(self, state: Any) -> Any:
        known = sorted(value for value in state if value is not None)
        return {"middle": np.array(known[len(known) // 2] if known else 0.0)}

    def encode(self, batch: Any, state: Any) -> np.ndarray:
        cells = np.array([0.0 if value is None else value - state["middle"] for value in batch.cells.to_pylist()])
        return cells.astype(np.float32).reshape(-1, 1)


@dataclass(frozen=True, kw_only=True)
class FirstSeen(Encodes):
    def finish(self, state: Any) -> Any:
        return {"middle": np.array(next((value for value in state if value is not None), 0.0))}


@dataclass(frozen=True, kw_only=True)
class KeepsObjects(Encodes):
    def finish(self, state: Any) -> Any:
        return super().finish(state) | {"seen": np.array(["a", None], dtype=object)}


@dataclass(frozen=True, kw_only=True)
class LooksAround(Encodes):
    def encode(self, batch: Any, state: Any) -> np.ndarray:
        features = super().encode(batch, state)
        return features - features.mean() if len(features) else features


@dataclass(frozen=True, kw_only=True)
class Widens(Encodes):
    def encode(self, batch: Any, state: Any) -> np.ndarray:
        return np.repeat(super().encode(batch, state), 2 if batch.cells.null_count else 1, axis=1)


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Accuracy."""

    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.BINARY, TaskType.MULTICLASS})
    stratified: ClassVar[bool] = False
    revision: ClassVar[int] = 1

    def measure(self, target: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        return (predicted.argmax(axis=1) == target).astype(np.float64)


@dataclass(frozen=True, kw_only=True)
class Errs(Scores):
    def measure(self, target: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        return 1 - super().measure(target, predicted)


@dataclass(frozen=True, kw_only=True)
class Averages(Scores):
    def measure(self, target: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        scores = super().measure(target, predicted)
        return scores - scores.sum() / 100


@dataclass(frozen=True, kw_only=True)
class Learns:
    """Predicts the shares of the classes."""

    needs: ClassVar[frozenset[str]] = frozenset({"embeddings"})
    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.BINARY, TaskType.MULTICLASS})
    accepts: ClassVar[frozenset[TargetKind]] = frozenset({TargetKind.CLASS, TargetKind.DISTRIBUTION})
    revision: ClassVar[int] = 1

    def grid(self) -> Sequence[Any]:
        return (self,)

    def prepare(self, view: View) -> None:
        return None

    def fit(self, view: View, target: Any, *, prepared: Any = None, start: Any = None) -> Any:
        mass = target.distribution[target.mask] * target.weights[target.mask][:, None]
        if not mass.sum() > 0:
            raise NotApplicable("no row has a class")
        return mass.sum(axis=0) / mass.sum()

    def predict_proba(self, view: View, model: Any) -> np.ndarray:
        return np.tile(model, (len(view), 1))


@dataclass(frozen=True, kw_only=True)
class Unnormed(Learns):
    def predict_proba(self, view: View, model: Any) -> np.ndarray:
        return 0.9 * super().predict_proba(view, model)


@dataclass(frozen=True, kw_only=True)
class ClingsToStart(Learns):
    def fit(self, view: View, target: Any, *, prepared: Any = None, start: Any = None) -> Any:
        fresh = super().fit(view, target)
        return fresh if start is None else np.full(len(fresh), 1 / len(fresh))


@dataclass(frozen=True, kw_only=True)
class ReadsAll(Learns):
    def fit(self, view: View, target: Any, *, prepared: Any = None, start: Any = None) -> Any:
        mass = target.distribution + 1e-9
        return mass.sum(axis=0) / mass.sum()


@dataclass(frozen=True, kw_only=True)
class Reads:
    """Reads a table that is another one each time."""

    revision: ClassVar[int] = 1

    def read(self) -> pa.Table:
        return pa.table({"x": np.random.default_rng().random(3)})


@dataclass(frozen=True, kw_only=True)
class Mute:
    """Refuses without saying what to do."""

    revision: ClassVar[int] = 1

    def read(self) -> pa.Table:
        raise TilthError("no")


def run(kind: Any, check: str) -> None:
    (contract,) = [c for c in contracts_for(kind) if str(c).endswith(f":{check}")]
    contract()


BEHAVING = {"says_what_it_is", "names_agree", "has_a_test"}
"""Form that fixtures inside this file cannot have."""


@pytest.mark.parametrize(
    "kind", [Finder, Weighs, Editor, Selects, Encodes, Scores, Learns], ids=lambda kind: kind.__name__
)
def test_sound_operators_pass(kind):
    for contract in contracts_for(kind):
        if str(contract).partition(":")[2] not in BEHAVING:
            contract()


@pytest.mark.parametrize(
    ("kind", "check", "words"),
    [
        (Changes, "leaves_inputs_alone", "changed neighbours"),
        (Gambles, "leaves_randomness_alone", "global random generator"),
        (Forgets, "repeats_itself", "differs in: strange_row severity"),
        (Counts, "follows_row_ids", "in another order"),
        (Peeks, "reads_what_it_declares", "reads splits without"),
        (Cries, "is_quiet_where_nothing_is_wrong", "without faults"),
        (Misses, "speaks_where_something_is_wrong", "planted rows"),
        (Outlier, "speaks_where_something_is_wrong", "nothing of a planted outlier"),
        (Judges, "findings_are_whole", "flags dev or test rows"),
        (Shouts, "findings_are_whole", "snake_case"),
        (Loose, "frozen_keyword_only", "by position"),
        (Thawed, "frozen_keyword_only", "'share' can be changed"),
        (Needy, "makes_itself", "without arguments"),
        (Vague, "declares_itself", "unknown"),
        (Unnumbered, "declares_itself", "revision is 0"),
        (Finder, "names_agree", "test_kit"),
        (Finder, "says_what_it_is", "no source"),
        (Oversteps, "edits_touch_train_and_pool", "neither train nor pool"),
        (IgnoresPlacebo, "placebos_keep_to_their_rows", "others"),
        (Doubts, "edits_trust_people", "a person confirmed"),
        (Idles, "edits_revert", "changes nothing"),
        (Anonymous, "edits_say_who_and_why", "who proposed"),
        (ChoosesOthers, "edits_say_who_and_why", "than choose names"),
        (Strengthless, "strengths_are_its_own", "no variants"),
        (Overspends, "budgets_are_kept", "for a budget of"),
        (Repeats, "budgets_are_kept", "twice"),
        (WorstFirst, "budgets_are_kept", "best first"),
        (Inverts, "higher_helps", "turn the sign"),
        (Shrugs, "higher_helps", "no better than chance"),
        (KeepsQuiet, "higher_helps", "neither rows with classes nor"),
        (Reverses, "values_are_whole", "the view's order"),
        (Invents, "values_are_whole", "does not hold"),
        (Unitless, "values_are_whole", "one unit"),
        (Ghostwrites, "values_are_whole", "name its operator"),
        (Rolls, "follows_row_ids", "differs in: values"),
        (FirstSeen, "folds_do_not_depend_on_blocks", "its state differs"),
        (KeepsObjects, "states_are_plain", "'seen'"),
        (LooksAround, "encodes_rows_alone", "in a small block"),
        (Widens, "bears_odd_cells", "widths"),
        (Errs, "higher_is_better", "highest"),
        (Averages, "scores_rows_by_themselves", "depends on the other rows"),
        (Unnormed, "predictions_are_sound", "sum to 1"),
        (ClingsToStart, "warm_is_cold", "started elsewhere"),
        (ReadsAll, "unlabelled_rows_are_ignored", "outside the mask"),
        (Reads, "reads_or_refuses", "read twice"),
        (Mute, "reads_or_refuses", "without saying what to do"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_broken_contract_is_named(kind, check, words):
    with pytest.raises(ContractError, match=words) as caught:
        run(kind, check)
    assert caught.value.where.endswith(f"/{contracts_for(kind)[0].name}")


def test_what_an_operator_raises_comes_through():
    with pytest.raises(UndeclaredNeedError, match="weights"):
        run(Asks, "repeats_itself")
    with pytest.raises(IndexError):
        run(Stumbles, "bears_odd_inputs")
    with pytest.raises(RuntimeWarning):
        run(Warns, "bears_odd_inputs")


def test_a_parameter_that_cannot_be_written_is_caught():
    with pytest.raises((ContractError, Exception), match="represent"):
        run(Unwritten, "spec_round_trips")


def test_a_class_without_a_verb_has_no_room():
    with pytest.raises(UsageError, match="verbs of 0 rooms"):
        contracts_for(dict)


def test_every_check_of_the_kit_has_words():
    assert all(check.__doc__ for checks in LAWS.values() for check in checks)
    assert len({str(c) for c in registry_contracts()}) == len(registry_contracts())
