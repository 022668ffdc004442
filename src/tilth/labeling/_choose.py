"""Choose a label model by what it did not see: votes foretold from the other votes of their rows, or trusted labels.

Where thirty trusted rows or more have a vote, the log probability of their labels decides, each half fitted without its
own. Else each vote's log chance decides under a posterior without it, by a fit to other rows, averaged over a row's votes. The
best mean wins unless a simpler model is within one standard error of the paired difference over rows: then the
simplest such. So majority stays where nothing is clearly better, and the reason says so. Without trusted rows, a model
that labels one row in twenty or more against every vote on it is out: it may foretell votes well by something else than
what the labelers speak about. Above 10,000 rows evenly spaced ones decide (more where labelers have fewer than 50 votes among them),
and the chosen model is fitted to all.

What the votes cannot show is left to warnings: errors that all labelers share look like truth.

Source: Geisser (1975), The predictive sample reuse method with applications, JASA 70; Breiman et al. (1984),
Classification and Regression Trees, section 3.4.3 (the simplest within standard errors).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np

from tilth.core.arrays import Vector
from tilth.core.errors import NotApplicable, first_three
from tilth.core.labelling import Known, Labelling
from tilth.core.votes import Votes
from tilth.labeling._shared import (
    foretold_trusted,
    foretold_votes,
    in_company,
    parted,
    refuse_no_votes,
    subset,
    warnings_of,
)
from tilth.operators.protocols import LabelModel
from tilth.operators.registry import spec_of

__all__ = ["Choice", "choose_label_model", "updated_choice"]

ROWS, MOST_ROWS = 10_000, 200_000
"""Rows that decide, evenly spaced; more of them where labelers have few votes each."""
EACH = 50
"""Votes of each labeler, on average, that should decide."""
TRUSTED = 30
"""Trusted rows with a vote from which on they decide."""
COMPANY = 20
"""Rows of two votes or more that are needed for votes to decide."""
FOLDS, FEW_FOLDS, MANY = 5, 2, 5_000
"""Parts of the rows that are foretold by fits to the others; the few where there are many rows."""
ERRORS = 1.0
OVERRULED = 0.05
"""Share of rows with a vote whose label may go against all of their votes."""


_Scored = tuple[LabelModel, Vector]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """The label model that is used, and what it learnt of all votes, with the reason and the warnings."""

    model: LabelModel
    labelling: Labelling


def choose_label_model(models: Sequence[LabelModel], votes: Votes, known: Known) -> Choice:
    """Return the simplest model that is as good as the best by what it foretells, fitted to all votes.

    Models that refuse these votes are left out. A single model is fitted, and the warnings are added.

    Parameters
    ----------
    models : simplest first
    votes : n rows
    known : what else is known

    Raises
    ------
    NotApplicable : there is no model, no vote, or every model refuses

    Source: Geisser (1975), JASA 70; Breiman et al. (1984), section 3.4.3.
    """
    if not models:
        raise NotApplicable("there is no label model to choose from")
    refuse_no_votes(votes)
    model, why = _simplest_of_the_best(models, votes, known) if len(models) > 1 else (models[0], "")
    labelling = model.fit(votes, known)
    # What people said of trusted rows is no doing of the model's: the warnings are on its own answers.
    own = model.predict(votes, labelling, Known(embeddings=known.embeddings))
    warnings = (*labelling.warnings, *warnings_of(votes, labelling, own))
    return Choice(model=model, labelling=replace(labelling, why=why, warnings=tuple(dict.fromkeys(warnings))))


def updated_choice(model: LabelModel, labelling: Labelling, votes: Votes, known: Known) -> Choice:
    """Return a model with what it knows after votes on new rows; one that cannot take them in stays as it is, and says so.

    Parameters
    ----------
    model : the model that learnt `labelling`
    labelling : what it knows
    votes : on new rows; labelers may be new where the model takes votes in
    known : what else is known of the new rows

    Raises
    ------
    NotApplicable : labelers are new, and the model learns nothing further
    """
    said: tuple[str, ...] = ()
    if isinstance(model, Updatable):
        after = model.update(labelling, votes, known)
    else:
        new = [name for name in votes.labelers if name not in labelling.labelers]
        if new:
            raise NotApplicable(
                f"{labelling.model} learns nothing of {first_three(map(repr, new))}, of whom it knows nothing",
                next_step="fit anew on all votes, or use dawid_skene or one_coin",
            )
        after = labelling
        said = (f"{labelling.model} takes no further votes in: it stays as the earlier rows taught it",)
    own = votes.among(after.labelers)
    answer = model.predict(own, after, Known(embeddings=known.embeddings))
    warnings = (*said, *after.warnings, *warnings_of(own, after, answer))
    return Choice(model=model, labelling=replace(after, why=labelling.why, warnings=tuple(dict.fromkeys(warnings))))


@runtime_checkable
class Updatable(Protocol):
    """A label model that takes votes on new rows in."""

    def update(self, labelling: Labelling, votes: Votes, known: Known) -> Labelling:
        """Return what is known with them."""
        ...


def _simplest_of_the_best(models: Sequence[LabelModel], votes: Votes, known: Known) -> tuple[LabelModel, str]:
    """Return the simplest model within one standard error of the best, and why it is held."""
    by_trusted = known.trusted is not None and int((known.trusted & votes.covered).sum()) >= TRUSTED
    if not by_trusted and in_company(votes) < COMPANY:
        model, name = _first_that_fits(models, votes, known)
        return model, f"fewer than {COMPANY} rows have two votes: {name} is used, the simplest label model"
    scored = _scored_by_trusted(models, votes, known) if by_trusted else _scored_by_votes(models, votes, known)
    best = max(scored, key=lambda entry: float(entry[1].mean()))[1]
    held, scores = next(entry for entry in scored if _behind(entry[1], best) <= ERRORS)
    what = "labels of trusted rows" if by_trusted else "votes left out of their rows"
    first, simplest = scored[0]
    if held is first:
        return held, f"no label model foretells {what} clearly better than {spec_of(held).name}, the simplest"
    gain, error = _mean_and_error(scores - simplest)
    return held, (
        f"{spec_of(held).name} foretells {what} better than {spec_of(first).name}: by {gain:.3f} ± {1.96 * error:.3f} in "
        f"log likelihood over {len(best):,} rows"
    )


def _scored_by_votes(models: Sequence[LabelModel], votes: Votes, known: Known) -> list[_Scored]:
    """Score by votes left out of their rows; models that overrule too many rows are out, unless all do."""
    wanted = EACH * len(votes.labelers) * len(votes) // max(len(votes.rows), 1)
    rows = np.linspace(0, len(votes) - 1, min(len(votes), max(ROWS, min(wanted, MOST_ROWS)))).astype(np.intp)
    part, told = (votes, known) if len(rows) == len(votes) else subset(votes, known, rows)
    parts = parted(part, told, FEW_FOLDS if len(rows) > MANY else FOLDS)
    scored: list[tuple[LabelModel, Vector, float]] = []
    for model in models:
        with suppress(NotApplicable):
            scored.append((model, *foretold_votes(model, parts)))
    if not scored:
        model, _ = _first_that_fits(models, votes, known)
        return [(model, np.zeros(1))]
    kept = [entry for entry in scored if entry[2] < OVERRULED] or scored
    return [(model, scores) for model, scores, _ in kept]


def _scored_by_trusted(models: Sequence[LabelModel], votes: Votes, known: Known) -> list[_Scored]:
    scored: list[_Scored] = []
    for model in models:
        with suppress(NotApplicable):
            scored.append((model, foretold_trusted(model, votes, known)))
    return scored or [(_first_that_fits(models, votes, known)[0], np.zeros(1))]


def _first_that_fits(models: Sequence[LabelModel], votes: Votes, known: Known) -> tuple[LabelModel, str]:
    """Return the first model that does not refuse, and its name; raises what the last refused with."""
    for model in models[:-1]:
        with suppress(NotApplicable):
            return model, model.fit(votes, known).model
    return models[-1], models[-1].fit(votes, known).model


def _behind(score: Vector, best: Vector) -> float:
    """Return by how many standard errors of the paired difference a mean is lower than the best; (r,), (r,)."""
    mean, error = _mean_and_error(best - score)
    return mean / error if error > 1e-12 else 0.0


def _mean_and_error(values: Vector) -> tuple[float, float]:
    return float(values.mean()), float(values.std() / len(values) ** 0.5)
