"""Variations: what there is to vary the rows of a project while its model learns, and policies bound to it.

Transforms are those of tilth that suit the features and keep the label true, and those of the project's Python file. One that goes by
what is usual in the data learns it from the version's train rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import yaml

from tilth.core.draw import Draw
from tilth.core.errors import ConfigError, NotApplicable, TilthError, UnknownOperatorError, did_you_mean
from tilth.core.ids import digest_of
from tilth.core.names import ROW_ID
from tilth.core.policy import AS_IT_IS, Change, Policy, Variation
from tilth.core.said import Failure
from tilth.core.schema import ColumnType, Schema
from tilth.loop._project import ProjectFile
from tilth.loop._stress_lines import known_transforms
from tilth.loop.python_file import load_functions
from tilth.loop.varying import LOOKED_AT, changed_columns, learnt, vary
from tilth.operators.augmenting import BoundPolicy
from tilth.operators.batch import Batch
from tilth.operators.function_digest import Unseen, function_digest
from tilth.operators.registry import make, spec_of
from tilth.operators.transforms import FunctionTransform

_THIS_PROCESS = uuid4().hex

__all__ = ["USUAL", "Variations", "read_policy"]

USUAL: Mapping[ColumnType, tuple[str, ...]] = {
    ColumnType.IMAGE: (
        *("rotate 1-3", "shear 1-3", "translate 1-3", "crop 1-3", "cutout 1-3", "brightness 1-3", "contrast 1-3"),
        *("colour 1-3", "sharpness 1-3", "posterize 1-3", "blur 1-2", "gaussian_noise 1-2"),
    ),
    ColumnType.TEXT: ("typo 1-2", "case_change", "synonym 1-2", "word_dropout 1-2", "word_swap 1-2", "entity_swap 1-2"),
    ColumnType.NUMBER: ("jitter 1-2", "number_mixup 1-2"),
    ColumnType.CATEGORY: ("category_swap 1-2", "missingness 1"),
    ColumnType.EMBEDDING: ("embedding_noise 1-2", "embedding_interpolate 1-2"),
}
"""What usually may vary in rows of each type with the label still true; mirrors are not among them: they make another letter."""


@dataclass(frozen=True, kw_only=True)
class Variations:
    """What may vary the rows of one version.

    Parameters
    ----------
    file : what tilth.yaml says
    schema : the version's
    train : gives its train rows with features and label; read only where a transform learns from them
    seed : of what made rows draw
    """

    file: ProjectFile
    schema: Schema
    train: Callable[[], pa.Table]
    seed: int = 0
    failed: dict[str, Failure] = field(default_factory=dict)
    """Transform -> its first failure on a row while a learner trained."""
    _bound: dict[str, BoundPolicy] = field(default_factory=dict)
    _made: dict[tuple[str, int | None], tuple[Any, tuple[str, ...]]] = field(default_factory=dict)

    @cached_property
    def own(self) -> Mapping[str, FunctionTransform]:
        """The transforms of the project's Python file by name."""
        return _own_transforms(self.file)

    @cached_property
    def changes(self) -> Mapping[str, Change]:
        """Transform -> the change that policies may make by it: those that tilth.yaml lists, else the usual ones and people's own."""
        choice = self.file.augment
        if choice is not None and choice.changes:
            listed = {one.transform: one for one in choice.changes}
        else:
            known = known_transforms()
            kinds = {column.type for column in self.schema.features}
            usual = [Change.read(text) for kind, texts in USUAL.items() if kind in kinds for text in texts]
            fitting = [one for one in usual if one.transform in known]
            plain = [one if "severity" in known[one.transform] else Change(one.transform) for one in fitting]
            listed = {one.transform: one for one in plain} | {name: Change(name) for name in self.own}
        return {name: one for name, one in listed.items() if self._suits(one)}

    def refuse_unknown(self) -> None:
        """Raise where tilth.yaml names a transform that there is not, a policy that cannot be read, or what such a policy cannot use."""
        if self.file.augment is None:
            return
        known = {*known_transforms(), *self.own}
        named = [one.transform for one in self.file.augment.changes]
        for name in (*named, *(name for policy in self.policies.values() for name in policy.transforms)):
            if name not in known:
                raise self._unknown(name)

    def _suits(self, change: Change) -> bool:
        """Whether a transform changes columns of this data and keeps the label; one that people list is refused aloud elsewhere."""
        try:
            transform, columns = self._transform(change.transform, _lowest(change))
        except NotApplicable:
            return False
        return bool(columns) and transform.label == "keep"

    @cached_property
    def facts(self) -> Mapping[str, Variation]:
        """What an editor must know of each transform."""
        return {name: self._fact(change) for name, change in self.changes.items()}

    def _fact(self, change: Change) -> Variation:
        _, columns = self._transform(change.transform, _lowest(change))
        kinds = frozenset(str(self.schema.column(name).type) for name in columns)
        listed = self.file.augment is not None
        return Variation(kinds=kinds, severities=change.severities, is_own=listed or change.transform in self.own)

    @cached_property
    def policies(self) -> Mapping[str, Policy]:
        """The policies that tilth.yaml names, by file."""
        return _written_policies(self.file)

    def _key_of(self, policy: Policy) -> str:
        """Return the digest of a policy and of all that its transforms do."""
        return digest_of([policy.to_text(), {name: self._digest(name) for name in policy.transforms}])

    def _digest(self, name: str) -> Any:
        return _function_key(self.file, self.own[name]) if name in self.own else spec_of(make("editing", name)).revision

    def bind(self, text: str) -> BoundPolicy:
        """Return the policy of a cell with its transforms.

        Raises
        ------
        UnknownOperatorError
            A transform is gone, such as a function that was taken out of the Python file.
        """
        if text not in self._bound:
            policy = Policy.from_text(text)
            keys = {
                (change.transform, severity)
                for sequence in policy.sequences
                for step in sequence.steps
                for change in step.changes
                if change.transform != AS_IT_IS
                for severity in _severities(change)
            }
            made = {key: self._transform(*key) for key in sorted(keys, key=str)}
            self._bound[text] = BoundPolicy(
                policy=policy,
                transforms={key: transform for key, (transform, _) in made.items()},
                columns={key: columns for key, (_, columns) in made.items()},
                key=self._key_of(policy),
                failed=self.failed,
            )
        return self._bound[text]

    def vary(self, text: str, ids: pa.Array, columns: Mapping[str, pa.Array], number: int) -> Mapping[str, pa.Array]:
        """Return the columns of some rows after a policy, by the draws of a number: what made rows are made of."""
        draw = Draw(seed=self.seed, step=("stored", number))
        return self.bind(text).apply(Batch(ids=ids, columns=columns), draw)

    def _transform(self, name: str, severity: int | None) -> tuple[Any, tuple[str, ...]]:
        """Return a transform that has learnt what it goes by, and the columns that it changes."""
        key = (name, severity)
        if key not in self._made:
            transform = self.own.get(name) or self._of_tilth(name, severity)
            columns = changed_columns(transform, self.schema)
            if isinstance(transform, FunctionTransform):
                self._refuse_dice(transform, columns)
            self._made[key] = self._learnt(transform, columns), columns
        return self._made[key]

    @property
    def notes(self) -> list[str]:
        """What a reader of the run must know of transforms that failed on rows."""
        said = "transform {!r} failed on rows while the model was trained, which were shown as they are; the first is row {}: {}"
        return [said.format(name, one.row_id, one.error) for name, one in sorted(self.failed.items())]

    def _refuse_dice(self, transform: Any, columns: tuple[str, ...]) -> None:
        """Try a person's function on a few rows: one that throws its own dice, or changes types, is refused before it costs a training."""
        rows = self.train().select([ROW_ID, *columns])
        if rows.num_rows:
            vary(transform, rows.slice(0, LOOKED_AT), columns, Draw(seed=0, step=("tried", transform.name)))

    def _learnt(self, transform: Any, columns: tuple[str, ...]) -> Any:
        """Return a transform that has learnt from train rows and their labels; without any of these there are none to read."""
        if not hasattr(transform, "learn"):
            return transform
        rows = self.train()
        label = self.schema.task.label
        labels = None if self.schema.task.is_regression else rows.column(label).cast(pa.string()).combine_chunks()
        return learnt(transform, rows, columns, labels)

    def _of_tilth(self, name: str, severity: int | None) -> Any:
        known = known_transforms()
        if name not in known:
            raise self._unknown(name)
        if severity is None or "severity" not in known[name]:
            return make("editing", name)
        return make("editing", name, severity=severity)

    def _unknown(self, name: str) -> UnknownOperatorError:
        where = "tilth.yaml" if self.file.python is None else f"tilth.yaml and {self.file.python}"
        return UnknownOperatorError(
            f"no transform is called {name!r}.{did_you_mean(name, [*known_transforms(), *self.own])}",
            where=where,
            next_step="bring the function back; or take it out of augment:, and what was kept with it back by tilth revert",
        )


