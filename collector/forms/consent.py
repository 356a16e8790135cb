"""Consent before question one: what a spreadsheet's settings say of it, and the rows that publishing writes for it.

Pure. The notice is made of ordinary questions in front of the author's own, so that the page, its scripts, a page
without scripts, the lab and sync know it already:

    age_band              select_one, a page of its own: with min_age, unless the author's first question asks it
    consent/notice        note: a title, and the notice itself as its hint
    consent/accepted      acknowledge, required
    consent/purposes      select_multiple, never required, nothing ticked
    consent/guardian      text, required; consent/assent  acknowledge, required: both for the bands of minors alone
    consent/notice_version, consent/notice_sha256, consent/at    calculates: which notice, and when it was accepted

`consent_checks` says what is wrong in the settings; `consented` reads what a published form and a record hold of this.
"""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

from collector.forms.consent_texts import ITEM_HEADINGS, TEXTS
from collector.forms.consented import GROUP
from collector.forms.model import language_code
from collector.forms.readability import is_spanish
from collector.forms.sheets import Column, SheetRow, Sheets, Table, active_rows, row_type
from collector.forms.support import CONSENT_SETTINGS, NOTICE_ITEMS, TEXT_COLUMNS

ROW = 1  # the number of the rows written here: that of the header, which no row of an author has
AGE_BAND = "age_band"
INSIDE = ("notice", "accepted", "purposes", "guardian", "assent", "notice_version", "notice_sha256", "at")
WRITTEN = frozenset({GROUP, AGE_BAND, *INSIDE})
HASH_DIGITS = 16  # as many as a record says of its form
WHEN = "if(../accepted = 'OK', once(now()), '')"


@dataclass(frozen=True)
class Band:
    """An age band of the list: its row, and the ages it holds. None: the row does not say."""

    row: SheetRow
    name: str
    least: int | None
    most: int | None

    def is_minor(self, min_age: int) -> bool:
        """Tell whether everybody in it is younger than `min_age`."""
        return self.most is not None and self.most < min_age


