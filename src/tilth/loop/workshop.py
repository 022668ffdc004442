"""The workshop: what all steps of a run share of one project: what it holds, benches, evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa

from tilth.core.apply import fit_to
from tilth.core.arrays import IntVector, Mask
from tilth.core.edit import Edit
from tilth.core.generated import Generated
from tilth.core.ids import digest_of
from tilth.core.labelling import VotedRows
from tilth.core.names import AUGMENT, PARENTS, ROW_ID, SPLIT, TARGET, TRUSTED, WEIGHT, Split
from tilth.core.policy import Repertoire
from tilth.core.progress import heard_by
from tilth.core.schema import Role
from tilth.learning._crossfit import fold_numbers, out_of_sample
from tilth.loop._held_workshop import HeldWorkshop
from tilth.loop.bench import Bench, Keep
from tilth.loop.evidence import EvidenceBase, group_codes
from tilth.loop.folds import with_families
from tilth.loop.frames import feature_names, frame_columns, target_of
from tilth.loop.generating import generated_rows
from tilth.loop.given_probs import given_pred_probs
from tilth.loop.halves import half_of
from tilth.loop.lineage import beginning
from tilth.loop.moving import open_sets
from tilth.loop.near_labelers import near_labelers
from tilth.loop.voted_rows import voted_rows
from tilth.loop.voting import cast_votes
from tilth.operators.protocols import Model
from tilth.operators.registry import make, spec_of
from tilth.store.version import Version

__all__ = ["Workshop"]


class Workshop(HeldWorkshop):
    """Everything derived from a project's versions, computed once; its parameters are those of what it holds."""

    # -- benches and evidence ------------------------------------------------------------------------------------------

    def bench(self, version: Version) -> Bench:
        """Return the bench of a version."""

        def compute() -> Bench:
            fitted = self.columns(version)
            dataset = self.dataset(version)
            stand_in = self.stand_in(version)
            return Bench(
                table=dataset.read(*frame_columns(version.schema), *feature_names(version.schema)),
                schema=version.schema,
                features=self.features(version),
                learner=self.learner(version),
                metric=make("evaluation", version.schema.task.metric),
                reencode=lambda table: self._candidates_encoded(table, fitted),
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
                half_sample=None if version.schema.with_role(Role.PRED_PROBS) else lambda: self._half_sample(version),
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
        return self._kept_predictions(version, "out_of_sample", lambda: self._cross_fitted(version))

    def _half_sample(self, version: Version) -> np.ndarray:
        """Return the same by models that learnt from half of the rows."""
        return self._kept_predictions(version, "half_sample", lambda: self._cross_fitted(version, halved=True))

    def _kept_predictions(self, version: Version, what: str, predict: Callable[[], np.ndarray]) -> np.ndarray:
        label, features = version.schema.task.label, feature_names(version.schema)
        content = self.dataset(version).content_of((SPLIT, TARGET, WEIGHT, TRUSTED, AUGMENT, *features, label))
        key = digest_of([what, content, self.model_key(version), self.seed])
        return self.remember_arrays(key, lambda: {"predicted": predict()})["predicted"]

    def _cross_fitted(self, version: Version, *, halved: bool = False) -> np.ndarray:
        self.progress("fit", "out-of-sample predictions")
        bench = self.bench(version).cheap
        target = target_of(bench.table, version.schema)
        _, labelled = bench.labels(bench.table)
        rows = np.flatnonzero(self.dataset(version).mask(Split.TRAIN) & labelled)
        is_all = np.array_equal(rows, bench.train_positions)
        view = bench.train_view if is_all else bench.view(bench.table.take(pa.array(rows)), bench.features[rows])
        mine = target.take(rows)
        groups = self._fold_groups(version, rows)
        folds = fold_numbers(view.ids, mine, groups=groups, seed=self.seed)
        family = bench.table.select([ROW_ID, PARENTS]).take(pa.array(rows))
        folds, barred = with_families(family, folds)
        if halved:
            mine = mine.only(half_of(family, mine, groups=groups, seed=self.seed))
        prepared = bench.prepared if is_all else None
        return np.asarray(out_of_sample(bench.learner, view, mine, folds, prepared=prepared, barred=barred))

    def _generated(self, version: Version) -> Mapping[str, Generated]:
        """Return what declared generators made of the rows of a version."""
        dataset = self.dataset(version)
        made, notes = generated_rows(self.generators, dataset, self.repository, self.seed, self.progress)
        self.notes += notes
        return made

    def _repertoire(self, version: Version) -> Repertoire:
        """Return what editors may vary the rows of a version by."""
        there = self.variations(version)
        learner = self.learner(version)
        return Repertoire(
            changes=there.facts,
            policies=there.policies,
            learns="augment" in learner.needs,
            mixes=getattr(learner, "mixes", False),
            stored=0 if self.file.augment is None else self.file.augment.stored,
            vary=there.vary,
        )

    def _kept_models(self, version: Version) -> Keep:
        """Return what keeps the models of a learner whose fits take long: named arrays, by the digest of what decides them."""
        name = spec_of(self.learner(version)).name

        def trained(fit: Callable[[], Model]) -> Model:
            self.progress("fit", f"train {name}")
            with heard_by(self.progress):
                return fit()

        def keep(key: str, fit: Callable[[], Model]) -> Model:
            return self.remember_arrays(key, lambda: trained(fit))

        return keep

    # -- edits --------------------------------------------------------------------------------------------------------

    def fitted(self, version: Version, edit: Edit) -> Edit:
        """Return the part of an edit that still fits a version (rows that an earlier edit dropped are left out)."""
        return fit_to(self.dataset(version).read(), edit)[0]
