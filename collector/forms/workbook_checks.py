"""Checks of columns, choices, settings and translations: what is not about one row of the survey sheet.

Pure. `check_columns`, `check_choices`, `check_settings` and `check_translations` each give all they find.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from collector.forms import support
from collector.forms.report import Finding
from collector.forms.sentences import say
from collector.forms.sheets import Outline, SheetRow, Sheets, Table, active_rows, setting
from collector.forms.support import TEXT_COLUMNS
from collector.forms.survey_checks import plain_name
from collector.forms.terms import TERM_SETTINGS, wrong_terms

LONGEST_ID = 249
FORM_ID = re.compile(rf"[\w.\-]{{1,{LONGEST_ID}}}")
FORM_ID_ENDINGS = (".xls", ".xlsx", ".xml")
ROWS_NAMED = 12  # row numbers written out in one sentence


# --- sheets and columns


def check_columns(sheets: Sheets) -> Iterator[Finding]:
    """Give findings on headers and on sheets that are not used."""
    for sheet in ("survey", "choices", "settings"):
        yield from _repeated_columns(sheets, sheet)
    yield from _survey_columns(sheets)
    yield from _privacy(sheets)
    yield from _appearances(sheets)
    for name in sheets.others:
        code = "sheet_refused" if name == "entities" else "sheet_unused"
        yield say(code, sheet=name, name=name)


def _repeated_columns(sheets: Sheets, sheet: str) -> Iterator[Finding]:
    seen: dict[tuple[str, str], str] = {}
    for column in sheets.table(sheet).columns:
        key = (column.name, column.language)
        if key in seen:
            code = "setting_twice" if sheet == "settings" else "column_twice"
            yield say(code, sheet=sheet, row=1, column=column.header, cell=column.header, other=seen[key])
        seen.setdefault(key, column.header)


def _survey_columns(sheets: Sheets) -> Iterator[Finding]:
    table = sheets.table("survey")
    for column in table.columns:
        if not any(row.cells.get(column.header) for row in table.rows):
            continue  # a template's empty columns say nothing
        code = _column_code(column.name)
        if code:
            yield say(code, sheet="survey", row=1, column=column.header, cell=column.header)


def _privacy(sheets: Sheets) -> Iterator[Finding]:
    """Warn of a word that the column privacy does not know: a slip hides what it stands at."""
    table = sheets.table("survey")
    for row in active_rows(table):
        said = table.text(row, "privacy").strip()
        if said and said.lower() not in support.PRIVACY:
            yield _at(table, row, "privacy", "privacy_unknown", known=", ".join(sorted(support.PRIVACY)))


def _column_code(name: str) -> str:
    """Return what is said of a survey column with cells in it, "" for nothing."""
    if name in support.UNUSED_COLUMNS:
        return "column_unused"
    if name in support.WARNED_COLUMNS:
        return "column_left_out"
    known = name in support.SURVEY_COLUMNS or name in support.REFUSED_COLUMNS
    return "" if known else "column_unknown"


def _appearances(sheets: Sheets) -> Iterator[Finding]:
    """Name each appearance that is not known, once, where it is first used."""
    table = sheets.table("survey")
    known = support.APPEARANCES | set(support.DEGRADED_APPEARANCES)
    said: set[str] = set()
    for row in active_rows(table):
        text = table.text(row, "appearance")
        if any(mark in text.replace(" ", "") for mark in support.REFUSED_APPEARANCES) or "${" in text:
            continue
        for word in text.split():
            if word not in known | said and not support.COLUMNS_APPEARANCE.fullmatch(word):
                yield _at(table, row, "appearance", "appearance_unknown", name=word)
                said.add(word)


# --- choices


def check_choices(sheets: Sheets, walked: Outline) -> Iterator[Finding]:
    """Give findings on the choices sheet: only lists that a question uses can be wrong for it."""
    table = sheets.table("choices")
    several = {node.type.list_name for node in walked.nodes if node.type.kind in ("select_multiple", "rank")}
    single = {node.type.list_name for node in walked.nodes if node.type.kind == "select_one"}
    if table.rows:
        yield from _missing_columns(table, ("list_name", "name") if single | several else ())
    if table.has("list_name") and table.has("name"):
        yield from _choice_names(table, setting(sheets, "allow_choice_duplicates").lower() in support.YES)
        for row in table.rows:
            yield from _choice_cells(table, row, single, several)


def _missing_columns(table: Table, wanted: tuple[str, ...]) -> Iterator[Finding]:
    for name in wanted:
        if not table.has(name):
            yield say("column_missing", sheet=table.sheet, row=1, column=name, sheet_name=table.sheet, missing=name)


def _choice_names(table: Table, may_repeat: bool) -> Iterator[Finding]:
    seen: dict[tuple[str, str], int] = {}
    for row in table.rows:
        list_name, name = table.text(row, "list_name"), table.text(row, "name")
        if list_name and not name:
            yield _at(table, row, "name", "choice_name_missing", list_name=list_name)
        elif name and not list_name:
            yield say("choice_list_missing", sheet="choices", row=row.row, column=table.header("list_name"), cell=name)
        elif name and (list_name, name) in seen and not may_repeat:
            yield _at(table, row, "name", "choice_twice", list_name=list_name, other=seen[list_name, name])
        seen.setdefault((list_name, name), row.row)


def _choice_cells(table: Table, row: SheetRow, single: set[str], several: set[str]) -> Iterator[Finding]:
    list_name, name = table.text(row, "list_name"), table.text(row, "name")
    if " " in name and list_name in single | several:
        code = "choice_space_multiple" if list_name in several else "choice_space"
        yield _at(table, row, "name", code, example=plain_name(name))
    media = any(table.text(row, kind) for kind in support.MEDIA_COLUMNS)
    if name and list_name in single | several and not table.text(row, "label") and not media:
        header = table.header("label")
        yield say("choice_label_missing", sheet="choices", row=row.row, column=header, cell=name)


def _at(table: Table, row: SheetRow, name: str, code: str, /, **values: object) -> Finding:
    header = table.header(name, row)
    return say(code, sheet=table.sheet, row=row.row, column=header, cell=row.cells.get(header, ""), **values)


# --- settings


def check_settings(sheets: Sheets, stem: str) -> Iterator[Finding]:
    """Give findings on the settings sheet. `stem`: the file's name without its ending."""
    table = sheets.table("settings")
    form_id, version = form_id_of(sheets, stem), version_of(sheets)
    if not setting(sheets, "form_id"):
        yield say("form_id_missing", sheet="settings", column="form_id", form_id=form_id)
    if not version:
        yield say("version_missing", sheet="settings", column="version")
    for row in table.rows[:1]:
        if setting(sheets, "form_id") not in ("", form_id):
            yield _at(table, row, "form_id", "form_id_bad", form_id=form_id)
        if setting(sheets, "version") != version:
            yield _at(table, row, "version", "version_bad", version=version)
        yield from _setting_names(table, row)
        yield from _terms(table, row)
        yield from _default_language(sheets, row)


