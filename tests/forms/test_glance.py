"""A glance vouches only for what the plan and filling in find nothing wrong with, and changes no answer."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.samples import convert_sheets
from bench.surveys import NOW
from collector.forms.check import check, check_by_filling, check_by_plan
from collector.forms.fitting import MAX_TEXT, SHAPES, shape_of, tidy
from collector.forms.flags import Checked
from collector.forms.glance import LONGEST_REMEMBERED, MOST_REMEMBERED, Glance, glance_of
from collector.forms.model import Form
from collector.forms.plan import plan_of
from collector.forms.xform import read_xform

# name -> type, and further columns of the row
ASKED: dict[str, dict[str, str]] = {
    "uno": {"type": "select_one color"},
    "varios": {"type": "select_multiple color"},
    "orden": {"type": "rank color"},
    "edad": {"type": "integer"},
    "menor": {"type": "integer", "constraint": ". < 18"},
    "gasto": {"type": "decimal"},
    "nota": {"type": "range", "parameters": "start=1 end=10 step=1"},
    "dia": {"type": "date"},
    "anio": {"type": "date", "appearance": "year"},
    "momento": {"type": "dateTime"},
    "hora": {"type": "time"},
    "lugar": {"type": "geopoint"},
    "camino": {"type": "geotrace"},
    "terreno": {"type": "geoshape"},
    "visto": {"type": "acknowledge"},
    "texto": {"type": "text"},
    "nombre": {"type": "text", "required": "yes"},
    "aviso": {"type": "note"},
}
GOOD = {
    "uno": "rojo", "varios": "rojo azul", "orden": "azul rojo verde", "edad": "41", "gasto": "41.82", "nota": "7",
    "dia": "2026-11-20", "anio": "2026-01-01", "momento": "2026-11-20T10:42:00.000-05:00", "hora": "10:42",
    "lugar": "8.97 -79.53 12.0 5.0", "camino": "8.97 -79.53; 8.98 -79.54", "visto": "OK",
    "texto": "Yo creo que aquí está bien.", "nombre": "Ana",
}  # fmt: skip
ODD = (
    "", " ", "rojo", " rojo", "rojo ", "rojo  azul", "rojo rojo", "gris", "OK", "2026", "2026-11", "2026-11-31",
    "-3", "11", "7,5", "7.5", ".",
    "９", "1e3", "9" * 20, "a\u0301", "\u00e1", "dos\nrenglones", "uno\r\ndos",
    "x\0", "\ud800", "\u00a0x", "25:00", "8.97 -79.53;",
)  # fmt: skip


@pytest.fixture(scope="module")
def form() -> Form:
    """Return a form that asks in every way, and in which no answer changes another."""
    survey = [{"name": name, "label": name, **row} for name, row in ASKED.items()]
    choices = [{"list_name": "color", "name": name, "label": name} for name in ("rojo", "azul", "verde")]
    return read_xform(convert_sheets({"survey": survey, "choices": choices, "settings": [{"form_id": "glance"}]}))


def glance_at(form: Form) -> Glance:
    """Return the glance of a form that has one."""
    found = glance_of(form)
    assert found is not None
    return found


TEXTS = st.one_of(st.sampled_from([*GOOD.values(), *ODD]), st.text(max_size=12))
ANSWERS = st.dictionaries(st.sampled_from([*ASKED, "otra"]), TEXTS, max_size=4)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(changed=ANSWERS, dropped=st.sets(st.sampled_from([*GOOD]), max_size=3))
def test_what_a_glance_vouches_for_is_kept_as_it_was_said(
    form: Form, changed: dict[str, str], dropped: set[str]
) -> None:
    answers = {key: text for key, text in (GOOD | changed).items() if key not in dropped}
    plan = plan_of(form)
    assert plan is not None
    by_filling = check_by_filling(form, answers, NOW)
    assert check(form, answers, NOW) == check_by_plan(plan, answers, NOW, "es") == by_filling
    if glance_at(form).is_all_right(answers):
        assert by_filling == Checked(answers, ())


def test_a_record_in_which_all_is_right_is_told_by_a_glance(form: Form) -> None:
    assert glance_at(form).is_all_right(GOOD)
    assert glance_at(form).is_all_right({"nombre": "José"})


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("uno", "gris"), ("uno", " rojo"), ("varios", "rojo gris"), ("orden", "rojo rojo"), ("edad", "4.5"),
        ("gasto", "41,82"), ("nota", "11"), ("dia", "2026-11-31"), ("anio", "2026"), ("hora", "25:00"),
        ("texto", "a\u0301"), ("texto", " x"), ("texto", ""), ("texto", "x" * (MAX_TEXT + 1)),
        ("aviso", "x"), ("otra", "x"), ("edad", 41), ("uno", ["rojo"]), ("menor", "12"),
    ],
)  # fmt: skip
def test_a_glance_vouches_for_nothing_else(form: Form, key: str, said: Any) -> None:
    assert not glance_at(form).is_all_right({**GOOD, key: said})


def test_a_glance_misses_a_required_answer(form: Form) -> None:
    assert not glance_at(form).is_all_right({"edad": "41"})
    assert [flag.what for flag in check(form, {"edad": "41"}, NOW).flags] == ["required"]


def test_what_is_kept_is_not_the_record_itself(form: Form) -> None:
    said = dict(GOOD)
    check(form, said, NOW).answers["nombre"] = "Eva"
    assert said == GOOD


SHAPED = [name for name, row in ASKED.items() if row["type"] in SHAPES]


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=st.sampled_from(SHAPED), choice=st.data())
def test_what_has_a_shape_is_stored_as_it_was_said(form: Form, name: str, choice: st.DataObject) -> None:
    question = next(question for question in form.questions if question.key == name)
    shape = shape_of(question)
    assert shape is not None
    text = choice.draw(st.from_regex(SHAPES[question.type], fullmatch=True))
    assert not shape(text) or tidy(question, text) == text


def test_a_glance_remembers_no_more_than_a_few_short_answers(form: Form) -> None:
    glance, right = glance_at(form), glance_at(form).places["edad"].right
    for age in range(2 * MOST_REMEMBERED):
        assert glance.is_all_right({"nombre": "Ana", "edad": str(age)})
    assert len(right) == MOST_REMEMBERED
    many = " ".join(["rojo"] * LONGEST_REMEMBERED)
    assert glance.is_all_right({"nombre": "Ana", "varios": many})
    assert many not in glance.places["varios"].right


def test_a_form_in_which_answers_change_each_other_has_no_glance() -> None:
    survey = [
        {"type": "integer", "name": "edad", "label": "edad"},
        {"type": "text", "name": "oficio", "label": "oficio", "relevant": "${edad} > 17"},
    ]
    assert glance_of(read_xform(convert_sheets({"survey": survey, "settings": [{"form_id": "two"}]}))) is None
