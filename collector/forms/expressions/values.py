"""Values of expressions and their casts. static/js/engine.js says the same in the same order.

A value is a number (float), a text (str), a truth (bool), a Moment, or a node-set: a list of texts, or of items
(column -> text) of a secondary instance.

A date is a day count without a zone: the phone and every node agree on it. A date-time is an instant, counted in days
from 1970-01-01T00:00Z, that remembers the offset it is written in. NaN is a number, and is never stored.
"""

import math
import re
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

Item = Mapping[str, str]
Node = str | Item


class Moment(NamedTuple):
    """A date (offset None, whole days) or a date-time (instant in days, offset in minutes)."""

    days: float
    offset: int | None = None


Value = float | str | bool | Moment | list[Node]

NAN = math.nan
DAY_MINUTES = 1440
DAY_MS = 86_400_000
EPOCH_ORDINAL = 719_163
FIRST_DAY = 1 - EPOCH_ORDINAL
LAST_DAY = date(9999, 12, 31).toordinal() - EPOCH_ORDINAL

# [0-9], not \d: Python's \d takes every script's digits and JavaScript's does not.
NUMBER = re.compile(r"[ \t\r\n]*(-?(?:[0-9]+\.?[0-9]*|\.[0-9]+))[ \t\r\n]*")
CLOCK = r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
DATE_TIME = re.compile(rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})(?:T{CLOCK})?")


def first(nodes: list[Node]) -> str:
    """Return the text of the first node, "" if there is none."""
    return nodes[0] if nodes and isinstance(nodes[0], str) else ""


def number_text(value: float) -> str:
    """Write a number as XPath does: 5, -0.25, never an exponent; with the shortest digits that read back the same."""
    if value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    if value != value:
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    text = repr(value)
    return _without_exponent(text) if "e" in text else text


def _without_exponent(text: str) -> str:
    """Move the point of 1.2e-7 or 1.2e+21 to where the exponent says."""
    mantissa, _, exponent = text.partition("e")
    sign, digits = ("-", mantissa[1:]) if mantissa[0] == "-" else ("", mantissa)
    whole, _, fraction = digits.partition(".")
    fraction = "" if fraction == "0" else fraction
    power = int(exponent)
    if power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{whole}{fraction}"
    return sign + whole + fraction.ljust(power, "0")


