"""What XLSForm offers is published: every type, repeats, actions, appearances, settings; what is less is said."""

import re
from xml.etree.ElementTree import Element

import defusedxml.ElementTree as SafeXml
import pytest

from collector.forms import support
from collector.forms.binds import RULES, bind_problems
from collector.forms.form_warnings import PAGE_NAMES
from collector.forms.model import Form, form_from_json, text_in
from collector.forms.state import Filling
from collector.forms.xform import read_xform
from tests.forms.household import household_xml
from tests.forms.sheet_findings import (
    CHOICES,
    GOOD,
    SETTINGS,
    SURVEY,
    Row,
    at,
    choices,
    codes,
    errors,
    findings,
    form_of,
    found_in,
    steps,
    table,
)

NOW = (0, 0)


# --- types


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("text", "text"), ("int", "integer"), ("decimal", "decimal"), ("date", "date"), ("time", "time"),
        ("dateTime", "datetime"), ("datetime", "datetime"), ("range", "range"), ("acknowledge", "acknowledge"),
        ("trigger", "acknowledge"), ("geopoint", "geopoint"), ("gps", "geopoint"), ("geotrace", "geotrace"),
        ("geoshape", "geoshape"), ("image", "image"), ("photo", "image"), ("audio", "audio"), ("video", "video"),
        ("file", "file"), ("barcode", "barcode"), ("select_one si_no", "select_one"),
        ("select one from si_no", "select_one"), ("select all that apply si_no", "select_multiple"),
        ("rank si_no", "rank"), ("add text prompt", "text"), ("q geopoint", "geopoint"), ("percentage", "integer"),
    ],
)  # fmt: skip
def test_every_type_that_asks_becomes_a_question(written: str, kind: str) -> None:
    question = form_of(SURVEY, (written, "x", "¿Qué?")).question("/data/x")
    assert (question.type, question.page) == (kind, 0)


@pytest.mark.parametrize(
    "written",
    ["hidden", "start", "end", "today", "deviceid", "username", "phonenumber", "email", "simserial", "get start time",
     "start-geopoint", "background-audio"],
)  # fmt: skip
def test_what_fills_itself_or_stays_empty_is_kept_and_not_asked(written: str) -> None:
    question = form_of(SURVEY, GOOD, (written, "x", "")).question("/data/x")
    assert (question.type, question.page) == ("calculate", -1)


def test_an_audit_is_left_out_with_a_warning() -> None:
    found = findings(SURVEY, GOOD, ("audit", "audit", ""))
    assert errors(found) == [] and at(found, 3, "type").code == "type_ignored"


@pytest.mark.parametrize("written", sorted(support.DEGRADED_TYPES))
def test_a_type_that_is_asked_in_a_plainer_way_gets_a_warning(written: str) -> None:
    found = findings(SURVEY, (written, "x", "¿Qué?"))
    assert errors(found) == [] and ("type_degraded", 2, "type") in codes(found)


@pytest.mark.parametrize("appearance", sorted(support.DEGRADED_APPEARANCES))
def test_a_signature_is_asked_as_a_photo_with_a_warning(appearance: str) -> None:
    found = findings((*SURVEY, "appearance"), ("image", "x", "¿Qué?", appearance))
    assert errors(found) == [] and at(found, 2, "appearance").code == "appearance_degraded"


@pytest.mark.parametrize(
    "appearance", [*sorted(support.APPEARANCES - {"table-list", "label"}), "columns-4", "w2 no-calendar"]
)
def test_an_appearance_of_the_list_is_taken_without_a_word(appearance: str) -> None:
    assert findings((*SURVEY, "appearance"), ("select_one si_no", "x", "¿Qué?", appearance)) == []


def test_parameters_reach_the_question() -> None:
    header = (*SURVEY, "parameters")
    form = form_of(
        header,
        ("range", "r", "¿Cuánto?", "start=0 end=10 step=2"),
        ("image", "foto", "¿Foto?", "max-pixels=800"),
        ("text", "t", "¿Qué?", "rows=5"),
        ("geopoint", "g", "¿Dónde?", "capture-accuracy=10"),
    )
    found = {question.name: dict(question.parameters) for question in form.questions if question.page >= 0}
    assert found == {
        "r": {"start": "0", "end": "10", "step": "2"},
        "foto": {"max-pixels": "800"},
        "t": {"rows": "5"},
        "g": {"accuracyThreshold": "10"},
    }


# --- repeats, actions, texts


