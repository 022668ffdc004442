"""Predicates: the rows of a table for which an SQL condition holds.

The condition is DataFusion's SQL over the row's own columns. Names of columns are taken as they are written; put those with
spaces in double quotes, and text in single quotes.

Source: ISO/IEC 9075-2, predicates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Mask
from tilth.core.errors import ConfigError
from tilth.operators.batch import Batch

__all__ = ["Predicate", "written_name"]

_TOKEN = re.compile(
    r"""(?P<text>'(?:[^']|'')*')|(?P<name>"(?:[^"]|"")*"|`[^`]*`)|(?P<comment>--[^\n]*|/\*.*?\*/)"""
    r"""|(?P<number>\d[\w.]*)|(?P<word>[^\W\d]\w*)|(?P<space>\s+)|(?P<sign>.)""",
    re.DOTALL,
)
_KEYWORDS = frozenset(
    (
        *(
            "and",
            "or",
            "not",
            "in",
            "like",
            "ilike",
            "is",
            "null",
            "true",
            "false",
            "between",
            "case",
            "when",
            "then",
            "else",
        ),
        *(
            "end",
            "as",
            "cast",
            "try_cast",
            "distinct",
            "from",
            "similar",
            "to",
            "escape",
            "at",
            "time",
            "zone",
            "any",
            "all",
        ),
        *("exists", "select", "where", "precision", "interval", "current_date", "current_time", "current_timestamp"),
    )
)
_PLACE = re.compile(r'(?:Parser|Tokenizer)Error\("(?P<what>.*?)(?: at Line: (?P<line>\d+), Column: (?P<sign>\d+))?"\)')
_REFUSED = "Invalid user input: "
_SPARED = str.maketrans({".": "\u2024", "`": "\u2035"})
_AS_WRITTEN = str.maketrans({"\u2024": ".", "\u2035": "`"})
"""Signs that the engine would not take for a part of a column's name, and what stands for them."""
_ROW = "_tilth_row"


