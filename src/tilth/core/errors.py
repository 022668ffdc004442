"""Everything that tilth refuses, as one tree.

    TilthError
    ├── UsageError            what was typed or written cannot be meant                     exit 2
    │   ├── ConfigError           tilth.yaml says something impossible              E010
    │   ├── ProjectNotFoundError  the folder holds no project                       E011
    │   ├── UnknownOperatorError  no operator of that name                          E012
    │   ├── UnknownVersionError   no version, tag or edit of that name              E013
    │   └── UnknownRowError       no row of that id                                 E014
    ├── InputError            the data cannot be used as it is                              exit 2
    │   ├── SourceError           a file is missing, empty or unreadable            E020
    │   ├── UnknownColumnError    no column of that name                            E021
    │   ├── LabelError            the label column cannot be learnt from            E022
    │   ├── DuplicateIdError      two rows with one id                              E023
    │   ├── SchemaChangedError    the source no longer looks as it did              E024
    │   ├── AnswerError           answers for unknown rows or classes               E025
    │   ├── InSampleError         predictions that were made on their own rows      E026
    │   ├── SplitError            rows cannot be split as asked                     E027
    │   └── TaxonomyError         a migration does not fit the label set            E028
    ├── EditError             an edit may not touch what it touches                         exit 2
    │   ├── ProtectedRowError     a row edit on dev or test rows                    E030
    │   └── EditConflictError     an edit does not fit the version it is put on     E031
    ├── OperatorError         an operator broke its contract                                exit 2
    │   ├── UndeclaredNeedError   an operator read what it did not declare          E040
    │   ├── ContractError         an operator returned what it may not              E041
    │   └── NotApplicable         an operator refuses, with a reason (no failure)   E042
    └── MachineError          the machine, not the data                                     exit 3
        ├── StoreLockedError      another writer holds the project                  E050
        ├── StoreTooNewError      written by a newer tilth                          E051
        ├── StoreCorruptError     the store does not hold together                  E052
        ├── StoreNotWritableError a read-only folder or a full disk                 E053
        ├── MissingExtraError     an extra must be installed                        E054
        └── StoreTooOldError      written by a tilth whose stores are read no more  E055

A message says what happened, where, and what to type next.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar

__all__ = [
    "AnswerError",
    "ConfigError",
    "ContractError",
    "DuplicateIdError",
    "EditConflictError",
    "EditError",
    "InSampleError",
    "InputError",
    "LabelError",
    "MachineError",
    "MissingExtraError",
    "NotApplicable",
    "OperatorError",
    "ProjectNotFoundError",
    "ProtectedRowError",
    "SchemaChangedError",
    "SourceError",
    "SplitError",
    "StoreCorruptError",
    "StoreLockedError",
    "StoreNotWritableError",
    "StoreTooNewError",
    "StoreTooOldError",
    "TaxonomyError",
    "TilthError",
    "UndeclaredNeedError",
    "UnknownColumnError",
    "UnknownOperatorError",
    "UnknownRowError",
    "UnknownVersionError",
    "UsageError",
    "did_you_mean",
    "first_three",
]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the closest known word, or an empty string."""
    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean {by_lower[close[0]]!r}?" if close else ""


def first_three(things: Iterable[object]) -> str:
    """Return the first three things and how many there are: "a, b, c … (7 in all)"."""
    items = [str(thing) for thing in things]
    shown = ", ".join(items[:3])
    return shown if len(items) <= 3 else f"{shown} … ({len(items):,} in all)"


