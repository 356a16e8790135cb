"""Submissions as people send them: three forms, short choices, and now and then a story in words of Spanish.

Always the same ones for a seed. Words are drawn one by one, the frequent ones more often: gzip finds less to save in
them than in sentences that somebody has said.
"""

import random
from typing import Any

from collector.clock import iso
from sync.records import canonical_bytes, uuid7

SPANISH = (
    "de la que el en y a los se no por con para una un las del es más al agua su lo camino está como hay pero todos "
    "noche falta gente barrio cuando años lluvia puente muy sin luz escuela niños salud centro llega nada basura calle "
    "quebrada cansados alcalde promesa reunión vecinos tubería bomba pozo semana mercado precio comida trabajo "
    "jóvenes esperanza miedo policía comunidad provincia terreno transporte bus hospital cita medicina maestra"
)
WORDS = SPANISH.split(" ")
SCALE = ("1", "2", "3", "4", "5", "98")
PLACES = [f"0{province}0{district}0{town}" for province in range(1, 6) for district in (1, 2) for town in (1, 2)]
BORN_MS = 1_795_000_000_000


def bodies(count: int, seed: int) -> list[str]:
    """Return `count` records in canonical bytes."""
    draw = random.Random(seed)
    return [canonical_bytes(_record(draw, number)).decode() for number in range(count)]


def _record(draw: random.Random, number: int) -> dict[str, Any]:
    form = draw.choices(("servicios", "confianza", "relatos"), (6, 3, 1))[0]
    started = BORN_MS + number * 240_000 + draw.randrange(60_000)
    return {
        "id": uuid7(started),
        "kind": "submission",
        "form": form,
        "version": "2026.2",
        "form_sha": "5f0e6a1b2c3d4e5f",
        "started": iso(started),
        "finished": iso(started + draw.randrange(90_000, 600_000)),
        "lang": "es",
        "mode": "tablet",
        "salt": "".join(draw.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", k=16)),
        "answers": {"servicios": _services, "confianza": _trust, "relatos": _story}[form](draw),
    }


def _services(draw: random.Random) -> dict[str, str]:
    scored = ("agua", "luz", "basura", "calles", "transporte", "salud", "escuela", "seguridad")
    answers = {name: draw.choice(SCALE) for name in scored}
    answers |= {"lugar": draw.choice(PLACES), "edad": str(draw.randrange(18, 85)), "sexo": draw.choice("mf")}
    return answers | ({"nota": _words(draw, draw.randrange(6, 40))} if draw.random() < 0.4 else {})


def _trust(draw: random.Random) -> dict[str, str]:
    return {f"confia_{number}": draw.choice(SCALE) for number in range(1, 13)} | {"lugar": draw.choice(PLACES)}


def _story(draw: random.Random) -> dict[str, str]:
    thirds = [f"0.{draw.randrange(1000):03d}" for _ in range(4)]
    emotions = " ".join(draw.sample(("rabia", "esperanza", "miedo", "alegria", "tristeza"), 2))
    return {
        "historia": _words(draw, draw.randrange(40, 120)),
        "titulo": _words(draw, 5),
        "emocion": emotions,
        "triada_1": " ".join(thirds[:2]),
        "triada_2": " ".join(thirds[2:]),
    }


def _words(draw: random.Random, count: int) -> str:
    weights = [1 / rank for rank in range(1, len(WORDS) + 1)]
    return " ".join(draw.choices(WORDS, weights, k=count)).capitalize() + "."
