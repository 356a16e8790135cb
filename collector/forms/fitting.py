"""Whether an answer has the form of its question's type, and how it is stored. The same as in static/js/state.js."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date

from collector.forms.model import Question

MAX_TEXT = 20_000
PLACE = r"-?[0-9]{1,3}(\.[0-9]+)? -?[0-9]{1,3}(\.[0-9]+)?( -?[0-9]+(\.[0-9]+)?){0,2}"
CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?"
SHAPES = {
    "integer": re.compile(r"-?[0-9]{1,15}"),
    "decimal": re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)"),
    "range": re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)"),
    "time": re.compile(CLOCK),
    "geopoint": re.compile(PLACE),
    "geotrace": re.compile(rf"{PLACE}( ?; ?{PLACE})*( ?;)?"),
    "geoshape": re.compile(rf"{PLACE}( ?; ?{PLACE})*( ?;)?"),
    "acknowledge": re.compile("OK"),
}
DATE_TIME = re.compile(rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})(T{CLOCK})?")


def tidy(question: Question, text: str) -> str:
    """Return `text` as stored: NFC, no U+0000 or lone surrogates, trimmed; decimals with a point."""
    clean = text.encode("utf-8", "ignore").decode().replace("\0", "").replace("\r\n", "\n")
    trimmed = unicodedata.normalize("NFC", clean).strip()
    return trimmed.replace(",", ".", 1) if question.type == "decimal" else trimmed


def fits(question: Question, value: str) -> bool:
    """Tell whether `value` has the form of the question's type."""
    if len(value) > MAX_TEXT:
        return False
    by_calendar = CALENDAR.get(question.type)
    if by_calendar is not None:
        return by_calendar(value)
    shape = SHAPES.get(question.type)
    return shape is None or bool(shape.fullmatch(value))


def _is_date(value: str) -> bool:
    return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII)) and _is_day(value)


def _is_date_time(value: str) -> bool:
    match = DATE_TIME.fullmatch(value)
    return match is not None and _is_day(match.group(1))


def _is_day(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


CALENDAR: dict[str, Callable[[str], bool]] = {"date": _is_date, "datetime": _is_date_time}
