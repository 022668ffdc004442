"""The options of `tilth label`, and which of them go together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tilth.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tilth.sources._votes import VoteReading

__all__ = [
    "Abstain",
    "Classes",
    "Columns",
    "Explain",
    "Ignore",
    "KeepFile",
    "LabelOptions",
    "Labels",
    "ManifestFile",
    "Model",
    "Multilabel",
    "Next",
    "People",
    "Separator",
    "Trusted",
    "Truth",
    "UpdateFile",
    "VotesFile",
    "Wrong",
]

_SUFFIXES = (".csv", ".parquet", ".json", ".jsonl")
ABSTAIN, AUTO, SEPARATOR = "-1", "auto", "|"

VotesFile = Annotated[
    str | None,
    typer.Argument(help="A matrix (.npy, .csv, .parquet), WRENCH JSON, or row, worker, answer; none in a project."),
]
Truth = Annotated[
    str | None, typer.Option("--truth", help="A column, FILE or FILE:COLUMN to measure by; no model sees it.")
]
Trusted = Annotated[
    str | None, typer.Option("--trusted", help="FILE or FILE:COLUMN of labels that the model may learn from.")
]
Model = Annotated[str, typer.Option("--model", help="A label model; auto lets the votes choose.")]
Abstain = Annotated[
    str, typer.Option("--abstain", help="The word for no vote, beside empty cells; none if there is none.")
]
Classes = Annotated[
    str | None, typer.Option("--classes", help="Class names in their order, comma-separated; numbers count from 0.")
]
Columns = Annotated[
    str | None, typer.Option("--columns", help="Row, labeler and answer of a long table, comma-separated.")
]
Ignore = Annotated[list[str] | None, typer.Option("--ignore", help="A column that is no labeler; may be given again.")]
Multilabel = Annotated[
    bool, typer.Option("--multilabel", help="A row may have several classes, or none: a|b in a vote, or LABELER|CLASS.")
]
Separator = Annotated[str, typer.Option("--separator", help="The sign between classes, with --multilabel.")]
Explain = Annotated[str | None, typer.Option("--explain", help="Say what each vote on this row did.")]
Wrong = Annotated[
    str | None, typer.Option("--wrong", help="In a project: the rows whose label is not what this labeler says.")
]
Next = Annotated[bool, typer.Option("--next", help="In a project: where the next labeler should look.")]
People = Annotated[bool, typer.Option("--people", help="The report card of those who answered.")]
ManifestFile = Annotated[Path | None, typer.Option("--manifest", help="Write what was read and dropped as JSON.")]
KeepFile = Annotated[
    Path | None, typer.Option("--keep", help="Write what the label model learnt, for the next batch of votes.")
]
UpdateFile = Annotated[
    Path | None, typer.Option("--update", help="Learn on from a file that --keep wrote, and write it again.")
]
Labels = Annotated[
    Path | None, typer.Option("-o", "--output", help="Write row, label, probabilities: .csv, .parquet or .json.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelOptions:
    """What was typed after `tilth label`."""

    votes: str | None
    truth: str | None
    trusted: str | None
    model: str
    abstain: str
    classes: str | None
    columns: str | None
    ignore: tuple[str, ...]
    multilabel: bool
    separator: str
    explain: str | None
    wrong: str | None
    look_next: bool
    people: bool
    keep: Path | None
    update: Path | None
    manifest: Path | None
    output: Path | None
    directory: Path
    as_json: bool

    @property
    def reading(self) -> VoteReading:
        """How the votes are to be read."""
        from tilth.sources._votes import VoteReading

        return VoteReading(
            abstain=self.abstain,
            classes=_listed(self.classes),
            columns=_listed(self.columns),
            ignore=self.ignore,
            separator=self.separator if self.multilabel else "",
        )

    def refuse_what_does_not_fit(self) -> None:
        """Raise UsageError for options that need what is not given, or that do not go together."""
        if self.output is not None:
            _refuse_output(self.output, self.votes, self.truth, self.trusted)
        if self.votes is None:
            _refuse_file_options(self._of_file)
        elif self.wrong is not None or self.look_next:
            raise UsageError(
                "--wrong and --next need the rows of a project", next_step="leave VOTES out, or the options"
            )
        if self.separator != SEPARATOR and not self.multilabel:
            raise UsageError("--separator is for votes that name several classes", next_step="add --multilabel")
        if self.keep is not None:
            _refuse_overwriting(self.keep, self.votes, self.truth, self.trusted)
        if self.multilabel:
            _refuse_together("--multilabel", {"--keep": self.keep, "--update": self.update})
        if self.people:
            _refuse_together("--people", self._not_with_people)

    @property
    def _of_file(self) -> dict[str, object]:
        """Options that say how a file of votes is read."""
        named: dict[str, object] = {"--truth": self.truth, "--trusted": self.trusted, "--classes": self.classes}
        named |= {"--columns": self.columns, "--manifest": self.manifest, "--ignore": self.ignore}
        named |= {"--keep": self.keep, "--update": self.update}
        return named | {"--abstain": self.abstain != ABSTAIN, "--multilabel": self.multilabel}

    @property
    def _not_with_people(self) -> dict[str, object]:
        if self.votes is None:
            return {"--explain": self.explain, "--wrong": self.wrong, "--next": self.look_next, "-o": self.output}
        named: dict[str, object] = {"--explain": self.explain, "-o": self.output, "--manifest": self.manifest}
        named |= {"--keep": self.keep, "--update": self.update}
        return named | {"--model": self.model != AUTO, "--multilabel": self.multilabel}


def _refuse_file_options(given: Mapping[str, object]) -> None:
    """Refuse options that say how a votes file is read where there is none."""
    named = [name for name, value in given.items() if value]
    if named:
        raise UsageError(
            f"{named[0]} is for a votes file, and none is named",
            next_step=f"tilth label VOTES {named[0]} …, or leave it out to run the project's labelers",
        )


def _refuse_together(option: str, given: Mapping[str, object]) -> None:
    named = [name for name, value in given.items() if value]
    if named:
        raise UsageError(f"{option} and {named[0]} do not go together", next_step="leave one of them out")


def _listed(names: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(",")) if names else ()


def _refuse_output(output: Path, *inputs: str | None) -> None:
    """Refuse a format that is not written, and a file that is read."""
    if output.suffix not in _SUFFIXES:
        raise UsageError(
            f"{output.suffix or 'no suffix'!r} is not a format of labels",
            next_step=f"name a {' or '.join(_SUFFIXES)} file",
        )
    _refuse_overwriting(output, *inputs)


def _refuse_overwriting(output: Path, *inputs: str | None) -> None:
    """Refuse to write a file that is read."""
    read = [Path(one.rpartition(":")[0] if not Path(one).exists() else one) for one in inputs if one]
    if any(one.exists() and output.exists() and one.samefile(output) for one in read):
        raise UsageError(
            f"{str(output)!r} is read, and is never overwritten", next_step="name another file to write to"
        )
