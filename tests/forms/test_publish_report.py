"""The report reads well, in both languages, and readability counts as Spanish does."""

from pathlib import Path
from string import Formatter

import pytest

from collector.forms import support
from collector.forms.placing import authored
from collector.forms.readability import fernandez_huerta, is_spanish, syllables
from collector.forms.report import (
    Finding,
    FormErrors,
    FormProblem,
    Report,
    finding_from_json,
    finding_to_json,
    order_findings,
)
from collector.forms.sentences import SENTENCES, say
from collector.forms.sheets import columns_of, row_type

CARET = Finding(
    "error", "survey", 24, "relevant", "duration() > 3", "La función no se admite.\nduration() > 3\n^",
    "Reste dos horas.", "No such function.\nduration() > 3\n^", "Subtract two times.",
)  # fmt: skip


def test_the_terminal_text_has_place_cell_caret_and_hint() -> None:
    report = Report("f", "1", (CARET, say("too_big", size=50, limit=20)), 3)
    assert report.text().splitlines() == [
        "Errores: hay que corregirlos (2)",
        "",
        "  survey, fila 24, columna relevant: «duration() > 3»",
        "    La función no se admite.",
        "    duration() > 3",
        "    ^",
        "    Qué hacer: Reste dos horas.",
        "",
        "  archivo",
        "    El archivo pesa 50 MB y el límite es 20 MB. No se abrió.",
        "    Qué hacer: Quite imágenes y hojas que no son del formulario y guarde otra vez.",
    ]
    assert "survey, row 24, column relevant" in report.text("en") and "Subtract two times." in report.text("en")


def test_a_clean_report_says_so() -> None:
    assert Report("f", "1", (), 3).text() == "Sin problemas."
    assert Report("f", "1", (), 3).text("en") == "No problems."


def test_findings_go_errors_first_and_by_sheet_and_row() -> None:
    def at(severity: str, sheet: str, row: int) -> Finding:
        return finding_from_json({**finding_to_json(CARET), "severity": severity, "sheet": sheet, "row": row})

    given = [at("info", "survey", 1), at("error", "choices", 2), at("warning", "survey", 5), at("error", "survey", 9)]
    assert [(f.severity, f.row) for f in order_findings(given)] == [
        ("error", 9), ("error", 2), ("warning", 5), ("info", 1),
    ]  # fmt: skip


def test_a_warning_where_an_error_stands_already_is_left_out() -> None:
    warning = finding_from_json({**finding_to_json(CARET), "severity": "warning", "message": "Otra cosa."})
    assert order_findings([CARET, warning, CARET]) == (CARET,)


def test_form_errors_say_all_their_problems() -> None:
    problems = [FormProblem("/data/a", "relevant", "Uno.", ""), FormProblem("", "settings", "Dos.", "")]
    assert "Uno." in str(FormErrors(problems)) and "Dos." in str(FormErrors(problems))


@pytest.mark.parametrize("code", SENTENCES)
def test_every_sentence_is_there_in_both_languages_with_the_same_values(code: str) -> None:
    def values(text: str) -> set[str]:
        names = {name for _, name, _, _ in Formatter().parse(text) if name}
        return {name.removesuffix("_en") for name in names}

    sentence = SENTENCES[code]
    assert sentence.es and sentence.en
    assert values(sentence.es) == values(sentence.en)
    assert values(sentence.hint_es) == values(sentence.hint_en)
    assert bool(sentence.hint_es) or sentence.severity != "error"


def warning(row: int, code: str = "hard_to_read") -> Finding:
    return say(code, sheet="survey", row=row, column="label", cell="x", score=row, name="x", what="", what_en="")


def test_warnings_of_one_kind_are_told_twenty_times_and_then_counted() -> None:
    given = [warning(row) for row in range(2, 60)] + [warning(7, "personal")]
    found = order_findings(given)
    assert [finding.row for finding in found if finding.code == "hard_to_read"] == [*range(2, 22), 22]
    rest = next(finding for finding in found if finding.row == 22)
    assert "38 líneas más como la de survey, fila 2, columna label" in rest.message
    assert "survey, row 23, column label" in rest.message_en and rest.hint == found[0].hint
    assert any(finding.code == "personal" for finding in found)


def test_errors_are_all_told_one_by_one() -> None:
    given = [say("name_reserved", sheet="survey", row=row, column="name", cell="meta") for row in range(2, 90)]
    assert len(order_findings(given)) == 88


