"""`datapackage.json`: what the tables of an export hold, in the words of Frictionless Data (Tabular Data Package)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from collector.exports.sheets import Field, Sheet
from collector.lab.tables import INTEGER, REAL

TYPES = {INTEGER: "integer", REAL: "number"}


def datapackage(
    form_id: str, title: str, sheets: Sequence[Sheet], counts: Mapping[str, int], facts: Mapping[str, Any]
) -> str:
    """Return the text of the file. counts: name of a sheet -> rows; facts: purpose, versions, last log number, …"""
    names = _names(sheets)
    content = {
        "profile": "tabular-data-package",
        "name": _slug(form_id),
        "title": title,
        **facts,
        "resources": [_resource(sheet, counts.get(sheet.name, 0), names) for sheet in sheets],
    }
    return json.dumps(content, ensure_ascii=False, indent=2)


def _slug(text: str) -> str:
    plain = "".join(mark if mark.isascii() and (mark.isalnum() or mark in "._-") else "-" for mark in text.lower())
    return plain.strip("-") or "form"


def _names(sheets: Sequence[Sheet]) -> dict[str, str]:
    """Return sheet -> name of its resource: two that would be one ("año", "a-o") keep their own."""
    found: dict[str, str] = {}
    for sheet in sheets:
        name, number = _slug(sheet.name), 1
        while name in found.values():
            number += 1
            name = f"{_slug(sheet.name)}-{number}"
        found[sheet.name] = name
    return found


def _resource(sheet: Sheet, rows: int, names: Mapping[str, str]) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "fields": [_field(each) for each in sheet.fields],
        "primaryKey": ["KEY"],
        "missingValues": [""],
    }
    if sheet.steps:
        link = {"fields": ["PARENT_KEY"], "reference": {"resource": names[sheet.parent], "fields": ["KEY"]}}
        schema["foreignKeys"] = [link]
    return {
        "profile": "tabular-data-resource",
        "name": names[sheet.name],
        "path": f"{sheet.name}.csv",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "rowCount": rows,
        "schema": schema,
    }


def _field(each: Field) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": each.name,
        "type": each.kind or TYPES.get(each.type, "string"),
        "title": each.label,
    }
    if each.choices:
        found["categories"] = [{"value": name, "label": label} for name, label in each.choices.items()]
    return found
