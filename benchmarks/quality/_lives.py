"""Lives of dev splits: rounds of finalists that do not help, by proposers that see nothing, verdicts or gains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from benchmarks.quality._worlds import Log
from tilth.core.arrays import Matrix, Vector
from tilth.core.trial import Verdict
from tilth.loop.bench import Bench, Judged
from tilth.loop.judge import Outcome, judge
from tilth.loop.ledger import Ledger
from tilth.loop.verdicts import COMPOSITION_SHARE, Reading, decide

ALPHA, ROUNDS, FINALISTS, DRAWS = 0.05, 50, 6, 5

Proposer = Literal["fresh", "few", "harmful", "open", "mixed verdicts", "best", "mixed gains"]
PROPOSERS: dict[Proposer, str] = {
    "fresh": "sees nothing: new edits, gain 0",
    "few": "sees nothing: new edits along 4 directions, gain 0",
    "harmful": "sees nothing: new edits, gain -0.1 to -0.5 points",
    "open": "sees verdicts: variants of what was undecided, gain 0",
    "mixed verdicts": "attack, sees verdicts: fits them to what edits are made of, gain 0",
    "best": "sees gains: variants of the six best so far, gain 0",
    "mixed gains": "attack, sees gains: fits them to what edits are made of, gain 0",
}


@dataclass(slots=True)
class Past:
    """What a proposer has seen: what its edits were made of, and what came of them."""

    made_of: list[np.ndarray]
    scores: list[np.ndarray]


class Life:
    """One dev split over 50 rounds.

    The latent part of an edit is made of directions that all edits share (n, directions) and of one of its own; a row of `made_of`
    says how much of each, and has length 1, so that the part is a unit normal over fresh rows.
    """

    def __init__(self, bench: Bench, judged: Judged, proposer: Proposer, seed: int) -> None:
        self.bench, self.judged, self.proposer = bench, judged, proposer
        self.rng = np.random.default_rng([47, seed, len(judged), list(PROPOSERS).index(proposer)])
        n, shared = len(judged), 4 if proposer == "few" else 24
        self.margin = float(stats.norm.ppf(self.rng.uniform(0.7, 0.95)))
        self.placebo_harm = float(self.rng.choice([0.0, 0.15]))
        self.rows = DevRows(base=self.rng.standard_normal(n), margin=self.margin)
        self.basis = np.zeros((shared + ROUNDS * FINALISTS, n), dtype=np.float32)
        self.basis[:shared] = self.rng.standard_normal((shared, n), dtype=np.float32)
        self.shared, self.owned = shared, shared
        self.past = Past(made_of=[], scores=[])

    def first_false_keep(self) -> int | None:
        """Return the number of the round that keeps something, or None."""
        ledger = Ledger(Log())  # type: ignore[arg-type]
        for number in range(ROUNDS):
            run = ledger.run_number("dev", f"run {number}")
            alpha = ledger.alpha_of(run, ALPHA) * (1 - COMPOSITION_SHARE)
            if self._round(alpha, number):
                return number + 1
        return None

    def _round(self, alpha: float, number: int) -> bool:
        made_of = self._made_of()
        parts = made_of[:, : self.owned] @ self.basis[: self.owned]
        shares = np.exp(
            self.rng.uniform(np.log(0.12 if self.proposer.startswith("mixed") else 0.01), np.log(0.15), FINALISTS)
        )
        angles = angle_of(shares, self.margin)
        harm = np.zeros(FINALISTS)
        if self.proposer == "harmful":
            accuracy = stats.norm.cdf(self.margin) - self.rng.uniform(0.001, 0.005, FINALISTS)
            harm = self.margin - stats.norm.ppf(accuracy)
        after, before = self.rows.after(parts, angles, harm), self.rows.before
        wins, losses = (after > before).sum(axis=1), (after < before).sum(axis=1)
        self._see(made_of, wins, losses)
        p_values = stats.binom.sf(wins - 1, wins + losses, 0.5)
        if p_values.min() * FINALISTS > alpha:
            return False
        readings = [self._reading(after[i], angles[i], (number, i)) for i in range(FINALISTS)]
        return any(decision.verdict is Verdict.KEPT for decision in decide(readings, alpha))

    def _reading(self, after: Vector, angle: float, step: tuple[int, int]) -> Reading:
        parts = self.rng.standard_normal((DRAWS, len(after)))
        placebos = self.rows.after(parts, angle, self.placebo_harm)
        before = self.rows.before
        outcome = Outcome(before=before, after=after, placebos=placebos, decided_before=before, decided_after=after)
        judgement = judge(self.bench, self.judged, outcome, step=step)
        return Reading(judgement=judgement, guards=(), answers_needed=None)

    def _made_of(self) -> np.ndarray:
        """Return six rows of shares: what the proposer thinks of next."""
        n, shared = len(self.judged), self.shared
        new = np.zeros((FINALISTS, len(self.basis)), dtype=np.float32)
        common, own = self.rng.standard_normal(shared), self.rng.standard_normal((FINALISTS, shared))
        towards = _unit(common / np.linalg.norm(common) + own / np.linalg.norm(own, axis=1, keepdims=True))
        new[:, :shared] = np.sqrt(0.8) * towards
        fresh = slice(self.owned, self.owned + FINALISTS)
        self.basis[fresh] = self.rng.standard_normal((FINALISTS, n), dtype=np.float32)
        new[:, fresh] = np.sqrt(0.2) * np.eye(FINALISTS)
        self.owned += FINALISTS
        if not self.past.made_of or self.proposer in {"fresh", "few", "harmful"}:
            return new
        old, scores = np.concatenate(self.past.made_of), np.concatenate(self.past.scores)
        if self.proposer.startswith("mixed"):
            weights = np.linalg.solve(old @ old.T + 0.5 * np.eye(len(old)), scores)
            if not weights.any():
                return new
            return _unit(_unit((weights @ old)[None]) + 0.2 * new)
        again = np.flatnonzero(scores > 0) if self.proposer == "open" else np.argsort(-scores)[:FINALISTS]
        if not len(again):
            return new
        return _unit(0.9 * old[self.rng.choice(again, FINALISTS)] + 0.45 * new)

    def _see(self, made_of: np.ndarray, wins: np.ndarray, losses: np.ndarray) -> None:
        """Note gains in standard errors; who sees verdicts only, notes which were refused."""
        scores = (wins - losses) / np.sqrt(np.maximum(wins + losses, 1))
        if self.proposer in {"open", "mixed verdicts"}:
            scores = np.where(scores > -stats.norm.isf(0.025), 0.025, -0.975)
        self.past.made_of.append(made_of)
        self.past.scores.append(scores)


def _unit(values: np.ndarray) -> np.ndarray:
    return np.asarray(values / np.linalg.norm(values, axis=1, keepdims=True))


def angle_of(disagreement: Vector, margin: float) -> Vector:
    """Return angles between two models that are right where a unit normal exceeds -margin and differ on so many rows.

    d = 1/π ∫_0^angle exp(-margin² / (1 + cos t)) dt, for two unit normals with correlation cos(angle).
    """
    grid = np.linspace(0.0, np.pi / 2, 2001)
    density = np.exp(-(margin**2) / (1 + np.cos(grid))) / np.pi
    share = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(grid))])
    return np.asarray(np.interp(disagreement, share, grid))


@dataclass(frozen=True, slots=True, kw_only=True)
class DevRows:
    """What n dev rows are to any model: a unit normal per row and latent direction, the first of them the model before.

    A model is right on a row where cos(a) z_0 + sin(a) g exceeds -margin + harm, for a unit normal g of its own. Its accuracy
    over fresh rows is Φ(margin - harm) whatever g is, so that a gain of an edit without harm is exactly 0.
    """

    base: Vector
    margin: float

    @property
    def before(self) -> Vector:
        """Scores of the model before."""
        return (self.base > -self.margin).astype(np.float64)

    def after(self, g: np.ndarray, angle: Vector | float, harm: Vector | float = 0.0) -> Matrix:
        """Scores (…, n) of models whose latent parts are g (…, n)."""
        angles, harms = np.asarray(angle)[..., None], np.asarray(harm)[..., None]
        return np.asarray(np.cos(angles) * self.base + np.sin(angles) * g > -self.margin + harms, dtype=np.float64)
