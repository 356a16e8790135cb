"""Open answers of a survey become pieces: also those inside of repeats, with their place, groups and consent."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

from collector.forms.model import Form
from collector.lab.open_answers import Answered, OpenForm, pieces_of_record
from collector.lab.results import territory_columns
from collector.lab.tables import tables_of
from collector.rooms.sense.agreement import meaning
from collector.rooms.sense.codebook import CodeChange, codebook_of, used_book
from collector.rooms.sense.sessions import CODEBOOK_SESSION, answers_session
from collector.routes.lab_opened import municipalities
from tests.consented import card, checked
from tests.lab.visitas import visitas


def opened(*versions: Form, districts: frozenset[str] = frozenset()) -> OpenForm:
    table = tables_of(versions)
    territory = territory_columns(table.columns, districts)
    return OpenForm("Visitas", table, {form.version: form for form in versions}, territory)


def answered(answers: dict[str, Any], version: str = "1", **content: Any) -> Answered:
    body = {"answers": answers, "finished": "2026-11-22T10:00:00-05:00"} | content
    return Answered("r1", version, 1_795_000_000_000, body)


def test_answers_inside_of_repeats_are_named_by_their_row() -> None:
    given = answered({"jefa": "Ana", "casa/persona": [{"nombre": "Luz"}, {"nombre": " "}, {"nombre": "Sol\nRíos"}]})
    assert [piece.text for piece in pieces_of_record(opened(visitas()), given)] == ["Ana"]  # who they are is not coded
    named = [replace(each, privacy="none") if each.name == "nombre" else each for each in visitas().questions]
    found = pieces_of_record(opened(replace(visitas(), questions=tuple(named))), given)
    assert [(piece.target, piece.text) for piece in found] == [
        ("r1#jefa", "Ana"), ("r1#casa/persona[1]/nombre", "Luz"), ("r1#casa/persona[3]/nombre", "Sol Ríos"),
    ]  # fmt: skip
    assert {(piece.record, piece.person, piece.kind) for piece in found} == {("r1", "r1", "answer")}


def test_what_only_one_version_asks_is_read_too() -> None:
    found = pieces_of_record(opened(visitas(), visitas("2")), answered({"otra": "Nada más"}, "2"))
    assert [piece.text for piece in found] == ["Nada más"]


def test_answers_that_are_no_text_or_no_object_are_left_out() -> None:
    form = opened(visitas())
    assert pieces_of_record(form, answered({"casa/persona": "no es una lista"})) == []
    assert pieces_of_record(form, Answered("r1", "1", 0, {"answers": ["no"]})) == []


def test_a_record_says_its_municipality_else_the_place_chosen_from_the_list() -> None:
    form = opened(visitas())
    listed = answered({"jefa": "Ana"}, places={"casa/punto": {"code": "0911"}, "otro": 3})
    assert [piece.place for piece in pieces_of_record(form, listed)] == ["0911"]
    tarjeta = opened(checked("tarjeta")[0], districts=municipalities())
    assert {piece.place for piece in pieces_of_record(tarjeta, answered(dict(card())))} == {"0810"}


def test_words_may_be_quoted_only_where_the_person_said_so() -> None:
    form, _ = checked("tarjeta")
    tarjeta = opened(form)

    def allowed(**changes: str) -> set[bool]:
        return {piece.may_quote for piece in pieces_of_record(tarjeta, answered(dict(card(**changes)), form.version))}

    assert allowed() == {True}
    assert allowed(consent__purposes="") == {False}
    assert allowed(consent__accepted="") == {False}
    assert {piece.may_quote for piece in pieces_of_record(opened(visitas()), answered({"jefa": "Ana"}))} == {False}


def test_groups_are_the_questions_with_one_choice_and_the_notice_asks_nothing() -> None:
    tarjeta = opened(checked("tarjeta")[0])
    (piece,) = pieces_of_record(tarjeta, answered(dict(card())))
    assert piece.segments["age_band"] == "18_mas" and piece.text == "Falta luz en la calle."
    assert not any(name.startswith("consent") for name in tarjeta.segments)


def test_a_form_has_one_session_for_its_codings_on_every_node() -> None:
    assert answers_session("barrio") == answers_session("barrio") != answers_session("otro") != CODEBOOK_SESSION


def test_the_book_of_one_room_holds_what_it_uses_and_what_stands_above() -> None:
    book = codebook_of([CodeChange("confianza/vecinos/nuevos"), CodeChange("gobernanza/agua")])
    assert list(used_book(book, ["confianza/vecinos/nuevos"]).codes) == [
        "confianza", "confianza/vecinos", "confianza/vecinos/nuevos",
    ]  # fmt: skip


def test_an_alpha_says_how_far_one_may_build_on_it() -> None:
    assert [meaning(Fraction(each, 100)) for each in (80, 79, 67, 66, -10)] == ["high", "fair", "fair", "low", "low"]
    assert meaning(None) == "none"
