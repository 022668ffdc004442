"""The catalog: facts, versions and names of one project, as the commit log tells them.

It goes on reading where it stopped, so that what another process committed meanwhile is seen, and nothing is
read twice. Where two records speak of one version, head or tag, the later one counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from tilth.core.errors import StoreCorruptError, UnknownVersionError, did_you_mean, first_three
from tilth.store.version import Version

if TYPE_CHECKING:
    from tilth.store.commit_log import CommitLog

__all__ = ["Catalog"]


class Catalog:
    """What the log says, read as it grows."""

    def __init__(self, log: CommitLog) -> None:
        self._log = log
        self._facts: dict[str, list[dict[str, Any]]] = {}
        self._versions: dict[str, Version] = {}
        self._removed: set[str] = set()
        self._read_to = 0

    def facts(self, kind: str) -> list[dict[str, Any]]:
        """Return the facts of a kind, oldest first."""
        self._read_on()
        return list(self._facts.get(kind, ()))

    @property
    def versions(self) -> Mapping[str, Version]:
        """The versions that are there, by id, in order of commit."""
        self._read_on()
        return MappingProxyType(self._versions)

    @property
    def removed(self) -> frozenset[str]:
        """Ids of versions and edits that gc removed."""
        self._read_on()
        return frozenset(self._removed)

    @property
    def latest(self) -> Version | None:
        """The current version; None where there is none yet."""
        heads = self.facts("head")
        return self._named(heads[-1]["version"], "the head") if heads else None

    def tags(self) -> dict[str, str]:
        """Return tag -> version id."""
        return {body["name"]: body["version"] for body in self.facts("tag")}

    def find(self, name: str) -> Version:
        """Return a version by id, unique beginning of an id, tag, or `latest`."""
        latest, tags, versions = self.latest, self.tags(), self.versions
        if name == "latest":
            if latest is None:
                raise UnknownVersionError("there is no version yet", next_step="tilth run makes the first one")
            return latest
        if name in tags:
            return self._named(tags[name], f"the tag {name!r}")
        hits = [name] if name in versions else [v for v in versions if name and v.startswith(name)]
        if len(hits) != 1:
            raise self._unknown(name, hits)
        return versions[hits[0]]

    def _read_on(self) -> None:
        for record in self._log.records(since=self._read_to):
            body = dict(record.body)
            if record.kind == "version":
                self._take(Version.from_dict(body))
            elif record.kind == "tombstone":
                self._bury(body)
            self._facts.setdefault(record.kind, []).append(body)
            self._read_to = record.number

    def _take(self, version: Version) -> None:
        """Take a version in; the facts about its files are those that its base has now."""
        self._removed.discard(version.version)
        if version.edit is not None:
            self._removed.discard(version.edit)
        if version.is_source:
            self._versions[version.version] = version
            children = [v for v in self._versions.values() if v.base == version.version and not v.is_source]
        else:
            children = [version]
        for child in children:
            base = self._versions.get(child.base)
            self._versions[child.version] = child if base is None else replace(child, source=base.source)

    def _bury(self, tombstone: Mapping[str, Any]) -> None:
        for name in tombstone["versions"]:
            self._versions.pop(name, None)
        self._removed.update(tombstone["versions"], tombstone["edits"])

    def _named(self, version_id: str, by: str) -> Version:
        if version_id not in self._versions:
            raise StoreCorruptError(
                f"{by} is version {version_id}, of which the log says nothing",
                next_step="put the log back from a copy, or run `tilth doctor`",
            )
        return self._versions[version_id]

    def _unknown(self, name: str, hits: list[str]) -> UnknownVersionError:
        gone = sorted(v for v in self._removed if name and v.startswith(name))
        if hits:
            what = f"{name!r} could be {len(hits)} versions: {first_three(hits)}"
        elif gone:
            what = f"{first_three(gone)} was removed by tilth gc"
        else:
            what = f"no version or tag {name!r}.{did_you_mean(name, [*self._versions, *self.tags(), 'latest'])}"
        return UnknownVersionError(what, next_step="tilth log lists versions and tags")
