"""A small network on the encoded features: two hidden layers that learn which combinations of columns matter.

    features -> norm -> [linear, norm, relu] twice -> linear

Source: Gorishniy, Rubachev, Khrulkov, Babenko (2021), Revisiting Deep Learning Models for Tabular Data, NeurIPS (the plain network as a
strong baseline).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from tilth.core.arrays import Matrix
from tilth.core.errors import ConfigError
from tilth.core.schema import TaskType
from tilth.core.target import Target, TargetKind
from tilth.learning._nets import Passes, predicted, rows_to_learn, torch_of, trained, training_of
from tilth.operators.protocols import State
from tilth.operators.view import View

__all__ = ["TableNet"]


@dataclass(frozen=True, kw_only=True)
class TableNet:
    """A network of two hidden layers on the encoded features.

    It does not read cells, so that varied rows reach it as made copies. Probabilities cover all classes of the schema in their order.

    Parameters
    ----------
    width : units of the first hidden layer; the second has half as many
    epochs, steps, rate, decay, rows, held_out, members : as of `convnet`

    Raises
    ------
    MissingExtraError : torch is not installed; pip install 'tilth[torch]'
    LabelError : no row has a target
    ConfigError : a parameter out of range

    Randomness: first weights and the order of rows; the run's seed decides them.

    Source: Gorishniy et al. (2021), NeurIPS.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"embeddings"})
    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.BINARY, TaskType.MULTICLASS})
    accepts: ClassVar[frozenset[TargetKind]] = frozenset({TargetKind.CLASS, TargetKind.DISTRIBUTION})
    revision: ClassVar[int] = 2

    width: int = 128
    epochs: int = 20
    steps: int = 1_000
    rate: float = 0.005
    decay: float = 0.05
    rows: int = 128
    held_out: float = 0.1
    members: int = 1

    def __post_init__(self) -> None:
        """Refuse sizes that make no network."""
        if self.width < 2:
            raise ConfigError("width is at least 2")
        Passes.of(self)

    @classmethod
    def example(cls) -> TableNet:
        """Return a network that is trained as briefly as makes sense, to look at how it works."""
        return cls(steps=0)

    def grid(self) -> Sequence[TableNet]:
        """Return itself: its settings are fixed."""
        return (self,)

    def proxy(self, share: float) -> TableNet:
        """Return a network that is trained for a share of the time, to screen what may help."""
        return replace(self, **Passes.of(self).part(share))

    def work(self, n_rows: int) -> float:
        """Return how many operations a fit to n rows costs, about, with some hundred features."""
        return 6.0 * n_rows * Passes.of(self).over(n_rows) * self.members * (100 * self.width + self.width**2 / 2) * 4

    def prepare(self, view: View) -> None:
        """Return nothing: the features are read as they are."""
        del view

    def fit(self, view: View, target: Target, *, prepared: None = None, start: State | None = None) -> State:
        """Return the weights that training leaves; a start changes nothing: every training begins at its own draw."""
        del prepared, start
        torch_of()
        rows = rows_to_learn(view, target)
        features = view.embeddings[rows]
        training = training_of(view, target, rows, lambda some, _: features[some], None)
        return trained(_build(features.shape[1], self.width, view.n_classes), training, Passes.of(self))

    def predict_proba(self, view: View, model: State) -> Matrix:
        """Return (n, k) class probabilities."""
        features = view.embeddings
        network = _build(features.shape[1], self.width, view.n_classes)
        return predicted(network, model, lambda rows, _: features[rows], len(view))


def _build(inputs: int, width: int, n_classes: int) -> Any:
    """Return the network as a torch module that knows its number of classes."""
    nn = torch_of().nn
    network = nn.Sequential()
    parts = {
        "first_norm": nn.BatchNorm1d(inputs),
        "one": nn.Linear(inputs, width),
        "one_norm": nn.BatchNorm1d(width),
        "one_relu": nn.ReLU(),
        "two": nn.Linear(width, width // 2),
        "two_norm": nn.BatchNorm1d(width // 2),
        "two_relu": nn.ReLU(),
        "head": nn.Linear(width // 2, n_classes),
    }
    for name, part in parts.items():
        network.add_module(name, part)
    network.n_classes = n_classes
    return network