def test_nested_repeats_with_counts_and_sums_are_published() -> None:
    header = (*SURVEY, "repeat_count", "calculation", "relevant")
    rows: list[Row] = [
        ("integer", "cuantas", "¿Cuántas casas?", "", "", ""),
        ("begin_repeat", "casa", "Casa", "${cuantas}", "", ""),
        ("begin_repeat", "persona", "Persona", "2 + 1", "", ""),
        ("integer", "edad", "¿Edad?", "", "", ""),
        ("calculate", "fila", "", "", "position(..)", ""),
        ("end_repeat", "", "", "", "", ""),
        ("calculate", "anios", "", "", "sum(${edad})", ""),
        ("end_repeat", "", "", "", "", ""),
        ("calculate", "todas", "", "", "count(${casa})", ""),
    ]
    form = form_of(header, *rows)
    assert [(repeat.path, repeat.count is not None) for repeat in form.repeats] == [
        ("/data/casa", True),
        ("/data/casa/persona", True),
    ]
    filling = Filling(form, NOW)
    filling.set("/data/cuantas", "2")
    assert len(filling.rows_at("/data/casa")) == 2
    assert len(filling.rows_at("/data/casa")[0].rows["/data/casa/persona"]) == 3


def test_a_bad_count_is_found_at_its_repeat() -> None:
    rows = [("begin_repeat", "casa", "Casa", "foo(1)"), (*GOOD, ""), ("end_repeat", "", "", "")]
    assert errors(findings((*SURVEY, "repeat_count"), *rows)) == [(2, "repeat_count")]


def test_a_dynamic_default_and_a_trigger_set_values() -> None:
    header = (*SURVEY, "default", "trigger", "calculation")
    form = form_of(
        header,
        ("date", "dia", "¿Día?", "today()", "", ""),
        ("text", "idea", "¿Idea?", "", "", ""),
        ("dateTime", "cambio", "¿Cuándo?", "", "${idea}", "now()"),
    )
    assert {(action.path, action.trigger) for action in form.actions} >= {
        ("/data/dia", ""),
        ("/data/cambio", "/data/idea"),
    }
    filling = Filling(form, (1_770_000_000_000, 0))
    assert filling.raw["/data/dia"] == "2026-02-02" and filling.raw["/data/cambio"] == ""
    filling.set("/data/idea", "Árboles")
    assert filling.raw["/data/cambio"] != ""


def test_texts_show_answers_and_the_record_gets_its_name() -> None:
    settings = table("settings", ("form_id", "version", "instance_name"), ("f", "1", "concat('Idea: ', ${idea})"))
    form = form_of((*SURVEY, "hint"), (*GOOD, ""), ("note", "n", "Dijo ${idea}.", "¿${idea}?"), settings=settings)
    filling = Filling(form, NOW)
    filling.set("/data/idea", "Árboles")
    assert filling.said(form.question("/data/n").label, filling.root) == "Dijo Árboles."
    assert filling.raw["/data/meta/instanceName"] == "Idea: Árboles"


def test_an_error_in_the_records_name_is_found_at_its_setting() -> None:
    settings = table("settings", ("form_id", "version", "instance_name"), ("f", "1", "foo(${idea})"))
    assert [(f.sheet, f.row, f.column) for f in findings(SURVEY, GOOD, settings=settings) if f.severity == "error"] == [
        ("settings", 2, "instance_name")
    ]


def test_choices_may_be_rows_of_a_repeat() -> None:
    rows = [("begin_repeat", "p", "Persona"), ("text", "quien", "¿Quién?"), ("end_repeat", "", "")]
    form = form_of(SURVEY, *rows, ("select_one ${quien}", "jefe", "¿Quién decide?"))
    assert form.question("/data/jefe").rows is not None


def test_a_table_list_is_a_grid_of_the_same_choices() -> None:
    header = (*SURVEY, "appearance")
    rows = [
        ("begin_group", "g", "¿Qué tiene?", "table-list"), ("select_one si_no", "luz", "Luz", ""),
        ("select_one si_no", "agua", "Agua", ""), ("end_group", "", "", ""),
    ]  # fmt: skip
    form = form_of(header, *rows)
    drawn = [question.appearance for question in form.questions if question.list_name == "si_no"]
    assert drawn == [("label",), ("list-nolabel",), ("list-nolabel",)]


# --- or_other


