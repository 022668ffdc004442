"""A person's word over a verdict: an edit is adopted or vetoed, and the ledger says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tilth.core.errors import UsageError
from tilth.core.trial import Verdict
from tilth.loop import history
from tilth.loop.ledger import Ledger

if TYPE_CHECKING:
    from tilth.loop.project_file import ProjectFile
    from tilth.store.repository import Repository
    from tilth.store.version import Version

__all__ = ["adopt", "veto"]


def adopt(file: ProjectFile, repository: Repository, version: Version, edit_id: str) -> Version:
    """Return the version with an edit put on; the caller holds the lease.

    Raises
    ------
    UsageError : the edit is in the recipe already, or no longer fits
    """
    from tilth.loop.protection import spare_trusted
    from tilth.loop.workshop import Workshop

    edit = history.find_edit(repository, edit_id)
    if history.applied(repository, version, edit.edit_id) is not None:
        raise UsageError(f"{edit.edit_id} is in the recipe already", next_step="tilth log lists what was made")
    fitted = Workshop(file, repository, seed=file.seed).fitted(version, edit)
    fitted = spare_trusted(fitted, repository.dataset(version))
    if not fitted.n_rows:
        raise UsageError(
            f"{edit.edit_id} no longer fits: its rows are gone or changed since", next_step="tilth run tries anew"
        )
    history.remember_fitted(repository, fitted, edit)
    Ledger(repository).overrule(edit.edit_id, Verdict.ADOPTED)
    return repository.commit_edit(version, fitted, origin="adopted")


def veto(repository: Repository, version: Version, edit_id: str) -> Version:
    """Return the version without an edit, which is never proposed again; the caller holds the lease."""
    edit = history.find_edit(repository, edit_id)
    Ledger(repository).overrule(edit.edit_id, Verdict.VETOED)
    made = history.applied(repository, version, edit.edit_id)
    return version if made is None else history.revert(repository, made)
