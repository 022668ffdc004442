"""Label models on planted and on real votes: accuracy, NLL, calibration and CPU, beside majority, crowd-kit and Snorkel.

All models of tilth run with their defaults, the same on every set; `auto` chooses among them by the votes alone. No gold label is
read before scoring, and no number is set per set; but the real sets were looked at while the models were designed (which
evidence counts, which beliefs are held), so they are no sealed test. Accuracy counts ties by their share; NLL clips
probabilities at 1e-6; both over rows that have a vote (and gold). `majority` adds one vote spread evenly to each row; `majority,
raw` is the plain share of votes. Intervals are 95 % by a bootstrap over rows, seed 0. ECE has 15 bins of equal rows of the top
probability. Planted votes: 20 labelers, coverage 0.3, accuracies 0.55 to 0.90, seed 0; the ceiling knows the true
parameters, and which labelers are copies. CPU is fit and predict, user and system, one thread, imports aside.

Peers run where they can be imported: put crowd-kit and snorkel on PYTHONPATH (pip install --target). Dawid–Skene of crowd-kit
has no prior; Snorkel's LabelModel runs with its defaults and class balance unknown, and with the true balance.

    python -m benchmarks label_models [planted | real | SET ...] [--large]
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from time import process_time

import numpy as np

from benchmarks.quality import _votes as data
from benchmarks.quality._votes import Told
from tilth.core.arrays import Matrix, Vector
from tilth.core.errors import NotApplicable
from tilth.core.labelling import Known
from tilth.core.votes import Votes
from tilth.labeling._choose import choose_label_model
from tilth.operators.registry import make

OURS = ("majority", "weighted_majority", "triplets", "one_coin", "dawid_skene")
"""Simplest first: the order in which `auto` prefers them."""
DRAWS = 400
WORLDS: dict[str, dict[str, object]] = {
    "100k × 2": {"n": 100_000},
    "100k × 10": {"n": 100_000, "k": 10},
    "100k × 2, prior 95/5": {"n": 100_000, "prior": np.array([0.95, 0.05])},
    "100k × 2, one-sided labelers": {"n": 100_000, "one_sided": True},
    "100k × 2, weakest copied 4 times": {"n": 100_000, "copies": 4},
}
LARGE: dict[str, dict[str, object]] = {"1M × 2": {"n": 1_000_000}}


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """Probabilities of one method, the CPU seconds that they took, and a remark."""

    probs: Matrix
    seconds: float
    remark: str = ""


Method = Callable[[Told], Answer]


def main(arguments: list[str]) -> int:
    """Score all methods on the planted worlds and on the named real sets."""
    wanted = [word for word in arguments if not word.startswith("--")] or ["planted", "real"]
    print(f"numpy {np.__version__}; peers: {', '.join(_versions()) or 'none found'}\n")
    if "planted" in wanted:
        _planted(WORLDS | (LARGE if "--large" in arguments else {}))
    names = [name for name in data.REAL if "real" in wanted or name in wanted]
    if names:
        _real(names)
    return 0


def _planted(worlds: dict[str, dict[str, object]]) -> None:
    print("| world | method | accuracy | NLL | ECE | CPU s | |\n|---|---|---|---|---|---|---|")
    for world, settings in worlds.items():
        told, ceiling = data.planted(**settings)  # type: ignore[arg-type]
        _line(world, "ceiling (true parameters)", told, Answer(probs=ceiling, seconds=float("nan")))
        for name, method in _methods().items():
            _line(world, name, told, method(told))
    print()


def _line(world: str, name: str, told: Told, answer: Answer) -> None:
    if answer.remark.startswith("refuses"):
        print(f"| {world} | {name} | | | | | {answer.remark} |", flush=True)
        return
    rows = told.judged & told.votes.covered
    probs, truth = answer.probs[rows], told.truth[rows]
    hits, costs = _scores(probs, truth)
    seconds = "" if np.isnan(answer.seconds) else f"{answer.seconds:.2f}"
    print(
        f"| {world} | {name} | {hits.mean():.4f} | {costs.mean():.4f} | {_ece(probs, truth):.3f} | {seconds} "
        f"| {answer.remark} |",
        flush=True,
    )


def _real(names: Sequence[str]) -> None:
    methods = _methods()
    accuracy: dict[tuple[str, str], float] = {}
    losses: dict[tuple[str, str], float] = {}
    refused: set[tuple[str, str]] = set()
    print("| set | method | accuracy (95 %) | F1 | NLL (95 %) | ECE | |\n|---|---|---|---|---|---|---|")
    for name in names:
        try:
            told = data.real(name)
        except data.AbsentError as absent:
            print(f"| {name} | {absent} | | | | | |")
            continue
        for method, answer in ((m, run(told)) for m, run in methods.items()):
            if answer.remark.startswith("refuses"):
                print(f"| {name} | {method} | | | | | {answer.remark} |", flush=True)
                refused.add((name, method))
                accuracy[name, method] = 0.0
                continue
            accuracy[name, method], losses[name, method] = _real_line(name, method, told, answer)
    print()
    done = [name for name in names if (name, "auto") in accuracy]
    _means(done, list(methods), accuracy, losses, refused)


def _real_line(name: str, method: str, told: Told, answer: Answer) -> tuple[float, float]:
    rows = told.judged & told.votes.covered
    probs, truth = answer.probs[rows], told.truth[rows]
    hits, costs = _scores(probs, truth)
    f1 = "" if told.positive is None else f"{_f1(probs, truth, told.positive):.3f}"
    print(
        f"| {name} | {method} | {_with_interval(hits)} | {f1} | {_with_interval(costs)} | {_ece(probs, truth):.3f} "
        f"| {answer.remark} |",
        flush=True,
    )
    return float(hits.mean()), float(costs.mean())


def _means(
    names: Sequence[str],
    methods: Sequence[str],
    accuracy: dict[tuple[str, str], float],
    losses: dict[tuple[str, str], float],
    refused: set[tuple[str, str]],
) -> None:
    print(
        f"Over {len(names)} sets:\n\n| method | mean accuracy | mean NLL | behind the best, worst set |\n|---|---|---|---|"
    )
    best = {name: max(accuracy[name, method] for method in methods) for name in names}
    for method in methods:
        if any((name, method) in refused for name in names):
            print(f"| {method} | refuses {sum((name, method) in refused for name in names)} sets | | |")
            continue
        behind = {name: best[name] - accuracy[name, method] for name in names}
        worst = max(behind, key=lambda name: behind[name])
        print(
            f"| {method} | {np.mean([accuracy[name, method] for name in names]):.4f} "
            f"| {np.mean([losses[name, method] for name in names]):.3f} | {behind[worst]:.3f} ({worst}) |"
        )


# -- scores ----------------------------------------------------------------------------------------------------------------


def _scores(probs: Matrix, truth: np.ndarray) -> tuple[Vector, Vector]:
    """Share of the ties at the top that is right, and minus the log probability of the truth; (n,), (n,)."""
    top = probs >= probs.max(axis=1, keepdims=True) - 1e-9
    at = np.arange(len(truth))
    return top[at, truth] / top.sum(axis=1), -np.log(np.maximum(probs[at, truth], 1e-6))


def _f1(probs: Matrix, truth: np.ndarray, positive: int) -> float:
    """F1 of one class; a tie counts as half a positive."""
    top = probs >= probs.max(axis=1, keepdims=True) - 1e-9
    said, is_so = top[:, positive] / top.sum(axis=1), truth == positive
    return float(2 * (said * is_so).sum() / max(said.sum() + is_so.sum(), 1e-9))


def _ece(probs: Matrix, truth: np.ndarray, bins: int = 15) -> float:
    """Mean gap between the top probability and how often it is right, over bins of equal rows."""
    hits, _ = _scores(probs, truth)
    order = np.argsort(probs.max(axis=1), kind="stable")
    parts = np.array_split(order, bins)
    gaps = [abs(float(hits[part].mean() - probs[part].max(axis=1).mean())) * len(part) for part in parts if len(part)]
    return sum(gaps) / len(truth)


def _with_interval(values: Vector) -> str:
    rng = np.random.default_rng(0)
    means = [values[rng.integers(len(values), size=len(values))].mean() for _ in range(DRAWS)]
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{values.mean():.3f} ({low:.3f}–{high:.3f})"


# -- methods ---------------------------------------------------------------------------------------------------------------


def _methods() -> dict[str, Method]:
    """Name -> how it labels votes, tilth's first."""
    methods: dict[str, Method] = {"majority, raw": _raw_majority}
    methods |= {name: _ours(name) for name in OURS}
    methods["auto"] = _auto
    return methods | _peers()


