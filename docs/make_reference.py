"""Write docs/reference from the code: operators, errors, commands. With --check, only say whether it is current.

Everything but the remedies of errors comes from the operators, the error classes and the commands themselves.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tilth.core import errors
from tilth.core.errors import TilthError
from tilth.operators.registry import Listing, listings, operator_class, rooms

FOLDER = Path(__file__).resolve().parent / "reference"
MADE = "<!-- Made by docs/make_reference.py; change the code, then: make docs -->"

REMEDIES = {
    "TilthError": "Every refusal below is one of these; catch it to catch them all.",
    "UsageError": "Compare what you typed with `tilth --help`, or with the comments in tilth.yaml.",
    "ConfigError": "Correct the line of tilth.yaml that the message names; `tilth init` in an empty folder writes a fresh one.",
    "ProjectNotFoundError": "Go to the folder of tilth.yaml, or name it with `--dir`; `tilth init SOURCE --label COLUMN` makes one.",
    "UnknownOperatorError": "`tilth operators` lists what there is; operators of third parties must be installed.",
    "UnknownVersionError": "`tilth log` lists versions, tags and edits; the beginning of a name is enough where it is the only one.",
    "UnknownRowError": "Row ids stand in questions, exports and reports; `tilth show` names the version that is looked at.",
    "InputError": "Correct the data at its source, or say in tilth.yaml how it is meant.",
    "SourceError": "Check the path and how the file was written: its encoding, its delimiter, that it is whole.",
    "UnknownColumnError": "Name one of the columns that the message lists; names are compared sign by sign.",
    "LabelError": "Give the label column at least two classes, or finite numbers; rows without a label may stay empty.",
    "DuplicateIdError": "Choose a column without repeats with `--id`, or leave it out: ids are then made from the rows themselves.",
    "SchemaChangedError": "Bring the source's columns back to what tilth.yaml says, or correct tilth.yaml and run `tilth run --refit`.",
    "AnswerError": "Answer with the file that `tilth ask` wrote: keep `row_id`, and write one of the classes (or a number) under `answer`.",
    "InSampleError": "Give predictions of models that did not see the rows, such as those of a cross-validation, or leave the columns out.",
    "SplitError": "Correct `splits` in tilth.yaml: shares that leave rows to every split, columns that exist.",
    "TaxonomyError": "Name classes as `tilth taxonomy` lists them, and new names that no class has; two classes must be left.",
    "EditError": "Edits change train and pool rows of the version that they were made for.",
    "ProtectedRowError": "Only a person corrects dev and test rows: `tilth ask --split dev`, then `tilth answer`.",
    "EditConflictError": "Run `tilth run`: it replays the recipe and leaves out rows that are gone or changed.",
    "OperatorError": "The run goes on without the operator; tell its author, with the report's traceback.",
    "UndeclaredNeedError": "For authors: name what is read in the class's `needs`.",
    "ContractError": "For authors: run `tilth.testing.contracts.contracts_for(YourOperator)`; the message names what to change.",
    "NotApplicable": "Nothing: the operator is not meant for this data, and says why.",
    "MachineError": "The data and the command are fine; mend the machine and type the same again.",
    "StoreLockedError": "Wait until the other run is done, or end it; a lease whose holder died is taken over within a minute.",
    "StoreTooNewError": "Upgrade: `pip install --upgrade tilth`.",
    "StoreTooOldError": "Export what you need with the tilth that wrote it; then start anew with `tilth init` in another folder.",
    "StoreCorruptError": "Run `tilth doctor`: it names what is missing or damaged; bring `.tilth` back from a backup if rows are lost.",
    "StoreNotWritableError": "Free space on the disk, or give yourself the right to write to the folder; what was committed is whole.",
    "MissingExtraError": "Install the extra that the message names, such as `pip install 'tilth[onnx]'`.",
}
"""What to do about each error."""


def operators_page() -> str:
    """Return the page of all operators, room by room."""
    lines = ["# Operators", "", MADE, "", "`tilth operators` lists the same, third parties' operators included.", ""]
    for room in rooms():
        lines += [f"## {room}", "", _room_line(room), ""]
        for listing in listings(room):
            if listing.module.startswith("tilth."):
                lines += _operator(listing)
    return _page(lines)


def errors_page() -> str:
    """Return the page of all error codes, as the tree orders them."""
    lines = ["# Errors", "", MADE, ""]
    lines += [
        "Every refusal carries a code that does not change, says what happened and where, and what to do next.",
        "",
    ]
    lines += ["```text", *(errors.__doc__ or "").split("\n\n")[1].splitlines(), "```", ""]
    for kind in _error_classes():
        bases = [base.__name__ for base in kind.__bases__ if not issubclass(base, TilthError)]
        caught = (
            f" Python code may catch it as `{'` or `'.join(bases)}` too." if bases and kind is not TilthError else ""
        )
        lines += [
            f"## {kind.code} {kind.__name__}",
            "",
            f"{_first_line(kind)}{caught} Exit status {kind.exit_status}.",
            "",
        ]
        lines += [f"**What to do.** {REMEDIES[kind.__name__]}", ""]
    return _page(lines)


def cli_page() -> str:
    """Return the page of all commands, in the order in which `tilth --help` shows them."""
    from typer.main import get_command

    from tilth.cli.app import app

    group: Any = get_command(app)
    lines = ["# Commands", "", MADE, "", _sentence(group.help), ""]
    lines += [
        "Results go to stdout, progress to stderr. Exit status: 0 done, 1 a check failed, 2 wrong usage or input,",
        "3 the machine.",
        "",
    ]
    lines += _parameters_of(group)
    for name, command in group.commands.items():
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        usage = " ".join(["tilth", name, *(_argument(p) for p in arguments)])
        lines += [f"## {usage}", "", _sentence(command.help), ""]
        lines += _parameters_of(command)
    return _page(lines)


PAGES = {"operators.md": operators_page, "errors.md": errors_page, "cli.md": cli_page}


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check say which are out of date; returns the exit status."""
    unknown = sorted(set(REMEDIES) ^ {kind.__name__ for kind in _error_classes()})
    if unknown:
        sys.stderr.write(f"REMEDIES and errors.py disagree about {', '.join(unknown)}\n")
        return 1
    stale = []
    for name, make in PAGES.items():
        path, text = FOLDER / name, make()
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(f"docs/reference/{name}")
        if "--check" not in arguments:
            FOLDER.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if stale and "--check" in arguments:
        sys.stderr.write(f"out of date: {', '.join(stale)}; run: make docs\n")
        return 1
    return 0


