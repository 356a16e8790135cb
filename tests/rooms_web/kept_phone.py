"""What the script of a phone does with what its page gave it: it makes records, and sends them with a pass."""

import html
import json
import re
from typing import Any

import httpx

from collector.clock import iso, now_ms
from collector.db import reading
from collector.queries.records import list_quarantine
from collector.room_store import Writer, make_contribution
from sync.records import canonical_bytes, uuid7
from tests.conftest import Node
from tests.rooms_web.furnished_room import HOST, put
from tests.rooms_web.people_room import PeopleRoom

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
NDJSON = {"Content-Type": "application/x-ndjson"}
TEMPLATE = re.compile(r'<template id="own-(\w+)"([^>]*)>')
ATTRIBUTE = re.compile(r'data-(\w+)="([^"]*)"')


class Kept:
    """A phone that has joined, and what its page gave to its script."""

    def __init__(self, room: PeopleRoom, **fields: str) -> None:
        self.room, self.phone = room, room.phone(**fields)
        page = self.phone.see().text
        self.own = {
            name: {key: html.unescape(value) for key, value in ATTRIBUTE.findall(said)}
            for name, said in TEMPLATE.findall(page)
        }

    def open(self, what: str, payload: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Return what this phone writes for its seat, as its script makes it."""
        seat = self.own["seat"]
        writer = Writer(seat["by"], seat["mode"])
        plain = {key: more.pop(key, "") for key in ("step", "ref")}
        body = make_contribution(self.room.id, what, payload, writer, now_ms(), seat=seat["seat"], **plain)
        return moved(body | more)

    def secret(self, what: str, payload: dict[str, Any], count: int = 1, **more: Any) -> dict[str, Any]:
        """Return what this phone votes by its ballot."""
        ballot = self.own["ballot"]
        segments = json.loads(ballot["segments"])
        at_ms = more.pop("at_ms", now_ms())
        plain = {"step": more.pop("step"), "ref": more.pop("ref", "")}
        writer = Writer(ballot["ballot"], ballot["mode"])
        body = make_contribution(self.room.id, what, payload, writer, count, segments=segments, **plain)
        cut_ms = at_ms - at_ms % MINUTE_MS
        return body | {"id": uuid7(cut_ms), "finished": iso(cut_ms)} | more

    def send(self, *bodies: dict[str, Any], by: str = "seat", **headers: str) -> httpx.Response:
        """Send records with the pass of the seat or of the ballot."""
        told = {"Collector-Room-Pass": self.own[by]["pass"]} | {
            key.replace("_", "-"): it for key, it in headers.items()
        }
        return post(self.room.node, f"/s/{self.room.code}/envios", *bodies, **told)


def moved(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body that was finished at its key at_ms, where it has one."""
    at_ms = body.pop("at_ms", None)
    return body | ({"finished": iso(at_ms)} if at_ms else {})


def lines_of(*bodies: dict[str, Any]) -> bytes:
    return b"\n".join(canonical_bytes(body) for body in bodies)


def post(node: Node, path: str, *bodies: dict[str, Any], **headers: str) -> httpx.Response:
    return httpx.post(node.url + path, content=lines_of(*bodies), headers=NDJSON | headers)


def apart(node: Node) -> dict[str, str]:
    """Return id -> reason of what stands in quarantine."""
    with reading(node.app.state.engine) as session:
        return {entry.id: entry.why for entry in list_quarantine(session)}


def step_at(room: PeopleRoom, name: str, state: str, at_ms: int) -> str:
    """Open or lock a step at a moment; return the id of that."""
    body = make_contribution(room.id, "step", {"state": state}, HOST, next(room.counts), step=name)
    put(room.node, body | {"finished": iso(at_ms)})
    return str(body["id"])
