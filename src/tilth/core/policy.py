"""Policy: how rows are varied while a learner trains on them, as a distribution over sequences of transforms.

    draw a sequence by weight; of each of its steps: with its chance, one of its changes, each as likely as the others

TrivialAugment is one sequence of one step with every change; RandAugment is one sequence of n such steps at one severity; what a
search or a composition learnt is many weighted sequences of named changes.

Source: Müller, Hutter (2021), TrivialAugment, ICCV; Cubuk et al. (2019), AutoAugment, CVPR (sub-policies); Ratner et al. (2017), Learning
to Compose Domain-Specific Transformations for Data Augmentation, NeurIPS (sequences of users' transforms).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tilth.core.errors import ConfigError

__all__ = ["AS_IT_IS", "Change", "Mix", "Policy", "Repertoire", "Sequence", "Step", "Variation"]

SEVERITIES = (1, 5)
AS_IT_IS = "as_it_is"
"""The change that changes nothing: a row may also be shown as it is."""
MIXES = ("none", "mixup", "cutmix")
Mix = Literal["none", "mixup", "cutmix"]


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """A transform by name, with the severities from which one is drawn; None where it has no severity.

    Examples
    --------
    >>> str(Change.read("rotate 1-3")), Change.read("rotate 2").severities, Change.read("flip").severities
    ('rotate 1-3', (2, 2), None)
    """

    transform: str
    severities: tuple[int, int] | None = None

    @classmethod
    def read(cls, text: str) -> Change:
        """Return the change that a text such as `rotate 1-3`, `rotate 2` or `flip` names; raises ConfigError."""
        name, _, rest = text.strip().partition(" ")
        if not name.isidentifier():
            raise ConfigError(f"{text!r} names no transform", next_step="write a change such as: rotate 1-3")
        if not rest:
            return cls(name)
        low, _, high = rest.strip().partition("-")
        if not (low.isdigit() and (high or low).isdigit()):
            raise _no_severity(text)
        first, last = int(low), int(high or low)
        if not SEVERITIES[0] <= first <= last <= SEVERITIES[1]:
            raise _no_severity(text)
        return cls(name, (first, last))

    def __str__(self) -> str:
        """Return the text from which it is read."""
        if self.severities is None:
            return self.transform
        low, high = self.severities
        return f"{self.transform} {low}" if low == high else f"{self.transform} {low}-{high}"


def _no_severity(text: str) -> ConfigError:
    return ConfigError(
        f"{text!r}: severities are whole numbers from 1, weak, to 5, strong",
        next_step="write a change such as: rotate 1-3",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """What an editor must know of a transform to put it into a policy.

    Parameters
    ----------
    kinds : types of the columns that it changes here
    severities : from which one is drawn; None where it has none
    is_own : whether a person wrote it, or named it in tilth.yaml
    """

    kinds: frozenset[str]
    severities: tuple[int, int] | None = None
    is_own: bool = False


Vary = Callable[[str, Any, Mapping[str, Any], int], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repertoire:
    """What editors can vary the rows of a version by.

    Parameters
    ----------
    changes : transform -> what must be known of it
    policies : name -> policy that a person wrote
    learns : whether the held learner learns a representation of its own, for which varied rows are what data is
    mixes : whether it can learn from rows that are mixed
    stored : made rows per row that are asked for in the store
    vary : a policy's text, (n,) ids, their columns and a draw number -> the columns after it
    """

    changes: Mapping[str, Variation]
    policies: Mapping[str, Policy] = field(default_factory=dict)
    learns: bool = False
    mixes: bool = False
    stored: int = 0
    vary: Vary | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One change of several, made with a chance in (0, 1]."""

    changes: tuple[Change, ...]
    chance: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a step without changes and what is no chance."""
        if not self.changes:
            raise ConfigError("a step of a policy has no change", next_step="name at least one transform")
        if not 0 < self.chance <= 1:
            raise ConfigError(f"chance cannot be {self.chance}", next_step="write a number above 0 and at most 1")


@dataclass(frozen=True, slots=True)
class Sequence:
    """Steps made one after the other; drawn in proportion to its weight. No steps: the row as it is."""

    steps: tuple[Step, ...]
    weight: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what is no weight."""
        if not 0 < self.weight < float("inf"):
            raise ConfigError(f"weight cannot be {self.weight}", next_step="write a number above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A distribution over sequences of transforms.

    Parameters
    ----------
    sequences : what is drawn from, one draw for each row and epoch
    copies : where a learner is fitted in one pass over the rows: made copies of each row that it sees beside the row, each draw another
    mix : whether a learner that trains in batches also mixes rows and their labels: not, by a weighted mean, or by a pasted box
    salt : tells apart policies that are alike otherwise, such as draws of a placebo: the learner's own draws follow it

    Raises
    ------
    ConfigError
        There is no sequence, an unknown word, or a number out of range.
    """

    sequences: tuple[Sequence, ...]
    copies: int = 2
    mix: Mix = "none"
    salt: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn from."""
        if not self.sequences:
            raise ConfigError("the policy has no sequence", next_step="list at least one under sequences")
        if self.mix not in MIXES:
            raise ConfigError(f"mix cannot be {self.mix!r}", next_step=f"write one of {', '.join(MIXES)}")
        if not 1 <= self.copies <= 20 or isinstance(self.copies, bool):
            raise ConfigError(f"copies cannot be {self.copies!r}", next_step="write a whole number from 1 to 20")

    # -- the ways to make one ------------------------------------------------------------------------------------------

    @classmethod
    def trivial(cls, changes: Iterable[Change], **more: Any) -> Policy:
        """One change for each row, each as likely as the others; the row as it is among them (Müller, Hutter 2021)."""
        return cls(sequences=(Sequence((Step((Change(AS_IT_IS), *changes)),)),), **more)

    @classmethod
    def rand(cls, changes: Iterable[Change], steps: int, severity: int, **more: Any) -> Policy:
        """`steps` changes one after the other, all at one severity (Cubuk et al. 2020, RandAugment)."""
        at = tuple(one if one.severities is None else Change(one.transform, (severity, severity)) for one in changes)
        step = Step((Change(AS_IT_IS), *at))
        return cls(sequences=(Sequence((step,) * steps),), **more)

    @classmethod
    def identity(cls, salt: int = 0, **more: Any) -> Policy:
        """Every row as it is: what a placebo of a policy for all rows is."""
        return cls(sequences=(Sequence(()),), salt=salt, **more)

    # -- as text -------------------------------------------------------------------------------------------------------

    @property
    def transforms(self) -> tuple[str, ...]:
        """Names of the transforms that it may use, each once, in alphabetical order."""
        return tuple(sorted({one.transform for one in self._changes() if one.transform != AS_IT_IS}))

    def _changes(self) -> Iterator[Change]:
        for sequence in self.sequences:
            for step in sequence.steps:
                yield from step.changes

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, as YAML and JSON hold them; what is as usual is left out."""
        usual = {"copies": 2, "mix": "none", "salt": 0}
        own = {name: getattr(self, name) for name, value in usual.items() if getattr(self, name) != value}
        return {"sequences": [_plain_sequence(one) for one in self.sequences]} | own

    def to_text(self) -> str:
        """Return it as one line: what a row's cell holds."""
        return json.dumps(self.to_plain(), separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> Policy:
        """Return the policy of a cell; raises ConfigError."""
        try:
            return cls.from_plain(json.loads(text))
        except json.JSONDecodeError:
            raise ConfigError(f"{text[:60]!r} is no policy", next_step="set it with an edit of tilth's") from None

    @classmethod
    def from_plain(cls, values: Any) -> Policy:
        """Return the policy of plain values, as `to_plain` gives them; raises ConfigError that names the place."""
        if not isinstance(values, Mapping) or not isinstance(values.get("sequences"), list):
            raise ConfigError(
                "a policy is a mapping with a list of sequences", next_step="tilth augment -o policy.yaml writes one"
            )
        unknown = set(values) - {"sequences", "copies", "mix", "salt"}
        if unknown:
            raise ConfigError(f"a policy has no {min(unknown)!r}", next_step="leave it out")
        more = {name: values[name] for name in ("copies", "mix", "salt") if name in values}
        return cls(sequences=tuple(_sequence(one, n) for n, one in enumerate(values["sequences"], 1)), **more)


def _plain_sequence(sequence: Sequence) -> dict[str, Any]:
    steps = [
        {"any": [str(one) for one in step.changes]} | ({"chance": step.chance} if step.chance != 1 else {})
        for step in sequence.steps
    ]
    return {"steps": steps} | ({"weight": sequence.weight} if sequence.weight != 1 else {})


def _sequence(values: Any, number: int) -> Sequence:
    where = f"sequence {number}"
    if not isinstance(values, Mapping) or not isinstance(values.get("steps"), list):
        raise ConfigError("a sequence is a mapping with a list of steps", where=where, next_step="write steps: […]")
    return Sequence(tuple(_step(one, where) for one in values["steps"]), _number(values, "weight", where))


def _step(values: Any, where: str) -> Step:
    if isinstance(values, str):
        return Step((Change.read(values),))
    if not isinstance(values, Mapping) or not isinstance(values.get("any"), list):
        what = "a step is a change such as `rotate 1-3`, or a mapping with a list `any` of them"
        raise ConfigError(what, where=where, next_step="write any: [rotate 1-3, flip]")
    return Step(tuple(Change.read(str(one)) for one in values["any"]), _number(values, "chance", where))


def _number(values: Mapping[str, Any], name: str, where: str) -> float:
    found = values.get(name, 1.0)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise ConfigError(f"{name} cannot be {found!r}", where=where, next_step="write a number")
    return float(found)
