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
    """How a matrix is worded. title: above it; axis: what the columns are; columns: column key -> what people read.

    has_column_totals: False for one of several tables over the same records, which have none (release.py).
    """

    title: str
    axis: str
    columns: Mapping[str, str]
    book: Codebook
    tongue: Tongue = SPANISH
    has_column_totals: bool = True


def matrix_csv(published: Published, words: MatrixWords) -> str:
    """Return the matrix with its totals: dimension, code, theme, a column for each column, total."""
    tongue = words.tongue
    head = [tongue("Dimensión"), tongue("Código"), tongue("Tema"), *_column_names(published, words), tongue("Total")]
    return csv_text(head, _csv_rows(published, words))


def _csv_rows(published: Published, words: MatrixWords) -> Iterator[list[object]]:
    for path, counts in _lines(published, words):
        code = words.book.codes.get(path)
        dimension = words.book.label(code.dimension) if code else ""
        name = words.book.label(path) if path else words.tongue("Total")
        yield [dimension, path, name, *_cells(counts, words.tongue)]


def _lines(published: Published, words: MatrixWords) -> list[tuple[str, tuple[int | None, ...]]]:
    """Return (path, counts) of each row, "" for the totals of columns."""
    lines = list(zip((*published.rows, ""), published.counts, strict=True))
    return lines if words.has_column_totals else lines[:-1]


def matrix_document(published: Published, words: MatrixWords) -> Document:
    """Return the matrix as a document, with how it counts and what it hides."""
    tongue = words.tongue
    rows = tuple(
        (words.book.label(path) if path else tongue("Total"), *map(str, _cells(counts, tongue)))
        for path, counts in _lines(published, words)
    )
    head = (tongue("Tema"), *_column_names(published, words), tongue("Total"))
    parts = [
        Paragraph(tongue("Cada celda cuenta registros distintos. Un registro con dos temas está en dos filas.")),
        Paragraph(_totals_sentence(words, tongue)),
    ]
    if published.rows:
        parts.append(Paragraph(_hidden_sentence(published, words)))
        return Document(words.title, (*parts, Grid(words.axis, head, rows)), tongue.language)
    return Document(words.title, (*parts, Paragraph(tongue("Todavía no hay temas marcados."))), tongue.language)


def _totals_sentence(words: MatrixWords, tongue: Tongue) -> str:
    if words.has_column_totals:
        return tongue("Los totales suman las celdas.")
    return tongue("El total suma la fila. Las columnas no llevan total: con él se podría calcular lo que se protege.")


def _hidden_sentence(published: Published, words: MatrixWords) -> str:
    tongue, lines = words.tongue, _lines(published, words)
    if not any(count is None for _, counts in lines for count in counts):
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
