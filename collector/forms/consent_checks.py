"""Checks of what the settings say of consent: each finding names the cell, in settings or choices, it is about."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from collector.forms import support
from collector.forms.consent import AGE_BAND, ROW, WRITTEN, Band, Consent, age_in
from collector.forms.readability import PLAIN, fernandez_huerta, is_spanish
from collector.forms.report import Finding
from collector.forms.sentences import say
from collector.forms.sheets import SheetRow, Sheets, Table, active_rows
from collector.forms.support import CONSENT_TEXT_SETTINGS, NOTICE_ITEMS

VERSION = re.compile(r"[\w.\-]{1,40}")
DEFAULTS = ("default", "selected", "checked")


def check_consent(sheets: Sheets) -> Iterator[Finding]:
    """Give every finding on consent; nothing for a form whose settings do not speak of it."""
    consent = Consent(sheets)
    if not consent.is_asked:
        return
    yield from _names(sheets)
    yield from _version(consent)
    yield from _notice(consent)
    yield from _languages(consent)
    yield from _purposes(consent)
    yield from _ages(consent)


def told_in_settings(finding: Finding, sheets: Sheets) -> Finding:
    """Return a finding on a row that publishing wrote, at the setting that the row was made of."""
    row = sheets.settings[0] if sheets.settings else None
    is_of_header = finding.cell == finding.column or finding.code == "column_missing"
    is_written = finding.sheet == "survey" and finding.row == ROW and not is_of_header
    if not is_written or row is None or not Consent(sheets).is_asked:
        return finding
    table = sheets.table("settings")
    column = next((header for header, cell in row.cells.items() if cell == finding.cell), "")
    column = column or table.header("consent_notice", row)
    return replace(finding, sheet="settings", row=row.row, column=column, cell=row.cells.get(column, ""))


def _at(consent: Consent, name: str, code: str, /, **values: object) -> Finding:
    """Return a finding on a setting."""
    header = consent.settings.header(name, consent.row)
    row = consent.row
    cell = row.cells.get(header, "") if row else ""
    return say(code, sheet="settings", row=row.row if row else None, column=header, cell=cell, **values)


# --- names, version


def _names(sheets: Sheets) -> Iterator[Finding]:
    """Name the author's rows that have a name of ours: nobody could tell the two apart."""
    table = sheets.table("survey")
    for row in active_rows(table):
        name = table.text(row, "name")
        if name in WRITTEN and not (name == AGE_BAND and row == Consent(sheets).own_age):
            header = table.header("name", row)
            yield say("consent_name_taken", sheet="survey", row=row.row, column=header, cell=name)


def _version(consent: Consent) -> Iterator[Finding]:
    version = consent.setting("consent_version")
    if not version:
        yield _at(consent, "consent_version", "consent_version_missing")
    elif not VERSION.fullmatch(version):
        yield _at(consent, "consent_version", "consent_version_bad")


# --- the notice


def _notice(consent: Consent) -> Iterator[Finding]:
    missing = [item for item in NOTICE_ITEMS if not consent.said(item)]
    if len(missing) == len(NOTICE_ITEMS):
        code = "consent_items_unchecked" if consent.setting("consent_notice") else "consent_notice_missing"
        yield _at(consent, "consent_notice", code, items=", ".join(NOTICE_ITEMS))
    elif missing:
        for item in missing:
            yield _at(consent, item, "consent_item_missing")
    yield from _readability(consent)


def _readability(consent: Consent) -> Iterator[Finding]:
    for name in ("consent_notice", *NOTICE_ITEMS):
        for language, text in consent.said(name).items():
            score = fernandez_huerta(text) if is_spanish(language, text) else None
            if score is not None and score < PLAIN:
                yield _at(consent, name, "hard_to_read", score=round(score))


def _languages(consent: Consent) -> Iterator[Finding]:
    """Say which texts are missing in a language that people can choose, and which are in none of them."""
    for name in CONSENT_TEXT_SETTINGS:
        for column, _ in consent.settings.filled(consent.row, name) if consent.row else ():
            if consent.language_of(column) not in consent.languages:
                names = ", ".join(filter(None, consent.languages)) or "-"
                yield _in(consent, column.header, "consent_language_unknown", languages=names)
    for name in ("consent_notice", "consent_audio", *NOTICE_ITEMS):
        code = "consent_text_missing" if name == "consent_audio" else "consent_language_missing"
        said = consent.said(name)
        for language in consent.languages if said else ():
            if language not in said:
                yield _in(consent, f"{name}::{language}", code, language=language)
    for language in consent.languages:
        yield from _untold(consent, language)


