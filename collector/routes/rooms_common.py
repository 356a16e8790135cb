"""What the pages of rooms share: finding a room, writing in it, saying why something was refused, words and figures."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from collector.clock import iso_here, now_ms, parse_iso
from collector.links import room_code
from collector.pages import page, page_language, translator
from collector.problems import PROBLEMS, ProblemError
from collector.room_store import RoomStore, Writer, make_contribution
from collector.rooms.accepting import check_accepts
from collector.rooms.contributions import parse_contribution
from collector.rooms.guide import Step, Text, text_in
from collector.rooms.mine import last_set
from collector.rooms.payloads import FACILITATOR
from collector.rooms.places import place_name
from collector.rooms.refusals import Refusal
from collector.rooms.room import Item, Room
from collector.rooms.rules import UUID_FORM
from collector.routes.access import PIN_COOKIE
from collector.routes.staff_scope import own_address, staff_scope

POLL_SECONDS = 4
# purposes of a consent, each its own tick and none ticked before: key -> what stands beside the tick
PURPOSES: Mapping[str, str] = {
    "participate": "Quiero participar. Puedo parar cuando quiera.",
    "quote": "Pueden repetir mis palabras sin decir quién las dijo.",
    "photo": "Pueden tomar fotos de lo que se escriba en la pared, sin personas.",
}
NOTICE_VERSION = "sala-1"
# the parts of a contribution as a refusal names them -> as people do
FIELD_WORDS: Mapping[str, str] = {
    "title": "Título", "place": "Lugar", "district": "Distrito", "date": "Fecha",
    "convened_by": "Quién convoca", "text": "Texto", "theme": "Tema", "count": "Cuántas personas",
    "summary": "Resumen", "actor": "Quién", "by_when": "Para cuándo",
    "reason": "Motivo", "what": "Qué", "who": "Quién", "with_what": "Con qué", "review": "Se revisa el",
    "seat": "Puesto", "round": "Ronda", "group": "Grupo", "value": "Valor", "order": "Orden", "points": "Puntos",
    "question": "Pregunta", "sector": "Sector", "level": "Nivel", "to": "Con qué se une", "until": "Hora",
    "steps": "Pasos",
}  # fmt: skip
# an answer without a body shows nothing, so that it needs no rules for what a page may load
SHORT_HEADERS = {"Content-Security-Policy": "default-src 'none'", "Cache-Control": "no-store"}


class Growing:
    """Whole numbers that grow, also when the clock goes back or stands still."""

    def __init__(self) -> None:
        self._lock, self._last = Lock(), 0

    def next(self) -> int:
        """Return the next one: the present moment in epoch milliseconds, or one more than the last."""
        with self._lock:
            self._last = max(self._last + 1, now_ms())
            return self._last


COUNTS = Growing()


# --- finding and writing


def rooms_of(request: Request) -> RoomStore:
    """Return the rooms of this node."""
    store: RoomStore = request.app.state.rooms
    return store


def find_room(request: Request, session: str) -> Room:
    """Return the room with this id. Raises ProblemError not_found."""
    room = rooms_of(request).get(session) if UUID_FORM.fullmatch(session) else None
    if room is None:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    return room


def find_step(request: Request, room: Room, name: str) -> Step:
    """Return a step of the room's guide. Raises ProblemError not_found."""
    step = room.step(name)
    if step is None:
        raise ProblemError(PROBLEMS["not_found"], path=request.url.path)
    return step


def find_by_code(request: Request, typed: str) -> Room | None:
    """Return the room that a typed code means, None where none has it."""
    store = rooms_of(request)
    session = store.with_code(typed)
    return store.get(session) if session else None


def writer_of(request: Request) -> Writer:
    """Return who writes from a browser that gave the PIN: an id drawn from its pass, which says nothing of the pass."""
    token = request.cookies.get(PIN_COOKIE, "")
    return Writer(hashlib.sha256(f"collector-room-writer/1\n{token}".encode()).hexdigest()[:24])


def next_count() -> int:
    """Return the next number of this node's open writers.

    Never for a vote: its number would tell the moment. A ballot counts 1, 2, 3.
    """
    return COUNTS.next()


def say(request: Request, room: Room, what: str, payload: Mapping[str, Any], **more: Any) -> Room:
    """Store a contribution of whoever gave the PIN, and return the room as it is then. Raises Refusal."""
    body = make_contribution(room.session, what, payload, writer_of(request), next_count(), **more)
    if what not in FACILITATOR:
        check_accepts(room, parse_contribution(body))
    rooms_of(request).add(body)
    return find_room(request, room.session)


# --- how a room stands


def open_step(room: Room) -> Step | None:
    """Return the step that takes contributions now: the first open one of the guide, None where none is."""
    return next((step for step in _steps(room) if room.run(step.name).state == "open"), None)


