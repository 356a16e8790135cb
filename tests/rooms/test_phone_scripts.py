"""The scripts of a phone and the node agree: on what a form says, and on what a record of a room is."""

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from collector.clock import parse_iso
from collector.rooms.contributions import parse_contribution
from collector.rooms.given import READERS, said_in
from collector.rooms.guide import STEP_TYPES, Step
from collector.rooms.link_codes import make_link_code
from collector.rooms.payloads import SECRET
from collector.rooms.refusals import Refusal
from sync.records import read_record, uuid7
from tests.node_js import runner
from tests.rooms.making import MINUTE, SESSION, START_MS, step_of

RUNNER = str(Path(__file__).parent.parent / "rooms_runner.mjs")
OPTIONS = ("10", "agua", "2")  # names that are numbers: an object of a script would put those first
STEPS: Mapping[str, Step] = {
    step.type: step
    for step in (
        step_of("question", "pregunta"), step_of("statements", "frases"), step_of("affinity", "grupos"),
        step_of("dots", "puntos", *OPTIONS), step_of("energy", "energia", *OPTIONS),
        step_of("rank", "orden", *OPTIONS), step_of("triad", "triangulo", *OPTIONS),
        step_of("dyad", "extremos", "poco", "mucho"), step_of("iceberg", "hielo"),
        step_of("score", "jurado", "impacto", "alcance", weights=(60, 40)),
        step_of("measure", "antes", "confianza", "escucha", most=10), step_of("commitments", "compromisos"),
        step_of("agreements", "acuerdos"), step_of("selection", "historia"),
    )
}  # fmt: skip
KINDS = sorted((type_, what) for type_, step in STEPS.items() for what in STEP_TYPES[step.type])
TEXTS = ("", " ", "Falta agua.", "  con\r\nrenglones ", "ñandú 😀", "nulo\0s")
NUMBERS = ("", "0", "1", "3", "5")
CODES = (make_link_code(), make_link_code().lower(), "EQXX7-R", "EQXX7-Z", "eqxx7r", "", "AAAAAA", "O1I-L0 O")
ID = "01890000-0000-7000-8000-000000000001"


def ask(tasks: list[dict[str, Any]]) -> list[Any]:
    """Return what the scripts answer to each task."""
    answers, words = runner(RUNNER).ask([json.dumps(task) for task in tasks])
    assert not words, words
    return [json.loads(answer) for answer in answers]


def fields_of(step: Step, what: str, chance: random.Random) -> list[tuple[str, str]]:
    """Return the fields of a form as a page draws them, filled in by chance."""
    pick = chance.choice
    names = step.option_names
    forms: dict[str, list[tuple[str, str]]] = {
        "vote": [("ref", pick(["", ID])), ("choice", pick(["", "agree", "pass"]))],
        "allocation": [(f"points.{name}", pick(NUMBERS)) for name in names],
        "rank": [(f"place.{place}", pick(["", *names])) for place in range(1, len(names) + 1)],
        "triad": [*((f"points.{name}", pick(["0", "2", "3", "5"])) for name in names), ("na", pick(["", "", "1"]))],
        "dyad": [("value", pick(["", "0", "70", "100", "na"]))],
        "measure": [("code", pick(CODES)), *((f"item.{name}", pick(NUMBERS)) for name in names)],
        "score": [("target", pick(["", ID])), *((f"criteria.{name}", pick(NUMBERS)) for name in names)],
    }
    if what == "score":
        forms["score"] += [("reason", pick(TEXTS)), ("conflict", pick(["", "", "1"]))]
    keys = ("text", "level", "ref", "to", "relation", "new", "group", "actor", "sector", "position", "kind", "reason",
            "what", "who", "with_what", "by_when", "review")  # fmt: skip
    return forms.get(what) or [(key, pick(TEXTS)) for key in keys]


