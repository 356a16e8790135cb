"""What changed since the round before, with both rooms in the store: of the energy map and of an iceberg."""

from typing import Any

import httpx
import pytest

from collector.room_store import Writer, make_contribution, new_token
from tests.conftest import Node
from tests.rooms.making import step_of
from tests.rooms_web.furnished_room import HOST, put
from tests.rooms_web.people_room import OPTIONS, PeopleRoom, words_of

STEPS = (step_of("energy", "energia", *OPTIONS), step_of("iceberg", "hielo"))


def round_of(node: Node, number: int, points: dict[str, int], **facts: Any) -> PeopleRoom:
    """Open a round in which ten people each give the same points, and reveal it."""
    told = {"guide": "dos-rondas", "place": "Soná", "round": number} | facts
    room = PeopleRoom(node, *STEPS, **told)
    room.open("energia")
    for _ in range(10):
        put(node, make_contribution(room.id, "allocation", {"points": points}, Writer(new_token()), 1, step="energia"))
    room.step("energia", "revealed")
    return room


def wall(host: httpx.Client, room: PeopleRoom, step: str) -> str:
    return words_of(host.get(f"/sala/{room.id}/tablero/{step}")).replace("\N{NO-BREAK SPACE}", " ")


def idea(room: PeopleRoom, text: str, level: str) -> None:
    put(room.node, make_contribution(room.id, "iceberg", {"text": text, "level": level}, HOST, 50, step="hielo"))


def test_the_energy_board_draws_the_change_since_the_nearest_round_before(node: Node, host: httpx.Client) -> None:
    place = "Casa de la ronda"
    round_of(node, 0, {"agua": 10}, place=place)
    round_of(node, 1, {"agua": 4, "basura": 6}, place=place)
    latest = round_of(node, 2, {"agua": 7, "basura": 3}, place=place)
    shown = wall(host, latest, "energia")
    assert "Desde la ronda 1" in shown
    # 40 % -> 70 % and 60 % -> 30 % of ten people: Newcombe's interval reaches beyond nothing at all
    assert "▲ + 30 puntos %" in shown.replace("▲ +30", "▲ + 30")
    assert "▼ −30 puntos %" in shown or "▼ − 30 puntos %" in shown or "▼ −30" in shown


@pytest.mark.parametrize(
    "facts",
    [{"place": "Otra parte"}, {"guide": "otra"}, {"round": 2}, {"demo": True}],
    ids=["place", "guide", "round", "demo"],
)
def test_a_room_of_another_place_guide_or_no_earlier_round_is_no_round_before(
    node: Node, host: httpx.Client, facts: dict[str, Any]
) -> None:
    place = f"Casa aparte {sorted(facts)}"
    round_of(
        node, **({"number": 1, "points": {"agua": 10}, "place": place} | ({"number": 2} if "round" in facts else facts))
    )
    latest = round_of(node, 2, {"agua": 5, "basura": 5}, place=place)
    assert "Desde la ronda" not in wall(host, latest, "energia")


def test_an_iceberg_says_what_is_new_what_moved_and_what_is_gone(node: Node, host: httpx.Client) -> None:
    place = "Casa del hielo"
    first = PeopleRoom(node, *STEPS, guide="dos-rondas", place=place, round=0)
    for text in ("Se fue el agua", "Cada verano igual", "Nadie responde"):
        idea(first, text, "event")
    second = PeopleRoom(node, *STEPS, guide="dos-rondas", place=place, round=1)
    for text, level in (
        ("se fue el AGUA", "event"),
        ("Cada verano igual", "pattern"),
        ("No hay encargado", "structure"),
    ):
        idea(second, text, level)
    second.step("hielo", "revealed")
    shown = wall(host, second, "hielo").partition("Qué cambió desde la ronda 0")[2]
    assert "Nuevas 1 No hay encargado" in shown
    assert "De otro nivel 1 Cada verano igual Lo que pasó (eventos) → Lo que se repite (patrones)" in shown
    assert "Ya no están 1 Nadie responde" in shown
    assert "agua" not in shown.partition("Actualizar")[0].casefold()


def test_an_iceberg_without_an_earlier_round_says_nothing_of_change(node: Node, host: httpx.Client) -> None:
    room = PeopleRoom(node, *STEPS, guide="dos-rondas", place="Casa sola", round=3)
    idea(room, "Se fue el agua", "event")
    room.step("hielo", "revealed")
    assert "Qué cambió" not in wall(host, room, "hielo")
