"""Before and after over two rooms: only pairs make the change, few pairs show nothing, blind shows nothing."""

import csv
import io
import random

from collector.pages import load_english
from collector.rooms.contributions import Contribution
from collector.rooms.outputs.before_after import before_after_csv, before_after_document
from collector.rooms.outputs.document import as_html, as_markdown
from collector.rooms.outputs.tongue import Tongue
from collector.rooms.room import Room, room_of
from tests.rooms.making import START_MS, Making, made_id, segment_of, step_of
from tests.rooms.sample import link_code_of

CODES = [link_code_of(random.Random(seed)) for seed in range(40)]


def half(turn: int, values: dict[int, int], is_revealed: bool = True) -> Room:
    """Return the room of one round: person -> value; the first twelve are young, the others old."""
    make = Making(session=made_id(700 + turn, START_MS))
    said: list[Contribution] = make.guided(
        step_of("measure", "m", "confianza", most=10),
        segments=[segment_of("generacion", "joven", "mayor")],
        title="Futuros",
    )
    for person, value in values.items():
        payload = {"code": CODES[person], "item": "confianza", "value": value, "round": turn}
        group = {"generacion": "joven" if person < 12 else "mayor"}
        said.append(make.vote("measure", f"{turn}-{person}", payload, step="m", segments=group))
    return room_of([*said, make.reveal("m")] if is_revealed else said)


def rooms() -> list[Room]:
    """Twenty people answer twice, the young go up by 2, the old by 0; three more answer only before."""
    before = dict.fromkeys(range(23), 4)
    after = {person: 6 if person < 12 else 4 for person in range(20)}
    return [half(0, before), half(1, after)]


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_csv_gives_the_change_of_the_pairs_and_of_each_generation_by_hand() -> None:
    """Twelve of twenty go up by 2: mean change 24 / 20 = 1.2; the young change by 2.0 each, the old not at all."""
    whole, young, old = rows_of(before_after_csv(rooms(), "m", "generacion"))
    assert (whole["n_before"], whole["n_after"], whole["n_paired"], whole["unpaired"]) == ("23", "20", "20", "3")
    assert (whole["mean_before"], whole["mean_after"], whole["change"]) == ("4.0000", "5.2000", "1.2000")
    assert (whole["rose"], whole["same"], whole["fell"]) == ("12", "8", "0")
    assert (young["group"], young["n_paired"], young["change"]) == ("generacion=joven", "12", "2.0000")
    assert (old["group"], old["n_paired"], old["change"]) == ("generacion=mayor", "8", "0.0000")


def test_rooms_in_any_order_give_the_same_bytes() -> None:
    assert before_after_csv(rooms(), "m", "generacion") == before_after_csv(rooms()[::-1], "m", "generacion")
    first, second = (as_html(before_after_document(each, "m", "generacion")) for each in (rooms(), rooms()[::-1]))
    assert first == second


def test_the_document_says_what_is_left_out() -> None:
    text = as_markdown(before_after_document(rooms(), "m", "generacion"))
    assert "# Antes y después" in text and "Futuros" in text
    assert "| confianza | 23 | 20 | 20 | 4.0 | 5.2 |" in text
    assert "El cambio cuenta solo a quienes contestaron las dos veces." in text
    english = Tongue("en", load_english())
    assert "# Before and after" in as_markdown(before_after_document(rooms(), "m", "generacion", english))


def test_four_pairs_show_no_change() -> None:
    few = [half(0, dict.fromkeys(range(6), 4)), half(1, dict.fromkeys(range(4), 9))]
    (row,) = rows_of(before_after_csv(few, "m"))
    assert (row["n_paired"], row["change"], row["state"]) == ("4", "", "few")
    assert "menos de 5" in as_markdown(before_after_document(few, "m"))


def test_a_round_that_was_not_revealed_keeps_all_of_it_blind() -> None:
    blind = [half(0, dict.fromkeys(range(8), 4)), half(1, dict.fromkeys(range(8), 9), is_revealed=False)]
    assert rows_of(before_after_csv(blind, "m")) == []
    assert "todavía no se revela" in as_markdown(before_after_document(blind, "m"))


def test_no_link_code_is_in_what_comes_out() -> None:
    out = before_after_csv(rooms(), "m", "generacion") + as_html(before_after_document(rooms(), "m", "generacion"))
    assert not [code for code in CODES if code in out]
