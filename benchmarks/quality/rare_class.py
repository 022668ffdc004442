"""A class of 1 % of train: what made rows, duplicates and weights are worth in average precision on the test part.

For each seed 1,000 dev and 10,000 test rows are drawn with the shares of the source, and of the others 10,000 train rows, 100 of them of
the rare class. The default learner is chosen as `tilth run` does. Every way has as many rows as its strength says; nothing is chosen by
the test part. Intervals are 95 % t intervals of the paired differences over seeds. A second table says how well a boosted discriminator
tells 120 of the made rows from as many real test rows of the class (AUROC, 0.5 where it cannot tell), and names a sequential tree
sampler, which tilth does not ship. Where imbalanced-learn (MIT) is installed, its SMOTENC stands beside. The data lies beside the
repository, in ../shared/data; a set that is not there is left out.

    python -m benchmarks rare_class [--seeds N] [SET ...]
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy import stats
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import cross_val_predict
from sklearn.tree import DecisionTreeRegressor

import tilth
from tilth.core.edit import Edit, Verb
from tilth.core.errors import NotApplicable
from tilth.core.names import ROW_ID
from tilth.core.progress import silent
from tilth.core.schema import ColumnType
from tilth.core.spec import Spec
from tilth.engine.threads import one_thread
from tilth.loop.bench import Bench
from tilth.loop.evidence import EvidenceBase
from tilth.loop.frames import weights_of
from tilth.loop.placebo import placebo
from tilth.loop.reading import read_source
from tilth.loop.workshop import Workshop
from tilth.numerics.ranking_measures import auroc, average_precision
from tilth.operators.protocols import Editor
from tilth.operators.registry import make

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SETS: Mapping[str, tuple[str, str, str]] = {
    "adult": ("adult/adult.parquet", "income", ">50K"),
    "credit_default": ("credit_default/credit_default.parquet", "default.payment.next.month", "1"),
}
TRAIN, RARE, DEV, TEST, SEEDS = 10_000, 100, 1_000, 10_000, 5
TOLD = 120
"""Made rows that a discriminator sees, and as many real ones: it tells more apart by more of them."""
WAYS: Mapping[str, Mapping[str, Any]] = {
    "class weights, half way": {"name": "balance_classes", "strength": 0.5},
    "class weights, even": {"name": "balance_classes", "strength": 1.0},
    "SMOTE × 2": {"name": "smote", "times": 2.0},
    "SMOTE × 10": {"name": "smote", "times": 10.0},
    "SMOTE at the border × 4": {"name": "smote", "times": 4.0, "border": True},
    "copula, step 0.6, × 4": {"name": "tabular_generator", "times": 4.0, "step": 0.6},
    "copula, step 1, × 4": {"name": "tabular_generator", "times": 4.0, "step": 1.0},
    "copula, step 0.6, × 10": {"name": "tabular_generator", "times": 10.0, "step": 0.6},
    "mixed rows × 0.5": {"name": "mix_rows", "times": 0.5, "alpha": 0.2},
}
DUPLICATED = ("SMOTE × 2", "SMOTE × 10")
"""Ways beside which as many duplicates of the same parents stand."""


@dataclass(frozen=True, kw_only=True)
class _Draw:
    """One seed's project: its bench, its evidence, and who is of the rare class in the test part."""

    bench: Bench
    evidence: EvidenceBase
    rare: int
    test: np.ndarray
    positive: np.ndarray


def main(arguments: list[str]) -> int:
    """Measure the named sets, or both."""
    seeds = SEEDS
    if "--seeds" in arguments:
        at = arguments.index("--seeds")
        seeds = int(arguments[at + 1])
        arguments = arguments[:at] + arguments[at + 2 :]
    for name in arguments or SETS:
        if (DATA / SETS[name][0]).exists():
            _report(name, seeds)
        else:
            print(f"{name}: no data in {DATA}", file=sys.stderr)
    return 0


def _report(name: str, seeds: int) -> None:
    gains: dict[str, list[float]] = {}
    told: dict[str, list[float]] = {}
    made: dict[str, list[int]] = {}
    before, learners, started = [], [], process_time()
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            one = _measured(name, seed, Path(folder))
        before.append(one[0])
        learners.append(one[1])
        for way, (gain, rows) in one[2].items():
            gains.setdefault(way, []).append(gain)
            made.setdefault(way, []).append(rows)
        for way, area in one[3].items():
            told.setdefault(way, []).append(area)
        print(f"seed {seed}: {process_time() - started:.0f} CPU s", file=sys.stderr, flush=True)
    print(f"\n{name}: learners {', '.join(learners)}; average precision with nothing done {_said(before, 3)}\n")
    print("| way | rows made or weighted | points of average precision [95 %] | seeds |")
    print("|---|---:|---:|---:|")
    for way, values in gains.items():
        print(f"| {way} | {np.mean(made[way]):,.0f} | {_said([100 * v for v in values], 2)} | {len(values)} |")
    print("\n| made by | AUROC of a boosted discriminator |")
    print("|---|---:|")
    for way, values in told.items():
        print(f"| {way} | {_said(values, 3)} |")


