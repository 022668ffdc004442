"""The workshop: what all steps of a run share of one project: held encoders and learner, features, benches, evidence.

Encoders' fitted state and the learner's settings are fixed on the source's train rows once and held until `--refit`, so that a
gain is owed to the data. Features of a row are kept by the digest of its cells: editing 1 % of the rows encodes 1 %.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.apply import fit_to
from tilth.core.arrays import Arrays, FloatMatrix32, IntVector, Mask
from tilth.core.dataset import Dataset
from tilth.core.edit import Edit
from tilth.core.generated import Generated
from tilth.core.ids import digest_of
from tilth.core.labelling import VotedRows
from tilth.core.names import AUGMENT, PARENTS, ROW_ID, SPLIT, TARGET, TRUSTED, WEIGHT, Split
from tilth.core.partitions import BLOCK_ROWS
from tilth.core.policy import Repertoire
from tilth.core.progress import Progress, silent
from tilth.encoding._blocks import FittedColumn, default_encoder, encode_blocks, fit_columns
from tilth.learning._crossfit import fold_numbers, out_of_sample
from tilth.loop.bench import Bench, Keep
from tilth.loop.encoded_rows import encoded_rows
from tilth.loop.evidence import EvidenceBase, group_codes
from tilth.loop.folds import with_families
from tilth.loop.frames import frame_columns, standing_together, target_of
from tilth.loop.generating import DeclaredGenerator, generated_rows
from tilth.loop.given_probs import given_pred_probs
from tilth.loop.held_columns import features_key, keep_column, load_column, operator_of
from tilth.loop.held_learner import choose_learner, is_dear
from tilth.loop.labelers import NamedLabeler
from tilth.loop.lineage import beginning
from tilth.loop.moving import open_sets
from tilth.loop.near_labelers import near_labelers
from tilth.loop.project_file import ProjectFile
from tilth.loop.slices import DeclaredSlice
from tilth.loop.variations import Variations
from tilth.loop.voted_rows import voted_rows
from tilth.loop.voting import cast_votes
from tilth.operators.batch import batches
from tilth.operators.protocols import Encoder, Learner, Model
from tilth.operators.registry import make, spec_of
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["Workshop"]


class Workshop:
    """Everything derived from a project's versions, computed once.

    Parameters
    ----------
    file : what tilth.yaml says
    repository : the project's store, held for writing
    seed : decides every draw
    progress : called while encoding and fitting
    refit : choose encoders' state and the learner anew
    block_rows : rows of a block; results do not depend on it
    labelers : what votes on rows that a run may train on
    slices : groups of rows that are looked at by themselves
    """

    def __init__(
        self,
        file: ProjectFile,
        repository: Repository,
        *,
        seed: int,
        progress: Progress = silent,
        refit: bool = False,
        block_rows: int = BLOCK_ROWS,
        labelers: Sequence[NamedLabeler] = (),
        slices: Sequence[DeclaredSlice] = (),
    ) -> None:
        self.file, self.repository, self.seed, self.progress = file, repository, seed, progress
        self.notes: list[str] = []
        """What a reader of the run must know of work that was done on the way."""
        self.rows_encoded = 0
        """How many rows were encoded, rather than found: what an edit cost."""
        self._refit, self._block_rows, self._labelers = refit, block_rows, tuple(labelers)
        self.slices = tuple(slices)
        self.generators: Sequence[DeclaredGenerator] = ()
        self._memo: dict[tuple[str, str], Any] = {}

    def _once(self, name: str, version: Version, compute: Callable[[], Any]) -> Any:
        if (name, version.version) not in self._memo:
            self._memo[name, version.version] = compute()
        return self._memo[name, version.version]

    def dataset(self, version: Version) -> Dataset:
        """Return the rows of a version."""
        return self._once("dataset", version, lambda: self.repository.dataset(version))  # type: ignore[no-any-return]

    @property
    def file_key(self) -> str:
        """The digest of what tilth.yaml says of columns, trials and models."""
        file = self.file
        encoders = {name: [choice.name, dict(choice.params)] for name, choice in file.encoders.items()}
        trials = [file.alpha, file.least_useful_gain, file.placebo_draws, list(file.guards)]
        return digest_of([file.schema.to_dict(), trials, encoders, file.learner.name, dict(file.learner.params)])

    @property
    def labelers(self) -> tuple[NamedLabeler, ...]:
        """The project's labelers, as they are declared."""
        return self._labelers

    @property
    def labelers_key(self) -> str:
        """The digest of what decides votes; where that is not known of a labeler, no two runs have the same."""
        n_runs = len(self.repository.records("run"))
        return digest_of([[one.name, one.key or n_runs] for one in self._labelers])

    @property
    def slices_key(self) -> str:
        """The digest of what decides who is in a declared slice; where that is not known of one, no two runs have the same."""
        n_runs = len(self.repository.records("run"))
        made = [[one.function.name, one.key or n_runs, one.function.most_calls] for one in self.generators]
        return digest_of([[one.name, one.key or n_runs] for one in self.slices] + made)

    def _generated(self, version: Version) -> Mapping[str, Generated]:
        """Return what declared generators made of the rows of a version."""
        dataset = self.dataset(version)
        made, notes = generated_rows(self.generators, dataset, self.repository, self.seed, self.progress)
        self.notes += notes
        return made

    @property
    def variations_key(self) -> str:
        """The digest of what people wrote to vary rows by, where a run may vary any."""
        if self.file.augment is None and self.file.learner.name == "auto":
            return ""
        return Variations(file=self.file, schema=self.file.schema, train=pa.table).key()

    # -- what is kept by content ---------------------------------------------------------------------------------------

    def remember_arrays(self, key: str, compute: Callable[[], Arrays]) -> Arrays:
        """Return the arrays kept under a key, computing and keeping them where there are none."""
        kept = self.repository.evidence.get_arrays(key)
        if kept is None:
            kept = compute()
            self.repository.evidence.put_arrays(key, kept)
        return dict(kept)

    def renew_arrays(self, key: str, compute: Callable[[Arrays | None], Arrays]) -> Arrays:
        """Return what is computed from the arrays last kept under a key, and keep it in their place."""
        fresh = compute(self.repository.evidence.get_arrays(key))
        self.repository.evidence.put_arrays(key, fresh)
        return fresh

    # -- held settings -------------------------------------------------------------------------------------------------

    def _settings_key(self, version: Version) -> str:
        features = [[c.name, str(c.type)] for c in version.schema.features]
        encoders = {name: [choice.name, dict(choice.params)] for name, choice in self.file.encoders.items()}
        learner = [self.file.learner.name, dict(self.file.learner.params)]
        return digest_of([features, version.schema.to_dict()["tasks"], encoders, learner, self.seed])

    def _held(self, version: Version) -> Mapping[str, Any] | None:
        key = self._settings_key(version)
        held = [body for body in self.repository.records("held") if body["key"] == key]
        return held[-1] if held and not self._refit else None

    def _hold(self, version: Version) -> Mapping[str, Any]:
        """Return the held settings, choosing them on the source's train rows the first time."""
        held = self._held(version)
        if held is None:
            source = beginning(self.repository, version)
            fitted = self._fit_encoders(source)
            self._memo["columns", version.base] = fitted
            body = {
                "key": self._settings_key(version),
                "version": source.version,
                "columns": [keep_column(self.repository.evidence, column) for column in fitted],
                "features": features_key(fitted),
            }
            learner, table = self._choose_learner(source)
            held = body | {"learner": spec_of(learner).to_dict(), "choice": table}
            if is_dear(learner):
                stand_in, table = self._best_commodity(source)
                held |= {"stand_in": spec_of(stand_in).to_dict(), "choice": table}
            self.repository.record("held", held)
            self._refit = False
        return held

    # -- features ------------------------------------------------------------------------------------------------------

    def columns(self, version: Version) -> tuple[FittedColumn, ...]:
        """Return the held encoders with their states."""
        if ("columns", version.base) not in self._memo:
            self._memo["columns", version.base] = tuple(
                load_column(self.repository.evidence, facts) for facts in self._hold(version)["columns"]
            )
        fitted: tuple[FittedColumn, ...] = self._memo["columns", version.base]
        return fitted

    def encoder_names(self) -> dict[str, str]:
        """Return column -> encoder, of the settings held last."""
        held = self.repository.records("held")
        if not held:
            return {}
        return {c["column"]: str(c["encoder"]["name"]) for c in held[-1]["columns"]}

    def _encoders(self, version: Version) -> list[tuple[Any, Encoder]]:
        pairs = []
        for column in version.schema.features:
            choice = self.file.encoders.get(column.name)
            encoder = default_encoder(column) if choice is None else make("encoding", choice.name, **choice.params)
            pairs.append((column, encoder))
        return pairs

    def _fit_encoders(self, source: Version) -> tuple[FittedColumn, ...]:
        self.progress("encode", "fit encoders on train rows")
        dataset = self.dataset(source)
        names = [column.name for column in source.schema.features]
        table = dataset.read(ROW_ID, *names).filter(pa.array(dataset.mask(Split.TRAIN)))
        return fit_columns(self._encoders(source), list(batches(table, names, self._block_rows)))

    def encode(self, table: pa.Table, fitted: Sequence[FittedColumn]) -> FloatMatrix32:
        """Return the features of a table of `_tilth_id` and feature columns; rows seen before are not encoded again."""
        features, n_fresh = encoded_rows(self.repository, table, fitted, self.progress, self._block_rows)
        self.rows_encoded += n_fresh
        return features

    def _candidates_encoded(self, table: pa.Table, fitted: Sequence[FittedColumn]) -> FloatMatrix32:
        """Return the features of rows that are in no version; they do not count as encoded rows."""
        return encoded_rows(self.repository, table, fitted, self.progress, self._block_rows)[0]

    def plain_encoder(self, version: Version) -> Callable[[pa.Table], FloatMatrix32]:
        """Return what encodes rows by the held encoders and keeps nothing: for rows that are only looked at."""
        fitted = self.columns(version)
        names = [column.name for column in fitted]
        return lambda table: encode_blocks(fitted, batches(table, names), table.num_rows)

    def features(self, version: Version) -> FloatMatrix32:
        """Return (n, d) features of all rows of a version, in storage order."""
        fitted = self.columns(version)  # which may encode the version, to choose the learner by it

        def compute() -> FloatMatrix32:
            return self.encode(self.dataset(version).read(ROW_ID, *(c.name for c in fitted)), fitted)

        features: FloatMatrix32 = self._once("features", version, compute)
        return features

    # -- learner -------------------------------------------------------------------------------------------------------

    def learner(self, version: Version) -> Learner:
        """Return the held learner."""
        learner: Learner = operator_of(self._hold(version)["learner"])
        return learner

    def model_key(self, version: Version) -> str:
        """Return the digest of all that is held: encoders with their states, and the learner."""
        held = self._hold(version)
        return digest_of([held["columns"], held["learner"], *([held["stand_in"]] if "stand_in" in held else [])])

    def stand_in(self, version: Version) -> Learner | None:
        """Return the commodity learner that finds and screens where fits of the held one take long; None where they do not."""
        facts = self._hold(version).get("stand_in")
        return None if facts is None else operator_of(facts)

    def variations(self, version: Version) -> Variations:
        """Return what may vary the rows of a version."""

        def train() -> pa.Table:
            dataset = self.dataset(version)
            columns = (ROW_ID, version.schema.task.label, *_names(version))
            return dataset.read(*columns).filter(pa.array(dataset.mask(Split.TRAIN)))

        found: Variations = self._once(
            "variations", version, lambda: Variations(file=self.file, schema=version.schema, train=train)
        )
        return found

    def _repertoire(self, version: Version) -> Repertoire:
        """Return what editors may vary the rows of a version by."""
        there = self.variations(version)
        learner = self.learner(version)
        return Repertoire(
            changes=there.facts,
            policies=there.policies,
            learns="augment" in learner.needs,
            mixes=getattr(learner, "mixes", False),
        )

    def _kept_models(self, version: Version) -> Keep:
        """Return what keeps the models of a learner whose fits take long: named arrays, by the digest of what decides them."""
        name = spec_of(self.learner(version)).name

        def trained(fit: Callable[[], Model]) -> Model:
            self.progress("fit", f"train {name}")
            return fit()

        def keep(key: str, fit: Callable[[], Model]) -> Model:
            return self.remember_arrays(key, lambda: trained(fit))

        return keep

    def _choose_learner(self, source: Version) -> tuple[Learner, list[dict[str, Any]]]:
        """Return the learner named in tilth.yaml, else the best of the commodity ones, and what was compared."""
        named = self.file.learner
        if named.name != "auto":
            return make("learning", named.name, **named.params), []
        return self._best_commodity(source)

    def _best_commodity(self, source: Version) -> tuple[Learner, list[dict[str, Any]]]:
        features = self.features(source)
        self.progress("fit", "choose the learner by cross-validation")
        return choose_learner(self.dataset(source), features, lambda rows: self._fold_groups(source, rows), self.seed)

    def _groups(self, version: Version, rows: np.ndarray) -> np.ndarray | None:
        groups = group_codes(self.dataset(version))
        return None if groups is None else groups[rows]

    # -- benches and evidence ------------------------------------------------------------------------------------------

    def bench(self, version: Version) -> Bench:
        """Return the bench of a version."""

        def compute() -> Bench:
            fitted = self.columns(version)
            dataset = self.dataset(version)
            stand_in = self.stand_in(version)
            return Bench(
                table=dataset.read(*frame_columns(version.schema), *_names(version)),
                schema=version.schema,
                features=self.features(version),
                learner=self.learner(version),
                metric=make("evaluation", version.schema.task.metric),
                reencode=lambda table: self.encode(table, fitted),
                seed=self.seed,
                groups=group_codes(dataset),
                bind=self.variations(version).bind,
                keep=None if stand_in is None else self._kept_models(version),
                stand_in=stand_in,
            )

        bench: Bench = self._once("bench", version, compute)
        return bench

    def evidence(self, version: Version) -> EvidenceBase:
        """Return the evidence of a version, from which operators' views are cut."""

        def compute() -> EvidenceBase:
            return EvidenceBase(
                dataset=self.dataset(version),
                features=self.features(version),
                out_of_sample=lambda: self._out_of_sample(version),
                features_at=lambda rows: self.bench(version).features_at(rows),
                remember=lambda name, columns, function: self.remember_arrays(
                    digest_of([name, self.dataset(version).content_of(columns), self.model_key(version), self.seed]),
                    function,
                ),
                renew=lambda name, function: self.renew_arrays(digest_of([name, self.model_key(version)]), function),
                source=version.source,
                seed=self.seed,
                score=make("evaluation", version.schema.task.metric).measure,
                voted=(lambda: self._voted(version)) if self._labelers else None,
                varied=lambda: self._repertoire(version),
                encode=lambda table: self._candidates_encoded(table, self.columns(version)),
                generated=(lambda: self._generated(version)) if self.generators else None,
                open_sets=(lambda: self.open_sets(version)) if version.schema.task.taxonomy > 1 else None,
            )

        base: EvidenceBase = self._once("evidence", version, compute)
        return base

    def open_sets(self, version: Version) -> tuple[IntVector, Mask]:
        """Return the rows of a version whose label a migration left open, and the classes that each may be."""
        base = self.dataset(self.repository.version(version.base))
        found: tuple[IntVector, Mask] = self._once("open_sets", version, lambda: open_sets(base, self.dataset(version)))
        return found

    def _voted(self, version: Version) -> VotedRows:
        """Return what the labelers' votes come to for the rows of a version."""
        shelf = self.repository.row_evidence
        features = self.features(version)
        source = self.dataset(beginning(self.repository, version))
        labelers = near_labelers(self._labelers, self.file, self.repository, source, self.progress)
        voted, notes = voted_rows(labelers, self.dataset(version), shelf, self.progress, features)
        self.notes += notes
        return voted

    def votes_per_row(self, version: Version) -> tuple[IntVector, IntVector]:
        """Return how many labelers vote, and on which rows they were asked to: (r,) counts, (r,) storage positions."""
        if not self._labelers:
            return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
        cast = cast_votes(self._labelers, self.dataset(version), self.repository.row_evidence, progress=self.progress)
        return np.bincount(cast.votes.rows, minlength=len(cast.positions)), cast.positions

    def _out_of_sample(self, version: Version) -> np.ndarray:
        """Return out-of-sample predictions for labelled train rows: the user's own, or cross-fitted ones."""
        dataset = self.dataset(version)
        given = given_pred_probs(dataset)
        if given is not None:
            return given
        columns = (
            SPLIT,
            TARGET,
            WEIGHT,
            TRUSTED,
            AUGMENT,
            *(c.name for c in version.schema.features),
            version.schema.task.label,
        )
        key = digest_of(["out_of_sample", dataset.content_of(columns), self.model_key(version), self.seed])
        return self.remember_arrays(key, lambda: {"predicted": self._cross_fitted(version)})["predicted"]

    def _cross_fitted(self, version: Version) -> np.ndarray:
        self.progress("fit", "out-of-sample predictions")
        bench = self.bench(version).cheap
        target = target_of(bench.table, version.schema)
        _, labelled = bench.labels(bench.table)
        rows = np.flatnonzero(self.dataset(version).mask(Split.TRAIN) & labelled)
        is_all = np.array_equal(rows, bench.train_positions)
        view = bench.train_view if is_all else bench.view(bench.table.take(pa.array(rows)), bench.features[rows])
        mine = target.take(rows)
        folds = fold_numbers(view.ids, mine, groups=self._fold_groups(version, rows), seed=self.seed)
        folds, barred = with_families(bench.table.select([ROW_ID, PARENTS]).take(pa.array(rows)), folds)
        prepared = bench.prepared if is_all else None
        return np.asarray(out_of_sample(bench.learner, view, mine, folds, prepared=prepared, barred=barred))

    def _fold_groups(self, version: Version, rows: np.ndarray) -> np.ndarray:
        """Return codes of rows that must stand in one fold: groups, else exact duplicates."""
        read = self.dataset(version).read
        return standing_together(self._groups(version, rows), lambda: read(*_names(version)).take(pa.array(rows)))

    # -- edits --------------------------------------------------------------------------------------------------------

    def fitted(self, version: Version, edit: Edit) -> Edit:
        """Return the part of an edit that still fits a version (rows that an earlier edit dropped are left out)."""
        return fit_to(self.dataset(version).read(), edit)[0]


def _names(version: Version) -> list[str]:
    return [column.name for column in version.schema.features]