def shown_step(room: Room) -> Step | None:
    """Return the step that everybody looks at: the open one, else the one that was locked or revealed last."""
    return open_step(room) or last_set(room)


def _steps(room: Room) -> tuple[Step, ...]:
    return room.guide.steps if room.guide else ()


def waiting_items(room: Room) -> tuple[Item, ...]:
    """Return the statements that wait for the facilitator, the oldest first."""
    return tuple(item for item in room.of("statement", with_hidden=True) if item.state == "waiting")


def join_address(request: Request, room: Room) -> str:
    """Return the address by which phones of the same network join."""
    return f"{own_address(request)}/s/{room_code(room.session)}"


# --- words


def refusal_sentence(request: Request, refusal: Refusal) -> str:
    """Return why something was refused, in the language of the page and with the field as people call it."""
    language = page_language(request)
    values = dict(refusal.values)
    key = str(values.get("key", "")).partition(".")[0]
    if key in FIELD_WORDS:
        values["key"] = translator(request.app.state.english, language)(FIELD_WORDS[key])
    return Refusal(refusal.code, **values).sentence(language)


def place_of(room: Room) -> str:
    """Return the name of the place of a room, "" where the session names none."""
    return place_name(room.facts)


@dataclass(frozen=True)
class Words:
    """How a room's own texts and figures are written in the language of a page."""

    language: str
    room: Room
    nobody: str

    @property
    def place(self) -> str:
        """Return the name of the room's place, whether the session says it or its code."""
        return place_of(self.room)

    def text(self, text: Text) -> str:
        """Return a text of the guide."""
        return text_in(text, self.language)

    def step(self, name: str) -> str:
        """Return the words of a step, its name where the guide does not know it."""
        step = self.room.step(name)
        return self.text(step.label) if step else name

    def segment(self, name: str) -> str:
        """Return the words of a segment."""
        segment = self.room.segment(name)
        return self.text(segment.label) if segment else name

    def value(self, segment_name: str, value: str) -> str:
        """Return the words of a value of a segment; "" is who did not say."""
        segment = self.room.segment(segment_name)
        if segment is None or value not in segment.values:
            return value or self.nobody
        return self.text(segment.values[value])

    def shape(self, segment_name: str, value: str) -> int:
        """Return which of the six shapes tells a value apart from the others without colour, 0 for none."""
        segment = self.room.segment(segment_name)
        values = list(segment.values) if segment else []
        return 1 + values.index(value) % 6 if value in values else 0

    def percent(self, share: float) -> str:
        """Return a share as people read it: "40 %"."""
        return f"{round(share * 100)}\N{NO-BREAK SPACE}%"

    def number(self, value: float, digits: int = 1) -> str:
        """Return a number with a decimal point, "3.8"; a true minus sign."""
        return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")

    def clock(self, finished: str) -> str:
        """Return the time of day of a moment where this node stands: "14:32"."""
        moment = parse_iso(finished)
        return iso_here(moment[0])[11:16] if moment else ""

    def seconds_left(self, until: str) -> int:
        """Return the seconds until a moment by this node's clock: that of a phone may be wrong."""
        moment = parse_iso(until)
        return max(0, (moment[0] - now_ms()) // 1000) if moment else 0


def words_for(request: Request, room: Room) -> Words:
    """Return the words of a room in the language of the page."""
    language = page_language(request)
    return Words(language, room, translator(request.app.state.english, language)("No dijo"))


# --- pages


def room_page(
    request: Request, template: str, room: Room, scope: Mapping[str, Any], block: str | None = None, status: int = 200
) -> HTMLResponse:
    """Answer with a staff page of a room; an HTMX request gets `block` alone."""
    shared = {
        "room": room,
        "code": room_code(room.session),
        "words": words_for(request, room),
        "here": f"/sala/{room.session}",
        "mark": rooms_of(request).mark(room.session),
        "poll_seconds": POLL_SECONDS,
    }
    return page(request, template, {**staff_scope(request, "/sala"), **shared, **scope}, block, status)


def mark_of_page(request: Request, room_id: str, *parts: str) -> str:
    """Return the tag of a polled part of a room: it changes with the room, the language and `parts`."""
    return f'"{"-".join((rooms_of(request).mark(room_id), page_language(request), *parts))}"'


def unless_marked(request: Request, tag: str, answer: Callable[[], HTMLResponse]) -> Response:
    """Answer a poll with 304 while nothing is new, without putting the page together; else with the page and its tag.

    The headers are as few as a 304 can do with: it replaces nothing in the browser.
    """
    is_poll = request.headers.get("hx-request") == "true"
    if is_poll and request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag, "Vary": "HX-Request", **SHORT_HEADERS})
    response = answer()
    if is_poll:
        response.headers["ETag"] = tag
    return response
