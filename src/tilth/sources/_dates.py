"""Dates as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

__all__ = ["day_comes_first", "parse_date"]

_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
         "sep sept september", "oct october", "nov november", "dec december"), 1
    )
    for name in names.split()
}  # fmt: skip
_CLOCK = r"(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([AaPp]\.?[Mm]\.?)?)?$"
_ISO = re.compile(r"^\d{4}-\d{2}-\d{2}(?:[T ]|$)")
_YEAR_FIRST = re.compile(r"^(\d{4})[./-](\d{1,2})[./-](\d{1,2})" + _CLOCK)
_YEAR_LAST = re.compile(r"^(\d{1,2})([./-])(\d{1,2})[./-](\d{4}|\d{2})" + _CLOCK)
_NAMED_MIDDLE = re.compile(r"^(?:[A-Za-z]{3,9},? )?(\d{1,2})[ .-]+([A-Za-z]{3,9})\.?,?[ -]+(\d{4})" + _CLOCK)
_NAMED_FIRST = re.compile(r"^(?:[A-Za-z]{3,9},? )?([A-Za-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})" + _CLOCK)
_DIGITS = re.compile(r"^(19|20|21)\d{6}$")


def parse_date(text: str, day_first: bool = False) -> datetime | None:
    """Return the moment that a text names, without a zone (UTC if it named one); None if it names none.

    Known are ISO 8601, year/month/day, 31.12.2020, 12/31/2020 (31/12/2020 with `day_first`), 31 Dec 2020,
    December 31, 2020 and 20201231, each but the last with a clock time if there is one.
    """
    text = text.strip()
    try:
        if _ISO.match(text):
            moment = datetime.fromisoformat(text)
            return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
        return _parse_parts(text, day_first)
    except (ValueError, OverflowError):  # a 13th month, a 25th hour
        return None


def day_comes_first(text: str) -> bool | None:
    """Return whether 31/12/2020 is written day first; None where it could be either, or is another form."""
    match = _YEAR_LAST.match(text.strip())
    if match is None or match[2] == ".":
        return None
    first, second = int(match[1]), int(match[3])
    return None if (first > 12) == (second > 12) else first > 12


def _parse_parts(text: str, day_first: bool) -> datetime | None:
    if match := _YEAR_FIRST.match(text):
        return _moment(int(match[1]), int(match[2]), int(match[3]), match, 4)
    if match := _YEAR_LAST.match(text):
        if match[2] == "." and len(match[4]) == 2:
            return None  # more likely a version number
        first, second = int(match[1]), int(match[3])
        day, month = (first, second) if day_first or match[2] == "." else (second, first)
        return _moment(_year(match[4]), month, day, match, 5)
    if match := _NAMED_MIDDLE.match(text):
        return _moment(int(match[3]), _MONTHS.get(match[2].lower(), 0), int(match[1]), match, 4)
    if match := _NAMED_FIRST.match(text):
        return _moment(int(match[3]), _MONTHS.get(match[1].lower(), 0), int(match[2]), match, 4)
    if _DIGITS.match(text):
        return datetime(int(text[:4]), int(text[4:6]), int(text[6:]))  # noqa: DTZ001 - dates here carry no zone
    return None


def _moment(year: int, month: int, day: int, match: re.Match[str], clock: int) -> datetime:
    hour, minute, second = (int(match[clock + k] or 0) for k in range(3))
    half = (match[clock + 3] or "").replace(".", "").lower()
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - dates here carry no zone


def _year(digits: str) -> int:
    """Two digits mean 1969 to 2068, as in POSIX."""
    year = int(digits)
    return year if len(digits) == 4 else year + (1900 if year >= 69 else 2000)
