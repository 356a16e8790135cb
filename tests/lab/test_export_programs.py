"""Files for programs of others: odd names, long texts, large numbers, days; nothing is lost and nothing is changed."""

import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pandas
import pyreadstat
import pytest
from frictionless import Package
from pyxform.xls2xform import convert

from collector.exports.columnar import variable_names
from collector.exports.sheets import Field, Options, Sheet, sheets_of
from collector.exports.writing import SQLITE_COLUMNS, Take, TooManyError, write_sqlite
from collector.lab.tables import TEXT, tables_of
from tests.lab.conftest import Lab
from tests.lab.staff import browser_of, hire
from tests.lab.test_exports import EVERY_FORMAT, PURPOSE, members, table_in, take

Rows = Sequence[tuple[str, str, str]]
SI_NO: Rows = (("l", "si", "Sí"), ("l", "no", "No"))


def publish(lab: Lab, form_id: str, survey: Rows, choices: Rows = (), calculate: str = "") -> None:
    """Publish a form of these rows: (type, name, label), and choices: (list, name, label); calculate: its name."""
    text = "| survey |\n| | type | name | label | calculation |\n"
    text += "".join(f"| | {' | '.join(row)} | |\n" for row in survey)
    text += f"| | calculate | {calculate} | | concat('a', 'b') |\n" if calculate else ""
    if choices:
        text += "| choices |\n| | list_name | name | label |\n" + "".join(
            f"| | {' | '.join(row)} |\n" for row in choices
        )
    text += f"| settings |\n| | form_id | version |\n| | {form_id} | 1 |\n"
    lab.publish(str(convert(text, validate=False, file_type=".md").xform))


def given(lab: Lab, form_id: str, *answers: Mapping[str, object]) -> None:
    lab.put(*(lab.record(form_id, dict(each)) for each in answers))


def stats_of(lab: Lab, form_id: str, kind: str, folder: Path, **asked: str) -> tuple[Any, Any]:
    path = folder / f"{form_id}.{kind}"
    path.write_bytes(take(lab, form_id, format=kind, **asked))
    read = pyreadstat.read_sav if kind == "sav" else pyreadstat.read_dta
    frame, about = read(str(path))
    return frame, about


# --- names


@pytest.mark.parametrize("form_id", ["codebook", "select", "sqlite_master", "rowid"])
def test_a_form_may_be_called_as_programs_call_their_own(open_lab: Lab, tmp_path: Path, form_id: str) -> None:
    publish(open_lab, form_id, [("text", "a", "A")])
    given(open_lab, form_id, {"a": "x"})
    files = members(take(open_lab, form_id, format="csv"))
    assert len(files) == 3
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    assert Package(str(tmp_path / "datapackage.json")).validate().valid
    path = tmp_path / "x.db"
    path.write_bytes(take(open_lab, form_id, format="sqlite"))
    with sqlite3.connect(path) as database:
        first, book = (row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))
        assert book == "codebook" and database.execute(f'SELECT a FROM "{first}"').fetchall() == [("x",)]


@pytest.mark.parametrize("kind", ["sav", "dta", "sqlite", "parquet", "xlsx"])
def test_questions_may_be_called_by_the_words_of_a_language(open_lab: Lab, tmp_path: Path, kind: str) -> None:
    names = (
        "if",
        "in",
        "to",
        "with",
        "long",
        "byte",
        "by",
        "not",
        "all",
        "order",
        "rowid",
        "id",
        "KEY",
        "_unread",
        "str20",
    )
    publish(open_lab, "palabras", [("text", name, name) for name in names])
    given(open_lab, "palabras", dict.fromkeys(names, "v"))
    content = take(open_lab, "palabras", format=kind)
    assert content
    if kind in ("sav", "dta"):
        frame, about = stats_of(open_lab, "palabras", kind, tmp_path)
        labels = dict(zip(about.column_names, about.column_labels, strict=True))
        assert {labels[name]: frame[name][0] for name in labels if labels[name] in names} == dict.fromkeys(names, "v")


def test_names_stay_apart_however_short_they_are_made() -> None:
    fields = [Field("ñ" * 80 + str(number), TEXT, "") for number in range(1200)]
    for most in (32, 64):
        found = variable_names(fields, most)
        assert len({name.lower() for name in found}) == 1200 and max(map(len, found)) <= most


