"""What the label models have in common; they import it from here."""

from __future__ import annotations

from tilth.labeling._shared.ballots import Ballots, ballots_of, refuse_no_votes
from tilth.labeling._shared.belief import Belief
from tilth.labeling._shared.em import Parameters
from tilth.labeling._shared.evidence import foretold_trusted, foretold_votes, in_company, subset
from tilth.labeling._shared.expert import fit_by_em, fit_in_one_step, predict_by_scores
from tilth.labeling._shared.report import labelling_of, settled
from tilth.labeling._shared.warnings import warnings_of

__all__ = [
    "Ballots",
    "Belief",
    "Parameters",
    "ballots_of",
    "fit_by_em",
    "fit_in_one_step",
    "foretold_trusted",
    "foretold_votes",
    "in_company",
    "labelling_of",
    "predict_by_scores",
    "refuse_no_votes",
    "settled",
    "subset",
    "warnings_of",
]
