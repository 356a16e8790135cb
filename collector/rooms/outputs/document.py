"""A document made of plain parts, written once and given as Markdown or as a page that prints by itself, offline.

What people wrote never becomes markup: it is escaped for either. The page carries its own style and no script, so it
opens from a memory stick as it does from the node.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 54rem; margin: 2rem auto; padding: 0 1rem; color: #12231b;
  overflow-wrap: break-word; }
h1 { font-size: 1.7rem; line-height: 1.2; } h2 { font-size: 1.25rem; margin-top: 2rem; } h3 { font-size: 1.05rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; font-size: .875rem; }
figure { margin: 1rem 0; } caption { text-align: left; font-weight: 600; }
th, td { border: 1px solid #5f6f65; padding: .25rem .5rem; text-align: left; vertical-align: top; }
blockquote { margin: .5rem 0; padding-left: 1rem; border-left: 4px solid #5f6f65; }
.wide { overflow-x: auto; } .box { border: 2px solid #12231b; padding: .5rem 1rem; }
svg { max-width: 100%; height: auto; }
@media print { body { font-size: 11pt; margin: 0; max-width: none; }
  table { font-size: 9pt; } .wide { overflow: visible; } h2, h3 { break-after: avoid; }
  table, blockquote, svg { break-inside: avoid; } @page { size: A4; margin: 18mm; } }
""".strip()
_MARKS = re.compile(r"([\\`*_\[\]<>|#~])")
_LIST_START = re.compile(r"^(\d*)([-+.)])(?=\s|$)")


@dataclass(frozen=True)
class Heading:
    """A heading under the title: level 2 or 3."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; its line ends are kept. is_boxed: a frame round it on paper."""

    text: str
    is_boxed: bool = False


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Words:
    """Somebody's own words, and what may be said of who said them."""

    text: str
    source: str = ""


@dataclass(frozen=True)
class Grid:
    """A table. head: of the columns; the first cell of each row names the row."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Drawing:
    """A drawing that a table beside it says in words. Markdown leaves it out. svg: made by us, already markup."""

    svg: str


Part = Heading | Paragraph | Bullets | Words | Grid | Drawing


@dataclass(frozen=True)
class Document:
    """A title and its parts. language: of the page; notice: stands above everything, as that it is a demonstration."""

    title: str
    parts: tuple[Part, ...]
    language: str = "es"
    notice: str = ""


# --- Markdown


def as_markdown(document: Document) -> str:
    """Return the document as Markdown (CommonMark with tables), ending in one line end."""
    notice = [f"> **{_plain(document.notice)}**"] if document.notice else []
    blocks = [f"# {_plain(document.title)}", *notice, *filter(None, map(_markdown, document.parts))]
    return "\n\n".join(blocks) + "\n"


def _markdown(part: Part) -> str:
    match part:
        case Heading(text, level):
            return f"{'#' * level} {_plain(text)}"
        case Paragraph(text):
            return "  \n".join(_line(line) for line in _lines(text))
        case Bullets(items):
            return "\n".join(f"- {_line(item)}" for item in items)
        case Words(text, source):
            said = "  \n".join(f"> {_line(line)}" for line in _lines(text))
            return f"{said}\n>\n> — {_plain(source)}" if source else said
        case Grid():
            return _markdown_grid(part)
        case Drawing():
            return ""


def _markdown_grid(grid: Grid) -> str:
    lines = [_markdown_row(grid.head), "|" + " --- |" * len(grid.head), *map(_markdown_row, grid.rows)]
    caption = [f"**{_plain(grid.caption)}**", ""] if grid.caption else []
    return "\n".join([*caption, *lines])


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join("<br>".join(map(_plain, _lines(cell))) or " " for cell in cells) + " |"


def _plain(text: str) -> str:
    """Return a text on one line in which nothing is markup."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def _line(text: str) -> str:
    """Return the same where a line begins: it starts no list either."""
    return _LIST_START.sub(r"\1\\\2", _plain(text))


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


# --- a page that prints


def as_html(document: Document) -> str:
    """Return the document as one HTML page with its style in it, that asks nothing of any network."""
    notice = f'<p class="box"><strong>{_escaped(document.notice)}</strong></p>\n' if document.notice else ""
    labels = _grid_labels(document)
    body = "\n".join(
        _html_grid(part, labels.pop(0)) if isinstance(part, Grid) else _html(part) for part in document.parts
    )
    return (
        f'<!doctype html>\n<html lang="{_escaped(document.language)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_escaped(document.title)}</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{_escaped(document.title)}</h1>\n{notice}{body}\n</main>\n</body>\n</html>\n"
    )


def _grid_labels(document: Document) -> list[str]:
    """Return what each table's region is called, none like another: else nobody can tell them apart by ear."""
    labels: list[str] = []
    heading = document.title
    for part in document.parts:
        if isinstance(part, Heading):
            heading = part.text
        elif isinstance(part, Grid):
            label = part.caption or heading
            times = sum(each == label or each.startswith(f"{label} (") for each in labels)
            labels.append(f"{label} ({times + 1})" if times else label)
    return labels


def _html(part: Heading | Paragraph | Bullets | Words | Drawing) -> str:
    match part:
        case Heading(text, level):
            return f"<h{level}>{_escaped(text)}</h{level}>"
        case Paragraph(text, is_boxed):
            opening = '<p class="box">' if is_boxed else "<p>"
            return f"{opening}{_escaped_lines(text)}</p>"
        case Bullets(items):
            return "<ul>\n" + "".join(f"<li>{_escaped(item)}</li>\n" for item in items) + "</ul>"
        case Words(text, source):
            cite = f"<br>— {_escaped(source)}" if source else ""
            return f"<blockquote><p>{_escaped_lines(text)}{cite}</p></blockquote>"
        case Drawing(svg):
            return f"<figure>{svg}</figure>"


def _html_grid(grid: Grid, label: str) -> str:
    caption = f"<caption>{_escaped(grid.caption)}</caption>" if grid.caption else ""
    head = "".join(f'<th scope="col">{_escaped(cell)}</th>' for cell in grid.head)
    rows = "".join(f"<tr>{_html_cells(row)}</tr>\n" for row in grid.rows)
    # who cannot use a mouse must be able to scroll what is wider than the page
    opening = f'<div class="wide" role="region" tabindex="0" aria-label="{_escaped(label)}">'
    return f"{opening}<table>{caption}<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>"


def _html_cells(row: Sequence[str]) -> str:
    first = f'<th scope="row">{_escaped(row[0])}</th>' if row else ""
    return first + "".join(f"<td>{_escaped_lines(cell)}</td>" for cell in row[1:])


def _escaped(text: str) -> str:
    return html.escape(" ".join(text.split()))


def _escaped_lines(text: str) -> str:
    return "<br>".join(_escaped(line) for line in _lines(text))
