"""Warnings that matter to people: misleading conditions, loose patterns, personal data, missing languages; and few."""

import pytest

from tests.forms.sheet_findings import GOOD, SETTINGS, SURVEY, Row, at, choices, codes, errors, findings

LOGIC = (*SURVEY, "relevant", "constraint", "required")


def with_logic(relevant: str = "", constraint: str = "", required: str = "") -> list[tuple[str, int | None, str]]:
    """Return the warnings on a question with these rules."""
    rows = [(*GOOD, "", "", ""), ("text", "x", "¿Qué más?", relevant, constraint, required)]
    found = findings(LOGIC, *rows)
    assert errors(found) == []
    return codes(found)


# --- conditions


@pytest.mark.parametrize(
    "condition", ["${idea}", "not(${idea})", "${idea} and 1 = 1", "1 = 2 or ( ${idea} )", "not(1 = 1 and ${idea})"]
)
def test_a_condition_that_is_just_a_question_gets_a_warning(condition: str) -> None:
    assert with_logic(relevant=condition) == [("bare_condition", 3, "relevant")]
    assert with_logic(required=condition) == [("bare_condition", 3, "required")]


@pytest.mark.parametrize(
    "condition",
    ["${idea} = 'a'", "${idea} != ''", "selected(${idea}, 'a')", "${idea} = true()", "boolean(${idea})", "true()",
     "if(${idea} = 'a', true(), false())", "string-length(${idea}) > 3"],
)  # fmt: skip
def test_a_condition_that_compares_gets_none(condition: str) -> None:
    assert with_logic(relevant=condition) == []


def test_the_warning_names_the_question_and_what_to_write() -> None:
    found = findings((*SURVEY, "relevant"), (*GOOD, ""), ("begin_group", "g", "G", "${idea}"),
                     ("text", "x", "¿X?", ""), ("end_group", "", "", ""))  # fmt: skip
    said = at(found, 3, "relevant")
    assert "${idea}" in said.message and "${idea} = 'si'" in said.hint and "${idea} = 'yes'" in said.hint_en


# --- patterns


@pytest.mark.parametrize(
    ("pattern", "is_loose"),
    [("[0-9]{4}", True), ("^[0-9]{4}", True), ("[0-9]{4}$", True), ("^[0-9]{4}$", False), ("^(a|b)$", False)],
)
def test_a_pattern_that_is_not_anchored_gets_a_warning(pattern: str, is_loose: bool) -> None:
    expected = [("regex_loose", 3, "constraint")] if is_loose else []
    assert with_logic(constraint=f"regex(., '{pattern}')") == expected


def test_a_pattern_in_a_relevant_may_look_for_a_part() -> None:
    assert with_logic(relevant="regex(${idea}, 'agua')") == []


# --- people


@pytest.mark.parametrize(
    ("kind", "name", "label"),
    [
        ("text", "nombre_completo", "¿Cuál?"), ("integer", "cedula", "¿Cuál?"), ("text", "phone_number", "Which?"),
        ("text", "p1", "Número de teléfono"), ("text", "p1", "What is your e-mail?"), ("text", "p1", "Su dirección"),
        ("text", "p1", "Respondent's name"), ("date", "p1", "Fecha de nacimiento"), ("geopoint", "p1", "¿Dónde vive?"),
        ("geoshape", "p1", "Su finca"), ("start-geopoint", "p1", ""), ("barcode", "dni", "¿Cuál?"),
        ("text", "gps", "¿Dónde?"),
    ],
)  # fmt: skip
def test_a_question_for_a_personal_fact_gets_one_warning(kind: str, name: str, label: str) -> None:
    found = findings(SURVEY, GOOD, (kind, name, label))
    said = [finding for finding in found if finding.code == "personal"]
    assert len(said) == 1 and said[0].row == 3 and "quítela" in said[0].hint and "remove it" in said[0].hint_en


@pytest.mark.parametrize(
    ("kind", "name", "label"),
    [
        ("text", "nombre_escuela", "¿Qué escuela?"), ("text", "p1", "¿Cuál es el nombre del río?"),
        ("select_one si_no", "telefono", "¿Hay teléfono en la comunidad?"), ("integer", "edad", "¿Cuántos años tiene?"),
        ("note", "cedula", "No pedimos su cédula."), ("text", "school_name", "Name of the school"),
    ],
)  # fmt: skip
def test_a_question_about_other_things_gets_none(kind: str, name: str, label: str) -> None:
    assert [finding for finding in findings(SURVEY, GOOD, (kind, name, label)) if finding.code == "personal"] == []


# --- languages and choices


def test_missing_translations_are_counted_by_language_and_column() -> None:
    header = ("type", "name", "label::Español (es)", "label::Ngäbere (gym)", "hint::Español (es)")
    rows: list[Row] = [("text", f"p{number}", "¿Uno?", "", "Diga") for number in range(2, 32)]
    found = findings(header, *rows)
    missing = at(found, 2, "label::Ngäbere (gym)")
    assert "en 30 fila(s): 2, 3" in missing.message and "…" in missing.message
    assert at(found, 2, "hint::Ngäbere (gym)").code == "translation_missing" and len(found) == 2


def test_choice_names_with_blanks_are_a_warning_for_one_answer_and_an_error_for_a_rank() -> None:
    lists = choices(("l", "a b", "A"), ("l", "c", "C"))
    assert at(findings(SURVEY, ("select_one l", "x", "¿X?"), choices=lists), 2, "name", "choices").severity == "warning"
    assert at(findings(SURVEY, ("rank l", "x", "¿X?"), choices=lists), 2, "name", "choices").severity == "error"


def test_a_large_form_is_not_drowned_in_warnings() -> None:
    rows: list[Row] = [("text", f"cedula_{number}", "¿Cuál?", "${idea}") for number in range(60)]
    found = findings((*SURVEY, "relevant"), (*GOOD, ""), *rows, settings=SETTINGS)
    assert len(found) == 2 * 21
    assert sum("40 líneas más" in finding.message for finding in found) == 2
