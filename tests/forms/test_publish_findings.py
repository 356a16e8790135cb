"""Publishing says everything that is wrong with a form at once, each finding with sheet, row and column."""

import pytest

from collector.forms.model import form_from_json
from tests.forms.sheet_findings import GOOD, SETTINGS, SURVEY, at, choices, errors, findings, found_in, steps, table

# --- types


@pytest.mark.parametrize(
    ("written", "part"),
    [
        ("osm", "no se puede publicar"),
        ("select_one_external pueblos", "no se puede publicar"),
        ("begin loop over si_no", "no se puede publicar"),
        ("begin_kobomatrix", "no se puede publicar"),
        ("db:person", "no se puede publicar"),
        ("text audit", "no se puede publicar"),
        ("adivinanza", "no existe"),
        ("Text", "no existe"),
    ],
)
def test_a_type_outside_the_list_is_refused_by_name(written: str, part: str) -> None:
    closing = ((" ".join(written.replace("begin", "end").split()[:2]), "", ""),) if written.startswith("begin") else ()
    found = findings(SURVEY, GOOD, (written, "x", "¿Y esto?"), *closing)
    refused = at(found, 3, "type")
    assert (refused.severity, refused.cell) == ("error", written)
    assert part in refused.message
    assert refused.hint and refused.message_en and refused.hint_en


def test_a_mistyped_type_gets_the_near_one_as_hint() -> None:
    assert "¿Quiso decir integer?" in at(findings(SURVEY, ("intger", "x", "¿Cuántos?")), 2, "type").hint


@pytest.mark.parametrize("written", ["username", "phonenumber", "email", "simserial", "subscriberid", "imei", "audit"])
def test_a_metadata_type_is_accepted_with_a_warning(written: str) -> None:
    found = findings(SURVEY, GOOD, (written, "audit" if written == "audit" else "meta_x", ""))
    assert errors(found) == []
    assert at(found, 3, "type").severity == "warning"


def test_a_group_may_be_written_with_a_blank() -> None:
    assert errors(findings(SURVEY, ("begin group", "g", "Casa"), GOOD, ("end group", "", ""))) == []


def test_a_list_that_is_not_there_is_named_with_the_near_one() -> None:
    found = at(findings(SURVEY, ("select_one sino", "x", "¿Sí?")), 2, "type")
    assert "«sino»" in found.message and "¿Quiso decir si_no?" in found.hint


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("select_one", "list_missing"),
        ("select_one si_no algo", "list_two"),
        ("select_one_from_file lugares.txt", "list_file_ending"),
        ("rank si_no or_other", "or_other_list"),
        ("select_one_from_file lugares.csv or_other", "or_other_list"),
        ("select_one ${nada}", "reference_unknown"),
    ],
)
def test_a_select_that_is_badly_written_is_refused_at_its_cell(written: str, code: str) -> None:
    files = {"lugares.csv": b"name,label\na,A\n"}
    found = findings(SURVEY, (written, "x", "¿Cuál?"), files=files)
    assert at([each for each in found if each.severity == "error"], 2, "type").code == code


# --- names, nesting, texts


def test_names_are_checked_for_being_there_well_written_and_single() -> None:
    rows = [("text", "", "¿Uno?"), ("text", "1 año", "¿Dos?"), GOOD, GOOD, ("text", "meta", "¿Tres?")]
    found = findings(SURVEY, *rows)
    assert errors(found) == [(2, "name"), (3, "name"), (5, "name"), (6, "name")]
    assert "p1_año" in at(found, 3, "name").hint
    assert "fila 4" in at(found, 5, "name").message


def test_the_same_name_in_two_groups_is_fine_until_it_is_referred_to() -> None:
    header = (*SURVEY, "relevant")
    groups = [
        ("begin_group", "a", "A", ""), ("text", "idea", "¿Qué?", ""), ("end_group", "", "", ""),
        ("begin_group", "b", "B", ""), ("text", "idea", "¿Qué?", ""), ("end_group", "", "", ""),
    ]  # fmt: skip
    assert errors(findings(header, *groups)) == []
    found = findings(header, *groups, ("text", "mas", "¿Más?", "${idea} != ''"))
    assert "3, 6" in at(found, 8, "relevant").message


