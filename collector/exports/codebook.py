"""The codebook of a form: every question with its label, type, choices and history, as lines of a table. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from collector.forms.model import Form
from collector.lab.tables import Column, Table, tables_of

HEAD = (
    "nombre",
    "columna",
    "tabla",
    "tipo",
    "tipo_de_columna",
    "texto",
    "opciones",
    "desde",
    "hasta",
    "cambios",
    "respuestas",
)
MOST_CHOICES = 200  # of a list written out; longer ones stand in the form


# type of a question, as the form has it -> as people read it
TYPE_WORDS = {
    "text": "Texto", "integer": "Número entero", "decimal": "Número con decimales", "date": "Fecha", "time": "Hora",
    "datetime": "Fecha y hora", "select_one": "Una opción", "select_multiple": "Varias opciones", "rank": "Ordenar",
    "range": "Escala", "acknowledge": "Aceptar", "geopoint": "Punto en el mapa", "geotrace": "Recorrido en el mapa",
    "geoshape": "Área en el mapa", "barcode": "Código de barras", "image": "Foto o dibujo", "audio": "Sonido",
    "video": "Video", "file": "Archivo", "secret": "Texto oculto", "calculate": "Cálculo",
}  # fmt: skip
TYPE_CHANGED, TEXT_CHANGED = "{version}: tipo {before} → {after}", "{version}: texto"
CHOICES_GONE, CHOICES_NEW = "{version}: sin {names}", "{version}: con {names}"


@dataclass(frozen=True)
class Change:
    """What a version changed in a question. sentence: one of those above; values: what stands in it."""

    sentence: str
    values: Mapping[str, str]

    def __str__(self) -> str:
        return self.sentence.format_map(self.values)


@dataclass(frozen=True)
class Entry:
    """One question. since, until: the first and last version that asks it; changes: what a version changed in it.

    answers: how many records (rows of its repeat) hold an answer, None where nobody counted; is_hidden: left out of
    files for whoever may not see direct identifiers.
    """

    name: str
    column: str
    repeat: str
    type: str
    sql_type: str
    labels: Mapping[str, str]
    choices: tuple[tuple[str, str], ...]
    since: str
    until: str
    changes: tuple[Change, ...]
    answers: int | None
    is_hidden: bool

    def line(self) -> tuple[str, ...]:
        """Return the cells under HEAD."""
        choices = " | ".join(f"{name}={label}" for name, label in self.choices[:MOST_CHOICES])
        more = f" | … ({len(self.choices)})" if len(self.choices) > MOST_CHOICES else ""
        text = " / ".join(label for label in self.labels.values() if label)
        count = "" if self.answers is None else str(self.answers)
        kind = f"{self.type} (oculta: identifica)" if self.is_hidden else self.type
        return (
            self.name, self.column, self.repeat, kind, self.sql_type, text, choices + more, self.since, self.until,
            "; ".join(map(str, self.changes)), count,
        )  # fmt: skip


def codebook(
    forms: Sequence[Form], answers: Mapping[str, int], hidden: frozenset[str] = frozenset(), language: str = ""
) -> list[Entry]:
    """Return the questions of all versions, oldest version first, at least one; in the order of the newest.

    answers: full name of a question -> how many gave one.
    """
    by_version = [(form, {column.name: column for column in _columns(tables_of([form]))}) for form in forms]
    return [
        _entry(column, by_version, answers.get(column.name), column.name in hidden, language)
        for column in _columns(tables_of(forms))
    ]


def _columns(table: Table) -> Iterator[Column]:
    for each in table.walk():
        yield from each.columns


def _entry(
    column: Column,
    by_version: list[tuple[Form, dict[str, Column]]],
    answers: int | None,
    is_hidden: bool,
    language: str,
) -> Entry:
    asked = [(form.version, columns[column.name]) for form, columns in by_version if column.name in columns]
    languages = column.form.languages or ("",)
    labels = {each: column.label(each) for each in languages}
    choices = tuple(column.choice_labels(language or languages[0]).items()) if column.has_choices else ()
    return Entry(
        name=column.name,
        column=column.header,
        repeat="/".join(column.steps),
        type=column.question.type,
        sql_type=column.type,
        labels=labels,
        choices=choices,
        since=asked[0][0],
        until=asked[-1][0] if column.is_removed else "",
        changes=tuple(_changes(asked)),
        answers=answers,
        is_hidden=is_hidden,
    )


def _changes(asked: list[tuple[str, Column]]) -> Iterator[Change]:
    for (_, before), (version, after) in pairwise(asked):
        if before.question.type != after.question.type:
            types = {"before": before.question.type, "after": after.question.type}
            yield Change(TYPE_CHANGED, {"version": version, **types})
        if before.question.label != after.question.label:
            yield Change(TEXT_CHANGED, {"version": version})
        old, new = ({choice.name for choice in column.choices} for column in (before, after))
        if old - new:
            yield Change(CHOICES_GONE, {"version": version, "names": ", ".join(sorted(old - new))})
        if new - old:
            yield Change(CHOICES_NEW, {"version": version, "names": ", ".join(sorted(new - old))})