def _untold(consent: Consent, language: str) -> Iterator[Finding]:
    """Name the short texts of the page that nobody wrote in a language."""
    asked = ["consent_title", "consent_accept"]
    asked += ["consent_purposes"] if consent.setting("purposes") else []
    asked += ["consent_age", "consent_guardian", "consent_assent"] if consent.setting("min_age") else []
    headers = [f"{name}::{language}" for name in asked if language not in consent.translated(name)]
    if headers:
        yield _in(consent, headers[0], "consent_texts_in_spanish", language=language, names=", ".join(headers))


def _in(consent: Consent, header: str, code: str, /, **values: object) -> Finding:
    """Return a finding on a column of the settings by its header, which need not be there."""
    row = consent.row
    cell = row.cells.get(header, "") if row else ""
    return say(code, sheet="settings", row=row.row if row else None, column=header, cell=cell, **values)


# --- purposes


def _purposes(consent: Consent) -> Iterator[Finding]:
    name = consent.setting("purposes")
    choices = consent.choices(name)
    if name and not choices:
        yield _at(consent, "purposes", "consent_list_unknown", list_name=name)
    yield from _defaults(consent.sheets.table("choices"), choices)


def _defaults(table: Table, choices: Iterable[SheetRow]) -> Iterator[Finding]:
    """Refuse a choice that is to be ticked from the start: it would be no consent."""
    for row in choices:
        for name in DEFAULTS:
            header = table.header(name, row)
            if row.cells.get(header):
                yield say("consent_default", sheet="choices", row=row.row, column=header, cell=row.cells[header])


# --- ages


def _ages(consent: Consent) -> Iterator[Finding]:
    wanted, name = consent.setting("min_age"), consent.setting("age_bands")
    if wanted and consent.min_age is None:
        yield _at(consent, "min_age", "consent_age_bad")
    if bool(wanted) != bool(name):
        missing, given = ("age_bands", "min_age") if wanted else ("min_age", "age_bands")
        yield _at(consent, missing, "consent_age_half", missing=missing, given=given)
    elif name and not consent.bands:
        yield _at(consent, "age_bands", "consent_list_unknown", list_name=name)
    elif consent.min_age is not None:
        yield from _bands(consent, consent.min_age)
        yield from _own_age(consent)


def _own_age(consent: Consent) -> Iterator[Finding]:
    """Check the author's own question for the age: the first row, with an answer, and no other row besides."""
    table = consent.sheets.table("survey")
    for row in consent.asking_age:
        if row != consent.own_age:
            yield _of_row(table, row, "type", "consent_age_twice")
        elif table.text(row, "required").lower() not in support.YES:
            yield _of_row(table, row, "required", "consent_age_optional")


def _of_row(table: Table, row: SheetRow, column: str, code: str) -> Finding:
    header = table.header(column, row)
    return say(code, sheet=table.sheet, row=row.row, column=header, cell=row.cells.get(header, ""))


def _bands(consent: Consent, min_age: int) -> Iterator[Finding]:
    table = consent.sheets.table("choices")
    for band in consent.bands:
        for column in ("min_age", "max_age"):
            if table.text(band.row, column) and age_in(table.text(band.row, column)) is None:
                yield _of_band(table, band, column, "consent_age_bad")
        if band.least is None and band.most is None:
            yield _of_band(table, band, "max_age", "consent_band_open", min_age=min_age)
        elif not band.is_minor(min_age) and (band.least or 0) < min_age:
            yield _of_band(table, band, "max_age", "consent_band_across", min_age=min_age)
    if not consent.minors and all(band.least is not None or band.most is not None for band in consent.bands):
        yield _at(consent, "age_bands", "consent_no_minors", min_age=min_age)


def _of_band(table: Table, band: Band, column: str, code: str, /, **values: object) -> Finding:
    header = table.header(column, band.row)
    cell = band.row.cells.get(header, "")
    return say(code, sheet="choices", row=band.row.row, column=header, cell=cell, name=band.name, **values)
