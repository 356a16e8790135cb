"""The starter forms convert, speak both languages, ask for nothing personal, and agree with the territory list."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pyxform.xls2json_backends import md_to_dict
from pyxform.xls2xform import convert

ROOT = Path(__file__).resolve().parents[2]
STARTER = ROOT / "collector" / "starter"
TOOL = ROOT / "tools" / "make_starter_xlsx.py"
FORMS = {"confianza": "Confianza y cohesión", "servicios": "Servicios y residuos", "tarjeta": "Tarjeta rápida"}
SPANISH, ENGLISH = "Español (es)", "English (en)"
TRANSLATED = ("label", "hint", "required_message", "constraint_message")
TYPES = {"text", "integer", "decimal", "date", "note", "select_one", "select_multiple", "calculate", "begin_group"}
PERSONAL = re.compile(
    r"nombre|apellido|c[eé]dula|tel[eé]fono|celular|correo|e-?mail|direcci[oó]n|nacimiento|gps|firma|foto"
    r"|\bname\b|surname|phone|address|birth|signature",
    re.IGNORECASE,
)
DISTRICTS = {
    "01": 4,
    "02": 6,
    "03": 6,
    "04": 14,
    "05": 3,
    "06": 7,
    "07": 7,
    "08": 6,
    "09": 12,
    "11": 2,
    "12": 9,
    "13": 5,
}
ISO_BY_CODE = {
    **{f"0{number}": f"PA-{number}" for number in range(1, 10)},
    **{"10": "PA-KY", "11": "PA-EM", "12": "PA-NB", "13": "PA-10", "14": "PA-NT"},
}
BODY = "{http://www.w3.org/1999/xhtml}body"

Row = dict[str, str]
each_form = pytest.mark.parametrize("form_id", FORMS)


def xform(form_id: str, suffix: str) -> tuple[str, list[str]]:
    """Return the XForm of the form and the warnings of its conversion."""
    warnings: list[str] = []
    content = io.BytesIO((STARTER / form_id).with_suffix(suffix).read_bytes())
    made = convert(content, warnings=warnings, validate=False, file_type=suffix)
    return str(made.xform), warnings


def sheet(form_id: str, name: str) -> list[Row]:
    """List the rows of one sheet of the form's source."""
    source = (STARTER / form_id).with_suffix(".md").read_bytes()
    rows: list[Row] = md_to_dict(io.BytesIO(source))[name]
    return rows


def questions(form_id: str) -> list[Row]:
    """List the survey rows that show or store something."""
    return [row for row in sheet(form_id, "survey") if row["type"] != "end_group"]


def territory() -> list[Row]:
    """List the rows of the territory list."""
    return list(csv.DictReader(io.StringIO((STARTER / "territory.csv").read_text(encoding="utf-8"))))


def choices(form_id: str, list_name: str) -> dict[str, Row]:
    """Map each choice name of a list to its row."""
    return {row["name"]: row for row in sheet(form_id, "choices") if row["list_name"] == list_name}


def syllables(word: str) -> int:
    """Count the syllables of a Spanish word: its vowel groups, split at two open vowels or an accented closed one."""
    sounded = re.sub(r"qu(?=[eiéí])|gu(?=[eiéí])", "k", word.lower())
    sounded = re.sub(r"y(?![aeiouáéíóú])", "i", sounded)
    groups = re.findall(r"[íú]|[iuü]*[aeoáéó][iuü]*|[iuü]+", sounded)
    return max(1, len(groups))


def reading_ease(text: str) -> float:
    """Return the Fernández-Huerta reading ease of a Spanish text: 60 and more is plain."""
    words = re.findall(r"[^\W\d_]+", text)
    sentences = max(1, len(re.findall(r"[.?!](?:\s|$)", text)))
    return 206.84 - 60 * sum(syllables(word) for word in words) / len(words) - 1.02 * len(words) / sentences


@each_form
def test_the_spreadsheet_and_its_source_give_the_same_xform_without_warnings(form_id: str) -> None:
    from_source, source_warnings = xform(form_id, ".md")
    from_spreadsheet, spreadsheet_warnings = xform(form_id, ".xlsx")
    assert from_source == from_spreadsheet
    assert (source_warnings, spreadsheet_warnings) == ([], [])


