"""Label models where labelers repeat one another, where accuracy depends on the region, and where rows lie near others.

`planted`: 20 independent labelers (coverage .3, accuracies .55 to .90) and others that repeat one of them in a part of its votes, or
share a source; the ceiling is that of the independent labelers alone, true parameters known. `regions`: four clouds, ten labelers
that are right .9 or .55 in each, by lot; in "and classes lie apart" the clouds of the two classes are shifted by two deviations. `texts`:
votes of keyword rules on real texts, embedded by tilth's own text encoder (text_ngrams, fitted on the same texts without labels).
Accuracy counts ties by their share; NLL clips probabilities at 1e-6. `covered` are the rows with a vote, `reached` those without one
that are labelled by the rows nearby, `all` every row (the prior where nothing is known). Gold was seen while the models were designed.

    python -m benchmarks label_worlds [planted | regions | texts ...] [--seeds N]
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa

from benchmarks.quality import _votes as data
from benchmarks.quality._data import DATA, AbsentError
from benchmarks.quality._votes import Told
from benchmarks.quality.label_models import OURS, Answer, _methods, _scores, _versions
from tilth.core.arrays import FloatMatrix32, Matrix
from tilth.core.labelling import Known
from tilth.core.votes import Votes
from tilth.encoding.text_ngrams import TextNgrams
from tilth.labeling._choose import choose_label_model
from tilth.operators.batch import Batch
from tilth.operators.registry import make

ROWS = 20_000
TEXTS = {
    "youtube": "text",
    "sms": "text",
    "tubespam": "text",
    "spouse": "sentence",
    "rna": "Title",
}
"""Sets of rules on texts -> the column of the text."""


def main(arguments: list[str]) -> int:
    """Print one table per kind of world."""
    seeds = int(arguments[arguments.index("--seeds") + 1]) if "--seeds" in arguments else 3
    wanted = [word for word in arguments if word in ("planted", "regions", "texts")] or ["planted", "regions", "texts"]
    print(f"numpy {np.__version__}; peers: {', '.join(_versions()) or 'none found'}; seeds 0-{seeds - 1}\n")
    if "planted" in wanted:
        _planted(seeds)
    if "regions" in wanted:
        _regions(seeds)
    if "texts" in wanted:
        _texts()
    return 0


# -- labelers that repeat one another ----------------------------------------------------------------------------------


def _planted(seeds: int) -> None:
    print("| world | method | accuracy | NLL | worst accuracy |\n|---|---|---|---|---|")
    for world, (settings, repeats) in _worlds().items():
        found: dict[str, list[tuple[float, float]]] = {}
        for seed in range(seeds):
            told, ceiling = data.planted(ROWS, seed=seed, **settings)  # type: ignore[arg-type]
            told = repeats(told, np.random.default_rng([seed, 17]))
            answers = {"ceiling": Answer(probs=ceiling, seconds=0.0)}
            answers |= {name: run(told) for name, run in _methods().items()}
            for name, answer in answers.items():
                if not answer.remark.startswith("refuses"):
                    found.setdefault(name, []).append(_means(answer.probs, told, told.votes.covered))
        for name, scores in found.items():
            accuracy, loss = np.mean(scores, axis=0)
            print(f"| {world} | {name} | {accuracy:.4f} | {loss:.4f} | {min(scores)[0]:.4f} |", flush=True)
    print()


_Repeats = Callable[[Told, np.random.Generator], Told]


def _worlds() -> dict[str, tuple[dict[str, object], _Repeats]]:
    skewed = {"prior": np.array([0.95, 0.05])}
    return {
        "nobody repeats": ({}, lambda told, _: told),
        "weakest repeated 4 times, all votes": ({}, lambda told, rng: _repeated(told, rng, 1.0)),
        "weakest repeated 4 times, 90 %": ({}, lambda told, rng: _repeated(told, rng, 0.9)),
        "weakest repeated 4 times, 60 %": ({}, lambda told, rng: _repeated(told, rng, 0.6)),
        "best repeated 4 times, 80 %": ({}, lambda told, rng: _repeated(told, rng, 0.8, of=19, accuracy=0.9)),
        "prior 95/5, weakest 4 times, 80 %": (skewed, lambda told, rng: _repeated(told, rng, 0.8)),
        "10 classes, weakest 4 times, 80 %": ({"k": 10}, lambda told, rng: _repeated(told, rng, 0.8)),
        "five more that read one wrong source, 70 %": ({}, _sourced),
    }


def _repeated(told: Told, rng: np.random.Generator, part: float, *, of: int = 0, accuracy: float = 0.55) -> Told:
    """Add four labelers that repeat one in a part of its votes, silence too, and vote on their own otherwise."""
    votes = _matrix(told.votes)
    own = [_said(told, rng, accuracy) for _ in range(4)]
    more = [np.where(rng.random(len(votes)) < part, votes[:, of], column) for column in own]
    return _with(told, np.column_stack([votes, *more]))


def _sourced(told: Told, rng: np.random.Generator) -> Told:
    """Add five labelers that say what a source says that knows nothing, in seven of ten votes."""
    votes, source = _matrix(told.votes), rng.integers(told.votes.n_classes, size=len(told.votes))
    more = []
    for _ in range(5):
        own = _said(told, rng, 0.7)
        more.append(np.where((own >= 0) & (rng.random(len(own)) < 0.7), source, own))
    return _with(told, np.column_stack([votes, *more]))


def _said(told: Told, rng: np.random.Generator, accuracy: float, coverage: float = 0.3) -> np.ndarray:
    n, k = len(told.votes), told.votes.n_classes
    wrong = (told.truth + rng.integers(1, k, size=n)) % k
    return np.where(rng.random(n) < coverage, np.where(rng.random(n) < accuracy, told.truth, wrong), -1)


def _matrix(votes: Votes) -> np.ndarray:
    matrix, abstained = votes.dense()
    return np.where(abstained, -1, matrix)


def _with(told: Told, matrix: np.ndarray) -> Told:
    return replace(told, votes=Votes.of_matrix(matrix, classes=told.votes.classes))


# -- where rows lie --------------------------------------------------------------------------------------------------------


def _regions(seeds: int) -> None:
    print("| world | method | accuracy | NLL |\n|---|---|---|---|")
    for world, apart in {"accuracy by region": 0.0, "accuracy by region, and classes lie apart": 2.0}.items():
        found: dict[str, list[tuple[float, float]]] = {}
        for seed in range(seeds):
            told, places, ceiling = _clouds(6_000, apart, seed)
            answers = {"ceiling of the votes": ceiling, **_with_places(told, places)}
            answers |= {name: run(told).probs for name, run in _methods().items() if name not in answers}
            for name, probs in answers.items():
                found.setdefault(name, []).append(_means(probs, told, told.votes.covered))
        for name, scores in found.items():
            accuracy, loss = np.mean(scores, axis=0)
            print(f"| {world} | {name} | {accuracy:.4f} | {loss:.4f} |", flush=True)
    print()


def _clouds(n: int, apart: float, seed: int) -> tuple[Told, FloatMatrix32, Matrix]:
    """Rows in four clouds of sixteen dimensions, and the posterior of their votes under the true accuracies."""
    rng = np.random.default_rng([seed, 29])
    cloud, truth = rng.integers(4, size=n), (rng.random(n) < 0.4).astype(int)
    places = 2.0 * rng.normal(size=(4, 16))[cloud] + rng.normal(size=(n, 16))
    places[:, 0] += apart * (2 * truth - 1) / 2
    right = np.where(rng.random((4, 10)) < 0.5, 0.9, 0.55)[cloud]
    matrix = np.where(rng.random((n, 10)) < right, truth[:, None], 1 - truth[:, None])
    matrix[rng.random((n, 10)) > 0.4] = -1
    odds = np.where(matrix < 0, 0.0, np.where(matrix == 1, 1.0, -1.0) * np.log(right / (1.0 - right))).sum(axis=1)
    share = 1.0 / (1.0 + np.exp(-odds - np.log(0.4 / 0.6)))
    votes = Votes.of_matrix(matrix, classes=("a", "b"))
    told = Told(name="regions", votes=votes, truth=truth, judged=np.ones(n, dtype=bool))
    return told, places.astype(np.float32), np.column_stack([1.0 - share, share])


def _with_places(told: Told, places: FloatMatrix32) -> dict[str, Matrix]:
    """Probabilities of the models that heed where rows lie."""
    known, model = Known(embeddings=places), make("labeling", "near_votes")
    answers: dict[str, Matrix] = {}
    if len(told.votes.labelers) >= 5:
        answers["near_votes"] = model.predict(told.votes, model.fit(told.votes, known), known)
    models = [make("labeling", name) for name in (*OURS, "near_votes")]
    choice = choose_label_model(models, told.votes, known)
    name = f"auto with embeddings ({choice.labelling.model})"
    answers[name] = choice.model.predict(told.votes, choice.labelling, known)
    return answers


def _texts() -> None:
    print("| set | method | covered | reached | all | rows reached |\n|---|---|---|---|---|---|")
    for name in TEXTS:
        try:
            told, texts = data.real(name), _texts_of(name)
        except AbsentError as absent:
            print(f"| {name} | {absent} | | | | |")
            continue
        answers = _with_places(told, _embedded(texts))
        answers |= {
            each: run(told).probs for each, run in _methods().items() if each in ("majority", "one_coin", "auto")
        }
        for method, probs in answers.items():
            covered, prior = told.votes.covered, probs[~told.votes.covered]
            reached = ~covered & (np.abs(probs - _prior(prior)).max(axis=1) > 1e-9)
            cells = [_cell(probs, told, rows) for rows in (covered, reached, np.ones(len(covered), dtype=bool))]
            print(
                f"| {name} | {method} | {' | '.join(cells)} | {reached.sum():,} of {(~covered).sum():,} |", flush=True
            )
    print()


def _prior(silent: Matrix) -> np.ndarray:
    """The commonest answer for rows without a vote: what models give that do not heed places."""
    if not len(silent):
        return np.zeros(silent.shape[1])
    found, counts = np.unique(silent.round(12), axis=0, return_counts=True)
    return np.asarray(found[counts.argmax()])


def _texts_of(name: str) -> list[str]:
    """Texts of a set in the order of its votes."""
    column = TEXTS[name]
    if name in ("youtube", "sms"):
        parts = [_at(f"weak/wrench/{name}/{split}.json") for split in ("train", "test")]
        return [row["data"][column] for part in parts for row in json.loads(part.read_text()).values()]
    stem, texts = {"tubespam": "TubeSpam"}.get(name, name), []
    for split in ("train", "val", "test"):
        text = _at(f"weak/regdp/{name}/{stem}_{split}.csv").read_bytes().decode(errors="replace")
        texts += [row[column] or "" for row in csv.DictReader(text.splitlines(keepends=True))]
    return texts


def _at(path: str) -> data.Path:
    if not (DATA / path).exists():
        raise AbsentError(f"{path} is not among the shared data: left out")
    return DATA / path


def _embedded(texts: list[str]) -> FloatMatrix32:
    batch = Batch(ids=pa.array([str(i) for i in range(len(texts))]), columns={"text": pa.array(texts)})
    encoder = TextNgrams()
    return encoder.encode(batch, encoder.finish(encoder.fold(encoder.start(), batch)))


def _means(probs: Matrix, told: Told, rows: np.ndarray) -> tuple[float, float]:
    at = rows & told.judged
    hits, costs = _scores(probs[at], told.truth[at])
    return float(hits.mean()), float(costs.mean())


def _cell(probs: Matrix, told: Told, rows: np.ndarray) -> str:
    if not (rows & told.judged).any():
        return "–"
    accuracy, loss = _means(probs, told, rows)
    return f"{accuracy:.3f} / {loss:.3f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