def to_text(value: Value) -> str:
    """Cast to text; NaN gives "NaN" (stored_text() is what a question keeps)."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_text(value)
    return moment_text(value) if isinstance(value, Moment) else first(value)


def read_number(text: str) -> float:
    """Read a number as XPath writes it; NaN for anything else (1e6, +5, Infinity, "")."""
    if text.replace(".", "", 1).isdecimal() and text.isascii():
        return float(text)
    match = NUMBER.fullmatch(text)
    return float(match.group(1)) if match else NAN


def reading(value: Value, offset: int = 0) -> float | Moment:
    """Read a value as a number, or as a Moment where it is one or its text is a date."""
    if isinstance(value, str):
        if value[4:5] == "-":  # most likely a date
            return parse_moment(value, offset) or read_number(value)
        number = read_number(value)
        return number if number == number or not value else parse_moment(value, offset) or NAN
    if isinstance(value, bool):
        return 1.0 if value else 0.0
    return reading(first(value), offset) if isinstance(value, list) else value


def to_number(value: Value, offset: int = 0) -> float:
    """Cast to a number: dates count days, date-times days and fractions.

    offset: minutes east of Greenwich, for a date-time whose text names none.
    """
    if isinstance(value, float):
        return value
    if isinstance(value, str) and (not value or (value.isdecimal() and value.isascii())):
        return float(value) if value else NAN
    read = reading(value, offset)
    return read.days if isinstance(read, Moment) else read


def truth(value: Value) -> bool:
    """Cast to true or false as XPath does: a text is true when it is not empty, even "0"."""
    if isinstance(value, float):
        return value == value and value != 0
    return True if isinstance(value, Moment) else bool(value)


def to_boolean(value: Value) -> bool:
    """Cast what an expression or a question gives: "", 0, NaN and "false" are false, by value.

    Differs from XPath, and from the casts inside an expression, for texts: `relevant=${consent}` is off for "0".
    """
    if isinstance(value, str):
        return value not in ("", "false") and read_number(value) != 0
    return truth(value)


def parse_moment(text: str, offset: int) -> Moment | None:
    """Read an ISO date or date-time; None if it is none, also for a day the calendar lacks.

    offset: minutes east of Greenwich for a text that names none.
    """
    text = text.strip(" \t\r\n")
    days = day_count(text[:10]) if text[4:5] == "-" == text[7:8] else None
    if days is None or len(text) == 10:
        return None if days is None else Moment(days)
    match = DATE_TIME.fullmatch(text)
    if match is None:
        return None
    milliseconds = clock_milliseconds(match.group(2, 3, 4, 5))
    minutes = zone_minutes(match.group(6), offset)
    if milliseconds is None or minutes is None:
        return None
    return Moment((days * DAY_MS + milliseconds - minutes * 60_000) / DAY_MS, minutes)


def day_count(text: str) -> float | None:
    """Count the days up to YYYY-MM-DD; None for a day the calendar lacks. The hyphens are known to be there."""
    try:
        return float(date.fromisoformat(text).toordinal() - EPOCH_ORDINAL)
    except ValueError:
        return None


def clock_milliseconds(parts: tuple[str | None, ...]) -> float | None:
    """Return the milliseconds since midnight of (hour, minute, second, fraction); None past 23:59:59.999."""
    hour, minute, second = (int(part or 0) for part in parts[:3])
    if hour > 23 or minute > 59 or second > 59:
        return None
    return ((hour * 60 + minute) * 60 + second) * 1000 + int((parts[3] or "0").ljust(3, "0")[:3])


def zone_minutes(zone: str | None, offset: int) -> int | None:
    """Return the minutes east of Greenwich that `zone` names; `offset` if it names none, None past 23:59."""
    if not zone:
        return offset
    if zone == "Z":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[-2:]) if len(zone) > 3 else 0
    if hours > 23 or minutes > 59:
        return None
    return (hours * 60 + minutes) * (-1 if zone[0] == "-" else 1)


def local_milliseconds(moment: Moment, offset: int) -> int:
    """Return milliseconds since 1970 on the wall clock at `offset`; a date has no zone to move."""
    shift = 0 if moment.offset is None else offset * 60_000
    return math.floor(moment.days * DAY_MS + shift + 0.5)


def wall_day(moment: Moment) -> float:
    """Return the calendar day a moment is written with, as a day count."""
    return float(math.floor(moment.days + (moment.offset or 0) / DAY_MINUTES))


def date_text(days: float) -> str:
    """Write a day count as YYYY-MM-DD."""
    return date.fromordinal(int(days) + EPOCH_ORDINAL).isoformat()


def moment_text(moment: Moment) -> str:
    """Write a date as YYYY-MM-DD and a date-time with milliseconds and its offset."""
    if moment.offset is None:
        return date_text(moment.days)
    days, rest = divmod(local_milliseconds(moment, moment.offset), DAY_MS)
    return f"{date_text(days)}T{clock_text(rest)}{zone_text(moment.offset)}"


def clock_text(milliseconds: int) -> str:
    """Write the time of day as HH:MM:SS.mmm."""
    seconds, fraction = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:03}"


def zone_text(offset: int) -> str:
    """Write an offset as Z or ±HH:MM."""
    if not offset:
        return "Z"
    return f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}:{abs(offset) % 60:02}"


def is_in_calendar(days: float) -> bool:
    """Tell whether a day count lies in the years 1 to 9999, with a day to spare for offsets; false for NaN."""
    return FIRST_DAY < days < LAST_DAY


def to_moment(value: Value, offset: int) -> Moment | None:
    """Read a value as a moment, None if it is none. A number counts days; a fraction is a time of day."""
    read = reading(value, offset)
    if isinstance(read, Moment):
        return read if is_in_calendar(read.days) else None
    if not is_in_calendar(read):
        return None
    return Moment(read, None if read == math.floor(read) else offset)


def stored_text(value: Value, type: str = "string", offset: int = 0) -> str:
    """Return what a question of the bind type `type` keeps of a value: NaN is kept as ""."""
    if isinstance(value, float) and value != value:
        return ""
    if type in ("date", "dateTime") and not isinstance(value, (str, list)):
        return _stored_moment(value, type, offset)
    if type == "int" and isinstance(value, (float, bool, Moment)):
        number = to_number(value, offset)
        return number_text(float(math.trunc(number)) if math.isfinite(number) else number)
    return to_text(value)


def _stored_moment(value: Value, type: str, offset: int) -> str:
    """Write a number or a moment into a question of type date or dateTime."""
    moment = to_moment(value, offset)
    if moment is None:
        return ""
    if type == "date":
        return date_text(wall_day(moment))
    text = moment_text(moment)
    return text if moment.offset is not None else text + "T00:00:00.000" + zone_text(offset)