def test_making_the_forms_again_changes_no_byte_and_no_source(tmp_path: Path) -> None:
    made: list[dict[str, bytes]] = []
    for turn in ("first", "second"):
        folder = Path(shutil.copytree(STARTER, tmp_path / turn))
        subprocess.run([sys.executable, TOOL, folder], check=True, capture_output=True)
        made.append({path.name: path.read_bytes() for path in folder.glob("*.*") if path.is_file()})
    assert made[0] == made[1]
    for form_id in FORMS:
        assert made[0][f"{form_id}.md"] == (STARTER / f"{form_id}.md").read_bytes()


def test_a_place_renamed_in_the_list_is_renamed_in_every_form(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(STARTER, tmp_path / "starter"))
    listed = folder / "territory.csv"
    listed.write_text(listed.read_text("utf-8").replace("0414,2,Tierras Altas", "0414,2,Volcán"), "utf-8", newline="\n")
    subprocess.run([sys.executable, TOOL, folder], check=True, capture_output=True)
    for form_id in FORMS:
        shown = str(convert(str(folder / f"{form_id}.xlsx"), validate=False).xform)
        assert "Volcán" in shown
        assert "Tierras Altas" not in shown


@each_form
def test_title_id_and_languages_are_set(form_id: str) -> None:
    (settings,) = sheet(form_id, "settings")
    assert settings["form_id"] == form_id
    assert settings["form_title"] == FORMS[form_id]
    assert settings["default_language"] == SPANISH
    assert re.fullmatch(r"20\d{8}", settings["version"])


@each_form
def test_every_label_hint_message_and_choice_speaks_both_languages(form_id: str) -> None:
    for row in questions(form_id) + sheet(form_id, "choices"):
        for column in TRANSLATED:
            spoken = {language for language in (SPANISH, ENGLISH) if row.get(f"{column}::{language}")}
            assert len(spoken) != 1, f"{row['name']}: {column} only in {spoken}"
        if row.get("type") != "calculate":
            assert row.get(f"label::{SPANISH}"), f"{row['name']} has no label"


@each_form
def test_every_rule_a_person_can_meet_says_what_to_do(form_id: str) -> None:
    for row in questions(form_id):
        for rule in ("required", "constraint"):
            assert (rule in row) == (f"{rule}_message::{SPANISH}" in row), f"{row['name']}: {rule}"


@each_form
def test_no_form_asks_who_the_person_is(form_id: str) -> None:
    for row in questions(form_id):
        assert row["type"].split()[0] in TYPES
        asked = " ".join([row["name"], row.get(f"label::{SPANISH}", ""), row.get(f"label::{ENGLISH}", "")])
        assert not PERSONAL.search(asked.replace("_", " ")), asked
        if row["type"] != "begin_group" and row["type"] != "note":
            assert row["privacy"] in {"none", "quasi", "sensitive", "free_text"}
        assert (row["type"] == "text") == (row.get("privacy") == "free_text")


@each_form
def test_the_columns_for_the_lab_stand_in_the_source_and_leave_no_trace_in_the_xform(form_id: str) -> None:
    source = (STARTER / f"{form_id}.md").read_text(encoding="utf-8")
    assert "| dimension | construct | source_code | comparable | privacy |" in source
    shown, _ = xform(form_id, ".md")
    values = {row[column] for row in questions(form_id) for column in ("construct", "source_code") if column in row}
    assert [word for word in ("source_code", "comparable", "free_text", *values) if f">{word}<" in shown] == []
    assert "dimension" not in shown


@each_form
def test_each_question_and_message_reads_plainly(form_id: str) -> None:
    texts = [row[column] for row in questions(form_id) for column in row if column.endswith(SPANISH)]
    for text in texts:
        if len(text.split()) > 3:  # the formula means nothing on two words
            assert reading_ease(text) >= 60, f"{reading_ease(text):.0f}: {text}"


def test_the_reading_measure_tells_plain_words_from_office_words() -> None:
    assert [syllables(word) for word in ("municipio", "río", "aquí", "muy", "cuánto", "oeste")] == [4, 2, 2, 1, 2, 3]
    assert reading_ease("¿Cuánto confía usted en la gente de su comunidad?") > 60
    assert reading_ease("Valore la implementación institucional de procedimientos administrativos participativos.") < 0


