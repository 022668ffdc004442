"""Drafts of rows that several editors make: between near rows, of parts of texts, and varied by a policy."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, rows_of
from tilth.core.errors import NotApplicable
from tilth.core.policy import Policy
from tilth.core.schema import ColumnType
from tilth.editing._made_cells import blended, plain_texts, voted_cells
from tilth.editing._made_rows import Draft, joined
from tilth.editing._making import BLENDED, refuse_columns, uniforms
from tilth.numerics.oversampling import near_in_class
from tilth.numerics.text_recombination import normal_form, recombined
from tilth.operators.policies import usual_policy
from tilth.operators.view import View

__all__ = ["drafted_among", "near_rows", "recombined_texts", "smoted", "usual_variation", "varied_rows"]


def drafted_among(
    view: View, rows: IntVector, anchors: IntVector, draws: IntVector, k: int
) -> tuple[Draft, tuple[str, ...]]:
    """Return a row for each anchor (m,), of parts of texts where there is a text column, else between near rows of its class.

    Partners are among `rows` (r,). With it comes what the edit's reason says is left out.

    Raises
    ------
    NotApplicable
        A column's cells cannot be made.
    """
    if any(column.type is ColumnType.TEXT for column in view.schema.features):
        draft, n_none = recombined_texts(view, rows, anchors, draws, k)
        return draft, (f"{n_none:,} from which no new text came",) if n_none else ()
    refuse_columns(view, (*BLENDED, ColumnType.CATEGORY))
    return smoted(view, rows, anchors, draws, k), ()


def near_rows(view: View, rows: IntVector, anchors: IntVector, k: int) -> IntVector:
    """Return the k near rows of each anchor's class among `rows`; positions in the view (r,), (m,) -> (m, k)."""
    place = np.full(len(view), -1, dtype=np.intp)
    place[rows] = np.arange(len(rows))
    labels = view.labels[rows].astype(np.intp)
    return rows[near_in_class(rows_of(view.embeddings, rows), labels, place[anchors], k)]


def smoted(view: View, rows: IntVector, anchors: IntVector, draws: IntVector, k: int) -> Draft:
    """Return a row for each anchor, between it and one of its k near rows of its class among `rows`; positions (r,), (m,), draws (m,)."""
    near = near_rows(view, rows, anchors, k)
    chance = uniforms(view, anchors, draws, 2, "between")
    partners = near[np.arange(len(anchors)), np.minimum((chance[:, 0] * k).astype(np.intp), k - 1)]
    cells: dict[str, pa.Array] = {}
    for column in view.schema.features:
        values = view.table.column(column.name)
        if column.type in BLENDED:
            cells[column.name] = blended(values, anchors, partners, chance[:, 1])
        else:
            cells[column.name] = voted_cells(values, anchors, near)
    parents = np.column_stack([anchors, partners])
    return Draft(cells=cells, parents=parents, draws=draws, labels=view.labels[anchors].astype(np.intp))


def recombined_texts(view: View, rows: IntVector, anchors: IntVector, draws: IntVector, k: int) -> tuple[Draft, int]:
    """Return a row for each anchor, (m,), from whose text something new comes out, and for how many none does.

    The longest text column changes; the anchor's other cells stay.
    """
    names = [column.name for column in view.schema.features if column.type is ColumnType.TEXT]
    texts = {name: plain_texts(view.table.column(name)) for name in names}
    name = max(names, key=lambda one: sum(len(text) for text in texts[one]))
    mine, known = texts[name], {normal_form(text) for text in texts[name]}
    near = near_rows(view, rows, anchors, k)
    chance = uniforms(view, anchors, draws, 2, "recombine")
    made: list[str] = []
    kept: list[int] = []
    partners: list[int] = []
    for row, anchor in enumerate(anchors):
        turned = np.roll(near[row], -int(chance[row, 0] * k))
        found = recombined(mine[anchor], [mine[other] for other in turned], float(chance[row, 1]), known)
        if found is not None:
            known.add(normal_form(found[0]))
            made.append(found[0])
            kept.append(row)
            partners.append(int(turned[found[1]]))
    at = anchors[kept] if kept else np.zeros(0, dtype=np.intp)
    cells = {one.name: _taken(view.table.column(one.name), at) for one in view.schema.features}
    cells[name] = pa.array(made, pa.string()).cast(cells[name].type)
    parents = np.column_stack([at, np.array(partners, dtype=np.intp)])
    draft = Draft(cells=cells, parents=parents, draws=draws[kept], labels=view.labels[at].astype(np.intp))
    return draft, len(anchors) - len(kept)


def usual_variation(view: View) -> Policy:
    """Return the policy of one usual transform a row.

    Raises
    ------
    NotApplicable
        Nothing says what the rows may be varied by, or no transform that keeps the label suits the features.
    """
    if not view.has("transforms") or view.transforms.vary is None or not view.transforms.changes:
        raise NotApplicable("no transform that keeps the label suits the features")
    return usual_policy(view.transforms.changes, "trivial")


def varied_rows(view: View, policy: Policy, anchors: IntVector, draws: IntVector) -> Draft:
    """Return each anchor (m,) as a policy varies it in a draw (m,); the view has `transforms`, see `usual_variation`."""
    vary = view.transforms.vary
    assert vary is not None, "the loop says what rows may be varied by"
    names = [column.name for column in view.schema.features]
    drafts = []
    for draw in np.unique(draws).tolist():
        some = anchors[draws == draw]
        cells = {name: _taken(view.table.column(name), some) for name in names}
        drafts.append(
            Draft(
                cells=dict(vary(policy.to_text(), view.take_ids(some), cells, draw)),
                parents=some[:, None],
                draws=np.full(len(some), draw, dtype=np.intp),
                labels=view.labels[some].astype(np.intp),
            )
        )
    return joined(drafts)


def _taken(column: pa.ChunkedArray, rows: IntVector) -> pa.Array:
    cells = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return cells.take(pa.array(rows, pa.int64()))
