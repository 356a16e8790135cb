"""One record as people read it: its answers with their labels, rows in rows, and what was noticed at its place."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from collector.lab.tables import FILES, Column, Table, as_text, rows_at, shown
from collector.lab.twins import meant_labels

# what a node noticed about a record (collector.forms.check), in words for people
FLAGS = {
    "no_consent": "Falta el consentimiento que el formulario pide: el registro queda aparte.",
    "serial_used": "La hoja ya se había digitado:",
    "ticket_used": "El enlace para una persona ya se había usado:",
    "form_unknown": "El formulario o su versión no está en este equipo.",
    "form_differs": "Se contestó con otro contenido de esta misma versión del formulario.",
    "required": "Falta una respuesta que el formulario pide.",
    "place_listed": "Sin punto: el lugar se eligió de la lista.",
    "place_unknown": "El lugar elegido de la lista no se conoce.",
    "type": "La respuesta no es del tipo que se pide.",
    "choice": "La opción no está entre las que se ofrecen.",
    "constraint": "La respuesta no cumple la regla de la pregunta.",
    "not_relevant": "La pregunta no correspondía según las otras respuestas.",
    "recomputed": "Lo calculado en el equipo no coincide con lo que se calcula aquí:",
    "unknown": "El formulario no tiene esta pregunta.",
    "not_text": "La respuesta no llegó como texto.",
    "rows": "El número de filas no es el que el formulario cuenta, o son demasiadas:",
}
# a page draws this many rows and notices of a record; the files have all of them
MOST_ROWS = 300
MOST_NOTICES = 50
_ROW_NUMBER = re.compile(r"\[([0-9]{1,9})\]")


@dataclass(frozen=True)
class Notice:
    """One flag of a record: where as people read it ("" = the whole record), a sentence and the value."""

    label: str
    sentence: str
    text: str


@dataclass(frozen=True)
class Answer:
    """One answer: `key` with row numbers ("persona[2]/edad"), `name` without, `text` as stored, `words` as read.

    is_coded: `text` says something that `words` does not; file: where the file is kept, "" for no file or none known;
    place: the place chosen from the list beside a point.
    """

    key: str
    name: str
    label: str
    text: str
    words: str
    is_coded: bool
    file: str = ""
    notices: tuple[Notice, ...] = ()
    place: str = ""


@dataclass(frozen=True)
class Row:
    """One row of a repeat, numbered from 1."""

    number: int
    key: str
    parts: "list[Answer | Rows]"
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class Rows:
    """The rows of one repeat: `count` of them, those in `rows` drawn."""

    key: str
    label: str
    count: int
    rows: list[Row]
    notices: tuple[Notice, ...] = ()


def leaves(parts: "Sequence[Answer | Rows]") -> Iterator[Answer]:
    """Give every answer, those in rows too, in order."""
    for part in parts:
        if isinstance(part, Answer):
            yield part
        else:
            for row in part.rows:
                yield from leaves(row.parts)


def notices(table: Table, flags: Iterable[Mapping[str, str]], language: str) -> list[tuple[str, Notice]]:
    """Return (key, notice) of each flag; a code that this release does not know is shown as it is."""
    labels = {part.name: part.label(language) for each in table.walk() for part in each.parts}
    found = []
    for flag in flags:
        key, what = str(flag.get("key", "")), str(flag.get("what", ""))
        label = _label_at(key, labels)
        found.append((key, Notice(label, FLAGS.get(what, what), str(flag.get("text", "")))))
    return found


def _label_at(key: str, labels: Mapping[str, str]) -> str:
    """Return "Persona 2 · ¿Edad?" of "persona[2]/edad"."""
    words, name, start = [], "", 0
    for match in _ROW_NUMBER.finditer(key):
        name += key[start : match.start()]
        words.append(f"{labels.get(name, name)} {match[1]}")
        start = match.end()
    rest = key[start:]
    if rest:
        words.append(labels.get(name + rest, rest.removeprefix("/")))
    return " · ".join(words)


@dataclass
class RecordReader:
    """Reads answers by the table of their form. files: name -> where its bytes are; noticed: key -> notices there;
    places: key -> place chosen from the list.

    room: how many rows may still be drawn; meant: key -> labels of the choices that the record means (twins.py).
    """

    language: str
    files: Mapping[str, str] = field(default_factory=dict)
    noticed: dict[str, list[Notice]] = field(default_factory=dict)
    room: int = MOST_ROWS
    meant: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)

    def parts(self, table: Table, given: Mapping[str, object], here: str = "") -> "list[Answer | Rows]":
        """Return every question and repeat of a row in form order, then what no version of the form knows."""
        if not table.steps and table.form is not None:
            self.meant = meant_labels(table.form, given, self.language)
        left = dict(given)
        found: list[Answer | Rows] = []
        for part in table.parts:
            is_rows = isinstance(left.get(part.key), list)
            if isinstance(part, Table) and (is_rows or part.key not in left):
                found.append(self._rows(part, rows_at(left, part.key), here))
                left.pop(part.key, None)
            elif isinstance(part, Column) and not is_rows:
                found.append(self._answer(part, as_text(left.pop(part.key, "")), here))
        return found + list(self._unknown(left, here))

    def _answer(self, column: Column, text: str, here: str) -> Answer:
        key = here + column.key
        words = shown(column, text, self.language, self.meant.get(key))
        file = self.files.get(text, "") if column.question.type in FILES else ""
        label, place = column.label(self.language), self.places.get(key, "")
        return Answer(key, column.key, label, text, words, words != text, file, self._at(key), place)

    def _rows(self, table: Table, rows: Sequence[Mapping[str, object]], here: str) -> Rows:
        key = here + table.key
        found = []
        for number, row in enumerate(rows, 1):
            if self.room <= 0:
                break
            self.room -= 1
            own = f"{key}[{number}]"
            found.append(Row(number, own, self.parts(table, row, own + "/"), self._at(own)))
        return Rows(key, table.label(self.language), len(rows), found, self._at(key))

    def _unknown(self, left: Mapping[str, object], here: str) -> Iterator[Answer]:
        for key, value in left.items():
            text = as_text(value)
            yield Answer(here + key, key, key, text, text, False, notices=self._at(here + key))

    def _at(self, key: str) -> tuple[Notice, ...]:
        return tuple(self.noticed.get(key, ()))


def files_of(content: Mapping[str, object]) -> dict[str, str]:
    """Return name -> sha256 of the files that a record names: {"blobs": [{"name", "sha256", …}]}."""
    blobs = content.get("blobs")
    entries = [entry for entry in blobs if isinstance(entry, dict)] if isinstance(blobs, list) else []
    named = {str(entry.get("name", "")): str(entry.get("sha256", "")) for entry in entries}
    return {name: sha256 for name, sha256 in named.items() if name and re.fullmatch(r"[0-9a-f]{64}", sha256)}