def test_begin_and_end_that_do_not_match_are_found_on_their_rows() -> None:
    found = findings(SURVEY, ("end_group", "", ""), ("begin_group", "g", "Casa"), GOOD)
    assert errors(found) == [(2, "type"), (3, "type")]


def test_a_question_without_text_and_a_calculation_without_formula_are_found() -> None:
    found = findings((*SURVEY, "calculation"), ("text", "idea", "", ""), ("calculate", "suma", "", ""))
    assert errors(found) == [(2, "label"), (3, "calculation")]


def test_a_missing_translation_names_column_and_rows() -> None:
    header = ("type", "name", "label::Español (es)", "label::English (en)")
    found = findings(header, ("text", "a", "¿Uno?", "One?"), ("text", "b", "¿Dos?", ""), ("text", "c", "¿Tres?", ""))
    missing = at(found, 3, "label::English (en)")
    assert missing.severity == "warning" and "3, 4" in missing.message and errors(found) == []


# --- expressions


@pytest.mark.parametrize("column", ["relevant", "constraint", "calculation", "required", "read_only", "choice_filter"])
def test_a_reference_to_no_question_is_found_in_every_expression_column(column: str) -> None:
    found = findings(
        (*SURVEY, column),
        ("integer", "edad_anios", "¿Edad?", ""),
        ("select_one si_no", "x", "¿Sí?", "${edad_anio} > 1"),
    )
    wrong = at(found, 3, column)
    assert "${edad_anio}" in wrong.message and "¿Quiso decir edad_anios?" in wrong.hint


def test_the_header_is_named_as_its_author_wrote_it() -> None:
    found = findings(("Type", "Name", "Label", "Relevance"), ("text", "x", "¿Sí?", "${nada} = 1"))
    assert errors(found) == [(2, "Relevance")]


def test_an_expression_error_keeps_its_caret_under_the_authors_text() -> None:
    rows = [("integer", "edad", "¿Edad?", ""), ("text", "x", "¿Sí?", "${edad} > 1 and duration(${edad}) > 3")]
    wrong = at(findings((*SURVEY, "relevant"), *rows), 3, "relevant")
    _, expression, caret = wrong.message.splitlines()
    assert expression == "${edad} > 1 and duration(${edad}) > 3"
    assert expression[caret.index("^") :].startswith("duration(")


def test_a_broken_reference_is_refused_and_the_last_submission_is_empty_with_a_warning() -> None:
    found = findings((*SURVEY, "relevant"), (*GOOD, "${ idea } = 1"), ("text", "y", "¿Y?", "${last-saved#idea} = 1"))
    assert errors(found) == [(2, "relevant")]
    assert at(found, 3, "relevant").code == "last_saved"


@pytest.mark.parametrize("value", ["${idea}", "today()", "2 + 1"])
def test_a_default_may_be_a_calculation_and_its_errors_are_found(value: str) -> None:
    rows = [(*GOOD, ""), ("text", "y", "¿Y?", value), ("text", "z", "¿Z?", f"foo({value})")]
    assert errors(findings((*SURVEY, "default"), *rows)) == [(4, "default")]


def test_a_fixed_default_is_accepted() -> None:
    found = findings((*SURVEY, "default"), ("text", "y", "¿Y?", "Panamá (capital)"), ("date", "d", "¿D?", "2026-11-21"))
    assert errors(found) == []


# --- columns


@pytest.mark.parametrize(("column", "cell"), [("intent", "org.app(a='b')"), ("query", "x = 1")])
def test_a_column_that_needs_another_application_is_refused_where_it_is_used(column: str, cell: str) -> None:
    found = findings((*SURVEY, column), (*GOOD, ""), ("text", "y", "¿Y?", cell))
    assert errors(found) == [(3, column)]


def test_an_unknown_column_is_one_line_of_information() -> None:
    found = findings((*SURVEY, "nota interna", "autoplay"), (*GOOD, "a", "audio"), ("text", "y", "¿Y?", "b", ""))
    assert [(f.severity, f.row, f.column) for f in found] == [("info", 1, "nota interna"), ("info", 1, "autoplay")]