def _said(values: list[float], digits: int) -> str:
    if len(values) < 2:
        return f"{values[0]:.{digits}f}"
    low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=max(stats.sem(values), 1e-12))
    return f"{np.mean(values):.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def _measured(name: str, seed: int, folder: Path) -> tuple[float, str, dict[str, tuple[float, int]], dict[str, float]]:
    draw = _draw(name, seed, folder)
    start = _score(draw, draw.bench.baseline)
    gains: dict[str, tuple[float, int]] = {}
    told: dict[str, float] = {}
    for way, facts in WAYS.items():
        editor: Editor = make("editing", facts["name"], **{k: v for k, v in facts.items() if k != "name"})
        try:
            edit = editor.propose(draw.evidence.view(editor))
        except NotApplicable as refusal:
            print(f"{name} {way}: {refusal}", file=sys.stderr)
            continue
        gains[way] = (_gain(draw, edit, start), edit.n_rows)
        if edit.add is not None and facts["name"] != "mix_rows":
            told[way] = _told(draw, edit.add)
        if way in DUPLICATED:
            twin = _duplicates(draw, editor, edit, seed)
            gains[f"duplicates of the parents of {way}"] = (_gain(draw, twin, start), twin.n_rows)
    for times in (2, 10):
        peer = _peer_edit(draw, times, seed)
        if peer is not None:
            gains[f"imbalanced-learn's SMOTENC × {times}"] = (_gain(draw, peer, start), peer.n_rows)
            told[f"imbalanced-learn's SMOTENC × {times}"] = _told(draw, peer.add)
    told["sequential trees × 4"] = _told(draw, _tree_rows(draw, 4 * RARE, seed))
    return start, str(draw.bench.learner), gains, told


def _draw(name: str, seed: int, folder: Path) -> _Draw:
    path, label, rare = SETS[name]
    table = pq.read_table(DATA / path)
    table = table.drop_columns([c for c in ("split", "ID") if c in table.column_names])
    words = np.asarray(table.column(label).cast(pa.string()).to_pylist())
    rng = np.random.default_rng([seed, 17])
    order = rng.permutation(len(words))
    judging, rest = order[: DEV + TEST], order[DEV + TEST :]
    of_rare = words[rest] == rare
    rows = np.concatenate([rest[of_rare][:RARE], rest[~of_rare][: TRAIN - RARE], judging])
    part = np.repeat(["train", "dev", "test"], [TRAIN, DEV, TEST])
    drawn = table.take(pa.array(rows)).append_column("part", pa.array(part))
    drawn = drawn.set_column(drawn.column_names.index(label), label, pa.array(words[rows]))
    pq.write_table(drawn, folder / "rows.parquet")
    project = tilth.init(folder / "rows.parquet", label=label, split="part", folder=folder / "project")
    repository = project.repository(make=True)
    with repository.lease, one_thread():
        version, _ = read_source(repository, project.file, project.folder, silent)
        workshop = Workshop(project.file, repository, seed=seed)
        bench, evidence = workshop.bench(version), workshop.evidence(version)
        test = np.flatnonzero(np.asarray(pc.equal(bench.table.column("_tilth_split"), "test")))
        codes, _ = bench.labels(bench.table)
        number = version.schema.task.classes.index(rare)
        evidence.out_of_sample()
    return _Draw(bench=bench, evidence=evidence, rare=number, test=test, positive=codes[test] == number)


def _score(draw: _Draw, model: Any) -> float:
    with one_thread():
        predicted = draw.bench.predict(model, draw.test)
    return float(average_precision(draw.positive, predicted[:, draw.rare]).value)


def _gain(draw: _Draw, edit: Edit, start: float) -> float:
    with one_thread():
        return _score(draw, draw.bench.fit_edited(edit)) - start


def _duplicates(draw: _Draw, editor: Editor, edit: Edit, seed: int) -> Edit:
    view, train = draw.evidence.view(editor), draw.bench.train
    rng = np.random.default_rng([seed, 18])
    return placebo(edit, editor, view, view.labels, rng, weights=weights_of(train), train=train)


# -- realism -----------------------------------------------------------------------------------------------------------


