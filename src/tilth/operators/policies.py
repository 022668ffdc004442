"""The usual policies over what there is to vary rows by.

Source: Müller, Hutter (2021), TrivialAugment, ICCV; Cubuk, Zoph, Shlens, Le (2020), RandAugment, NeurIPS.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from tilth.core.errors import NotApplicable
from tilth.core.policy import Change, Mix, Policy, Repertoire, Variation

__all__ = ["By", "policy_of", "usual_policy"]

RAND_STEPS, RAND_SEVERITY = 2, 2
By = Literal["trivial", "rand", "written"]


def policy_of(known: Repertoire, by: By, mix: Mix = "none", number: int = 1) -> Policy:
    """Return the policy of that name over all changes that there are.

    Raises
    ------
    NotApplicable
        Nothing may vary, no such policy was written, or the learner works on frozen features and nobody asked for it.
    """
    if not known.changes and not known.policies:
        raise NotApplicable("no transform that keeps the label suits the features")
    is_asked = bool(known.policies) or any(one.is_own for one in known.changes.values())
    if not known.learns and not is_asked:
        raise NotApplicable(
            "the learner is fitted to frozen features, on which varied rows hardly ever help",
            next_step="write augment: in tilth.yaml to try it, or learner: convnet",
        )
    if by == "written":
        if number > len(known.policies):
            raise NotApplicable("no further policy is named under augment: in tilth.yaml")
        return list(known.policies.values())[number - 1]
    return usual_policy(known.changes, by, mix)


def usual_policy(known: Mapping[str, Variation], by: Literal["trivial", "rand"], mix: Mix = "none") -> Policy:
    """Return TrivialAugment, or RandAugment of two changes, over all changes; raises NotApplicable where there is none."""
    changes = [Change(name, one.severities) for name, one in sorted(known.items())]
    if not changes:
        raise NotApplicable("no transform that keeps the label suits the features")
    if by == "rand":
        return Policy.rand(changes, RAND_STEPS, RAND_SEVERITY, mix=mix)
    return Policy.trivial(changes, mix=mix)
