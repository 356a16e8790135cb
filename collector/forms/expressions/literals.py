"""Dates as an author may write them between quotes in an expression."""

import re

from collector.forms.expressions.values import parse_moment

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# What a browser writes for a date: "Mon May 06 2024 10:30:00 GMT-0700 (Mountain Standard Time)".
BROWSER_DATE = re.compile(
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d{2}) (\d{4}) (\d{2}:\d{2}:\d{2}) GMT([+-]\d{4})(?: \(.*\))?", re.ASCII
)


SHORT_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")


def iso_moment(text: str) -> str | None:
    """Return a date or date-time as ISO 8601 writes it; None for a text that is none."""
    written = BROWSER_DATE.fullmatch(text)
    if written and written[1] in MONTHS:
        month = MONTHS.index(written[1]) + 1
        text = f"{written[3]}-{month:02}-{written[2]}T{written[4]}{written[5]}"
    return None if parse_moment(text, 0) is None else text


def short_date(text: str) -> str | None:
    """Return 1970-1-2 as ISO 8601 writes it; None for a text that is no date."""
    short = SHORT_DATE.fullmatch(text)
    return iso_moment(f"{short[1]}-{short[2]:0>2}-{short[3]:0>2}") if short else None
