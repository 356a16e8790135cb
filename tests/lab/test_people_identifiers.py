"""Which answers say who somebody is, and what is left of a record without them."""

import json
from functools import cache
from typing import Any

import pytest
from pyxform.xls2xform import convert

from collector.forms.model import Form, form_from_json, form_to_json
from collector.forms.xform import read_xform
from collector.lab.identifiers import MASK, direct_keys, hidden_keys, masked, without, without_identifiers
from collector.publish.publishing import check_path

SURVEY = """
| survey |                    |             |                            |               |                                  |            |
|        | type               | name        | label                      | bind::privacy | calculation                      | appearance |
|        | text               | nombre      | ¿Cómo se llama?            |               |                                  |            |
|        | text               | apodo       | ¿Cómo le dicen?            | direct        |                                  |            |
|        | text               | vecina      | ¿Cómo le dicen a ella?     | Direkt        |                                  |            |
|        | text               | correo      | Correo del comité          | none          |                                  |            |
|        | text               | idea        | ¿Qué cambiaría?            | free_text     |                                  |            |
|        | integer            | edad        | ¿Cuántos años tiene?       | quasi         |                                  |            |
|        | geopoint           | casa        | Marque su casa             |               |                                  |            |
|        | geopoint           | plaza       | Marque la plaza            | quasi         |                                  |            |
|        | image              | calle       | Foto de la calle           |               |                                  |            |
|        | image              | firma       | Firme aquí                 |               |                                  | signature  |
|        | audio              | voz         | Cuéntelo con su voz        |               |                                  |            |
|        | calculate          | saludo      |                            |               | concat('Hola ', ${nombre})       |            |
|        | calculate          | doble       |                            |               | concat(${saludo}, '!')           |            |
|        | calculate          | largo       |                            | none          | string-length(${nombre})         |            |
|        | calculate          | mayor       |                            |               | if(${edad} > 17, 'si', 'no')     |            |
|        | begin_repeat       | persona     | Persona                    |               |                                  |            |
|        | begin_group        | datos       | Datos                      |               |                                  |            |
|        | text               | cedula      | Número                     |               |                                  |            |
|        | end_group          |             |                            |               |                                  |            |
|        | text               | oficio      | Oficio                     |               |                                  |            |
|        | begin_repeat       | visita      | Visita                     |               |                                  |            |
|        | text               | celular     | ¿A cuál llamamos?          |               |                                  |            |
|        | text               | nota        | ¿Qué vio?                  |               |                                  |            |
|        | end_repeat         |             |                            |               |                                  |            |
|        | end_repeat         |             |                            |               |                                  |            |
| settings |                  |             |                            |               |                                  |            |
|        | form_id            | version     |                            |               |                                  |            |
|        | hogar              | 1           |                            |               |                                  |            |
"""  # noqa: E501
DIRECT = {
    "nombre", "apodo", "vecina", "casa", "firma", "voz", "saludo", "doble", "persona/datos/cedula",
    "persona/visita/celular",
}  # fmt: skip


@cache
def form() -> Form:
    return read_xform(str(convert(SURVEY, validate=False, file_type=".md").xform))


def content(**more: Any) -> dict[str, Any]:
    visits = [{"celular": "6000-0000", "nota": "agua"}, {"nota": "luz"}]
    answers = {
        "nombre": "Ana Ríos", "apodo": "", "correo": "comite@ejemplo.pa", "idea": "más luz", "edad": "41",
        "casa": "8.1 -80.2 0 0", "firma": "f.png", "calle": "c.jpg", "saludo": "Hola Ana Ríos", "largo": "8",
        "persona": [{"datos/cedula": "8-1-1", "oficio": "maestra", "visita": visits}, {"oficio": "pescador"}],
    }  # fmt: skip
    blobs = [{"name": name, "sha256": name[0] * 64} for name in ("f.png", "c.jpg")]
    places = {"casa": {"code": "0810", "place": "casa 12"}, "plaza": {"code": "0401", "place": "la plaza"}}
    return {"id": "x", "form": "hogar", "answers": answers, "blobs": blobs, "places": places} | more


def test_the_name_the_text_the_type_and_the_author_say_which_answers_tell_who_somebody_is() -> None:
    assert direct_keys([form()]) == DIRECT


def test_a_question_that_any_version_calls_direct_is_direct() -> None:
    plain = SURVEY.replace("| direct        |", "| none          |")
    older = read_xform(str(convert(plain, validate=False, file_type=".md").xform))
    assert "apodo" not in direct_keys([older])
    assert "apodo" in direct_keys([older, form()])


