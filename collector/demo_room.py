"""The room that `make demo` opens: a meeting as it could be in San Miguelito. All of it is invented.

It is made of ordinary contributions of the starter guides' steps, one of every board, and is marked as a demonstration:
every page says so and no output counts it.
"""

import random
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from collector.room_guides import starter_guides
from collector.room_store import RoomStore, Writer, make_contribution, new_token
from collector.rooms.guide import Guide, Step, segments_as_json, steps_as_json
from collector.territory import place_labels

TITLE = "Demostración: conversatorio en San Miguelito"
STEPS = (
    ("municipal", "senales"), ("municipal", "frases"), ("municipal", "energia"), ("municipal", "iceberg"),
    ("confianza_grupo", "apoyo"), ("confianza_grupo", "temas"), ("plasticos", "ideas"), ("plasticos", "jurado"),
    ("plasticos", "alcance"), ("municipal", "actores"), ("municipal", "acuerdos"), ("municipal", "cierre"),
)  # fmt: skip
SECTORS = ("municipio", "comunidad", "empresa")
PEOPLE = 24
SENTENCES = (
    "En mi barrio se puede dejar la casa al cuidado del vecino",
    "El municipio responde cuando uno reclama",
    "La basura se recoge igual en todos los sectores",
    "Los jóvenes tienen dónde reunirse",
    "Si la junta comunal convoca, la gente llega",
)
# how many of ten agree with each sentence, then how many of the rest disagree
AGREE = (8, 3, 1, 4, 7)
NOTES = (
    ("P1", "Antes uno le fiaba al vecino; ahora ponemos doble candado.", "verbatim", True),
    ("P4", "La feria de los sábados volvió a juntar a dos sectores que no se hablaban.", "paraphrase", False),
    ("P2", "El reclamo del agua tardó tres meses y nadie explicó por qué.", "verbatim", True),
    ("P7", "Los comercios de la vía principal pagan su propia recolección.", "paraphrase", False),
)
LAYERS = (
    ("event", "Cierre de la calle por falta de agua en marzo"),
    ("event", "Dos reuniones del municipio sin público"),
    ("pattern", "Los reclamos se repiten cada verano"),
    ("structure", "Nadie en el municipio tiene el encargo de responder"),
    ("model", "«Eso no es conmigo: que lo arregle el gobierno»"),
)
ALIKE = (
    ("Hacen falta luces en la cancha", "Espacios"), ("Un lugar bajo techo para reunirse", "Espacios"),
    ("Que avisen cuándo pasa el camión", "Basura"), ("Separar el plástico en la escuela", "Basura"),
    ("Saber quién responde el reclamo", "Respuesta"),
)  # fmt: skip
IDEAS = {
    "Trueque: una bolsa de plástico por un pan": (4, 3, 5, 4),
    "Ladrillos de plástico para la cancha": (3, 4, 4, 3),
    "Agua en termo: la escuela sin botellas": (5, 2, 3, 4),
}
ACTORS = (
    ("Junta comunal", "comunidad", "Que alguien responda los reclamos", "human", "Dos personas los sábados"),
    ("Colegio del sector", "academia", "Que los jóvenes participen", "material", "El gimnasio para las reuniones"),
    ("Comercios de la vía", "empresa", "Calles limpias", "material", "Tres contenedores"),
)
Body = dict[str, Any]


def open_demo_room(rooms: RoomStore, today: date) -> str:
    """Open the room, unless it is there, and return its id."""
    for room in rooms.ids():
        known = rooms.get(room)
        if known is not None and known.facts.demo:
            return room
    guide = demo_guide()
    host = Writer(new_token())
    facts = {
        "title": TITLE, "place": place_labels()["0810"], "date": today.isoformat(), "demo": True, "round": 0,
        "guide": guide.name, "guide_version": guide.version, "convened_by": "Nadie: es una demostración",
        "steps": steps_as_json(guide), "segments": segments_as_json(guide.segments),
    }  # fmt: skip
    room = rooms.open(facts, host)
    rooms.add_all(list(Meeting(room, host, today).bodies()))
    return room


def demo_guide() -> Guide:
    """Return the steps of the demonstration, taken from the guides that come with the program."""
    guides = starter_guides()
    steps = [_step(guides[guide], name) for guide, name in STEPS]
    segments = [segment for segment in guides["municipal"].segments if segment.name == "sector"]
    return Guide("demostracion", "1", {"es": TITLE}, tuple(steps), tuple(segments))


def _step(guide: Guide, name: str) -> Step:
    found = guide.step(name)
    if found is None:
        raise LookupError(f"the guide {guide.name} has no step {name}")
    return found


