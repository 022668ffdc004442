"""Questions as Label Studio tasks: data with the row's id, suggestions as pre-annotations, and the labelling interface.

Source: Label Studio documentation, labelstud.io/guide/predictions (pre-annotations) and labelstud.io/tags (interface).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow as pa

from tilth.core.schema import ColumnType, Schema
from tilth.loop.locations import writing

__all__ = ["interface_of", "tasks_of", "write_studio"]

QUESTION = "label"
"""What the choice is called in the interface and in the answers."""
SHEET = ("row_id", "split", "given", "suggestion", "reason", "annotator", "answer")


def write_studio(table: pa.Table, schema: Schema, tasks: Path, interface: Path) -> None:
    """Write the tasks as JSON, and the labelling interface as XML."""
    with writing(tasks):
        text = json.dumps(tasks_of(table, schema), indent=1, ensure_ascii=False)
        tasks.write_text(text + "\n", encoding="utf-8")
    with writing(interface):
        interface.write_text(interface_of(table, schema) + "\n", encoding="utf-8")


def tasks_of(table: pa.Table, schema: Schema) -> list[dict[str, Any]]:
    """Return one task per question; a suggestion that is one answer becomes its prediction."""
    keys = _keys(table)
    to_name = _objects(table, schema)[0][1]
    return [_task(row, keys, to_name, schema) for row in table.to_pylist()]


def interface_of(table: pa.Table, schema: Schema) -> str:
    """Return the XML of the labelling interface: what is shown, and the classes to choose from, or a number."""
    view = ElementTree.Element("View")
    for tag, name, title in _objects(table, schema):
        ElementTree.SubElement(view, "Header", value=title)
        ElementTree.SubElement(view, tag, name=name, value=f"${name}")
    to_name = _objects(table, schema)[0][1]
    ElementTree.SubElement(view, "Header", value=schema.task.label)
    if schema.task.is_regression:
        ElementTree.SubElement(view, "Number", name=QUESTION, toName=to_name, required="true")
    else:
        choices = ElementTree.SubElement(
            view, "Choices", name=QUESTION, toName=to_name, choice="single", required="true"
        )
        for name in schema.task.classes:
            ElementTree.SubElement(choices, "Choice", value=name)
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode")


def _shown(table: pa.Table) -> list[str]:
    return [name for name in table.column_names if name not in SHEET]


def _keys(table: pa.Table) -> dict[str, str]:
    """Return column -> key in the tasks' data: letters, digits and underscores, each different."""
    keys: dict[str, str] = {}
    for name in _shown(table):
        plain = re.sub(r"\W+", "_", name).strip("_") or "column"
        while plain in (*SHEET, *keys.values(), QUESTION):
            plain += "_"
        keys[name] = plain
    return keys


def _objects(table: pa.Table, schema: Schema) -> list[tuple[str, str, str]]:
    """Return tag, key and title of what is shown, images first; the row's id where no column may be shown."""
    images = {column.name for column in schema.columns if column.type is ColumnType.IMAGE}
    parts = [("Image" if name in images else "Text", key, name) for name, key in _keys(table).items()]
    parts.sort(key=lambda part: part[0] != "Image")
    return parts or [("Text", "row_id", "row")]


def _task(row: dict[str, Any], keys: dict[str, str], to_name: str, schema: Schema) -> dict[str, Any]:
    data = {"row_id": row["row_id"]} | {key: row[name] if row[name] is not None else "" for name, key in keys.items()}
    data |= {"reason": row["reason"]} | ({"annotator": row["annotator"]} if row.get("annotator") else {})
    value = _value(row["suggestion"], schema)
    if value is None:
        return {"data": data}
    kind, said = value
    result = {"from_name": QUESTION, "to_name": to_name, "type": kind, "value": {kind: said}}
    return {"data": data, "predictions": [{"model_version": "tilth", "result": [result]}]}


def _value(suggestion: str | None, schema: Schema) -> tuple[str, Any] | None:
    if suggestion is None:
        return None
    if schema.task.is_regression:
        return "number", float(suggestion)
    return ("choices", [suggestion]) if suggestion in schema.task.classes else None