def _codes(draw: _Draw, table: pa.Table) -> np.ndarray:
    """Return feature cells as numbers, categories by their place among those of all rows."""
    columns = []
    for column in draw.bench.schema.features:
        cells = table.column(column.name)
        if pa.types.is_floating(cells.type) or pa.types.is_integer(cells.type):
            columns.append(np.asarray(cells.cast(pa.float64()).to_numpy(), dtype=np.float64))
        else:
            known = draw.bench.table.column(column.name).cast(pa.string()).unique().sort()
            at = pc.index_in(
                cells.cast(pa.string()), value_set=known.combine_chunks() if hasattr(known, "chunks") else known
            )
            columns.append(np.asarray(pc.fill_null(at, -1), dtype=np.float64))
    return np.column_stack(columns)


def _real(draw: _Draw) -> pa.Table:
    return draw.bench.table.take(pa.array(draw.test[draw.positive]))


def _told(draw: _Draw, made: pa.Table | np.ndarray) -> float:
    """Return the cross-validated AUROC of boosted trees that tell made rows from as many real test rows of the class."""
    fresh = made if isinstance(made, np.ndarray) else _codes(draw, made)
    real = _codes(draw, _real(draw))
    n = min(len(fresh), len(real), TOLD)
    rng = np.random.default_rng(0)
    rows = np.vstack([fresh[rng.permutation(len(fresh))[:n]], real[rng.permutation(len(real))[:n]]])
    is_made = np.repeat([1, 0], n)
    model = HistGradientBoostingClassifier(max_iter=60, random_state=0)
    with one_thread():
        scores = cross_val_predict(model, rows, is_made, cv=5, method="predict_proba")[:, 1]
    return float(auroc(is_made == 1, scores).value)


def _peer_edit(draw: _Draw, times: int, seed: int) -> Edit | None:
    """Return SMOTENC's rows of the class by imbalanced-learn on numbers in units of their spread; None where it is not installed."""
    try:
        from imblearn.over_sampling import SMOTENC
    except ImportError:
        return None
    train, columns = draw.bench.train, draw.bench.schema.features
    values, labels = np.nan_to_num(_codes(draw, train)), draw.bench.labels(draw.bench.train)[0]
    is_category = np.array([column.type is ColumnType.CATEGORY for column in columns])
    spread = np.where(is_category, 1.0, np.maximum(values.std(axis=0), 1e-12))
    wanted = {draw.rare: int((labels == draw.rare).sum()) * (1 + times)}
    maker = SMOTENC(np.flatnonzero(is_category).tolist(), sampling_strategy=wanted, random_state=seed)
    with one_thread():
        made = maker.fit_resample(values / spread, labels)[0][len(values) :] * spread
    rows = train.take(pa.array(np.resize(np.flatnonzero(labels == draw.rare), len(made))))
    for place, column in enumerate(columns):
        kind = train.schema.field(column.name).type
        if is_category[place] and not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
            known = draw.bench.table.column(column.name).cast(pa.string()).unique().sort()
            codes = np.rint(made[:, place]).astype(int)
            cells = pa.array(known.to_pylist(), pa.string()).take(pa.array(codes, mask=codes < 0)).cast(kind)
        else:
            whole = pa.types.is_integer(kind)
            cells = pa.array(np.rint(made[:, place]) if whole else made[:, place]).cast(kind)
        rows = rows.set_column(rows.column_names.index(column.name), column.name, cells)
    names = pa.array([f"peer {row}" for row in range(len(made))], pa.string())
    rows = rows.set_column(rows.column_names.index(ROW_ID), ROW_ID, names)
    spec = Spec(room="editing", name="peer")
    return Edit(verb=Verb.SYNTHESIZE, operator=spec, reason="SMOTENC", author="peer", add=rows)


def _tree_rows(draw: _Draw, n: int, seed: int) -> np.ndarray:
    """Return rows of the class drawn column by column from the leaves of trees of the columns before (synthpop's CART)."""
    rng = np.random.default_rng([seed, 19])
    train = draw.bench.train.filter(pa.array(draw.bench.labels(draw.bench.train)[0] == draw.rare))
    real = np.nan_to_num(_codes(draw, train), nan=-1.0)
    made = np.zeros((n, real.shape[1]))
    made[:, 0] = rng.choice(real[:, 0], n)
    for column in range(1, real.shape[1]):
        tree = DecisionTreeRegressor(min_samples_leaf=5, random_state=seed).fit(real[:, :column], real[:, column])
        homes, leaves = tree.apply(real[:, :column]), tree.apply(made[:, :column])
        for leaf in np.unique(leaves):
            mine = leaves == leaf
            made[mine, column] = rng.choice(real[homes == leaf, column], mine.sum())
    return made


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