@each_form
def test_the_municipality_cascade_reaches_every_place_once(form_id: str) -> None:
    rows = {row["code"]: row for row in territory()}
    provinces, municipalities = choices(form_id, "provincia"), choices(form_id, "municipio")
    assert set(provinces) == {code for code, row in rows.items() if row["level"] == "1"}
    assert set(municipalities) == {code for code, row in rows.items() if row["level"] == "2"} | {"10", "14"}
    for code, choice in municipalities.items():
        assert choice["provincia"] == (rows[code]["parent"] or code)
    assert {choice["provincia"] for choice in municipalities.values()} == set(provinces)


def test_a_place_that_shares_its_name_is_shown_with_its_parent() -> None:
    shown = {code: row[f"label::{SPANISH}"] for code, row in choices("tarjeta", "municipio").items()}
    assert (shown["0503"], shown["0909"]) == ("Santa Fe (Darién)", "Santa Fe (Veraguas)")
    assert (shown["0301"], shown["0406"]) == ("Colón (Colón)", "David")
    assert [label for label, times in Counter(shown.values()).items() if times > 1] == []


def test_the_territory_list_is_whole_and_hangs_together() -> None:
    rows = territory()
    codes = [row["code"] for row in rows]
    first = {row["code"] for row in rows if row["level"] == "1"}
    second = [row for row in rows if row["level"] == "2"]
    assert (len(first), len(second)) == (14, 81)
    assert len(set(codes)) == len(codes) == 95
    assert Counter(row["parent"] for row in second) == DISTRICTS
    for row in second:
        assert row["parent"] in first
        assert re.fullmatch(row["parent"] + r"\d\d", row["code"])
        assert row["iso"] == ""


def test_iso_codes_stand_beside_the_right_national_codes() -> None:
    rows = {row["code"]: row for row in territory()}
    assert {code: row["iso"] for code, row in rows.items() if row["level"] == "1"} == ISO_BY_CODE
    assert (rows["13"]["name"], rows["10"]["name"]) == ("Panamá Oeste", "Guna Yala")


def test_the_territory_list_is_plain_utf8_with_the_right_spelling() -> None:
    written = (STARTER / "territory.csv").read_bytes()
    assert b"\r" not in written
    assert not written.startswith(b"\xef\xbb\xbf")
    rows = {row["code"]: row["name"] for row in territory()}
    assert (rows["1205"], rows["12"], rows["0810"]) == ("Ñürüm", "Ngäbe-Buglé", "San Miguelito")


@pytest.mark.parametrize(("form_id", "most"), [("confianza", 8), ("tarjeta", 3)])
def test_the_form_stays_short(form_id: str, most: int) -> None:
    body = ElementTree.fromstring(xform(form_id, ".md")[0]).find(BODY)
    assert body is not None
    assert body.get("class") == "pages"
    assert 0 < len(body) <= most
    assert [page.get("appearance") for page in body if page.tag.endswith("}group")] == ["field-list"]


def test_trust_is_asked_from_zero_to_ten_with_words_at_both_ends() -> None:
    scale = choices("confianza", "escala_confianza")
    assert list(scale) == [*map(str, range(11)), "ns", "nr"]
    assert scale["0"][f"label::{SPANISH}"] == "0 = No confío nada"
    assert scale["10"][f"label::{SPANISH}"] == "10 = Confío del todo"


def test_age_comes_first_and_children_are_one_band() -> None:
    assert questions("confianza")[0]["name"] == "edad"
    assert next(iter(choices("confianza", "edad"))) == "menos_18"
    assert sum("18" in name for name in choices("confianza", "edad")) == 2


@pytest.mark.parametrize("dimension", ["desigualdades", "gobernanza", "confianza"])
def test_each_dimension_of_cohesion_is_asked_twice_with_two_ways_out(dimension: str) -> None:
    asked = [row for row in questions("confianza") if row.get("dimension") == dimension]
    assert len(asked) == 2
    for row in asked:
        assert {"ns", "nr"} <= set(choices("confianza", row["type"].split()[1]))
        assert row["required"] == "yes"


def test_the_source_of_a_form_without_place_marks_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(STARTER, tmp_path / "starter"))
    source = folder / "tarjeta.md"
    source.write_text(source.read_text("utf-8").replace("# places: end\n", ""), "utf-8")
    run = subprocess.run([sys.executable, TOOL, folder], check=False, capture_output=True, text=True)
    assert run.returncode != 0
    assert "# places: end" in run.stderr
