"""A room with something of every kind, drawn by chance from a seed, and every board of it."""

import itertools
import random
from typing import Any

from collector.receipt_codes import ALPHABET, check_sign
from collector.rooms.boards.affinity import affinity_board
from collector.rooms.boards.dots import dot_board
from collector.rooms.boards.energy import energy_board
from collector.rooms.boards.iceberg import iceberg_board
from collector.rooms.boards.judging import judging_board
from collector.rooms.boards.paired import paired_board
from collector.rooms.boards.ranking import ranking_board
from collector.rooms.boards.signify import signify_board
from collector.rooms.boards.statements import statement_board
from collector.rooms.boards.timeline import balance, timeline
from collector.rooms.contributions import Contribution
from collector.rooms.payloads import LEVELS, RESOURCES
from collector.rooms.room import Room
from tests.rooms.making import Making, segment_of, step_of

OPTIONS = ("agua", "basura", "cultura")
STEPS = (
    step_of("statements", "s"),
    step_of("affinity", "f", of="s"),
    step_of("dots", "d", *OPTIONS),
    step_of("energy", "e", *OPTIONS),
    step_of("rank", "r", *OPTIONS),
    step_of("triad", "t", "yo", "casa", "pais"),
    step_of("dyad", "y", "poco", "mucho"),
    step_of("iceberg", "i"),
    step_of("score", "j", "impacto", "alcance", weights=(60, 40), of="s"),
    step_of("measure", "m", "confianza", most=10),
)
SEGMENTS = (segment_of("generacion", "joven", "adulta", "mayor"), segment_of("sector", "publico", "comunidad"))


def link_code_of(chance: random.Random) -> str:
    letters = "".join(chance.choices(ALPHABET, k=5))
    return letters + check_sign(letters)


def sample_room(seed: int) -> list[Contribution]:
    """Return the contributions of a room of 12 voters and 6 seats; the same for the same seed."""
    chance, making = random.Random(seed), Making()
    made = making.guided(*STEPS, segments=SEGMENTS, round=2)
    made += _said(chance, making)
    statements = [each.id for each in made if each.what == "statement"]
    for voter in range(12):
        made += _voted(chance, making, f"voter-{voter}", statements)
    made += [making.reveal(step.name) for step in STEPS if chance.random() < 0.9]
    made += [making.make("undo", ref=chance.choice(made[1:]).id) for _ in range(3)]  # the session stays
    return made


def _said(chance: random.Random, making: Making) -> list[Contribution]:
    def pick() -> dict[str, Any]:
        tablet = chance.choice(("tablet-a", "tablet-b"))
        return {"seat": f"P{chance.randint(1, 6)}", "at": chance.randint(1, 60), "by": tablet}

    statements = [making.make("statement", {"text": f"Digo {n}"}, step="s", **pick()) for n in range(4)]
    icebergs = [
        making.make("iceberg", {"text": f"Pasa {n}", "level": chance.choice(LEVELS)}, step="i") for n in range(4)
    ]
    made = [*statements, *icebergs]
    for each in statements:
        made.append(making.make("placement", {"group": chance.choice(("Agua", "agua ", "Luz"))}, step="f", ref=each.id))
        for judge in ("J1", "J2", "J3"):
            criteria = {"impacto": chance.randint(0, 5), "alcance": chance.randint(0, 5)}
            made.append(making.make("score", {"target": each.id, "criteria": criteria}, step="j", seat=judge))
    for start, end in itertools.pairwise(icebergs):
        relation = chance.choice(("causes", "evidence"))
        made.append(making.make("link", {"to": end.id, "relation": relation}, step="i", ref=start.id))
    for number in range(8):
        position, actor = chance.choice(OPTIONS), f"Actor {number % 3}"
        made.append(making.make("note", {"text": f"Nota {number}", "form": "verbatim"}, **pick()))
        made.append(making.make("resource", {"actor": actor, "kind": chance.choice(RESOURCES), "text": "a",
                                             "position": position}, step="e"))  # fmt: skip
        dated = {"by_when": "2027-01-01"} if chance.random() < 0.5 else {}
        made.append(making.make("commitment", {"actor": actor, "text": "b", "position": position, **dated}, step="e"))
        made.append(
            making.make("objection", {"position": position, "reason": chance.choice("xyzw")}, step="e", **pick())
        )
    made += [making.make("seat", {"segments": {"generacion": "joven"}}, seat=f"P{number}") for number in range(1, 7)]
    return made


def _voted(chance: random.Random, making: Making, voter: str, statements: list[str]) -> list[Contribution]:
    segments = {
        "generacion": chance.choice(("joven", "adulta", "mayor")),
        "sector": chance.choice(("publico", "comunidad")),
    }
    points = {option: chance.randint(0, 3) for option in OPTIONS}
    first = chance.randint(0, 100)
    code = link_code_of(chance)
    said: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("allocation", {"points": points}, {"step": "d"}),
        ("allocation", {"points": points}, {"step": "e"}),
        ("rank", {"order": chance.sample(OPTIONS, k=2)}, {"step": "r"}),
        ("triad", {"a": first, "b": 100 - first, "c": 0}, {"step": "t"}),
        ("dyad", {"value": first} if first else {"na": True}, {"step": "y"}),
        ("measure", {"code": code, "item": "confianza", "value": 3, "round": 0}, {"step": "m"}),
        ("measure", {"code": code, "item": "confianza", "value": chance.randint(0, 10), "round": 1}, {"step": "m"}),
        *(("vote", {"choice": chance.choice(("agree", "disagree", "pass"))}, {"step": "s", "ref": ref})
          for ref in [*statements, chance.choice(statements)]),
    ]  # fmt: skip
    return [making.vote(what, voter, payload, segments=segments, **envelope) for what, payload, envelope in said]


def every_board(room: Room) -> list[object]:
    """Return every board of the sample room."""
    return [
        statement_board(room, "s"),
        affinity_board(room, "f"),
        dot_board(room, "d"),
        energy_board(room, "e", previous=room),
        ranking_board(room, "r"),
        signify_board(room, "t"),
        signify_board(room, "y"),
        iceberg_board(room, "i"),
        judging_board(room, "j"),
        paired_board([room], "m", "generacion"),
        timeline(room),
        balance(room),
    ]
