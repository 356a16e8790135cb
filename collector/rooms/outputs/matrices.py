"""A protected matrix as CSV and as a document. What is hidden says so in words, never as an empty cell or a zero."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from collector.rooms.outputs.csv import csv_text
from collector.rooms.outputs.document import Document, Grid, Paragraph
from collector.rooms.outputs.tongue import SPANISH, Tongue
from collector.rooms.sense.codebook import Codebook
from collector.rooms.sense.matrices import NOT_SAID
from collector.rooms.sense.suppression import Published

HIDDEN = "prot."


@dataclass(frozen=True)
class MatrixWords:
    """How a matrix is worded. title: above it; axis: what the columns are; columns: column key -> what people read."""

    title: str
    axis: str
    columns: Mapping[str, str]
    book: Codebook
    tongue: Tongue = SPANISH


def matrix_csv(published: Published, words: MatrixWords) -> str:
    """Return the matrix with its totals: dimension, code, theme, a column for each column, total."""
    tongue = words.tongue
    head = [tongue("Dimensión"), tongue("Código"), tongue("Tema"), *_column_names(published, words), tongue("Total")]
    return csv_text(head, _csv_rows(published, words))


def _csv_rows(published: Published, words: MatrixWords) -> Iterator[list[object]]:
    for path, counts in zip((*published.rows, ""), published.counts, strict=True):
        code = words.book.codes.get(path)
        dimension = words.book.label(code.dimension) if code else ""
        name = words.book.label(path) if path else words.tongue("Total")
        yield [dimension, path, name, *_cells(counts, words.tongue)]


def matrix_document(published: Published, words: MatrixWords) -> Document:
    """Return the matrix as a document, with how it counts and what it hides."""
    tongue = words.tongue
    names = [*(words.book.label(path) for path in published.rows), tongue("Total")]
    rows = tuple(
        (name, *map(str, _cells(counts, tongue))) for name, counts in zip(names, published.counts, strict=True)
    )
    head = (tongue("Tema"), *_column_names(published, words), tongue("Total"))
    parts = [
        Paragraph(tongue("Cada celda cuenta registros distintos. Un registro con dos temas está en dos filas.")),
        Paragraph(tongue("Los totales suman las celdas.")),
    ]
    if published.rows and published.columns:
        parts.append(Paragraph(_hidden_sentence(published, tongue)))
        return Document(words.title, (*parts, Grid(words.axis, head, rows)), tongue.language)
    return Document(words.title, (*parts, Paragraph(tongue("Todavía no hay temas marcados."))), tongue.language)


def _hidden_sentence(published: Published, tongue: Tongue) -> str:
    if not any(True for _ in published.hidden()):
        return tongue("Ninguna celda está protegida.")
    return tongue(
        "«{mark}» protege a grupos de menos de {k} personas. También tapa otras celdas, para que nadie las calcule.",
        mark=tongue(HIDDEN),
        k=published.policy.k,
    )


def _column_names(published: Published, words: MatrixWords) -> list[str]:
    return [words.tongue("sin dato") if key == NOT_SAID else words.columns.get(key, key) for key in published.columns]


def _cells(counts: tuple[int | None, ...], tongue: Tongue) -> list[object]:
    return [tongue(HIDDEN) if count is None else count for count in counts]