def test_what_the_author_says_stays_with_the_stored_form() -> None:
    kept = form_from_json(json.loads(json.dumps(form_to_json(form()))))
    assert direct_keys([kept]) == DIRECT
    assert kept.question("/data/edad").privacy == "quasi"


def test_a_workbook_with_the_column_can_be_published(tmp_path: Any) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    survey = book.create_sheet("survey")
    for row in (["type", "name", "label::Español (es)", "bind::privacy"], ["text", "apodo", "¿Y su apodo?", "direct"]):
        survey.append(row)
    settings = book.create_sheet("settings")
    for row in (["form_id", "version", "default_language"], ["apodos", "1", "Español (es)"]):
        settings.append(row)
    file = tmp_path / "apodos.xlsx"
    book.save(file)
    checked = check_path(file, media={})
    assert checked.form is not None, checked.report.text("es")
    assert direct_keys([checked.form]) == {"apodo"}


def test_no_direct_identifier_is_left_at_any_depth_nor_as_a_file_nor_beside_a_place() -> None:
    left = without_identifiers(content(), [form()])
    text = json.dumps(left, ensure_ascii=False)
    for told in ("Ana", "8-1-1", "6000-0000", "8.1", "f.png", "casa 12"):
        assert told not in text
    assert left["answers"]["persona"] == [
        {"oficio": "maestra", "visita": [{"nota": "agua"}, {"nota": "luz"}]},
        {"oficio": "pescador"},
    ]
    assert {"correo", "idea", "edad", "calle", "largo"} <= left["answers"].keys()
    assert [blob["name"] for blob in left["blobs"]] == ["c.jpg"]
    assert left["places"] == {"casa": {"code": "0810"}, "plaza": {"code": "0401", "place": "la plaza"}}


def test_for_people_a_mask_stands_where_something_was_answered() -> None:
    seen = masked(content(), direct_keys([form()]))["answers"]
    assert (seen["nombre"], seen["apodo"], seen["edad"]) == (MASK, "", "41")
    assert seen["persona"][0]["datos/cedula"] == seen["persona"][0]["visita"][0]["celular"] == MASK
    assert "f.png" not in json.dumps(seen)


def test_the_record_itself_stays_as_it_was() -> None:
    before = content()
    without(before, direct_keys([form()]))
    masked(before, direct_keys([form()]))
    assert before == content()


@pytest.mark.parametrize("key", ["telefono", "persona/telefono"])
def test_an_answer_that_no_version_asks_for_is_judged_by_its_name(key: str) -> None:
    strange = {"telefono": "6000-0000", "color": "azul"}
    answers = {"persona": [strange]} if "/" in key else strange
    hidden = hidden_keys(content(answers=answers), [form()])
    assert key in hidden and key.replace("telefono", "color") not in hidden


def test_collects_audit_tells_what_people_took_back_and_is_a_direct_identifier() -> None:
    blobs = [{"name": "audit.csv", "sha256": "a" * 64}, {"name": "c.jpg", "sha256": "c" * 64}]
    said = content(answers={"calle": "c.jpg", "meta/audit": "audit.csv"}, blobs=blobs)
    left = without_identifiers(said, [form()])
    assert left["answers"] == {"calle": "c.jpg"} and left["blobs"] == blobs[1:]


def test_of_a_form_that_is_not_known_no_answer_stays() -> None:
    left = without_identifiers(content(), [])
    assert "Ana" not in json.dumps(left) and "más luz" not in json.dumps(left, ensure_ascii=False)
    assert left["blobs"] == [] and left["form"] == "hogar"


@pytest.mark.parametrize(
    "answers",
    [
        ["Ana"],
        "Ana",
        {"persona": "Ana"},
        {"persona": ["Ana", {"datos/cedula": "Ana"}]},
        {"nombre": {"de": "Ana"}},
        {"nombre": ["Ana"]},
        {"persona": {"datos/cedula": "Ana", "visita": "Ana"}},
    ],
)
def test_answers_of_no_known_shape_let_no_name_through(answers: object) -> None:
    keys = direct_keys([form()])
    for left in (without(content(answers=answers), keys), masked(content(answers=answers), keys)):
        assert "Ana" not in json.dumps(left)


def test_a_contribution_to_a_room_holds_no_answers_and_is_copied_whole() -> None:
    said = {"id": "x", "kind": "contribution", "what": "note", "text": "falta luz", "blobs": [{"name": "muro.jpg"}]}
    assert without_identifiers(said, []) == said
