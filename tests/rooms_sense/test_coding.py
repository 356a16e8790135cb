"""What coders put is kept apart, counted together, and follows the codebook."""

from fractions import Fraction

import pytest

from collector.rooms.room import Room
from collector.rooms.sense.codebook import Codebook, CodeChange, codebook_of
from collector.rooms.sense.coding import Coded, Coding, agreement, coded, read_codebook
from collector.rooms.sense.pieces import answer_target, pieces_of, pieces_of_rooms, said_in_order
from tests.rooms_sense import scene

BOOK = codebook_of([CodeChange("confianza/vecinos"), CodeChange("confianza/alcaldía"), CodeChange("gobernanza/agua")])


def test_what_a_coder_said_last_counts_and_nobody_takes_off_anothers_code() -> None:
    found = coded(
        [
            Coding("n1", "confianza/vecinos", "Ana"),
            Coding("n1", "confianza/vecinos", "Luis"),
            Coding("n1", "Confianza / Vecinos", "Ana", is_on=False),
        ],
        BOOK,
    )
    assert found.by_target == {"n1": {"Ana": frozenset(), "Luis": frozenset({"confianza/vecinos"})}}
    assert found.paths("n1") == {"confianza/vecinos"}
    assert found.paths("n2") == frozenset()


def test_a_code_holds_what_stands_below_it() -> None:
    found = coded([Coding("n1", "confianza/vecinos", "Ana")], BOOK)
    assert found.has("n1", "confianza") and not found.has("n1", "confianza/alcaldía")


def test_switching_off_an_old_name_does_not_take_off_the_code_it_was_merged_into() -> None:
    book = codebook_of([CodeChange("a"), CodeChange("b"), CodeChange("b", becomes="a")])
    found = coded([Coding("n1", "a", "Ana"), Coding("n1", "b", "Ana"), Coding("n1", "b", "Ana", is_on=False)], book)
    assert found.paths("n1") == {"a"}


def test_an_open_answer_of_a_survey_is_coded_like_a_note() -> None:
    target = answer_target("01890000-0000-7000-8000-000000000001", "grupo/porque")
    assert coded([Coding(target, "gobernanza/agua", "Ana")], BOOK).has(target, "gobernanza")


def test_agreement_by_hand_for_two_coders() -> None:
    """Five notes both saw: vecinos by both on two, by Ana alone on one, by neither on two.

    Percent 4/5. Chance 3/5 x 2/5 + 2/5 x 3/5 = 12/25; kappa (20/25 - 12/25) / (13/25) = 8/13.
    Alpha: 5 yes and 5 no of 10; observed 2, expected (100 - 50) / 9; 1 - 18/50 = 16/25. The sixth note only Ana saw.
    """
    codings = [Coding(f"n{number}", "confianza/vecinos", "Ana", number <= 3) for number in range(1, 7)]
    codings += [Coding(f"n{number}", "confianza/vecinos", "Luis", number <= 2) for number in range(1, 6)]
    found = agreement(coded(codings, BOOK), BOOK)
    assert found.coders == ("Ana", "Luis")
    by_path = {each.code.path: each for each in found.codes}
    vecinos = by_path["confianza/vecinos"]
    assert (vecinos.n, vecinos.used) == (5, 3)
    assert (vecinos.percent, vecinos.kappa, vecinos.alpha) == (Fraction(4, 5), Fraction(8, 13), Fraction(16, 25))
    assert by_path["confianza"].percent == Fraction(4, 5)  # the code above carries what stands below
    assert "gobernanza/agua" not in by_path  # nobody used it


def test_three_coders_get_alpha_and_no_kappa() -> None:
    codings = [Coding("n1", "confianza/vecinos", coder, coder != "Eva") for coder in ("Ana", "Luis", "Eva")]
    (_, vecinos) = agreement(coded(codings, BOOK), BOOK).codes
    assert vecinos.kappa is None and vecinos.alpha == 0 and vecinos.percent == Fraction(1, 3)


def test_the_book_of_a_room_speaks_the_language_asked_for(room: Room, book: Codebook) -> None:
    assert book.label("confianza/vecindad") == "Vecinos"
    assert read_codebook(room.items, "en").label("confianza/vecinos") == "Neighbours"


def test_a_room_is_coded_under_the_name_that_a_code_has_now(room: Room, found: Coded) -> None:
    first = room.of("note")[0]
    assert found.paths(first.id) == {"confianza/vecindad"}


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("Aquí nadie se fía de nadie.", True),
        ("No diga que lo dije yo.", False),  # said no
        ("Hablo poco.", False),  # said nothing of quotes, and it is a paraphrase
        ("La junta debe rendir cuentas", True),  # a statement is its writer's own words
    ],
)
def test_only_own_words_with_consent_may_be_quoted(room: Room, text: str, allowed: bool) -> None:
    (piece,) = [each for each in pieces_of(room) if each.text == text]
    assert piece.may_quote is allowed


def test_words_of_nobody_known_need_the_consent_of_all() -> None:
    make = scene.Making()
    said = [
        make.make("note", {"text": "¿Quién fue?", "form": "verbatim", "quote": True}),
        make.make("consent", {"purposes": {"quote": True}}),
    ]
    assert pieces_of(scene.room_of(said))[0].may_quote
    refused = make.make("consent", {"purposes": {"quote": False}}, seat="P1")
    assert not pieces_of(scene.room_of([*said, refused]))[0].may_quote


def test_demonstrations_are_no_pieces_and_the_order_of_rooms_is_none(room: Room) -> None:
    demo = scene.room(demo=True)
    assert pieces_of_rooms([demo]) == []
    make = scene.Making(session="01890000-0000-7000-8000-00000000ffff")
    other = scene.room_of([make.make("note", {"text": "Otra sala"})])
    assert said_in_order([room, other]) == said_in_order([other, room])
    assert pieces_of_rooms([room, other]) == pieces_of_rooms([other, room])
