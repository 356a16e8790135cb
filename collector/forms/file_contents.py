"""What is inside an attached file: a picture, a sound, a video by its first bytes; a list by reading it.

Pure. Findings name the file as their sheet and its line as their row: what a person sees who opens it.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from xml.etree.ElementTree import ParseError

import defusedxml.ElementTree as SafeXml
from defusedxml.common import DefusedXmlException

from collector.forms.report import Finding
from collector.forms.sentences import say
from collector.forms.xform.lists import delimiter_of, file_items

HEAD_BYTES = 512  # enough of a picture, sound or video to know it
CSV_CELL = 1_000_000  # characters of one cell
STARTS = {
    "image": (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM"),
    "audio": (b"ID3", b"OggS", b"fLaC", b"#!AMR", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xf1", b"\xff\xf9",
              b"\x1aE\xdf\xa3"),
    "video": (b"\x1aE\xdf\xa3", b"OggS", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3", b"FLV"),
}  # fmt: skip
RIFF_KINDS = {b"WEBP": "image", b"WAVE": "audio", b"AVI ": "video"}
FTYP_IMAGES = (b"heic", b"heix", b"mif1", b"avif")
SVG = re.compile(rb"^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<svg[\s>]", re.S)


def looks_like(kind: str, content: bytes) -> bool:
    """Tell whether the first bytes are those of an image, audio or video file."""
    if content[:4] == b"RIFF":
        return RIFF_KINDS.get(content[8:12]) == kind
    if content[4:8] == b"ftyp":  # mp4 and its kin hold a picture, a sound or a film
        return (content[8:12] in FTYP_IMAGES) == (kind == "image")
    return content.startswith(STARTS[kind]) or (kind == "image" and bool(SVG.match(content)))


def text_of(content: bytes) -> str:
    """Return the text of a list, without a byte order mark. Raises UnicodeDecodeError."""
    return content.decode("utf-8-sig")


def list_findings(name: str, content: bytes, columns: tuple[str, ...], is_multiple: bool) -> Iterator[Finding]:
    """Give what is wrong with a list. columns: those it must have, the stored value first."""
    try:
        text = text_of(content)
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        yield say("file_encoding", sheet=name, row=row)
        return
    if name.lower().endswith(".csv"):
        yield from _csv_findings(name, text, columns, is_multiple)
    else:
        yield from _tree_findings(name, text, columns)


# --- csv


def _csv_findings(name: str, text: str, columns: tuple[str, ...], is_multiple: bool) -> Iterator[Finding]:
    csv.field_size_limit(CSV_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
    header = [cell.strip() for cell in next(reader, [])]
    if not any(header):
        yield say("file_empty", sheet=name, row=1)
        return
    yield from _header_findings(name, header, columns)
    at = header.index(columns[0]) if columns and columns[0] in header else None
    number = 0
    try:
        for cells in reader:
            number += any(cells)
            yield from _row_findings(name, reader.line_num, header, cells, at, is_multiple)
    except csv.Error as error:
        yield say("file_damaged", sheet=name, row=reader.line_num, detail=str(error))
    if not number:
        yield say("file_no_rows", sheet=name, row=1)


def _header_findings(name: str, header: list[str], columns: tuple[str, ...]) -> Iterator[Finding]:
    cell = ", ".join(filter(None, header))
    for column in columns:
        if column not in header:
            yield say("file_column_missing", sheet=name, row=1, column=column, cell=cell, missing=column)
    for column in sorted({each for each in header if each and header.count(each) > 1}):
        yield say("file_column_twice", sheet=name, row=1, column=column, cell=cell)


def _row_findings(
    name: str, line: int, header: list[str], cells: list[str], at: int | None, is_multiple: bool
) -> Iterator[Finding]:
    if not any(cells):
        return
    if any(cell.strip() for cell in cells[len(header) :]):
        yield say("file_row_long", sheet=name, row=line, cell=", ".join(cells)[:120], count=len(header))
    value = cells[at].strip() if at is not None and at < len(cells) else None
    if at is not None and not value:
        yield say("file_value_missing", sheet=name, row=line, column=header[at], cell=", ".join(cells)[:120])
    elif value and is_multiple and " " in value and at is not None:
        yield say("file_value_space", sheet=name, row=line, column=header[at], cell=value)


# --- xml and geojson


def _tree_findings(name: str, text: str, columns: tuple[str, ...]) -> Iterator[Finding]:
    is_xml = name.lower().endswith(".xml")
    try:
        if is_xml:
            SafeXml.fromstring(text)
        items, _is_one = file_items(name.lower(), text)
    except ParseError as error:
        yield say("file_damaged", sheet=name, row=error.position[0], detail=str(error))
        return
    except json.JSONDecodeError as error:
        yield say("file_damaged", sheet=name, row=error.lineno, detail=str(error))
        return
    except (DefusedXmlException, ValueError, RecursionError) as error:
        yield say("file_damaged", sheet=name, row=1, detail=str(error)[:200] or type(error).__name__)
        return
    if not items:
        yield say("file_no_rows", sheet=name, row=1)
    for column in columns:
        without = next((number for number, item in enumerate(items, start=1) if not item.get(column)), None)
        if without is not None:
            yield say("file_item_lacks", sheet=name, column=column, number=without, missing=column)