def told_by_node(step: Step, what: str, fields: list[tuple[str, str]]) -> list[dict[str, Any]] | None:
    """Return what the node reads in a form, as the script gives it; None for what it refuses."""
    try:
        found = said_in(step, what, dict(fields), 3)
    except Refusal:
        return None
    if what == "rank" and len(set(found[0].payload["order"])) < len(found[0].payload["order"]):
        return None  # refused by the rules of its payload
    if what == "triad" and "na" not in found[0].payload and sum(found[0].payload.values()) != 100:
        return None
    ref = {"ref": found[0].ref} if found[0].ref else {}
    return [{"what": said.what, "payload": dict(said.payload)} | ref for said in found]


@pytest.mark.parametrize(("type_", "what"), KINDS)
def test_a_form_says_the_same_to_the_phone_and_to_the_node(type_: str, what: str) -> None:
    chance, step = random.Random(f"{type_} {what}"), STEPS[type_]
    forms = [fields_of(step, what, chance) for _ in range(150)]
    wanted = [told_by_node(step, what, fields) for fields in forms]
    assert any(wanted), "some of them can be taken"
    found = ask([{"ask": "said", "what": what, "fields": fields, "round": 3} for fields in forms])
    for fields, mine, theirs in zip(forms, found, wanted, strict=True):
        assert mine == theirs, fields


def test_the_phone_knows_every_kind_that_a_form_can_give() -> None:
    assert {what for _, what in KINDS} == set(READERS)
    assert ask([{"ask": "said", "what": "close", "fields": [["text", "x"]], "round": 0}]) == [None]


@pytest.mark.parametrize("what", sorted(SECRET))
def test_a_vote_of_the_phone_names_no_seat_and_no_moment(what: str) -> None:
    payloads = {
        "vote": {"choice": "agree"}, "allocation": {"points": {"10": 3}}, "rank": {"order": ["10"]},
        "triad": {"na": True}, "dyad": {"value": 70},
        "measure": {"code": "EQXX7R", "item": "escucha", "value": 3, "round": 0},
    }  # fmt: skip
    saying = {
        "session": SESSION, "what": what, "payload": payloads[what], "count": 1, "step": "x", "ref": ID,
        "by": "seat-writer", "ballot": "ballot-of-somebody", "segments": {"generacion": "joven"}, "seat": "P1",
        "at": START_MS + 43_210,
    }  # fmt: skip
    (made,) = ask([{"ask": "made", "saying": saying}])
    record = read_record(made["body"])
    said = parse_contribution(record.content)
    assert (record.why, made["secret"], made["id"]) == (None, True, record.id)
    assert (said.by, said.ballot, said.seat, said.at_ms) == ("ballot-of-somebody", "ballot-of-somebody", "", START_MS)
    assert int(said.id.replace("-", "")[:12], 16) % MINUTE == 0 and "seat-writer" not in made["body"]


def test_a_record_of_the_phone_is_canonical_and_says_its_moment() -> None:
    saying = {
        "session": SESSION, "what": "statement", "payload": {"text": "ñ 😀 e\u0301"}, "count": START_MS,
        "step": "frases", "ref": "", "by": "writer-of-p1", "seat": "P1", "mode": "pass", "at": START_MS + 43_210,
        "ballot": "b" * 24,
    }  # fmt: skip
    (made,) = ask([{"ask": "made", "saying": saying}])
    record = read_record(made["body"])
    said = parse_contribution(record.content)
    assert (record.why, made["secret"]) == (None, False)
    assert (said.at_ms, said.seat, said.by, said.mode, said.ref, said.ballot) == (
        START_MS + 43_210, "P1", "writer-of-p1", "pass", "", "",
    )  # fmt: skip
    assert said.payload == {"text": "ñ 😀 é"} and parse_iso(said.finished)


def test_what_opens_a_room_is_named_by_whoever_makes_it() -> None:
    session = uuid7()
    (made,) = ask([{"ask": "made", "saying": {"session": session, "id": session, "what": "session", "count": 0,
                                              "by": "the-tablet", "payload": {"title": "Sin nodo"}}}])  # fmt: skip
    assert (made["id"], parse_contribution(json.loads(made["body"])).session) == (session, session)