def test_or_other_is_spanish_in_a_spanish_form() -> None:
    header = (*SURVEY, "relevant")
    form = form_of(
        header, ("select_one si_no or_other", "luz", "¿Hay luz en su casa?", ""), (*GOOD, "${luz_other} = ''")
    )
    assert [(choice.name, dict(choice.label)) for choice in form.lists["si_no"]][-1] == (
        "other",
        {"": "Otra respuesta"},
    )
    other = form.question("/data/luz_other")
    assert dict(other.label) == {"": "Diga cuál."} and form.pages.index(("/data/luz_other",)) == 1
    filling = Filling(form, NOW)
    assert not filling.relevant["/data/luz_other"]
    filling.set("/data/luz", "other")
    assert filling.relevant["/data/luz_other"]


def test_or_other_is_written_in_each_language_of_the_form() -> None:
    header = ("type", "name", "label::Español (es)", "label::English (en)")
    lists = table("choices", ("list_name", "name", "label::Español (es)", "label::English (en)"), ("l", "a", "A", "A"))
    form = form_of(header, ("select_multiple l or_other", "x", "¿Cuál?", "Which?"), choices=lists)
    label = form.lists["l"][-1].label
    assert (text_in(label, "Español (es)", form), text_in(label, "English (en)", form)) == ("Otra respuesta", "Other")
    asked = form.question("/data/x_other").label
    assert (text_in(asked, "Español (es)", form), text_in(asked, "English (en)", form)) == (
        "Diga cuál.",
        "Specify other.",
    )


def test_or_other_is_english_in_an_english_form_and_keeps_a_choice_of_the_author() -> None:
    lists = choices(("l", "a", "A"), ("l", "other", "None of these"))
    form = form_of(SURVEY, ("select_one l or_other", "x", "Which of these is nearest to you?"), choices=lists)
    assert [dict(choice.label)[""] for choice in form.lists["l"]] == ["A", "None of these"]
    assert dict(form.question("/data/x_other").label) == {"": "Specify other."}


def test_rows_after_or_other_keep_their_numbers() -> None:
    header = (*SURVEY, "relevant", "parameters")
    rows = [("select_one si_no or_other", "a", "¿A?", "", ""), ("select_one si_no or_other", "b", "¿B?", "", "")]
    found = findings(header, *rows, ("text", "c", "¿C?", "foo(1)", ""), ("range", "d", "¿D?", "", "start=x"))
    assert [finding.row for finding in found if finding.severity == "error"] == [4, 5]


def test_or_other_is_refused_where_it_cannot_work() -> None:
    header = (*SURVEY, "choice_filter")
    found = findings(header, ("select_one si_no or_other", "a", "¿A?", "name != 'x'"))
    assert at(found, 2, "choice_filter").code == "or_other_filter"
    found = findings(SURVEY, ("select_one si_no or_other", "a", "¿A?"), ("text", "a_other", "¿Otra?"))
    assert at(found, 2, "type").code == "or_other_name"


# --- small mendings


def test_a_column_for_entities_is_left_out_with_a_warning() -> None:
    found = findings((*SURVEY, "save_to"), (*GOOD, "idea"))
    assert errors(found) == [] and at(found, 1, "save_to").code == "column_left_out"


@pytest.mark.parametrize(("word", "meant"), [("sí", True), ("Si", True), ("T", True), ("n", False)])
def test_required_written_as_a_word_of_ours_is_understood_and_said(word: str, meant: bool) -> None:
    sheet = table("survey", (*SURVEY, "required"), (*GOOD, word)) + SETTINGS
    said = steps(sheet)
    assert at(found_in(said), 2, "required").code == "yes_word"
    assert Filling(form_from_json(said[-1]["form"]), NOW).is_required("/data/idea") is meant


def test_a_filter_by_a_column_that_no_row_fills_is_a_warning() -> None:
    found = findings((*SURVEY, "choice_filter"), ("select_one si_no", "x", "¿Sí?", "zona = 'a'"))
    assert errors(found) == [] and at(found, 2, "choice_filter").code == "list_column_missing"


def test_a_group_may_depend_on_a_value_in_it_that_never_changes() -> None:
    header = (*SURVEY, "relevant", "default")
    rows = [
        ("begin_group", "datos", "Datos", "./fuente = 'campo'", ""), ("hidden", "fuente", "", "", "campo"),
        (*GOOD, "", ""), ("end_group", "", "", "", ""),
    ]  # fmt: skip
    assert Filling(form_of(header, *rows), NOW).relevant["/data/datos/idea"]
    rows[1] = ("text", "fuente", "¿Cuál?", "", "campo")
    assert errors(findings(header, *rows)) == [(2, "relevant")]
    hidden = [(*row, "hidden" if row[1] == "fuente" else "") for row in rows]
    assert Filling(form_of((*header, "appearance"), *hidden), NOW).relevant["/data/datos/idea"]