def test_a_choice_may_be_called_like_no_number(open_lab: Lab, tmp_path: Path) -> None:
    publish(open_lab, "guion", [("select_one l", "a", "A")], (("l", "--5", "cinco"), ("l", "6", "seis")))
    given(open_lab, "guion", {"a": "--5"})
    frame, about = stats_of(open_lab, "guion", "sav", tmp_path)
    assert about.variable_value_labels["a"][frame["a"][0]] == "cinco"


def test_a_form_too_wide_for_sqlite_is_refused_in_words(tmp_path: Path) -> None:
    fields = tuple(Field(f"c{number}", TEXT, "") for number in range(SQLITE_COLUMNS + 1))
    take_wide = Take("x", "", [Sheet("x", (), "", fields, ())], lambda: iter(()), lambda: iter(()), [], {})
    with pytest.raises(TooManyError):
        write_sqlite(tmp_path / "x.db", take_wide, lambda _done: None)


# --- values


@pytest.mark.parametrize("kind", ["csv", "xlsx", "sqlite", "parquet", "sav", "dta"])
def test_an_answer_that_no_version_asks_for_is_in_the_file(open_lab: Lab, tmp_path: Path, kind: str) -> None:
    given(open_lab, "barrio", {"edad": "3", "otra": "río", "lugar/municipio": "0810"})
    given(open_lab, "sin_formulario", {"nombre": "Xiomara"})
    for form_id, name, value in (("barrio", "otra", "río"), ("sin_formulario", "nombre", "Xiomara")):
        content = take(open_lab, form_id, format=kind)
        assert json.loads(unread_of(kind, content, form_id, tmp_path)) == {name: value}


def unread_of(kind: str, content: bytes, form_id: str, folder: Path) -> str:
    """Return what stands in the column `_unread` of the first row."""
    path = folder / f"{form_id}.{kind}"
    path.write_bytes(content)
    if kind == "csv":
        return table_in(members(content)[f"{form_id}.csv"])[0]["_unread"]
    if kind == "xlsx":
        return str(pandas.read_excel(path)["_unread"][0])
    if kind == "sqlite":
        with sqlite3.connect(path) as database:
            return str(database.execute(f'SELECT _unread FROM "{form_id}"').fetchone()[0])
    if kind == "parquet":
        return str(pandas.read_parquet(path)["_unread"][0])
    frame = pyreadstat.read_sav(str(path))[0] if kind == "sav" else pandas.read_stata(path)
    return str(frame["unread"][0])


@pytest.mark.parametrize("kind", ["sav", "dta"])
def test_what_statistics_programs_have_no_value_for_is_set_aside(open_lab: Lab, tmp_path: Path, kind: str) -> None:
    publish(open_lab, "raro", [("select_one l", "a", "A"), ("integer", "n", "N"), ("integer", "m", "M")], SI_NO)
    given(open_lab, "raro", {"a": "quizas", "n": "9007199254740993", "m": "7"})
    frame, about = stats_of(open_lab, "raro", kind, tmp_path)
    assert pandas.isna(frame["a"][0]) and pandas.isna(frame["n"][0]) and frame["m"][0] == 7
    assert json.loads(frame["unread"][0]) == {"a": "quizas", "n": "9007199254740993"}
    assert about.variable_value_labels["a"] == {1: "Sí", 2: "No"}


def test_a_large_number_keeps_its_digits_in_a_workbook(open_lab: Lab, tmp_path: Path) -> None:
    publish(open_lab, "cedulas", [("integer", "n", "N")])
    given(open_lab, "cedulas", {"n": "9007199254740993"}, {"n": "12"})
    path = tmp_path / "x.xlsx"
    path.write_bytes(take(open_lab, "cedulas", format="xlsx"))
    sheet = openpyxl.load_workbook(path)["cedulas"]
    at = [cell.value for cell in sheet[1]].index("n") + 1
    assert [sheet.cell(row, at).value for row in (2, 3)] == [12, "9007199254740993"]


LONG = "ñ" * 40_000  # 80,000 bytes


