"""Fitted encoders as they are held: what is written of each column, and how it is read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np

from tilth.core.errors import StoreCorruptError
from tilth.core.ids import digest_of
from tilth.core.spec import Spec
from tilth.encoding._blocks import FittedColumn
from tilth.operators.registry import make, spec_of
from tilth.store.evidence import EvidenceCache

__all__ = ["features_key", "keep_column", "load_column", "operator_of"]


def keep_column(evidence: EvidenceCache, column: FittedColumn) -> dict[str, Any]:
    """Keep a fitted column's state, and return what is recorded of it."""
    spec = spec_of(column.encoder)
    key = digest_of([column.name, spec.to_dict(), _state_digest(column), column.scale])
    evidence.put_arrays(key, {name: np.asarray(column.state[name]) for name in sorted(column.state)})
    return {"column": column.name, "encoder": spec.to_dict(), "state": key, "scale": column.scale}


def load_column(evidence: EvidenceCache, facts: Mapping[str, Any]) -> FittedColumn:
    """Return a fitted column from what was recorded of it; raises StoreCorruptError where its state is gone."""
    state = evidence.get_arrays(facts["state"])
    if state is None:
        raise StoreCorruptError(
            f"the fitted state of column {facts['column']!r} is gone or damaged",
            where=f"evidence {facts['state']}",
            next_step="tilth run --refit fits the encoders anew",
        )
    encoder = operator_of(facts["encoder"])
    return FittedColumn(name=facts["column"], encoder=encoder, state=state, scale=facts["scale"])


def features_key(fitted: Sequence[FittedColumn]) -> str:
    """Return the digest of all that decides a row's features besides the row."""
    return digest_of([[c.name, spec_of(c.encoder).to_dict(), _state_digest(c), c.scale] for c in fitted])


def operator_of(facts: Mapping[str, Any]) -> Any:
    """Return the operator of a recorded spec."""
    spec = Spec.from_dict(dict(facts))
    return make(spec.room, spec.name, **{k: tuple(v) if isinstance(v, list) else v for k, v in spec.parameters.items()})


def _state_digest(column: FittedColumn) -> str:
    parts = {name: np.ascontiguousarray(array) for name, array in column.state.items()}
    return digest_of({name: [str(a.dtype), list(a.shape), _array_digest(a)] for name, a in parts.items()})


def _array_digest(array: np.ndarray) -> str:
    return blake2b(array.tobytes(), digest_size=16).hexdigest()
