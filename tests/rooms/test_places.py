"""Where a session took place: the code of a district beside words, and old sessions with words alone."""

import pytest

from collector.rooms.places import district_named, place_key, place_name, place_told
from collector.rooms.refusals import Refusal
from collector.rooms.room import Facts, room_of
from collector.rooms.sense.pieces import pieces_of_rooms
from tests.rooms.making import Making


@pytest.mark.parametrize(
    ("facts", "key", "name"),
    [
        (Facts(place="Casa comunal", district="0911"), "0911", "Casa comunal · Soná"),
        (Facts(place="Casa comunal de Soná", district="0911"), "0911", "Casa comunal de Soná"),
        (Facts(place="Soná", district="0911"), "0911", "Soná"),
        (Facts(district="0911"), "0911", "Soná"),
        # of earlier releases: words alone, or a code in their place
        (Facts(place="Soná"), "0911", "Soná"),
        (Facts(place="0810"), "0810", "San Miguelito"),
        (Facts(place="Finca de los Pérez"), "Finca de los Pérez", "Finca de los Pérez"),
        # two districts are called Santa Fe; Colón is a province and a district
        (Facts(place="Santa Fe"), "Santa Fe", "Santa Fe"),
        (Facts(place="Santa Fe", district="0909"), "0909", "Santa Fe (Veraguas)"),
        (Facts(place="Santa Fe (Darién)"), "0503", "Santa Fe (Darién)"),
        (Facts(place="Colón"), "Colón", "Colón"),
        (Facts(), "", ""),
        # a district that only a later release knows keeps its words
        (Facts(place="Distrito nuevo", district="0199"), "0199", "Distrito nuevo"),
    ],
)
def test_a_place_has_a_key_to_group_by_and_a_name_to_read(facts: Facts, key: str, name: str) -> None:
    assert (place_key(facts), place_name(facts)) == (key, name)


@pytest.mark.parametrize(
    ("words", "district", "told"),
    [
        ("", "0503", {"place": "Santa Fe (Darién)", "district": "0503"}),
        ("Casa comunal", "0911", {"place": "Casa comunal", "district": "0911"}),
        ("0911", "", {"place": "Soná", "district": "0911"}),
        ("Chepo", "", {"place": "Chepo", "district": "0805"}),
        ("Santa Fe", "", {"place": "Santa Fe"}),
        ("Casa comunal", "77", {"place": "Casa comunal"}),
        ("", "", {}),
    ],
)
def test_what_was_typed_or_chosen_becomes_words_and_a_code(words: str, district: str, told: dict[str, str]) -> None:
    assert place_told(words, district) == told


def test_a_name_stands_for_a_code_only_where_it_is_exactly_one_places() -> None:
    assert [district_named(words) for words in ("Soná", " Soná ", "soná", "Son", "Panamá")] == [
        "0911",
        "0911",
        "",
        "",
        "",
    ]


@pytest.mark.parametrize("wrong", ["911", "Soná", 911, "09112"])
def test_a_district_that_is_no_code_is_refused(wrong: object) -> None:
    with pytest.raises(Refusal) as caught:
        Making().make("session", {"title": "Sala", "district": wrong})
    assert caught.value.code == "not_a_district"


def test_sessions_of_one_district_are_one_place_however_each_says_it() -> None:
    told = (
        {"place": "Soná"}, {"place": "Casa comunal", "district": "0911"},
        {"place": "Santa Fe (Veraguas)"}, {"place": "Santa Fe (Darién)"}, {"place": "Santa Fe"},
    )  # fmt: skip
    rooms = []
    for number, facts in enumerate(told):
        making = Making(session=f"00000000-0000-7000-8000-00000000000{number}")
        said = [making.make("session", {"title": "Sala", **facts}), making.make("note", {"text": "Falta agua"})]
        rooms.append(room_of(said))
    assert [piece.place for piece in pieces_of_rooms(rooms)] == ["0911", "0911", "0909", "0503", "Santa Fe"]
