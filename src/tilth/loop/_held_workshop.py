"""What a project holds: encoders with their state, the learner and its stand-in, and what is kept by content.

Encoders' fitted state and the learner's settings are fixed on the source's train rows once and held until `--refit`, so that a
gain is owed to the data. Features of a row are kept by the digest of its cells: editing 1 % of the rows encodes 1 %.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.arrays import Arrays, FloatMatrix32
from tilth.core.dataset import Dataset
from tilth.core.ids import digest_of
from tilth.core.names import ROW_ID, Split
from tilth.core.partitions import BLOCK_ROWS
from tilth.core.progress import Progress, silent
from tilth.encoding._blocks import FittedColumn, default_encoder, encode_blocks, fit_columns
from tilth.loop.encoded_rows import candidates_encoded, encoded_rows
from tilth.loop.evidence import group_codes
from tilth.loop.frames import feature_names, standing_together
from tilth.loop.generating import DeclaredGenerator
from tilth.loop.held_columns import features_key, keep_column, load_column, operator_of
from tilth.loop.held_learner import choose_learner, is_dear
from tilth.loop.labelers import NamedLabeler
from tilth.loop.lineage import beginning
from tilth.loop.project_file import ProjectFile
from tilth.loop.slices import DeclaredSlice
from tilth.loop.variations import Variations, written_key
from tilth.operators.batch import batches
from tilth.operators.protocols import Encoder, Learner
from tilth.operators.registry import make, spec_of
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["HeldWorkshop"]


class HeldWorkshop:
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
    generators : functions that may be called to make rows
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
        generators: Sequence[DeclaredGenerator] = (),
    ) -> None:
        self.file, self.repository, self.seed, self.progress = file, repository, seed, progress
        self.notes: list[str] = []
        """What a reader of the run must know of work that was done on the way."""
        self.rows_encoded = 0
        """How many rows were encoded, rather than found: what an edit cost."""
        self._refit, self._block_rows, self._labelers = refit, block_rows, tuple(labelers)
        self.slices = tuple(slices)
        self.generators = tuple(generators)
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
        return digest_of([[one.name, one.key or n_runs] for one in self.slices])

    @property
    def generators_key(self) -> str:
        """The digest of what decides which rows are generated; where that is not known of a function, no two runs have the same."""
        n_runs = len(self.repository.records("run"))
        return digest_of([[one.function.name, one.key or n_runs, one.function.most_calls] for one in self.generators])

    @property
    def variations_key(self) -> str:
        """The digest of what people wrote to vary rows by, where a run may vary any."""
        if self.file.augment is None and self.file.learner.name == "auto":
            return ""
        return written_key(self.file)

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

    def encode(self, table: pa.Table, fitted: Sequence[FittedColumn], progress: Progress = silent) -> FloatMatrix32:
        """Return the features of a table of `_tilth_id` and feature columns; rows seen before are not encoded again.

        Of the rows that a candidate changes or makes nobody is told: what runs is the step that proposes, screens or tries it.
        """
        features, n_fresh = encoded_rows(self.repository, table, fitted, progress, self._block_rows)
        self.rows_encoded += n_fresh
        return features

    def _candidates_encoded(self, table: pa.Table, fitted: Sequence[FittedColumn]) -> FloatMatrix32:
        """Return the features of rows that are in no version; they do not count as encoded rows."""
        return candidates_encoded(self.repository, table, fitted, self._block_rows)

    def plain_encoder(self, version: Version) -> Callable[[pa.Table], FloatMatrix32]:
        """Return what encodes rows by the held encoders and keeps nothing: for rows that are only looked at."""
        fitted = self.columns(version)
        names = [column.name for column in fitted]
        return lambda table: encode_blocks(fitted, batches(table, names), table.num_rows)

    def features(self, version: Version) -> FloatMatrix32:
        """Return (n, d) features of all rows of a version, in storage order."""
        fitted = self.columns(version)  # which may encode the version, to choose the learner by it

        def compute() -> FloatMatrix32:
            whole = self.dataset(version).read(ROW_ID, *(c.name for c in fitted))
            return self.encode(whole, fitted, self.progress)

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
            columns = (ROW_ID, version.schema.task.label, *feature_names(version.schema))
            return dataset.read(*columns).filter(pa.array(dataset.mask(Split.TRAIN)))

        found: Variations = self._once(
            "variations",
            version,
            lambda: Variations(file=self.file, schema=version.schema, train=train, seed=self.seed),
        )
        return found

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

    def _fold_groups(self, version: Version, rows: np.ndarray) -> np.ndarray:
        """Return codes of rows that must stand in one fold: groups, else exact duplicates."""
        read = self.dataset(version).read
        return standing_together(
            self._groups(version, rows), lambda: read(*feature_names(version.schema)).take(pa.array(rows))
        )
