"""Make the starter forms' .xlsx from their .md sources, with the place lists taken from territory.csv.

Run from anywhere: `python tools/make_starter_xlsx.py [FOLDER]` (default: collector/starter). Each form in the folder

    territory.csv --+
                    +--> form.md (rows between the two place marks rewritten) --> form.xlsx
    form.md --------+

comes out byte for byte the same on every run, so a changed file always means a changed form.
"""

from __future__ import annotations

import csv
import io
import re
import sys
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.worksheet.worksheet import Worksheet
from pyxform.xls2json_backends import md_to_dict

STARTER = Path(__file__).resolve().parent.parent / "collector" / "starter"
BEGIN_PLACES = "# places: begin (written by tools/make_starter_xlsx.py from territory.csv)"
END_PLACES = "# places: end"
COLUMN_WIDTHS = {"type": 26, "name": 22, "list_name": 18, "relevant": 38, "constraint": 38, "calculation": 38}
TEXT_WIDTH = 44  # labels, hints and messages, in characters
FIXED_TIME = datetime(2026, 11, 21, tzinfo=UTC)  # file dates would make every run a different file
MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")

Row = tuple[str, str, str, str, str]  # list_name, name, Spanish label, English label, provincia


@dataclass(frozen=True)
class Place:
    """A province or comarca (level 1) or a district (level 2); `parent` is "" on level 1."""

    code: str
    level: int
    name: str
    parent: str


def read_places(path: Path) -> list[Place]:
    """List the places of `path` in file order."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return [Place(row["code"], int(row["level"]), row["name"], row["parent"]) for row in rows]


def display_names(places: Iterable[Place]) -> dict[str, str]:
    """Map each code to the name to show: with the parent where two places share a name.

    "Santa Fe" alone could be in Darién or in Veraguas, "Colón" the province or the district.
    """
    known = {place.code: place for place in places}
    times = Counter(place.name for place in known.values())
    return {
        code: f"{place.name} ({known[place.parent].name})" if place.parent and times[place.name] > 1 else place.name
        for code, place in known.items()
    }


def sort_key(label: str) -> str:
    """Return `label` without accents and case, so that Ñürüm stands between Nole Düima and Santa Catalina."""
    return "".join(
        letter for letter in unicodedata.normalize("NFD", label.casefold()) if not unicodedata.combining(letter)
    )


def place_rows(places: list[Place]) -> list[Row]:
    """List the choices that ask for a municipality in two steps.

    Guna Yala and Naso Tjër Di have no districts: each gets one row for the whole comarca, so that the second
    question always has an answer and that answer is always a code of territory.csv.
    """
    names = display_names(places)
    parents = {place.parent for place in places}
    in_order = sorted(places, key=lambda place: sort_key(place.name))
    provinces = [place for place in in_order if place.level == 1]
    whole = [place for place in provinces if place.code not in parents]
    return [
        *(("provincia", place.code, place.name, place.name, "") for place in provinces),
        *(
            ("municipio", place.code, names[place.code], names[place.code], place.parent)
            for place in in_order
            if place.level == 2
        ),
        *(
            ("municipio", place.code, f"{place.name} (toda la comarca)", f"{place.name} (whole comarca)", place.code)
            for place in whole
        ),
    ]


def with_places(source: str, places: list[Place]) -> str:
    """Return the form `source` with the lines between the place marks written anew."""
    head, begin, rest = source.partition(BEGIN_PLACES + "\n")
    _, end, tail = rest.partition(END_PLACES + "\n")
    if not begin or not end:
        raise ValueError(f'The form must hold the lines "{BEGIN_PLACES}" and "{END_PLACES}", in this order.')
    rows = "".join(f"| | {' | '.join(row)} |\n" for row in place_rows(places))
    return head + begin + rows + end + tail


def workbook_of(source: str) -> Workbook:
    """Return the form `source` as a workbook, read by the reader that publishing uses."""
    book = Workbook()
    book.remove(book.worksheets[0])
    tables = md_to_dict(io.BytesIO(source.encode("utf-8")))
    for sheet_name in tables["sheet_names"]:
        headings = list(tables[f"{sheet_name}_header"][0])
        sheet = book.create_sheet(sheet_name)
        sheet.append(headings)
        for row in tables[sheet_name]:
            sheet.append([row.get(heading) for heading in headings])
        dress(sheet)
    return book


def dress(sheet: Worksheet) -> None:
    """Make `sheet` easy to read in a spreadsheet program: bold fixed headings, wrapped text, fitting widths."""
    sheet.freeze_panes = "A2"
    for column in sheet.iter_cols():
        heading = str(column[0].value)
        column[0].font = Font(bold=True)
        sheet.column_dimensions[column[0].column_letter].width = width_of(heading)
        for cell in column:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.number_format = "@"  # as text: a spreadsheet must not turn code 01 into 1


def width_of(heading: str) -> int:
    """Return the width in characters of the column under `heading`."""
    return COLUMN_WIDTHS.get(heading, TEXT_WIDTH if "::" in heading else 14)


def xlsx_bytes(book: Workbook) -> bytes:
    """Return `book` as an .xlsx that depends on its cells alone, not on the day it was written."""
    book.properties.creator = "Collector"
    book.properties.created = FIXED_TIME.replace(tzinfo=None)
    written = io.BytesIO()
    book.save(written)
    with zipfile.ZipFile(written) as parts:
        return zip_bytes({name: without_time(parts.read(name)) for name in parts.namelist()})


def without_time(part: bytes) -> bytes:
    """Return `part` with the time of saving, which openpyxl always writes, replaced by the fixed one."""
    return MODIFIED.sub(rb"\g<1>" + FIXED_TIME.strftime("%Y-%m-%dT%H:%M:%SZ").encode() + rb"\g<2>", part)


def zip_bytes(parts: Mapping[str, bytes]) -> bytes:
    """Return a zip of `parts` whose entries all carry the fixed time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, FIXED_TIME.timetuple()[:6])
            entry.create_system = 3  # a zip made on Windows says 0: say the same everywhere
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def make_forms(folder: Path) -> list[Path]:
    """Rewrite the places in every form source of `folder`, make its .xlsx, and list the .xlsx made."""
    places = read_places(folder / "territory.csv")
    return [make_form(source, places) for source in sorted(folder.glob("*.md")) if source.name != "README.md"]


def make_form(source: Path, places: list[Place]) -> Path:
    """Rewrite the places in the form `source` and make the .xlsx beside it."""
    text = with_places(source.read_text(encoding="utf-8"), places)
    source.write_text(text, encoding="utf-8", newline="\n")
    made = source.with_suffix(".xlsx")
    made.write_bytes(xlsx_bytes(workbook_of(text)))
    return made


if __name__ == "__main__":
    for path in make_forms(Path(sys.argv[1]) if len(sys.argv) > 1 else STARTER):
        print(path)
