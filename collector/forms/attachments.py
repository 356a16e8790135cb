"""The files that come with a form: which ones it names, where it names them, and whether they hold what is needed.

Pure: works on names and bytes. A form names lists (csv, xml, geojson), tables that pulldata() looks into, and pictures,
sounds and videos of its labels. Each missing file is one finding, on the first cell that names it; what is wrong inside
a file is found on the file's own line.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from collector.forms import support
from collector.forms.file_contents import list_findings, looks_like
from collector.forms.report import Finding
from collector.forms.sentences import say
from collector.forms.sheets import Node, Outline, SheetRow, Sheets, Table

PULLDATA = re.compile(r"pulldata\s*\(\s*(['\"])\s*([^'\"]+?)\s*\1")
PARAMETER = re.compile(r"(?:^|[\s,;])(value|label)\s*=\s*([^\s,;]+)")
JR_FILE = re.compile(r"jr://(images|audio|video|file|file-csv)/([^\s'\"]+|.+)")
JR_KINDS = {"images": "image", "audio": "audio", "video": "video"}
LIST_KINDS = ("list", "table")
LONGEST_NAME = 200
MEDIA_KINDS = ("image", "audio", "video")


@dataclass(frozen=True)
class Need:
    """A file that a form names. kind: list, table, image, audio or video; columns: those a list must have."""

    name: str
    kind: str
    sheet: str = "survey"
    row: int | None = None
    column: str = ""
    cell: str = ""
    columns: tuple[str, ...] = ()
    more: int = 0  # further cells that name it
    is_multiple: bool = False  # its values are joined by blanks


# --- what a form names


def needs_of_sheets(sheets: Sheets, walked: Outline) -> list[Need]:
    """List the files that the sheets name, each once, at its first cell."""
    return merged([*_survey_needs(sheets.table("survey"), walked), *_choice_needs(sheets, walked)])


def merged(needs: Iterable[Need]) -> list[Need]:
    """Return one need a file: the first, with the columns and the number of all."""
    found: dict[str, Need] = {}
    for need in needs:
        first = found.setdefault(need.name, replace(need, more=-1))
        found[need.name] = replace(
            first,
            columns=tuple(dict.fromkeys([*first.columns, *need.columns])),
            more=first.more + 1,
            is_multiple=first.is_multiple or need.is_multiple,
        )
    return list(found.values())


def _survey_needs(table: Table, walked: Outline) -> Iterator[Need]:
    for node in walked.nodes:
        if node.type.is_from_file and node.type.list_name.endswith(support.LIST_FILES):
            yield _list_need(table, node)
        elif node.type.kind == "data":
            ending = support.DATA_TYPES[node.type.word]
            yield _need(table, node.row, "name", node.name.removesuffix(ending) + ending, "table")
        for name in (*support.EXPRESSION_COLUMNS, "default", "repeat_count"):
            for match in PULLDATA.finditer(table.text(node.row, name)):
                yield _need(table, node.row, name, f"{match[2]}.csv", "table")
        yield from _media_needs(table, node.row)
        default = JR_FILE.fullmatch(table.text(node.row, "default"))
        if default and node.type.kind in MEDIA_KINDS:
            yield _need(table, node.row, "default", default[2], node.type.kind)


def _list_need(table: Table, node: Node) -> Need:
    name = node.type.list_name
    given: dict[str, str] = dict(PARAMETER.findall(table.text(node.row, "parameters")))
    usual = ("id", "title") if name.endswith(".geojson") else ("name", "label")
    columns = (given.get("value", usual[0]), given.get("label", usual[1]))
    need = _need(table, node.row, "type", name, "list")
    return replace(need, columns=columns, is_multiple=node.type.kind != "select_one")


def _choice_needs(sheets: Sheets, walked: Outline) -> Iterator[Need]:
    table = sheets.table("choices")
    used = {node.type.list_name for node in walked.nodes}
    for row in table.rows:
        if table.text(row, "list_name") in used:
            yield from _media_needs(table, row)


def _media_needs(table: Table, row: SheetRow) -> Iterator[Need]:
    for column, kind in support.MEDIA_COLUMNS.items():
        for header, cell in table.filled(row, column):
            name = cell.rpartition("/")[2] if cell.startswith("jr://") else cell
            if name != "-" and "${" not in name:
                yield Need(name, kind, table.sheet, row.row, header.header, cell)


def _need(table: Table, row: SheetRow, name: str, file: str, kind: str) -> Need:
    header = table.header(name, row)
    return Need(file, kind, table.sheet, row.row, header, row.cells.get(header, ""))


def need_of_address(text: str) -> Need | None:
    """Return the file that an address of an XForm names, None for other texts."""
    match = JR_FILE.fullmatch(text.strip())
    if match is None:
        return None
    kind = JR_KINDS.get(match[1], "table" if match[2].lower().endswith(support.LIST_FILES) else "file")
    return Need(match[2], kind, "xform", None, "", text.strip())


# --- what is attached


def plain_name(name: str) -> str:
    """Return a name so that equal ones compare equal: some systems write é as two characters."""
    return unicodedata.normalize("NFC", name)


def matched(needs: Iterable[Need], names: Iterable[str]) -> dict[str, str]:
    """Return name in the form -> name as attached, for those that are there."""
    attached = {plain_name(name): name for name in names}
    return {need.name: attached[plain_name(need.name)] for need in needs if plain_name(need.name) in attached}


def check_attachments(needs: list[Need], files: Mapping[str, bytes]) -> Iterator[Finding]:
    """Give findings on files that are missing, wrong inside, or not used; of media the first bytes are enough."""
    there = matched(needs, files)
    for need in needs:
        if not is_usable(need.name):
            yield at_need("file_name_bad", need, name=need.name)
        elif need.name not in there:
            yield _missing(need, files)
        else:
            yield from _content(need, files[there[need.name]])
    for name in sorted(set(files) - set(there.values())):
        yield say("file_unused", name=name)


def is_usable(name: str) -> bool:
    """Say whether a file can be kept under this name: one part of an address, not hidden."""
    return 0 < len(name) <= LONGEST_NAME and name.isprintable() and name[0] != "." and not set(name) & set("/\\")


def _missing(need: Need, files: Mapping[str, bytes]) -> Finding:
    near = difflib.get_close_matches(need.name.lower(), [name.lower() for name in files], n=1, cutoff=0.8)
    guess = next((name for name in files if near and name.lower() == near[0]), "")
    values: dict[str, object] = {
        "name": need.name,
        "more": f" (y en {need.more} celdas más)" if need.more else "",
        "more_en": f" (and in {need.more} more cells)" if need.more else "",
        "guess": f" ¿Es «{guess}»? El nombre debe ser igual, también en mayúsculas." if guess else "",
        "guess_en": f' Is it "{guess}"? The name must be the same, capitals too.' if guess else "",
    }
    return at_need("file_missing", need, **values)


def at_need(code: str, need: Need, /, **values: object) -> Finding:
    """Return a finding on the cell that names a file."""
    return say(code, sheet=need.sheet, row=need.row, column=need.column, cell=need.cell, **values)


def _content(need: Need, content: bytes) -> Iterator[Finding]:
    if need.kind in LIST_KINDS:
        yield from list_findings(need.name, content, need.columns, need.is_multiple)
    elif need.kind in MEDIA_KINDS and not looks_like(need.kind, content):
        yield at_need(f"file_no_{need.kind}", need, name=need.name)
