"""The registry is the folder: file name = operator name = class name.

Listing reads source text and imports nothing; an operator is imported when it is first made. Third parties add operators by an
entry point of group `tilth.operators` named `room.operator_name` that points at a class.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache, lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = [
    "ROOM_VERBS",
    "Listing",
    "class_name",
    "listings",
    "make",
    "names",
    "operator_class",
    "parameters_of",
    "rooms",
    "spec_of",
]

GROUP = "tilth.operators"
PACKAGE = Path(__file__).resolve().parents[1]
ROOM_VERBS: Mapping[str, tuple[str, ...]] = {
    "sources": ("read",),
    "encoding": ("encode",),
    "learning": ("fit",),
    "labeling": ("predict", "vote"),
    "detection": ("find",),
    "slicing": ("discover",),
    "valuation": ("value",),
    "editing": ("propose", "apply"),
    "selection": ("select",),
    "evaluation": ("measure", "linearise"),
    "monitoring": ("estimate", "outlying"),
}
"""Room -> the verbs of its operators; each operator has one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What the list of operators says of one."""

    room: str
    name: str
    verb: str
    summary: str
    source: str
    parameters: dict[str, str]
    module: str
    revision: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, as `tilth operators --json` prints them."""
        values = asdict(self)
        del values["module"]
        return values


def class_name(name: str) -> str:
    """Return the class name of an operator: `low_self_confidence` -> `LowSelfConfidence`."""
    return "".join(part.capitalize() for part in name.split("_"))


def rooms() -> tuple[str, ...]:
    """Return the rooms that hold operators, in the order in which data passes."""
    return tuple(room for room in ROOM_VERBS if (PACKAGE / room).is_dir())


def names(room: str, verb: str | None = None) -> tuple[str, ...]:
    """Return the names of a room's operators (of one verb) in alphabetical order, third parties' included."""
    return tuple(listing.name for listing in listings(room) if verb in (None, listing.verb))


def listings(room: str | None = None) -> tuple[Listing, ...]:
    """Return what there is, room by room, without importing any of it."""
    wanted = rooms() if room is None else (room,)
    return tuple(listing for name in wanted for listing in _room_listings(name))


def make(room: str, name: str, **parameters: Any) -> Any:
    """Return an operator by room and name; raises UnknownOperatorError with a suggestion."""
    kind = operator_class(room, name)
    return kind(**parameters_of(kind, parameters))


def parameters_of(kind: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters that were read from YAML or JSON as an operator's fields hold them: lists become tuples or sets."""
    sets = {f.name for f in fields(kind) if isinstance(f.default, frozenset)}
    return {
        name: (frozenset(value) if name in sets else tuple(value)) if isinstance(value, list) else value
        for name, value in parameters.items()
    }


def operator_class(room: str, name: str) -> Any:
    """Return the class of an operator, importing its module."""
    from tilth.core.errors import UnknownOperatorError, did_you_mean

    for listing in listings(room):
        if listing.name == name:
            return getattr(import_module(listing.module), class_name(name))
    known = names(room) if room in ROOM_VERBS else ()
    raise UnknownOperatorError(
        f"no operator {name!r} in {room!r}.{did_you_mean(name, known)}", next_step="tilth operators lists what there is"
    )


def spec_of(operator: Any) -> Any:
    """Return the Spec of an operator: room and name from where its class lives, parameters from its fields."""
    from tilth.core.spec import Spec

    kind = type(operator)
    room, name = _address(kind)
    parameters = {f.name: _plain(getattr(operator, f.name)) for f in fields(operator)}
    return Spec(room=room, name=name, parameters=parameters, revision=getattr(kind, "revision", 1))


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else value


def _address(kind: Any) -> tuple[str, str]:
    module = kind.__module__
    parts = module.split(".")
    if len(parts) >= 3 and parts[0] == "tilth" and parts[1] in ROOM_VERBS:
        return parts[1], parts[-1]
    for point in _third_party():
        room, _, name = point.name.partition(".")
        if point.module == module and class_name(name) == kind.__name__:
            return room, name
    return parts[0], parts[-1]


@cache
def _room_listings(room: str) -> tuple[Listing, ...]:
    own = list(_own_listings(room))
    taken = {listing.name for listing in own}
    others = [item for item in _foreign_listings(room) if item.name not in taken]
    return tuple(sorted(own + others, key=lambda item: item.name))


def _own_listings(room: str) -> Iterator[Listing]:
    folder = PACKAGE / room
    for path in sorted(folder.glob("*.py")):
        if not path.name.startswith("_"):
            listing = _read_listing(path, room, path.stem, f"tilth.{room}.{path.stem}")
            if listing is not None:
                yield listing


def _foreign_listings(room: str) -> Iterator[Listing]:
    for point in _third_party():
        where, _, name = point.name.partition(".")
        path = _path_of(point.module) if where == room else None
        if path is not None:
            listing = _read_listing(path, room, name, point.module)
            if listing is not None:
                yield listing


@lru_cache(maxsize=1)
def _third_party() -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=GROUP))


def _path_of(module: str) -> Path | None:
    """Return where a module's source lies, importing its parent packages at most."""
    try:
        found = find_spec(module)
    except ModuleNotFoundError:
        return None
    return Path(found.origin) if found and found.origin else None


def _read_listing(path: Path, room: str, name: str, module: str) -> Listing | None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == class_name(name):
            return Listing(
                room=room,
                name=name,
                verb=_verb(node, room),
                summary=(ast.get_docstring(node) or "").split("\n")[0],
                source=_source_line(ast.get_docstring(tree) or ""),
                parameters=dict(_parameters(node)),
                module=module,
                revision=_revision(node),
            )
    return None


def _revision(node: ast.ClassDef) -> int:
    """Return the revision that a class states; 1 where it states none."""
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and item.value is not None and ast.unparse(item.target) == "revision":
            return int(ast.literal_eval(item.value))
    return 1


def _verb(node: ast.ClassDef, room: str) -> str:
    """Return the verb whose method a class defines; the room's first where it inherits it."""
    methods = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
    return next((verb for verb in ROOM_VERBS[room] if verb in methods), ROOM_VERBS[room][0])


def _source_line(docstring: str) -> str:
    after = docstring.partition("Source:")[2]
    return " ".join(after.split("\n\n")[0].split())


def _parameters(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            annotation = ast.unparse(item.annotation)
            if not annotation.startswith("ClassVar"):
                default = f" = {ast.unparse(item.value)}" if item.value is not None else ""
                yield item.target.id, f"{annotation}{default}"