def test_a_cell_gets_one_line_of_a_kind() -> None:
    again = finding_from_json({**finding_to_json(warning(3)), "message": "Otra vez."})
    assert order_findings([warning(3), again, warning(4)]) == (warning(3), warning(4))


# --- carets


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            "No.\n /data/edad  > 1 and duration()\n                   ^",
            "No.\n${edad} > 1 and duration()\n              ^",
        ),
        ("No.\nfoo( /data/g/a , 2)\n^", "No.\nfoo(${a}, 2)\n^"),
        ("No.\n1 +  /data/g/a  +\n                 ^", "No.\n1 + ${a} +\n          ^"),
        ("No.\n1 >  /data/g/a \n     ^", "No.\n1 > ${a}\n    ^"),
        ("El formulario no tiene la pregunta /data/T.", "El formulario no tiene la pregunta ${T}."),
    ],
)
def test_a_caret_moves_with_the_names_put_back(given: str, expected: str) -> None:
    assert authored(given) == expected


# --- sheets


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("label::Español (es)", ("label", "Español (es)")),
        ("Relevance", ("relevant", "")),
        ("bind::jr:constraintMsg", ("constraint_message", "")),
        ("media::image::English (en)", ("image", "English (en)")),
        ("Required Message::English", ("required_message", "English")),
        ("list name", ("list_name", "")),
    ],
)
def test_headers_are_understood_however_they_are_written(header: str, expected: tuple[str, str]) -> None:
    (column,) = columns_of([header], "survey")
    assert (column.name, column.language) == expected and column.header == header


def test_a_choices_column_named_tag_stays_a_filter_column() -> None:
    assert [column.name for column in columns_of(["list_name", "name", "tag"], "choices")] == [
        "list_name",
        "name",
        "tag",
    ]


def test_old_forms_write_languages_with_one_colon() -> None:
    assert [(c.name, c.language) for c in columns_of(["label:English", "hint:English"], "survey")] == [
        ("label", "English"),
        ("hint", "English"),
    ]


def test_type_cells_are_understood_with_blanks_or_underscores() -> None:
    assert row_type("select  one  si_no") == row_type("select one si_no")
    assert row_type("select_multiple from lista").list_name == "from"
    assert (row_type("begin group").word, row_type("end_lgroup").word) == ("begin_group", "end_repeat")


def test_the_docs_name_everything_that_is_supported_or_refused() -> None:
    page = (Path(__file__).parents[2] / "docs" / "publishing.md").read_text("utf-8")
    lists = (
        support.ANSWER_TYPES, support.SELECT_TYPES, support.FILE_SELECT_TYPES, support.DATA_TYPES, support.CLOCK_TYPES,
        support.PLACE_TYPES, support.SILENT_TYPES, support.IGNORED_TYPES, support.REFUSED_TYPES,
        support.REFUSED_PREFIXES, support.SURVEY_COLUMNS, support.REFUSED_COLUMNS, support.UNUSED_COLUMNS,
        support.WARNED_COLUMNS, support.SETTINGS, support.UNUSED_SETTINGS, support.APPEARANCES,
        support.DEGRADED_APPEARANCES,
    )  # fmt: skip
    said = [name for names in lists for name in names if f"`{name}`" in page or f"`{name} " in page]
    assert [name for names in lists for name in names if name not in said] == []


# --- readability


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("casa", 2), ("país", 2), ("aéreo", 4), ("ciudad", 2), ("guerra", 2), ("pingüino", 3), ("hay", 1),
        ("recolección", 4), ("leer", 2), ("quien", 1), ("agua", 2), ("y", 1), ("río", 2), ("huevo", 2), ("Ngäbe", 2),
    ],
)  # fmt: skip
def test_syllables_are_counted_as_in_spanish(word: str, count: int) -> None:
    assert syllables(word) == count


def test_the_score_follows_the_formula() -> None:
    text = "La casa de mi madre es azul. Vivo en ella."  # 10 words, 15 syllables, 2 sentences
    assert fernandez_huerta(text) == pytest.approx(206.84 - 60 * 1.5 - 1.02 * 5)


def test_a_text_of_few_words_has_no_score() -> None:
    assert fernandez_huerta("Institucionalidad gubernamental") is None


def test_english_is_not_scored_as_spanish() -> None:
    assert is_spanish("Español (es)", "") and not is_spanish("English (en)", "la de el que")
    assert is_spanish("", "¿Cómo llega el agua a su casa?")
    assert not is_spanish("", "How does the water arrive at your home?")
