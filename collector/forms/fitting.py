"""Whether an answer has the form of its question's type, and how it is stored. The same as in static/js/state.js."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date

from collector.forms.model import Question

MAX_TEXT = 20_000
MANY = ("select_multiple", "rank")
PLACE = r"-?[0-9]{1,3}(\.[0-9]+)? -?[0-9]{1,3}(\.[0-9]+)?( -?[0-9]+(\.[0-9]+)?){0,2}"
CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?"
SHAPES = {
    "integer": re.compile("-?[0-9]{1,15}"),
    "decimal": re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)"),
    "range": re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)"),
    "time": re.compile(CLOCK),
    "geopoint": re.compile(PLACE),
    "geotrace": re.compile(rf"{PLACE}( ?; ?{PLACE})*( ?;)?"),
    "geoshape": re.compile(rf"{PLACE}( ?; ?{PLACE})*( ?;)?"),
    "acknowledge": re.compile("OK"),
}
DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
PART_OF_DATE = re.compile("[0-9]{4}(-[0-9]{2})?")
DATE_TIME = re.compile(rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})(T{CLOCK})?")


def chosen(question: Question, value: str) -> list[str]:
    """Return the names in an answer; the name of a single choice may hold blanks."""
    return value.split() if question.type in MANY else [value]


def is_plain(question: Question) -> bool:
    """Tell whether tidying does nothing with printable ASCII but trim it."""
    return question.type not in ("decimal", "range") and not (question.type == "date" and question.appearance)


def tidy(question: Question, text: str) -> str:
    """Return `text` as stored: NFC, no U+0000 or lone surrogates, trimmed; decimals with a point; years as dates."""
    trimmed = cleaned(text)
    if question.type in ("decimal", "range"):
        return trimmed.replace(",", ".", 1)
    return _whole_date(question, trimmed) if question.type == "date" and question.appearance else trimmed


def cleaned(text: str) -> str:
    """Return `text` in NFC, without what no record may hold, trimmed."""
    # nothing unprintable: no U+0000, no surrogate, no line feed
    if text.isprintable():
        return unicodedata.normalize("NFC", text).strip()
    clean = text.encode("utf-8", "ignore").decode().replace("\0", "").replace("\r\n", "\n")
    return unicodedata.normalize("NFC", clean).strip()


def _whole_date(question: Question, text: str) -> str:
    """Complete what a question for a year or a month is answered with: "2026" or "2026-11"."""
    asks_part = {"year", "month-year"} & set(question.appearance)
    return text + "-01-01"[len(text) - 4 :] if asks_part and PART_OF_DATE.fullmatch(text) else text


def fits(question: Question, value: str) -> bool:
    """Tell whether `value` has the form of the question's type."""
    shape = shape_of(question)
    return len(value) <= MAX_TEXT and (shape is None or bool(shape(value)))


def shape_of(question: Question) -> Callable[[str], object] | None:
    """Return what tells whether an answer of up to MAX_TEXT characters fits; None where every one does."""
    by_calendar, shape = CALENDAR.get(question.type), SHAPES.get(question.type)
    ordered = ORDERED.get(question.type)
    if question.type == "integer":
        return _is_integer
    if by_calendar is not None or ordered is None:
        return by_calendar or (shape and shape.fullmatch)
    return lambda value: (shape is None or shape.fullmatch(value)) and ordered(question, value)


def _is_integer(value: str) -> bool:
    return (len(value) < 16 and value.isascii() and value.isdecimal()) or SHAPES["integer"].fullmatch(value) is not None


def _is_in_range(question: Question, value: str) -> bool:
    """Tell whether a number stands between the ends of a range, which may count down."""
    ends = range_ends(question)
    return not ends or ends[0] <= float(value) <= ends[1]


def range_ends(question: Question) -> list[float]:
    """Return the lower and the upper end of a range; [] where the form gives none."""
    found = [question.parameters.get(name, "") for name in ("start", "end")]
    return sorted(float(end) for end in found) if all(SHAPES["range"].fullmatch(end) for end in found) else []


def _is_order(question: Question, value: str) -> bool:
    """Tell whether each choice has one place."""
    names = value.split()
    return len(set(names)) == len(names)


def _is_date(value: str) -> bool:
    return DATE.fullmatch(value) is not None and _is_day(value)


def _is_date_time(value: str) -> bool:
    match = DATE_TIME.fullmatch(value)
    return match is not None and _is_day(match.group(1))


def _is_day(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


ORDERED: dict[str, Callable[[Question, str], bool]] = {"range": _is_in_range, "rank": _is_order}
CALENDAR: dict[str, Callable[[str], bool]] = {"date": _is_date, "datetime": _is_date_time}