@dataclass(frozen=True)
class Consent:
    """What the settings say of consent, read from the sheets."""

    sheets: Sheets

    @cached_property
    def settings(self) -> Table:
        """Return the settings sheet."""
        return self.sheets.table("settings")

    @cached_property
    def row(self) -> SheetRow | None:
        """Return the row of the settings, None where there is none."""
        return self.settings.rows[0] if self.settings.rows else None

    @cached_property
    def is_asked(self) -> bool:
        """Tell whether any setting of consent is filled."""
        return any(self.setting(name) for name in CONSENT_SETTINGS)

    def setting(self, name: str) -> str:
        """Return a setting, the first of its languages, "" where it is not given."""
        return self.settings.text(self.row, name) if self.row else ""

    @cached_property
    def languages(self) -> list[str]:
        """List the languages that people can choose, as the form's columns name them; [""] where none names one."""
        tables = (self.sheets.table("survey"), self.sheets.table("choices"))
        names = [self._named(c) for table in tables for c in table.columns if c.name in TEXT_COLUMNS]
        return list(dict.fromkeys(filter(None, names))) or [""]

    def _named(self, column: Column) -> str:
        return column.language or self.setting("default_language")

    def language_of(self, column: Column) -> str:
        """Return the language of the form that a column of the settings means: without one, the form's first."""
        return self._named(column) or self.languages[0]

    def said(self, name: str) -> dict[str, str]:
        """Return language -> what a setting says in it."""
        found = self.settings.filled(self.row, name) if self.row else ()
        return {self.language_of(column): text for column, text in found}

    def notice(self, language: str) -> str:
        """Return the notice in a language: the text, then the items of the Decree, each a paragraph."""
        paragraphs = [self.said("consent_notice").get(language, "")]
        headings = ITEM_HEADINGS.get(self.code_of(language), {})
        for item in NOTICE_ITEMS:
            text = self.said(item).get(language, "")
            heading = headings.get(item, "")
            paragraphs.append(f"{heading}: {text}" if text and heading else text)
        return "\n\n".join(filter(None, paragraphs))

    @cached_property
    def notice_sha256(self) -> str:
        """Return what names the notice: its text in every language, hashed as docs/consent.md says."""
        parts = [f"{language}\n{self.notice(language)}\n" for language in sorted(self.languages)]
        return hashlib.sha256("".join(parts).encode()).hexdigest()[:HASH_DIGITS]

    def code_of(self, language: str) -> str:
        """Return the code of a language of the form; of unnamed columns by how the questions are written."""
        if language:
            return language_code(language)
        table = self.sheets.table("survey")
        texts = [text for row in self.sheets.survey for _, text in table.filled(row, "label")]
        texts += [self.setting(name) for name in ("consent_notice", *NOTICE_ITEMS)]
        return "es" if is_spanish("", " ".join(texts)) else "en"

    def translated(self, name: str) -> dict[str, str]:
        """Return language -> the author's own sentence, else ours, where there is one."""
        ours = {language: TEXTS[name].get(self.code_of(language), "") for language in self.languages}
        return {language: text for language, text in (ours | self.said(name)).items() if text}

    def text(self, name: str) -> dict[str, str]:
        """Return the same; in Spanish where there is none at all."""
        return self.translated(name) or {self.languages[0]: TEXTS[name]["es"]}

    # --- lists and ages

    def choices(self, list_name: str) -> list[SheetRow]:
        """Return the rows of a list."""
        table = self.sheets.table("choices")
        return [row for row in table.rows if list_name and table.text(row, "list_name") == list_name]

    @property
    def min_age(self) -> int | None:
        """Return the age from which nobody else is asked, None where it is no age or not given."""
        return age_in(self.setting("min_age"))

    @cached_property
    def bands(self) -> list[Band]:
        """Return the age bands; one that says only its end begins where the one before it ends."""
        table = self.sheets.table("choices")
        found = [
            Band(row, table.text(row, "name"), age_in(table.text(row, "min_age")), age_in(table.text(row, "max_age")))
            for row in self.choices(self.setting("age_bands"))
        ]
        return [replace(band, least=_least(band, found)) for band in found]

    @property
    def minors(self) -> list[Band]:
        """Return the bands of those who are too young to answer alone."""
        return [band for band in self.bands if self.min_age is not None and band.is_minor(self.min_age)]

    @property
    def gates_age(self) -> bool:
        """Tell whether there is all that the question for the age needs."""
        return self.min_age is not None and bool(self.bands)

    @cached_property
    def asking_age(self) -> list[SheetRow]:
        """Return the author's own questions with the list of age bands."""
        table = self.sheets.table("survey")
        wanted = ("select_one", self.setting("age_bands"))
        said = ((row, row_type(table.text(row, "type"))) for row in active_rows(table))
        return [row for row, kind in said if (kind.kind, kind.list_name) == wanted]

    @property
    def own_age(self) -> SheetRow | None:
        """Return the author's question for the age where it is the very first row: nobody is asked twice then."""
        first = next(active_rows(self.sheets.table("survey")), None)
        return first if first is not None and first in self.asking_age else None

    @property
    def age_name(self) -> str:
        """Return the name of the question for the age."""
        table = self.sheets.table("survey")
        return table.text(self.own_age, "name") if self.own_age else AGE_BAND