def test_two_columns_for_one_thing_are_refused() -> None:
    found = findings((*SURVEY, "relevant", "Relevance"), (*GOOD, "true()", "false()"))
    assert errors(found) == [(1, "Relevance")]


def test_search_is_refused_and_an_unknown_appearance_is_information() -> None:
    rows = [("select_one si_no", "x", "¿Sí?", "search('a')"), (*GOOD, "brillante"), ("text", "y", "¿Y?", "multiline")]
    found = findings((*SURVEY, "appearance"), *rows)
    assert errors(found) == [(2, "appearance")]
    assert at(found, 3, "appearance").severity == "info" and len(found) == 2


def test_an_appearance_that_is_not_known_is_named_once() -> None:
    rows = [(*GOOD, "brillante"), ("text", "y", "¿Y?", "brillante w1"), ("text", "z", "¿Z?", "columns-3 no-calendar")]
    found = findings((*SURVEY, "appearance"), *rows)
    assert [(f.code, f.row) for f in found] == [("appearance_unknown", 2)]


def test_an_error_of_excel_in_a_cell_is_found() -> None:
    assert errors(findings(SURVEY, ("text", "x", "#REF!"))) == [(2, "label")]


# --- choices and settings


def test_choices_without_name_twice_or_without_text_are_found_on_their_rows() -> None:
    rows = choices(("l", "a", "A"), ("l", "", "B"), ("l", "a", "C"), ("l", "d", ""))
    found = findings(SURVEY, ("select_one l", "x", "¿Cuál?"), choices=rows)
    places = [(f.severity, f.row, f.column) for f in found]
    assert places == [("error", 3, "name"), ("error", 4, "name"), ("warning", 5, "label")]


def test_a_choice_with_a_blank_is_a_warning_for_one_and_an_error_for_several() -> None:
    rows = choices(("l", "a b", "A"), ("l", "c", "C"))
    one = at(findings(SURVEY, ("select_one l", "x", "¿Cuál?"), choices=rows), 2, "name", "choices")
    several = at(findings(SURVEY, ("select_multiple l", "x", "¿Cuáles?"), choices=rows), 2, "name", "choices")
    assert (one.severity, several.severity) == ("warning", "error")
    assert "a_b" in several.hint


def test_repeated_choices_are_accepted_where_the_author_allows_them() -> None:
    rows = choices(("l", "a", "A"), ("l", "a", "B"))
    allowed = table("settings", ("form_id", "version", "allow_choice_duplicates"), ("f", "1", "yes"))
    assert errors(findings(SURVEY, ("select_one l", "x", "¿Cuál?"), choices=rows, settings=allowed)) == []


@pytest.mark.parametrize(
    ("form_id", "used"),
    [
        ("una encuesta", "una_encuesta"),
        ("a/b", "a_b"),
        ("ficha.xlsx", "ficha"),
        ("x" * 250, "x" * 249),
        ("..", "formulario"),
    ],
)
def test_a_form_id_that_cannot_be_an_address_is_mended_and_said(form_id: str, used: str) -> None:
    said = steps(table("survey", SURVEY, GOOD) + table("settings", ("form_id", "version"), (form_id, "1")))
    assert at(found_in(said), 2, "form_id", "settings").severity == "warning"
    assert form_from_json(said[-1]["form"]).form_id == used


def test_a_version_with_a_slash_is_mended_and_said() -> None:
    said = steps(table("survey", SURVEY, GOOD) + table("settings", ("form_id", "version"), ("f", "21/11/2026")))
    assert at(found_in(said), 2, "version", "settings").code == "version_bad"
    assert form_from_json(said[-1]["form"]).version == "21-11-2026"


@pytest.mark.parametrize("version", ["..", "current"])
def test_a_version_that_leads_elsewhere_is_refused_at_its_cell(version: str) -> None:
    found = findings(SURVEY, GOOD, settings=table("settings", ("form_id", "version"), ("f", version)))
    assert [(each.sheet, each.row, each.column) for each in found] == [("settings", 2, "version")]


def test_of_two_names_for_one_setting_the_first_counts() -> None:
    settings = table("settings", ("id_string", "form_id", "version"), ("uno", "dos", "1"))
    said = steps(table("survey", SURVEY, GOOD) + settings)
    assert at(found_in(said), 1, "form_id", "settings").severity == "warning"
    assert form_from_json(said[-1]["form"]).form_id == "uno"


