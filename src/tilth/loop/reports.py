"""What the reading commands and the HTML report show, gathered from the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tilth.core.errors import ConfigError
from tilth.core.names import Split
from tilth.core.progress import Progress, silent
from tilth.core.summary import HistoryLine, RunSummary
from tilth.core.trial import Verdict
from tilth.loop.history import verdict_on
from tilth.loop.moving import taxonomy_of
from tilth.loop.project import Project
from tilth.loop.visibility import may_quote
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["html_report", "log_lines", "version_facts"]


def log_lines(project: Project) -> list[dict[str, Any]]:
    """Return one line per version, newest first: what made it, why, its verdict and tags."""
    repository = project.repository()
    return [_log_line(repository, version) for version in reversed(repository.versions())]


def _log_line(repository: Repository, version: Version) -> dict[str, Any]:
    tags = [name for name, target in repository.tags().items() if target == version.version]
    latest = repository.latest
    line: dict[str, Any] = {
        "version": version.version,
        "parent": version.parent,
        "origin": version.origin,
        "rows": version.rows,
        "tags": tags,
        "current": latest is not None and latest.version == version.version,
        "edit": version.edit,
        "verb": None,
        "operator": None,
        "touched": 0,
        "verdict": None,
        "reason": f"read from {version.source.get('name', 'the source')}{_in_label_set(version)}",
    }
    if version.edit is not None:
        edit = repository.edit(version.edit)
        line |= {
            "verb": str(edit.verb),
            "operator": str(edit.operator),
            "touched": edit.n_rows,
            "reason": edit.reason,
            "verdict": verdict_on(repository, edit)[0],
        }
    return line


def _in_label_set(version: Version) -> str:
    taxonomy = taxonomy_of(version)
    return f" in label set {taxonomy.version}: {taxonomy.migrations[-1]}" if taxonomy.migrations else ""


def version_facts(project: Project, name: str) -> dict[str, Any]:
    """Return everything that `tilth show` says of a version."""
    repository = project.repository()
    version = repository.version(name)
    dataset = repository.dataset(version)
    trials = [trial for e in version.recipe if (trial := verdict_on(repository, repository.edit(e))[1]) is not None]
    return _log_line(repository, version) | {
        "metric": version.schema.task.metric,
        "content": version.content,
        "base": version.base,
        "recipe": list(version.recipe),
        "splits": {str(split): int(dataset.mask(split).sum()) for split in Split},
        "columns": [
            {"name": c.name, "type": str(c.type), "role": str(c.role), "visibility": str(c.visibility)}
            for c in version.schema.columns
        ],
        "trials": [t.to_dict() for t in trials],
    }


def html_report(project: Project, progress: Progress = silent) -> str:
    """Return the HTML page of the last run, with exhibits from the version that it looked into."""
    from tilth.loop.exhibits import exhibits_of
    from tilth.reporting.html import report

    repository = project.repository()
    runs = repository.records("run")
    if not runs:
        raise ConfigError("there is no run to report", where=str(project.folder), next_step="tilth run")
    summary = RunSummary.from_record(runs[-1]["summary"])
    start = _looked_into(repository, repository.version(summary.version_after), summary)
    found = project.findings_of(start, seed=summary.seed, progress=progress)
    lines = [_history_line(line) for line in log_lines(project)]
    return report(summary, exhibits_of(found), lines, messages=may_quote(start.schema))


def _looked_into(repository: Repository, after: Version, summary: RunSummary) -> Version:
    """Return the version that a run started from: the one before the edits that it kept."""
    for trial in summary.trials:
        if trial.verdict is Verdict.KEPT and after.parent is not None:
            after = repository.version(after.parent)
    return after


def _history_line(line: Mapping[str, Any]) -> HistoryLine:
    return HistoryLine(
        version=line["version"],
        parent=line["parent"] or "",
        origin=line["origin"],
        edit=line["edit"] or "",
        verb=line["verb"] or "",
        operator=line["operator"] or "",
        rows=line["touched"],
        verdict=line["verdict"] or "",
        reason=line["reason"],
    )
