"""The files that come with a form: all that it names must be there and be what it takes them for."""

import hashlib
import io
import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from openpyxl import Workbook

from collector.cli.main import cli
from collector.db import open_engine
from collector.form_store import FormStore
from collector.forms.file_contents import looks_like
from collector.forms.state import Filling
from collector.forms.xform import read_xform
from collector.forms.xform.digest import form_digest
from collector.publish import publishing
from collector.publish.publishing import MAX_FILE_BYTES, check_file, check_path
from collector.settings import settings_from_environment
from tests.forms.sheet_findings import CHOICES, SETTINGS, SURVEY, at, codes, errors, findings, form_of, table
from tests.shared import worker_process

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
MP3 = b"ID3\x04" + bytes(40)
PLACES = b"name,label,zona\na,Aguadulce,centro\nb,Boquete,oeste\n"
PLACE_ROWS = (("text", "zona", "¿Zona?"), ("select_one_from_file lugares.csv", "lugar", "¿Dónde?"))
MEDIA = (*SURVEY, "media::image", "media::audio")
SHEET = (
    table("survey", (*SURVEY, "image"), ("select_one_from_file lugares.csv", "lugar", "¿Dónde?", "mapa.png"))
    + CHOICES
    + SETTINGS
).encode()
NOW = (0, 0)


# --- what is there and what is not


def test_a_list_in_a_file_is_offered() -> None:
    header = (*SURVEY, "choice_filter")
    rows = [("text", "zona", "¿Zona?", ""), ("select_one_from_file lugares.csv", "lugar", "¿Dónde?", "zona = ${zona}")]
    filling = Filling(form_of(header, *rows, files={"lugares.csv": PLACES}), NOW)
    filling.set("/data/zona", "oeste")
    assert filling.choices("/data/lugar") == ("b",)


def test_pulldata_looks_into_its_file() -> None:
    header = (*SURVEY, "calculation")
    pull = "pulldata('precios', 'precio', 'name', ${cosa})"
    rows = [("text", "cosa", "¿Qué?", ""), ("calculate", "precio", "", pull)]
    found = findings(header, *rows)
    missing = at(found, 3, "calculation")
    assert (missing.code, missing.cell) == ("file_missing", pull) and "«precios.csv»" in missing.message
    filling = Filling(form_of(header, *rows, files={"precios.csv": b"name,precio\npan,2\n"}), NOW)
    filling.set("/data/cosa", "pan")
    assert filling.raw["/data/precio"] == "2"
    found = findings(header, *rows, files={"precios.csv": b"name,costo\npan,2\n"})
    assert errors(found) == [(3, "calculation")] and "costo" in at(found, 3, "calculation").message


def test_every_missing_file_is_named_once_at_its_first_cell() -> None:
    lists = table(
        "choices", ("list_name", "name", "label", "image"), ("l", "a", "A", "a.png"), ("no", "b", "B", "b.png")
    )
    rows = [
        ("select_one l", "x", "¿X?", "foto.png", ""),
        ("note", "y", "Y", "foto.png", "voz.mp3"),
        ("csv-external", "datos", "", "", ""),
    ]
    found = findings(MEDIA, *rows, choices=lists)
    assert [(f.sheet, f.row, f.column) for f in found if f.code == "file_missing"] == [
        ("survey", 2, "media::image"),
        ("survey", 3, "media::audio"),
        ("survey", 4, "name"),
        ("choices", 2, "image"),
    ]
    assert "(y en 1 celdas más)" in at(found, 2, "media::image").message
    assert "--media" in at(found, 3, "media::audio").hint


def test_a_name_that_differs_in_capitals_is_suggested() -> None:
    found = findings(MEDIA, ("text", "x", "¿X?", "foto.png", ""), files={"Foto.PNG": PNG})
    assert "¿Es «Foto.PNG»?" in at(found, 2, "media::image").hint
    assert codes(found, "info") == [("file_unused", None, "")]


def test_other_errors_are_found_while_a_file_is_missing() -> None:
    header = (*SURVEY, "choice_filter", "relevant")
    rows = [
        ("select_one_from_file lugares.csv", "lugar", "¿Dónde?", "zona = 'a'", ""),
        ("text", "x", "¿X?", "", "foo(1)"),
    ]
    assert errors(findings(header, *rows)) == [(2, "type"), (3, "relevant")]


def test_an_accent_written_in_two_characters_is_the_same_name() -> None:
    found = findings(MEDIA, ("text", "x", "¿X?", "jardín.png", ""), files={"jardi\u0301n.png": PNG})
    assert found == []


def test_a_file_name_with_a_folder_is_refused() -> None:
    found = findings(MEDIA, ("text", "x", "¿X?", "fotos/x.png", ""), files={"x.png": PNG})
    assert at(found, 2, "media::image").code == "file_name_bad"


# --- what is inside


