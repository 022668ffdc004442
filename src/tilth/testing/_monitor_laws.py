"""Laws of monitoring: estimates hold the truth where nothing changed, doubt what rests on one row, and foreign rows stand out."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.errors import TilthError
from tilth.core.estimate import Estimate
from tilth.core.rng import generator
from tilth.operators.needs import NEEDS
from tilth.operators.registry import spec_of
from tilth.operators.view import View
from tilth.testing._behaviour import global_state, same_state
from tilth.testing._subject import Check, Subject, is_refusal
from tilth.testing.views import Reads, schema_of

__all__ = ["ESTIMATING", "OUTLYING"]

DRAWS, LEAST_COVERAGE = 40, 0.85
"""Worlds of which an estimate's interval must hold the truth in so many; 95 % are promised, 85 % leave room for chance."""
LEAST_WIDTH = 0.3
"""Of the interval of a share, from one new row."""
LEAST_ORDER = 0.75
"""Least chance that a planted foreign row is more foreign than another."""
ROUNDING = 1e-7
_KNOWN, _NEW = 400, 200

_Rows = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pair:
    """Reference and current rows with all evidence, the true mean score of the latter, and which of them are foreign."""

    reference: _Rows
    current: _Rows
    truth: float = float("nan")
    foreign: np.ndarray | None = None
    classes: tuple[str, ...] = ("no", "yes")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Asked:
    """What an operator answered, or None where it refused, and what it read."""

    answer: Any
    names: frozenset[str]
    changed: bool


def _drawn(seed: int, rows: int, *, numbers: bool = False) -> dict[str, Any]:
    """Return rows of a world whose predictions are exact: labels follow p(y | x), or numbers their expectation."""
    rng = generator(seed, "monitored", "numbers" if numbers else "classes")
    x = rng.standard_normal((rows, 4)) * (1.0, 1.0, 1.0, 0.5) + (0.0, 0.0, 0.0, 4.0)
    spread = 0.5 + (x[:, 1] > 0)
    right = 1 / (1 + np.exp(-1.5 * x[:, 0]))
    labels = (rng.random(rows) < right).astype(np.intp)
    evidence: dict[str, Any] = {"embeddings": x.astype(np.float32), "labelled": np.ones(rows, dtype=bool)}
    if numbers:
        given = x[:, 0] + spread * rng.standard_normal(rows)
        return evidence | {"numbers": given, "predictions": x[:, 0].copy(), "scores": -np.abs(given - x[:, 0])}
    probs = np.stack([1 - right, right], axis=1)
    member = {"first side": (x[:, 1] > 0).astype(np.float64)}
    scores = (probs.argmax(axis=1) == labels).astype(np.float64)
    return evidence | {"labels": labels, "pred_probs": probs, "scores": scores, "slices": member}


@lru_cache(maxsize=128)
def _pair(seed: int, kind: str = "classes") -> _Pair:
    rows = _drawn(seed, _KNOWN + _NEW, numbers=kind == "numbers")
    known, new = _some(rows, np.arange(_KNOWN)), _some(rows, np.arange(_KNOWN, _KNOWN + _NEW))
    truth = float(new["scores"].mean())
    classes = () if kind == "numbers" else ("no", "yes")
    return _Pair(reference=known, current=_unlabelled(new), truth=truth, classes=classes)


@lru_cache(maxsize=1)
def _foreign_pair() -> _Pair:
    """Half of the new rows lie between the classes and on the other side of the origin; the model is unsure of them."""
    pair = _pair(0)
    new = copy.deepcopy(dict(pair.current))
    foreign = np.arange(_NEW) % 2 == 0
    new["embeddings"][foreign, 3] *= np.float32(-1.0)
    new["pred_probs"][foreign] = 0.5 + 0.02 * (new["pred_probs"][foreign] - 0.5)
    return _Pair(reference=pair.reference, current=new, foreign=foreign)


def _some(rows: _Rows, at: np.ndarray) -> dict[str, Any]:
    return {
        need: {name: one[at] for name, one in values.items()} if isinstance(values, dict) else values[at]
        for need, values in rows.items()
    }