def test_a_calculation_that_is_its_own_question_keeps_what_is_there() -> None:
    form = form_of((*SURVEY, "calculation", "default"), (*GOOD, "", ""), ("text", "x", "¿X?", ".", "a"))
    filling = Filling(form, NOW)
    assert filling.raw["/data/x"] == "a"


@pytest.mark.parametrize("name", [name for name in PAGE_NAMES if name != "__proto__"])
def test_a_name_that_the_page_needs_is_refused(name: str) -> None:
    assert at(findings(SURVEY, ("text", name, "¿Qué?")), 2, "name").code == "name_of_page"


def test_a_form_that_only_calculates_can_be_published_with_a_warning() -> None:
    found = findings((*SURVEY, "calculation"), ("calculate", "x", "", "1 + 1"))
    assert [(finding.code, finding.severity) for finding in found] == [("nothing_asked", "warning")]


def test_a_survey_sheet_without_rows_is_refused() -> None:
    assert [finding.code for finding in findings(SURVEY) if finding.severity == "error"] == ["no_questions"]


# --- no bind is lost

FULL = table(
    "survey",
    (*SURVEY, "relevant", "required", "read_only", "constraint", "calculation", "repeat_count", "trigger", "default"),
    ("start", "inicio", "", "", "", "", "", "", "", "", ""),
    ("begin_group", "g", "G", "${a} = ''", "", "yes", "", "", "", "", ""),
    ("integer", "b", "¿B?", "1 = 1", "${a} = 'x'", "no", ". > 0", "", "", "", ""),
    ("end_group", "", "", "", "", "", "", "", "", "", ""),
    ("text", "a", "¿A?", "", "yes", "", "regex(., '^x$')", "", "", "", "today()"),
    ("begin_repeat", "r", "R", "${a} != ''", "", "no", "", "", "1 + 1", "", ""),
    ("calculate", "c", "", "", "", "", "", "position(..)", "", "", ""),
    ("select_one si_no or_other", "d", "¿D?", "${c} = 1", "no", "", "", "", "", "", ""),
    ("end_repeat", "", "", "", "", "", "", "", "", "", ""),
    ("text", "e", "¿E?", "", "", "", "", "now()", "", "${a}", ""),
)


def rules_in(xform: str) -> list[tuple[Element, str]]:
    """Return each bind of an XForm with each rule on it."""
    binds = [element for element in SafeXml.fromstring(xform).iter() if str(element.tag).endswith("}bind")]
    return [(bind, name) for bind in binds for name in RULES if bind.get(name)]


def test_every_rule_of_a_full_form_is_in_its_form() -> None:
    said = steps(FULL + CHOICES + SETTINGS)[-1]
    form = form_from_json(said["form"])
    assert len(rules_in(said["xform"])) >= 15
    assert list(bind_problems(said["xform"], form)) == []
    assert list(bind_problems(household_xml(), read_xform(household_xml()))) == []


def test_a_rule_that_the_form_does_not_hold_is_always_found() -> None:
    """Each rule is given to a form read without it: the check must see every single one missing."""
    xform = str(steps(FULL + CHOICES + SETTINGS)[-1]["xform"])
    for bind, name in rules_in(xform):
        if bind.get("nodeset") == "/data/meta/instanceID":
            continue
        written = re.compile(rf'(<bind nodeset="{re.escape(str(bind.get("nodeset")))}"[^>]*?) {name}="[^"]*"')
        without = written.sub(r"\1", xform, count=1)
        assert without != xform
        found = {(each.path, each.property, each.code) for each in bind_problems(xform, read_xform(without))}
        assert (bind.get("nodeset"), name, "bind_dropped") in found, (bind.attrib, name)


def test_a_rule_that_means_nothing_on_a_group_is_said() -> None:
    rows = [("begin_group", "g", "G", "yes"), (*GOOD, ""), ("end_group", "", "", "")]
    found = findings((*SURVEY, "required"), *rows)
    assert errors(found) == [] and at(found, 2, "required").code == "group_rule"


def test_a_rule_about_nothing_is_said() -> None:
    xform = household_xml().replace("<bind ", '<bind nodeset="/data/nadie" required="true()"/><bind ', 1)
    form: Form = read_xform(xform)
    assert [(each.path, each.code) for each in bind_problems(xform, form)] == [("/data/nadie", "bind_nowhere")]