@pytest.mark.parametrize(
    ("content", "row", "code"),
    [
        ("name,label\nñ,A\n".encode("latin-1"), 2, "file_encoding"),
        (b"", 1, "file_empty"),
        (b"codigo,label\na,A\n", 1, "file_column_missing"),
        (b"name,label\n", 1, "file_no_rows"),
        (b"name,label\na,A\n,B\n", 3, "file_value_missing"),
        (b"name,label\na,A,de mas\n", 2, "file_row_long"),
        (b"name,label,label\na,A,B\n", 1, "file_column_twice"),
        (b'name,label\na,"A\n' + b"x" * 1_100_000, 3, "file_damaged"),
    ],
)
def test_what_is_wrong_in_a_csv_is_found_on_its_line(content: bytes, row: int, code: str) -> None:
    found = [
        finding for finding in findings(SURVEY, *PLACE_ROWS, files={"lugares.csv": content}) if finding.code == code
    ]
    assert [(finding.sheet, finding.row) for finding in found] == [("lugares.csv", row)]


def test_a_csv_with_semicolons_or_a_byte_order_mark_is_read() -> None:
    for content in (PLACES.replace(b",", b";"), b"\xef\xbb\xbf" + PLACES):
        form = form_of(SURVEY, *PLACE_ROWS, files={"lugares.csv": content})
        assert [choice.name for choice in form.lists["lugares"]] == ["a", "b"]


def test_other_columns_may_be_chosen_by_parameters() -> None:
    header = (*SURVEY, "parameters")
    row = ("select_one_from_file lugares.csv", "lugar", "¿Dónde?", "value=codigo label=nombre")
    form = form_of(header, row, files={"lugares.csv": b"codigo,nombre\n7,Siete\n"})
    assert Filling(form, NOW).choice_labels("/data/lugar") == {"7": "Siete"}
    found = findings(header, row, files={"lugares.csv": PLACES})
    assert [(f.sheet, f.row, f.column) for f in found if f.severity == "error"] == [
        ("lugares.csv", 1, "codigo"),
        ("lugares.csv", 1, "nombre"),
    ]


def test_a_value_with_blanks_in_a_list_of_several_answers_is_a_warning() -> None:
    rows = [("select_multiple_from_file lugares.csv", "x", "¿Dónde?")]
    found = findings(SURVEY, *rows, files={"lugares.csv": b"name,label\na b,A\n"})
    assert codes(found) == [("file_value_space", 2, "name")]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("l.geojson", b"{", "file_damaged"),
        ("l.geojson", b'{"type": "Feature"}', "file_damaged"),
        ("l.geojson", b'{"features": [{"properties": {"title": "A"}}]}', "file_item_lacks"),
        ("l.xml", b"<root><item>", "file_damaged"),
        ("l.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><root/>', "file_damaged"),
        ("l.xml", b"<root><item><label>A</label></item></root>", "file_item_lacks"),
    ],
)
def test_a_bad_geojson_or_xml_list_is_refused(name: str, content: bytes, code: str) -> None:
    found = findings(SURVEY, (f"select_one_from_file {name}", "x", "¿Dónde?"), files={name: content})
    assert [(finding.sheet, finding.code) for finding in found if finding.severity == "error"] == [(name, code)]


def test_places_from_a_geojson_file_are_choices() -> None:
    point = {"type": "Point", "coordinates": [-79.5, 8.9]}
    content = json.dumps({"features": [{"id": "p", "geometry": point, "properties": {"title": "Parque"}}]}).encode()
    form = form_of(SURVEY, ("select_one_from_file l.geojson", "x", "¿Dónde?"), files={"l.geojson": content})
    assert Filling(form, NOW).choice_labels("/data/x") == {"p": "Parque"}


@pytest.mark.parametrize(("column", "name", "code"), [(3, "x.png", "file_no_image"), (4, "x.mp3", "file_no_audio")])
def test_a_file_that_is_no_picture_or_sound_is_refused_at_its_cell(column: int, name: str, code: str) -> None:
    row = tuple(name if number == column else text for number, text in enumerate(("text", "x", "¿X?", "", "")))
    found = findings(MEDIA, row, files={name: b"<html>no soy lo que digo"})
    assert [(f.code, f.row, f.column) for f in found] == [(code, 2, MEDIA[column])]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("image", PNG), ("image", b"\xff\xd8\xff\xe0" + bytes(20)), ("image", b"GIF89a" + bytes(20)),
        ("image", b"RIFF\0\0\0\0WEBPVP8 "), ("image", b'<?xml version="1.0"?>\n<svg xmlns="x">'),
        ("image", b"\0\0\0\x18ftypheic"), ("audio", MP3), ("audio", b"RIFF\0\0\0\0WAVEfmt "),
        ("audio", b"OggS" + bytes(9)),
        ("audio", b"\0\0\0\x18ftypM4A "), ("audio", b"\xff\xfb\x90" + bytes(9)), ("video", b"\0\0\0\x18ftypmp42"),
        ("video", b"\x1aE\xdf\xa3" + bytes(9)),
    ],
)  # fmt: skip
def test_pictures_sounds_and_videos_are_known_by_their_first_bytes(kind: str, content: bytes) -> None:
    assert looks_like(kind, content)
    assert not looks_like(kind, b"MZ" + bytes(30)) and not looks_like(kind, b"")