def test_a_promise_of_encryption_is_refused_and_other_settings_are_information() -> None:
    header = ("form_id", "version", "public_key", "submission_url", "color")
    found = findings(SURVEY, GOOD, settings=table("settings", header, ("f", "1", "abc", "https://x.example", "azul")))
    assert [(f.severity, f.column) for f in found] == [
        ("error", "public_key"), ("info", "submission_url"), ("info", "color"),
    ]  # fmt: skip


def test_an_entities_sheet_is_refused() -> None:
    found = findings(SURVEY, GOOD, extra=table("entities", ("list_name", "label"), ("casas", "${idea}")))
    assert [finding.sheet for finding in found if finding.severity == "error"] == ["entities"]


# --- people


@pytest.mark.parametrize(
    ("name", "label"),
    [("cedula", "¿Cuál es?"), ("telefono_1", "¿Cuál es?"), ("p1", "Escriba su nombre completo"), ("p1", "Your e-mail")],
)
def test_a_question_for_personal_data_gets_a_warning(name: str, label: str) -> None:
    found = findings(SURVEY, ("text", name, label))
    assert [(f.severity, f.row) for f in found] == [("warning", 2)]
    assert "dato personal" in found[0].message


@pytest.mark.parametrize(("name", "label"), [("nombre_comunidad", "¿Qué comunidad?"), ("p1", "¿Confía en su alcalde?")])
def test_a_question_about_a_place_or_an_opinion_gets_none(name: str, label: str) -> None:
    assert findings(SURVEY, ("text", name, label)) == []


def test_a_sentence_that_is_hard_to_read_is_named_with_its_score() -> None:
    hard = (
        "¿Considera usted que la implementación de mecanismos interinstitucionales de participación ciudadana "
        "contribuye significativamente a la consolidación de la gobernanza democrática territorial?"
    )
    found = at(findings(SURVEY, ("text", "p1", hard)), 2, "label")
    assert found.severity == "warning" and "-" in found.message and "Fernández-Huerta" in found.message


# --- everything at once


def test_ten_errors_of_ten_kinds_are_reported_in_one_go() -> None:
    header = (*SURVEY, "relevant", "constraint", "calculation", "default", "appearance")
    rows = [
        ("osm", "lugar", "¿Dónde?", "", "", "", "", ""),
        ("select_one nada", "cual", "¿Cuál?", "", "", "", "", ""),
        ("text", "", "¿Sin nombre?", "", "", "", "", ""),
        ("text", "idea", "¿Qué?", "${edda} > 1", "", "", "", ""),
        ("integer", "edad", "¿Edad?", "", ". > and 3", "", "", ""),
        ("calculate", "c", "", "", "", "duration()", "", ""),
        ("text", "d", "¿Y?", "", "", "", "today(1)", ""),
        ("select_one si_no", "e", "¿Sí?", "", "", "", "", "search('x')"),
        ("text", "idea", "¿Otra vez?", "", "", "", "", ""),
        ("text", "f", "¿F?", "", "regex(., '(')", "", "", ""),
    ]
    assert errors(findings(header, *rows)) == [
        (2, "type"), (3, "type"), (4, "name"), (5, "relevant"), (6, "constraint"), (7, "calculation"), (8, "default"),
        (9, "appearance"), (10, "name"), (11, "constraint"),
    ]  # fmt: skip


def test_a_place_is_not_spoken_of_twice() -> None:
    found = findings((*SURVEY, "relevant"), (*GOOD, "${nada} = 1 and ${nadie} = 2"))
    assert errors(found) == [(2, "relevant")]


def test_errors_inside_and_about_a_repeat_are_found_beside_others() -> None:
    rows = [
        ("begin_repeat", "hijos", "Hijos", ""), ("integer", "edad", "¿Edad?", ". >"), ("end_repeat", "", "", ""),
        ("osm", "x", "¿Dónde?", ""), ("integer", "cuantos", "¿Cuántos?", "count(${hijos}) = fooo(1)"),
    ]  # fmt: skip
    assert errors(findings((*SURVEY, "constraint"), *rows)) == [(3, "constraint"), (5, "type"), (6, "constraint")]