def written_key(file: ProjectFile) -> str:
    """Return the digest of what people wrote to vary rows: what tilth.yaml says, policies and functions."""
    own = {name: _function_key(file, one) for name, one in _own_transforms(file).items()}
    return digest_of([repr(file.augment), {name: p.to_text() for name, p in _written_policies(file).items()}, own])


def _own_transforms(file: ProjectFile) -> dict[str, FunctionTransform]:
    if file.python is None or file.home is None or not (file.home / file.python).is_file():
        return {}
    return {one.name: one for one in load_functions(file.home / file.python) if isinstance(one, FunctionTransform)}


def _written_policies(file: ProjectFile) -> dict[str, Policy]:
    home = file.home or Path()
    return {name: read_policy(home / name) for name in (file.augment.policies if file.augment is not None else ())}


def _function_key(file: ProjectFile, one: FunctionTransform) -> str:
    """Return the digest of a function; where that cannot be known, of this process: what was fitted with it is fitted anew."""
    assert file.home is not None
    try:
        return function_digest(one.function, file.home)
    except Unseen:
        return f"{one.name} {_THIS_PROCESS}"


def read_policy(path: Path) -> Policy:
    """Return the policy of a YAML file; raises ConfigError that names the file."""
    try:
        return Policy.from_plain(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise ConfigError(
            f"the policy cannot be read: {reason}", where=str(path), next_step="tilth augment -o policy.yaml writes one"
        ) from None
    except TilthError as error:
        raise ConfigError(error.what, where=f"{path}, {error.where}".rstrip(", "), next_step=error.next_step) from None


def _severities(change: Change) -> Sequence[int | None]:
    if change.severities is None:
        return (None,)
    low, high = change.severities
    return tuple(range(low, high + 1))


def _lowest(change: Change) -> int | None:
    return None if change.severities is None else change.severities[0]
