"""Names of files as ODK Central gives them to what it sends: safe on every system, each once in an archive. Pure."""

import re
from collections.abc import Sequence
from urllib.parse import quote

from collector.lab.odk_fields import REPEAT, Field

MOST_BYTES = 255
_REFUSED = re.compile(r'[/?<>\\:*|"\x00-\x1f\x80-\x9f]')
_DOTS = re.compile(r"\.+")
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_END = re.compile(r"[. ]+$")


def sanitized(name: str) -> str:
    """Return a name without what some file system refuses; "" where nothing is left. At most 255 bytes of UTF-8."""
    kept = _REFUSED.sub("", name)
    if _DOTS.fullmatch(kept) or _DEVICES.fullmatch(kept):
        return ""
    return _END.sub("", kept).encode()[:MOST_BYTES].decode("utf-8", "ignore")


def as_download(name: str) -> str:
    """Return the Content-Disposition of a file of this name, with accents for those who read RFC 6266."""
    plain = re.sub(r"[^\x00-\x7f]+", "-", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='!~|`^')}"


def table_names(form_id: str, fields: Sequence[Field]) -> dict[tuple[str, ...], str]:
    """Return the keys of repeats down to a table -> its file: "hogar.csv", "hogar-persona.csv".

    Repeats of one name in different groups are numbered, the first too: "hogar-persona~1.csv", "hogar-persona~2.csv".
    """
    repeats = [field for field in fields if field.type == REPEAT]
    names = [field.name for field in repeats]
    counts: dict[str, int] = {}
    found: dict[tuple[str, ...], str] = {(): f"{sanitized(form_id)}.csv"}
    for field in repeats:
        counts[field.name] = counts.get(field.name, 0) + 1
        number = f"~{counts[field.name]}" if names.count(field.name) > 1 else ""
        found[(*field.steps, field.key)] = sanitized(f"{form_id}-{field.name}{number}.csv")
    return found


class MediaNames:
    """Gives each file of an archive a name that no other has: two records may both call theirs "foto.jpg".

    Only what tells names apart is kept, so that a hundred thousand files take some megabytes.
    """

    def __init__(self) -> None:
        self._taken: dict[int, int] = {}

    def give(self, name: str, owner: str, sha256: str) -> str:
        """Return "media/foto.jpg", and when another file has that "media/foto-OWNER.jpg"; owner: the id of its record.

        "" when this very file is there under its name already.
        """
        plain = sanitized(name) or "archivo"
        stem, dot, ending = plain.rpartition(".")
        apart = f"{stem}-{owner}{dot}{ending}" if stem else f"{plain}-{owner}"
        content = hash(sha256)
        for candidate in (plain, apart):
            held = self._taken.setdefault(hash(candidate.lower()), content)  # some systems do not tell capitals apart
            if held == content:
                return self._once(candidate)
        number = 1
        while self._taken.setdefault(hash(f"{number}-{apart}".lower()), content) != content:
            number += 1
        return self._once(f"{number}-{apart}")

    def _once(self, name: str) -> str:
        """Return the name at its first time, spelled so."""
        mark = hash(("given", name.lower()))
        is_new = mark not in self._taken
        self._taken[mark] = 0
        return f"media/{name}" if is_new else ""
