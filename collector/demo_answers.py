"""Invented answers for `make demo`, so that the lab's pages show something: all of them to the form `ejemplo`.

The form says in its title that its data is invented, and goes to no node: nobody answers it by mistake.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from fastapi import FastAPI

from collector.clock import now_ms, parse_iso
from collector.db import reading, writing
from collector.form_plan import Plan
from collector.queries import lab as lab_queries
from collector.queries import plans
from collector.queries.records import Arrival, ingest
from sync.records import canonical_bytes, new_salt, read_record, uuid7

FORM = "ejemplo"
NOBODY = "demostracion"  # no node is called so
PEOPLE = 240
# municipality -> how many of ten people live there, days since its last answer
PLACES = {"0810": (4, 0), "0808": (3, 1), "0401": (1, 2), "0910": (1, 9), "1209": (1, 24)}
TRUST = ("nada", "poco", "algo", "mucho", "ns")
WEIGHTS = {"vecinos": (1, 2, 4, 3, 1), "alcaldia": (4, 3, 2, 1, 1), "policia": (3, 3, 2, 1, 1)}
TOPICS = {"agua": 0.6, "luz": 0.4, "basura": 0.5, "parque": 0.3}
IDEAS = (
    "Que arreglen la tubería de la calle tercera", "Más luces en la cancha", "Que el camión pase dos veces",
    "Un parque donde jueguen los niños", "Que la alcaldía responda cuando uno reclama", "Reuniones los sábados", "",
)  # fmt: skip


def put_demo_answers(app: FastAPI) -> None:
    """Put the answers into a central node that has none yet, with a plan that shows who is late."""
    engine = app.state.engine
    with reading(engine) as session:
        if lab_queries.last_record(session, FORM) is not None:
            return
    arrivals = list(map(_arrival, _answers(random.Random(2026))))  # noqa: S311  invented
    with writing(engine) as session:
        ingest(session, arrivals, now_ms())
        plan = Plan(
            frequency_days=7, nodes=(NOBODY,), municipalities=tuple(PLACES), is_public=True,
            public=(*WEIGHTS, "temas", "edad"),
            expected=dict.fromkeys(PLACES, 5),
        )  # fmt: skip
        plans.put_plan(session, FORM, plan, now_ms())


def _arrival(content: dict[str, Any]) -> Arrival:
    read = read_record(canonical_bytes(content).decode())
    finished, _ = parse_iso(content["finished"]) or (0, 0)
    return Arrival(read.id, read.sha256, read.body, read.kind, read.form, read.version, device_ms=finished)


def _answers(chance: random.Random) -> Iterator[dict[str, Any]]:
    now = datetime.now().astimezone()
    for _ in range(PEOPLE):
        place = chance.choices(list(PLACES), [weight for weight, _ in PLACES.values()])[0]
        finished = now - timedelta(days=PLACES[place][1] + chance.random() * 30, minutes=chance.randint(0, 600))
        started = finished - timedelta(seconds=chance.randint(70, 400))
        yield {
            "id": uuid7(), "kind": "submission", "form": FORM, "version": "1", "form_sha": "0" * 16, "lang": "es",
            "salt": new_salt(), "mode": "web", "answers": dict(_answered(chance, place)),
            "started": started.isoformat(timespec="milliseconds"),
            "finished": finished.isoformat(timespec="milliseconds"),
        }  # fmt: skip


def _answered(chance: random.Random, place: str) -> Iterator[tuple[str, str]]:
    yield "municipio", place
    yield "edad", chance.choices(("18_29", "30_44", "45_mas"), (3, 4, 3))[0]
    for name, weights in WEIGHTS.items():
        yield name, chance.choices(TRUST, weights)[0]
    yield "temas", " ".join(topic for topic, share in TOPICS.items() if chance.random() < share)
    yield "minutos", str(int(chance.lognormvariate(3.2, 0.6)))
    yield "idea", chance.choice(IDEAS)
