"""Secondary instances -> items, column by column: inside the form, or an attached csv, xml or geojson file."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree as SafeXml
from defusedxml.common import DefusedXmlException

from collector.forms.xform.elements import elements, local, trimmed

Item = dict[str, str]
TEXT = "text()"  # the column of an item that is a text itself


def items_of(root: Element) -> list[Item]:
    """Read the items below the root of an instance; a root that holds texts, not items, is one item itself."""
    if is_one_item(root):
        return [item_of(root)]
    return [columns_of(item) for item in elements(root)]


def is_one_item(root: Element) -> bool:
    """Tell whether the children of an instance's root are texts of different names (a last record), not items."""
    names = [local(item) for item in elements(root)]
    is_texts = not any(elements(item) or item.attrib for item in elements(root))
    return bool(names) and is_texts and len(set(names)) == len(names)


def columns_of(item: Element) -> Item:
    """Read one item of a list, which may be a text itself."""
    return item_of(item) if elements(item) else {TEXT: trimmed(item), **item_of(item)}


def item_of(item: Element, prefix: str = "") -> Item:
    """Read one item: column (with / for a nested one, @ for an attribute) -> text."""
    columns = {f"{prefix}@{name.rpartition('}')[2]}": text for name, text in item.attrib.items()}
    for cell in elements(item):
        name = prefix + local(cell)
        if name not in columns:
            columns |= {name: trimmed(cell)} | item_of(cell, name + "/")
    return columns


def file_items(name: str, text: str) -> tuple[list[Item], bool]:
    """Read an attached list; and tell whether it is one item. Raises ValueError with what is wrong."""
    name = name.lower()
    if name.endswith(".csv"):
        return list(csv_items(text)), False
    if name.endswith(".geojson"):
        return list(geojson_items(text)), False
    root = file_root(text)
    return items_of(root), is_one_item(root)


def file_root(text: str) -> Element:
    """Return the root of an attached xml file. Raises ValueError with what is wrong."""
    try:
        root: Element = SafeXml.fromstring(text)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise ValueError(str(error)) from error
    return root


def csv_items(text: str) -> Iterator[Item]:
    """Read a csv file with a header; a byte order mark and empty lines are left out."""
    text = text.removeprefix("\ufeff")
    for row in csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter_of(text)):
        yield {str(name).strip(): (value or "").strip() for name, value in row.items() if isinstance(name, str)}


def delimiter_of(text: str) -> str:
    """Return what parts the cells of a csv file: a semicolon where its header says so (Excel in Spanish)."""
    header = text.partition("\n")[0]
    return ";" if header.count(";") > header.count(",") else ","


def geojson_items(text: str) -> Iterator[Item]:
    """Read the features of a geojson file: their properties, id and geometry (as ODK writes places)."""
    read = json.loads(text)
    features = read.get("features") if isinstance(read, dict) else None
    if not isinstance(features, list):
        raise ValueError("no FeatureCollection")
    for feature in features:
        if not isinstance(feature, dict):
            raise ValueError("a feature is no object")
        given = feature.get("properties")
        properties = given if isinstance(given, dict) else {}
        known = {"id": feature["id"]} if "id" in feature else {}
        yield {name: json_text(value) for name, value in (known | properties).items()} | {
            "geometry": geometry_text(feature.get("geometry"))
        }


def json_text(value: Any) -> str:
    """Write a JSON value as a question would hold it."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def geometry_text(geometry: Any) -> str:
    """Write a geometry as "lat lon 0 0", points with "; " between them."""
    coordinates = geometry.get("coordinates") if isinstance(geometry, dict) else None
    while isinstance(coordinates, list) and coordinates and isinstance(coordinates[0], list):
        if all(isinstance(point, list) and point and not isinstance(point[0], list) for point in coordinates):
            return "; ".join(_point_text(point) for point in coordinates)
        coordinates = coordinates[0]
    return _point_text(coordinates) if isinstance(coordinates, list) else ""


def _point_text(point: list[Any]) -> str:
    return f"{json_text(point[1])} {json_text(point[0])} 0 0" if len(point) > 1 else ""