def age_in(text: str) -> int | None:
    """Return an age in whole years, None for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else None


def _least(band: Band, all_bands: list[Band]) -> int | None:
    if band.least is not None or band.most is None:
        return band.least
    ends = [other.most for other in all_bands if other.most is not None and other.most < band.most]
    return max(ends) + 1 if ends else 0


# --- the rows


def with_consent(sheets: Sheets) -> Sheets:
    """Return the sheets with the rows of consent in front of the questions, and without the settings that ask for them.

    What is wrong in the settings is left out here: somebody else says it (consent_checks.py).
    """
    consent = Consent(sheets)
    if not consent.is_asked:
        return sheets
    rows = Rows(consent)
    asks_age = consent.gates_age and consent.own_age is None
    written = [*(rows.age_band() if asks_age else []), *rows.group()]
    front = sheets.survey.index(consent.own_age) + 1 if consent.gates_age and consent.own_age else 0
    headers = [*sheets.headers.get("survey", []), *(header for row in written for header in row.cells)]
    dropped = {column.header for column in consent.settings.columns if column.name in CONSENT_SETTINGS}
    return replace(
        sheets,
        survey=[*sheets.survey[:front], *written, *sheets.survey[front:]],
        settings=[
            SheetRow(row.row, {k: v for k, v in row.cells.items() if k not in dropped}) for row in sheets.settings
        ],
        headers={
            **sheets.headers,
            "survey": list(dict.fromkeys(headers)),
            "settings": [header for header in sheets.headers.get("settings", []) if header not in dropped],
        },
    )


class Rows:
    """Writes rows under the headers that the author's survey sheet has, or would have."""

    def __init__(self, consent: Consent) -> None:
        self.consent = consent
        self.table = consent.sheets.table("survey")
        headers = consent.sheets.headers.get("survey", [])
        # one header with "::" would change how all others are read
        has_old_style = any(":" in header for header in headers) and not any("::" in header for header in headers)
        self.mark = ":" if has_old_style else "::"

    def age_band(self) -> list[SheetRow]:
        """Write the question for the age, on a page of its own."""
        consent = self.consent
        kind = f"select_one {consent.setting('age_bands')}"
        return [self._row(kind, AGE_BAND, "consent_age", hint="age_hint", required="age_required")]

    def group(self) -> list[SheetRow]:
        """Write the page of the notice."""
        consent = self.consent
        has_purposes = bool(consent.choices(consent.setting("purposes")))
        purposes = f"select_multiple {consent.setting('purposes')}"
        minor = " or ".join(f"../../{consent.age_name} = {quoted(band.name)}" for band in consent.minors)
        return [
            self._plain("begin_group", GROUP, appearance="field-list"),
            self._notice(),
            self._row("acknowledge", "accepted", "consent_accept", hint="accept_hint", required="accept_required"),
            *([self._row(purposes, "purposes", "consent_purposes", hint="purposes_hint")] if has_purposes else []),
            *(self._for_minors(minor) if minor and consent.gates_age else []),
            self._plain("calculate", "notice_version", calculation=quoted(consent.setting("consent_version"))),
            self._plain("calculate", "notice_sha256", calculation=quoted(consent.notice_sha256)),
            self._plain("calculate", "at", calculation=WHEN),
            self._plain("end_group", ""),
        ]

    def _for_minors(self, relevant: str) -> list[SheetRow]:
        guardian = self._row("text", "guardian", "consent_guardian", hint="guardian_hint", required="guardian_required")
        assent = self._row("acknowledge", "assent", "consent_assent", required="assent_required")
        only = {self.table.header("relevant"): relevant}
        return [SheetRow(ROW, row.cells | only) for row in (guardian, assent)]

    def _notice(self) -> SheetRow:
        consent = self.consent
        notices = {language: consent.notice(language) for language in consent.languages}
        cells = self._texts("label", consent.text("consent_title")) | self._texts("hint", notices)
        cells |= self._texts("audio", consent.said("consent_audio"))
        return SheetRow(ROW, self._plain("note", "notice").cells | cells)

    def _row(self, kind: str, name: str, label: str, hint: str = "", required: str = "") -> SheetRow:
        cells = self._texts("label", self.consent.text(label))
        if hint:
            cells |= self._texts("hint", self.consent.text(hint))
        if required:
            cells |= {self.table.header("required"): "yes"}
            cells |= self._texts("required_message", self.consent.text(required))
        return SheetRow(ROW, self._plain(kind, name).cells | cells)

    def _plain(self, kind: str, name: str, **more: str) -> SheetRow:
        said = {"type": kind, "name": name, **more}
        return SheetRow(ROW, {self.table.header(column): text for column, text in said.items() if text})

    def _texts(self, name: str, words: dict[str, str]) -> dict[str, str]:
        return {self._header(name, language): text for language, text in words.items() if text}

    def _header(self, name: str, language: str) -> str:
        """Return the header for texts in a language, as written where there is one."""
        mine = [c.header for c in self.table.columns if c.name == name and self.consent.language_of(c) == language]
        return (mine or [f"{name}{self.mark}{language}" if language else name])[0]


def quoted(text: str) -> str:
    """Return a text as an expression writes it."""
    return f'"{text}"' if "'" in text else f"'{text}'"