def form_id_of(sheets: Sheets, stem: str) -> str:
    """Return the form_id, else the file's name; where it cannot stand in an address, the nearest that can."""
    wanted = setting(sheets, "form_id") or stem
    if FORM_ID.fullmatch(wanted) and not wanted.lower().endswith(FORM_ID_ENDINGS) and wanted not in (".", ".."):
        return wanted
    wanted = re.sub(r"(?i)\.(?:xlsx?|xml)$", "", wanted)
    return re.sub(r"[^\w.-]+", "_", wanted).strip("_-.")[:LONGEST_ID] or "formulario"


def version_of(sheets: Sheets) -> str:
    """Return the version, its slashes as hyphens: it stands in addresses."""
    return setting(sheets, "version").replace("/", "-")


def _setting_names(table: Table, row: SheetRow) -> Iterator[Finding]:
    for column in table.columns:
        cell = row.cells.get(column.header, "")
        code = "setting_unknown"
        if column.name in support.LEAST_GROUPS:
            yield from _group(column.name, column.header, row)
            continue
        if column.name in support.SETTINGS | support.CONSENT_SETTINGS | {*TERM_SETTINGS} or not cell:
            continue
        if column.name == "public_key":
            code = "setting_refused"
        elif column.name in support.UNUSED_SETTINGS:
            code = "setting_unused"
        yield say(code, sheet="settings", row=row.row, column=column.header, cell=cell)


