"""A record as ODK writes it, both ways."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.forms.check import check
from collector.forms.state import Filling
from collector.forms.submission_xml import to_xml
from collector.forms.xform import read_xform
from tests.forms.household import NOW, household
from tests.forms.test_scenarios_peers import asked, repeated, xform
from tests.submission_reader import from_xml

ID = "0193a1b2-0000-7000-8000-000000000001"


def record(answers: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a record with these answers."""
    return {"id": ID, "answers": answers, "now": NOW, "lang": "es", **more}


def household_answers() -> dict[str, Any]:
    """Fill in a household."""
    filling = Filling(household(), NOW)
    filling.set("/data/casa", "Sol & <Luna>\n")
    (ana,) = filling.rows_at("/data/persona")
    eva = filling.add_row("/data/persona")
    for path, text, row in (("nombre", "Ana", ana), ("edad", "31", ana), ("visitas", "2", ana), ("edad", "4", eva)):
        filling.set(f"/data/persona/{path}", text, row)
    first, _ = ana.rows["/data/persona/visita"]
    filling.set("/data/persona/visita/costo", "2.50", first)
    filling.set("/data/cosas", "agua luz")
    return filling.answers()


def test_rows_in_rows_come_back_as_they_went() -> None:
    answers = household_answers()
    assert answers["persona"][0]["visita"] == [{"costo": "2.50"}, {}]
    xml = to_xml(household(), record(answers))
    assert from_xml(household(), xml) == answers
    assert to_xml(household(), record(from_xml(household(), xml))) == xml


def test_the_shape_is_that_of_odk() -> None:
    xml = to_xml(household(), record(household_answers(), deprecated="uuid:old"))
    assert xml.startswith(
        '<data id="hogar" version="3"><casa>Sol &amp; &lt;Luna&gt;</casa><persona><nombre>Ana</nombre>'
    )
    assert xml.count("<persona>") == 2
    # visitas of a child is not relevant: left out; what is relevant and empty stays
    assert "<persona><nombre /><edad>4</edad><fila>2</fila>" in xml
    assert "template" not in xml
    assert xml.endswith(f"<meta><instanceID>uuid:{ID}</instanceID><instanceName>Sol &amp; &lt;Luna&gt;</instanceName>"
                        "<deprecatedID>uuid:old</deprecatedID></meta></data>")  # fmt: skip


@pytest.mark.parametrize("name", ["confianza", "servicios", "tarjeta"])
def test_starter_forms_come_back_as_they_went(starter_xforms: dict[str, str], name: str) -> None:
    form = read_xform(starter_xforms[name])
    filling = Filling(form, NOW)
    for question in form.questions:
        choices = filling.choices(question.path) if question.list_name else ()
        text = (
            choices[0] if choices else {"integer": "7", "date": "2026-11-20", "decimal": "2.5"}.get(question.type, "ñ")
        )
        if question.type not in ("note", "calculate"):
            filling.set(question.path, text)
    answers = filling.answers()
    assert len(answers) > 2
    assert from_xml(form, to_xml(form, record(answers))) == answers


def test_the_same_record_gives_the_same_bytes_whenever_it_is_written() -> None:
    answers = household_answers()
    assert to_xml(household(), record(answers)) == to_xml(household(), record(dict(answers)))


def test_characters_that_xml_cannot_hold_are_left_out() -> None:
    assert "<casa>ab</casa>" in to_xml(household(), record({"casa": "a\x01b"}))


def test_a_record_checks_clean_after_the_way_through_xml() -> None:
    answers = household_answers() | {
        "persona": [{"nombre": "Ana", "edad": "4", "fila": "1", "gasto": "0", "nota": "n"}]
    }
    xml = to_xml(household(), record(answers))
    checked = check(household(), from_xml(household(), xml), NOW)
    assert {flag.key for flag in checked.flags} <= {"cuantas", "mayores", "total", "sello"}


TOLD = read_xform(
    xform(
        "<texto/><si/><fila><nota/></fila><meta><instanceID/></meta>",
        asked("texto", "si", "meta/instanceID") + repeated("fila", asked("fila/nota")),
        si="relevant=\"/data/texto != '' and /data/texto != 'no'\"",
    )
)
XML_TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff") | st.sampled_from("\n\r\t ")
)


@pytest.mark.parametrize("text", [" a", "a\n", "\t", " ", "a\r\nb\r", "e\u0301", "<![CDATA[ ]]>"])
def test_texts_come_back_with_every_blank(text: str) -> None:
    answers = {"texto": text, "fila": [{}, {"nota": text}], "meta/instanceID": "uuid:7f0c"}
    xml = to_xml(TOLD, record(answers))
    assert from_xml(TOLD, xml) == answers
    assert to_xml(TOLD, record(from_xml(TOLD, xml))) == xml


@given(st.lists(XML_TEXTS, min_size=2, max_size=2))
def test_any_text_that_xml_can_hold_comes_back(texts: list[str]) -> None:
    answers = {"texto": texts[0], "fila": [{"nota": texts[1]}]}
    said = from_xml(TOLD, to_xml(TOLD, record(answers)))
    assert (said.get("texto", ""), said["fila"][0].get("nota", "")) == (texts[0], texts[1])


def test_blanks_at_the_ends_decide_nothing() -> None:
    assert "<si>" in to_xml(TOLD, record({"texto": " sí ", "si": "x"}))
    assert "<si>" not in to_xml(TOLD, record({"texto": " no ", "si": "x"}))
    assert "<si>" not in to_xml(TOLD, record({"texto": "  ", "si": "x"}))


def test_an_id_that_somebody_answered_stays() -> None:
    answers = {"texto": "a", "meta/instanceID": "uuid:7f0c"}
    xml = to_xml(TOLD, record(answers))
    assert "<instanceID>uuid:7f0c</instanceID>" in xml
    assert from_xml(TOLD, xml) == answers
    assert f"<instanceID>uuid:{ID}</instanceID>" in to_xml(TOLD, record({"texto": "a"}))


@pytest.mark.parametrize("rows", [5, "x", {"nota": "x"}, [7, None, {"nota": 3}]])
def test_rows_that_are_none_are_no_hindrance(rows: object) -> None:
    assert from_xml(TOLD, to_xml(TOLD, record({"texto": "a", "fila": rows})))["texto"] == "a"


def test_half_a_character_is_left_out() -> None:
    assert "<texto>ab</texto>" in to_xml(TOLD, record({"texto": "a\ud800b"}))
