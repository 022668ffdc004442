"""Shifted sets: labelled rows that a model did not learn from, and new rows that are drawn otherwise.

A model learns from train rows; reference rows come from where the train rows come from; each set of current rows comes
from elsewhere: other groups, later months, corrupted images. Encoders are fitted on train rows only, and one temperature,
fitted on the reference, calibrates all probabilities, as a project does.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageFilter

from benchmarks.quality._data import Rows, at
from tilth.core.arrays import FloatMatrix32, IntVector, Matrix, Vector
from tilth.core.names import ROW_ID
from tilth.core.schema import Schema
from tilth.core.spec import Spec
from tilth.core.target import Target
from tilth.encoding._blocks import FittedColumn, default_encoder, encode_blocks, fit_columns
from tilth.learning.boosting import Boosting
from tilth.learning.linear import Linear
from tilth.loop.frames import class_codes
from tilth.numerics.calibration import apply_temperature, fit_temperature
from tilth.operators.batch import Batch
from tilth.operators.protocols import Learner, Model
from tilth.operators.view import View
from tilth.sources import infer_schema, normalise, open_source

TRAIN, REFERENCE, MOST, FEWEST = 4_000, 2_000, 1_000, 200
"""Rows that a model learns from, labelled rows to go by, and the most and fewest new rows of one shift."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """Some rows as estimators see them, with their true scores."""

    name: str
    embeddings: FloatMatrix32
    pred_probs: Matrix
    labels: IntVector
    scores: Vector

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True, kw_only=True, eq=False)
class Shifted:
    """One model: what it learnt from, labelled rows like those, and sets of new rows unlike them."""

    family: str
    seed: int
    schema: Schema
    train: Sample
    reference: Sample
    currents: tuple[Sample, ...]

    def view(self, sample: Sample, operator_needs: frozenset[str], spec: Spec, *, labelled: bool) -> View:
        """Return an operator's view of a sample; new rows have no labels and no scores."""
        n = len(sample)
        has = {"embeddings": sample.embeddings, "pred_probs": sample.pred_probs}
        known = {"labels": sample.labels, "scores": sample.scores, "labelled": np.ones(n, dtype=bool)}
        return View(
            ids=pa.array([f"{sample.name}:{i}" for i in range(n)], pa.string()),
            schema=self.schema,
            evidence=has | (known if labelled else {}),
            needs=operator_needs,
            spec=spec,
            seed=self.seed,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Typed:
    """A table in its types, with the class of each row."""

    table: pa.Table
    schema: Schema
    labels: IntVector


def typed(table: pa.Table, label: str) -> Typed:
    """Return a table's labelled rows as a run would read them."""
    table = open_source(table).table
    inferred = infer_schema(table, label=label)
    schema = inferred.schema
    rows = normalise(table.select([c.name for c in schema.columns]), schema, day_first=inferred.day_first)[0]
    labels, labelled = class_codes(rows, schema)
    ids = pa.array([f"r{i:06d}" for i in range(rows.num_rows)])
    kept = rows.append_column(ROW_ID, ids).filter(pa.array(labelled)).combine_chunks()
    return Typed(table=kept, schema=schema, labels=labels[labelled])


def shifted(
    family: str,
    seed: int,
    data: Typed,
    train: IntVector,
    reference: IntVector,
    currents: Mapping[str, IntVector | Typed],
    learner: Learner,
) -> Shifted:
    """Fit on train rows, and return all samples; a sample of currents is rows of the same table, or a table of its own."""
    model = _Fitted.on(data, train, learner, seed)
    first = model.sample("train", data, train, 1.0)
    known = model.sample("reference", data, reference, 1.0)
    with np.errstate(divide="ignore"):
        temperature = fit_temperature(np.log(known.pred_probs), known.labels)
    known = model.sample("reference", data, reference, temperature)
    new = tuple(
        model.sample(name, where, np.arange(len(where.labels)), temperature)
        if isinstance(where, Typed)
        else model.sample(name, data, where, temperature)
        for name, where in currents.items()
    )
    return Shifted(family=family, seed=seed, schema=data.schema, train=first, reference=known, currents=new)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Fitted:
    """A model with its encoders."""

    columns: tuple[FittedColumn, ...]
    learner: Learner
    model: Model
    seed: int

    @classmethod
    def on(cls, data: Typed, train: IntVector, learner: Learner, seed: int) -> _Fitted:
        names = [column.name for column in data.schema.features]
        pairs = [(column, default_encoder(column)) for column in data.schema.features]
        columns = fit_columns(pairs, [_batch(data.table.take(pa.array(train)), names)])
        made = cls(columns=columns, learner=learner, model=None, seed=seed)
        view = made.view(data, train)
        target = Target.classes(data.labels[train], np.ones(len(train), dtype=bool), data.schema.task.n_classes)
        return cls(columns=columns, learner=learner, model=learner.fit(view, target), seed=seed)

    def view(self, data: Typed, rows: IntVector) -> View:
        taken = data.table.take(pa.array(rows))
        names = [column.name for column in data.schema.features]
        features = encode_blocks(self.columns, [_batch(taken, names)], len(rows))
        return View(
            ids=taken.column(ROW_ID).combine_chunks(),
            schema=data.schema,
            evidence={"embeddings": features, "table": taken.select(names)},
            needs=frozenset({"embeddings", "table"}),
            spec=Spec(room="learning", name="benchmark"),
            seed=self.seed,
        )

    def sample(self, name: str, data: Typed, rows: IntVector, temperature: float) -> Sample:
        view = self.view(data, rows)
        probs = self.learner.predict_proba(view, self.model)
        with np.errstate(divide="ignore"):
            probs = apply_temperature(np.log(probs), temperature) if temperature != 1.0 else probs
        right = (probs.argmax(axis=1) == data.labels[rows]).astype(np.float64)
        return Sample(name=name, embeddings=view.embeddings, pred_probs=probs, labels=data.labels[rows], scores=right)


def _batch(table: pa.Table, names: Sequence[str]) -> Batch:
    columns = {}
    for name in names:
        cells = table.column(name).combine_chunks()
        columns[name] = cells if isinstance(cells, pa.Array) else pa.concat_arrays(cells.chunks)
    ids = table.column(ROW_ID).combine_chunks()
    return Batch(ids=ids, columns=columns)


# -- between groups ------------------------------------------------------------------------------------------------------


def between_groups(
    family: str, path: str, label: str, group_of: Callable[[pa.Table], np.ndarray], seed: int
) -> Shifted:
    """Train on a random half of the groups; every other group with enough rows is new."""
    rng = np.random.default_rng([seed, 11])
    found = pq.read_table(at(path))
    data = typed(found, label)
    groups = group_of(found)[: len(data.labels)]
    names, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = rng.permutation(np.flatnonzero(sizes >= FEWEST))
    mine, others = order[: len(order) // 2], order[len(order) // 2 :]
    inside = rng.permutation(np.flatnonzero(np.isin(codes, mine)))
    n_train = min(TRAIN, int(len(inside) * 0.6))
    currents = {str(names[g]): _some(np.flatnonzero(codes == g), rng) for g in others}
    currents["no shift"] = inside[n_train + REFERENCE :][:MOST]
    return shifted(family, seed, data, inside[:n_train], inside[n_train : n_train + REFERENCE], currents, Boosting())


def _some(rows: IntVector, rng: np.random.Generator) -> IntVector:
    return np.sort(rng.permutation(rows)[:MOST])


def acs_income(seed: int) -> Shifted:
    """Sex × race × age band."""

    def group_of(table: pa.Table) -> np.ndarray:
        columns = {name: np.asarray(table.column(name)).astype(int) for name in ("SEX", "RAC1P", "AGEP")}
        race = np.where(np.isin(columns["RAC1P"], (0, 1, 5, 7)), columns["RAC1P"], 9)
        band = np.digitize(columns["AGEP"], (25, 35, 45, 55, 65))
        return np.array([f"s{s} r{r} a{a}" for s, r, a in zip(columns["SEX"], race, band, strict=True)])

    return between_groups("acs_income", "acs_income/acs_income_sample.parquet", "PINCP", group_of, seed)


def adult(seed: int) -> Shifted:
    """Sex × race × age band."""

    def group_of(table: pa.Table) -> np.ndarray:
        band = np.digitize(np.asarray(table.column("age")), (25, 35, 45, 55, 65))
        people = zip(table.column("sex").to_pylist(), table.column("race").to_pylist(), band, strict=True)
        return np.array([f"{sex} {race} a{age}" for sex, race, age in people])

    return between_groups("adult", "adult/adult.parquet", "income", group_of, seed)


# -- over time -----------------------------------------------------------------------------------------------------------


def over_time(family: str, path: str, label: str, seed: int, *, share: float = 0.3, block: int = 1_440) -> Shifted:
    """Train on a draw from the first part, go by other rows of it, and look at every later block."""
    rng = np.random.default_rng([seed, 12])
    data = typed(pq.read_table(at(path)), label)
    cut = int(share * len(data.labels))
    first = rng.permutation(cut)
    currents = {
        f"rows from {start}": _some(np.arange(start, min(start + block, len(data.labels))), rng)
        for start in range(cut, len(data.labels) - FEWEST, block)
    }
    currents["no shift"] = first[TRAIN + REFERENCE :][:MOST]
    return shifted(family, seed, data, first[:TRAIN], first[TRAIN : TRAIN + REFERENCE], currents, Boosting())


def elec2(seed: int) -> Shifted:
    """Blocks of 30 days (48 rows a day)."""
    return over_time("elec2", "elec2/elec2.parquet", "class", seed)


# -- corrupted images ----------------------------------------------------------------------------------------------------

SEVERITIES = (0, 1, 2)


def blurred(image: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    """Gaussian blur."""
    del rng
    return image.filter(ImageFilter.GaussianBlur((0.6, 1.0, 1.6)[severity]))


def noisy(image: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    """Gaussian noise on every pixel."""
    pixels = np.asarray(image, dtype=np.float64)
    spread = (8.0, 18.0, 32.0)[severity]
    return Image.fromarray(np.clip(pixels + spread * rng.standard_normal(pixels.shape), 0, 255).astype(np.uint8))


def brighter(image: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    """A constant added to all pixels."""
    del rng
    pixels = np.asarray(image, dtype=np.float64) + (25.0, 50.0, 80.0)[severity]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def compressed(image: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    """JPEG at low quality."""
    del rng
    held = io.BytesIO()
    image.save(held, "JPEG", quality=(40, 18, 7)[severity])
    return Image.open(io.BytesIO(held.getvalue())).convert("RGB")


CORRUPTIONS = {"blur": blurred, "noise": noisy, "brightness": brighter, "jpeg": compressed}


def cifar10(seed: int, *, train: int = 2_000, reference: int = 1_000, rows: int = 1_000) -> Shifted:
    """Images through `image_descriptor`, corrupted before they are encoded."""
    rng = np.random.default_rng([seed, 13])
    known = _images("cifar10/train_20k.parquet", rng, train + reference)
    clean = _images("cifar10/test_10k.parquet", rng, rows)
    currents: dict[str, IntVector | Typed] = {"no shift": clean}
    for name, corrupt in CORRUPTIONS.items():
        for severity in SEVERITIES:
            currents[f"{name} {severity + 1}"] = _corrupted(clean, lambda i, c=corrupt, s=severity: c(i, s, rng))
    places = np.arange(train + reference)
    return shifted("cifar10", seed, known, places[:train], places[train:], currents, Linear(penalty=3.0))


def _images(path: str, rng: np.random.Generator, rows: int) -> Typed:
    table = pq.read_table(at(path), columns=["label", "jpg"])
    table = table.take(pa.array(np.sort(rng.choice(table.num_rows, rows, replace=False))))
    names = np.asarray([f"class{c}" for c in range(10)], dtype=object)
    labels = pa.array(names[np.asarray(table.column("label"))], pa.string())
    return typed(pa.table({"jpg": table.column("jpg"), "label": labels}), "label")


def _corrupted(clean: Typed, corrupt: Callable[[Image.Image], Image.Image]) -> Typed:
    cells = []
    for cell in clean.table.column("jpg").to_pylist():
        held = io.BytesIO()
        corrupt(Image.open(io.BytesIO(cell)).convert("RGB")).save(held, "PNG")
        cells.append(held.getvalue())
    at_column = clean.table.column_names.index("jpg")
    table = clean.table.set_column(at_column, "jpg", pa.array(cells, pa.binary()))
    return Typed(table=table, schema=clean.schema, labels=clean.labels)


def shifted_vectors(rows: Rows, train: IntVector, current: IntVector, seed: int) -> Shifted:
    """Fit a linear model to some rows of fixed embeddings; the others are new, whatever their class."""
    spec = Spec(room="learning", name="linear")
    learner = Linear(penalty=1.0)

    def view(at_rows: IntVector) -> View:
        ids = rows.table.column(ROW_ID).combine_chunks().take(pa.array(at_rows))
        evidence = {"embeddings": rows.features[at_rows]}
        return View(ids=ids, schema=rows.schema, evidence=evidence, needs=learner.needs, spec=spec, seed=seed)

    target = Target.classes(rows.truth[train], np.ones(len(train), dtype=bool), rows.n_classes)
    model = learner.fit(view(train), target)

    def sample(name: str, at_rows: IntVector) -> Sample:
        probs = learner.predict_proba(view(at_rows), model)
        labels = rows.truth[at_rows]
        right = (probs.argmax(axis=1) == labels).astype(np.float64)
        return Sample(name=name, embeddings=rows.features[at_rows], pred_probs=probs, labels=labels, scores=right)

    known = sample("train", train)
    return Shifted(
        family=rows.name,
        seed=seed,
        schema=rows.schema,
        train=known,
        reference=known,
        currents=(sample("new", current),),
    )


FAMILIES: Mapping[str, Callable[[int], Shifted]] = {
    "acs_income": acs_income,
    "adult": adult,
    "elec2": elec2,
    "cifar10": cifar10,
}


def cases(family: str, seeds: int) -> Iterator[Shifted]:
    """Yield one family's sets, seed by seed."""
    for seed in range(seeds):
        yield FAMILIES[family](seed)
