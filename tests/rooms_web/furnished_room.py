"""A node with rooms: an empty one that a facilitator runs, and one with something of every kind on every board."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from collector import people
from collector.clock import iso, now_ms
from collector.db import reading, writing
from collector.queries.contributions import bodies_of
from collector.queries.records import ingest
from collector.room_store import Writer, make_contribution
from collector.rooms.contributions import Contribution
from collector.rooms.guide import Guide, segments_as_json, steps_as_json
from collector.settings import Settings
from sync.statements import made
from tests.conftest import Node, serve
from tests.rooms.making import START_MS, segment_of, step_of
from tests.rooms.sample import SEGMENTS, STEPS, sample_room

PIN = "482913"
HOST = Writer("tablet-of-the-host")
SMALL_STEPS = (
    step_of("prompt", "bienvenida"),
    step_of("statements", "frases", minutes=5),
    step_of("dots", "puntos", "agua", "basura", "cultura"),
    step_of("statements", "cuidado", moderation="before"),
)


def node_with_pin(folder: Path, name: str = "Tableta 3 · Soná") -> Node:
    node = serve(Settings(data_dir=folder / "sala", name=name, sync_seconds=0))
    with writing(node.app.state.engine) as session:
        people.set_pin(session, PIN)
    return node


@contextmanager
def signed_in(node: Node, **headers: str) -> Iterator[httpx.Client]:
    """Give a browser-like client that has given the PIN."""
    with httpx.Client(base_url=node.url, headers={"Accept": "text/html", **headers}, follow_redirects=True) as client:
        assert client.post("/equipo/pin", data={"pin": PIN, "next": "/equipo"}).status_code == 200
        yield client


def open_small_room(node: Node, **facts: Any) -> str:
    """Open a room of four steps and no seats; return its id."""
    guide = Guide("prueba", "1", {"es": "Prueba"}, SMALL_STEPS, (segment_of("generacion", "joven", "mayor"),))
    return _opened(node, guide, {"title": "Jóvenes de Soná"} | facts)


def open_full_room(node: Node, seed: int = 7, **facts: Any) -> str:
    """Open a room of twelve voters with something on every board; return its id. The same for the same seed."""
    guide = Guide("todo", "1", {"es": "Todo"}, STEPS, SEGMENTS)
    room = _opened(node, guide, {"title": "Asamblea de Soná", "round": 2} | facts)
    told = [body_of(each) for each in sample_room(seed) if each.what != "session"]
    put(node, *(_of_room(body, room) for body in told))
    put(node, *(_revealed(room, step.name, number) for number, step in enumerate(STEPS, start=1)))
    return room


def _opened(node: Node, guide: Guide, facts: dict[str, Any]) -> str:
    told = {
        "guide": guide.name, "guide_version": guide.version, "date": "2026-11-22", "steps": steps_as_json(guide),
        "segments": segments_as_json(guide.segments),
    }  # fmt: skip
    room: str = node.app.state.rooms.open(facts | told, HOST)
    return room


def _of_room(body: dict[str, Any], room: str) -> dict[str, Any]:
    """Return a body of the sample as one of this room: two rooms of one node share no ids."""
    own = f"-7{room[-3:]}-8{room[-6:-3]}-"
    moved: dict[str, Any] = json.loads(json.dumps(body | {"session": ""}).replace("-7000-8000-", own))
    return moved | {"session": room}


def _revealed(room: str, step: str, number: int) -> dict[str, Any]:
    """Return the body that reveals a step an hour after the sample's room began."""
    body = make_contribution(room, "step", {"state": "revealed"}, HOST, number, step=step)
    return body | {"finished": iso(START_MS + 3_600_000)}


def body_of(said: Contribution) -> dict[str, Any]:
    """Return the body that a contribution was read from."""
    body: dict[str, Any] = {
        "id": said.id, "kind": "contribution", "session": said.session, "what": said.what, "finished": said.finished,
        "salt": "c2FsdHNhbHQ=", "by": said.by, "count": said.count, "mode": said.mode,
        "payload": json.loads(json.dumps(said.payload)), "segments": dict(said.segments),
    }  # fmt: skip
    body |= {"seat": said.seat, "step": said.step, "ref": said.ref, "ballot": said.ballot}
    return {key: value for key, value in body.items() if value != "" and (value or key != "segments")}


def put(node: Node, *bodies: dict[str, Any]) -> None:
    """Store contributions as if they had come by sync."""
    with writing(node.app.state.engine) as session:
        outcomes = ingest(session, [made(body) for body in bodies], now_ms())
    assert set(outcomes) <= {"stored"}, outcomes


def told_in(node: Node, room: str) -> list[dict[str, Any]]:
    """Return the bodies of a room's contributions in the order in which they came."""
    with reading(node.app.state.engine) as session:
        return [json.loads(body) for body in bodies_of(session, room)]
