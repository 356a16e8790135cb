"""One session with something of everything, made as devices make it: seats, consent, notes, votes, codes, offers."""

from collections.abc import Sequence

from collector.rooms.contributions import Contribution
from collector.rooms.room import Room, room_of
from tests.rooms.making import Making, segment_of, step_of

SEATS = {f"P{number}": "joven" if number <= 6 else "mayor" for number in range(1, 13)}
POSITIONS = ("plastico", "parques")
PHONE, EMAIL, CARD = "6123-4567", "ana@ejemplo.pa", "8-765-4321"


def everything(**facts: object) -> list[Contribution]:
    """Return the contributions of a session of twelve people who discuss trust and rubbish."""
    make = Making()
    told = {"title": "Confianza en San Miguelito", "place": "0810", "date": "2026-11-22", "round": 1} | facts
    said = make.guided(
        step_of("question", "abrir"),
        step_of("statements", "frases"),
        step_of("energy", "energia", *POSITIONS),
        step_of("dots", "puntos", "agua", "luz"),
        step_of("rank", "orden", "agua", "luz"),
        step_of("triad", "tres", "a", "b", "c"),
        step_of("dyad", "dos", "a", "b"),
        step_of("iceberg", "iceberg"),
        step_of("affinity", "grupos"),
        step_of("score", "jurado", "impacto", "costo", weights=(60, 40)),
        step_of("agreements", "acuerdos"),
        segments=[segment_of("generacion", "joven", "mayor")],
        **told,
    )
    said += people(make)
    notes = spoken(make)
    said += notes
    said += codes(make, notes)
    said += votes(make)
    said += boards(make, notes)
    said += [make.reveal(step) for step in ("frases", "energia", "puntos", "orden", "tres", "dos")]
    said.append(make.make("minute", {"text": "Se habló de la basura.\nY de la confianza."}))
    said.append(make.make("presentes", {"count": 12}))
    said.append(make.make("close", {"summary": "Quedamos en volver.", "read_back": True}))
    return said


def people(make: Making) -> list[Contribution]:
    """Everybody agrees to be noted down; P1 to P8 also to be quoted, P12 said nothing of it."""
    said = [make.make("seat", {"segments": {"generacion": value}}, seat=seat) for seat, value in SEATS.items()]
    for number in range(1, 12):
        purposes = {"answers": True, "quote": number <= 8}
        said.append(make.make("consent", {"purposes": purposes, "how": "oral"}, seat=f"P{number}"))
    return said


def note(make: Making, seat: str, text: str, form: str = "verbatim", step: str = "abrir") -> Contribution:
    return make.make("note", {"text": text, "form": form, "quote": True}, seat=seat, step=step)


def spoken(make: Making) -> list[Contribution]:
    """Twelve notes: one a seat, but P1 speaks three times, P11 not at all; P10 and P12 allowed no quotes."""
    return [
        note(make, "P1", "Aquí nadie se fía de nadie."),
        note(make, "P1", "Antes nos ayudábamos."),
        note(make, "P1", "La calle está sucia."),
        note(make, "P2", "El camión no pasa."),
        note(make, "P3", f"Llámeme al {PHONE}, yo ayudo."),
        note(make, "P4", "La junta sí escucha."),
        note(make, "P5", "=SUMA(A1:A9) es lo que pagamos."),
        note(make, "P6", "Los jóvenes no entran."),
        note(make, "P7", "Falta <b>agua</b> | y luz."),
        note(make, "P8", "Confío en mis vecinos."),
        note(make, "P9", "No diga que lo dije yo."),
        note(make, "P10", "Esto tampoco."),
        note(make, "P12", "Hablo poco.", form="paraphrase"),
    ]


