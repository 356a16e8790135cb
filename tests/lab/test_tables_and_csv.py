"""A form as columns, and the CSV that comes of them."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.forms.model import Form
from collector.lab.csv import CsvRecord, Layout, csv_lines, header, split_choices
from collector.lab.tables import Column, shown, tables_of, typed, wider
from tests.forms.sheet_findings import SURVEY, choices, form_of
from tests.lab.test_charts import make_form

OLD = make_form("1", ("g/edad", "integer", ()), ("nota", "note", ()), ("temas", "select_multiple", ("agua", "luz")))
NEW = make_form(
    "2",
    ("nueva", "text", ()),
    ("g/edad", "decimal", ()),
    ("temas", "select_multiple", ("agua", "caminos")),
    ("g2/h/x", "text", ()),
)


def columns_of(*forms: Form) -> tuple[Column, ...]:
    return tables_of(forms).columns


def record(**answers: str) -> CsvRecord:
    content: dict[str, Any] = {
        "id": "i1", "version": "2", "started": "s", "finished": "f", "lang": "es",
        "answers": {key.replace("__", "/"): value for key, value in answers.items()},
    }  # fmt: skip
    return CsvRecord(content, "2026-11-20T15:00:00.000Z", "nodo1")


def read(layout: Layout, *records: CsvRecord) -> list[dict[str, str]]:
    text = "".join(csv_lines(layout, records)).removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_columns_stand_in_the_order_of_the_newest_version_and_removed_ones_come_last() -> None:
    columns = columns_of(NEW, OLD)
    assert [(column.key, column.is_removed) for column in columns] == [
        ("g/edad", False), ("temas", False), ("nueva", True), ("g2/h/x", True),
    ]  # fmt: skip
    columns = columns_of(OLD, NEW)
    assert [(column.key, column.type) for column in columns] == [
        ("nueva", "TEXT"), ("g/edad", "REAL"), ("temas", "TEXT"), ("g2/h/x", "TEXT"),
    ]  # fmt: skip
    assert [choice.name for choice in columns[2].choices] == ["agua", "luz", "caminos"]


def test_labels_are_read_without_the_marks_that_authors_write_for_other_tools() -> None:
    listed = choices(("uso", "si", "**Sí**"), ("uso", "no", "<b>No</b>"))
    asked = ("integer", "edad", '**Edad** de <span style="color:red">usted</span>')
    form = form_of(SURVEY, asked, ("select_one uso", "usa", "# ¿La usa?"), choices=listed)
    age, use = tables_of([form]).columns
    assert (age.label(""), use.label("")) == ("Edad de usted", "¿La usa?")
    assert use.choice_labels("") == {"si": "Sí", "no": "No"}


def test_the_head_has_the_names_and_the_order_of_odk_central() -> None:
    assert header(Layout(tables_of([OLD, NEW]))) == [
        "SubmissionDate", "nueva", "g-edad", "temas", "g2-h-x", "meta-instanceID", "KEY", "SubmitterID",
        "SubmitterName", "AttachmentsPresent", "AttachmentsExpected", "Status", "ReviewState", "DeviceID", "Edits",
        "FormVersion",
    ]  # fmt: skip


def test_what_the_newest_version_does_not_ask_stands_after_the_instance_id() -> None:
    names = header(Layout(tables_of([NEW, OLD])))
    assert names[:6] == ["SubmissionDate", "g-edad", "temas", "meta-instanceID", "nueva", "g2-h-x"]


def test_a_row_names_its_record_its_node_and_its_version() -> None:
    row = read(Layout(tables_of([NEW])), record(g__edad="30"))[0]
    assert row["SubmissionDate"] == "2026-11-20T15:00:00.000Z"
    assert (row["KEY"], row["meta-instanceID"], row["DeviceID"], row["FormVersion"]) == (
        "uuid:i1",
        "uuid:i1",
        "nodo1",
        "2",
    )
    assert (row["g-edad"], row["temas"], row["Edits"], row["ReviewState"]) == ("30", "", "0", "")


def test_split_columns_hold_what_was_seen_sorted_by_code_point_with_zero_when_unanswered() -> None:
    columns = columns_of(NEW)
    split = {"temas": split_choices(columns[2], ["luz agua", "Zeta"])}
    layout = Layout(tables_of([NEW]), split)
    assert [name for name in header(layout) if name.startswith("temas")] == [
        "temas",
        "temas/Zeta",
        "temas/agua",
        "temas/luz",
    ]
    rows = read(layout, record(temas="agua luz"), record())
    assert [[row[f"temas/{name}"] for name in ("Zeta", "agua", "luz")] for row in rows] == [
        ["0", "1", "1"],
        ["0", "0", "0"],
    ]


def test_excel_gets_a_byte_order_mark_and_crlf_unless_asked_otherwise() -> None:
    whole = "".join(csv_lines(Layout(tables_of([NEW])), [record(nueva="ñandú")])).encode()
    assert whole.startswith(b"\xef\xbb\xbfSubmissionDate,") and whole.endswith(b"\r\n") and "ñandú".encode() in whole
    assert "".join(csv_lines(Layout(tables_of([NEW]), bom=False), [])).startswith("SubmissionDate")


@pytest.mark.parametrize("text", ["=1+1", "+507 6000", "-5", "@x", "\t=1"])
def test_formulas_are_exact_by_default_and_disarmed_when_asked(text: str) -> None:
    assert read(Layout(tables_of([NEW])), record(nueva=text))[0]["nueva"] == text
    assert read(Layout(tables_of([NEW]), safe=True), record(nueva=text, g__edad="-5"))[0]["nueva"] == f"'{text}"
    assert read(Layout(tables_of([NEW]), safe=True), record(g__edad="-5"))[0]["g-edad"] == "-5"


@pytest.mark.parametrize("key", ["g__edad", "temas", "nueva"])
def test_formulas_are_disarmed_whatever_their_question_asks_for(key: str) -> None:
    row = read(Layout(tables_of([NEW]), safe=True), record(**{key: "=cmd|x"}))[0]
    assert row[key.replace("__", "-")] == "'=cmd|x"


def test_formulas_in_what_a_record_says_of_itself_are_disarmed_too() -> None:
    evil = record()
    evil = CsvRecord({**evil.content, "version": "=1", "lang": "@x", "started": "+1"}, evil.submitted, evil.device)
    row = read(Layout(tables_of([NEW]), safe=True, extra=True), evil)[0]
    assert (row["FormVersion"], row["Language"], row["Started"]) == ("'=1", "'@x", "'+1")


def test_the_extra_columns_come_last() -> None:
    row = read(Layout(tables_of([NEW]), extra=True), record())[0]
    assert list(row)[-5:] == ["Started", "Finished", "Language", "State", "Flags"]
    assert (row["Started"], row["Finished"], row["Language"], row["State"]) == ("s", "f", "es", "usable")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1, max_size=5))
def test_any_text_comes_back_from_the_csv_as_it_was(texts: list[str]) -> None:
    rows = read(Layout(tables_of([NEW])), *(record(nueva=text) for text in texts))
    assert [row["nueva"] for row in rows] == texts


@pytest.mark.parametrize(
    ("sql_type", "text", "value"),
    [
        ("INTEGER", "5", 5), ("INTEGER", "-3", -3), ("INTEGER", "5.5", "5.5"), ("INTEGER", "", None),
        ("TEXT", "", None), ("REAL", "2.50", 2.5), ("REAL", "x", "x"), ("TEXT", "007", "007"),
        ("INTEGER", "9" * 30, "9" * 30), ("INTEGER", "1_000", "1_000"), ("INTEGER", "٣", "٣"),
        ("REAL", "nan", "nan"), ("REAL", "inf", "inf"), ("REAL", "1e999", "1e999"), ("REAL", "-.5", -0.5),
    ],
)  # fmt: skip
def test_answers_become_values_of_their_column_and_nothing_is_lost(sql_type: str, text: str, value: object) -> None:
    assert typed(sql_type, text) == value


def test_a_column_is_wide_enough_for_every_version() -> None:
    assert [wider("INTEGER", "REAL"), wider("INTEGER", "INTEGER"), wider("REAL", "TEXT")] == ["REAL", "INTEGER", "TEXT"]


def test_choices_are_read_by_their_labels_and_unknown_ones_by_their_name() -> None:
    temas = columns_of(OLD, NEW)[2]
    assert shown(temas, "agua luz nada", "") == "Agua · Luz · nada"
