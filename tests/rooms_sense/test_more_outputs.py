"""The iceberg as a drawing, offers and agreements as tables, texts for other tools, files over several rounds."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring

from collector.rooms.contributions import Contribution
from collector.rooms.link_codes import make_link_code
from collector.rooms.outputs.actors import actors_csv, agreements_csv
from collector.rooms.outputs.document import as_markdown
from collector.rooms.outputs.feeds import comments_feed, participants_feed
from collector.rooms.outputs.iceberg import iceberg_document, iceberg_svg
from collector.rooms.outputs.listing import Around, files_of
from collector.rooms.outputs.maps import iceberg_map
from collector.rooms.outputs.rounds import rooms_of_guide, round_before
from collector.rooms.outputs.tongue import Tongue
from collector.rooms.room import Room, room_of
from collector.rooms.sense.pieces import pieces_of
from tests.rooms.making import Making, step_of
from tests.rooms_sense import scene

SVG = "{http://www.w3.org/2000/svg}"


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def reread(svg: str) -> tuple[set[str], list[tuple[str, str]]]:
    """Read the drawing back as another program would: boxes by their key, arrows between boxes that are there."""
    root: Element = fromstring(svg)
    nodes = {each.get("data-node", "") for each in root.iter(f"{SVG}g") if each.get("data-node")}
    ends = [(each.get("data-from", ""), each.get("data-to", "")) for each in root.iter(f"{SVG}path")]
    return nodes, [(start, end) for start, end in ends if {start, end} <= nodes]


def large_iceberg() -> Room:
    """Forty items of all lengths on four levels, each causing the next, every third resting on a note."""
    make = Making()
    said: list[Contribution] = make.guided(step_of("iceberg", "hielo"))
    note = make.make("note", {"text": "Lo dijo <alguien> & más"}, step="hielo")
    said.append(note)
    levels = ("event", "pattern", "structure", "model")
    items = [
        make.make("iceberg", {"text": f"Cosa {n} " + "larga " * (n % 30), "level": levels[n % 4]}, step="hielo")
        for n in range(40)
    ]
    said += items
    for number, item in enumerate(items):
        to = items[(number + 1) % len(items)].id
        relation = "causes" if number % 2 else "reinforces"
        said.append(make.make("link", {"to": to, "relation": relation}, ref=item.id, step="hielo"))
        if number % 3 == 0:
            said.append(make.make("link", {"to": note.id, "relation": "evidence"}, ref=item.id, step="hielo"))
    return room_of(said)


@pytest.mark.parametrize(("make", "step"), [(scene.room, "iceberg"), (large_iceberg, "hielo")])
def test_a_program_reads_as_many_boxes_and_arrows_out_of_the_drawing_as_were_said(
    make: Callable[[], Room], step: str
) -> None:
    room = make()
    drawn = iceberg_map(room, step)
    nodes, edges = reread(iceberg_svg(room, step))
    assert nodes == {node.key for node in drawn.nodes}
    assert sorted(edges) == sorted((edge.start, edge.end) for edge in drawn.edges) and edges


def test_the_drawing_keeps_its_boxes_within_its_frame_and_none_over_another() -> None:
    root: Element = fromstring(iceberg_svg(large_iceberg(), "hielo"))
    _, _, width, height = (float(part) for part in root.get("viewBox", "").split())
    boxes = [each.find(f"{SVG}rect") for each in root.iter(f"{SVG}g")]
    places = [[float(box.get(key, "0")) for key in ("x", "y", "width", "height")] for box in boxes if box is not None]
    assert len(places) == 41
    for number, (x, y, wide, high) in enumerate(places):
        assert x >= 0 and y >= 0 and x + wide <= width and y + high <= height
        for other_x, other_y, other_wide, other_high in places[:number]:
            is_apart = (
                x >= other_x + other_wide or other_x >= x + wide or y >= other_y + other_high or other_y >= y + high
            )
            assert is_apart


def test_what_is_only_assumed_says_so_in_the_drawing_and_in_words() -> None:
    room = scene.room()
    step = room.step("iceberg")
    assert step is not None
    svg, text = iceberg_svg(room, "iceberg"), as_markdown(iceberg_document(room, step))
    assumed = [each for each in re.findall(r"<g data-node.*?</g>", svg) if "stroke-dasharray" in each]
    assert all("supuesto" in each for each in assumed)
    assert ("Supuestos: todavía sin evidencia" in text) == bool(assumed)
    assert "Protestas de 2023" in text and "→ causa →" in text


def test_an_iceberg_without_items_is_drawn_and_says_that_nothing_is_assumed() -> None:
    room = room_of(Making().guided(step_of("iceberg", "hielo")))
    step = room.step("hielo")
    assert step is not None
    assert reread(iceberg_svg(room, "hielo")) == (set(), [])
    assert "No quedan supuestos" in as_markdown(iceberg_document(room, step))


# --- offers, agreements, texts for other tools


def test_offers_and_agreements_have_a_row_each(room: Room) -> None:
    offers = rows_of(actors_csv(room))
    assert [row["what"] for row in offers] == ["expectation", "resource", "commitment"]
    assert offers[2]["by_when"] and offers[2]["actor"] == "Junta comunal" and offers[1]["kind"] == "human"
    (agreed,) = rows_of(agreements_csv(room))
    assert agreed["what"] == "Limpiar la calle el sábado" and agreed["review"] == "2027-01-10"


def test_texts_for_other_tools_have_their_columns_consent_and_nobody_in_them(room: Room) -> None:
    comments = comments_feed(pieces_of(room))
    assert comments.splitlines()[0] == "id,comment"
    assert "El camión no pasa." in comments and "'=SUMA(A1:A9)" in comments
    for never in ("No diga que lo dije yo.", "Esto tampoco.", "Hablo poco.", scene.PHONE):
        assert never not in comments + participants_feed(pieces_of(room))
    people = rows_of(participants_feed(pieces_of(room)))
    assert people[0] == {
        "participant_id": "1",
        "survey_text": "Aquí nadie se fía de nadie.\nAntes nos ayudábamos.\nLa calle está sucia.",
    }
    assert len(people) == len({piece.seat for piece in pieces_of(room) if piece.text in comments})


# --- several rounds


def round_of(number: int, **facts: object) -> Room:
    """Return a session with its own id and round; two pairs of five link codes measured before and after."""
    return room_of(scene.everything(**({"round": number, "guide": "barrio"} | facts)))


def numbered(rooms: Sequence[Room]) -> list[Room]:
    """Give each room an id of its own: rooms of one scene share theirs."""
    return [replace(room, session=f"01890000-0000-7000-8000-{number:012x}") for number, room in enumerate(rooms, 1)]


def test_the_round_before_is_the_nearest_of_the_same_guide_and_place() -> None:
    first, second, third, elsewhere, demo = numbered(
        [round_of(1), round_of(2), round_of(3), round_of(2, place="0802"), round_of(2, demo=True)]
    )
    others = [first, second, elsewhere, demo, third]
    assert round_before(third, others) == second
    assert round_before(second, others) == first
    assert round_before(first, others) is None
    assert rooms_of_guide(third, others) == [third, first, second, elsewhere]
    assert rooms_of_guide(demo, others) == [demo]


def test_the_files_of_a_later_round_tell_the_change_of_the_energy_since_the_one_before() -> None:
    first, second = numbered([round_of(1), round_of(2)])
    tongue = Tongue()

    def energy(around: Around) -> list[dict[str, str]]:
        (file,) = [each for each in files_of(second, tongue, around=around) if each.name == "energia-energia.csv"]
        return rows_of(file.content().decode())

    assert {row["previous_round"] for row in energy(Around())} == {""}
    with_earlier = energy(Around((first,)))
    assert {row["previous_round"] for row in with_earlier} == {"1"}
    assert {row["change"] for row in with_earlier} == {"0.0000"}


def test_before_and_after_is_counted_over_all_rooms_of_the_guide() -> None:
    make = Making()
    before = make.guided(step_of("measure", "antes", "trato"), guide="barrio")
    after = list(before)
    cards = [make_link_code().replace("-", "") for _ in range(6)]
    for number, code in enumerate(cards):
        said = {"code": code, "item": "trato"}
        before.append(make.vote("measure", f"antes{number:04d}", said | {"value": 1, "round": 0}, step="antes"))
        after.append(make.vote("measure", f"luego{number:04d}", said | {"value": 4, "round": 1}, step="antes"))
    reveal = make.reveal("antes")
    first, second = numbered([room_of([*before, reveal]), room_of([*after, reveal])])
    name = "cambio-antes.csv"

    def change(around: Around) -> dict[str, str]:
        (file,) = [each for each in files_of(second, Tongue(), around=around) if each.name == name]
        return rows_of(file.content().decode())[0]

    assert change(Around())["n_paired"] == "0"
    both = change(Around((first,)))
    assert (both["n_paired"], both["mean_before"], both["mean_after"], both["change"]) == (
        "6", "1.0000", "4.0000", "3.0000",
    )  # fmt: skip