@pytest.mark.parametrize(("kind", "is_cut"), [("sav", True), ("xlsx", True), ("dta", False), ("parquet", False)])
def test_a_long_text_is_whole_or_said_to_be_cut(open_lab: Lab, tmp_path: Path, kind: str, is_cut: bool) -> None:
    publish(open_lab, "largo", [("text", "a", "A")])
    given(open_lab, "largo", {"a": LONG})
    asked = open_lab.browser.post("/lab/forms/largo/llevar", data={"purpose": PURPOSE, "format": kind})
    path = tmp_path / f"x.{kind}"
    path.write_bytes(take(open_lab, "largo", format=kind))
    readers = {
        "sav": pandas.read_spss,
        "xlsx": pandas.read_excel,
        "dta": pandas.read_stata,
        "parquet": pandas.read_parquet,
    }
    (text,) = readers[kind](path)["a"]
    assert (text == LONG) is not is_cut and text.rstrip("…") == LONG[: len(text.rstrip("…"))]
    said = open_lab.browser.get(asked.headers["location"]).text
    assert ("1 texto era demasiado largo" in said) is is_cut
    if kind == "sav":
        assert len(text.encode()) <= 32_767 and text.endswith("…")


def test_days_are_days_and_what_is_none_is_kept_as_it_was_given(open_lab: Lab, tmp_path: Path) -> None:
    publish(open_lab, "fechas", [("date", "dia", "¿Qué día?")])
    given(open_lab, "fechas", {"dia": "2026-02-30"}, {"dia": "2026-11-20"}, {})
    files = members(take(open_lab, "fechas", format="csv"))
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    package = Package(str(tmp_path / "datapackage.json"))
    assert package.validate().valid and package.resources[0].schema.get_field("dia").type == "date"
    assert json.loads(table_in(files["fechas.csv"])[2]["_unread"]) == {"dia": "2026-02-30"}
    for kind in ("parquet", "xlsx", "sav", "dta"):
        path = tmp_path / f"x.{kind}"
        path.write_bytes(take(open_lab, "fechas", format=kind))
        readers: dict[str, Any] = {
            "parquet": pandas.read_parquet, "xlsx": pandas.read_excel,
            "sav": pandas.read_spss, "dta": pandas.read_stata,
        }  # fmt: skip
        days = list(readers[kind](path)["dia"])
        assert [str(day)[:10] for day in days[1:2]] == ["2026-11-20"] and pandas.isna(days[0]) and pandas.isna(days[2])
        assert not isinstance(days[1], str), kind


def test_lines_of_a_text_end_in_one_mark_in_a_workbook(open_lab: Lab, tmp_path: Path) -> None:
    given(open_lab, "barrio", {"idea": "una\r\ndos"})
    path = tmp_path / "x.xlsx"
    path.write_bytes(take(open_lab, format="xlsx"))
    assert list(pandas.read_excel(path)["idea"]) == ["una\ndos"]


@pytest.mark.parametrize("kind", EVERY_FORMAT)
def test_a_form_without_answers_is_a_file_too(open_lab: Lab, kind: str) -> None:
    assert take(open_lab, format=kind) or kind == "jsonl"


def test_a_place_from_the_list_stands_beside_its_question(open_lab: Lab) -> None:
    publish(open_lab, "mapa", [("geopoint", "punto", "Dónde")])
    places = {"punto": {"code": "0810", "place": "Barrio Nuevo"}}
    open_lab.put(open_lab.record("mapa", {}, places=places), open_lab.record("mapa", {"punto": "9 -79 0 0"}))
    (_, row) = table_in(members(take(open_lab, "mapa"))["mapa.csv"])
    assert (row["punto-place_code"], row["punto-place_name"]) == ("0810", "San Miguelito")
    assert row["punto-place_text"] == "Barrio Nuevo" and row["_unread"] == ""


# --- who may not see who somebody is


@pytest.mark.parametrize("kind", EVERY_FORMAT)
@pytest.mark.parametrize("form_id", ["barrio", "sin_formulario"])
def test_an_analyst_gets_no_name_that_no_version_asks_for(open_lab: Lab, kind: str, form_id: str) -> None:
    hire(open_lab.node, "analyst")
    given(open_lab, form_id, {"nombre": "Xiomara", "edad": "3"})
    with browser_of(open_lab.node, "analyst") as analyst:
        content = take(open_lab, form_id, analyst, format=kind)
    parts = members(content).values() if content[:2] == b"PK" else [content]
    assert not any(b"Xiomara" in part for part in parts)


def test_the_sheets_of_a_form_without_a_definition_keep_everything_in_one_column() -> None:
    (sheet,) = sheets_of("x", tables_of([]), Options())
    assert sheet.fields[-1].name == "_unread" and not re.search("lugar", " ".join(each.name for each in sheet.fields))
