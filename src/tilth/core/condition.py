"""Conditions on two models, as text: what must hold of the new one's scores, of the old one's, and of how far they differ.

    condition  = clause {"and" clause} ["at" reliability]
    clause     = sum (">" | "<" | ">=" | "<=") number ["+/-" tolerance]
    sum        = ["-"] term {("+" | "-") term}
    term       = [number "*"] variable
    variable   = model [slice]  |  metric "(" model [slice] ["," class] ")"
    model      = "n" (new)  |  "o" (old)  |  "d" (share of rows on which the two decide differently)
    slice      = "[" name of a slice, or an SQL predicate "]"

Source: Renggli, Karlaš, Ding, Liu, Schawinski, Wu, Zhang (2019), Continuous integration of machine learning models with
ease.ml/ci, MLSys (n, o, d and +/-).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tilth.core.errors import ConfigError

__all__ = ["Clause", "Condition", "Term", "parse_condition"]

_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<pm>\+/-|±)|(?P<compare>>=|<=|≥|≤|>|<)|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?%?)"""
    r"""|(?P<word>[^\W\d]\w*)|(?P<slice>\[)|(?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")|(?P<sign>[-+*(),@])|(?P<other>.)""",
    re.DOTALL,
)
_SAME = {"≥": ">=", "≤": "<="}
_EXAMPLE = "write a condition such as: n - o > 0.02 +/- 0.01 at 0.99"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One variable with its factor.

    Parameters
    ----------
    factor : what it is multiplied by
    model : n (new), o (old), or d (share of rows on which they decide differently)
    metric : name of the metric; empty for that of the project
    of : name of the class, for metrics of one class; empty without
    where : name of a slice or an SQL predicate; empty for all rows
    """

    factor: float
    model: str
    metric: str = ""
    of: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A sum of variables that must lie above, or below, a threshold.

    Parameters
    ----------
    text : as it was written
    terms : the variables
    above : whether the sum must be greater than the threshold; else smaller
    threshold : the limit
    tolerance : how far from the threshold a truth may be that the test rows need not tell from it; None where none is given
    """

    text: str
    terms: tuple[Term, ...]
    above: bool
    threshold: float
    tolerance: float | None = None

    @property
    def models(self) -> frozenset[str]:
        """Which of n, o, d it reads."""
        return frozenset(term.model for term in self.terms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Clauses that must all hold, and how surely this must be known; None where the condition does not say."""

    text: str
    clauses: tuple[Clause, ...]
    reliability: float | None = None

    @property
    def needs_old(self) -> bool:
        """Whether it compares with an old model."""
        return any(clause.models & {"o", "d"} for clause in self.clauses)

    @property
    def most_changed(self) -> float | None:
        """The greatest share of changed rows that a clause of it allows; None where none does."""
        found = [c.threshold for c in self.clauses if c.terms == (Term(factor=1.0, model="d"),) and not c.above]
        return min(found, default=None)


def parse_condition(text: str) -> Condition:
    """Read a condition; raises ConfigError that shows the place.

    Examples
    --------
    >>> found = parse_condition("n - o > 0.02 +/- 0.01 and d < 0.1 at 0.999")
    >>> [clause.threshold for clause in found.clauses], found.reliability
    ([0.02, 0.1], 0.999)
    """
    return _Reader(text).condition()


class _Reader:
    """Reads a condition from left to right."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def condition(self) -> Condition:
        """Read all of the text."""
        clauses = [self.clause()]
        while self._take("word", "and"):
            clauses.append(self.clause())
        reliability = None
        if self._take("word", "at") or self._take("sign", "@"):
            start = self._next()[2]
            reliability = self._number("a reliability, such as 0.99")
            if not 0.5 <= reliability < 1:
                raise self._refusal(f"a reliability lies between 0.5 and 1, not at {reliability:g}", start)
        kind, found, place = self._next()
        if kind:
            raise self._refusal(f"{found!r} stands where the condition should end, or go on with 'and' or 'at'", place)
        return Condition(text=self.text.strip(), clauses=tuple(clauses), reliability=reliability)

    def clause(self) -> Clause:
        """Read one clause."""
        start = self._next()[2]
        factor = -1.0 if self._take("sign", "-") else 1.0
        terms = [self._term(factor)]
        while sign := self._take("sign", "+") or self._take("sign", "-"):
            terms.append(self._term(1.0 if sign == "+" else -1.0))
        kind, found, place = self._next()
        if kind != "compare":
            raise self._refusal("a comparison is missing: >, <, >= or <=", place)
        self._skip()
        threshold = self._number("a number to compare with", signed=True)
        tolerance = None
        if self._take("pm"):
            tolerance = self._number("a tolerance, such as 0.01")
            if not tolerance > 0:
                raise self._refusal("a tolerance is greater than 0", self.at)
        return Clause(
            text=self.text[start : self.at].strip(),
            terms=tuple(terms),
            above=_SAME.get(found, found) in (">", ">="),
            threshold=threshold,
            tolerance=tolerance,
        )

    def _term(self, factor: float) -> Term:
        if self._next()[0] == "number":
            factor *= self._number("a factor")
            if not self._take("sign", "*"):
                raise self._refusal("'*' and a variable are missing behind the number", self._next()[2])
        kind, word, place = self._next()
        if kind != "word" or word in ("and", "at"):
            raise self._refusal("a variable is missing: n, o, d, or a metric such as f1(n)", place)
        self._skip()
        if not self._take("sign", "("):
            if word not in ("n", "o", "d"):
                raise self._refusal(f"{word!r} is no variable; a metric is followed by its model: {word}(n)", place)
            return Term(factor=factor, model=word, where=self._slice())
        model = self._model(word)
        where = self._slice()
        of = self._class_name() if self._take("sign", ",") else ""
        if not self._take("sign", ")"):
            raise self._refusal("')' is missing", self._next()[2])
        return Term(factor=factor, model=model, metric=word, of=of, where=where)

    def _model(self, metric: str) -> str:
        kind, model, place = self._next()
        if kind != "word" or model not in ("n", "o"):
            raise self._refusal(f"{metric}(…) names a model: n (new) or o (old)", place)
        self._skip()
        return model

    def _class_name(self) -> str:
        kind, name, place = self._next()
        if kind == "text":
            self._skip()
            return name[1:-1].replace(name[0] * 2, name[0])
        end = self.text.find(")", self.at)
        bare = self.text[self.at : end].strip() if end >= 0 else ""
        if not bare:
            raise self._refusal("the name of a class is missing", place)
        self.at = end
        return bare

    def _slice(self) -> str:
        """Return what stands between brackets; inside quotes a bracket is a sign like any other."""
        kind, _, place = self._next()
        if kind != "slice":
            return ""
        quote, end = "", place + 1
        while end < len(self.text) and (quote or self.text[end] != "]"):
            sign = self.text[end]
            quote = "" if sign == quote else sign if not quote and sign in "'\"" else quote
            end += 1
        if end == len(self.text):
            raise self._refusal("']' is missing behind the slice", len(self.text))
        inside = self.text[place + 1 : end].strip()
        if not inside:
            raise self._refusal("the slice is empty: name one, or write an SQL predicate", end)
        self.at = end + 1
        return inside

    def _number(self, what: str, *, signed: bool = False) -> float:
        sign = -1.0 if signed and self._take("sign", "-") else 1.0
        kind, text, place = self._next()
        if kind != "number":
            raise self._refusal(f"{what} is missing", place)
        self._skip()
        return sign * (float(text[:-1]) / 100 if text.endswith("%") else float(text))

    def _next(self) -> tuple[str, str, int]:
        """Return kind, text and place of the next token; an empty kind at the end."""
        at = self.at
        while found := _TOKEN.match(self.text, at):
            if found.lastgroup != "space":
                return str(found.lastgroup), found.group(), found.start()
            at = found.end()
        return "", "", len(self.text)

    def _skip(self) -> None:
        _, text, place = self._next()
        self.at = place + len(text)

    def _take(self, kind: str, text: str = "") -> str:
        """Return the next token's text and go on where it is of the kind (and the text); else an empty text."""
        found, word, _ = self._next()
        if found != kind or (text and word != text):
            return ""
        self._skip()
        return word

    def _refusal(self, what: str, place: int) -> ConfigError:
        shown = f"{self.text[:place]}⟨here⟩{self.text[place:]}"
        return ConfigError(
            f"the condition cannot be read: {what}", where=f"sign {place + 1} of {shown!r}", next_step=_EXAMPLE
        )
