"""A room of forty people on one node: how long each waits for what they say, while all phones ask what is new.

The last two minutes of ten in which 1,000 things are said: the room holds 800 contributions already, forty phones join,
ask every four seconds, and say 200 more. Over real HTTP, a connection a phone, as browsers keep one.
"""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from time import monotonic, perf_counter, sleep

import httpx

from bench.node import own_store, serving
from bench.report import Bar, Row
from collector.links import room_code
from collector.room_store import RoomStore, Writer, make_contribution, new_token
from collector.rooms.guide import Guide, Step, steps_as_json

PHONES, SAYINGS, SENTENCES, BEFORE = 40, 200, 20, 800
SECONDS = 120.0
POLL_SECONDS = 4.0
STEP = "frases"
SOON = Bar(most=100, unit=" ms")


@dataclass
class Waits:
    """Seconds that phones waited. given: for what they said; asked: for the page with nothing or something new."""

    given: list[float] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)


def room_rows(folder: Path) -> list[Row]:
    """Measure the room on a node of its own."""
    with own_store(folder / "room", []) as engine:
        room, sentences = _open(RoomStore(engine))
    with serving(folder / "room", []) as node:
        begun = node.server.cpu_seconds()
        waits = _meeting(node.url, room_code(room), sentences)
        cpu_seconds = node.server.cpu_seconds() - begun
    name = f"room of {PHONES} phones and {BEFORE:,} contributions, {SAYINGS} more in {SECONDS:.0f} s:"
    said, asked = _p95(waits.given), _p95(waits.asked)
    return [
        Row(f"{name} wait for a contribution, 95 of 100", f"{said:.0f} ms", said, SOON),
        Row(f"{name} wait for a poll, 95 of 100", f"{asked:.0f} ms"),
        Row(f"{name} CPU of the node", f"{cpu_seconds:.1f} s"),
    ]


def _p95(seconds: list[float]) -> float:
    return quantiles(seconds, n=20)[-1] * 1000


def _open(rooms: RoomStore) -> tuple[str, list[str]]:
    """Open a room with sentences to vote on, and its step; return its id and theirs."""
    guide = Guide("bench", "1", {"es": "Bench"}, (Step("statements", STEP, {"es": "Frases"}),))
    host = Writer(new_token())
    room = rooms.open({"title": "Bench", "steps": steps_as_json(guide)}, host)
    said = [
        make_contribution(room, "statement", {"text": f"Frase {n}"}, host, n, step=STEP)
        for n in range(1, SENTENCES + 1)
    ]
    rooms.add_all([*said, make_contribution(room, "step", {"state": "open"}, host, SENTENCES + 1, step=STEP)])
    sentences = [str(body["id"]) for body in said]
    ballots = [Writer(new_token()) for _ in range(BEFORE // SENTENCES)]
    for sentence in sentences:
        votes = [
            make_contribution(room, "vote", {"choice": "agree"}, ballot, n, step=STEP, ref=sentence)
            for n, ballot in enumerate(ballots)
        ]
        rooms.add_all(votes)
    return room, sentences


def _meeting(url: str, code: str, sentences: list[str]) -> Waits:
    waits = Waits()
    phones = [threading.Thread(target=_phone, args=(url, code, sentences, n, waits)) for n in range(PHONES)]
    for phone in phones:
        phone.start()
    for phone in phones:
        phone.join()
    if len(waits.given) < SAYINGS:
        raise ValueError(f"{len(waits.given)} of {SAYINGS} contributions were taken")
    return waits


def _phone(url: str, code: str, sentences: list[str], number: int, waits: Waits) -> None:
    """Be one person: join, say a share of the contributions at chance moments, ask in between."""
    chance = random.Random(number)
    moments = sorted(chance.uniform(0, SECONDS) for _ in range(SAYINGS // PHONES))
    votes = chance.sample(sentences, min(len(sentences), len(moments) - 1))
    with httpx.Client(base_url=url, headers={"Accept": "text/html"}, timeout=30) as client:
        _join(client, code)
        begun, asked_at, tag = monotonic(), chance.uniform(-POLL_SECONDS, 0), ""
        for at, moment in enumerate(moments):
            while (now := monotonic() - begun) < moment:
                if now - asked_at >= POLL_SECONDS:
                    asked_at, tag = now, _ask(client, code, tag, waits)
                sleep(min(0.05, max(0.0, moment - now)))
            said = (
                {"_what": "vote", "ref": votes[at], "choice": chance.choice(("agree", "disagree", "pass"))}
                if at < len(votes)
                else {"_what": "statement", "text": f"Digo {number}-{at}"}
            )
            with _timed(waits.given):
                answer = client.post(f"/s/{code}/ahora", data={"_step": STEP} | said)
            if answer.status_code not in (200, 303):
                raise ValueError(f"{said} was answered with {answer.status_code}")


def _join(client: httpx.Client, code: str) -> None:
    answer = client.post(f"/s/{code}", data={"participate": "si"})
    if answer.status_code != 303:
        raise ValueError(f"joining was answered with {answer.status_code}")


def _ask(client: httpx.Client, code: str, tag: str, waits: Waits) -> str:
    headers = {"HX-Request": "true"} | ({"If-None-Match": tag} if tag else {})
    with _timed(waits.asked):
        answer = client.get(f"/s/{code}/ahora", headers=headers)
    return str(answer.headers.get("ETag", tag))


@contextmanager
def _timed(waits: list[float]) -> Iterator[None]:
    begun = perf_counter()
    yield
    waits.append(perf_counter() - begun)
