"""A guide as people write it: a sheet like an XLSForm, one row a step, in any file that `forms.readers` reads.

    survey     type ("dots posiciones"), name, label::Español (es), label::English (en), hint::…, parameters
    choices    list_name, name, label::…, weight (of criteria, in per cent; they total 100)
    settings   form_id, version, form_title::Español (es), …

A row of type "segment LIST" declares what people may say of themselves. Types and parameters stand in docs/rooms.md.
"""

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from collector.forms.sheets import SheetRow, Sheets, Table, active_rows, setting
from collector.rooms.guide import (
    LIST_SIZES,
    STEP_SETTING,
    STEP_TYPES,
    WORD_SETTINGS,
    Guide,
    Option,
    Segment,
    Setting,
    Step,
    Text,
    check_step,
)
from collector.rooms.refusals import Refusal, shown
from collector.rooms.rules import NAME, SHORT_TEXT

Read = TypeVar("Read")
SEGMENT = "segment"
LANGUAGE = re.compile(r"\(([a-z]{2,3})\)\s*$")
PARAMETER = re.compile(r"(\w+)\s*=\s*(\S+)")
WHOLE = re.compile(r"-?[0-9]{1,6}")
SETTINGS_ROW = "2 (settings)"


def guide_of(sheets: Sheets) -> Guide:
    """Read a guide. Raises Refusal with the row, the value and what to do, at the first thing that is wrong."""
    guide, refused = read_guide(sheets)
    if guide is None:
        raise refused[0]
    return guide


def read_guide(sheets: Sheets) -> tuple[Guide | None, list[Refusal]]:
    """Return (the guide, or None), and all that is wrong, in the order of the rows: one thing a row."""
    survey, choices = sheets.table("survey"), sheets.table("choices")
    refused: list[Refusal] = []
    parts: list[Step | Segment] = []
    seen: dict[str, None] = {}
    for row in active_rows(survey):
        try:
            parts.append(_part(survey, choices, row, seen))
        except Refusal as refusal:
            refused.append(refusal)
        seen[survey.text(row, "name")] = None  # also of a row with an error: what names it has none
    steps = tuple(part for part in parts if isinstance(part, Step))
    if not steps and not refused:
        refused.append(Refusal("guide_empty"))
    name, title = _or_refused(refused, lambda: _form_id(sheets)), _or_refused(refused, lambda: _title(sheets))
    if refused or name is None or title is None:
        return None, _each_once(refused)
    segments = tuple(part for part in parts if isinstance(part, Segment))
    return Guide(name, setting(sheets, "version") or "1", title, steps, segments), []


def _part(survey: Table, choices: Table, row: SheetRow, seen: Iterable[str]) -> Step | Segment:
    """Return what a row says. Raises Refusal."""
    kind, list_name = _type(survey, row)
    name, label = _name(survey, row, seen), _label(survey, row)
    options = _options(choices, row.row, list_name) if list_name else ()
    if kind == SEGMENT:
        return Segment(name, label, {option.name: option.label for option in options})
    step = Step(kind, name, label, _text(survey, row, "hint"), options, _settings(survey, row))
    check_step(row.row, step, list(seen))
    return step


def _or_refused(refused: list[Refusal], read: Callable[[], Read]) -> Read | None:
    try:
        return read()
    except Refusal as refusal:
        refused.append(refusal)
        return None


def _each_once(refused: Iterable[Refusal]) -> list[Refusal]:
    """Leave out what was said before: a list with an error is met by every step that uses it."""
    return list({refusal.sentence("es"): refusal for refusal in refused}.values())


def _form_id(sheets: Sheets) -> str:
    name = setting(sheets, "form_id")
    if not NAME.fullmatch(name):
        raise Refusal("guide_name_bad", row=SETTINGS_ROW, value=shown(name))
    return name


def _title(sheets: Sheets) -> Text:
    table = sheets.table("settings")
    title = _text(table, table.rows[0], "form_title") if table.rows else {}
    if "es" not in title:
        raise Refusal("guide_label_missing", row=SETTINGS_ROW, value=shown("form_title"))
    return title


def _type(table: Table, row: SheetRow) -> tuple[str, str]:
    """Return (type, list or "") of a row. Raises Refusal for a type that is none, and for a list that is missing."""
    kind, _, list_name = " ".join(table.text(row, "type").split()).partition(" ")
    if kind not in STEP_TYPES and kind != SEGMENT:
        raise Refusal("guide_type_unknown", row=row.row, value=shown(kind), known=", ".join([*STEP_TYPES, SEGMENT]))
    if not list_name and (kind in LIST_SIZES or kind == SEGMENT):
        raise Refusal("guide_list_missing", row=row.row, value=kind)
    return kind, list_name


def _name(table: Table, row: SheetRow, seen: Iterable[str]) -> str:
    name = table.text(row, "name")
    if not name:
        raise Refusal("guide_name_missing", row=_place(table, row))
    if not NAME.fullmatch(name):
        raise Refusal("guide_name_bad", row=_place(table, row), value=shown(name))
    if name in seen:
        raise Refusal("guide_name_twice", row=_place(table, row), value=shown(name))
    return name


def _place(table: Table, row: SheetRow) -> str:
    """Return where a row stands: its number, and its sheet unless that is survey."""
    return str(row.row) if table.sheet == "survey" else f"{row.row} ({table.sheet})"


def _label(table: Table, row: SheetRow) -> Text:
    label = _text(table, row, "label")
    if "es" not in label:
        raise Refusal("guide_label_missing", row=_place(table, row), value=shown(table.text(row, "name")))
    return label


def _text(table: Table, row: SheetRow, column: str) -> Text:
    """Return a text by language code; a column without a language is Spanish."""
    found = {}
    for each, cell in table.filled(row, column):
        if len(cell) > SHORT_TEXT:
            values = {"value": shown(cell), "length": len(cell), "most": SHORT_TEXT}
            raise Refusal("guide_text_long", row=_place(table, row), **values)
        code = LANGUAGE.search(each.language)
        found[code[1] if code else "es"] = cell
    return found


def _options(choices: Table, row: int, list_name: str) -> tuple[Option, ...]:
    mine = [each for each in choices.rows if choices.text(each, "list_name") == list_name]
    if not mine:
        raise Refusal("guide_list_unknown", row=row, value=shown(list_name))
    seen: dict[str, None] = {}
    options = []
    for each in mine:
        name = _name(choices, each, seen)
        seen[name] = None
        options.append(Option(name, _label(choices, each), _weight(choices, each)))
    return tuple(options)


def _weight(choices: Table, row: SheetRow) -> int:
    cell = choices.text(row, "weight")
    if cell and not WHOLE.fullmatch(cell):
        raise Refusal("guide_weight_bad", row=_place(choices, row), value=shown(cell))
    return int(cell or 0)


def _settings(table: Table, row: SheetRow) -> dict[str, Setting]:
    """Return the parameters of a step, numbers as numbers; what they may be, `check_step` says."""
    cell = table.text(row, "parameters")
    found = PARAMETER.findall(cell)
    rest = PARAMETER.sub("", cell).replace(",", " ").strip()
    if rest:
        raise Refusal("guide_parameter", row=row.row, value=shown(rest), known="name=value")
    return {name: _setting(name, value.rstrip(",;")) for name, value in found}


def _setting(name: str, value: str) -> Setting:
    is_word = name in WORD_SETTINGS or name == STEP_SETTING or not WHOLE.fullmatch(value)
    return value if is_word else int(value)
