"""Template fill: words of a text replaced by others that stand between the same two words elsewhere in the data.

    slots replaced = max(1, share · slots of the text)

Numbers are replaced by numbers and names by names; plain words where train labels are handed to `learn`, and only by words that say the
same of the label.

Source: Ribeiro, Wu, Guestrin, Singh (2020), Beyond Accuracy: Behavioral Testing of NLP Models with CheckList, section 3 (templates and
lexicons).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import pyarrow as pa

from tilth.core.draw import Draw
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.text_slots import slots_filled, slots_in
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, change_texts, chosen, refuse_severity

__all__ = ["TemplateFill"]

SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Of a text's slots, by severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFill:
    """Replace words by others that fill the same place in the data.

    Parameters
    ----------
    severity : 1 to 5: 10, 25, 50, 75 or 100 % of a text's slots, at least one
    columns : what it changes; () for every text column
    slots : words before and behind with "_" between, and the words that may stand there for one another, with spaces between, groups
        of them with "|" between, as {"call _ now": "0800 1234 | me us"}; learnt from train rows where none are given

    Randomness
    ----------
    seed, operator and row id decide everything
    """

    severity: int = 3
    columns: tuple[str, ...] = ()
    slots: Mapping[str, str] = field(default_factory=dict)

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.TEXT})
    label: ClassVar[LabelEffect] = "keep"
    learns_labels: ClassVar[bool] = True
    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse what is no severity."""
        refuse_severity(self.severity)

    @classmethod
    def example(cls) -> TemplateFill:
        """Return one that knows a slot."""
        return cls(slots={"met _ in": "Anna Bob"})

    def learn(self, train: Batch, labels: pa.Array | None = None) -> TemplateFill:
        """Return the transform with the slots of train rows; plain words fill them where labels (n,) are given."""
        if self.slots:
            return self
        texts, classes = list[str](), list[str | None]()
        named = [None] * len(train) if labels is None else labels.to_pylist()
        for name in chosen(train, self.columns, self.accepts):
            for text, label in zip(train.column(name).to_pylist(), named, strict=True):
                if text:
                    texts.append(text)
                    classes.append(label)
        known = any(label is not None for label in classes)
        found = slots_in(texts, classes if known else None)
        return replace(self, slots={key: " | ".join(map(" ".join, groups)) for key, groups in found.items()})

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with slots filled anew; a text without a known slot stays."""
        share, names = at_severity(SHARES, self.severity), chosen(batch, self.columns, self.accepts)
        slots = {key: tuple(tuple(one.split()) for one in said.split("|")) for key, said in self.slots.items()}
        return change_texts(batch, names, draw, lambda text, order, kind: slots_filled(text, order, kind, share, slots))
