"""A room for phones: a node, a room of given steps that a tablet runs, and phones as people hold them."""

import html
import itertools
import re
from typing import Any

import httpx

from collector.links import room_code
from collector.room_store import make_contribution
from collector.rooms.guide import Guide, Step, segments_as_json, steps_as_json
from collector.rooms.room import Room
from tests.conftest import Node
from tests.rooms.making import segment_of, step_of
from tests.rooms_web.furnished_room import HOST, told_in

OPTIONS = ("agua", "basura", "cultura")
EVERY_TYPE = (
    step_of("prompt", "saludo"),
    step_of("question", "pregunta"),
    step_of("statements", "frases"),
    step_of("affinity", "grupos"),
    step_of("dots", "puntos", *OPTIONS),
    step_of("energy", "energia", *OPTIONS),
    step_of("rank", "orden", *OPTIONS),
    step_of("triad", "triangulo", "yo", "casa", "pais"),
    step_of("dyad", "extremos", "poco", "mucho"),
    step_of("iceberg", "hielo"),
    step_of("score", "jurado", "impacto", "alcance", weights=(60, 40), of="frases"),
    step_of("measure", "antes", "confianza", "escucha", most=10),
    step_of("commitments", "compromisos"),
    step_of("agreements", "acuerdos"),
    step_of("selection", "historia", of="frases"),
    step_of("photo", "pared"),
)
CARD = "7K2M4Y"


class Phone:
    """A browser of one person, with cookies of its own and no scripts."""

    def __init__(self, node: Node, code: str, language: str = "es") -> None:
        self.code = code
        headers = {"Accept": "text/html", "Accept-Language": language}
        no_socket_stays = httpx.Limits(max_keepalive_connections=0)
        self.client = httpx.Client(base_url=node.url, headers=headers, follow_redirects=True, limits=no_socket_stays)

    def join(self, **fields: str) -> httpx.Response:
        """Come in with consent."""
        return self.client.post(f"/s/{self.code}", data={"participate": "si"} | fields)

    def see(self, query: str = "", **headers: str) -> httpx.Response:
        """Look at what is open now."""
        return self.client.get(f"/s/{self.code}/ahora{query}", headers=headers)

    def give(self, step: str, what: str, /, **fields: str) -> httpx.Response:
        """Send the form of a kind; a field with a dot is written with two underscores."""
        told = {key.replace("__", "."): value for key, value in fields.items()}
        return self.client.post(f"/s/{self.code}/ahora", data={"_step": step, "_what": what} | told)


class PeopleRoom:
    """A room on a node, run as the facilitator's tablet does, and its phones."""

    def __init__(self, node: Node, *steps: Step, **facts: Any) -> None:
        self.node, self.counts = node, itertools.count(1)
        guide = Guide("prueba", "1", {"es": "Prueba"}, steps, (segment_of("generacion", "joven", "mayor"),))
        told: dict[str, Any] = {"title": "Jóvenes de Soná", "steps": steps_as_json(guide)}
        told |= {"segments": segments_as_json(guide.segments)}
        self.id: str = node.app.state.rooms.open(told | facts, HOST)
        self.code = room_code(self.id)

    def say(self, what: str, payload: dict[str, Any], **more: Any) -> str:
        """Say something as the host's tablet; return its id."""
        body = make_contribution(self.id, what, payload, HOST, next(self.counts), **more)
        self.node.app.state.rooms.add(body)
        return str(body["id"])

    def step(self, name: str, state: str = "open", **more: str) -> None:
        """Open, lock, reveal or hide a step."""
        self.say("step", {"state": state} | more, step=name)

    def open(self, *names: str) -> None:
        """Open steps."""
        for name in names:
            self.step(name)

    def statement(self, step: str, text: str) -> str:
        """Add a statement from the tablet."""
        return self.say("statement", {"text": text}, step=step)

    def phone(self, **fields: str) -> Phone:
        """Give a phone that has joined."""
        phone = Phone(self.node, self.code)
        assert phone.join(**fields).status_code == 200
        return phone

    @property
    def now(self) -> Room:
        """Return the room as it stands."""
        room: Room = self.node.app.state.rooms.get(self.id)
        return room

    def told(self, what: str) -> list[dict[str, Any]]:
        """Return the records of a kind, as they are stored."""
        return [body for body in told_in(self.node, self.id) if body["what"] == what]


def words_of(page: httpx.Response) -> str:
    """Return what a person reads on a page, in one line."""
    body = page.text.partition("<body>")[2] or page.text
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())
