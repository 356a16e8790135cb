"""The cursor of the feed as programs hold it: one opaque word that says which log, and how far it was read. Pure."""

import base64
import binascii
from dataclasses import dataclass

MARK = "c1"  # another shape gets another mark, so that an old cursor is known for one


@dataclass(frozen=True)
class Place:
    """A place in a log. epoch: which log; after: everything up to this number has been told."""

    epoch: str
    after: int


def cursor_of(place: Place) -> str:
    """Return the cursor: letters, digits, "-" and "_" alone, so that it needs no quoting in an address."""
    text = f"{MARK}:{place.after}:{place.epoch}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(cursor: str) -> Place | None:
    """Return the place that a cursor names, None for what is no cursor of ours."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    mark, _, rest = text.partition(":")
    number, _, epoch = rest.partition(":")
    if mark != MARK or not (number.isascii() and number.isdigit() and len(number) <= 16) or not epoch:
        return None
    return Place(epoch, int(number))