def test_a_count_about_a_refused_loop_waits_for_the_next_try() -> None:
    rows = [
        ("begin loop over si_no", "hijos", "Hijos", ""), ("integer", "edad", "¿Edad?", ""), ("end loop", "", "", ""),
        ("integer", "cuantos", "¿Cuántos?", "count(${hijos}) = 1"),
    ]  # fmt: skip
    assert errors(findings((*SURVEY, "constraint"), *rows)) == [(2, "type")]


def test_what_pyxform_alone_finds_has_its_row_and_column() -> None:
    settings = table("settings", ("form_id", "version", "instance_name"), ("f", "1", "concat(${nada})"))
    found = findings(SURVEY, GOOD, settings=settings)
    assert [(f.severity, f.sheet, f.row) for f in found if f.severity == "error"] == [("error", "settings", 2)]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (("range", "x", "¿Cuánto?", "start=a"), "parameters_bad"),
        (("range", "x", "¿Cuánto?", "start"), "parameters_bad"),
        (("image", "x", "¿Foto?", "max-pixels=mucho"), "parameters_bad"),
        (("select_one si_no", "x", "¿Sí?", "randomize=tal vez"), "parameters_bad"),
        (("select_one si_no", "x", "¿Sí?", "randomize=true seed=algo"), "parameters_bad"),
        (("select_one si_no", "x", "¿Sí?", "seed=3"), "parameters_bad"),
        (("text", "x", "¿Qué?", "color=azul"), "parameters_bad"),
    ],
)
def test_a_parameter_that_pyxform_minds_is_found_at_its_cell(row: tuple[str, ...], code: str) -> None:
    found = findings((*SURVEY, "parameters"), (*GOOD, ""), row)
    assert at(found, 3, "parameters").code == code and errors(found) == [(3, "parameters")]


def test_two_sources_of_one_name_are_found_at_a_row() -> None:
    rows = [("select_one_from_file lugares.csv", "x", "¿Sí?"), ("select_one_from_file lugares.xml", "y", "¿No?")]
    files = {
        "lugares.csv": b"name,label\na,A\n",
        "lugares.xml": b"<root><item><name>a</name><label>A</label></item></root>",
    }
    found = [finding for finding in findings(SURVEY, *rows, files=files) if finding.severity == "error"]
    assert [(finding.code, finding.row, finding.column) for finding in found] == [("list_two_sources", 2, "type")]


def test_a_form_that_makes_pyxform_stop_with_a_bare_error_gives_a_finding() -> None:
    found = findings((*SURVEY, "bind::nodeset"), (*GOOD, "x"))
    assert any(f.severity == "error" and "TypeError" in f.message for f in found)


def test_a_clean_form_is_handed_on_and_one_with_errors_is_not() -> None:
    clean = steps(table("survey", SURVEY, GOOD) + SETTINGS)[-1]
    assert form_from_json(clean["form"]).question("/data/idea").label == {"": "¿Qué cambiaría?"}
    assert 'id="prueba"' in clean["xform"] and 'version="2026112101"' in clean["xform"]
    wrong = steps(table("survey", SURVEY, GOOD, ("osm", "x", "¿Dónde?")) + SETTINGS)
    assert not any("form" in step or "xform" in step for step in wrong)


def test_without_a_version_the_content_gives_one_that_changes_with_it() -> None:
    said = [steps(table("survey", SURVEY, ("text", "x", label)))[-1] for label in ("¿Uno?", "¿Uno?", "¿Dos?")]
    versions = [form_from_json(each["form"]).version for each in said]
    assert versions[0] == versions[1] != versions[2]
    assert len(versions[0]) == 10 and int(versions[0], 16) >= 0
    assert f'version="{versions[0]}"' in said[0]["xform"]


def test_without_a_form_id_the_files_name_is_used_and_said() -> None:
    said = steps(table("survey", SURVEY, GOOD), "Mi encuesta 3.md")
    assert said[0]["form_id"] == "Mi_encuesta_3"
    assert form_from_json(said[-1]["form"]).form_id == "Mi_encuesta_3"
    assert any("Mi_encuesta_3" in each["message"] for each in said[0]["findings"])