class Meeting:
    """What people said, as contributions of one room; the same each time but for ids and moments."""

    def __init__(self, room: str, host: Writer, today: date) -> None:
        self.room, self.host, self.today = room, host, today
        self.chance = random.Random(810)  # noqa: S311 - invented data, the same for everybody
        self.count = 0
        self.ballots = [Writer(new_token()) for _ in range(PEOPLE)]

    def bodies(self) -> Iterator[Body]:
        """Give the whole meeting, in order."""
        yield from self._arrive()
        yield from self._talk()
        yield from self._vote_on_sentences()
        yield from self._give_points()
        yield from self._look_beneath()
        yield from self._signify()
        yield from self._group()
        yield from self._judge()
        yield from self._promise()

    def _say(self, what: str, payload: Mapping[str, Any], **more: Any) -> Body:
        self.count += 1
        return make_contribution(self.room, what, payload, self.host, self.count, **more)

    def _cast(self, person: int, what: str, payload: Mapping[str, Any], **more: Any) -> Body:
        """Return the secret vote of a person, by a ballot and with the declared sector."""
        segments = {"sector": SECTORS[person % len(SECTORS)]}
        self.count += 1
        return make_contribution(self.room, what, payload, self.ballots[person], self.count, segments=segments, **more)

    def _reveal(self, step: str) -> Body:
        return self._say("step", {"state": "revealed"}, step=step)

    def _arrive(self) -> Iterator[Body]:
        purposes = {"participate": True, "quote": True}
        yield self._say("consent", {"purposes": purposes, "notice_version": "1", "how": "spoken", "group": True})
        yield self._say("presentes", {"count": PEOPLE})
        for person in range(PEOPLE):
            segments = {"sector": SECTORS[person % len(SECTORS)]}
            yield self._say("seat", {"segments": segments}, seat=f"P{person + 1}")

    def _talk(self) -> Iterator[Body]:
        for seat, text, form, quote in NOTES:
            yield self._say("note", {"text": text, "form": form, "quote": quote}, seat=seat, step="senales")
        yield self._reveal("senales")

    def _vote_on_sentences(self) -> Iterator[Body]:
        for text, agree in zip(SENTENCES, AGREE, strict=True):
            sentence = self._say("statement", {"text": text}, step="frases")
            yield sentence
            for person in range(PEOPLE):
                roll = self.chance.randrange(10)
                choice = "agree" if roll < agree else "disagree" if roll < 9 else "pass"
                yield self._cast(person, "vote", {"choice": choice}, step="frases", ref=sentence["id"])
        yield self._reveal("frases")

    def _give_points(self) -> Iterator[Body]:
        options = [option.name for option in _step(starter_guides()["municipal"], "energia").options]
        weights = [5, 4, 2, 5, 2, 1][: len(options)]
        for person in range(PEOPLE):
            given = self.chance.choices(options, weights, k=10)
            points = {option: given.count(option) for option in options if option in given}
            yield self._cast(person, "allocation", {"points": points}, step="energia")
        yield self._say(
            "objection",
            {"position": options[0], "reason": "Faltan personas con tiempo para las reuniones"},
            step="energia",
        )
        yield self._reveal("energia")

    def _look_beneath(self) -> Iterator[Body]:
        evidence = self._say("note", {"text": "Foto del cartel del cierre, 12 de marzo"}, step="iceberg")
        items = [self._say("iceberg", {"text": text, "level": level}, step="iceberg") for level, text in LAYERS]
        yield evidence
        yield from items
        yield self._say("link", {"to": evidence["id"], "relation": "evidence"}, step="iceberg", ref=items[0]["id"])
        for below, above in zip(items[3:], items[2:], strict=False):
            yield self._say("link", {"to": above["id"], "relation": "causes"}, step="iceberg", ref=below["id"])
        yield self._reveal("iceberg")

    def _signify(self) -> Iterator[Body]:
        for person in range(PEOPLE):
            a = self.chance.randrange(20, 71)
            b = self.chance.randrange(0, 101 - a)
            triad = {"na": True} if person == 3 else {"a": a, "b": b, "c": 100 - a - b}
            yield self._cast(person, "triad", triad, step="apoyo")
            yield self._cast(person, "dyad", {"value": self.chance.randrange(10, 91)}, step="alcance")
        yield self._reveal("apoyo")
        yield self._reveal("alcance")

    def _group(self) -> Iterator[Body]:
        for text, group in ALIKE:
            sentence = self._say("statement", {"text": text}, step="temas")
            yield sentence
            yield self._say("placement", {"group": group}, step="temas", ref=sentence["id"])
        yield self._reveal("temas")

    def _judge(self) -> Iterator[Body]:
        criteria = [option.name for option in _step(starter_guides()["plasticos"], "jurado").options]
        for text, marks in IDEAS.items():
            idea = self._say("statement", {"text": text}, step="ideas")
            yield idea
            yield self._say("moderate", {"state": "shown"}, ref=idea["id"])
            for judge in range(3):
                scored = {name: min(5, mark + (judge == 0)) for name, mark in zip(criteria, marks, strict=True)}
                score = {"target": idea["id"], "criteria": scored}
                yield self._say("score", score, step="jurado", seat=f"P{judge + 1}")
        yield self._reveal("ideas")
        yield self._reveal("jurado")

    def _promise(self) -> Iterator[Body]:
        options = [option.name for option in _step(starter_guides()["municipal"], "energia").options]
        by_when = (self.today + timedelta(days=30)).isoformat()
        for number, (actor, sector, expects, kind, offers) in enumerate(ACTORS):
            who = {"actor": actor, "sector": sector}
            position = options[number % len(options)]
            yield self._say("expectation", who | {"text": expects}, step="actores")
            yield self._say("resource", who | {"kind": kind, "text": offers, "position": position}, step="energia")
            yield self._say(
                "commitment", who | {"text": offers, "position": position, "by_when": by_when}, step="energia"
            )
        agreed = {"what": "Responder cada reclamo en 15 días", "who": "Junta comunal", "by_when": by_when}
        yield self._say("agreement", agreed, step="acuerdos")
        for step in ("actores", "acuerdos"):
            yield self._reveal(step)
        yield self._say("minute", {"text": "Se leyó el acta y el grupo pidió fechas más cercanas."}, step="cierre")
