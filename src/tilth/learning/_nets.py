"""What learners that train a small network of their own share: the passes over the rows, early stopping, the temperature.

    minimise   sum_i w_i H(t_i, softmax(f(x_i))) + decay · |weights|²      by AdamW, its rate rising and falling once (one cycle)

Rows pass in an order drawn by row id, so that the order in which they are stored changes nothing. A part of the rows, drawn by row id
too, is not trained on: the pass after which its loss is least is kept, and the temperature that makes its probabilities honest.

Source: Loshchilov, Hutter (2019), Decoupled Weight Decay Regularization, ICLR; Smith, Topin (2019), Super-Convergence; Guo, Pleiss, Sun,
Weinberger (2017), On Calibration of Modern Neural Networks, ICML (temperature); Zhang et al. (2018), mixup, ICLR; Yun et al. (2019),
CutMix, ICCV.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from math import cos, pi
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.errors import ConfigError, LabelError, MissingExtraError
from tilth.core.ids import Digests, cell_digests
from tilth.core.policy import Mix
from tilth.core.progress import tell
from tilth.core.rng import generator, row_uniforms
from tilth.core.target import Target
from tilth.operators.augmenting import Augmentation
from tilth.operators.protocols import State
from tilth.operators.view import View

__all__ = ["Inputs", "Passes", "Training", "predicted", "rows_to_learn", "torch_of", "trained"]

FEWEST_HELD_OUT = 30
"""Rows below which no part is held out: its loss would tell nothing."""
PEAK_AT, FIRST_RATE, LAST_RATE = 0.25, 0.1, 0.01
"""Where in the training the rate is highest, and what share of it stands at both ends."""
MIX_STRENGTH = 0.4
"""Both parameters of the Beta distribution of mixtures."""
MOST_TIMES = 6
"""How many times as many passes a minimum of steps asks for at most: some hundred rows that pass more often are learnt by heart."""
ROWS_AT_ONCE = 256
_TEMPERATURES = (-2.0, 2.0)

Inputs = Callable[[IntVector, int], np.ndarray]
"""Rows and the number of the pass (-1: as they are) -> what the network reads of them, first axis the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passes:
    """How a network is trained.

    Parameters
    ----------
    epochs : passes over the rows, at least
    steps : of training, at least: few rows pass more often, up to six times as often
    rate : highest rate of learning
    decay : of weights
    rows : in one step
    held_out : share of the rows that decides when to stop, in [0, 1)
    members : trainings with draws of their own, whose probabilities are averaged
    """

    epochs: int
    steps: int
    rate: float
    decay: float
    rows: int
    held_out: float
    members: int = 1

    @classmethod
    def of(cls, learner: Any) -> Passes:
        """Return how a learner trains, by its parameters of the same names; raises ConfigError where one is out of range."""
        found = cls(**{field.name: getattr(learner, field.name) for field in fields(cls)})
        if min(found.epochs, found.rows, found.members) < 1 or found.steps < 0:
            raise ConfigError("epochs, rows and members are at least 1, steps at least 0")
        if not 0 <= found.held_out < 1 or found.rate <= 0:
            raise ConfigError("held_out is in [0, 1), rate above 0")
        return found

    def over(self, n_rows: int) -> int:
        """Return how often so many rows pass."""
        in_one = max(1, -(-n_rows // self.rows))
        return max(self.epochs, min(-(-self.steps // in_one), MOST_TIMES * self.epochs))

    def part(self, share: float) -> dict[str, int]:
        """Return the settings of a training that takes a share of the time."""
        return {"epochs": max(1, round(share * self.epochs)), "steps": round(share * self.steps)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Training:
    """The m rows that are learnt from.

    Parameters
    ----------
    inputs : what the network reads of them
    targets : (m, k) rows that sum to 1
    weights : (m,) > 0
    digests : (m, 2) of the row ids
    mix : how rows of a step are mixed
    seed : of all draws
    """

    inputs: Inputs
    targets: Matrix
    weights: Vector
    digests: Digests
    mix: Mix
    seed: int


def torch_of() -> Any:
    """Return the module torch; raises MissingExtraError where it is not installed."""
    try:
        import torch
    except ImportError:
        raise MissingExtraError(
            "learners that train a network need torch", next_step="pip install 'tilth[torch]', or write learner: auto"
        ) from None
    return torch


def rows_to_learn(view: View, target: Target) -> IntVector:
    """Return the rows with a target and a weight, by rising row id; raises LabelError where there is none."""
    rows = np.flatnonzero(target.mask & (target.weights > 0))
    if target.distribution is None or not len(rows):
        raise LabelError("no row has a class to learn from", next_step="label some train rows")
    order = np.asarray(pa.compute.sort_indices(view.take_ids(rows))).astype(np.intp)
    return np.asarray(rows[order])


def training_of(
    view: View, target: Target, rows: IntVector, inputs: Inputs, augmentation: Augmentation | None
) -> Training:
    """Return the training of some rows of a view."""
    assert target.distribution is not None
    salt = () if augmentation is None else augmentation.salt
    weights = target.weights[rows]
    return Training(
        inputs=inputs,
        targets=target.distribution[rows],
        weights=weights / weights.mean(),
        digests=cell_digests(view.take_ids(rows)),
        mix="none" if augmentation is None else augmentation.mix,
        seed=int(generator(view.seed, "learning", view.spec.name, *salt).integers(2**31)),
    )


def trained(network: Any, training: Training, passes: Passes) -> State:
    """Return a network's weights after training, named arrays, with the temperature of its probabilities.

    `network` is a torch module; its first weights are drawn here. Deterministic for one number of threads. Names of further members
    begin with their number.
    """
    found = dict(_trained_once(network, training, passes))
    for member in range(1, passes.members):
        other = replace(training, seed=int(generator(training.seed, "member", member).integers(2**31)))
        found |= {f"{member}:{name}": value for name, value in _trained_once(network, other, passes).items()}
    return found


def _trained_once(network: Any, training: Training, passes: Passes) -> State:
    torch = torch_of()
    first_weights(network, training.seed)
    place = "cuda" if torch.cuda.is_available() else "cpu"
    network.to(place)
    held = _held_out(training, passes.held_out)
    mine, kept = np.flatnonzero(~held), np.flatnonzero(held)
    epochs = passes.over(len(mine))
    n_steps = epochs * -(-len(mine) // passes.rows)
    optimizer = torch.optim.AdamW(network.parameters(), lr=passes.rate, weight_decay=passes.decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate_at(step / max(n_steps, 1)))
    best, state = np.inf, _arrays(network)
    for epoch in range(epochs):
        tell("fit", "passes over the train rows", epoch, epochs)
        network.train()
        for x, t, w in _steps(training, mine, passes.rows, epoch):
            loss = _loss(torch, network(x.to(place)), t.to(place), w.to(place))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        if len(kept) and epochs // 2 <= epoch < epochs - 1:
            now = _held_loss(network, training, kept)
            best, state = (now, _arrays(network)) if now < best else (best, state)
    if not len(kept) or _held_loss(network, training, kept) <= best:
        state = _arrays(network)
    _load(network, state)
    warmth = _temperature(_outputs(network, training.inputs, kept), training, kept) if len(kept) else 1.0
    network.to("cpu")
    return {**state, "temperature": np.array([warmth])}


def predicted(network: Any, model: State, inputs: Inputs, n_rows: int) -> Matrix:
    """Return the class probabilities of n rows by a trained network, the mean of its members', (n, k) float64."""
    if not n_rows:
        return np.zeros((0, network.n_classes))
    members = [_member(model, number) for number in range(1 + max(_numbers(model), default=0))]
    probs = np.zeros((n_rows, network.n_classes))
    for one in members:
        _load(network, one)
        probs += softmax(_outputs(network, inputs, np.arange(n_rows)) / float(one["temperature"][0]), axis=1)
    return probs / len(members)


def _numbers(model: State) -> list[int]:
    """Return the numbers of the members after the first, one for each of their arrays."""
    return [int(name.partition(":")[0]) for name in model if ":" in name]


def _member(model: State, number: int) -> State:
    if number == 0:
        return {name: value for name, value in model.items() if ":" not in name}
    start = f"{number}:"
    return {name.removeprefix(start): value for name, value in model.items() if name.startswith(start)}


def first_weights(network: Any, seed: int) -> None:
    """Draw a network's first weights: normal with variance 2 / inputs (He et al. 2015); one and zero in norms and biases."""
    torch = torch_of()
    draws = generator(seed, "first weights")
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if weight.ndim > 1:
                inputs = int(np.prod(weight.shape[1:])) if "embedding" not in name else weight.shape[1]
                values = draws.standard_normal(tuple(weight.shape)) * np.sqrt(2.0 / inputs)
                weight.copy_(torch.from_numpy(values.astype(np.float32)))
            else:
                weight.fill_(1.0 if name.endswith("norm.weight") else 0.0)


def _held_out(training: Training, share: float) -> np.ndarray:
    """Return the rows that decide when to stop; none where they would be too few."""
    n = len(training.digests)
    if share * n < FEWEST_HELD_OUT:
        return np.zeros(n, dtype=bool)
    return np.asarray(row_uniforms(training.digests, 0, "held out of training") < share)


def _rate_at(done: float) -> float:
    """Return the share of the highest rate at some share of all steps: up, then down, by half cosines."""
    if done < PEAK_AT:
        return FIRST_RATE + (1 - FIRST_RATE) * 0.5 * (1 - cos(pi * done / PEAK_AT))
    return LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + cos(pi * min(1.0, (done - PEAK_AT) / (1 - PEAK_AT))))


def _steps(training: Training, rows: IntVector, size: int, epoch: int) -> Iterator[tuple[Any, Any, Any]]:
    """Yield inputs, targets and weights of one step after the other, in an order drawn by row id."""
    torch = torch_of()
    digests = training.digests[rows]
    order = np.argsort(row_uniforms(digests, training.seed, "order", epoch), kind="stable")
    inputs = training.inputs(rows, epoch)
    draws = generator(training.seed, "mix", epoch)
    for start in range(0, len(rows), size):
        places = order[start : start + size]
        if len(places) < 2:  # a single row has no spread to norm by: it is left to the next pass, or stands twice
            if len(rows) > 1:
                continue
            places = np.zeros(2, dtype=np.intp)
        some = rows[places]
        x = torch.from_numpy(np.ascontiguousarray(inputs[places]))
        t = torch.from_numpy(training.targets[some].astype(np.float32))
        w = torch.from_numpy(training.weights[some].astype(np.float32))
        yield (*_mixed(torch, x, t, training.mix, draws), w)


def _mixed(torch: Any, x: Any, t: Any, mix: Mix, draws: np.random.Generator) -> tuple[Any, Any]:
    """Return rows mixed with other rows of the step, and their targets in the same shares."""
    if mix == "none":
        return x, t
    share = float(draws.beta(MIX_STRENGTH, MIX_STRENGTH))
    other = torch.from_numpy(draws.permutation(len(x)))
    if mix == "mixup":
        return share * x + (1 - share) * x[other], share * t + (1 - share) * t[other]
    height, width = x.shape[-2:]
    tall, wide = (round(side * np.sqrt(1 - share)) for side in (height, width))
    top, left = int(draws.integers(height - tall + 1)), int(draws.integers(width - wide + 1))
    x = x.clone()
    x[:, :, top : top + tall, left : left + wide] = x[other][:, :, top : top + tall, left : left + wide]
    kept = 1 - tall * wide / (height * width)
    return x, kept * t + (1 - kept) * t[other]


def _loss(torch: Any, outputs: Any, targets: Any, weights: Any) -> Any:
    losses = -(targets * torch.log_softmax(outputs, dim=1)).sum(dim=1)
    return (weights * losses).sum() / weights.sum()


def _outputs(network: Any, inputs: Inputs, rows: IntVector) -> Matrix:
    torch = torch_of()
    network.eval()
    place = next(network.parameters()).device
    parts = []
    with torch.no_grad():
        for start in range(0, len(rows), ROWS_AT_ONCE):
            x = torch.from_numpy(np.ascontiguousarray(inputs(rows[start : start + ROWS_AT_ONCE], -1)))
            parts.append(network(x.to(place)).cpu().numpy().astype(np.float64))
    return np.concatenate(parts)


def _held_loss(network: Any, training: Training, rows: IntVector) -> float:
    outputs = log_softmax(_outputs(network, training.inputs, rows), axis=1)
    return float(np.average(-(training.targets[rows] * outputs).sum(axis=1), weights=training.weights[rows]))


def _temperature(outputs: Matrix, training: Training, rows: IntVector) -> float:
    """Return the temperature at which held-out rows have the least log loss."""
    targets, weights = training.targets[rows], training.weights[rows]

    def loss(log_warmth: float) -> float:
        logs = log_softmax(outputs / np.exp(log_warmth), axis=1)
        return float(np.average(-(targets * logs).sum(axis=1), weights=weights))

    return float(np.exp(minimize_scalar(loss, bounds=_TEMPERATURES, method="bounded").x))


def _arrays(network: Any) -> dict[str, np.ndarray]:
    return {name: np.array(value.detach().cpu().numpy()) for name, value in network.state_dict().items()}


def _load(network: Any, state: State) -> None:
    torch = torch_of()
    network.load_state_dict(
        {name: torch.from_numpy(np.array(value)) for name, value in state.items() if name != "temperature"}
    )