def _unlabelled(rows: _Rows) -> dict[str, Any]:
    return {need: values for need, values in rows.items() if need not in ("labels", "numbers", "scores", "labelled")}


def _view(operator: Any, rows: _Rows, ids: list[str], classes: tuple[str, ...]) -> tuple[View, Reads]:
    reads = Reads(rows)
    return View(
        ids=pa.array(ids, pa.string()),
        schema=schema_of(None, classes),
        evidence=reads,
        needs=frozenset(operator.needs),
        spec=spec_of(operator),
        seed=3,
    ), reads


def _ask(subject: Subject, pair: _Pair, order: tuple[np.ndarray, np.ndarray] | None = None) -> _Asked:
    """Return the answer to a pair of views, whose rows may stand in another order."""
    operator = subject.make()
    sides = []
    for side, (rows, first) in enumerate(((pair.reference, "r"), (pair.current, "c"))):
        n = len(rows["embeddings"])
        at = np.arange(n) if order is None else order[side]
        sides.append(_view(operator, _some(rows, at), [f"{first}{i}" for i in at], pair.classes))
    before = [copy.deepcopy(dict(reads.evidence)) for _, reads in sides]
    try:
        answer = getattr(operator, subject.verb)(sides[0][0], sides[1][0])
    except TilthError as error:
        if not is_refusal(error):
            raise
        answer = None
    changed = any(not _equal(reads.evidence, was) for (_, reads), was in zip(sides, before, strict=True))
    names = frozenset().union(*(reads.names for _, reads in sides))
    return _Asked(answer=answer, names=names, changed=changed)


def _equal(now: _Rows, before: _Rows) -> bool:
    return all(
        _equal(now[need], values) if isinstance(values, dict) else np.array_equal(now[need], values)
        for need, values in before.items()
    )


def _pairs() -> Iterator[tuple[str, _Pair]]:
    yield "classes", _pair(0)
    yield "numbers", _pair(0, "numbers")


def _numbers(answer: Any) -> np.ndarray:
    if isinstance(answer, Estimate):
        return np.array([answer.value, answer.low, answer.high, answer.standard_error])
    return np.asarray(answer, dtype=np.float64)


# -- laws of both verbs --------------------------------------------------------------------------------------------------


def needs_are_known(subject: Subject) -> None:
    """It declares needs, and knows no others than there are."""
    if unknown := sorted(set(getattr(subject.kind, "needs", {"needs"})) - set(NEEDS)):
        raise subject.breach(f"needs {unknown} are unknown", f"name some of {', '.join(NEEDS)}")


def keeps_to_itself(subject: Subject) -> None:
    """It reads what it declares, changes nothing, draws from no global generator, and says the same when asked again."""
    before = global_state()
    for name, pair in _pairs():
        asked, again = _ask(subject, pair), _ask(subject, pair)
        if beside := sorted(asked.names - set(subject.kind.needs) - {"labelled"}):
            raise subject.breach(f"it reads {', '.join(beside)} without declaring it", "add it to `needs`")
        if asked.changed:
            raise subject.breach("it changed what it was handed", "work on copies: np.array(values)")
        if (asked.answer is None) != (again.answer is None) or (
            asked.answer is not None and not np.array_equal(_numbers(asked.answer), _numbers(again.answer))
        ):
            raise subject.breach(f"asked twice about {name}, it differs", "draw from view.rng only")
    if not same_state(before, global_state()):
        raise subject.breach("it drew from a global random generator", "draw from view.rng")


def follows_row_ids(subject: Subject) -> None:
    """The same rows in another order get the same answer."""
    rng = generator(5, "shuffle")
    order = (rng.permutation(_KNOWN), rng.permutation(_NEW))
    for name, pair in _pairs():
        first, again = _ask(subject, pair).answer, _ask(subject, pair, order).answer
        if first is None and again is None:
            continue
        left = _numbers(first)
        left = left if isinstance(first, Estimate) else left[order[1]]
        if again is None or not np.allclose(left, _numbers(again), rtol=ROUNDING, atol=ROUNDING):
            raise subject.breach(f"with the rows of {name} in another order, it differs", "join rows by id")