def _ours(name: str) -> Method:
    def run(told: Told) -> Answer:
        model = make("labeling", name)
        began = process_time()
        try:
            labelling = model.fit(told.votes, Known())
        except NotApplicable as refusal:
            even = np.full((len(told.votes), told.votes.n_classes), 1.0 / told.votes.n_classes)
            return Answer(probs=even, seconds=float("nan"), remark=f"refuses: {refusal.what}")
        probs = model.predict(told.votes, labelling)
        return Answer(probs=probs, seconds=process_time() - began)

    return run


def _raw_majority(told: Told) -> Answer:
    model = make("labeling", "majority", pseudo_votes=0.0)
    began = process_time()
    probs = model.predict(told.votes, model.fit(told.votes, Known()))
    return Answer(probs=probs, seconds=process_time() - began)


def _auto(told: Told) -> Answer:
    models = [make("labeling", name) for name in OURS]
    began = process_time()
    choice = choose_label_model(models, told.votes, Known())
    probs = choice.model.predict(told.votes, choice.labelling)
    return Answer(probs=probs, seconds=process_time() - began, remark=choice.labelling.model)


def _peers() -> dict[str, Method]:
    peers: dict[str, Method] = {}
    if find_spec("crowdkit"):
        peers["crowd-kit Dawid–Skene"] = _crowdkit
    if find_spec("snorkel") and find_spec("torch"):
        peers["Snorkel, default"] = _snorkel(balance=False)
        peers["Snorkel, true balance"] = _snorkel(balance=True)
    return peers


