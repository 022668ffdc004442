"""Evidence of some train rows learnt without the labels of others, so that what is proposed from it can be scored on those.

Rows stand in folds. A row in fold g is predicted, for a proposal that fold f will score, by a model that saw neither f nor g. That model
serves g scored by f and f scored by g alike: with five folds ten fits are enough for all of them.

    p(truth | x, given): the transition is the one by which the whole train split's posteriors were made, read off them; the model of
    the truth is fitted anew through it. A transition without noise needs no fit: labels are what they are.

Source: Stone (1974), JRSS B 36 (cross-validation); Patrini et al. (2017), CVPR, theorem 2 (fitting through the transition).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.errors import NotApplicable
from tilth.core.names import ROW_ID
from tilth.core.schema import Role
from tilth.learning._crossfit import calibrated
from tilth.loop.bench import Bench
from tilth.loop.evidence import PENALTY
from tilth.loop.frames import target_of, train_rows
from tilth.loop.halves import half_of
from tilth.numerics import softmax_regression
from tilth.numerics.noise import noise_transition, posterior
from tilth.operators.view import View

__all__ = ["LEARNT", "Apart"]

LEARNT = frozenset({"pred_probs", "half_probs", "truth_probs", "predictions"})
"""Needs that were learnt from labels of all train rows."""
_BY_ROW = LEARNT | {
    "labels",
    "numbers",
    "labelled",
    "trusted",
    "weights",
    "times",
    "groups",
    "splits",
    "embeddings",
    "made",
}
_AS_IT_IS = frozenset({"findings", "source", "encode", "transforms", "generated"})
_NO_NOISE = 1e-9
"""Largest entry of a transition off its diagonal that is rounding."""


@dataclass(frozen=True, kw_only=True)
class Apart:
    """Views of train rows outside a fold, with evidence that was learnt there.

    Parameters
    ----------
    bench : the version's
    rows : (n,) positions in its train table of the labelled rows that are screened
    folds : (n,) fold of each
    """

    bench: Bench
    rows: IntVector
    folds: IntVector
    _memo: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def serves(needs: frozenset[str]) -> bool:
        """Whether an editor with these needs reads what was learnt, or makes rows and judges them by the labels of all.

        It must read nothing that cannot be cut to some rows.
        """
        return bool(needs & (LEARNT | {"encode"})) and needs <= _BY_ROW | _AS_IT_IS | {"table", "slices"}

    @cached_property
    def positions(self) -> IntVector:
        """Storage positions of the screened rows."""
        return np.flatnonzero(train_rows(self.bench.table))[self.rows]

    def view(self, view: View, needs: frozenset[str], fold: int) -> View:
        """Return an operator's view without the rows of a fold; what was learnt is learnt anew, when it is first read."""
        inside = self.rows[self.folds != fold]
        ids = self.bench.train.column(ROW_ID).take(pa.array(inside)).combine_chunks()
        at = np.asarray(pc.fill_null(pc.index_in(ids, value_set=view.ids), -1), dtype=np.intp)
        if (at < 0).any():
            raise NotApplicable("its view does not show all labelled train rows")
        wanted = {need for need in needs if view.has(need)}  # type: ignore[arg-type]
        wanted |= {"labelled"} if needs & {"labels", "numbers"} else set()
        evidence = {need: partial(self._read, view, need, at, fold) for need in wanted}
        return View(ids=ids, schema=view.schema, evidence=evidence, needs=needs, spec=view.spec, seed=view.seed)

    def _read(self, view: View, need: str, at: IntVector, fold: int) -> Any:
        anew: Mapping[str, Callable[[], np.ndarray]] = {
            "predictions": lambda: self._predicted_without(fold)[:, 0],
            "half_probs": lambda: self._predicted_without(fold, halved=True),
            "truth_probs": lambda: self._truth_without(fold, view),
        }
        if not self.bench.schema.with_role(Role.PRED_PROBS):
            anew = {**anew, "pred_probs": lambda: self._predicted_without(fold)}
        if need in anew:
            return anew[need]()
        value = getattr(view, need)
        if need == "slices":
            return MappingProxyType({name: far[at] for name, far in value.items()})
        if need in _AS_IT_IS:
            return value
        return value[at] if isinstance(value, np.ndarray) else value.take(pa.array(at))

    # -- learnt anew ---------------------------------------------------------------------------------------------------

    def _once(self, name: str, compute: Callable[[], Any]) -> Any:
        if name not in self._memo:
            self._memo[name] = compute()
        return self._memo[name]

    def _predicted_without(self, fold: int, *, halved: bool = False) -> Matrix:
        """Return calibrated predictions of the rows outside a fold by models that did not see it, nor the row's own.

        Halved, the models learnt from half of the rows.
        """
        fit = partial(self._fitted, halved=halved)
        predicted: Matrix = self._once(f"predicted {halved}", lambda: self._by_pairs(fit))[fold]
        inside = self.folds != fold
        target = target_of(self.bench.train.take(pa.array(self.rows[inside])), self.bench.schema)
        return self._once(f"calibrated {fold} {halved}", lambda: calibrated(predicted[inside], target))  # type: ignore[no-any-return]

    def _truth_without(self, fold: int, view: View) -> Matrix:
        """Return p(truth | x, given) of the rows outside a fold."""
        inside, k = self.folds != fold, view.n_classes
        labels = self.bench.labels(self.bench.train)[0].astype(np.intp)[self.rows]
        transition = self._once("transition", lambda: self._transition(view))
        if np.abs(transition - np.eye(k)).max() <= _NO_NOISE:
            return np.asarray(np.eye(k)[labels[inside]])
        clean = self._once("clean", lambda: self._by_pairs(self._through(transition, np.eye(k)[labels])))
        return posterior(clean[fold][inside], labels[inside], transition)

    def _transition(self, view: View) -> Matrix:
        """Read the transition off the posteriors of all rows: what EM would make of them next."""
        table = self.bench.train
        at = np.asarray(pc.index_in(view.ids, value_set=table.column(ROW_ID).combine_chunks()), dtype=np.intp)
        joint = np.zeros((view.n_classes, view.n_classes))
        np.add.at(joint, self.bench.labels(table)[0].astype(np.intp)[at], view.truth_probs)
        return noise_transition(joint)

    def _by_pairs(self, fit: Callable[[IntVector], Callable[[IntVector], Matrix]]) -> dict[int, Matrix]:
        """Fit without each pair of folds and predict both; fold -> (n, k) predictions of the rows outside it."""
        found: dict[int, Matrix] = {}
        numbers = np.unique(self.folds).tolist()
        for f, g in ((f, g) for f in numbers for g in numbers if f < g):
            inside = np.flatnonzero((self.folds != f) & (self.folds != g))
            if not len(inside):
                raise NotApplicable("there are too few labelled rows to learn from some and be scored on others")
            predict = fit(inside)
            for scoring, own in ((f, g), (g, f)):
                mine = np.flatnonzero(self.folds == own)
                values = predict(mine)
                found.setdefault(scoring, np.zeros((len(self.folds), values.shape[1])))[mine] = values
        return found

    def _fitted(self, inside: IntVector, *, halved: bool) -> Callable[[IntVector], Matrix]:
        bench, at = self.bench, self.positions
        train = bench.train.take(pa.array(self.rows[inside]))
        if halved:
            train = train.filter(pa.array(half_of(train, target_of(train, bench.schema), seed=bench.seed)))
        model = bench.fit_train(train, start=bench.baseline)
        return lambda mine: bench.predict(model, at[mine])

    def _through(self, transition: Matrix, targets: Matrix) -> Callable[[IntVector], Callable[[IntVector], Matrix]]:
        """Return what fits a linear model of the truth to some rows, through the transition."""
        features = self.bench.features[self.positions]
        design = softmax_regression.prepare(features, PENALTY / max(len(features), 1))
        projected = design.project(features)

        def fit(inside: IntVector) -> Callable[[IntVector], Matrix]:
            weights: Vector = np.ones(len(inside))
            fitted = softmax_regression.fit(
                projected[inside],
                targets[inside],
                weights,
                replace(design, l2=PENALTY / len(inside)),
                self._memo.get("start"),
                transition=transition,
                tolerance=1e-6,
            )
            self._memo.setdefault("start", fitted)
            return lambda mine: softmax_regression.predict_proba(projected[mine], fitted)

        return fit