@dataclass(frozen=True, slots=True)
class Predicate:
    """A condition on the columns of a row.

    Parameters
    ----------
    where : the condition, such as: likes > 100 AND text NOT LIKE '%song%'

    Raises
    ------
    ConfigError
        It is no condition, more than one, or names no column; the place is shown.
    """

    where: str

    def __post_init__(self) -> None:
        """Refuse what is more than one predicate."""
        depth = 0
        for kind, sign, place in _tokens(self.where):
            depth += {"(": 1, ")": -1}.get(sign, 0) if kind == "sign" else 0
            if depth < 0 or (kind == "sign" and sign == ";"):
                raise self._refusal(f"{sign!r} ends the predicate", place)
        if not self.columns:
            raise ConfigError(
                f"the predicate {self.where!r} names no column", next_step="compare a column with something"
            )
        self._refuse_syntax()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the predicate names."""
        return tuple(dict.fromkeys(name for _, name in _names(self.where)))

    def holds(self, batch: Batch) -> Mask:
        """Return the rows of a batch for which it is true; where it is null or false, it is not; (n,).

        Raises
        ------
        ConfigError
            It names a column that the batch has not, or compares what cannot be compared.
        ArithmeticError
            It cannot be computed on some cell.
        """
        hits = np.zeros(len(batch), dtype=bool)
        hits[self._rows(batch)] = True
        return hits

    def _refuse_syntax(self) -> None:
        """Raise ConfigError, with the place, where the predicate is no SQL; its columns are not looked at yet."""
        try:
            _empty().sql(_query(self.where)).build().to_batch_records()
        except (ValueError, OSError, RuntimeError) as error:
            place = _PLACE.search(str(error))
            if place is not None:
                raise self._syntax(place) from None

    def _rows(self, batch: Batch) -> IntVector:
        """Return the rows for which the predicate is true."""
        try:
            found = _dataset(batch).sql(_query(self.where)).build().to_batch_records()
        except (ValueError, OSError, RuntimeError) as error:
            raise self._explained(error, batch) from None
        return np.concatenate([np.asarray(part.column(0)) for part in found] or [np.zeros(0)]).astype(np.intp)

    def _explained(self, error: Exception, batch: Batch) -> Exception:
        """Return the error that a person can act on; what fails on some cells only stays a failure of rows."""
        said = re.sub(r",? /[\w/.-]+\.rs:\d+:\d+\.?$", "", str(error)).strip().translate(_AS_WRITTEN)
        if said.startswith(_REFUSED):
            what = re.sub(r"^(Error during planning|Schema error): ", "", said.removeprefix(_REFUSED))
            what = what.split(" Valid fields are")[0].splitlines()[0]
            hint = " (text stands in single quotes)" if '"' in self.where and "No field named" in what else ""
            return ConfigError(
                f"the predicate {self.where!r} cannot be used: {what}{hint}",
                next_step=f"it may name {', '.join(batch.columns)}",
            )
        return ArithmeticError(said.rpartition("Arrow error: ")[2] or said)

    def _syntax(self, place: re.Match[str]) -> ConfigError:
        quoted = _quoted(self.where)
        what = place["what"].replace('\\"', "")
        if what.endswith("found: EOF"):
            return self._refusal(what.replace("EOF", "the end"), len(self.where))
        at = _offset(quoted, int(place["line"] or 2) - 1, int(place["sign"] or 1))
        return self._refusal(what, _origin(self.where, at))

    def _refusal(self, what: str, place: int) -> ConfigError:
        shown = f"{self.where[:place]}⟨here⟩{self.where[place:]}"
        return ConfigError(
            f"the predicate cannot be read: {what.replace(' found: )', ' the end')}",
            where=f"sign {place + 1} of {shown!r}",
            next_step="write one predicate, such as: likes > 100 AND text LIKE '%song%'",
        )


def written_name(column: str) -> str:
    """Return the name of a column as a predicate names it: in double quotes where it is no plain word.

    Examples
    --------
    >>> written_name("age"), written_name("hours per week")
    ('age', '"hours per week"')
    """
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", column) and column.lower() not in _KEYWORDS:
        return column
    return '"' + column.replace('"', '""') + '"'


@lru_cache(maxsize=1)
def _empty() -> Any:
    import lance

    return lance.write_dataset(pa.table({_ROW: pa.array([0], pa.int32())}), "memory://")


def _query(where: str) -> str:
    """Return the query; the predicate begins in its second line."""
    return f'SELECT "{_ROW}" FROM dataset WHERE (\n{_quoted(where)}\n)'  # noqa: S608 - the project's own predicate


def _dataset(batch: Batch) -> Any:
    """Return the batch as a table that answers SQL; it is made once for all that ask."""
    if "sql" not in batch.memo:
        import lance

        columns = {name.translate(_SPARED): cells for name, cells in batch.columns.items() if name != _ROW}
        table = pa.table(columns | {_ROW: pa.array(range(len(batch)), pa.int32())})
        batch.memo["sql"] = lance.write_dataset(table, "memory://")
    return batch.memo["sql"]


def _tokens(text: str) -> list[tuple[str, str, int]]:
    return [(str(found.lastgroup), found.group(), found.start()) for found in _TOKEN.finditer(text)]


def _names(text: str) -> list[tuple[int, str]]:
    """Return the places and names of columns in a predicate: words that are no keyword, no function and no type."""
    tokens = [token for token in _tokens(text) if token[0] not in ("space", "comment")]
    found = []
    for number, (kind, token, place) in enumerate(tokens):
        after = tokens[number + 1] if number + 1 < len(tokens) else ("", "", 0)
        before = tokens[number - 1][1].lower() if number else ""
        if kind == "name":
            found.append((place, token[1:-1].replace('""', '"')))
        elif kind == "word" and token.lower() not in _KEYWORDS:
            is_other = after[1] == "(" or after[0] == "text" or after[1].lower() == "from" or before in ("as", ":")
            if not is_other:
                found.append((place, token))
    return found


def _quoted(text: str) -> str:
    """Return a predicate with the names of columns in double quotes, so that they are taken as they are written."""
    pieces = []
    named = {place for place, _ in _names(text)}
    for kind, token, place in _tokens(text):
        if kind == "name":
            pieces.append(token[0] + token[1:-1].translate(_SPARED) + token[-1])
        else:
            pieces.append(f'"{token}"' if place in named else token)
    return "".join(pieces)


def _offset(text: str, line: int, sign: int) -> int:
    """Return the place of a line (from 1) and sign (from 1)."""
    lines = text.split("\n")
    return sum(len(one) + 1 for one in lines[: line - 1]) + sign - 1


def _origin(text: str, at: int) -> int:
    """Return where a place in the quoted predicate stands in the written one."""
    added = 0
    for place, _ in _names(text):
        if text[place] not in '"`':
            if place + added >= at:
                break
            added += 2
    return max(0, min(at - added, len(text)))