def _versions() -> list[str]:
    found = []
    for name in ("crowd-kit", "snorkel", "torch"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return found


def _crowdkit(told: Told) -> Answer:
    import pandas as pd
    from crowdkit.aggregation import DawidSkene

    votes = told.votes
    table = pd.DataFrame({"task": votes.rows, "worker": votes.sources, "label": votes.said})
    began = process_time()
    fitted = DawidSkene(n_iter=100).fit(table)
    seconds = process_time() - began
    probs = np.full((len(votes), votes.n_classes), 1.0 / votes.n_classes)
    found = fitted.probas_.reindex(columns=range(votes.n_classes), fill_value=0.0)
    probs[found.index.to_numpy()] = found.to_numpy()
    return Answer(probs=probs, seconds=seconds)


def _snorkel(*, balance: bool) -> Method:
    def run(told: Told) -> Answer:
        from snorkel.labeling.model import LabelModel

        matrix = _with_abstentions(told.votes)
        judged = told.truth[told.judged & told.votes.covered]
        shares = np.bincount(judged, minlength=told.votes.n_classes) / len(judged)
        began = process_time()
        model = LabelModel(cardinality=told.votes.n_classes, verbose=False)
        try:
            model.fit(matrix, class_balance=shares.tolist() if balance else None, seed=0, progress_bar=False)
            probs = model.predict_proba(matrix)
        except Exception as error:  # noqa: BLE001 - a peer that fails is a row that says so
            probs = np.full((len(told.votes), told.votes.n_classes), 1.0 / told.votes.n_classes)
            return Answer(probs=probs, seconds=process_time() - began, remark=f"fails: {type(error).__name__}")
        return Answer(probs=np.asarray(probs), seconds=process_time() - began)

    return run


def _with_abstentions(votes: Votes) -> np.ndarray:
    matrix, abstained = votes.dense()
    return np.where(abstained, -1, matrix)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
