"""Which sequences of choices are rewarded: one distribution over choices for each place, raised where the reward is above the usual.

    p_l = softmax(theta_l);   theta_l += rate · mean over sequences of (R(s) - mean R) / sd R · (e_{s_l} - p_l)

Places are drawn independently (mean field), so that a few hundred rewards are enough for some ten choices in each of a few places.

Source: Ratner, Ehrenberg, Hussain, Dunnmon, Ré (2017), Learning to Compose Domain-Specific Transformations for Data Augmentation, NeurIPS,
section 3.2 (the mean-field generator); Williams (1992), Machine Learning 8 (REINFORCE with a baseline).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tilth.core.arrays import Matrix, Vector

__all__ = ["learn_sequences", "likeliest"]

_LEAST_SPREAD = 1e-9

Sequences = NDArray[np.intp]
"""(m, l) choices, one per place."""


def learn_sequences(
    reward: Callable[[Sequences], Vector],
    n_choices: int,
    length: int,
    *,
    rounds: int,
    sequences: int,
    rng: np.random.Generator,
    rate: float = 1.0,
) -> Matrix:
    """Return the probability of each choice in each place after learning, (length, n_choices); rows sum to 1.

    Parameters
    ----------
    reward : (m, length) sequences -> (m,) rewards, higher is better; only differences within one call count
    n_choices : choices in each place
    length : places
    rounds : calls of `reward`
    sequences : drawn for each call
    rng : draws
    rate : of learning

    Examples
    --------
    >>> likes_two = lambda found: (found == 2).sum(axis=1).astype(float)
    >>> probs = learn_sequences(likes_two, 4, 2, rounds=30, sequences=20, rng=np.random.default_rng(0))
    >>> bool((probs[:, 2] > 0.9).all())
    True
    """
    theta = np.zeros((length, n_choices))
    for _ in range(rounds):
        probs = _softmax(theta)
        drawn = np.stack([rng.choice(n_choices, size=sequences, p=row) for row in probs], axis=1)
        rewards = np.asarray(reward(drawn), dtype=np.float64)
        spread = rewards.std()
        if spread < _LEAST_SPREAD:
            continue
        gains = (rewards - rewards.mean()) / spread
        for place in range(length):
            hot = np.eye(n_choices)[drawn[:, place]]
            theta[place] += rate * gains @ (hot - probs[place]) / sequences * n_choices**0.5
    return _softmax(theta)


def likeliest(probs: Matrix, most: int) -> tuple[Sequences, Vector]:
    """Return the likeliest sequences, (m, l), and their probabilities given that one of them is drawn, (m,); likeliest first.

    Examples
    --------
    >>> found, shares = likeliest(np.array([[0.7, 0.3], [0.9, 0.1]]), 2)
    >>> found.tolist(), shares.round(2).tolist()
    ([[0, 0], [1, 0]], [0.7, 0.3])
    """
    found, weight = np.zeros((1, 0), dtype=np.intp), np.ones(1)
    for row in probs:
        joint = weight[:, None] * row
        order = np.argsort(-joint, axis=None, kind="stable")[:most]
        before, choice = np.unravel_index(order, joint.shape)
        found, weight = np.column_stack([found[before], choice]), joint[before, choice]
    return found, np.asarray(weight / weight.sum())


def _softmax(theta: Matrix) -> Matrix:
    shifted = np.exp(theta - theta.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