def bears_odd_inputs(subject: Subject) -> None:
    """No reference row, one, one class, rows that are all alike: finite numbers or a refusal, no crash and no warning."""
    for name, pair in _pairs():
        known = pair.reference
        some = {
            "no": [],
            "one": [0],
            "two": [0, 1],
            "one class of": np.flatnonzero(known["scores"] >= np.median(known["scores"])),
        }
        odd = {what: _some(known, np.asarray(at, dtype=np.intp)) for what, at in some.items()}
        for what, rows in (odd | {"equal": _some(known, np.zeros(60, dtype=np.intp))}).items():
            asked = _ask(subject, _Pair(reference=rows, current=pair.current, classes=pair.classes))
            if asked.answer is not None and not np.isfinite(_numbers(asked.answer)).all():
                raise subject.breach(
                    f"of {name} with {what} reference rows, its answer is not finite", "raise NotApplicable"
                )


# -- estimates -----------------------------------------------------------------------------------------------------------


def holds_the_truth(subject: Subject) -> None:
    """On rows drawn as the reference was, the interval holds the true mean score about as often as it promises."""
    spoken = False
    for kind in ("classes", "numbers"):
        told = [(_ask(subject, pair).answer, pair.truth) for pair in (_pair(seed, kind) for seed in range(DRAWS))]
        held = [found.low <= truth <= found.high for found, truth in told if found is not None]
        if held and np.mean(held) < LEAST_COVERAGE:
            raise subject.breach(
                f"where nothing changed ({kind}), its 95 % interval holds the truth in {np.mean(held):.0%} of {len(held)} worlds",
                "count the sampling error of reference and current rows",
            )
        spoken = spoken or bool(held)
    if not spoken:
        raise subject.breach("it estimates neither classes nor numbers")


def doubts_few_rows(subject: Subject) -> None:
    """Without new rows it refuses; of one new row it refuses, or its interval is wide."""
    pair = _pair(0)
    none, one = (
        _ask(subject, _Pair(reference=pair.reference, current=_some(pair.current, np.arange(n)))).answer for n in (0, 1)
    )
    if none is not None:
        raise subject.breach("it estimates the score of no rows", "raise NotApplicable")
    if one is not None and one.high - one.low < LEAST_WIDTH:
        raise subject.breach(
            f"from one row it is sure to {one.high - one.low:.2f}", "count the current rows' sampling error"
        )


# -- foreign rows --------------------------------------------------------------------------------------------------------


def foreign_rows_stand_out(subject: Subject) -> None:
    """One finite number per current row; rows planted far off, between the classes, are more foreign than others."""
    pair = _foreign_pair()
    scores = _ask(subject, pair).answer
    if scores is None or scores.shape != (_NEW,) or not np.isfinite(scores).all():
        raise subject.breach(
            "it gives no finite number per current row", "return (n,) in the order of the current rows"
        )
    assert pair.foreign is not None
    strange, usual = np.sort(scores[pair.foreign]), scores[~pair.foreign]
    below = np.searchsorted(strange, usual, side="left") + np.searchsorted(strange, usual, side="right")
    if (order := 1 - float(below.mean()) / (2 * len(strange))) < LEAST_ORDER:
        raise subject.breach(f"a foreign row is more foreign than another {order:.0%} of the time", "turn the sign")


def speaks_of_no_rows(subject: Subject) -> None:
    """Without current rows it gives an empty answer, or refuses."""
    pair = _foreign_pair()
    found = _ask(subject, _Pair(reference=pair.reference, current=_some(pair.current, np.arange(0)))).answer
    if found is not None and np.shape(found) != (0,):
        raise subject.breach(f"of no rows it says {np.shape(found)}", "return an empty (0,)")


_BOTH: tuple[Check, ...] = (needs_are_known, keeps_to_itself, follows_row_ids, bears_odd_inputs)
ESTIMATING: tuple[Check, ...] = (*_BOTH, holds_the_truth, doubts_few_rows)
OUTLYING: tuple[Check, ...] = (*_BOTH, foreign_rows_stand_out, speaks_of_no_rows)
