"""Ways to a policy: the usual ones, one that is searched for, one that is composed, one of an edit; and its file."""

from __future__ import annotations

import pyarrow.compute as pc
import yaml

from tilth.core.errors import UsageError, did_you_mean
from tilth.core.names import AUGMENT
from tilth.core.policy import Policy
from tilth.core.policy_report import PolicyReport
from tilth.core.progress import Progress, silent
from tilth.loop.composing_policies import composed_policy
from tilth.loop.searching_policies import ARMS, searched_policy
from tilth.loop.transform_stand import stand_on
from tilth.loop.workshop import Workshop
from tilth.operators.policies import usual_policy
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["WAYS", "policy_found", "policy_of_edit", "policy_text"]

WAYS = ("trivial", "rand", "search", "compose")
HEAD = "# How rows are varied in training. Name this file in tilth.yaml, augment: {policies: [FILE]}: the next run tries it.\n"


def policy_found(
    workshop: Workshop, version: Version, how: str, *, arms: int | None = None, progress: Progress = silent
) -> PolicyReport:
    """Return a policy for a version's rows, found in one of the ways.

    Raises
    ------
    NotApplicable
        Nothing may vary, or the way is not for this task.
    """
    bench, variations, seed = workshop.bench(version), workshop.variations(version), workshop.seed
    if how == "search":
        return searched_policy(bench, variations, seed=seed, arms=arms or ARMS, progress=progress)
    if how == "compose":
        stand = stand_on(bench.cheap, workshop.plain_encoder(version))
        return composed_policy(stand, variations, seed=seed, progress=progress)
    policy = usual_policy(variations.facts, "rand" if how == "rand" else "trivial")
    return PolicyReport(how=how, policy=policy, rows=bench.train.num_rows, seed=seed)


def policy_of_edit(repository: Repository, edit_id: str) -> PolicyReport:
    """Return the policy that an edit sets; raises UsageError where it sets none, or the word is neither an edit nor a way."""
    if not edit_id.startswith("e-"):
        raise UsageError(
            f"{edit_id!r} is no way to a policy.{did_you_mean(edit_id, WAYS)}",
            next_step=f"write one of {', '.join(WAYS)}, or the id of an edit",
        )
    edit = repository.edit(edit_id)
    texts = pc.unique(edit.set[AUGMENT].column("value")).to_pylist() if AUGMENT in edit.set else []
    if len(texts) != 1:
        raise UsageError(f"edit {edit_id} sets no policy", next_step="tilth log lists the edits; name one of `augment`")
    return PolicyReport(how=edit_id, policy=Policy.from_text(texts[0]), rows=edit.n_rows)


def policy_text(policy: Policy) -> str:
    """Return the file of a policy: YAML that a person may change."""
    return HEAD + yaml.safe_dump(policy.to_plain(), sort_keys=False, allow_unicode=True, default_flow_style=None)