def codes(make: Making, notes: Sequence[Contribution]) -> list[Contribution]:
    """Two coders: Ana codes all, Luis the first six; "vecinos" becomes "vecindad" later."""
    said = [
        make.make("code", {"path": "confianza/vecinos", "label": {"es": "Vecinos", "en": "Neighbours"}}),
        make.make("code", {"path": "desigualdades/basura", "label": "Basura", "description": "Aseo y calle"}),
    ]
    trust = {0, 1, 5, 9}
    for place, each in enumerate(notes):
        path = "confianza/vecinos" if place in trust else "desigualdades/basura"
        said.append(make.make("coding", {"target": each.id, "path": path, "coder": "Ana"}))
    for place, each in enumerate(notes[:6]):
        path = "confianza/vecinos" if place in {0, 5} else "desigualdades/basura"
        said.append(make.make("coding", {"target": each.id, "path": path, "coder": "Luis"}))
    said.append(make.make("code", {"path": "confianza/vecinos", "becomes": "confianza/vecindad"}))
    return said


def votes(make: Making) -> list[Contribution]:
    """Twelve ballots on two statements and on points; two thirds agree with the first one."""
    first = make.make("statement", {"text": "La junta debe rendir cuentas"}, seat="P2", step="frases")
    second = make.make("statement", {"text": "@mañana se arregla solo"}, seat="P3", step="frases")
    said = [first, second]
    for number, generation in enumerate(SEATS.values()):
        where = {"segments": {"generacion": generation}}
        voter = f"telefono{number}"
        said.append(
            make.vote(
                "vote", voter, {"choice": "agree" if number < 8 else "disagree"}, ref=first.id, step="frases", **where
            )
        )
        said.append(make.vote("vote", voter, {"choice": "pass"}, ref=second.id, step="frases", **where))
        plastic = 10 if generation == "joven" else 1
        given = {"plastico": plastic, "parques": 10 - plastic}
        said.append(make.vote("allocation", voter, {"points": given}, step="energia", **where))
        said.append(make.vote("allocation", voter, {"points": {"agua": 6, "luz": 4}}, step="puntos", **where))
        said.append(make.vote("rank", voter, {"order": ["agua", "luz"]}, step="orden", **where))
        said.append(make.vote("triad", voter, {"a": 50, "b": 30, "c": 20}, step="tres", **where))
        said.append(make.vote("dyad", voter, {"value": 40} if number else {"na": True}, step="dos", **where))
    return said


def boards(make: Making, notes: Sequence[Contribution]) -> list[Contribution]:
    event = make.make("iceberg", {"text": "Protestas de 2023", "level": "event"}, step="iceberg")
    cause = make.make("iceberg", {"text": "Todo se decide en la capital", "level": "structure"}, step="iceberg")
    idea = make.make("statement", {"text": "Botellas por pasajes"}, step="grupos")
    return [
        event,
        cause,
        idea,
        make.make("link", {"to": event.id, "relation": "causes"}, ref=cause.id, step="iceberg"),
        make.make("link", {"to": notes[3].id, "relation": "evidence"}, ref=event.id, step="iceberg"),
        make.make("link", {"to": notes[10].id, "relation": "evidence"}, ref=event.id, step="iceberg"),
        make.make("placement", {"group": "Aseo"}, ref=idea.id, step="grupos"),
        make.make("score", {"target": "idea-1", "criteria": {"impacto": 4, "costo": 2}}, seat="P1", step="jurado"),
        make.make("score", {"target": "idea-1", "conflict": True}, seat="P2", step="jurado"),
        make.make("commitment", {"actor": "Junta comunal", "sector": "gobierno", "position": "plastico",
                                 "text": "Pone un contenedor", "by_when": "2027-02-01"}, step="energia"),
        make.make("resource", {"actor": "Escuela Sol", "kind": "human", "text": "Diez jóvenes", "position": "plastico"},
                  step="energia"),
        make.make("expectation", {"actor": "Escuela Sol", "text": "Que la escuchen"}, step="energia"),
        make.make("objection", {"position": "parques", "reason": "Cuesta mucho"}, seat="P4", step="energia"),
        make.make("objection", {"position": "plastico", "reason": "No lo repita"}, seat="P10", step="energia"),
        make.make("agreement", {"what": "Limpiar la calle el sábado", "who": "La junta", "with_what": "Escobas",
                                "by_when": "2026-12-05", "review": "2027-01-10"}, step="acuerdos"),
    ]  # fmt: skip


def room(**facts: object) -> Room:
    return room_of(everything(**facts))