def _operator(listing: Listing) -> Iterator[str]:
    yield from [f"### {listing.name}", "", listing.summary, ""]
    if text := _module_text(listing):
        yield from [*text.splitlines(), ""]
    if facts := _facts(operator_class(listing.room, listing.name)):
        yield from [facts, ""]
    if listing.parameters:
        yield from ["| parameter | type | default |", "|---|---|---|"]
        for name, declared in listing.parameters.items():
            kind, _, default = declared.partition(" = ")
            yield f"| `{name}` | {_cell(kind)} | {_cell(default) if default else 'required'} |"
        yield ""
    yield from [f"Source: {listing.source}", ""]


def _facts(kind: Any) -> str:
    """What the class declares: what it reads, of which rows, for which tasks."""
    facts = []
    if needs := sorted(getattr(kind, "needs", ())):
        facts.append(f"Reads {', '.join(f'`{need}`' for need in needs)}")
    if (scope := getattr(kind, "scope", None)) is not None:
        facts.append(
            "Sees labelled train rows" if scope == "train" else "Sees rows of every split, labels of train rows only"
        )
    if tasks := sorted(getattr(kind, "tasks", ())):
        facts.append(f"For {', '.join(tasks)}")
    if accepts := sorted(getattr(kind, "accepts", ())):
        facts.append(f"Takes {', '.join(accepts)}")
    return "".join(f"{fact}. " for fact in facts).strip()


def _module_text(listing: Listing) -> str:
    """The module's docstring after its first line and before its source: formula and reasons."""
    origin = getattr(find_spec(listing.module), "origin", None)
    text = ast.get_docstring(ast.parse(Path(str(origin)).read_text(encoding="utf-8"))) or ""
    return text.partition("Source:")[0].partition("\n")[2].strip("\n").rstrip()


def _room_line(room: str) -> str:
    return (import_module(f"tilth.{room}").__doc__ or "").strip().split("\n")[0]


def _error_classes() -> Iterator[type[TilthError]]:
    waiting: list[type[TilthError]] = [TilthError]
    while waiting:
        kind = waiting.pop()
        yield kind
        waiting += [child for child in reversed(kind.__subclasses__()) if child.__module__ == errors.__name__]


def _parameters_of(command: Any) -> list[str]:
    rows = []
    for parameter in command.params:
        if parameter.name == "help" or getattr(parameter, "hidden", False):
            continue
        is_argument = parameter.param_type_name == "argument"
        name = _argument(parameter) if is_argument else ", ".join(f"`{o}`" for o in parameter.opts)
        rows.append(f"| {name} | {_cell_text(getattr(parameter, 'help', None) or '')} | {_default(parameter)} |")
    return ["| | | default |", "|---|---|---|", *rows, ""] if rows else []


def _argument(parameter: Any) -> str:
    name = str(parameter.name).upper()
    name = f"{name}…" if parameter.nargs == -1 else name
    return name if parameter.required else f"[{name}]"


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    default = parameter.default
    if default is None or default is False or default == () or default == []:
        return ""
    return f"`{default}`"


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").strip().split("\n")[0].partition(";")[0].rstrip(".") + "."


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split())


def _cell(text: str) -> str:
    return f"`{_cell_text(text)}`"


def _cell_text(text: str) -> str:
    return _sentence(text).replace("|", "\\|")


def _page(lines: list[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
