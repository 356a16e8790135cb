"""Checks of the survey sheet: every row is looked at, everything found is said in one go.

Pure. `check_survey` is the entry; `workbook_checks` does columns, choices, settings and translations. What is supported
stands as data in `support`, what is said in `sentences`.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from pyxform.parsing.expression import is_xml_tag

from collector.forms import support
from collector.forms.people import asks_by_name, asks_by_text
from collector.forms.readability import PLAIN, fernandez_huerta, is_spanish
from collector.forms.report import Finding
from collector.forms.sentences import say
from collector.forms.sheets import Node, Outline, SheetRow, Sheets, Table, is_disabled, row_type
from collector.forms.support import EXPRESSION_COLUMNS, TEXT_COLUMNS

REFERENCE = re.compile(r"\$\{([^{}]*)(\}?)")
EXCEL_ERRORS = frozenset({"#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!"})
GUESSES = 200  # names compared for one hint: comparing is slow, and large forms can have many errors
RESERVED_NAMES = frozenset({"meta"})
UNASKED = frozenset({"note", "calculate", "hidden"})
SELECTS = frozenset({"select_one", "select_multiple", "rank"})
ASKED = (frozenset(support.ANSWER_TYPES.values()) | SELECTS) - UNASKED


@dataclass(frozen=True)
class Survey:
    """What the row checks need to know of the whole form."""

    table: Table
    outline: Outline
    lists: frozenset[str]
    rows_by_name: dict[str, list[int]]
    paths: frozenset[str]


def check_survey(sheets: Sheets, walked: Outline) -> Iterator[Finding]:
    """Give every finding of the survey sheet, row by row."""
    table = sheets.table("survey")
    choices = sheets.table("choices")
    lists = frozenset(choices.text(row, "list_name") for row in choices.rows) - {""}
    survey = Survey(table, walked, lists, _rows_by_name(walked), frozenset(node.path for node in walked.nodes))
    yield from _untyped_rows(table)
    yield from _unmatched(survey)
    yield from _names(survey)
    for node in walked.nodes:
        for check in ROW_CHECKS:
            yield from check(survey, node)


def _rows_by_name(walked: Outline) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for node in walked.nodes:
        names = (node.name, f"{node.name}_other") if node.type.has_other else (node.name,)
        for name in filter(None, names):
            rows.setdefault(name, []).append(node.row.row)
    return rows


def _at(table: Table, row: SheetRow, name: str, code: str, /, **values: object) -> Finding:
    """Return a finding on the cell of `row` under our column `name`."""
    header = table.header(name, row)
    return say(code, sheet=table.sheet, row=row.row, column=header, cell=row.cells.get(header, ""), **values)


def _under(node: Node, header: str, code: str, /, **values: object) -> Finding:
    """Return a finding on the cell of `node` under `header`."""
    cell = node.row.cells.get(header, "")
    return say(code, sheet="survey", row=node.row.row, column=header, cell=cell, **values)


def guesses(word: str, known: Iterable[str]) -> dict[str, str]:
    """Return the hint's ending that names the known word nearest to `word`, in both languages, "" for none."""
    alike = (each for each in sorted(known) if each[:1] == word[:1] or each[-2:] == word[-2:])
    near = difflib.get_close_matches(word, list(islice(alike, GUESSES)), n=1, cutoff=0.7)
    if not near:
        return {"guess": "", "guess_en": ""}
    return {"guess": f" ¿Quiso decir {near[0]}?", "guess_en": f" Did you mean {near[0]}?"}


def _untyped_rows(table: Table) -> Iterator[Finding]:
    for row in table.rows:
        if is_disabled(table, row):
            yield _at(table, row, "disabled", "row_disabled")
        elif not table.text(row, "type"):
            says_something = table.text(row, "name") or table.text(row, "label")
            yield _at(table, row, "type", "type_missing" if says_something else "row_skipped")


def _unmatched(survey: Survey) -> Iterator[Finding]:
    for row in survey.outline.unmatched:
        word = row_type(survey.table.text(row, "type")).word
        begins = word.startswith("begin")
        partner = word.replace("begin", "end") if begins else word.replace("end", "begin")
        yield _at(survey.table, row, "type", "begin_alone" if begins else "end_alone", partner=partner)


# --- types


