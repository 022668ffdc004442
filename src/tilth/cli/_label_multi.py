"""`tilth label VOTES --multilabel`: a file of votes that name several classes, without a project."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from tilth.cli._label_writing import write_labels
from tilth.cli._output import emit, emit_json, progress_on_stderr

if TYPE_CHECKING:
    from tilth.cli._label_options import LabelOptions

__all__ = ["label_multi_file"]


def label_multi_file(options: LabelOptions) -> None:
    """Label the rows of a votes file with all classes that they have, and write what the votes come to."""
    from tilth.cli._imports import manifest_path, write_manifest
    from tilth.loop.multi_labels import label_multi_read
    from tilth.loop.vote_manifest import vote_manifest
    from tilth.reporting.labels import explanation_screen
    from tilth.reporting.multi_labels import multi_labels_screen
    from tilth.sources._multi_votes import read_multi_votes

    votes = str(options.votes)
    record = None if options.manifest is None else manifest_path(options.manifest, votes)
    with progress_on_stderr() as progress:
        progress("reading votes")
        read = read_multi_votes(votes, truth=options.truth, trusted=options.trusted, reading=options.reading)
        labelled = label_multi_read(read, options.model, progress, options.separator)
    explanations = () if options.explain is None else labelled.explain(options.explain)
    if options.output is not None:
        write_labels(labelled.summary.to_table(), options.output)
    if record is not None:
        write_manifest(vote_manifest(read, votes), record)
    if options.as_json:
        told = {} if options.explain is None else {"explanation": [asdict(one) for one in explanations]}
        emit_json(labelled.summary.to_dict() | told)
        return
    emit(multi_labels_screen(labelled.summary, is_written=options.output is not None))
    for one in explanations:
        emit(explanation_screen(one))
    if options.output is not None:
        emit(f"wrote {options.output}: {len(labelled.summary):,} rows with label and one probability per class")