# --- the whole way


def test_only_the_files_that_the_form_uses_go_with_it() -> None:
    files = {"lugares.csv": PLACES, "mapa.png": PNG, "otra.png": PNG}
    checked = check_file("f.md", SHEET, files)
    assert checked.report.is_publishable and [f.code for f in checked.report.findings] == ["file_unused"]
    assert checked.files == {"lugares.csv": PLACES, "mapa.png": PNG}
    assert set(checked.needed) == {"lugares.csv", "mapa.png"}
    assert check_file("f.md", SHEET).files == {} and check_file("f.md", SHEET).form is None


def test_files_over_the_limit_are_answered_without_looking() -> None:
    large = check_file("f.md", SHEET, {"mapa.png": PNG + bytes(MAX_FILE_BYTES)}).report.findings
    assert [finding.code for finding in large] == ["file_too_big"]
    many = {f"{number}.png": bytes(4_200_000) for number in range(5)}
    assert [finding.code for finding in check_file("f.md", SHEET, many).report.findings] == ["files_too_big"]


def test_files_beside_the_form_are_found_and_others_are_given(tmp_path: Path) -> None:
    (tmp_path / "f.md").write_bytes(SHEET)
    (tmp_path / "lugares.csv").write_bytes(PLACES)
    (tmp_path / "nada.csv").write_bytes(b"x")
    assert [finding.code for finding in check_path(tmp_path / "f.md").report.of("error")] == ["file_missing"]
    media = tmp_path / "media"
    media.mkdir()
    (media / "mapa.png").write_bytes(PNG)
    (media / ".oculto").write_bytes(PNG)
    run = CliRunner().invoke(cli, ["form", "check", str(tmp_path / "f.md"), "--media", str(media), "--json"])
    assert run.exit_code == 0 and json.loads(run.stdout)["problems"] == []
    run = CliRunner().invoke(cli, ["form", "check", str(tmp_path / "f.md"), "--media", str(media / "mapa.png")])
    assert run.exit_code == 0
    run = CliRunner().invoke(cli, ["form", "check", str(tmp_path / "f.md")])
    assert run.exit_code == 1 and "mapa.png" in run.stdout


def test_a_published_form_keeps_its_files(tmp_path: Path) -> None:
    (tmp_path / "f.md").write_bytes(SHEET)
    (tmp_path / "lugares.csv").write_bytes(PLACES)
    (tmp_path / "mapa.png").write_bytes(PNG)
    data = tmp_path / "datos"
    run = CliRunner().invoke(cli, ["form", "publish", str(tmp_path / "f.md"), "--data", str(data)])
    assert run.exit_code == 0, run.output
    store = FormStore(open_engine(settings_from_environment(data).url))
    (version,) = store.current()
    form = store.get(version.form_id, version.version)
    assert form is not None and [choice.name for choice in form.lists["lugares"]] == ["a", "b"]
    assert {each.name for each in store.files(version.form_id, version.version)} == {"lugares.csv", "mapa.png"}


def test_without_a_version_other_files_give_another_one() -> None:
    sheet = (table("survey", SURVEY, PLACE_ROWS[1]) + table("settings", ("form_id",), ("f",))).encode()
    versions = [
        check_file("f.md", sheet, {"lugares.csv": content}).report.version for content in (PLACES, PLACES + b"c,C,x\n")
    ]
    assert versions[0] != versions[1] and all(len(version) == 10 for version in versions)


def test_the_digest_names_xform_and_files() -> None:
    assert form_digest("x", {}) == hashlib.sha256(b"x").hexdigest()
    assert form_digest("x", {"b": b"2", "a": b"1"}) == form_digest("x", {"a": b"1", "b": b"2"}) != form_digest("x", {})
    checked = check_file("f.md", SHEET, {"lugares.csv": PLACES, "mapa.png": PNG})
    form = read_xform(
        checked.xform, media={"lugares.csv": PLACES.decode()}, sha256=form_digest(checked.xform, checked.files)
    )
    assert form.sha256 == form_digest(checked.xform, checked.files) != form_digest(checked.xform, {})


def test_ten_thousand_places_are_checked_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "_run_worker", worker_process)
    content = "name,label,zona\n" + "".join(f"l{n},Lugar número {n},z{n % 20}\n" for n in range(10_000))
    book = Workbook()
    book.remove(book["Sheet"])
    survey = book.create_sheet("survey")
    for row in ((*SURVEY, "choice_filter"), ("text", "zona", "¿Zona?", None),
                ("select_one_from_file lugares.csv", "lugar", "¿Dónde?", "zona = ${zona}")):  # fmt: skip
        survey.append(row)
    written = io.BytesIO()
    book.save(written)
    started = time.process_time()
    checked = check_file("f.xlsx", written.getvalue(), {"lugares.csv": content.encode()})
    assert checked.form is not None and len(checked.form.lists["lugares"]) == 10_000
    assert time.process_time() - started < 1.5  # this process's part; the worker's is in bench
