"""What the label models have in common; they import it from here."""

from __future__ import annotations

from tilth.labeling._shared.ballots import Ballots, ballots_of, refuse_no_votes
from tilth.labeling._shared.belief import Belief
from tilth.labeling._shared.checks import is_handed_out
from tilth.labeling._shared.early import EARLY, joined_known, keeping
from tilth.labeling._shared.em import Parameters, Statistics, Told, fold, merge, start
from tilth.labeling._shared.evidence import (
    by_row,
    foretold_trusted,
    foretold_votes,
    in_company,
    parted,
    subset,
    vote_scores,
    votes_in_company,
)
from tilth.labeling._shared.expert import fit_by_em, fit_in_one_step, parameters_of, predict_by_scores
from tilth.labeling._shared.nearby import Nearby, Place, Places, nearby_of
from tilth.labeling._shared.report import labelling_of, settled
from tilth.labeling._shared.streaming import update
from tilth.labeling._shared.warnings import warnings_of

__all__ = [
    "EARLY",
    "Ballots",
    "Belief",
    "Nearby",
    "Parameters",
    "Place",
    "Places",
    "Statistics",
    "Told",
    "ballots_of",
    "by_row",
    "fit_by_em",
    "fit_in_one_step",
    "fold",
    "foretold_trusted",
    "foretold_votes",
    "in_company",
    "is_handed_out",
    "joined_known",
    "keeping",
    "labelling_of",
    "merge",
    "nearby_of",
    "parameters_of",
    "parted",
    "predict_by_scores",
    "refuse_no_votes",
    "settled",
    "start",
    "subset",
    "update",
    "vote_scores",
    "votes_in_company",
    "warnings_of",
]
