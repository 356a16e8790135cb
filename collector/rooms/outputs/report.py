"""The report of a session and its minutes, as documents: Markdown to edit further, a page to print in the village.

The report is for the lab and whoever takes part; the minutes are what was read back to the group. Neither says who
voted what, and notes appear only as words that may be quoted.
"""

from collections.abc import Callable, Iterator, Mapping

from collector.clock import parse_iso
from collector.rooms.boards.timeline import balance
from collector.rooms.guide import Step, text_in
from collector.rooms.outputs.document import Document, Grid, Heading, Paragraph, Part, Words
from collector.rooms.outputs.heading import facts_line, notice_of, value_words
from collector.rooms.outputs.matrices import matrix_document
from collector.rooms.outputs.open_parts import (
    affinity_parts,
    agreement_parts,
    iceberg_parts,
    judging_parts,
    offer_parts,
    selection_parts,
)
from collector.rooms.outputs.secret_parts import (
    dot_parts,
    energy_step_parts,
    paired_parts,
    ranking_parts,
    signify_parts,
    statement_parts,
)
from collector.rooms.outputs.theme_tables import QUESTION, question_words, room_tables
from collector.rooms.outputs.tongue import SPANISH, Tongue
from collector.rooms.room import Room
from collector.rooms.sense.codebook import Codebook
from collector.rooms.sense.coding import Coded
from collector.rooms.sense.pieces import Piece, pieces_of
from collector.rooms.sense.quotes import Quote, quotes
from collector.rooms.sense.suppression import Policy

MINUTE_MS = 60_000
PURPOSE_NAMES = {
    "participate": "Participar",
    "answers": "Anotar lo que dice",
    "quote": "Citar sus palabras",
    "photo": "Usar fotos",
    "audio": "Grabar audio",
    "recontact": "Buscar a la persona otra vez",
}
MOST_QUOTES = 3  # of a theme: the report leads to the records, it does not replace them
BOARDS: Mapping[str, Callable[[Room, Step, Tongue], Iterator[Part]]] = {
    "question": statement_parts,
    "statements": statement_parts,
    "affinity": affinity_parts,
    "dots": dot_parts,
    "energy": energy_step_parts,
    "rank": ranking_parts,
    "triad": signify_parts,
    "dyad": signify_parts,
    "iceberg": iceberg_parts,
    "score": judging_parts,
    "measure": paired_parts,
    "commitments": lambda room, step, tongue: offer_parts(room, tongue, step.name),
    "agreements": lambda room, step, tongue: agreement_parts(room, tongue, step.name),
    "selection": lambda room, step, tongue: selection_parts(room, tongue, step.name),
}


def session_report(
    room: Room, book: Codebook, coded: Coded, tongue: Tongue = SPANISH, policy: Policy | None = None
) -> Document:
    """Return the report: facts, consent, who spoke, every step with its board, themes by question, quotes by theme."""
    parts = [
        Paragraph(facts_line(room, tongue)),
        *_people_parts(room, tongue),
        *_step_parts(room, tongue),
        *_theme_parts(room, book, coded, tongue, policy or Policy()),
        *_closing_parts(room, tongue),
    ]
    title = tongue("Informe de la sesión: {title}", title=room.facts.title)
    return Document(title, tuple(parts), tongue.language, notice_of(room, tongue))


# --- people


def _people_parts(room: Room, tongue: Tongue) -> Iterator[Part]:
    found = balance(room)
    yield Heading(tongue("Quiénes participaron"))
    rows = [
        (tongue("Presentes"), str(room.present) if room.present else tongue("no se contaron")),
        (tongue("Asientos"), str(len(room.seats))),
        (tongue("Asientos sin notas"), str(len(found.silent))),
        (tongue("Notas"), str(len(room.of("note")))),
        (tongue("Notas del grupo, sin asiento"), str(found.of_the_group)),
    ]
    if room.facts.convened_by:
        rows.append((tongue("Convoca"), room.facts.convened_by))
    yield Grid("", (tongue("Dato"), tongue("Valor")), tuple(rows))
    yield Heading(tongue("Consentimiento"), 3)
    yield Grid("", (tongue("Permiso"), tongue("Grupo"), tongue("Asientos que lo dan")), tuple(_consents(room, tongue)))


def _consents(room: Room, tongue: Tongue) -> Iterator[tuple[str, ...]]:
    """Give each purpose with how many seats it holds for: by their own word, else by the group's."""
    purposes = sorted({purpose for consent in room.consents.values() for purpose in consent.purposes})
    words = {True: tongue("sí"), False: tongue("no")}
    for purpose in purposes:
        agreed = sum(room.allows(seat, purpose) for seat in room.seats)
        yield (
            tongue(PURPOSE_NAMES.get(purpose, purpose)),
            words[room.allows("", purpose)],
            f"{agreed}/{len(room.seats)}",
        )
    if not purposes:
        yield tongue("Nadie anotó permisos"), words[False], f"0/{len(room.seats)}"