def _type(survey: Survey, node: Node) -> Iterator[Finding]:
    word, kind = node.type.word, node.type.kind
    if kind in SELECTS:
        yield from _select(survey, node)
    elif kind in NOTED:
        yield _at(survey.table, node.row, "type", NOTED[kind])
    elif word in support.IGNORED_TYPES:
        what, what_en = support.IGNORED_TYPES[word]
        yield _at(survey.table, node.row, "type", "type_ignored", what=what, what_en=what_en)
    elif kind in support.DEGRADED_TYPES:
        how, how_en = support.DEGRADED_TYPES[kind]
        yield _at(survey.table, node.row, "type", "type_degraded", how=how, how_en=how_en)
    elif kind == "" or (kind == "begin" and word not in ("begin_group", "begin_repeat")):
        yield _refused_type(survey, node)


NOTED = {"clock": "type_clock", "place": "type_place", "silent": "type_silent"}


def _refused_type(survey: Survey, node: Node) -> Finding:
    word, whole = node.type.word, " ".join(survey.table.text(node.row, "type").split())
    if word in support.REFUSED_TYPES or whole.startswith(support.REFUSED_PREFIXES):
        instead = support.REFUSED_TYPES.get(word, ("Quite la fila.", "Remove the row."))
        return _at(survey.table, node.row, "type", "type_refused", instead=instead[0], instead_en=instead[1])
    known = [*support.ANSWER_TYPES, *support.SELECT_TYPES, "begin_group", "end_group", "begin_repeat", "end_repeat"]
    return _at(survey.table, node.row, "type", "type_unknown", **guesses(whole.lower(), known))


def _select(survey: Survey, node: Node) -> Iterator[Finding]:
    said = node.type
    if not said.list_name:
        yield _at(survey.table, node.row, "type", "list_missing")
    elif said.rest and not said.has_other:
        yield _at(survey.table, node.row, "type", "list_two", list_name=said.list_name)
    elif said.is_from_file:
        if not said.list_name.endswith(support.LIST_FILES):
            yield _at(survey.table, node.row, "type", "list_file_ending", name=said.list_name)
    elif "${" in said.list_name:
        yield from _select_rows(survey, node)
    elif said.list_name not in survey.lists:
        near = guesses(said.list_name, survey.lists)
        yield _at(survey.table, node.row, "type", "list_unknown", list_name=said.list_name, **near)
    yield from _or_other(survey, node)


def _select_rows(survey: Survey, node: Node) -> Iterator[Finding]:
    """Check the reference of a select whose choices are the answers of a repeat."""
    for match in REFERENCE.finditer(node.type.list_name):
        yield from _reference(survey, node, survey.table.header("type"), match)


def _or_other(survey: Survey, node: Node) -> Iterator[Finding]:
    """Check that `or_other` can get its choice and its question: see gate.py."""
    if not node.type.has_other:
        return
    if node.type.kind == "rank" or node.type.list_name not in survey.lists:
        yield _at(survey.table, node.row, "type", "or_other_list", rest=node.type.rest)
    elif survey.table.text(node.row, "choice_filter"):
        yield _at(survey.table, node.row, "choice_filter", "or_other_filter", rest=node.type.rest)
    elif f"{node.path}_other" in survey.paths:
        yield _at(survey.table, node.row, "type", "or_other_name", name=f"{node.name}_other")


# --- names


def _names(survey: Survey) -> Iterator[Finding]:
    """Check names: there, well written, not used twice in one group, not the same but for capitals."""
    seen: dict[str, int] = {}
    folded: dict[str, int] = {}
    for node in survey.outline.nodes:
        row, name = node.row, survey.table.text(node.row, "name")
        if not name and node.type.kind != "note" and node.type.word != "audit":
            yield _at(survey.table, row, "name", "name_missing", example=f"p{row.row}")
        elif name in RESERVED_NAMES:
            yield _at(survey.table, row, "name", "name_reserved")
        elif name and not is_xml_tag(name):
            yield _at(survey.table, row, "name", "name_bad", example=plain_name(name))
        elif name and node.path in seen:
            yield _at(survey.table, row, "name", "name_twice", other=seen[node.path])
        elif name and node.path.lower() in folded:
            yield _at(survey.table, row, "name", "name_case", other=folded[node.path.lower()])
        seen.setdefault(node.path, row.row)
        folded.setdefault(node.path.lower(), row.row)


def plain_name(text: str) -> str:
    """Return a usable name made from `text`: "1 año" -> "p1_año"."""
    name = re.sub(r"[^\w.-]+", "_", text.strip().lower()).strip("_.-") or "p"
    return name if name[0].isalpha() else f"p{name}"


# --- cells


