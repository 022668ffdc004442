"""The command that turns votes into labels: label, of a file without a project, or of a project's own labelers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tilth.cli._label_options import (
    ABSTAIN,
    AUTO,
    SEPARATOR,
    Abstain,
    Classes,
    Columns,
    Explain,
    Ignore,
    KeepFile,
    LabelOptions,
    Labels,
    ManifestFile,
    Model,
    Multilabel,
    Next,
    People,
    Separator,
    Trusted,
    Truth,
    UpdateFile,
    VotesFile,
    Wrong,
)
from tilth.cli._options import HERE, Dir, Json

if TYPE_CHECKING:
    import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(label)


def label(
    votes: VotesFile = None,
    truth: Truth = None,
    trusted: Trusted = None,
    model: Model = AUTO,
    abstain: Abstain = ABSTAIN,
    classes: Classes = None,
    columns: Columns = None,
    ignore: Ignore = None,
    multilabel: Multilabel = False,
    separator: Separator = SEPARATOR,
    explain: Explain = None,
    wrong: Wrong = None,
    look_next: Next = False,
    people: People = False,
    keep: KeepFile = None,
    update: UpdateFile = None,
    manifest: ManifestFile = None,
    output: Labels = None,
    directory: Dir = HERE,
    as_json: Json = False,
) -> None:
    """Turn the votes of many labelers into labels with probabilities: a project's own, or with VOTES a file's."""
    given = dict(locals())  # parameters are called as the fields are
    _run(LabelOptions(**given | {"ignore": tuple(ignore or ())}))


def _run(options: LabelOptions) -> None:
    """Do what was asked: of a project or of a file, labels or the report card of people."""
    options.refuse_what_does_not_fit()
    if options.votes is None:
        from tilth.cli._label_project import label_here, people_here

        (people_here if options.people else label_here)(options)
        return
    if options.multilabel:
        from tilth.cli._label_multi import label_multi_file

        label_multi_file(options)
        return
    from tilth.cli._label_file import label_file, people_of_file

    (people_of_file if options.people else label_file)(options)