# --- steps


def _step_parts(room: Room, tongue: Tongue) -> Iterator[Part]:
    for number, step in enumerate(room.guide.steps if room.guide else (), 1):
        yield Heading(f"{number}. {text_in(step.label, tongue.language)}")
        notes = len(room.of("note", step.name))
        if notes:
            yield Paragraph(tongue("Notas en este paso: {n}", n=notes))
        board = BOARDS.get(step.type)
        if board is not None:
            yield from board(room, step, tongue)


# --- themes


def _theme_parts(room: Room, book: Codebook, coded: Coded, tongue: Tongue, policy: Policy) -> Iterator[Part]:
    """Give question x theme, protected, and the quotes of each theme."""
    pieces = pieces_of(room)
    if not any(coded.paths(piece.target) for piece in pieces):
        return
    found = room_tables(room, book, coded, policy)
    words = question_words(room, book, tongue)
    yield Heading(words.title)
    yield from matrix_document(found.published(QUESTION), words).parts
    for code in (book.codes[path] for path in found.themes):
        mine = [piece for piece in pieces if coded.has(piece.target, code.path)]
        yield from _quote_parts(room, code.label, mine, policy, tongue)


def _quote_parts(room: Room, label: str, pieces: list[Piece], policy: Policy, tongue: Tongue) -> Iterator[Part]:
    found = quotes(pieces, policy.k, MOST_QUOTES)
    if found:
        yield Heading(tongue("Citas: {theme}", theme=label), 3)
        for quote in found:
            yield Words(quote.text, quote_source(room, quote, tongue))


def quote_source(room: Room, quote: Quote, tongue: Tongue) -> str:
    """Return what may be said of who said it: the values of their segments that many share."""
    return ", ".join(value_words(room, key, value, tongue) for key, value in quote.segments.items())


# --- minutes


def minutes(room: Room, tongue: Tongue = SPANISH) -> Document:
    """Return the minutes: where, when, how long, what was written down, agreements, commitments, read back or not."""
    parts = [
        Paragraph(facts_line(room, tongue)),
        *_minute_facts(room, tongue),
        *_minute_texts(room, tongue),
        *agreement_parts(room, tongue),
        *(part for part in offer_parts(room, tongue) if isinstance(part, Grid)),
        *_closing_parts(room, tongue),
    ]
    title = tongue("Acta: {title}", title=room.facts.title)
    return Document(title, tuple(parts), tongue.language, notice_of(room, tongue))


def _minute_facts(room: Room, tongue: Tongue) -> Iterator[Part]:
    rows = [(tongue("Presentes"), str(room.present) if room.present else tongue("no se contaron"))]
    if room.facts.convened_by:
        rows.append((tongue("Convoca"), room.facts.convened_by))
    length = _minutes_long(room)
    if length:
        rows.append((tongue("Duración"), tongue("{n} minutos", n=length)))
    steps = [text_in(step.label, tongue.language) for step in (room.guide.steps if room.guide else ())]
    if steps:
        rows.append((tongue("Pasos"), "\n".join(f"{number}. {label}" for number, label in enumerate(steps, 1))))
    yield Grid("", (tongue("Dato"), tongue("Valor")), tuple(rows))


def _minutes_long(room: Room) -> int:
    """Return how long the session took by what was said in it: from the first to the close, else to the last."""
    moments = [item.at_ms for item in room.items]
    closed = parse_iso(room.closing.finished) if room.closing else None
    if closed and moments:
        return max(0, (closed[0] - moments[0]) // MINUTE_MS)
    return (moments[-1] - moments[0]) // MINUTE_MS if moments else 0


def _minute_texts(room: Room, tongue: Tongue) -> Iterator[Part]:
    texts = room.of("minute")
    if texts:
        yield Heading(tongue("Lo que se trató"))
    for item in texts:
        yield Paragraph(item.text)


def _closing_parts(room: Room, tongue: Tongue) -> Iterator[Part]:
    if room.closing is None:
        yield Paragraph(tongue("La sesión sigue abierta."), is_boxed=True)
        return
    yield Heading(tongue("Cierre"))
    if room.closing.summary:
        yield Paragraph(room.closing.summary)
    read_back = (
        tongue("El acta se leyó al grupo.") if room.closing.is_read_back else tongue("El acta no se leyó al grupo.")
    )
    yield Paragraph(read_back, is_boxed=True)
