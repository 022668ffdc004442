"""Labelling: what a label model is told besides votes, what it found, and what votes come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tilth.core.arrays import FloatMatrix32, Mask, Matrix, Vector

__all__ = ["Known", "Labelling", "VotedRows"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Known:
    """What is known of the rows besides the votes; all of it may be missing.

    Parameters
    ----------
    truth : (n, k) what trusted people say of the rows in `trusted`, hard or soft, rows sum to 1; other rows are ignored
    trusted : (n,) rows whose truth is known
    prior : (k,) share of each class, where it is known
    confusions : labeler name -> (k, k) P(said | truth, it votes), where a labeler's errors are known
    embeddings : (n, d) features of the rows, for models whose accuracies depend on the region
    """

    truth: Matrix | None = None
    trusted: Mask | None = None
    prior: Vector | None = None
    confusions: Mapping[str, Matrix] = field(default_factory=dict)
    embeddings: FloatMatrix32 | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Labelling:
    """What a label model learnt of votes: enough to label these rows and others, and to say why.

    Parameters
    ----------
    model : name of the label model
    labelers : their m names
    classes : the k class names
    prior : (k,) estimated share of each class
    coverage : (m,) share of the rows that each labeler votes on
    accuracy : (m,) estimated P(right | it votes); nan for a labeler that never votes
    interval : (m, 2) its 95 % interval
    parameters : named arrays from which `predict` works
    why : one sentence on how the model came to be used, where something chose it
    warnings : what a reader must know before using the labels, each naming its cause
    """

    model: str
    labelers: tuple[str, ...]
    classes: tuple[str, ...]
    prior: Vector
    coverage: Vector
    accuracy: Vector
    interval: Matrix
    parameters: Mapping[str, np.ndarray]
    why: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class VotedRows:
    """What votes come to for n rows, in the order of a view.

    Parameters
    ----------
    model : name of the label model that was used
    probs : (n, k) p(truth | votes) by it; the prior where there is no vote
    majority : (n, k) the shares of votes
    covered : (n,) rows that have a vote
    reached : (n,) rows without one that the model labels by the votes on rows nearby; of them the majority knows nothing
    """

    model: str
    probs: Matrix
    majority: Matrix
    covered: Mask
    reached: Mask | None = None

    def take(self, rows: np.ndarray) -> VotedRows:
        """Return what votes come to for some rows."""
        return VotedRows(
            model=self.model,
            probs=self.probs[rows],
            majority=self.majority[rows],
            covered=self.covered[rows],
            reached=None if self.reached is None else self.reached[rows],
        )