class TilthError(Exception):
    """Base of all refusals; `code` is stable and has a page in the error reference.

    Parameters
    ----------
    what : what happened, in one sentence
    where : column, file, row ids (first three), or empty
    next_step : what to type or change next, or empty
    """

    code: ClassVar[str] = "TILTH-E000"
    exit_status: ClassVar[int] = 2

    def __init__(self, what: str, *, where: str = "", next_step: str = "") -> None:
        self.what, self.where, self.next_step = what, where, next_step
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The whole text that a person reads."""
        place = f" [{self.where}]" if self.where else ""
        then = f" → {self.next_step}" if self.next_step else ""
        return f"{self.code} {self.what}{place}{then}"


class UsageError(TilthError, ValueError):
    """What was typed or written cannot be meant."""

    code = "TILTH-E001"


class ConfigError(UsageError):
    """tilth.yaml says something impossible."""

    code = "TILTH-E010"


class ProjectNotFoundError(UsageError, LookupError):
    """The folder holds no project."""

    code = "TILTH-E011"


class UnknownOperatorError(UsageError, LookupError):
    """No operator of that name."""

    code = "TILTH-E012"


class UnknownVersionError(UsageError, LookupError):
    """No version, tag or edit of that name."""

    code = "TILTH-E013"


class UnknownRowError(UsageError, LookupError):
    """No row of that id."""

    code = "TILTH-E014"


class InputError(TilthError, ValueError):
    """The data cannot be used as it is."""

    code = "TILTH-E002"


class SourceError(InputError):
    """A file is missing, empty or unreadable."""

    code = "TILTH-E020"


class UnknownColumnError(InputError, LookupError):
    """No column of that name."""

    code = "TILTH-E021"

    @classmethod
    def among(cls, column: str, known: Iterable[str], *, where: str = "") -> UnknownColumnError:
        """Build the error for a column that is missing from the known ones."""
        names = list(known)
        shown = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
        what = f"no column {column!r}.{did_you_mean(column, names)} The columns are: {shown}"
        return cls(what, where=where, next_step="name one of these columns")


class LabelError(InputError):
    """The label column cannot be learnt from."""

    code = "TILTH-E022"


class DuplicateIdError(InputError):
    """Two rows carry one id."""

    code = "TILTH-E023"


class SchemaChangedError(InputError):
    """The source no longer looks as it did at the last run."""

    code = "TILTH-E024"


class AnswerError(InputError):
    """Answers for unknown rows or classes."""

    code = "TILTH-E025"


class InSampleError(InputError):
    """Predictions that were made on the rows they were trained on."""

    code = "TILTH-E026"


class SplitError(InputError):
    """Rows cannot be split as asked."""

    code = "TILTH-E027"


class TaxonomyError(InputError):
    """A migration does not fit the label set: a class that there is not, a name that is taken, fewer than two classes left."""

    code = "TILTH-E028"


class EditError(TilthError, ValueError):
    """An edit may not touch what it touches."""

    code = "TILTH-E003"


class ProtectedRowError(EditError):
    """A row edit on rows that judge: dev or test."""

    code = "TILTH-E030"


class EditConflictError(EditError):
    """An edit does not fit the version it is put on."""

    code = "TILTH-E031"


class OperatorError(TilthError):
    """An operator broke its contract."""

    code = "TILTH-E004"


class UndeclaredNeedError(OperatorError, AttributeError):
    """An operator read what it did not declare in `needs`."""

    code = "TILTH-E040"


class ContractError(OperatorError, TypeError):
    """An operator returned what its verb does not allow."""

    code = "TILTH-E041"


class NotApplicable(OperatorError):  # noqa: N818 - a refusal, not a failure
    """An operator refuses this data, with a reason; the run goes on and says so."""

    code = "TILTH-E042"


class MachineError(TilthError, OSError):
    """The machine, not the data."""

    code = "TILTH-E005"
    exit_status = 3


class StoreLockedError(MachineError):
    """Another writer holds the project."""

    code = "TILTH-E050"


class StoreTooNewError(MachineError):
    """The store was written by a newer tilth."""

    code = "TILTH-E051"


class StoreCorruptError(MachineError):
    """The store does not hold together."""

    code = "TILTH-E052"


class StoreNotWritableError(MachineError):
    """A read-only folder or a full disk."""

    code = "TILTH-E053"


class MissingExtraError(MachineError):
    """An extra must be installed."""

    code = "TILTH-E054"


class StoreTooOldError(MachineError):
    """The store was written by an older tilth, whose stores are read no more."""

    code = "TILTH-E055"
