"""What the words in a column's name hint at."""

from __future__ import annotations

import re

__all__ = ["CODE", "FILE", "ID", "LABEL", "NUMBER", "SPLIT_COLUMN", "name_parts"]

_NUMBER = """
    age amount amt average avg balance count counts days duration freq height hours income length level mean
    miles min minutes months n num pct percent points price quantity qty rank rate rating ratio score seconds
    size sum time times total value weight width year years
"""
_CODE = "category class code codes fax gender kind phone postcode sex tel telephone type weekday zip zipcode"
_ID = "guid hash id ids idx index key rowid rownum uid unnamed uuid"
_FILE = "file filename filepath path"
_SPLIT_COLUMN = "fold partition set split subset usage"
_LABEL = "annotation annotator class gold label labels target truth"

NUMBER = frozenset(_NUMBER.split())
"""It counts or measures."""
CODE = frozenset(_CODE.split())
"""Its whole numbers are names."""
ID = frozenset(_ID.split())
"""It tells rows or things apart."""
FILE = frozenset(_FILE.split())
"""It says where something lies."""
SPLIT_COLUMN = frozenset(_SPLIT_COLUMN.split())
"""It says in which split a row stands."""
LABEL = frozenset(_LABEL.split())
"""It says what a row is."""


def name_parts(name: str) -> frozenset[str]:
    """Return the words in a column's name, in small letters: PassengerId -> passenger, id."""
    return frozenset(part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name))
