"""Label sets that change: migrations in short, and strategies that draw them."""

from __future__ import annotations

from hypothesis import strategies as st

from tilth.core.migration import Change, Migration
from tilth.core.taxonomy import Taxonomy

__all__ = ["FIRST", "merge", "migrations", "rename", "split", "taxonomies"]

FIRST = ("car", "truck", "bike")
MOST_STEPS = 5


def rename(old: str, new: str) -> Migration:
    """Return the migration that gives a class another name."""
    return Migration(change=Change.RENAME, classes=(old,), into=(new,))


def merge(*old: str, into: str) -> Migration:
    """Return the migration that makes several classes one."""
    return Migration(change=Change.MERGE, classes=old, into=(into,))


def split(old: str, *new: str, **rules: str) -> Migration:
    """Return the migration that makes several classes of one, with rules by new class."""
    return Migration(change=Change.SPLIT, classes=(old,), into=new, rules=rules)


def migrations(names: list[str], number: int) -> st.SearchStrategy[Migration]:
    """Draw any kind of migration of some classes, into names that hold a number."""
    one, fresh = st.sampled_from(names), f"n{number}"
    kinds = [
        st.builds(lambda a: rename(a, fresh), one),
        st.builds(lambda a: split(a, f"{fresh}a", f"{fresh}b"), one),
        st.builds(lambda a: Migration(change=Change.ADD, classes=(a,), into=(fresh,)), one),
        st.builds(lambda a: Migration(change=Change.REDEFINE, classes=(a,), guideline="2"), one),
    ]
    if len(names) > 2:
        kinds.append(st.just(merge(names[0], names[1], into=fresh)))
        kinds.append(st.builds(lambda a: Migration(change=Change.RETIRE, classes=(a,)), one))
    return st.one_of(kinds)


@st.composite
def taxonomies(draw: st.DrawFn) -> Taxonomy:
    """Draw a label set of three classes with up to five migrations."""
    taxonomy = Taxonomy(FIRST)
    for number in range(draw(st.integers(0, MOST_STEPS))):
        taxonomy = taxonomy.migrated(draw(migrations(list(taxonomy.names), number)))
    return taxonomy