def _label(survey: Survey, node: Node) -> Iterator[Finding]:
    shown = node.type.kind in ASKED or node.type.kind == "note"
    media = any(survey.table.text(node.row, name) for name in support.MEDIA_COLUMNS)
    if shown and not survey.table.text(node.row, "label") and not (survey.table.text(node.row, "hint") or media):
        yield _at(survey.table, node.row, "label", "label_missing", name=node.name)
    if node.type.word == "begin_repeat" and not survey.table.text(node.row, "label"):
        yield _at(survey.table, node.row, "label", "repeat_label_missing", name=node.name)


def _calculation(survey: Survey, node: Node) -> Iterator[Finding]:
    given = survey.table.text(node.row, "calculation") or survey.table.text(node.row, "default")
    if node.type.kind == "calculate" and not given:
        yield _at(survey.table, node.row, "calculation", "calculation_missing", name=node.name)


def _references(survey: Survey, node: Node) -> Iterator[Finding]:
    for name in (*EXPRESSION_COLUMNS, *TEXT_COLUMNS, "default", "repeat_count", "trigger"):
        for column, cell in survey.table.filled(node.row, name):
            for match in REFERENCE.finditer(cell):
                yield from _reference(survey, node, column.header, match)


def _reference(survey: Survey, node: Node, header: str, match: re.Match[str]) -> Iterator[Finding]:
    name, closed = match[1], match[2]
    rows = survey.rows_by_name
    if closed and name.startswith("last-saved#"):
        yield _under(node, header, "last_saved", written=match[0])
    elif not closed or not is_xml_tag(name):
        yield _under(node, header, "reference_bad", written=match[0][:40])
    elif name not in rows and name != "instanceID":
        yield _under(node, header, "reference_unknown", name=name, **guesses(name, rows))
    elif len(rows.get(name, [])) > 1:
        yield _under(node, header, "reference_twice", name=name, rows=", ".join(map(str, rows[name])))


def _refused_columns(survey: Survey, node: Node) -> Iterator[Finding]:
    if node.type.kind == "":
        return  # the type is spoken of already
    for name, (what, what_en) in support.REFUSED_COLUMNS.items():
        if survey.table.text(node.row, name):
            yield _at(survey.table, node.row, name, "column_refused", what=what, what_en=what_en)


def _appearance(survey: Survey, node: Node) -> Iterator[Finding]:
    text = survey.table.text(node.row, "appearance")
    refused = next((mark for mark in support.REFUSED_APPEARANCES if mark in text.replace(" ", "")), "")
    if refused:
        yield _at(survey.table, node.row, "appearance", "appearance_refused", name=text)
        return
    for word in text.split():
        if word in support.DEGRADED_APPEARANCES and node.type.kind == "image":
            how, how_en = support.DEGRADED_APPEARANCES[word]
            yield _at(survey.table, node.row, "appearance", "appearance_degraded", name=word, how=how, how_en=how_en)


def _yes_words(survey: Survey, node: Node) -> Iterator[Finding]:
    for name in support.YES_COLUMNS:
        for column, cell in survey.table.filled(node.row, name):
            meant = support.said_yes(cell)
            if meant:
                yield _under(node, column.header, "yes_word", meant=meant)


def _excel_errors(survey: Survey, node: Node) -> Iterator[Finding]:
    for header, cell in node.row.cells.items():
        if cell in EXCEL_ERRORS:
            yield _under(node, header, "excel_error")


# --- people


def _personal(survey: Survey, node: Node) -> Iterator[Finding]:
    what = asks_by_name(node.name, node.type.kind)
    if what:
        yield _at(survey.table, node.row, "name", "personal", name=node.name, what=what[0], what_en=what[1])
        return
    labels = list(survey.table.filled(node.row, "label"))
    found = asks_by_text((label for _, label in labels), node.type.kind)
    if found:
        number, (what_es, what_en) = found
        header = labels[number][0].header
        yield _under(node, header, "personal", name=node.name, what=what_es, what_en=what_en)


def _readability(survey: Survey, node: Node) -> Iterator[Finding]:
    if node.type.kind not in ASKED:
        return
    for column, label in survey.table.filled(node.row, "label"):
        score = fernandez_huerta(label) if is_spanish(column.language, label) else None
        if score is not None and score < PLAIN:
            yield _under(node, column.header, "hard_to_read", score=round(score))


ROW_CHECKS: tuple[Callable[[Survey, Node], Iterator[Finding]], ...] = (
    _type,
    _label,
    _calculation,
    _references,
    _refused_columns,
    _appearance,
    _yes_words,
    _excel_errors,
    _personal,
    _readability,
)