def _group(name: str, header: str, row: SheetRow) -> Iterator[Finding]:
    cell, least = row.cells.get(header, ""), support.LEAST_GROUPS[name]
    if cell and not support.is_group(name, cell):
        yield say("setting_group_low", sheet="settings", row=row.row, column=header, cell=cell, least=least)


def _terms(table: Table, row: SheetRow) -> Iterator[Finding]:
    """Refuse a term that a node could not keep: what is promised to people must be what happens."""
    said = {name: table.text(row, name) for name in TERM_SETTINGS}
    for name, code in wrong_terms(said).items():
        yield _at(table, row, name, code, raw=said[TERM_SETTINGS[1]])


def _default_language(sheets: Sheets, row: SheetRow) -> Iterator[Finding]:
    wanted = setting(sheets, "default_language")
    languages = languages_of(sheets, "")
    named = [language for language in languages if language]
    if wanted and named and wanted not in languages and "" not in languages:
        table = sheets.table("settings")
        yield _at(table, row, "default_language", "language_unknown", languages=", ".join(named))


# --- translations


def languages_of(sheets: Sheets, unnamed: str) -> list[str]:
    """List the languages the form's texts are in; columns without one count as `unnamed`."""
    columns = [*sheets.table("survey").columns, *sheets.table("choices").columns]
    names = [column.language or unnamed for column in columns if column.name in TEXT_COLUMNS]
    return list(dict.fromkeys(names))


def check_translations(sheets: Sheets, walked: Outline) -> Iterator[Finding]:
    """Give one warning a column and language: which rows have the text in another language but not in this one.

    Columns that name no language are not one that people choose, where others do.
    """
    unnamed = setting(sheets, "default_language")
    languages = list(filter(None, languages_of(sheets, unnamed)))
    used = {node.type.list_name for node in walked.nodes}
    if not languages or len(languages_of(sheets, unnamed)) < 2:
        return
    for sheet in ("survey", "choices"):
        table = sheets.table(sheet)
        if sheet == "choices":
            rows = [row for row in table.rows if table.text(row, "list_name") in used]
            table = replace(table, rows=rows)
        for name in TEXT_COLUMNS:
            for language in languages:
                yield from _untranslated(table, name, language, unnamed)


def _untranslated(table: Table, name: str, language: str, unnamed: str) -> Iterator[Finding]:
    mine = [c for c in table.columns if c.name == name and (c.language or unnamed) == language]
    missing = [
        row for row in table.rows if table.text(row, name) and not any(row.cells.get(column.header) for column in mine)
    ]
    if missing:
        numbers = [str(row.row) for row in missing[:ROWS_NAMED]]
        rows = ", ".join(numbers) + ("…" if len(missing) > ROWS_NAMED else "")
        header = mine[0].header if mine else f"{name}::{language}"
        cell = table.text(missing[0], name)
        values = {"language": language, "count": len(missing), "rows": rows}
        yield say("translation_missing", sheet=table.sheet, row=missing[0].row, column=header, cell=cell, **values)


def check_shape(sheets: Sheets) -> Iterator[Finding]:
    """Give what makes every other check pointless: no survey sheet, no type column, nothing asked."""
    if not sheets.headers.get("survey"):
        yield say("no_survey", names=", ".join(sheets.names) or "-")
        return
    table = sheets.table("survey")
    missing = list(_missing_columns(table, ("type", "name")))
    yield from missing
    if not missing and not any(active_rows(table)):
        yield say("no_questions", sheet="survey")
