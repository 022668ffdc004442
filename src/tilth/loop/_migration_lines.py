"""The block `migrations:` of tilth.yaml: how the label set changed, one line each, read, written, appended and taken away."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tilth.core.errors import ConfigError, TaxonomyError
from tilth.core.migration import Change, Migration
from tilth.core.taxonomy import Taxonomy
from tilth.loop._yaml_nodes import flow, read

if TYPE_CHECKING:
    from tilth.core.schema import Task
    from tilth.loop._yaml_nodes import Node

__all__ = ["migration_lines", "migrations_of", "with_migration", "without_last_migration"]

KEY = "migrations"
COMMENT = "# how the label set changed: tilth taxonomy adds lines; those above stay as they are"
CHANGES = tuple(str(change) for change in Change)
_FIELDS: Mapping[Change, tuple[str, ...]] = {
    Change.RENAME: ("to",),
    Change.MERGE: ("into",),
    Change.SPLIT: ("into", "rules"),
    Change.ADD: ("among",),
    Change.RETIRE: ("to",),
    Change.REDEFINE: ("guideline", "affects", "where"),
}
"""What a line may say beside the change and its class."""
_NEEDED: Mapping[Change, tuple[str, ...]] = {
    Change.RENAME: ("to",),
    Change.MERGE: ("into",),
    Change.SPLIT: ("into",),
    Change.REDEFINE: ("guideline",),
}


def migrations_of(node: Node, task: Task) -> tuple[Migration, ...]:
    """Return the migrations of a project file; raises ConfigError with the line of the first that does not fit."""
    if node.is_null:
        return ()
    if task.is_regression:
        raise node.fail("a number has no classes to migrate", "remove the block migrations:")
    taxonomy = Taxonomy(task.classes)
    for item in node.items("a list such as - {rename: OLD, to: NEW}"):
        try:
            taxonomy = taxonomy.migrated(_migration(item))
        except TaxonomyError as error:
            raise item.fail(error.what, error.next_step) from None
    return taxonomy.migrations


def _migration(node: Node) -> Migration:
    found = node.mapping("a mapping such as {rename: OLD, to: NEW}")
    named = [name for name in found if name in CHANGES]
    if len(named) != 1:
        raise node.fail("a migration says one change", f"write one of {', '.join(CHANGES)}, and its class")
    change = Change(named[0])
    fields = node.fields((change, *_FIELDS[change]), (change, *_NEEDED.get(change, ())))
    return _READERS[change](fields)


def _texts(fields: Mapping[str, Node], key: str) -> tuple[str, ...]:
    """Return the class names under a key: one, or a list; none where the key is not there."""
    node = fields.get(key)
    if node is None or node.is_null:
        return ()
    if node.is_list:
        return tuple(item.text("a class name") for item in node.items())
    return (node.text("a class name, or a list of them"),)


def _text(fields: Mapping[str, Node], key: str) -> str:
    return fields[key].text() if key in fields and not fields[key].is_null else ""


def _rules(fields: Mapping[str, Node]) -> dict[str, str]:
    if "rules" not in fields:
        return {}
    return {name: item.text("an SQL predicate, or otherwise") for name, item in fields["rules"].mapping().items()}


_READERS: Mapping[Change, Callable[[Mapping[str, Node]], Migration]] = {
    Change.RENAME: lambda f: Migration(change=Change.RENAME, classes=_texts(f, "rename"), into=_texts(f, "to")),
    Change.MERGE: lambda f: Migration(change=Change.MERGE, classes=_texts(f, "merge"), into=_texts(f, "into")),
    Change.SPLIT: lambda f: Migration(
        change=Change.SPLIT, classes=_texts(f, "split"), into=_texts(f, "into"), rules=_rules(f)
    ),
    Change.ADD: lambda f: Migration(change=Change.ADD, classes=_texts(f, "among"), into=_texts(f, "add")),
    Change.RETIRE: lambda f: Migration(change=Change.RETIRE, classes=_texts(f, "retire"), into=_texts(f, "to")),
    Change.REDEFINE: lambda f: Migration(
        change=Change.REDEFINE,
        classes=(*_texts(f, "redefine"), *_texts(f, "affects")),
        where=_text(f, "where"),
        guideline=_text(f, "guideline"),
    ),
}


def migration_lines(migrations: Sequence[Migration]) -> Iterator[str]:
    """Return the block as it is written."""
    yield f"{KEY}:  {COMMENT}"
    for migration in migrations:
        yield _line(migration)


def _line(migration: Migration) -> str:
    return f"  - {flow({name: value for name, value in _said(migration).items() if value or name == 'retire'})}"


def _said(migration: Migration) -> dict[str, Any]:
    """Return what a line says, empty parts too."""
    about, into = list(migration.classes), list(migration.into)
    match migration.change:
        case Change.RENAME:
            return {"rename": about[0], "to": into[0]}
        case Change.MERGE:
            return {"merge": about, "into": into[0]}
        case Change.SPLIT:
            return {"split": about[0], "into": into, "rules": dict(migration.rules)}
        case Change.ADD:
            return {"add": into[0], "among": about}
        case Change.RETIRE:
            return {"retire": about[0], "to": into}
        case Change.REDEFINE:
            return {
                "redefine": about[0],
                "guideline": migration.guideline,
                "affects": about[1:],
                "where": migration.where,
            }


def with_migration(text: str, migration: Migration) -> str:
    """Return the text of a project file with one more migration; everything else stays as it is, comments too."""
    lines, end = text.splitlines(), _end_of_block(text)
    if end is None:
        block = [*([""] if lines and lines[-1].strip() else []), f"{KEY}:  {COMMENT}", _line(migration)]
        return "\n".join([*lines, *block]) + "\n"
    return "\n".join([*lines[:end], _line(migration), *lines[end:]]) + "\n"


def without_last_migration(text: str) -> str:
    """Return the text of a project file without its last migration; raises ConfigError where none is there."""
    node = read(text, "tilth.yaml").mapping().get(KEY)
    items = [] if node is None or node.is_null else node.items()
    if not items:
        raise ConfigError("there is no migration to take back", where="tilth.yaml, migrations")
    lines = text.splitlines()
    first, last = items[-1].raw.start_mark.line, items[-1].raw.end_mark
    after = last.line + (last.column > 0)
    if len(items) == 1:  # an empty block says nothing
        first = next(at for at, line in enumerate(lines) if line.startswith(f"{KEY}:"))
    return "\n".join([*lines[:first], *lines[max(after, first + 1) :]]).rstrip("\n") + "\n"


def _end_of_block(text: str) -> int | None:
    """Return the number of the line before which the next migration is written; None where there is no block yet."""
    node = read(text, "tilth.yaml").mapping().get(KEY)
    if node is None:
        return None
    items = [] if node.is_null else node.items()
    if not items:
        return next(at for at, line in enumerate(text.splitlines()) if line.startswith(f"{KEY}:")) + 1
    if getattr(node.raw, "flow_style", False):
        raise node.fail("the block migrations stands on one line", "write one line each, beginning with a dash")
    last = items[-1].raw.end_mark
    return int(last.line + (last.column > 0))
