"""A posted page taken into its filling: what people changed there, told from what the page was drawn with."""

from collections.abc import Mapping
from typing import Any

from collector.fill.page import all_rows, shown_text
from collector.forms.filling_rows import FillingRow
from collector.forms.listed import listed_text
from collector.forms.model import Question
from collector.forms.state import Filling
from collector.territory import place_labels

LISTED, NEAR = "_list/", "_near/"  # what begins the names of the two fields of a place by list


def take_posted(filling: Filling, fields: Mapping[str, str]) -> None:
    """Take what a page posted for its rows. What a control shows only a part of stays whole when it was not changed.

    A page without an id was drawn for everybody, maybe days ago: what was left there as drawn (the date of today(), a
    number by chance) is drawn anew, for this record.
    """
    drawn = _shown_texts(filling)
    if not fields.get("_id"):
        filling.restore(_new_record(filling))
    for row, prefix, _ in list(all_rows(filling)):
        for question in filling.program.levels[row.path].questions:
            name = prefix + question.key
            if question.type == "geopoint":
                _take_listed(filling, row, question, name, fields)
            if question.type == "calculate" or (name not in fields and not _is_tick(question, filling, row)):
                continue
            text = fields.get(name, "")
            if text != drawn.get(name):
                filling.set(question.path, text, row)


def _take_listed(filling: Filling, row: FillingRow, question: Question, name: str, fields: Mapping[str, str]) -> None:
    """Take a place chosen from the list; a code that is not in it is none, and a closed question takes nothing."""
    code = fields.get(LISTED + name)
    if code is not None and not filling.is_closed(question.path, row):
        is_known = code in place_labels()
        row.listed[question.path] = listed_text(code, fields.get(NEAR + name, "")) if is_known else ""


def _shown_texts(filling: Filling) -> dict[str, str]:
    """Return name -> what the controls of the page show."""
    return {
        prefix + question.key: shown_text(question, row.raw[question.path], filling.form)
        for row, prefix, _ in all_rows(filling)
        for question in filling.program.levels[row.path].questions
        if question.type != "calculate"
    }


def _new_record(filling: Filling) -> dict[str, Any]:
    """Return what a record begun now holds, with what the device was asked for."""
    fresh = Filling(filling.form, filling.now, filling.lang, language=filling.language)
    for question in filling.form.questions:
        if question.property and not question.row:
            fresh.set(question.path, filling.raw[question.path])
    return fresh.dump()


def _is_tick(question: Question, filling: Filling, row: FillingRow) -> bool:
    """Tell whether the control posts nothing when nothing is chosen in it."""
    ticks = question.type in ("select_one", "select_multiple", "acknowledge", "range")
    return ticks and not filling.is_closed(question.path, row) and "label" not in question.appearance
