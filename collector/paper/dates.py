"""Dates and times as they stand on a sheet (DD/MM/AAAA) and as they are stored (ISO 8601)."""

import re

PARTS = r"(\d{1,2})[/. -]?(\d{1,2})[/. -]?(\d{4})"
DATE = re.compile(PARTS)
CLOCK = re.compile(r"(\d{1,2})[:.h ]?(\d{2})")
MOMENT = re.compile(PARTS + r"[ T,]+(\d{1,2})[:.h ]?(\d{2})")
MONTH = re.compile(r"(\d{1,2})[/. -]?(\d{4})")
STORED_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d:\d\d).*)?")
STORED_MONTH = re.compile(r"(\d{4})-(\d\d)")
HELP = {"date": "DD/MM/AAAA", "datetime": "DD/MM/AAAA HH:MM", "month": "MM/AAAA", "time": "HH:MM"}


def stored(kind: str, typed: str) -> str:
    """Return what is stored of a typed date; what is no date stays as it was typed, so that it can be told."""
    text = typed.strip()
    if kind == "date" and (found := DATE.fullmatch(text)):
        return _day(*found.groups())
    if kind == "datetime" and (found := MOMENT.fullmatch(text)):
        day, month, year, hour, minute = found.groups()
        return f"{_day(day, month, year)}T{hour:0>2}:{minute}"
    if kind == "month" and (found := MONTH.fullmatch(text)):
        return f"{found[2]}-{found[1]:0>2}"
    if kind == "time" and (found := CLOCK.fullmatch(text)):
        return f"{found[1]:0>2}:{found[2]}"
    return typed


def written(kind: str, text: str) -> str:
    """Return a stored date as it stands on a sheet; what is none stays as it is."""
    if kind in ("date", "datetime") and (found := STORED_DATE.fullmatch(text)):
        day = f"{found[3]}/{found[2]}/{found[1]}"
        return f"{day} {found[4]}" if kind == "datetime" and found[4] else day
    if kind == "month" and (month := STORED_MONTH.fullmatch(text)):
        return f"{month[2]}/{month[1]}"
    return text


def _day(day: str, month: str, year: str) -> str:
    return f"{year}-{month:0>2}-{day:0>2}"
