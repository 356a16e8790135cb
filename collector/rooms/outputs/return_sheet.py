"""The sheet that goes back to the community, one page: what they told us, what we will do. Plain words, to be read out.

Themes stand in the order of how many spoke of them, without counts: beside the tables over several rooms a count of one
room could give a small cell of another back. Quotes as in quotes.py; no seat and no name of a person.
`readability` scores what stands on the sheet (Fernández-Huerta); below 60 whoever prints it should write it plainer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from collector.forms.readability import fernandez_huerta
from collector.rooms.boards.statements import StatementRow, statement_board
from collector.rooms.outputs.document import Bullets, Document, Grid, Heading, Paragraph, Part, Words
from collector.rooms.outputs.heading import facts_line, notice_of
from collector.rooms.outputs.secret_parts import share_words
from collector.rooms.outputs.tongue import SPANISH, Tongue
from collector.rooms.room import Item, Room
from collector.rooms.sense.codebook import Code, Codebook
from collector.rooms.sense.coding import Coded
from collector.rooms.sense.pieces import Piece, pieces_of
from collector.rooms.sense.quotes import quotes
from collector.rooms.sense.suppression import K_PARTNERS

MOST_THEMES, MOST_QUOTES, MOST_STATEMENTS, MOST_PROMISES = 5, 3, 3, 6
LONGEST = 160  # letters of one line: the sheet is one page
BACKED = 0.6  # from this share of agreement on a statement counts as backed


@dataclass(frozen=True)
class Sheet:
    """What the sheet is made of. doing: what the lab adds, in plain sentences; contact: where people may answer."""

    room: Room
    book: Codebook
    coded: Coded
    doing: tuple[str, ...] = ()
    contact: str = ""
    k: int = K_PARTNERS


def return_sheet(sheet: Sheet, tongue: Tongue = SPANISH) -> Document:
    """Return the sheet as a document: it fits one page of A4 with at most five themes and six promises."""
    room = sheet.room
    parts = [
        Paragraph(facts_line(room, tongue)),
        Paragraph(_thanks(room, sheet.k, tongue)),
        Heading(tongue("Lo que nos dijeron")),
        *_told(sheet, tongue),
        *_backed(room, tongue),
        Heading(tongue("Lo que haremos")),
        *_promised(sheet, tongue),
        Heading(tongue("Cómo seguimos")),
        Paragraph(_next(sheet, tongue)),
    ]
    title = tongue("Lo que nos dijeron, lo que haremos")
    return Document(title, tuple(parts), tongue.language, notice_of(room, tongue))


def readability(document: Document) -> float | None:
    """Return the Fernández-Huerta score of all that stands on the sheet; None for too few words."""
    return fernandez_huerta("\n".join(text for part in document.parts for text in _texts(part)))


def _texts(part: Part) -> Iterator[str]:
    match part:
        case Heading(text) | Paragraph(text) | Words(text):
            yield text
        case Bullets(items):
            yield from items
        case Grid(_, _, rows):
            yield from (cell for row in rows for cell in row)


def _thanks(room: Room, k: int, tongue: Tongue) -> str:
    people = room.present or len(room.seats)
    if people < k:
        return tongue("Gracias por venir y por hablar con nosotros.")
    return tongue("Vinieron {n} personas. Gracias por hablar con nosotros.", n=people)


# --- what they told us


def _told(sheet: Sheet, tongue: Tongue) -> Iterator[Part]:
    pieces = pieces_of(sheet.room)
    themes = sorted(_themes(sheet, pieces), key=lambda found: -len({piece.person for piece in found[1]}))[:MOST_THEMES]
    if not themes:
        yield Paragraph(tongue("Estamos leyendo lo que dijeron. Volveremos con los temas."))
        return
    yield Bullets(tuple(_theme_line(code, mine, sheet.k, tongue) for code, mine in themes))
    ids = {piece.target for _, mine in themes for piece in mine}
    for quote in quotes([piece for piece in pieces if piece.target in ids], sheet.k, MOST_QUOTES):
        yield Words(_short(quote.text))


def _themes(sheet: Sheet, pieces: Sequence[Piece]) -> Iterator[tuple[Code, list[Piece]]]:
    for code in sheet.book.codes.values():
        mine = [piece for piece in pieces if code.path in sheet.coded.paths(piece.target)]
        if mine:
            yield code, mine


def _theme_line(code: Code, pieces: Sequence[Piece], k: int, tongue: Tongue) -> str:
    people = len({piece.person for piece in pieces})
    if people < k:
        return tongue("{theme}: lo dijeron algunas personas.", theme=code.label)
    return tongue("{theme}: lo dijeron varias personas.", theme=code.label)


def _backed(room: Room, tongue: Tongue) -> Iterator[Part]:
    """Give the statements that most people backed, once their votes were revealed."""
    steps = [step.name for step in (room.guide.steps if room.guide else ()) if step.type == "statements"]
    rows = [row for step in steps for row in statement_board(room, step).rows]
    backed = [row for row in rows if _agreed(row) >= BACKED]
    backed.sort(key=lambda row: -_agreed(row))
    if backed:
        yield Paragraph(tongue("En esto hubo más acuerdo:"))
        yield Bullets(
            tuple(
                tongue(
                    "{text} (de acuerdo: {share})", text=_short(row.text), share=share_words(row.tally.agree, tongue)
                )
                for row in backed[:MOST_STATEMENTS]
                if row.tally
            )
        )


def _agreed(row: StatementRow) -> float:
    return row.tally.agree.share if row.tally else 0.0


# --- what we will do


def _promised(sheet: Sheet, tongue: Tongue) -> Iterator[Part]:
    lines = [*(_short(line) for line in sheet.doing), *_agreement_lines(sheet.room, tongue)]
    if lines:
        yield Bullets(tuple(lines[:MOST_PROMISES]))
    else:
        yield Paragraph(tongue("Todavía no hay acuerdos. Vamos a volver para hacerlos juntos."))


def _agreement_lines(room: Room, tongue: Tongue) -> Iterator[str]:
    for item in room.of("agreement"):
        yield _promise(item, _short(item.said("what")), item.said("who"), tongue)
    for item in room.of("commitment"):
        if item.said("by_when"):
            yield _promise(item, _short(item.text), item.said("actor"), tongue)


def _promise(item: Item, what: str, who: str, tongue: Tongue) -> str:
    if not item.said("by_when"):
        return tongue("{what}. Lo hace: {who}.", what=what.rstrip("."), who=who)
    when = tongue.day(item.said("by_when"))
    return tongue("{what}. Lo hace: {who}. Fecha: {when}.", what=what.rstrip("."), who=who, when=when)


def _next(sheet: Sheet, tongue: Tongue) -> str:
    reviews = sorted(item.said("review") for item in sheet.room.of("agreement") if item.said("review"))
    lines = [tongue("Volvemos a revisar el {day}.", day=tongue.day(reviews[0]))] if reviews else []
    lines.append(tongue("¿Algo no está bien? Díganos y lo cambiamos."))
    if sheet.contact:
        lines.append(sheet.contact)
    return "\n".join(lines)


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= LONGEST else words[: LONGEST - 1].rstrip() + "…"
