"""CSV byte for byte as ODK Central writes it, so that scripts made for Central read ours. Pure.

Beside lab/csv.py, whose files are for people: here no byte order mark, lines end in LF, columns are those of the
newest version alone (`deleted_fields`: of all), a field's name without its groups on demand, and the submission with
its edits is one row. Answers stand exactly as they were sent.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from collector.lab.odk_fields import REPEAT, STRUCTURE, Field, rows_of
from collector.lab.tables import each_row, text_at

TAIL = (
    "KEY", "SubmitterID", "SubmitterName", "AttachmentsPresent", "AttachmentsExpected",
    "Status", "ReviewState", "DeviceID", "Edits", "FormVersion",
)  # fmt: skip
ROW_TAIL = ("PARENT_KEY", "KEY")
NOT_DECRYPTED, NOTHING_TO_DECRYPT = "not decrypted", "missing encrypted form data"
POINT = ("Latitude", "Longitude", "Altitude", "Accuracy")
_BLANKS = re.compile(r"\s+")
_QUOTED = re.compile(r'[",\r\n]')


@dataclass(frozen=True)
class Sent:
    """A submission as clients of ODK see it: the first version's facts with the answers of the last one.

    key: the first instanceID, which names it for ever; instance: that of the version that counts; created: when it
    came, ISO 8601 in UTC with milliseconds; review: "", "hasIssues", "edited", "approved" or "rejected"; present and
    expected: how many of the files its answers name are here, and are named; edits: versions after the first; status:
    why nobody can read an encrypted one, "" for any other.
    """

    key: str
    instance: str
    answers: Mapping[str, object]
    created: str
    submitter_id: str = ""
    submitter: str = ""
    device: str = ""
    review: str = ""
    edits: int = 0
    version: str = ""
    present: int = 0
    expected: int = 0
    status: str = ""


Choices = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Layout:
    """What the files hold. split: path of a select_multiple -> the choices that get a column of 0 and 1.

    group_paths: whether a column bears the names of its groups ("casa-edad") or only its own ("edad").
    """

    fields: Sequence[Field]
    split: Choices = field(default_factory=dict)
    group_paths: bool = True

    def tables(self) -> list[tuple[str, ...]]:
        """List the keys of repeats down to each table: () for the submissions, then each before those inside it."""
        return [(), *((*each.steps, each.key) for each in self.fields if each.type == REPEAT)]


def root_lines(layout: Layout, submissions: Iterable[Sent]) -> Iterator[str]:
    """Give the file of the submissions a line at a time: the head, then a row each. Holds one row in memory."""
    columns = _Columns(layout, ())
    yield line(["SubmissionDate", *columns.header(), *TAIL])
    nothing = [""] * len(columns.header())  # of an encrypted one not even the id is told
    for sent in submissions:
        cells = nothing if sent.status else columns.cells(sent.answers, sent.instance)
        yield line([sent.created, *cells, *_tail(sent)])


def row_lines(layout: Layout, steps: tuple[str, ...], submissions: Iterable[Sent]) -> Iterator[str]:
    """Give the file of a repeat a line at a time; rows stand in the order of their submissions."""
    columns = _Columns(layout, steps)
    yield line([*columns.header(), *ROW_TAIL])
    for sent in submissions:
        for parent, key, row in each_row(steps, sent.answers, sent.key):
            yield line([*columns.cells(row, ""), parent, key])


def _tail(sent: Sent) -> list[str]:
    files = [str(sent.present), str(sent.expected)]
    return [
        sent.key, sent.submitter_id, sent.submitter, *files, sent.status, sent.review, sent.device, str(sent.edits),
        sent.version,
    ]  # fmt: skip


class _Columns:
    """The columns of one table: what its fields are called, and what they hold in a row."""

    def __init__(self, layout: Layout, steps: tuple[str, ...]) -> None:
        around = next((f.path for f in layout.fields if f.type == REPEAT and (*f.steps, f.key) == steps), "")
        self._fields = [
            (each, _name(each, around, layout.group_paths), layout.split.get(each.path, ()))
            for each in layout.fields
            if each.steps == steps and each.type not in (REPEAT, STRUCTURE)
        ]

    def header(self) -> list[str]:
        """Return the names of the columns."""
        names: list[str] = []
        for each, name, choices in self._fields:
            if each.type == "geopoint":
                names.extend(f"{name}-{part}" for part in POINT)
                continue
            names.append(name)
            names.extend(f"{name}/{choice}" for choice in choices)
        return names

    def cells(self, row: Mapping[str, object], instance: str) -> Iterator[str]:
        """Give the cells of a row. instance: what stands where the form asks for the id of the record."""
        for each, _, choices in self._fields:
            text = text_at(row, each.key) or (instance if each.path == "/meta/instanceID" else "")
            if each.type == "geopoint":
                # as many words as there are, whatever they say: nothing of an answer may be lost in silence
                yield from [*_BLANKS.split(text), *[""] * 4][:4]
                continue
            yield text
            chosen = _BLANKS.split(text) if choices else []
            yield from ("1" if choice in chosen else "0" for choice in choices)


def _name(each: Field, around: str, group_paths: bool) -> str:
    return each.path[len(around) + 1 :].replace("/", "-") if group_paths else each.name


def add_choices(found: dict[str, set[str]], fields: Sequence[Field], answers: Mapping[str, object]) -> None:
    """Add the choices of one submission's select_multiple answers to those found so far, by the path of the field."""
    for each in fields:
        if each.is_multiple:
            for row in rows_of(each.steps, answers):
                found.setdefault(each.path, set()).update(filter(None, _BLANKS.split(text_at(row, each.key))))


def in_order(found: Mapping[str, set[str]]) -> dict[str, list[str]]:
    """Return the choices of each field by code point, the order of their columns."""
    return {path: sorted(choices) for path, choices in found.items()}


def line(cells: Iterable[str]) -> str:
    """Return one line of CSV: quoted only where it must be, ended by LF."""
    return ",".join(map(_cell, cells)) + "\n"


def _cell(text: str) -> str:
    if not _QUOTED.search(text):
        return text
    escaped = text.replace('"', '""')
    return f'"{escaped}"'
